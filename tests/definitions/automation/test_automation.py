"""Schedules, conditions and sensors, evaluated as the daemon does."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import NOUNS, DagsterProject, people_sync

from dagster_dailystory import (
    alert_sensors,
    build_contact_sync_assets,
    drift_check,
    every,
    flapping_check,
    history_asset,
    observed_source,
    retry_sensor,
    sync_schedule,
)
from dagster_dailystory.definitions.automation.jobs import sync_job
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.sandbox import Sandbox

# Raised by the function that evaluates conditions in a test.
pytestmark = pytest.mark.filterwarnings("ignore:Parameter `include_sources` of function `AssetSelection.all`")

KEYS = {dg.AssetKey(["dailystory", "people", noun]) for noun in NOUNS}
MORNING = datetime.datetime(2026, 6, 1, 8, 30, tzinfo=datetime.timezone.utc)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        yield DagsterProject.in_folder(tmp_path, sandbox, instance)


def assets(**settings: object):
    return build_contact_sync_assets(people_sync(), **{"retry_policy": None, **settings})


def requested(definitions: dg.Definitions, instance: dg.DagsterInstance, moments) -> list[set[dg.AssetKey]]:
    """The assets that are requested at each of some moments."""
    found, cursor = [], None
    for moment in moments:
        tick = dg.evaluate_automation_conditions(definitions, instance, cursor=cursor, evaluation_time=moment)
        cursor = tick.cursor
        found.append({key for key in KEYS if tick.get_requested_partitions(key)})
    return found


def test_a_cron_condition_does_not_wait_for_an_external_table(project: DagsterProject):
    hourly = assets(automation_condition=every("0 * * * *"))
    definitions = dg.Definitions(assets=hourly, resources=project.resources)
    hours = [MORNING + datetime.timedelta(minutes=minutes) for minutes in (0, 20, 40, 50)]
    assert requested(definitions, project.instance, hours) == [set(), set(), KEYS, set()]


def test_a_schedule_runs_the_whole_sync_or_each_slice():
    sliced_sync = people_sync(name="sliced", partitions=HashBuckets(3))
    plain = sync_schedule(people_sync(), "0 6 * * *")
    sliced = sync_schedule(sliced_sync, "0 6 * * *", "Europe/Oslo")
    definitions = dg.Definitions(
        assets=[*assets(), *build_contact_sync_assets(sliced_sync)],
        schedules=[plain, sliced],
        resources={"warehouse": 1, "dailystory": 1},
    )
    location = definitions.get_repository_def()
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(instance, scheduled_execution_time=MORNING, repository_def=location) as context,
    ):
        requests = sliced.evaluate_tick(context).run_requests
        [whole] = plain.evaluate_tick(context).run_requests
    assert [request.partition_key for request in requests] == ["bucket_0", "bucket_1", "bucket_2"]
    assert len({request.run_key for request in requests}) == 3
    assert whole.partition_key is None
    assert (sliced.execution_timezone, plain.default_status) == ("Europe/Oslo", dg.DefaultScheduleStatus.STOPPED)


def test_all_definitions_of_a_sync_load_in_one_location():
    sync = people_sync()
    definitions = dg.Definitions(
        assets=assets(),
        jobs=[sync_job(sync)],
        schedules=[sync_schedule(sync, "0 * * * *")],
        sensors=[retry_sensor(sync), *alert_sensors(sync, print, max_rejected_rows=0)],
        asset_checks=[drift_check(sync)],
        resources={"warehouse": 1, "dailystory": 1},
    )
    dg.Definitions.validate_loadable(definitions)
    ops = {node.name for node in definitions.resolve_job_def("sync_people").nodes}
    assert ops == {"dailystory__people__changes", "dailystory__people__contacts"}, (
        "the drift check sends requests, so the job leaves it out"
    )


@pytest.mark.filterwarnings("ignore:.*multi_observable_source_asset.* is currently in beta")
def test_a_sync_runs_when_the_version_of_an_observed_table_changes(project: DagsterProject):
    watched = observed_source("people", "select max(id) from people")
    synced = assets(automation_condition=dg.AutomationCondition.eager())
    definitions = dg.Definitions(assets=[watched, *synced], resources=project.resources)
    project.put(1)
    cursor = None

    def tick(*, observe: bool) -> set[dg.AssetKey]:
        nonlocal cursor
        if observe:
            job = dg.Definitions(
                assets=[watched], resources=project.resources, jobs=[dg.define_asset_job("watch", [watched])]
            ).resolve_job_def("watch")
            assert job.execute_in_process(instance=project.instance).success
        found = dg.evaluate_automation_conditions(definitions, project.instance, cursor=cursor)
        cursor = found.cursor
        return {key for key in KEYS if found.get_requested_partitions(key)}

    tick(observe=True)
    first = project.materialize(synced)
    assert tick(observe=False) == set()
    assert tick(observe=True) == set()
    project.put(2)
    assert tick(observe=True) == KEYS
    second = project.re_execute(first, synced, NOUNS)  # a run with selected assets, like the daemon's
    assert second.nouns == list(NOUNS)
    assert tick(observe=False) == set()
    assert project.re_execute(second, synced, NOUNS).nouns == ["changes"], "nothing differed"
    assert tick(observe=False) == set(), "contacts that were skipped are not requested again"


def test_the_drift_check_warns_of_a_changed_field_and_repairs_it(project: DagsterProject):
    project.put(1, 2)
    project.materialize(assets())
    checks = [drift_check(people_sync(), repair=True)]

    def drift() -> dg.AssetCheckEvaluation:
        job = dg.Definitions(
            assets=assets(), asset_checks=checks, resources=project.resources,
            jobs=[dg.define_asset_job("drift", dg.AssetSelection.checks(*checks))],
        ).resolve_job_def("drift")  # fmt: skip
        [evaluation] = job.execute_in_process(instance=project.instance).get_asset_check_evaluations()
        return evaluation

    assert drift().passed
    contact = project.sandbox.find(email="person1@example.com")
    project.sandbox.edit(contact["dsId"], city="Paris")
    result = drift()
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.metadata["drifted/city"].value == 1
    assert project.materialize(assets()).value("contacts", "rows_updated") == 1
    assert drift().passed


def test_the_flapping_check_reads_the_history_and_the_history_is_an_asset(project: DagsterProject):
    for city in ("Rome", "Oslo", "Rome", "Oslo"):
        project.put(1, city=city)
        project.materialize(assets())
    checks = [flapping_check(people_sync())]
    defs = dg.Definitions(
        assets=[*assets(), history_asset(people_sync())], asset_checks=checks, resources=project.resources,
        jobs=[dg.define_asset_job("flapping", dg.AssetSelection.checks(*checks))],
    )  # fmt: skip
    job = defs.resolve_job_def("flapping")
    [evaluation] = job.execute_in_process(instance=project.instance).get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.metadata["flapping/city"].value) == (False, 1)
    key = dg.AssetKey(["dailystory", "people", "history"])
    assert defs.resolve_asset_graph().get(key).parent_keys == {dg.AssetKey(["dailystory", "people", "contacts"])}
