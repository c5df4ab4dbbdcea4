"""The questions of docs/explanation/service.md are made from the code (`UPDATE_DOCS=1`)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from dagster_dailystory.engine.upkeep.doctor.questions import QUESTIONS, UNASKED, Answer

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "service.md"
MADE = re.compile(r"(<!-- Made from the code: .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def test_the_questions_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    tables = "\n" + "\n".join([*asked(), "", *unasked()]) + "\n\n"
    expected = MADE.sub(lambda found: f"{found[1]}{tables}{found[2]}", page)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(expected, encoding="utf-8")
    assert MADE.search(page)
    assert PAGE.read_text(encoding="utf-8") == expected


def test_each_question_of_the_page_is_tried_out_or_has_a_reason() -> None:
    listed = set(re.findall(r"U\d+", PAGE.read_text(encoding="utf-8").partition("## Find out")[0]))
    known = set(re.findall(r"U\d+", " ".join([*(each.number for each in QUESTIONS), *UNASKED])))
    assert listed <= known
    assert {f"U{number}" for number in range(1, 31)} == known


def asked() -> Iterator[str]:
    yield "| # | question | what this package does | answers; in **bold** those for which that is not right |"
    yield "| --- | --- | --- | --- |"
    for each in QUESTIONS:
        yield f"| {each.number} | {each.name} | {each.assumed} | {'; '.join(map(shown, each.answers))} |"


def shown(answer: Answer) -> str:
    name = f"`{answer.name}`" if answer.is_assumed else f"**`{answer.name}`**"
    advice = f" (then {answer.advice})" if answer.advice else ""
    return f"{name}: {answer.meaning}{advice}"


def unasked() -> Iterator[str]:
    yield "| # | not tried out, because |"
    yield "| --- | --- |"
    for number, reason in UNASKED.items():
        yield f"| {number} | {reason} |"
