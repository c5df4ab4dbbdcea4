"""An opt-out of a known contact leaves first and alone, whatever else is wrong with its row."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.placements import Placement
from support.scenario import Scenario, customer, customers, open_scenario, sync_of
from support.steps import plan_run, read_state, send_run

from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.engine.upkeep.records.inspection import preview_changes
from dagster_dailystory.errors import SafetyError
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.model.watermark import Watermark

FIELDS = {
    "email": "email", "mobilePhone": "mobile", "firstName": "first_name", "city": "city",
    "numberOfEmployees": "level", "optOutEmail": "opted_out",
}  # fmt: skip


def opting(**settings: object) -> ContactSync:
    return sync_of(**{"fields": FIELDS, "max_opted_out_fraction": None, **settings})


PLACEMENTS = (Placement("sqlite"), Placement("duckdb"), Placement("postgresql", "sqlite"))


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    """Five rows were synced, one of them with a mobile number."""
    scenario.seed(customer(1, mobile="+12025550142"), *customers(5)[1:])
    scenario.execute("UPDATE customers SET opted_out = false")
    scenario.run(opting())
    scenario.sandbox.clear_journal()
    return scenario


def opted_out(scenario: Scenario) -> list[str]:
    """The emails of the contacts that are opted out."""
    return sorted(str(each["email"]) for each in scenario.sandbox.contacts() if each["optOutEmail"] is True)


@pytest.mark.parametrize(
    ("column", "value"), [("mobile", "12"), ("first_name", "x" * 300), ("email", "not an address"), ("email", None)]
)
def test_an_opt_out_is_sent_beside_an_invalid_value(scenario: Scenario, column: str, value: object):
    scenario.update(1, opted_out=True, **{column: value})
    report = scenario.run(opting())
    assert opted_out(scenario) == ["p1@example.com"]
    assert (report.opt_outs_sent, report.opt_outs_pending, report.outcome) == (1, 0, "done")
    assert scenario.run(opting()).api_requests == 0


def test_an_opt_out_is_sent_long_after_the_row_went_bad(scenario: Scenario):
    scenario.update(1, mobile="12")
    scenario.run(opting())
    scenario.update(1, opted_out=True)
    scenario.run(opting())
    assert opted_out(scenario) == ["p1@example.com"]


def test_an_opt_out_is_sent_although_dailystory_refuses_the_row(scenario: Scenario):
    scenario.update(1, city="Gotham")
    scenario.sandbox.script([400])
    assert scenario.run(opting()).rows_refused == 1
    scenario.update(1, opted_out=True)
    scenario.sandbox.script([None, 400])
    report = scenario.run(opting())
    assert opted_out(scenario) == ["p1@example.com"]
    assert (report.opt_outs_sent, report.rows_refused) == (1, 1)
    report = scenario.run(opting())
    assert (report.api_requests, report.opt_outs_pending, report.rows_held) == (0, 0, 1)


def test_an_opt_out_leaves_ahead_of_the_other_fields_of_its_row(scenario: Scenario):
    scenario.update(1, opted_out=True, city="Rome")
    scenario.update(2, opted_out=True)
    scenario.update(3, city="Rome")
    report = scenario.run(opting())
    fields = [set(write.payload) - {"dsId"} for write in scenario.sandbox.writes()]
    assert fields[:2] == [{"optOutEmail"}, {"optOutEmail"}]
    assert (report.rows_updated, report.opt_outs_sent, len(fields)) == (3, 2, 4)
    assert scenario.run(opting()).outcome == "empty"


def test_too_many_opt_outs_wait_in_every_scope_and_the_error_says_so(scenario: Scenario):
    scenario.execute("UPDATE customers SET opted_out = true")
    sync = opting(max_opted_out_fraction=0.1, min_guard_rows=1)
    shown = plan_run(sync, scenario.warehouse, scenario.account, PlanOptions(dry_run=True))
    changes = read_state(preview_changes, sync, scenario.warehouse, shown.plan_id)
    assert {change.fields[0].field for change in changes} == {"optOutEmail"}
    assert len(changes) == 5
    for scope in ("changed", "opt_outs"):
        with pytest.raises(SafetyError, match=r"Its 5 opt-outs wait, also for scope='opt_outs', until the limit"):
            scenario.run(sync, scope=scope)


def test_a_dry_run_shows_an_opt_out_that_leaves_ahead_of_its_row(scenario: Scenario):
    scenario.update(1, opted_out=True, mobile="n/a")
    report = scenario.run(opting(), dry_run=True)
    assert report.opt_outs_ahead == 1
    assert "1 to opt out; 1 rejected" in str(report)
    [change] = read_state(preview_changes, opting(), scenario.warehouse, report.plan_id)
    assert (change.key_label, change.operation.value, len(change.fields)) == ("1", "opt_out", 1)


def test_a_blocked_plan_says_that_opt_outs_wait_and_a_dry_run_leaves_none(scenario: Scenario):
    scenario.update(1, opted_out=True)
    scenario.delete(2, 3, 4)
    sync = opting(deletes="delete", max_deleted_fraction=0.1, min_guard_rows=1)
    assert scenario.run(sync, dry_run=True).opt_outs_pending == 0
    with pytest.raises(SafetyError, match=r"Its 1 opt-out waits; scope='opt_outs' sends them"):
        scenario.run(sync)
    assert scenario.run(sync, scope="opt_outs").opt_outs_sent == 1
    assert opted_out(scenario) == ["p1@example.com"]


@pytest.mark.parametrize("flags", [(False, True), (True, True)])
def test_any_row_of_a_duplicate_key_opts_its_contact_out(scenario: Scenario, flags: tuple[bool, bool]):
    scenario.update(1, opted_out=flags[0])
    scenario.insert(customer(1, email="p1@example.com", opted_out=flags[1]))
    report = scenario.run(opting())
    assert opted_out(scenario) == ["p1@example.com"]
    assert (report.rows_rejected, report.opt_outs_pending) == (2, 0)


def test_any_row_that_shares_an_address_opts_its_contact_out(scenario: Scenario):
    scenario.insert(customer(9, email=" P1@example.com ", opted_out=True))
    scenario.insert(customer(8, email="new@example.com", mobile="(202) 555-0142", opted_out=True))
    scenario.run(opting(default_region="US"))
    assert opted_out(scenario) == ["p1@example.com"]


def test_the_opt_out_of_a_row_with_a_new_key_reaches_its_contact(scenario: Scenario):
    scenario.execute("UPDATE customers SET customer_id = 10, opted_out = true WHERE customer_id = 1")
    scenario.run(opting(deletes="deactivate", max_deleted_fraction=None))
    assert opted_out(scenario) == ["p1@example.com"]
    assert scenario.contact("p1@example.com")["status"] == "Active"


def sent_by(scenario: Scenario, sync: ContactSync, *partitions: str | None) -> int:
    """How many requests changed a contact in one run of each slice."""
    scenario.sandbox.clear_journal()
    for partition in partitions:
        scenario.run(sync, partition=partition)
    return len(scenario.sandbox.writes())


@pytest.mark.parametrize("partitions", [None, HashBuckets(2)])
def test_the_opt_out_of_another_row_is_sent_once(scenario: Scenario, partitions: HashBuckets | None):
    sync = opting(partitions=partitions)
    names = [None] if partitions is None else partitions.names
    scenario.insert(customer(9, email="p1@example.com", opted_out=True))
    scenario.insert(customer(5, email="p2@example.com", opted_out=True), customer(None, email="p3@example.com"))
    scenario.execute("UPDATE customers SET opted_out = true WHERE customer_id IS NULL")
    scenario.execute("UPDATE customers SET email = 'p4@example.com', opted_out = true WHERE customer_id = 5")
    assert sent_by(scenario, sync, *names) >= 3
    for _ in range(2):
        assert sent_by(scenario, sync, *names) == 0
    scenario.execute("UPDATE customers SET city = 'Rome' WHERE customer_id IN (1, 3, 4)")
    assert sent_by(scenario, sync, *names) == 3
    assert sent_by(scenario, sync, *names) == 0


def test_the_opt_out_of_another_row_survives_a_send_of_all_rows(scenario: Scenario):
    scenario.insert(customer(9, email="p1@example.com", opted_out=True))
    scenario.run(opting(), scope="all")
    assert opted_out(scenario) == ["p1@example.com"]
    assert scenario.run(opting()).api_requests == 0


def test_an_opt_out_is_forgotten_once_no_row_has_it(scenario: Scenario):
    scenario.insert(customer(9, email="p1@example.com", opted_out=True))
    scenario.run(opting())
    scenario.update(9, opted_out=False)
    scenario.run(opting())
    scenario.update(9, opted_out=True)
    assert scenario.run(opting()).opt_outs_sent == 1


@pytest.mark.parametrize("key", [9, None])
def test_rows_of_a_duplicate_or_missing_key_opt_out_the_contact_with_their_address(scenario: Scenario, key: int | None):
    scenario.insert(*[customer(key, email="p1@example.com", opted_out=True)] * 2)
    report = scenario.run(opting())
    assert opted_out(scenario) == ["p1@example.com"]
    assert (report.rows_rejected, report.opt_outs_sent, report.opt_outs_pending) == (2, 1, 0)
    assert scenario.run(opting()).api_requests == 0


def test_rows_of_a_duplicate_or_missing_key_without_a_contact_are_pending(scenario: Scenario):
    scenario.insert(*[customer(9, opted_out=True)] * 2, customer(None, email="p7@example.com", opted_out=True))
    assert scenario.run(opting()).opt_outs_pending == 3


def test_a_duplicate_key_opts_out_in_a_run_that_reads_recent_rows(new_database: Callable[[str], str]):
    recent = opting(watermark=Watermark("stamped_at"), source=STAMPED)
    with open_scenario(new_database, "duckdb") as scenario:
        scenario.seed(*customers(3, opted_out=False), customer(1, city="Rome", opted_out=False))
        scenario.run(opting(source="select distinct on (customer_id) * from customers"))
        scenario.run(recent)
        scenario.execute("UPDATE customers SET opted_out = true, plan = 'later' WHERE city = 'Rome'")
        assert scenario.run(recent).opt_outs_sent == 1
        assert opted_out(scenario) == ["p1@example.com"]


def test_an_opt_out_without_a_contact_is_pending_in_runs_that_do_not_read_its_row(new_database: Callable[[str], str]):
    recent = opting(watermark=Watermark("stamped_at"), source=STAMPED)
    with open_scenario(new_database, "duckdb") as scenario:
        scenario.seed(*customers(3, opted_out=False), customer(8, plan="later", opted_out=False))
        scenario.insert(customer(6, email="not an address", opted_out=True), *[customer(7, opted_out=True)] * 2)
        scenario.insert(customer(5, opted_out=True))
        scenario.sandbox.configure(refuse_if=lambda body: "no" if body.get("optOutEmail") else None)
        assert scenario.run(recent).opt_outs_pending == 4
        report = scenario.run(recent)
        assert (report.rows_read, report.opt_outs_pending) == (1, 3), "a duplicate key is counted once"
        scenario.update(6, email="p6@example.com", plan="later")
        scenario.sandbox.configure(refuse_if=None)
        assert scenario.run(recent).opt_outs_pending == 2


def test_an_opt_out_whose_contact_cannot_be_created_is_pending_in_the_same_run(scenario: Scenario):
    scenario.insert(customer(6, opted_out=True))
    scenario.sandbox.script([400])
    report = scenario.run(opting())
    assert (report.rows_refused, report.opt_outs_pending) == (1, 1)
    assert scenario.run(opting()).opt_outs_pending == 1


def test_an_opt_out_without_a_contact_is_pending(scenario: Scenario):
    scenario.insert(customer(6, email="not an address", opted_out=True))
    assert scenario.run(opting()).opt_outs_pending == 1
    scenario.update(6, email="p6@example.com")
    assert scenario.run(opting()).opt_outs_pending == 0


def test_an_opt_out_that_dailystory_refuses_is_pending_and_tried_again(scenario: Scenario):
    scenario.update(1, opted_out=True, mobile="12")
    scenario.sandbox.script([400])
    report = scenario.run(opting())
    assert (report.opt_outs_pending, report.outcome) == (1, "incomplete")
    assert scenario.run(opting()).opt_outs_sent == 1


def test_an_opt_out_that_is_the_only_difference_is_tried_again_after_a_refusal(scenario: Scenario):
    scenario.update(1, opted_out=True)
    scenario.sandbox.script([400])
    report = scenario.run(opting())
    assert (report.rows_refused, report.rows_failed, report.opt_outs_pending, report.outcome) == (0, 1, 1, "incomplete")
    report = scenario.run(opting())
    assert (report.rows_held, report.rows_updated, report.opt_outs_sent) == (0, 1, 1)
    assert opted_out(scenario) == ["p1@example.com"]


def test_each_flag_of_a_contact_is_sent_whichever_row_sets_it(new_database: Callable[[str], str]):
    two_flags = opting(fields={"email": "email", "optOutEmail": "opted_out", "optOutSms": "level"})
    with open_scenario(new_database, "sqlite") as scenario:
        scenario.seed(*customers(2, opted_out=False, level=0))
        scenario.run(two_flags)
        scenario.update(1, opted_out=True)
        scenario.insert(customer(9, email="p1@example.com", opted_out=False, level=1))
        report = scenario.run(two_flags)
        contact = scenario.contact("p1@example.com")
        assert (contact["optOutEmail"], contact["optOutSms"], report.opt_outs_sent) == (True, True, 2)
        assert scenario.run(two_flags).api_requests == 0


def test_an_older_plan_still_sends_the_opt_out_that_a_newer_one_did_not_know(scenario: Scenario):
    scenario.insert(customer(9, email="p1@example.com", opted_out=True))
    plan_run(opting(), scenario.warehouse, scenario.account, PlanOptions(), "older")
    scenario.update(1, city="Rome")
    scenario.run(opting(), keys=("1",))
    report = send_run(opting(), scenario.warehouse, scenario.account, ["older"]).report
    assert opted_out(scenario) == ["p1@example.com"]
    assert (report.opt_outs_sent, report.opt_outs_pending, report.outcome) == (1, 0, "done")


def test_an_older_plan_leaves_out_the_opt_out_that_a_newer_one_sent(scenario: Scenario):
    scenario.insert(customer(9, email="p1@example.com", opted_out=True))
    plan_run(opting(), scenario.warehouse, scenario.account, PlanOptions(), "older")
    scenario.update(1, opted_out=True)
    scenario.run(opting(), keys=("1",))
    report = send_run(opting(), scenario.warehouse, scenario.account, ["older"]).report
    assert (report.opt_outs_sent, report.opt_outs_pending, report.outcome) == (0, 0, "done")
    assert len(scenario.sandbox.writes()) == 1


STAMPED = """
    select *, case when plan = 'later' then timestamp '2026-01-09' when plan = 'soon' then timestamp '2026-01-05'
    else timestamp '2026-01-01' end as stamped_at from customers
"""
"""Rows whose plan is `soon` or `later` are the recent ones."""


def test_no_checkpoint_moves_past_an_opt_out_that_is_not_acknowledged(new_database: Callable[[str], str]):
    mapped = {"fields": {"email": "email", "optOutEmail": "opted_out"}, "extended_properties": {}}
    recent = opting(watermark=Watermark("stamped_at"), source=STAMPED, **mapped)
    with open_scenario(new_database, "duckdb") as scenario:
        scenario.seed(*customers(3, opted_out=False))
        scenario.run(recent)
        scenario.update(1, opted_out=True, plan="soon")
        scenario.insert(customer(4, plan="later"))
        scenario.sandbox.configure(refuse_if=lambda body: "no" if body.get("optOutEmail") else None)
        assert scenario.run(recent).outcome == "incomplete"
        scenario.sandbox.configure(refuse_if=None)
        assert scenario.run(recent).opt_outs_sent == 1


def test_the_limit_of_a_run_holds_no_opt_out_back(scenario: Scenario):
    scenario.execute("UPDATE customers SET opted_out = true, city = 'Rome'")
    report = scenario.run(opting(), limit=1)
    assert (len(opted_out(scenario)), report.rows_updated) == (5, 1)


def test_a_source_that_opts_everyone_out_is_stopped(scenario: Scenario):
    scenario.execute("UPDATE customers SET opted_out = true")
    with pytest.raises(SafetyError, match=r"5 of 5 contacts would be opted out, which is 100\.0%"):
        scenario.run(opting(max_opted_out_fraction=0.5, min_guard_rows=1))
    assert opted_out(scenario) == []


def test_the_scope_opt_outs_sends_opt_outs_alone_from_the_whole_source(scenario: Scenario):
    scenario.execute("UPDATE customers SET city = 'Rome', level = NULL")
    scenario.update(1, opted_out=True)
    sliced = opting(partitions=HashBuckets(2), max_changed_fraction=0.01, min_guard_rows=1)
    report = scenario.run(sliced, scope="opt_outs")
    assert opted_out(scenario) == ["p1@example.com"]
    assert (report.api_requests, report.rows_updated, report.opt_outs_sent) == (2, 0, 1)
    assert scenario.run(opting()).rows_updated == 5


def test_the_scope_opt_outs_moves_no_watermark(new_database: Callable[[str], str]):
    recent = opting(
        watermark=Watermark("updated_at"), source="select *, timestamp '2026-01-01' as updated_at from customers"
    )
    with open_scenario(new_database, "duckdb") as scenario:
        scenario.seed(*customers(3, opted_out=False))
        scenario.run(recent)
        before = scenario.rows("meta")
        scenario.update(1, opted_out=True)
        assert scenario.run(recent, scope="opt_outs").opt_outs_sent == 1
        assert [row["value"] for row in scenario.rows("meta")] == [row["value"] for row in before]


def test_in_mode_create_only_contacts_of_the_sync_are_opted_out(
    new_database: Callable[[str], str], engine_placement: Placement
):
    creating = opting(mode="create")
    with open_scenario(new_database, engine_placement.warehouse) as scenario:
        scenario.sandbox.add(email="p1@example.com")
        scenario.seed(*customers(2, opted_out=False))
        scenario.run(creating)
        scenario.execute("UPDATE customers SET opted_out = true, city = 'Rome'")
        report = scenario.run(creating)
        assert opted_out(scenario) == ["p2@example.com"]
        assert scenario.contact("p2@example.com")["city"] == "Paris"
        assert (report.opt_outs_sent, scenario.run(creating).api_requests) == (1, 0)


def test_in_mode_create_a_contact_of_a_killed_run_is_opted_out(scenario: Scenario):
    creating = opting(mode="create")
    scenario.insert(customer(6, opted_out=False))
    plan_run(creating, scenario.warehouse, scenario.account)
    scenario.execute_state(
        "INSERT INTO dailystory_customers_intents (customer_id, email_as_sent, plan_id, sequence, sent_at)"
        " SELECT customer_id, field_email, plan_id, sequence, current_timestamp FROM dailystory_customers_changes"
        " WHERE outcome IS NULL"
    )
    scenario.sandbox.add(email="p6@example.com")
    assert scenario.run(creating).rows_created == 0
    scenario.update(6, opted_out=True)
    assert scenario.run(creating).opt_outs_sent == 1
    assert opted_out(scenario) == ["p6@example.com"]


def test_in_mode_create_a_repaired_contact_is_opted_out(scenario: Scenario):
    creating = opting(mode="create")
    scenario.sandbox.edit(str(scenario.contact("p2@example.com")["dsId"]), email="other@example.com")
    assert audit_contacts(creating, scenario.warehouse, scenario.account, repair=True).contacts_drifted == 1
    scenario.update(2, opted_out=True)
    assert scenario.run(creating).opt_outs_sent == 1
    assert opted_out(scenario) == ["other@example.com"]


@pytest.mark.parametrize("kind", ["integer", "varchar(3)"])
def test_a_flag_of_another_type_opts_out(new_database: Callable[[str], str], engine_placement: Placement, kind: str):
    yes, no = (1, 0) if kind == "integer" else ("Yes", "No")
    with open_scenario(new_database, engine_placement.warehouse) as scenario:
        scenario.create(customer_id="integer", email="varchar(99)", city="varchar(99)", flag=kind)
        scenario.insert({"customer_id": 1, "email": "p1@example.com", "flag": no})
        flagged = opting(fields={"email": "email", "city": "city", "optOutEmail": "flag"}, extended_properties={})
        scenario.run(flagged)
        scenario.update(1, flag=yes, email="broken")
        assert scenario.run(flagged).opt_outs_sent == 1
        assert opted_out(scenario) == ["p1@example.com"]
        assert scenario.run(flagged).api_requests == 0


def test_a_contact_that_is_created_opted_out_counts_as_an_opt_out_that_was_sent(scenario: Scenario):
    scenario.insert(customer(6, opted_out=True), customer(7, opted_out=False))
    report = scenario.run(opting())
    assert (report.rows_created, report.opt_outs_sent, report.opt_outs_pending) == (2, 1, 0)
    assert opted_out(scenario) == ["p6@example.com"]
    scenario.insert(customer(8, opted_out=True))
    scenario.sandbox.script([400])
    assert scenario.run(opting()).opt_outs_sent == 0


def test_a_contact_that_mode_create_only_maps_is_not_opted_out(new_database: Callable[[str], str]):
    with open_scenario(new_database, "sqlite") as scenario:
        scenario.sandbox.add(email="p1@example.com")
        scenario.seed(*customers(2, opted_out=True))
        report = scenario.run(opting(mode="create"))
        assert (report.rows_mapped, report.rows_created, report.opt_outs_sent) == (1, 1, 1)
        assert opted_out(scenario) == ["p2@example.com"]
