"""docs/images/packages.svg, in docs/explanation/how-it-works.md, is made from the imports (`UPDATE_DOCS=1`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import grimp

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "packages.svg"
PACKAGE = "dagster_dailystory"
SPLIT = ("engine", "databases")
"""Packages of which each part is shown."""

SHOWN_APART = {"demo", "sandbox", "errors"}
"""Imported by nearly all, or by none."""

WIDTH, ROW = 860, 62
COLOURS = {"engine": "#dbe7ff", "databases": "#ddf3e4"}
ARROW = (
    '<rect width="100%" height="100%" fill="#ffffff"/><defs><marker id="arrow" viewBox="0 0 8 8" refX="4" refY="4"'
    ' markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#9aa4b2"/></marker></defs>'
)


def test_the_picture_shows_the_imports() -> None:
    drawn = picture(without_detours(imports()))
    if os.environ.get("UPDATE_DOCS"):
        PICTURE.write_text(drawn, encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8") == drawn


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
    """An SVG: a row for each height above the packages that import nothing, an arrow for each import."""
    rows: dict[int, list[str]] = {}
    for part in sorted(found):
        rows.setdefault(height(part, found), []).append(part)
    places = {
        part: (WIDTH * (index + 1) // (len(row) + 1), ROW * (len(rows) - level) - ROW // 2)
        for level, row in rows.items()
        for index, part in enumerate(row)
    }
    size = f'width="{WIDTH}" height="{ROW * len(rows)}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">', ARROW]
    lines += [arrow(*places[part], *places[other]) for part in sorted(found) for other in sorted(found[part])]
    lines += [box(part, *places[part]) for part in sorted(found)]
    return "\n".join([*lines, "</svg>"]) + "\n"


def height(part: str, found: Mapping[str, set[str]]) -> int:
    return max((height(other, found) + 1 for other in found[part]), default=0)


def arrow(x: int, y: int, to_x: int, to_y: int) -> str:
    bend = f"C{x} {y + 40} {to_x} {to_y - 50} {to_x} {to_y - 20}"
    return f'<path d="M{x} {y + 14}{bend}" fill="none" stroke="#9aa4b2" marker-end="url(#arrow)"/>'


def box(part: str, x: int, y: int) -> str:
    width, colour = 8 * len(part) + 16, COLOURS.get(part.partition("/")[0], "#eef1f5")
    shape = f'<rect x="{x - width // 2}" y="{y - 14}" width="{width}" height="28" rx="5" fill="{colour}"/>'
    return f'{shape}<text x="{x}" y="{y + 5}" text-anchor="middle" fill="#1f2937">{part}</text>'
