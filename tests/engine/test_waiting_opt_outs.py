"""An opt-out that waits is named by its key, with why it waits and whether a repair is needed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.placements import Placement
from support.scenario import Scenario, customer, customers, open_scenario, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.model.change import WaitingOptOuts
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanSummary
from dagster_dailystory.model.sync import ContactSync, Scope
from dagster_dailystory.model.watermark import Watermark

FIELDS = {"email": "email", "mobilePhone": "mobile", "city": "city", "optOutEmail": "opted_out"}


def opting(**settings: object) -> ContactSync:
    return sync_of(**{"fields": FIELDS, "max_opted_out_fraction": None, **settings})


PLACEMENTS = (Placement("sqlite"), Placement("duckdb"), Placement("postgresql"))


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    """Three rows were synced."""
    scenario.seed(*customers(3, opted_out=False))
    scenario.run(opting())
    return scenario


def named(waiting: WaitingOptOuts) -> dict[str, str]:
    """Key -> reason."""
    return {each.key_label: each.reason for each in waiting.few}


def planned(scenario: Scenario, sync: ContactSync, **options: object) -> PlanSummary:
    return plan_run(sync, scenario.warehouse, scenario.account, PlanOptions(**options))  # type: ignore[arg-type]


def test_rows_that_cannot_be_sent_are_named_with_the_reason_of_each(scenario: Scenario):
    scenario.insert(
        customer(4, email="not an address", opted_out=True),
        *[customer(5, opted_out=True)] * 2,
        customer(None, email="p6@example.com", opted_out=True),
        customer(7, opted_out=True),
    )
    scenario.sandbox.configure(refuse_if=lambda body: "no such plan" if body.get("email") == "p7@example.com" else None)
    report = scenario.run(opting())
    expected = {"4": "invalid_email", "5": "duplicate_key", "(no key)": "null_key", "7": "refused"}
    assert named(report.opt_outs_waiting) == expected
    assert (report.opt_outs_pending, report.opt_outs_waiting.to_repair) == (5, 5)
    assert report.opt_outs_waiting.described(5).startswith("5 cannot be sent until the source is repaired (")
    assert "key 5: duplicate_key" in report.opt_outs_waiting.described(5)
    assert "more" not in report.opt_outs_waiting.described(5), "each row is named, two of them by one key"
    again = scenario.run(opting())
    assert named(again.opt_outs_waiting) == expected, "the refused row is held"
    messages = {each.key_label: each.message for each in again.opt_outs_waiting.few}
    assert "no such plan" in messages["7"]
    assert "makes the key unique" in messages["5"]


def test_a_flag_that_cannot_be_read_is_the_reason_whatever_else_is_wrong(new_database: Callable[[str], str]):
    with open_scenario(new_database, "duckdb") as scenario:
        scenario.create(customer_id="integer", email="varchar(99)", flag="varchar(9)")
        scenario.insert({"customer_id": 1, "email": "broken", "flag": "perhaps"})
        sync = opting(fields={"email": "email", "optOutEmail": "flag"}, extended_properties={})
        [waiting] = scenario.run(sync).opt_outs_waiting.few
    assert (waiting.key_label, waiting.reason) == ("1", "invalid_value")
    assert waiting.message.startswith("optOutEmail (column 'flag'): not a yes or no; use a boolean")


def test_an_opt_out_that_failed_is_sent_by_the_next_run(scenario: Scenario):
    scenario.update(1, opted_out=True, mobile="12")
    scenario.insert(customer(4, email="not an address", opted_out=True))
    scenario.sandbox.script([400])
    report = scenario.run(opting())
    assert named(report.opt_outs_waiting) == {"4": "invalid_email", "1": ""}
    assert report.opt_outs_waiting.described(report.opt_outs_pending) == (
        "1 cannot be sent until the source is repaired (key 4: invalid_email); 1 will be sent by the next run (key 1)"
    )
    assert "was not accepted" in report.opt_outs_waiting.few[1].message


def test_rows_beyond_a_limit_are_sent_by_the_next_run(scenario: Scenario):
    scenario.insert(*[customer(number, opted_out=True) for number in range(10, 14)])
    report = scenario.run(opting(), limit=1)
    assert (report.opt_outs_pending, report.opt_outs_waiting.to_repair) == (3, 0)
    assert set(named(report.opt_outs_waiting).values()) == {""}


def test_at_most_ten_keys_are_named_and_those_to_repair_come_first(scenario: Scenario):
    scenario.insert(*[customer(number, opted_out=True) for number in range(10, 14)])
    scenario.insert(*[customer(number, email="broken", opted_out=True) for number in range(20, 32)])
    waiting = planned(scenario, opting(), limit=1).opt_outs_waiting
    assert (len(waiting.few), waiting.to_repair) == (10, 12)
    keys = ", ".join(f"key {number}: invalid_email" for number in range(20, 30))
    assert waiting.described(15) == (
        f"12 cannot be sent until the source is repaired ({keys}, and 2 more); 3 will be sent by the next run"
    )


def test_a_key_that_identifies_a_person_is_masked(scenario: Scenario):
    scenario.insert(customer(4, email="not an address", opted_out=True))
    by_city = planned(scenario, opting(name="people", personal_keys=["customer_id"]))
    [label] = named(by_city.opt_outs_waiting)
    assert label.startswith("id-")


def test_the_opt_outs_of_a_blocked_plan_are_named(scenario: Scenario):
    scenario.update(1, opted_out=True)
    scenario.delete(2, 3)
    sync = opting(deletes="delete", max_deleted_fraction=0.1, min_guard_rows=1)
    plan = planned(scenario, sync)
    assert (plan.opt_outs_left, named(plan.opt_outs_waiting), plan.opt_outs_waiting.to_repair) == (1, {"1": ""}, 0)


def test_a_plan_that_is_sent_later_still_names_what_waits(scenario: Scenario):
    scenario.insert(customer(4, email="not an address", opted_out=True))
    plan_run(opting(), scenario.warehouse, scenario.account, run_id="run")
    report = send_run(opting(), scenario.warehouse, scenario.account, ["run"]).report
    assert named(report.opt_outs_waiting) == {"4": "invalid_email"}


def test_a_new_row_waits_for_a_run_that_creates_contacts(scenario: Scenario):
    scenario.insert(customer(4, opted_out=True))
    assert named(planned(scenario, opting(), scope=Scope.OPT_OUTS).opt_outs_waiting) == {"4": ""}


def test_a_row_that_a_run_does_not_read_is_named_with_the_reason_that_is_known(new_database: Callable[[str], str]):
    source = """
        select *, case when plan = 'later' then timestamp '2026-01-09' else timestamp '2026-01-01' end as stamped_at
        from customers
    """
    recent = opting(watermark=Watermark("stamped_at"), source=source)
    with open_scenario(new_database, "duckdb") as scenario:
        scenario.seed(*customers(3, opted_out=False), customer(8, plan="later", opted_out=False))
        scenario.insert(customer(6, email="not an address", opted_out=True))
        scenario.run(recent)
        report = scenario.run(recent)
    assert (report.rows_read, report.opt_outs_pending) == (1, 1)
    assert named(report.opt_outs_waiting) == {"6": "invalid_email"}


def test_a_row_without_a_key_waits_also_when_it_is_no_longer_recent(scenario: Scenario):
    recent = opting(watermark=Watermark("updated_at", overlap_seconds=60))
    scenario.execute("ALTER TABLE customers ADD COLUMN updated_at timestamp")
    scenario.execute("UPDATE customers SET updated_at = '2026-11-01 12:00:00'")
    scenario.run(recent)
    scenario.insert({**customer(None, email="p8@example.com", opted_out=True), "updated_at": "2026-11-01 13:00:00"})
    assert scenario.run(recent).opt_outs_pending == 1
    scenario.insert({**customer(9, opted_out=False), "updated_at": "2026-11-01 15:00:00"})
    assert [scenario.run(recent).opt_outs_pending for _ in range(3)] == [1, 1, 1]
    assert scenario.run(recent, scope="all").opt_outs_pending == 1
    scenario.execute("DELETE FROM customers WHERE customer_id IS NULL")
    assert scenario.run(recent, scope="all").opt_outs_pending == 0
    assert scenario.run(recent).opt_outs_pending == 0


def test_a_run_of_chosen_rows_does_not_hide_the_opt_outs_that_wait(scenario: Scenario):
    scenario.insert(customer(4, email="broken", opted_out=True), customer(None, email="p8@example.com", opted_out=True))
    assert scenario.run(opting()).opt_outs_pending == 2
    assert scenario.run(opting(), keys=["1"]).opt_outs_pending == 2
    assert scenario.run(opting(), scope="rejected").opt_outs_pending == 2
    scenario.execute("DELETE FROM customers WHERE email IN ('broken', 'p8@example.com')")
    assert scenario.run(opting()).opt_outs_pending == 0
    assert scenario.run(opting(), keys=["1"]).opt_outs_pending == 0
