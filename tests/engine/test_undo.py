"""Undo: what a run wrote is taken back, unless a person, a later run or the source has decided otherwise."""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customers, sync_of

from dagster_dailystory.engine.upkeep.undo.report import UndoReport
from dagster_dailystory.errors import ConfigurationError, SafetyError
from dagster_dailystory.functions import plan_contact_sync
from dagster_dailystory.model.runs.plan import PlanStatus
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.records import SyncRecords, open_sync

PLACEMENTS = (*INSIDE, Placement("postgresql", "sqlite"))


def records_of(scenario: Scenario, sync: ContactSync | None = None) -> SyncRecords:
    ends = {"warehouse_url": scenario.warehouse_url, "state_url": scenario.state_url}
    with open_sync(sync or sync_of(), **ends) as records:
        return records


def undo(scenario: Scenario, sync: ContactSync | None = None, **options: Any) -> UndoReport:
    """Undo a run of the usual sync, by default the newest one."""
    records = records_of(scenario, sync)
    given = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token, "dry_run": False}
    given["run_id"] = records.runs()["run_id"][0]
    return records.undo(requests_per_second=math.inf, **{**given, **options})


@pytest.fixture
def mistaken(scenario: Scenario) -> Scenario:
    """Ten customers of Oslo, whom a run has moved to Rome."""
    scenario.seed(*customers(10, city="Oslo"))
    scenario.run()
    scenario.execute("UPDATE customers SET city = 'Rome'")
    scenario.run()
    scenario.sent()
    return scenario


def cities(scenario: Scenario) -> list[str]:
    return [str(each["city"]) for each in sorted(scenario.sandbox.contacts(), key=lambda each: str(each["email"]))]


def test_a_repaired_query_and_an_undo_restore_the_earlier_values_and_no_edit_is_lost(mistaken: Scenario):
    mistaken.edit("p3@example.com", city="Bergen")
    mistaken.execute("UPDATE customers SET city = 'Oslo'")
    mistaken.delete(4)
    report = undo(mistaken)
    undone = sorted(f"p{number}@example.com" for number in range(1, 11) if number != 3)
    assert mistaken.sent() == [(email, "update", {"city": "Oslo"}) for email in undone]
    assert mistaken.contact("p3@example.com")["city"] == "Bergen"
    assert mistaken.contact("p4@example.com")["city"] == "Oslo"
    assert (report.contacts_written, report.contacts_undone, report.contacts_kept) == (10, 9, {"edited": 1})
    assert (report.keys_kept, "(key 3)" in str(report)) == ({"edited": ("3",)}, True)
    assert mistaken.run().rows_updated == 0
    assert mistaken.sent() == []


def test_what_the_source_still_gives_or_gives_otherwise_is_left(mistaken: Scenario):
    mistaken.update(1, city="Bergen")
    report = undo(mistaken)
    assert report.contacts_kept == {"source_unchanged": 9, "next_run": 1}
    assert (report.keys_kept["next_run"], len(report.keys_kept["source_unchanged"])) == (("1",), 9)
    assert report.fields_kept == {"city": {"source_unchanged": 9, "next_run": 1}}
    assert mistaken.sent() == []
    mistaken.run()
    assert mistaken.sent() == [("p1@example.com", "update", {"city": "Bergen"})]


def test_a_dry_run_shows_what_a_send_would_do_and_writes_nothing(mistaken: Scenario):
    mistaken.execute("UPDATE customers SET city = NULL WHERE customer_id <= 2")
    report = undo(mistaken, dry_run=True)
    assert (report.contacts_undone, report.fields_undone) == (2, {"city": 2})
    assert "plan" in str(report)
    assert mistaken.sent() == []
    assert cities(mistaken) == ["Rome"] * 10
    assert undo(mistaken).fields_undone == {"city": 2}
    assert cities(mistaken).count("Oslo") == 2
    assert mistaken.run().rows_updated == 0


def test_created_contacts_are_taken_out_on_request_if_their_rows_left(scenario: Scenario):
    scenario.seed(*customers(3))
    scenario.run()
    scenario.insert(*[{**row, "customer_id": number} for number, row in enumerate(customers(5), start=1)][3:])
    scenario.run()
    scenario.delete(4)
    assert undo(scenario, dry_run=True).contacts_kept == {"created": 1, "in_source": 1}
    report = undo(scenario, created="deactivate")
    assert (report.contacts_undone, report.contacts_kept) == (1, {"in_source": 1})
    assert scenario.contact("p4@example.com")["status"] == "Inactive"
    scenario.sent()
    assert scenario.run().outcome == "empty"
    assert scenario.sent() == []


@at(Placement("sqlite"))
def test_a_contact_that_a_create_found_is_not_taken_out(scenario: Scenario):
    scenario.seed(*customers(1))
    scenario.run()
    scenario.sandbox.add(email="p2@example.com", city="Bergen")
    scenario.insert(*customers(2)[1:])
    assert scenario.run().rows_created == 1
    later = "datetime(acknowledged_at, '+7 minutes')"  # than the contact was made
    scenario.execute_state(f"UPDATE dailystory_customers_history SET acknowledged_at = {later} WHERE customer_id = 2")
    scenario.delete(2)
    assert undo(scenario, created="delete").contacts_kept == {"existed_before": 1}
    assert scenario.contact("p2@example.com")["status"] == "Active"


@at(Placement("sqlite"), Placement("postgresql"))
def test_an_opt_out_is_never_taken_back(scenario: Scenario):
    sync = sync_of(fields={"email": "email", "city": "city", "optOutEmail": "opted_out"}, max_opted_out_fraction=1.0)
    scenario.seed(*customers(2, city="Oslo", opted_out=False))
    scenario.run(sync)
    scenario.update(1, city="Rome", opted_out=True)
    scenario.run(sync)
    scenario.update(1, city="Oslo", opted_out=False)
    report = undo(scenario, sync)
    assert report.fields_undone == {"city": 1}
    assert report.fields_kept == {"optOutEmail": {"consent": 1}}
    assert scenario.contact("p1@example.com")["optOutEmail"] is True
    assert scenario.contact("p1@example.com")["city"] == "Oslo"


def test_a_custom_field_is_taken_back_and_an_edit_of_another_one_stays(scenario: Scenario):
    sync = sync_of(extended_properties={"plan": "plan", "level": "level"})
    scenario.seed(*customers(2, level=1))
    scenario.run(sync)
    scenario.execute("UPDATE customers SET plan = 'gold'")
    scenario.run(sync)
    contact = scenario.contact("p1@example.com")
    scenario.edit("p1@example.com", extendedProperties={**contact["extendedProperties"], "level": "7"})
    scenario.execute("UPDATE customers SET plan = 'free'")
    assert undo(scenario, sync).fields_undone == {"plan": 2}
    assert scenario.contact("p1@example.com")["extendedProperties"] == {"plan": "free", "level": "7"}
    assert scenario.run(sync).outcome == "empty"


@at(Placement("sqlite"), Placement("duckdb"))
def test_a_field_that_is_no_longer_mapped_is_taken_back(mistaken: Scenario):
    smaller = sync_of(fields={"email": "email", "firstName": "first_name"})
    assert undo(mistaken, smaller).fields_undone == {"city": 10}
    assert cities(mistaken) == ["Oslo"] * 10
    assert mistaken.run(smaller).outcome == "empty"


@at(Placement("sqlite"))
def test_an_undo_can_be_undone(mistaken: Scenario):
    mistaken.delete(*range(1, 11))
    assert undo(mistaken).contacts_undone == 10
    assert undo(mistaken).contacts_undone == 10
    assert cities(mistaken) == ["Rome"] * 10


@at(Placement("sqlite"))
def test_a_guard_blocks_an_undo_of_too_many_contacts(mistaken: Scenario):
    mistaken.delete(*range(1, 11))
    with pytest.raises(SafetyError, match="changed_share"):
        undo(mistaken, sync_of(max_changed_fraction=0.5, min_guard_rows=1))
    assert mistaken.sent() == []


@at(Placement("sqlite"))
def test_a_run_without_history_cannot_be_undone(mistaken: Scenario):
    with pytest.raises(ConfigurationError, match="history of sync 'customers' has nothing that run 'other' wrote"):
        records_of(mistaken).undo("other", base_url=mistaken.sandbox.base_url, api_token=mistaken.sandbox.token)


@at(Placement("duckdb"), Placement("postgresql"))
def test_lists_and_objects_are_taken_back_and_an_edit_stays(scenario: Scenario):
    sync = sync_of(fields={"email": "email"}, extended_properties={"tags": "tags", "more": "more"})
    right = """UPDATE customers SET tags = ARRAY[1, 2], more = '{"b": [1, 2.5], "a": null}'"""
    scenario.execute_own(
        "CREATE TABLE customers (customer_id INTEGER, email VARCHAR, tags INTEGER[], more JSON)",
        "INSERT INTO customers (customer_id, email) VALUES (1, 'p1@example.com'), (2, 'p2@example.com')",
        right,
    )
    scenario.run(sync)
    scenario.execute_own("""UPDATE customers SET tags = ARRAY[3], more = '{"c": 7}'""")
    scenario.run(sync)
    scenario.edit("p2@example.com", extendedProperties={"tags": "mine", "more": "mine"})
    scenario.execute_own(right)
    report = undo(scenario, sync)
    assert report.fields_undone == {"tags": 1, "more": 1}
    assert report.contacts_kept == {"edited": 1}
    assert scenario.contact("p1@example.com")["extendedProperties"]["tags"] == "[1,2]"
    scenario.sent()
    assert scenario.run(sync).outcome == "empty"


@at(Placement("sqlite"))
def test_a_row_whose_values_are_not_known_is_still_sent_as_a_whole_afterwards(mistaken: Scenario):
    mistaken.execute_state("UPDATE dailystory_customers_snapshot SET resend_all = TRUE WHERE customer_id = 1")
    mistaken.execute("UPDATE customers SET city = 'Oslo'")
    assert undo(mistaken).contacts_undone == 10
    assert mistaken.run().rows_updated == 1


@at(Placement("sqlite"))
def test_an_undo_supersedes_a_plan_that_may_have_other_fields_of_its_rows(mistaken: Scenario):
    mistaken.update(1, city="Oslo", first_name="New")
    account = {"base_url": mistaken.sandbox.base_url, "api_token": mistaken.sandbox.token}
    plan = plan_contact_sync(sync_of(), warehouse_url=mistaken.warehouse_url, **account)
    assert plan.status is PlanStatus.READY
    undo(mistaken)
    assert {row["plan_id"]: row["status"] for row in mistaken.rows("plans")}[plan.plan_id] == "superseded"


@at(Placement("sqlite"))
def test_what_a_later_run_wrote_is_no_edit_so_the_next_value_of_the_source_is_sent(mistaken: Scenario):
    run_id = records_of(mistaken).runs()["run_id"][0]
    mistaken.update(1, city="Paris")
    mistaken.run()
    mistaken.update(1, city="Bergen")
    report = undo(mistaken, run_id=run_id)
    assert report.contacts_kept == {"source_unchanged": 9, "edited": 1}
    mistaken.sent()
    mistaken.run()
    assert mistaken.sent() == [("p1@example.com", "update", {"city": "Bergen"})]


@at(Placement("sqlite"))
def test_a_custom_field_that_a_person_emptied_stays_empty(scenario: Scenario):
    sync = sync_of(extended_properties={"plan": "plan", "level": "level"})
    scenario.seed(*customers(2, level=1))
    scenario.run(sync)
    scenario.execute("UPDATE customers SET plan = 'gold'")
    scenario.run(sync)
    scenario.edit("p1@example.com", extendedProperties={"plan": "gold", "level": ""})
    scenario.execute("UPDATE customers SET plan = 'free'")
    assert undo(scenario, sync).fields_undone == {"plan": 1}
    assert scenario.contact("p1@example.com")["extendedProperties"] == {"plan": "gold", "level": ""}


@at(Placement("sqlite"))
def test_an_edited_number_stays_though_the_run_had_another_country(scenario: Scenario):
    sync = sync_of(
        fields={"email": "email", "mobilePhone": "mobile"}, extended_properties={}, default_region={"column": "plan"}
    )
    scenario.seed(*customers(2, mobile=None, plan="GB"))
    scenario.update(1, mobile="07911 123451")
    scenario.run(sync)
    scenario.update(1, mobile="0171 1234567", plan="DE")
    scenario.run(sync)
    scenario.edit("p1@example.com", mobilePhone="+12125550123")
    scenario.update(1, mobile="07911 123451", plan="GB")
    assert undo(scenario, sync).contacts_kept == {"edited": 1}
    scenario.sent()
    assert scenario.run(sync).outcome == "empty"
