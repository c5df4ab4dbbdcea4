"""Words that left the project stay out of its code, its errors and its pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(
    {
        *(path for folder in ("dagster_dailystory", "demo") for path in (ROOT / folder).rglob("*.py")),
        *(ROOT / "dagster_dailystory").rglob("page.js"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.md"),
        *(ROOT / "sql").glob("*.sql"),
    }
)
WORDS = (
    r"verdicts?", "told", "tells", "somebody", "nobody", "everybody", "anybody", "whoever", r"mend\w*", r"judg\w*",
    r"trouble\w*", r"speak\w*", "spoken", r"sets?[\s_]+aside", r"just[\s_]+so", r"so[\s_]+many", "likewise", "anyhow",
    r"(?<!there )(?:is|are)\s+no\s+(?!longer\b)\w+",
)  # fmt: skip
OTHER_WORDS = {
    r"audit\w*": "drift check",
    r"mapping table": "contact map",
    r"departed (?:row|key)s?": "missing key",
    r"quarantin\w*|dead.?letter\w*": "rejection",
    r"high.?water.?mark": "watermark",
    r"pre-?flight\w*": "examination",
}
"""Words of the field -> the word of the glossary, which the pages and the messages use."""
LEFT = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(WORDS)})(?![A-Za-z])", re.IGNORECASE)
KEPT = ('"judged"', "`trouble_sensors`")
"""The SQL name of a temporary table, and the former public name that the changelog gives."""


def words_that_left(text: str) -> Iterator[tuple[int, str]]:
    """The line and the word of each place, also inside identifiers in snake case and camel case."""
    for name in KEPT:
        text = text.replace(name, "")
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    for found in LEFT.finditer(words):
        yield words.count("\n", 0, found.start()) + 1, " ".join(found[0].split())


def test_words_that_left_the_project_are_not_used() -> None:
    assert FILES
    found = [
        f"{path.relative_to(ROOT)}:{line}: {word}"
        for path in FILES
        for line, word in words_that_left(path.read_text(encoding="utf-8"))
    ]
    assert not found, "see docs/reference/glossary.md for the words to use\n" + "\n".join(found)


def test_pages_and_messages_use_the_words_of_the_glossary() -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in FILES if path.suffix == ".md"}
    messages = {path: "\n".join(texts_of(path)) for path in FILES if path.suffix == ".py"}
    found = [
        f"{path.relative_to(ROOT)}: {each[0]!r} is {word!r} in the glossary"
        for path, text in (pages | messages).items()
        for other, word in OTHER_WORDS.items()
        for each in re.finditer(rf"(?<!\w)(?:{other})(?!\w)", text, re.IGNORECASE)
    ]
    assert found == []


def texts_of(path: Path) -> Iterator[str]:
    """The texts of a module that a user may see, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    for each in ast.walk(tree):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in docs:
            yield each.value


def test_no_message_names_a_page_of_the_docs() -> None:
    """An installed package has none of them."""
    modules = (ROOT / "dagster_dailystory").rglob("*.py")
    assert [f"{path.name}: {text}" for path in modules for text in texts_of(path) if "docs/" in text] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rows_judged = told", ["judged", "told"]),
        ("class RowVerdict:", ["Verdict"]),
        ("rows that are set\naside", ["set aside"]),
        ("the token is no secret", ["is no secret"]),
        ("there is no plan, and the key is no longer held", []),
        ('Table("judged", metadata)', []),
        ("amend, recommend, retold, a tellsite", []),
    ],
)
def test_a_word_is_found_in_prose_and_in_identifiers(text: str, words: list[str]) -> None:
    assert [word for _, word in words_that_left(text)] == words
