"""A sync that requires approval sends exactly the plan that a person names, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from support.placements import Placement, at
from support.scenario import Scenario, customers, open_scenario, sync_of
from support.steps import plan_run, resume_or_run, send_run

from dagster_dailystory.engine.run import new_run_id, open_run
from dagster_dailystory.errors import AuthenticationError, SafetyError
from dagster_dailystory.functions import plan_contact_sync, send_contact_sync
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.runs.approval import Approval
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.model.watermark import Watermark

PLACEMENTS = (Placement("sqlite"), Placement("postgresql"))


@pytest.fixture
def scenario(engine_placement: Placement, new_database: Callable[[str], str]) -> Iterator[Scenario]:
    with open_scenario(new_database, engine_placement.warehouse, engine_placement.state) as opened:
        opened.seed(*customers(10))
        yield opened


def sync_with(**settings: object) -> ContactSync:
    usual = {"require_approval": True, "deletes": "delete", "max_deleted_fraction": None}
    return sync_of(**{**usual, **settings})


def ends(scenario: Scenario, **changed: object) -> dict[str, Any]:
    account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
    return {"warehouse_url": scenario.warehouse_url, "state_url": scenario.state_url, **account, **changed}


def plan(scenario: Scenario, sync: ContactSync | None = None, **options: object) -> PlanSummary:
    return plan_contact_sync(sync or sync_with(), **ends(scenario), **options)


def send(scenario: Scenario, plan_id: str, sync: ContactSync | None = None, **settings: object) -> SyncReport:
    return send_contact_sync(sync or sync_with(), plan_id=plan_id, **{**ends(scenario), **settings})


def test_a_plan_waits_until_its_id_is_named(scenario: Scenario) -> None:
    report = scenario.run(sync_with())
    assert (report.outcome, report.rows_to_create, report.api_requests) == ("waiting", 10, 0)
    assert scenario.sandbox.contacts() == []
    assert send(scenario, report.plan_id, approved_by="Ann").rows_created == 10
    stored = scenario.rows("plans")[0]
    assert (stored["status"], stored["approved_by"]) == ("done", "Ann")
    assert stored["approved_at"] is not None
    with pytest.raises(SafetyError, match="sent already"):
        send(scenario, report.plan_id)


def test_neither_its_run_nor_a_re_execution_sends_a_waiting_plan(scenario: Scenario) -> None:
    run_id = new_run_id()
    plan_run(sync_with(), scenario.warehouse, scenario.account, PlanOptions(), run_id)
    for ids in ([run_id], [new_run_id(), run_id], [new_run_id()]):
        result = resume_or_run(sync_with(), scenario.warehouse, scenario.account, PlanOptions(), ids)
        assert result.report.outcome == "waiting"
        assert "waits for approval until" in result.note
    with pytest.raises(SafetyError, match="waits for approval; send it by its id"):
        send_run(sync_with(), scenario.warehouse, scenario.account, [run_id])
    assert scenario.sandbox.contacts() == []


def test_contacts_alone_plan_nothing(scenario: Scenario) -> None:
    with pytest.raises(SafetyError, match="no plan waits for it; materialize its changes first"):
        resume_or_run(sync_with(), scenario.warehouse, scenario.account, PlanOptions(), [new_run_id()])
    assert scenario.rows("plans") == []


def test_an_equal_plan_leaves_the_older_one_waiting_and_renews_it(scenario: Scenario) -> None:
    first = plan(scenario)
    again = plan(scenario)
    assert (again.plan_id, again.status) == (first.plan_id, PlanStatus.WAITING)
    assert again.expires_at is not None
    assert first.expires_at is not None
    assert again.expires_at > first.expires_at
    assert len(scenario.rows("plans")) == 1
    assert {row["plan_id"] for row in scenario.rows("changes")} == {first.plan_id}
    assert send(scenario, first.plan_id).rows_created == 10


def test_a_different_plan_supersedes_and_the_old_id_answers_with_the_new_one(scenario: Scenario) -> None:
    send(scenario, plan(scenario).plan_id)
    scenario.update(1, city="Rome")
    first = plan(scenario)
    scenario.update(2, city="Rome")
    scenario.delete(3)
    second = plan(scenario)
    assert second.plan_id != first.plan_id
    told = rf"superseded by a newer plan: {second.plan_id} is waiting, with 2 to update, 1 to delete"
    with pytest.raises(SafetyError, match=told):
        send(scenario, first.plan_id)
    scenario.update(2, city="Oslo")
    third = plan(scenario)
    with pytest.raises(
        SafetyError, match=rf"plan: {third.plan_id} is waiting, with the same counts, with other rows or values"
    ):
        send(scenario, second.plan_id)
    scenario.sent()
    report = send(scenario, third.plan_id)
    assert (report.rows_updated, report.rows_deleted) == (2, 1)


def test_a_plan_of_a_source_that_moved_on_is_refused(scenario: Scenario) -> None:
    waiting = plan(scenario)
    scenario.update(1, city="Rome")
    scenario.delete(2)
    with pytest.raises(SafetyError, match=r"2 of its 10 changes are no longer .* more than max_drift=0\.1 allows"):
        send(scenario, waiting.plan_id)
    assert scenario.sandbox.contacts() == []
    report = send(scenario, waiting.plan_id, max_drift=0.2)
    assert report.rows_created == 10
    after = plan(scenario)
    assert (after.rows_to_update, after.rows_to_delete) == (1, 1)


def test_a_plan_of_chosen_keys_is_compared_with_their_rows_however_old_they_are(scenario: Scenario) -> None:
    scenario.execute("ALTER TABLE customers ADD COLUMN moved_on date", "UPDATE customers SET moved_on = '2024-01-01'")
    scenario.update(10, moved_on="2024-06-01")
    sync = sync_with(deletes="keep", watermark=Watermark("moved_on", overlap_seconds=0))
    send(scenario, plan(scenario, sync).plan_id, sync)
    scenario.update(1, city="Rome")
    assert send(scenario, plan(scenario, sync, keys=[1]).plan_id, sync).rows_updated == 1


def test_the_plan_is_sent_as_it_was_shown(scenario: Scenario) -> None:
    waiting = plan(scenario)
    scenario.update(1, city="Rome")
    send(scenario, waiting.plan_id)
    assert scenario.contact("p1@example.com")["city"] == "Paris"


def test_an_approved_plan_that_was_interrupted_goes_on_without_a_second_approval(scenario: Scenario) -> None:
    waiting = plan(scenario)
    with pytest.raises(AuthenticationError):
        send(scenario, waiting.plan_id, api_token="wrong-us-1")
    resumed = scenario.run(sync_with())
    assert (resumed.plan_id, resumed.rows_created) == (waiting.plan_id, 10)
    assert scenario.run(sync_with()).outcome == "empty"


def test_a_run_with_the_same_options_goes_on_with_an_approved_plan(scenario: Scenario) -> None:
    waiting = plan(scenario, limit=5)
    with pytest.raises(AuthenticationError):
        send(scenario, waiting.plan_id, api_token="wrong-us-1")
    resumed = scenario.run(sync_with(), limit=5)
    assert (resumed.plan_id, resumed.rows_created) == (waiting.plan_id, 5)


def test_a_run_of_both_steps_resumes_an_approved_plan(scenario: Scenario) -> None:
    waiting = plan(scenario)
    with pytest.raises(AuthenticationError):
        send(scenario, waiting.plan_id, api_token="wrong-us-1")
    scenario.update(1, city="Rome")
    run_id = new_run_id()
    assert plan_run(sync_with(), scenario.warehouse, scenario.account, PlanOptions(), run_id).plan_id == waiting.plan_id
    result = resume_or_run(sync_with(), scenario.warehouse, scenario.account, PlanOptions(), [run_id])
    assert result.report.rows_created == 10
    assert "was approved by" in result.approval
    assert plan(scenario).rows_to_update == 1


def test_changed_settings_end_the_approval(scenario: Scenario) -> None:
    waiting = plan(scenario)
    with pytest.raises(SafetyError, match="made with another"):
        send(scenario, waiting.plan_id, sync_with(fields={"email": "email"}))


def test_a_new_plan_replaces_an_interrupted_one_that_was_approved_under_other_settings(scenario: Scenario) -> None:
    approved, other = plan(scenario), sync_with(fields={"email": "email"})
    with pytest.raises(AuthenticationError):
        send(scenario, approved.plan_id, api_token="wrong-us-1")
    waiting = plan(scenario, other)
    assert (waiting.status, waiting.plan_id == approved.plan_id) == (PlanStatus.WAITING, False)
    assert send(scenario, waiting.plan_id, other).rows_created == 10


def test_opt_outs_need_no_approval(scenario: Scenario) -> None:
    sync = sync_with(fields={"email": "email", "optOutEmail": "opted_out"}, max_opted_out_fraction=None)
    send(scenario, plan(scenario, sync).plan_id, sync)
    scenario.execute("UPDATE customers SET opted_out = true WHERE customer_id = 1")
    waiting = plan(scenario, sync)
    assert scenario.run(sync, scope="opt_outs").opt_outs_sent == 1
    assert scenario.rows("plans")[-1]["status"] != "superseded"
    assert plan(scenario, sync).plan_id != waiting.plan_id


def test_nothing_to_send_needs_no_approval(scenario: Scenario) -> None:
    send(scenario, plan(scenario).plan_id)
    assert scenario.run(sync_with()).outcome == "empty"


def test_a_dry_run_does_not_wait(scenario: Scenario) -> None:
    waiting = plan(scenario)
    assert scenario.run(sync_with(), dry_run=True).outcome == "dry"
    assert send(scenario, waiting.plan_id).rows_created == 10


def test_slices_wait_apart(scenario: Scenario) -> None:
    sync = sync_with(partitions=HashBuckets(2))
    one, other = (plan(scenario, sync, partition=name) for name in HashBuckets(2).names)
    assert send(scenario, one.plan_id, sync).rows_created == one.rows_to_create
    assert send(scenario, other.plan_id, sync).rows_created == other.rows_to_create


@at(Placement("sqlite"))
def test_a_run_of_other_slices_does_not_approve_a_plan(scenario: Scenario) -> None:
    sync = sync_with(partitions=HashBuckets(2))
    whole = plan(scenario, sync)
    with (
        open_run(sync, scenario.warehouse, scenario.account) as run,
        pytest.raises(SafetyError, match=r"of the whole source, .* in one run with the partitions of the plan"),
    ):
        run.send(PlanOptions(partition="bucket_0"), Approval(whole.plan_id))


def test_an_expired_plan_is_refused(scenario: Scenario) -> None:
    sync = sync_with(plan_expires_hours=timedelta(milliseconds=1) / timedelta(hours=1))
    waiting = plan(scenario, sync)
    with pytest.raises(SafetyError, match="older than plan_expires_hours"):
        send(scenario, waiting.plan_id, sync)


@pytest.mark.parametrize("wrong", [{"max_drift": 2}, {"max_drift": "no"}, {"approved_by": 3}])
def test_a_wrong_approval_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=next(iter(wrong))):
        Approval("plan", **wrong)
