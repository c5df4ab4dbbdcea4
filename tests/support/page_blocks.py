"""The code blocks of README.md and docs/: what each is, and why one does not run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?"
    r'^(?P<indent> *)```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n'
    r"(?P<text>.*?)"
    r"^(?P=indent)```$",
    flags=re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One code block of a page.

    Attributes:
        page: The path of the page.
        line: Where it begins.
        language: What follows the fence.
        title: The file that it is, or `second terminal` and so on.
        text: Its lines, without indentation.
        reason: Why it does not run here, as a comment before the fence has it; empty if it runs.
    """

    page: str
    line: int
    language: str
    title: str
    text: str
    reason: str


def blocks_of(page: str) -> list[Block]:
    return list(_blocks(page, (ROOT / page).read_text(encoding="utf-8")))


def _blocks(page: str, text: str) -> Iterator[Block]:
    for found in FENCE.finditer(text):
        lines = [line.removeprefix(found["indent"]) for line in found["text"].splitlines()]
        yield Block(
            page,
            line=text.count("\n", 0, found.start("language")) + 1,
            language=found["language"],
            title=found["title"] or "",
            text="\n".join(lines) + "\n",
            reason=found["reason"] or "",
        )
