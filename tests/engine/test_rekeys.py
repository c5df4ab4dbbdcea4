"""A row under a new key keeps the contact of its old key, but only while that key is gone and the contact is free."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.placements import Placement
from support.scenario import Scenario, customer, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.model.partitions import ColumnValues
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync

MOBILE = "+14155552671"
FIELDS = {"email": "email", "mobilePhone": "mobile", "firstName": "first_name"}
REGIONS = ColumnValues("region", ["emea", "amer"])


def syncing(**settings: object) -> ContactSync:
    usual = {"fields": FIELDS, "max_deleted_fraction": None, "default_region": "US"}
    return sync_of(**{**usual, **settings})


PLACEMENTS = (Placement("duckdb"), Placement("sqlite"), Placement("postgresql", "sqlite"))


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    scenario.create(**scenario.source.columns, region="varchar(9)")
    scenario.insert({**customer(1, mobile=MOBILE), "region": "emea"})
    scenario.insert({**customer(2), "region": "amer"})
    scenario.run(syncing())
    scenario.sandbox.clear_journal()
    return scenario


def planned(
    scenario: Scenario, sync: ContactSync, run_id: str, partition: str | None = None, keys: tuple[str, ...] = ()
) -> Callable[[], SyncReport]:
    """Make a plan, and return what sends it."""
    options = PlanOptions(partition=partition, keys=keys)
    plan_run(sync, scenario.warehouse, scenario.account, options, run_id)
    ends = (sync, scenario.warehouse, scenario.account)
    return lambda: send_run(*ends, [run_id], partition=partition).report


@pytest.mark.parametrize("is_sliced", [True, False], ids=["slices", "keys"])
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
def test_two_plans_give_a_contact_to_one_new_key(scenario: Scenario, is_sliced: bool, order: int):
    sync = syncing(partitions=REGIONS if is_sliced else None)
    dsid = scenario.contact("p1@example.com")["dsId"]
    scenario.delete(1)
    scenario.insert({**customer(101, email="p1@example.com"), "region": "emea"})
    scenario.insert({**customer(102, email="p102@example.com", mobile=MOBILE), "region": "amer"})
    sends = [
        planned(scenario, sync, "first", "emea" if is_sliced else None, () if is_sliced else ("101",)),
        planned(scenario, sync, "second", "amer" if is_sliced else None, () if is_sliced else ("102",)),
    ][::order]
    assert [send().outcome for send in sends] == ["done", "incomplete"]
    taker = ("101", "p1@example.com") if order == 1 else ("102", "p102@example.com")
    assert scenario.contact_map()[taker[0]] == taker[1]
    assert scenario.contact(taker[1])["dsId"] == dsid
    assert len(scenario.sandbox.contacts()) == 2


def test_a_contact_keeps_its_key_if_that_is_back_before_the_send(scenario: Scenario):
    scenario.delete(1)
    scenario.insert(customer(101, email="p101@example.com", mobile=MOBILE))
    send = planned(scenario, syncing(), "run")
    scenario.insert({**customer(1, mobile=MOBILE), "region": "emea"})
    report = send()
    assert (report.outcome, report.rows_failed) == ("incomplete", 1)
    assert scenario.contact_map() == {"1": "p1@example.com", "2": "p2@example.com"}
    assert scenario.run(syncing()).rows_rejected == 1
    assert scenario.contact_map()["1"] == "p1@example.com"


@pytest.mark.parametrize("policy", ["delete", "deactivate"])
@pytest.mark.parametrize(
    "new", [{"email": " P1@Example.com"}, {"email": None, "mobile": MOBILE}], ids=["email", "mobile"]
)
def test_a_row_that_comes_under_a_new_key_before_the_deletion_keeps_its_contact(
    scenario: Scenario, policy: str, new: dict[str, object]
):
    sync = syncing(deletes=policy)
    scenario.delete(1)
    send = planned(scenario, sync, "run")
    scenario.insert(customer(101, **new))
    report = send()
    assert (report.outcome, report.rows_deleted, report.rows_delete_returned) == ("done", 0, 1)
    assert scenario.run(sync).rows_updated == 1
    assert {contact["status"] for contact in scenario.sandbox.contacts()} == {"Active"}
    assert len(scenario.sandbox.contacts()) == 2


def test_an_email_that_another_row_took_over_does_not_keep_the_contact(scenario: Scenario):
    sync = syncing(deletes="delete")
    scenario.delete(1)
    send = planned(scenario, sync, "run")
    scenario.update(2, email="p1@example.com")
    assert send().rows_deleted == 1


def test_two_plans_of_keys_create_one_contact_for_one_email(scenario: Scenario):
    for key in (7, 8):
        scenario.insert(customer(key, email="same@example.com"))
    sends = [planned(scenario, syncing(), str(key), keys=(str(key),)) for key in (7, 8)]
    reports = [send() for send in sends]
    assert [(each.outcome, each.rows_created) for each in reports] == [("done", 1), ("incomplete", 0)]
    assert "8" not in scenario.contact_map()


def test_a_contact_that_people_deleted_stays_deleted_under_a_new_key(scenario: Scenario):
    sync = syncing(deletes="deactivate")
    scenario.delete(1)
    scenario.run(sync)
    scenario.edit("p1@example.com", status="Deleted")
    scenario.insert(customer(101, email="p1@example.com"))
    assert scenario.run(sync).rows_deleted_in_dailystory == 1
    assert scenario.run(sync).rows_held == 1
    assert scenario.contact("p1@example.com")["status"] == "Deleted"


@pytest.mark.parametrize(("on_deleted", "status"), [("respect", "Deleted"), ("reactivate", "Active")])
def test_that_a_contact_was_deleted_in_dailystory_is_known_under_a_new_key(
    scenario: Scenario, on_deleted: str, status: str
):
    scenario.edit("p1@example.com", status="Deleted")
    scenario.update(1, first_name="New")
    scenario.run(sync=syncing(), scope="all")
    scenario.execute_state("UPDATE dailystory_customers_contact_map SET deleted_in_dailystory_at = last_synced_at")
    sync = syncing(on_deleted=on_deleted)
    scenario.update(1, customer_id=101)
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["status"] == status


def test_a_contact_that_this_sync_deleted_is_active_again_under_a_new_key(scenario: Scenario):
    sync = syncing(deletes="delete")
    scenario.delete(1)
    scenario.run(sync)
    scenario.insert(customer(101, email="p1@example.com"))
    assert scenario.run(sync).rows_updated == 1
    assert scenario.contact("p1@example.com")["status"] == "Active"


def test_what_a_contact_keeps_is_known_under_its_new_key(scenario: Scenario):
    """The new row has no mobile number, and `nulls="keep"` leaves the contact's as it is."""
    scenario.update(1, customer_id=101, mobile=None)
    scenario.run(syncing())
    scenario.insert(customer(102, mobile=MOBILE))
    assert scenario.run(syncing()).rows_rejected == 1
    assert scenario.contact("p1@example.com")["firstName"] == "Name 1"
