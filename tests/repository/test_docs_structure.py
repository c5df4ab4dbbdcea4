"""The picture of the packages in docs/explanation/how-it-works.md is made from the imports (`UPDATE_DOCS=1`)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import grimp

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "how-it-works.md"
PACKAGE = "dagster_dailystory"
SPLIT = ("engine", "databases")
"""Packages of which each part is shown."""

SHOWN_APART = {"demo", "sandbox", "errors"}
"""Imported by nearly all, or by none."""

BLOCK = re.compile(r"(?<=<!-- made from the imports -->\n\n```mermaid\n).*?(?=```\n)", re.DOTALL)


def test_the_picture_shows_the_imports() -> None:
    drawn = picture(without_detours(imports()))
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(BLOCK.sub(lambda _: drawn, page), encoding="utf-8")
    [shown] = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert shown == drawn


def imports() -> dict[str, set[str]]:
    """Part of the package -> the parts that it imports."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in sorted(graph.modules):
        if (part := part_of(module)) is None:
            continue
        others = {part_of(each) for each in graph.find_modules_directly_imported_by(module)}
        found.setdefault(part, set()).update(each for each in others if each not in (None, part))
    return found


def part_of(module: str) -> str | None:
    """The part that a module is shown as: its package, or the package or file in it."""
    names = module.split(".")[1:]
    if not names or names[0] in SHOWN_APART:
        return None
    if names[0] not in SPLIT:
        return names[0]
    return "/".join(names[:2]) if len(names) > 1 else None


def without_detours(found: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Leave out an arrow where others lead to the same part."""
    reached = {part: set(others) for part, others in found.items()}
    for middle, part, end in product(reached, repeat=3):
        if middle in reached[part] and end in reached[middle]:
            reached[part].add(end)
    return {
        part: {each for each in others if not any(each in reached[other] for other in others)}
        for part, others in found.items()
    }


def picture(found: Mapping[str, set[str]]) -> str:
    lines = ["flowchart TD"]
    for package in SPLIT:
        parts = sorted(part for part in found if part.startswith(f"{package}/"))
        lines += [f"  subgraph {package}", *(f"    {node(part)}[{part.partition('/')[2]}]" for part in parts), "  end"]
    lines += [f"  {node(part)} --> {node(other)}" for part in sorted(found) for other in sorted(found[part])]
    return "\n".join(lines) + "\n"


def node(part: str) -> str:
    """Mermaid takes no slash in a name."""
    return part.replace("/", "_")
