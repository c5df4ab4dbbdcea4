"""Values of rows that left the source long ago, and of fields that are no longer mapped, are dropped from the state."""

from __future__ import annotations

import pytest
from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customer, customers, sync_of

PLACEMENTS = INSIDE

FIELDS = {"email": "email", "mobilePhone": "mobile", "city": "city", "optOutEmail": "opted_out"}
SYNC = sync_of(fields=FIELDS, deletes="deactivate", min_guard_rows=99)
JANE = {"email": "Jane@example.com", "mobile": "+14155552671", "city": "Zwolle", "plan": "gold", "opted_out": False}


@pytest.fixture
def absent(scenario: Scenario) -> Scenario:
    """Jane, key 1, left the source long ago."""
    scenario.seed(customer(1, **JANE), *customers(3, mobile=None)[1:])
    scenario.run(SYNC)
    scenario.delete(1)
    scenario.run(SYNC)
    a_day_later(scenario)
    return scenario


def a_day_later(scenario: Scenario) -> None:
    scenario.execute_state(
        "UPDATE dailystory_customers_snapshot SET absent_since = '2020-01-01 00:00:00.000000' WHERE customer_id = 1",
        "DELETE FROM dailystory_meta WHERE name LIKE 'values_dropped%'",
    )
    scenario.sandbox.clear_journal()


def is_known(scenario: Scenario) -> bool:
    text = str([scenario.rows(table) for table in ("snapshot", "history", "changes")]).lower()
    return any(value in text for value in ("jane@", "4155552671", "zwolle", "gold"))


def test_values_are_dropped_and_a_re_key_keeps_the_contact(absent: Scenario):
    assert is_known(absent)
    absent.run(SYNC)
    assert not is_known(absent)
    assert [row["customer_id"] for row in absent.rows("history")] == [2, 3]
    absent.insert(customer(9, **{**JANE, "email": "JANE@example.com", "mobile": None}))
    report = absent.run(SYNC)
    assert (report.rows_created, report.rows_updated) == (0, 1)
    [row] = [row for row in absent.rows("snapshot") if row["customer_id"] == 9]
    assert (row["identity_email"], row["identity_email_hash"], row["absent_since"]) == ("jane@example.com", None, None)
    assert absent.contact("JANE@example.com")["status"] == "Active"
    assert len(absent.emails()) == 3
    assert absent.run(SYNC).api_requests == 0


@at(Placement("sqlite"), Placement("duckdb"))
def test_the_history_of_an_earlier_key_of_the_contact_is_dropped_too(scenario: Scenario):
    scenario.seed(customer(9, **JANE), *customers(3, mobile=None)[1:])
    scenario.run(SYNC)
    scenario.delete(9)
    scenario.insert(customer(1, **JANE))
    assert scenario.run(SYNC).rows_created == 0
    scenario.delete(1)
    scenario.run(SYNC)
    a_day_later(scenario)
    scenario.run(SYNC)
    assert not is_known(scenario)
    assert [row["customer_id"] for row in scenario.rows("history")] == [2, 3]


def test_the_same_key_returns_as_an_update_with_all_fields(absent: Scenario):
    absent.run(SYNC)
    absent.insert(customer(1, **JANE))
    assert absent.run(SYNC).rows_updated == 1
    [(_, operation, body)] = absent.sent()
    assert (operation, set(body)) == ("update", {"email", "mobilePhone", "city", "extendedProperties", "status"})
    assert absent.run(SYNC).api_requests == 0


def test_an_opt_out_under_another_key_reaches_the_contact_although_its_row_is_rejected(absent: Scenario):
    absent.run(SYNC)
    absent.sandbox.clear_journal()
    absent.insert(customer(9, **{**JANE, "email": "nobody", "opted_out": True}))
    report = absent.run(SYNC)
    assert report.rejections_by_reason == {"invalid_email": 1}
    assert [(operation, body) for _, operation, body in absent.sent()] == [("update", {"optOutEmail": True})]


def test_values_are_kept_without_a_limit_and_by_a_dry_run(absent: Scenario):
    absent.run(SYNC, dry_run=True)
    absent.run(sync_of(fields=FIELDS, deletes="deactivate", min_guard_rows=99, retain_absent_days=None))
    assert is_known(absent)


def test_values_of_a_field_that_is_no_longer_mapped_are_dropped_by_a_later_run(scenario: Scenario):
    narrow = sync_of(extended_properties={})
    scenario.seed(*customers(1, plan="platinum"))
    scenario.run()
    for dry_run, is_kept in ((True, True), (True, True), (False, True), (False, False)):
        scenario.execute_state("DELETE FROM dailystory_meta WHERE name LIKE 'values_dropped%'")
        scenario.run(narrow, dry_run=dry_run)
        assert ("platinum" in str(scenario.rows("snapshot") + scenario.rows("changes"))) is is_kept
