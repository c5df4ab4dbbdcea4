"""Alerts: one message when a condition begins and one when it ends, from real states and Dagster's own runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from support.alert_watch import SYNC, Watch, watch
from support.dagster_project import QUIET, DagsterProject, people_sync

from dagster_dailystory import Alert, WarehouseResource, alert_sensors, build_contact_sync_assets
from dagster_dailystory.definitions.automation.jobs import RANGE_TAGS, sync_job
from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.lease.holders import let_go
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.sandbox import Sandbox


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        yield DagsterProject.in_folder(tmp_path, sandbox, instance)


def assets(sync=SYNC, **settings: object):
    return build_contact_sync_assets(sync, **{"retry_policy": None, **settings})


def test_a_blocked_plan_is_one_alert_with_its_guard_number_and_limit(project: DagsterProject):
    watched = watch(project)
    project.put(*range(40))
    project.materialize(assets())
    assert watched.tick() == []
    project.scenario.delete(*range(30))
    run = project.materialize(assets())
    assert not run.success
    assert watched.tick() == ["began plan_blocked"]
    [alert] = watched.alerts
    assert (alert.guard, alert.number, alert.limit, alert.run_id) == ("deleted_share", 0.75, 0.1, run.run_id)
    assert "30 of 40 contacts would be deactivated" in alert.message
    project.materialize(assets())
    assert watched.tick() == [], "it is the same condition in the next run"
    project.put(*range(30))
    project.materialize(assets())
    assert watched.tick() == ["ended plan_blocked"]
    assert watched.alerts[0].text.startswith("DailyStory sync people: ended: the guard deleted_share blocks")


def test_a_re_execution_of_a_blocked_run_is_no_second_alert(project: DagsterProject):
    watched = watch(project)
    project.put(*range(40))
    project.materialize(assets())
    project.scenario.delete(*range(30))
    run = project.materialize(assets())
    assert watched.tick() == ["began plan_blocked"]
    assert not project.re_execute(run, assets(), ["contacts", "contact_map"]).success
    assert watched.tick() == []


def test_a_failed_run_is_one_alert_although_the_state_and_dagster_know_it(project: DagsterProject):
    watched = watch(project)
    project.put(1)
    project.token = "not-the-token-0123456789"
    run = project.materialize(assets())
    assert watched.tick() == ["began run_failed"]
    [alert] = watched.alerts
    assert (alert.run_id, alert.has_ended) == (run.run_id, False)
    assert "401" in alert.message
    project.materialize(assets())
    assert watched.tick() == []
    project.token = project.sandbox.token
    project.materialize(assets())
    assert watched.tick() == ["ended run_failed"]
    assert watched.tick() == []


def test_a_plan_id_that_a_person_mistyped_is_no_alert(project: DagsterProject):
    watched = watch(project)
    project.put(1)
    project.materialize(assets())
    mistyped = {"ops": {"dailystory__people__contacts": {"config": {"plan_id": "20260101T0000-none"}}}}
    result = dg.materialize(
        assets(), selection="key:dailystory/people/contacts+", instance=project.instance, resources=project.resources,
        run_config={**QUIET, **mistyped}, raise_on_error=False,
    )  # fmt: skip
    assert (result.success, watched.tick()) == (False, [])


def test_a_run_that_never_opened_the_state_is_an_alert_until_one_succeeds(project: DagsterProject):
    watched = watch(project)
    project.put(1)
    project.materialize(assets())
    usual = project.scenario.warehouse_url
    project.scenario.warehouse_url = "sqlite:////nowhere/at.all"
    run = project.materialize(assets())
    assert watched.tick() == ["began run_failed"], "the sensor cannot read the state either"
    assert watched.alerts[0].run_id == run.run_id
    assert "does not exist" in watched.alerts[0].message
    project.scenario.warehouse_url = usual
    assert watched.tick() == [], "no run has succeeded yet"
    project.materialize(assets(), dry_run=True)
    assert watched.tick() == [], "a dry run sends nothing"
    project.materialize(assets())
    assert watched.tick() == ["ended run_failed"]


def test_a_run_that_dagster_failed_without_a_step_is_an_alert(project: DagsterProject):
    """As the daemon fails a run whose worker was killed, or whose code location cannot be loaded."""
    watched = watch(project)
    definitions = dg.Definitions(assets=assets(), jobs=[sync_job(SYNC)], resources=project.resources)
    run = project.instance.create_run_for_job(definitions.resolve_job_def("sync_people"), run_config=QUIET)
    project.instance.report_run_failed(run)
    assert watched.tick() == ["began run_failed"]
    assert "killed or ran out of memory" in watched.alerts[0].message
    assert watched.tick() == []


def test_the_failure_of_another_asset_or_sync_is_no_alert(project: DagsterProject):
    @dg.asset
    def broken() -> None:
        raise ValueError("not of the sync")

    watched, others = watch(project), build_contact_sync_assets(people_sync(name="others"), retry_policy=None)
    project.put(1)
    dg.materialize(
        [*assets(), broken],
        instance=project.instance,
        resources=project.resources,
        raise_on_error=False,
        run_config=QUIET,
    )
    project.token = "not-the-token-0123456789"
    assert not project.materialize(others, name="others").success
    assert watched.tick() == []


def test_a_run_that_was_killed_while_sending_is_an_alert(project: DagsterProject):
    watched = watch(project)
    project.put(1)
    project.materialize(assets())
    sent = "update dailystory_plans set status = 'sending'"
    project.scenario.execute_state(sent, "delete from dailystory_runs")  # as SIGKILL leaves it
    assert watched.tick() == ["began run_failed"]
    assert "ended without a result" in watched.alerts[0].message
    project.put(2)
    project.materialize(assets())
    assert watched.tick() == ["ended run_failed"]


def test_a_run_that_was_killed_while_planning_is_an_alert(project: DagsterProject):
    watched = watch(project)
    project.put(1)
    project.materialize(assets())
    location = project.resources["warehouse"].warehouse().state
    with open_state(location, SYNC) as state, state.connection.begin():
        lease = Lease.take(state, run_id="the-run")
    assert watched.tick() == [], "it is still at work"
    let_go(lease.holder)  # as if its process had ended
    assert watched.tick() == ["began run_failed"]
    assert watched.alerts[0].run_id == "the-run"


def test_rows_that_dailystory_refused_count_as_rejected(project: DagsterProject):
    watched = watch(project, max_rejected_rows=1)
    project.put(1, 2, 3)
    project.sandbox.script([400, 400])
    project.materialize(assets())
    assert watched.tick() == ["began rows_rejected"]
    [alert] = watched.alerts
    assert (alert.number, alert.limit) == (2, 1)
    assert "2 refused" in alert.message
    project.put(4)
    project.materialize(assets())
    assert watched.tick() == [], "the same rows are still rejected"
    project.materialize(assets(), scope="rejected")
    assert watched.tick() == ["ended rows_rejected"]


def test_dry_runs_are_no_alerts(project: DagsterProject):
    watched = watch(project, max_rejected_rows=0, max_pending_opt_outs=0)
    project.put(1, email="not an address")
    project.materialize(assets(), dry_run=True)
    assert watched.tick() == []


def test_each_slice_counts(project: DagsterProject):
    sync = people_sync(partitions=HashBuckets(3), deletes="deactivate")
    watched, sliced = watch(project, sync, max_rejected_rows=3), assets(sync)
    project.put(*range(1, 13), email="not an address")
    project.put(*range(20, 60))
    for partition in sync.partitions.names:
        project.materialize(sliced, partition=partition)
    assert watched.tick() == ["began rows_rejected"]
    assert watched.alerts[0].number == 12
    project.token = "not-the-token-0123456789"
    project.put(*range(20, 60), city="Bergen")
    for partition in sync.partitions.names:
        project.materialize(sliced, partition=partition)
    assert watched.tick() == ["began run_failed"] * 3
    assert {alert.partition for alert in watched.alerts} == set(sync.partitions.names)
    project.token = project.sandbox.token
    project.materialize(sliced, partition="bucket_1")
    assert watched.tick() == ["ended run_failed"]
    assert watched.alerts[0].partition == "bucket_1"


def test_a_failed_range_of_slices_ends_with_a_run_of_one_of_them(project: DagsterProject):
    sync = people_sync(partitions=HashBuckets(4))
    watched = watch(project, sync)
    project.put(*range(1, 13))
    definitions = dg.Definitions(assets=assets(sync), jobs=[sync_job(sync)], resources=project.resources)
    ends = dict(zip(RANGE_TAGS, ("bucket_0", "bucket_2"), strict=True))
    run = project.instance.create_run_for_job(definitions.resolve_job_def("sync_people"), tags=ends)
    project.instance.report_run_failed(run)
    assert watched.tick() == ["began run_failed"]
    assert watched.alerts[0].partition == "bucket_0...bucket_2"
    project.materialize(assets(sync), partition="bucket_3")
    assert watched.tick() == []
    project.materialize(assets(sync), partition="bucket_1")
    assert watched.tick() == ["ended run_failed"]


def test_failed_rows_above_the_limit_are_an_alert(project: DagsterProject):
    watched = watch(project, max_failed_rows=0)
    project.put(1, 2, 3, 4)
    project.materialize(assets())
    project.put(1, city="Bergen")
    project.max_attempts = 1
    project.sandbox.script([500])
    project.materialize(assets())
    assert watched.tick() == ["began rows_failed"]
    assert (watched.alerts[0].number, watched.alerts[0].limit) == (1, 0)
    project.materialize(assets())
    assert [each.split()[0] for each in watched.tick()] == ["ended"]


def test_opt_outs_that_wait_are_an_alert(project: DagsterProject):
    sync = people_sync(fields={"email": "email", "firstName": "first_name", "optOutEmail": "city"})
    watched = watch(project, sync, max_pending_opt_outs=0)
    project.put(1, city="false")
    project.put(2, city="true", email="not an address")
    project.materialize(assets(sync))
    assert watched.tick() == ["began opt_outs_pending"]
    assert watched.alerts[0].number == 1
    project.put(2, city="true")
    project.materialize(assets(sync))
    assert watched.tick() == ["ended opt_outs_pending"]


def test_a_long_run_is_an_alert(project: DagsterProject):
    watched = watch(project, max_run_minutes=10)
    project.put(1)
    project.materialize(assets())
    assert watched.tick() == []
    project.scenario.execute_state("update dailystory_runs set started_at = datetime(finished_at, '-11 minutes')")
    assert watched.tick() == ["began run_too_long"]
    assert watched.alerts[0].limit == 10
    project.materialize(assets())
    assert watched.tick() == ["ended run_too_long"]


def test_far_more_rows_than_usual_are_an_alert(project: DagsterProject):
    sync = people_sync(min_guard_rows=3)
    watched = watch(project, sync, max_rows_to_send_factor=3)
    project.put(*range(30))
    project.materialize(assets(sync))
    for _ in range(3):
        project.put(1, 2, city=f"city {_}")
        project.materialize(assets(sync))
    assert watched.tick() == []
    project.put(*range(20), city="Paris")
    project.materialize(assets(sync))
    assert watched.tick() == ["began unusual_rows_to_send"]
    assert (watched.alerts[0].number, watched.alerts[0].limit) == (20, 6)
    project.put(*range(3), city="Lyon")
    project.materialize(assets(sync))
    assert watched.tick() == ["ended unusual_rows_to_send"]


def test_an_alert_that_cannot_be_sent_is_sent_by_the_next_evaluation(project: DagsterProject):
    sent: list[Alert] = []
    is_down = [True]

    def notify(alert: Alert) -> None:
        if is_down and alert.condition == "rows_rejected":
            raise ConnectionError("the webhook is down")
        sent.append(alert)

    [sensor] = alert_sensors(SYNC, notify, max_rejected_rows=0)
    watched = Watch(project, sensor, [])
    project.put(1, email="not an address")
    project.materialize(assets())
    with pytest.raises(ConnectionError):
        watched.tick()
    assert watched.cursor is None, "the cursor has not moved"
    project.token = "not-the-token-0123456789"
    project.put(2)
    project.materialize(assets())
    watched.tick()
    assert [alert.condition for alert in sent] == ["run_failed"], "the other alert is sent once"
    is_down.clear()
    watched.tick()
    watched.tick()
    assert [alert.condition for alert in sent] == ["run_failed", "rows_rejected"]


def test_a_state_that_cannot_be_read_fails_the_evaluation(project: DagsterProject):
    watched = watch(project)
    watched.resources = {"warehouse": WarehouseResource(url="sqlite:////nowhere/at.all")}
    with pytest.raises(Exception, match="does not exist"):
        watched.tick()


def test_the_state_is_read_while_a_run_holds_its_write_lock(project: DagsterProject):
    watched = watch(project)
    project.put(1)
    project.materialize(assets())
    location = project.resources["warehouse"].warehouse().state
    with open_state(location, SYNC) as state, state.connection.begin():
        Lease.take(state, run_id="the-run")  # a long transaction, as that of a plan
        started = time.monotonic()
        assert watched.tick() == []
        assert time.monotonic() - started < 8, "it does not wait for the lock"


def test_a_stop_whose_run_goes_on_is_no_alert_yet(project: DagsterProject):
    """Dagster tries the step again after a while; only if the run fails in the end is there something to do."""
    watched = watch(project)
    project.put(1)
    definitions = dg.Definitions(assets=assets(), jobs=[sync_job(SYNC)], resources=project.resources)
    job = definitions.resolve_job_def("sync_people")
    run = project.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    account = replace(project.scenario.account, api_token="not-the-token-0123456789")
    with open_run(SYNC, project.scenario.warehouse, account, [run.run_id]) as engine_run:
        assert engine_run.resume_or_run(PlanOptions()).error is not None
    assert watched.tick() == []
    project.instance.report_run_failed(run)
    assert watched.tick() == ["began run_failed"]


def test_a_duckdb_file_that_another_process_has_open_is_read_later(project: DagsterProject, tmp_path: Path):
    watched = watch(project)
    file = tmp_path / "state.duckdb"
    duckdb.connect(str(file)).close()
    watched.resources = {"warehouse": WarehouseResource(url=f"duckdb:///{file}")}
    hold = "import duckdb, sys; kept = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        project.put(*range(40))
        project.materialize(assets())
        project.scenario.delete(*range(30))
        project.materialize(assets())
        assert watched.tick() == [], "only the state knows which guard blocks the plan"
        assert "another process has the DuckDB file open" in watched.skipped
    watched.resources = {}
    assert watched.tick() == ["began plan_blocked"]


def test_the_cursor_has_no_personal_data(project: DagsterProject):
    watched = watch(project, max_rejected_rows=0)
    project.put(1, email="secret.person@@example.com")
    project.materialize(assets())
    watched.tick()
    assert "secret.person" not in json.dumps(watched.cursor)
    assert "secret.person" not in repr(watched.alerts)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_rejected_rows": "5"}, "max_rejected_rows must be a whole number"),
        ({"max_failed_rows": -1}, "max_failed_rows=-1 must be at least 0"),
        ({"max_rows_to_send_factor": 1}, "max_rows_to_send_factor=1 must be more than 1"),
        ({"max_run_minutes": 0}, "max_run_minutes=0 must be more than 0"),
        ({"max_rejected": 5}, "did you mean 'max_rejected_rows'"),
    ],
)
def test_a_limit_that_cannot_be_one_is_refused(wrong: dict[str, object], message: str):
    with pytest.raises(ConfigurationError, match=message):
        alert_sensors(SYNC, print, **wrong)
