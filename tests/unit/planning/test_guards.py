"""Each guard at its limit and beyond."""

from __future__ import annotations

from dataclasses import fields

import pytest
from support.scenario import sync_of

from dagster_dailystory.engine.planning.guards import (
    GUARD_NAMES,
    DayInputs,
    GuardInputs,
    evaluate_guards,
    guard_texts,
)

CALM = {field.name: 0 for field in fields(GuardInputs)} | {"rows_read": 100, "live_keys": 100, "sync_live_keys": 100}


def failing(figures: dict[str, object], **settings: object) -> dict[str, str]:
    """Guard -> message, for those that fail."""
    results = evaluate_guards(sync_of(deletes="delete", **settings), GuardInputs(**{**CALM, **figures}))
    assert tuple(result.name for result in results) == GUARD_NAMES
    return {result.name: result.message for result in results if not result.passed}


def test_a_calm_plan_passes():
    assert failing({}) == {}


@pytest.mark.parametrize(
    ("figure", "guard", "setting"),
    [
        ("rows_created", "created_share", "max_created_fraction"),
        ("rows_updated", "changed_share", "max_changed_fraction"),
        ("rows_deleted", "deleted_share", "max_deleted_fraction"),
        ("rows_rejected", "rejected_share", "max_rejected_fraction"),
    ],
)
def test_a_share_above_its_limit_fails_from_min_guard_rows_on(figure, guard, setting):
    limits = {setting: 0.25, "min_guard_rows": 20}
    assert failing({figure: 25}, **limits) == {}
    assert failing({figure: 26}, **limits)[guard].startswith(
        ("26 of 100 ", "26 contacts would be created beside 100, ")
    )
    assert setting in failing({figure: 26}, **limits)[guard]
    assert failing({figure: 26}, **{**limits, "min_guard_rows": 27}) == {}
    assert failing({figure: 100}, **{**limits, setting: None}) == {}
    assert failing({figure: 0}, **{**limits, setting: 0.0}) == {}
    assert failing({figure: 1}, **{**limits, setting: 0.0}) != {}, "0 means none, whatever min_guard_rows says"


def results_of(figures: dict[str, object], **settings: object) -> dict[str, tuple[bool, str]]:
    results = evaluate_guards(sync_of(**settings), GuardInputs(**{**CALM, **figures}))
    return {result.name: (result.passed, result.message) for result in results}


@pytest.mark.parametrize(
    ("rows", "settings", "passed", "message"),
    [
        (12, {"deletes": "delete"}, True, "12 of 100 contacts would be deleted, which is 12.0%; the limit is 10.0% "
         "(max_deleted_fraction), and applies from 20 contacts on (min_guard_rows)"),
        (9, {"deletes": "deactivate"}, True, "9 of 100 contacts would be deactivated, which is 9.0%; the limit is "
         "10.0% (max_deleted_fraction)"),
        (25, {"deletes": "deactivate"}, False, "25 of 100 contacts would be deactivated, which is 25.0%; the limit is "
         "10.0% (max_deleted_fraction). Look at the plan; raise the limit for this sync if it is right"),
        (25, {"deletes": "delete", "max_deleted_fraction": None}, True, "25 of 100 contacts would be deleted, which is "
         "25.0%; max_deleted_fraction sets no limit"),
    ],
)  # fmt: skip
def test_a_result_states_the_value_and_the_limit(rows, settings, passed, message):
    assert results_of({"rows_deleted": rows}, **settings)["deleted_share"] == (passed, message)


def test_only_one_guard_fails_for_an_empty_source():
    empty = {"source_is_empty": True, "whole_source": True, "rows_read": 0, "rows_deleted": 100}
    results = results_of(empty, deletes="delete")
    assert [name for name, (passed, _) in results.items() if not passed] == ["source_not_empty"]
    assert results["deleted_share"][1] == "not evaluated: the source is empty"


def test_a_source_that_may_be_empty_is_evaluated_like_any_other():
    empty = {"source_is_empty": True, "whole_source": True, "rows_read": 0, "rows_deleted": 100}
    results = results_of(empty, deletes="delete", allow_empty_source=True)
    assert [name for name, (passed, _) in results.items() if not passed] == ["deleted_share"]


def test_one_tenth_of_the_contacts_may_be_deleted_by_default():
    assert failing({"rows_deleted": 20, "sync_live_keys": 200}) == {}
    assert "deleted_share" in failing({"rows_deleted": 21, "sync_live_keys": 200})


def test_each_guard_describes_its_limit_without_a_plan():
    texts = guard_texts(sync_of(deletes="deactivate", max_rejected_fraction=0.05, min_guard_rows=3))
    assert tuple(texts) == GUARD_NAMES
    assert list(texts.values()) == [
        "The source must have rows.",
        "After the first load at most 100.0% of the number of contacts may be created in one run "
        "(max_created_fraction); the limit applies from 3 contacts on.",
        "Any number of contacts may be created: max_created_rows sets no limit.",
        "Any share of the contacts may be updated: max_changed_fraction sets no limit.",
        "At most 10.0% of the contacts may be opted out in one run (max_opted_out_fraction); "
        "the limit applies from 3 contacts on.",
        "At most 10.0% of the contacts may be deactivated in one run (max_deleted_fraction); "
        "the limit applies from 3 contacts on.",
        "At most 5.0% of the rows may be rejected in one run (max_rejected_fraction); "
        "the limit applies from 3 rows on.",
    ]


def test_the_first_load_may_create_any_share_but_no_more_rows_than_allowed():
    assert "created_share" in failing({"rows_created": 101})
    assert failing({"rows_created": 101, "first_load": True}) == {}
    assert failing({"rows_created": 101, "first_load": True}, max_created_rows=100).keys() == {"created_rows"}
    assert failing({"rows_created": 100}, max_created_rows=100) == {}


def test_a_slice_must_meet_the_limits_together_with_the_plans_of_a_day():
    calm = dict.fromkeys((each.name for each in fields(DayInputs)), 0) | {"rows_read": 100, "live_keys": 100}
    limits = {"max_changed_fraction": 0.5, "max_rejected_fraction": 0.5, "max_created_rows": 200}
    figures = GuardInputs(**{**CALM, "rows_created": 50, "rows_updated": 50, "rows_rejected": 50})
    beyond = {
        "created_share": {"rows_created_after_first_load": 101},
        "created_rows": {"rows_created": 201},
        "changed_share": {"rows_updated": 51},
        "rejected_share": {"rows_rejected": 51},
    }
    for name, counts in beyond.items():
        results = evaluate_guards(sync_of(**limits), figures, DayInputs(**{**calm, **counts}))
        assert [(r.name, "in the plans of the last 24 hours" in r.message) for r in results if not r.passed] == [
            (name, True)
        ]
    assert all(result.passed for result in evaluate_guards(sync_of(**limits), figures, DayInputs(**calm)))
