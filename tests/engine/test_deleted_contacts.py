"""A contact that was deleted in DailyStory: its row is held, named once, and made again only if the sync says so."""

from __future__ import annotations

import pytest
from support.placements import Placement, at
from support.scenario import Scenario, customer, customers, sync_of

from dagster_dailystory.engine.upkeep.audit import audit_contacts

KEPT = sync_of(deletes="deactivate", max_deleted_fraction=None)


PLACEMENTS = (Placement("sqlite"), Placement("duckdb"), Placement("postgresql"))


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    """Of three synced contacts, the row of the first left the source and was deactivated; then people deleted it."""
    scenario.seed(*customers(3))
    scenario.run(KEPT)
    scenario.delete(1)
    scenario.run(KEPT)
    scenario.edit("p1@example.com", status="Deleted")
    scenario.insert(customer(1))
    scenario.sent()
    return scenario


def stamped(scenario: Scenario) -> list[int]:
    return [row["customer_id"] for row in scenario.rows("contact_map") if row["deleted_in_dailystory_at"]]


def test_the_row_of_a_deleted_contact_is_counted_once_and_held_from_then_on(scenario: Scenario):
    found = scenario.run(KEPT)
    assert (found.outcome, found.rows_deleted_in_dailystory, found.rows_updated) == ("done", 1, 0)
    assert scenario.rows("runs")[-1]["rows_deleted_in_dailystory"] in (0, 1)
    assert sum(row["rows_deleted_in_dailystory"] for row in scenario.rows("runs")) == 1
    assert (stamped(scenario), scenario.rejections()) == ([1], {"1": "deleted_in_dailystory"})
    scenario.update(1, city="Lima")
    held = scenario.run(KEPT)
    assert (held.outcome, held.rows_held, held.rows_deleted_in_dailystory, held.api_requests) == ("empty", 1, 0, 0)
    assert (scenario.sent(), scenario.contact("p1@example.com")["status"]) == ([], "Deleted")


@at(Placement("sqlite"))
def test_another_setting_makes_the_contact_active_again_with_all_its_fields(scenario: Scenario):
    scenario.run(KEPT)
    again = sync_of(deletes="deactivate", max_deleted_fraction=None, on_deleted="reactivate")
    assert scenario.run(again).rows_updated == 1
    [(name, operation, body)] = scenario.sent()
    assert (name, operation, body["status"], body["firstName"]) == ("p1@example.com", "update", "Active", "Name 1")
    assert (stamped(scenario), scenario.rejections()) == ([], {})
    assert scenario.run(again).outcome == "empty"


@at(Placement("sqlite"))
def test_a_deleted_contact_that_opted_out_is_held_under_either_setting(scenario: Scenario):
    scenario.edit("p1@example.com", optOutEmail=True)
    again = sync_of(deletes="deactivate", max_deleted_fraction=None, on_deleted="reactivate")
    assert scenario.run(again).rows_deleted_in_dailystory == 1
    held = scenario.run(again)
    assert (held.rows_held, held.api_requests) == (1, 0)


@at(Placement("sqlite"))
def test_a_contact_that_people_restored_is_synced_again_on_request(scenario: Scenario):
    scenario.run(KEPT)
    scenario.edit("p1@example.com", status="Active")
    assert scenario.run(KEPT).rows_held == 1
    assert scenario.run(KEPT, scope="rejected").rows_updated == 1
    assert (stamped(scenario), scenario.rejections()) == ([], {})


def test_the_row_of_a_deleted_contact_may_leave_without_a_request(scenario: Scenario):
    scenario.run(KEPT)
    scenario.delete(1)
    assert scenario.run(KEPT).outcome in ("done", "empty")
    assert (scenario.sent(), scenario.contact("p1@example.com")["status"]) == ([], "Deleted")
    assert scenario.run(KEPT).outcome == "empty"


def test_an_audit_finds_a_contact_whose_updates_seem_to_succeed(scenario: Scenario):
    scenario.edit("p2@example.com", status="Deleted")
    scenario.update(2, city="Lima")
    assert scenario.run(KEPT).rows_updated == 1, "the response does not show the status"
    report = audit_contacts(KEPT, scenario.warehouse, scenario.account, repair=True)
    assert (report.contacts_deleted, report.contacts_missing, report.keys) == (1, 0, ("2",))
    scenario.sent()
    scenario.update(2, city="Rome")
    assert (scenario.run(KEPT).rows_held, scenario.sent()) == (2, [])
    assert audit_contacts(KEPT, scenario.warehouse, scenario.account, repair=True).is_clean
