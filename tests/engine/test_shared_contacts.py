"""Contacts that two syncs of one state hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.placements import Placement
from support.scenario import Scenario, customer, customers, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory import retire_sync
from dagster_dailystory.errors import SafetyError
from dagster_dailystory.model.sync import ContactSync

PLACEMENTS = (Placement("duckdb"), Placement("postgresql", "sqlite"))
SHARES = sync_of(deletes="delete", max_deleted_fraction=0.2, min_guard_rows=1)
OTHER = sync_of(name="others", source="others", deletes="delete", min_guard_rows=5)


def seed_two_syncs(scenario: Scenario, sync: ContactSync = SHARES) -> None:
    """Six synced rows; another sync has the first two of them."""
    scenario.seed(*customers(6))
    scenario.seed(*customers(2), table="others")
    scenario.run(OTHER)
    scenario.run(sync)
    scenario.sent()


def test_a_contact_that_another_sync_holds_is_counted_and_named(scenario: Scenario):
    sync = sync_of(deletes="delete")
    seed_two_syncs(scenario, sync)
    scenario.delete(1, 3)
    report = scenario.run(sync)
    counts = (report.rows_to_delete, report.rows_deleted, report.rows_delete_skipped_shared)
    assert (report.outcome, *counts) == ("done", 1, 1, 1)
    stored = [scenario.row_of(table, report) for table in ("plans", "runs")]
    assert [row["rows_delete_skipped_shared"] for row in stored] == [1, 1]
    messages = {row["message"] for row in scenario.rows("changes") if row["reason"] == "shared_dsid"}
    assert messages == {"sync others holds this contact too; it is kept"}
    assert scenario.contact("p1@example.com")["status"] == "Active"


def test_a_retired_sync_holds_no_contact(scenario: Scenario):
    sync = sync_of(deletes="delete")
    seed_two_syncs(scenario, sync)
    retire_sync(sync, "others", warehouse_url=scenario.warehouse_url, state_url=scenario.state_url)
    scenario.delete(1)
    assert scenario.run(sync).rows_deleted == 1
    scenario.run(OTHER)
    scenario.delete(2)
    assert scenario.run(sync).rows_delete_skipped_shared == 1, "it runs again, and so holds its contacts again"


@pytest.mark.parametrize("ends", ["leaves", "retired"])
def test_a_deletion_that_another_sync_held_up_is_decided_again(scenario: Scenario, ends: str):
    seed_two_syncs(scenario)
    scenario.delete(1)
    [shared] = {scenario.run(SHARES).rows_delete_skipped_shared for _ in range(2)}
    careful = replace(SHARES, max_deleted_fraction=0)
    again = scenario.run(careful)
    assert (shared, again.rows_delete_skipped_shared, again.api_requests) == (1, 1, 0), "no guard counts a kept contact"
    if ends == "retired":
        retire_sync(SHARES, "others", warehouse_url=scenario.warehouse_url, state_url=scenario.state_url)
    else:
        scenario.execute("DELETE FROM others WHERE customer_id = 1")
        scenario.run(replace(OTHER, deletes="keep"))
    with pytest.raises(SafetyError, match="1 of 5 contacts would be deleted"):
        scenario.run(careful)
    report = scenario.run(SHARES)
    assert (report.rows_deleted, report.rows_delete_skipped_shared) == (1, 0)
    assert scenario.contact("p1@example.com")["status"] == "Deleted"
    assert scenario.run(careful).api_requests == 0, "decided for good"


def test_a_key_whose_deletion_was_held_up_returns(scenario: Scenario):
    seed_two_syncs(scenario)
    scenario.delete(1)
    scenario.run(SHARES)
    scenario.insert(customer(1, first_name="Ada"))
    report = scenario.run(SHARES)
    assert (report.rows_updated, report.rows_created, report.rows_delete_skipped_shared) == (1, 0, 0)
    assert scenario.contact("p1@example.com")["firstName"] == "Ada"
    assert scenario.run(SHARES).outcome == "empty"
    scenario.delete(1)
    assert scenario.run(SHARES).rows_delete_skipped_shared == 1


def test_a_deletion_held_up_by_a_sync_that_deletes_itself_needs_no_request(scenario: Scenario):
    seed_two_syncs(scenario)
    scenario.delete(1)
    scenario.run(SHARES)
    scenario.execute("DELETE FROM others WHERE customer_id = 1")
    assert scenario.run(OTHER).rows_deleted == 1
    for _ in range(2):
        report = scenario.run(replace(SHARES, max_deleted_fraction=0))
        assert (report.outcome, report.api_requests, report.rows_delete_skipped_shared) == ("empty", 0, 0)


def test_a_sync_does_not_write_to_a_contact_that_another_one_deleted(scenario: Scenario):
    seed_two_syncs(scenario)
    retire_sync(SHARES, "others", warehouse_url=scenario.warehouse_url, state_url=scenario.state_url)
    scenario.delete(1)
    assert scenario.run(SHARES).rows_deleted == 1
    scenario.execute("UPDATE others SET city = 'Rome'")
    report = scenario.run(OTHER)
    assert (report.rows_updated, report.rows_deleted_in_dailystory) == (1, 1)
    scenario.execute("UPDATE others SET city = 'Oslo'")
    assert (scenario.run(OTHER).rows_held, scenario.contact("p1@example.com")["city"]) == (1, "Paris")


def test_sending_a_plan_ends_the_retirement_of_its_sync(scenario: Scenario):
    seed_two_syncs(scenario)
    scenario.execute("UPDATE others SET city = 'Rome'")
    plan_run(OTHER, scenario.warehouse, scenario.account, run_id="before")
    retire_sync(SHARES, "others", warehouse_url=scenario.warehouse_url, state_url=scenario.state_url)
    send_run(OTHER, scenario.warehouse, scenario.account, ["before"])
    scenario.delete(1)
    assert scenario.run(SHARES).rows_delete_skipped_shared == 1
