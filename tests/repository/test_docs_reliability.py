"""The reliability page names tests that exist, for each promise."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "explanation" / "reliability.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]}
NAMED = sorted(set(re.findall(r"`([\w/]*test_\w+)::(\w+)`", PAGE)))
SHOWN = {"slow": "slow", "ui": "browser", "emulated": "emulated", "celery": "celery"}
"""Markers of tests that `make test` does not run, and how the page shows them."""

README = Path(__file__).parents[2] / "README.md"


def is_defined(module: str, name: str) -> bool:
    file = TESTS / f"{module}.py"
    return file.exists() and bool(re.search(rf"^(def|class) {name}\b", file.read_text(encoding="utf-8"), re.MULTILINE))


def test_every_test_that_the_page_names_exists() -> None:
    assert len(NAMED) > 100
    assert [f"{module}::{name}" for module, name in NAMED if not is_defined(module, name)] == []


def test_the_page_marks_each_test_that_make_test_does_not_run() -> None:
    mentions = re.findall(r"`([\w/]*test_\w+)::(\w+)`(?: \(\*(\w+)\*\))?", PAGE)
    expected = [(module, name, SHOWN.get(marker_of(module, name), "")) for module, name, _ in mentions]
    assert mentions == expected


def marker_of(module: str, name: str) -> str:
    """The marker that keeps a test out of `make test`, empty if none does."""
    parsed = ast.parse((TESTS / f"{module}.py").read_text(encoding="utf-8")).body
    marks = [ast.unparse(each.value) for each in parsed if isinstance(each, ast.Assign) and named_pytestmark(each)]
    for each in parsed:
        if isinstance(each, (ast.FunctionDef, ast.ClassDef)) and each.name == name:
            marks += [
                ast.unparse(decorator) for decorator in each.decorator_list if not isinstance(decorator, ast.Call)
            ]
    return next(
        (found.group(1) for found in re.finditer(r"pytest\.mark\.(\w+)", " ".join(marks)) if found[1] in SHOWN), ""
    )


def named_pytestmark(assigned: ast.Assign) -> bool:
    return [ast.unparse(target) for target in assigned.targets] == ["pytestmark"]


def test_every_promise_has_its_proof_and_its_limits() -> None:
    numbers = {int(title.partition(".")[0]) for title in SECTIONS if title[0].isdigit()}
    promises = re.findall(r"^(\d+)\. ", README.read_text(encoding="utf-8").partition("## Promises")[2], re.MULTILINE)
    assert sorted(numbers) == sorted(map(int, promises))
    for title, text in SECTIONS.items():
        assert re.search(r"`[\w/]*test_\w+::\w+`", text), title
        assert "**How.**" in text, title
        assert "**Not covered.**" in text, title


def test_every_mention_of_a_test_is_checked() -> None:
    assert PAGE.count("::") == len(re.findall(r"`[\w/]*test_\w+::\w+`", PAGE)) + PAGE.count("`file::test`")
