"""The canary: the first contacts of a send are read back, and the others follow only if they hold what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from support.faults import crash_at, flaky_account
from support.placements import Placement
from support.scenario import Scenario, customer, customers, open_scenario, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.engine.run import new_run_id, open_run
from dagster_dailystory.engine.state.plans.retention import KEPT_PLANS
from dagster_dailystory.errors import OutageError, SafetyError
from dagster_dailystory.functions import send_contact_sync
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Sandbox, SandboxSettings
from dagster_dailystory.sandbox.settings import LongValue

PLACEMENTS = (Placement("sqlite"), Placement("postgresql"))

LONG = "Maximiliane-Charlotte"


@pytest.fixture
def scenario(engine_placement: Placement, new_database: Callable[[str], str]) -> Iterator[Scenario]:
    with open_scenario(new_database, engine_placement.warehouse, engine_placement.state) as opened:
        yield opened


def usual(**settings: object) -> ContactSync:
    return sync_of(**{"canary_rows": None, **settings})


@contextmanager
def truncating(scenario: Scenario, **settings: Any) -> Iterator[Scenario]:
    """The same tables, and a DailyStory that cuts texts after 20 characters."""
    with Sandbox(SandboxSettings(max_value_length=20, long_value=LongValue.CUT, **settings)) as sandbox:
        yield replace(scenario, sandbox=sandbox)


def run(scenario: Scenario, sync: ContactSync | None = None, **settings: Any) -> SyncReport:
    """Plan and send, without the time that a look-up may lag."""
    lag_seconds = settings.pop("lag_seconds", 0.0)
    lets_through = settings.pop("lets_through", lambda _method, _url, _content: True)
    account = replace(
        flaky_account(scenario, lets_through, settings.pop("status", 500)), look_up_lag_seconds=lag_seconds
    )
    accepts = settings.pop("accepts_canary", None)
    with open_run(sync or usual(), scenario.warehouse, account, accepts_canary=accepts) as opened:
        opened.plan(PlanOptions(**settings))
        result = opened.send(PlanOptions(**settings))
    if result.error is not None:
        raise result.error
    return result.report


def writes_only(method: str, url: str, _content: bytes | None) -> bool:
    return method != "GET" or "/contact/" not in url


def newest_plan(scenario: Scenario) -> dict[str, Any]:
    return max(scenario.rows("plans"), key=lambda plan: plan["number"])


def written(scenario: Scenario) -> int:
    return len(scenario.sandbox.writes())


def test_the_first_send_reads_twenty_contacts_back_and_later_ones_none(scenario: Scenario) -> None:
    scenario.seed(*customers(50))
    report = run(scenario)
    assert (report.outcome, report.rows_created, scenario.sandbox.counts.gets) == ("done", 50, 20)
    assert report.canary is not None
    assert (report.canary.contacts_read, report.canary.passed) == (20, True)
    scenario.update(30, city="Rome")
    assert run(scenario).rows_updated == 1
    assert scenario.sandbox.counts.gets == 20
    scenario.update(30, city="Oslo")
    run(scenario, usual(canary_rows=5))
    assert scenario.sandbox.counts.gets == 21


def test_a_service_that_cuts_values_stops_the_first_load(scenario: Scenario) -> None:
    scenario.seed(*customers(50))
    scenario.update(3, first_name=LONG)
    with truncating(scenario) as cut:
        with pytest.raises(SafetyError, match=r"firstName in 1\); keys: 3 .*accept_canary=True") as stopped:
            run(cut)
        assert LONG not in str(stopped.value)
        assert (written(cut), newest_plan(cut)["status"]) == (20, "sending")
        for _ in range(KEPT_PLANS + 1):
            with pytest.raises(SafetyError, match="firstName in 1"):
                run(cut)
        assert written(cut) == 20
        assert '"firstName": 1' in newest_plan(cut)["canary_found"]
        report = run(cut, accepts_canary="Ann")
        assert (report.outcome, report.rows_created, report.canary_accepted_by) == ("done", 30, "Ann")
        assert newest_plan(cut)["canary_accepted_by"] == "Ann"
        cut.update(30, city="Rome")
        assert run(cut).rows_updated == 1


def test_a_stopped_plan_goes_on_once_it_is_accepted_by_its_id(scenario: Scenario) -> None:
    scenario.seed(*customers(30, first_name=LONG))
    with truncating(scenario) as cut:
        with pytest.raises(SafetyError, match="20 hold another value"):
            run(cut)
        plan_id = newest_plan(cut)["plan_id"]
        ends: dict[str, Any] = {"warehouse_url": cut.warehouse_url, "state_url": cut.state_url}
        ends |= {"base_url": cut.sandbox.base_url, "api_token": cut.sandbox.token}
        report = send_contact_sync(usual(), plan_id=plan_id, approved_by="Ann", accept_canary=True, **ends)
    assert (report.rows_created, report.canary_accepted_by) == (10, "Ann")
    assert report.canary is not None
    assert report.canary.fields == {"firstName": 20}


def test_a_repaired_source_passes_without_being_accepted(scenario: Scenario) -> None:
    scenario.seed(*customers(50))
    scenario.update(3, first_name=LONG)
    with truncating(scenario) as cut:
        with pytest.raises(SafetyError):
            run(cut)
        cut.update(3, first_name="Max")
        report = run(cut)
    assert (report.outcome, report.rows_created, report.rows_updated) == ("done", 30, 1)


def test_other_spellings_hold_what_was_written(scenario: Scenario) -> None:
    scenario.seed(*customers(3, first_name="mary ann", mobile="+14155552671"))
    scenario.execute("UPDATE customers SET mobile = NULL WHERE customer_id > 1")
    fields = {"email": "email", "firstName": "first_name", "mobilePhone": "mobile", "optOutEmail": "opted_out"}
    with Sandbox(SandboxSettings(proper_case=True, phones_reformatted=True)) as sandbox:
        report = run(replace(scenario, sandbox=sandbox), usual(fields=fields))
    assert (report.outcome, report.rows_created) == ("done", 3)


def test_opt_outs_leave_before_the_canary_and_deletions_wait_for_it(scenario: Scenario) -> None:
    scenario.seed(*customers(9))
    fields = {"email": "email", "firstName": "first_name", "optOutEmail": "opted_out"}
    sync = usual(fields=fields, canary_rows=2, deletes="delete", max_deleted_fraction=None, max_opted_out_fraction=None)
    with truncating(scenario) as cut:
        run(cut, sync)
        cut.sandbox.clear_journal()
        cut.update(9, opted_out=True)
        for number in (1, 2, 3):
            cut.update(number, first_name=LONG)
        cut.delete(8)
        with pytest.raises(SafetyError, match="2 hold another value"):
            run(cut, sync)
        operations = [(write.operation, sorted(write.payload)) for write in cut.sandbox.writes()]
        assert operations[0] == ("update", ["dsId", "optOutEmail"])
        assert operations[1:] == [("update", ["dsId", "firstName"])] * 2
        cut.sandbox.clear_journal()
        assert run(cut, sync, accepts_canary="").rows_deleted == 1


def test_a_canary_that_was_killed_is_read_back_by_the_next_run(scenario: Scenario) -> None:
    scenario.seed(*customers(15, first_name=LONG))
    with truncating(scenario) as cut:
        with crash_at(1, lambda: cut.sandbox.counts.gets > 0):
            run(cut)
        assert (written(cut), newest_plan(cut)["canary_found"]) == (15, None)
        cut.execute_state("UPDATE dailystory_meta SET holder = NULL")
        cut.insert(customer(16, first_name="Max"))
        with pytest.raises(SafetyError, match="15 hold another value"):
            run(cut)
        assert written(cut) == 15


@pytest.mark.parametrize("rows", [15, 25])
def test_a_plan_that_was_stopped_reads_its_contacts_again(scenario: Scenario, rows: int) -> None:
    scenario.seed(*customers(rows))
    run_id = new_run_id()
    account = replace(flaky_account(scenario), look_up_lag_seconds=0.0)
    broken = replace(flaky_account(scenario, writes_only), look_up_lag_seconds=0.0)
    plan_run(usual(), scenario.warehouse, broken, PlanOptions(), run_id)
    stopped = send_run(usual(), scenario.warehouse, broken, [run_id])
    assert isinstance(stopped.error, OutageError)
    assert "cannot be read back" in str(stopped.error)
    assert (stopped.report.outcome, written(scenario)) == ("stopped", min(rows, 20))
    resumed = send_run(usual(), scenario.warehouse, account, [run_id])
    assert (resumed.error, resumed.report.rows_created) == (None, max(rows - 20, 0))
    assert resumed.report.canary is not None
    assert resumed.report.canary.contacts_read == min(rows, 20)


def test_a_token_that_may_not_read_contacts_stops_the_send(scenario: Scenario) -> None:
    scenario.seed(*customers(25))
    is_allowed: dict[str, Any] = {"lets_through": writes_only, "status": 403}
    with pytest.raises(SafetyError, match=r"cannot be read back: .*403.*Let the API token read contacts"):
        run(scenario, **is_allowed)
    with pytest.raises(SafetyError, match="cannot be read back"):
        run(scenario, **is_allowed)
    assert written(scenario) == 20


def test_only_the_first_slices_have_a_canary(scenario: Scenario) -> None:
    scenario.seed(*customers(12))
    sync = usual(partitions=HashBuckets(2))
    counts = [run(scenario, sync, partition=name).rows_created for name in ("bucket_0", "bucket_1")]
    assert sum(counts) == 12
    assert scenario.sandbox.counts.gets == counts[0]


def test_refused_rows_do_not_replace_the_canary(scenario: Scenario) -> None:
    scenario.seed(*customers(30, first_name=LONG))
    for number in range(1, 11):
        scenario.update(number, first_name="Refused")
    with truncating(scenario, refuse_if=lambda body: "no" if body.get("firstName") == "Refused" else None) as cut:
        with pytest.raises(SafetyError, match="2 hold another value"):
            run(cut, usual(canary_rows=4))
        assert written(cut) == 2


def test_no_more_than_the_canary_is_written_after_refused_rows(scenario: Scenario) -> None:
    scenario.seed(*customers(30, first_name=LONG))
    for number in range(1, 5):
        scenario.update(number, first_name=f"Refused {number}")
    with truncating(scenario, refuse_if=_refusal) as cut:
        with pytest.raises(SafetyError, match="4 hold another value"):
            run(cut, usual(canary_rows=4))
        assert written(cut) == 4


def _refusal(body: Any) -> str | None:
    name = str(body.get("firstName"))
    return name if name.startswith("Refused") else None


def test_fields_to_fill_are_read_back(scenario: Scenario) -> None:
    scenario.seed(*customers(3, city=LONG))
    with truncating(scenario) as cut, pytest.raises(SafetyError, match="city in 3"):
        run(cut, usual(fill=["city"]))


def test_a_field_to_fill_that_has_a_value_stops_nothing(scenario: Scenario) -> None:
    scenario.seed(*customers(3))
    scenario.sandbox.add(email="p1@example.com", city="Lyon")
    report = run(scenario, usual(fill=["city"]))
    assert (report.outcome, report.rows_created, report.rows_updated) == ("done", 2, 1)
    assert report.canary is not None
    assert report.canary.contacts_read == 3


def test_the_rows_after_a_stop_count_as_not_tried_and_the_run_log_says_why(scenario: Scenario) -> None:
    scenario.seed(*customers(30, first_name=LONG))
    with truncating(scenario) as cut:
        with pytest.raises(SafetyError):
            run(cut)
        [line] = cut.rows("runs")
        assert (line["rows_created"], line["rows_failed"], line["rows_unsent"]) == (20, 10, 10)
        assert "the canary of sync 'customers' stopped the send" in line["stopped_by"]
        assert run(cut, accepts_canary="Ann").outcome == "done"
    assert [each["stopped_by"] for each in cut.rows("runs") if each["outcome"] == "done"] == [None]


def test_a_dry_run_has_no_canary(scenario: Scenario) -> None:
    scenario.seed(*customers(3))
    assert scenario.run(usual(), dry_run=True).outcome == "dry"
    assert (written(scenario), newest_plan(scenario)["canary_found"]) == (0, None)
