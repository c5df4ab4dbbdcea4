"""The reliability page names tests that exist, for each promise."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]}
NAMED = sorted(set(re.findall(r"`([\w/]*test_\w+)::(\w+)`", PAGE)))


def is_defined(module: str, name: str) -> bool:
    file = TESTS / f"{module}.py"
    return file.exists() and bool(re.search(rf"^(def|class) {name}\b", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_test_that_the_page_names_exists() -> None:
    assert len(NAMED) > 100
    assert [f"{module}::{name}" for module, name in NAMED if not is_defined(module, name)] == []


def test_every_promise_has_its_proof_and_its_limits() -> None:
    numbers = {int(title.partition(".")[0]) for title in SECTIONS if title[0].isdigit()}
    assert numbers == {*range(1, 12), 14}
    for title, text in SECTIONS.items():
        assert re.search(r"`[\w/]*test_\w+::\w+`", text), title
        assert "**How.**" in text, title
        assert "**Not covered.**" in text, title


def test_every_mention_of_a_test_is_one_that_is_checked() -> None:
    assert PAGE.count("::") == len(re.findall(r"`[\w/]*test_\w+::\w+`", PAGE)) + PAGE.count("`file::test`")
