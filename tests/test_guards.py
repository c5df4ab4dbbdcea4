"""What each guard lets pass, at its limit and beyond."""

from __future__ import annotations

from dataclasses import fields

import pytest
from harness import sync_of

from dagster_dailystory.guards import GUARD_NAMES, Figures, judge_guards

CALM = {field.name: 0 for field in fields(Figures)} | {"rows_read": 100, "live_keys": 100}


def failing(figures: dict[str, object], **settings: object) -> dict[str, str]:
    """Guard -> message, of those that do not pass."""
    verdicts = judge_guards(sync_of(deletes="delete", **settings), Figures(**{**CALM, **figures}))
    assert tuple(verdict.name for verdict in verdicts) == GUARD_NAMES
    return {verdict.name: verdict.message for verdict in verdicts if not verdict.passed}


def test_a_calm_plan_passes():
    assert failing({}) == {}


@pytest.mark.parametrize(
    ("figure", "guard", "setting"),
    [
        ("rows_updated", "changed_share", "max_changed_fraction"),
        ("rows_deleted", "deleted_share", "max_deleted_fraction"),
        ("rows_rejected", "rejected_share", "max_rejected_fraction"),
    ],
)
def test_a_share_is_judged_above_its_limit_and_from_min_guard_rows_on(figure, guard, setting):
    limits = {setting: 0.25, "min_guard_rows": 20}
    assert failing({figure: 25}, **limits) == {}
    assert failing({figure: 26}, **limits)[guard].startswith("26 of 100 rows")
    assert setting in failing({figure: 26}, **limits)[guard]
    assert failing({figure: 26}, **{**limits, "min_guard_rows": 27}) == {}
    assert failing({figure: 100}, **{**limits, setting: None}) == {}
    assert failing({figure: 20}, **{**limits, setting: 0.0}) != {}


def test_one_tenth_of_the_contacts_may_be_deleted_by_default():
    assert failing({"rows_deleted": 20, "live_keys": 200}) == {}
    assert "deleted_share" in failing({"rows_deleted": 21, "live_keys": 200})
