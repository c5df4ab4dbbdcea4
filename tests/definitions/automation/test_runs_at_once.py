"""A tick of a schedule is skipped, and a sensor waits, while a run of the sync is queued or started."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import dagster as dg
import pytest
from support.dagster_project import people_sync, queue

from dagster_dailystory import build_contact_sync_assets, sync_schedule
from dagster_dailystory.definitions.automation.jobs import sync_job
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import HashBuckets

MORNING = datetime.datetime(2026, 6, 1, 8, 30, tzinfo=datetime.timezone.utc)
UNFINISHED = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def location(sync=None, **settings: object) -> dg.Definitions:
    """A code location with a sync, another sync and the schedule of the first."""
    sync = sync or people_sync()
    other = people_sync(name="other")
    return dg.Definitions(
        assets=[*build_contact_sync_assets(sync), *build_contact_sync_assets(other)],
        jobs=[sync_job(sync), sync_job(other), dg.define_asset_job("everything")],
        schedules=[sync_schedule(sync, "* * * * *", **settings)],
        resources={"warehouse": 1, "dailystory": 1},
    )


def tick(definitions: dg.Definitions, instance: dg.DagsterInstance) -> tuple[int, str]:
    """Evaluate the schedule: how many runs it requests, or why none."""
    repository = definitions.get_repository_def()
    with dg.build_schedule_context(instance, scheduled_execution_time=MORNING, repository_def=repository) as context:
        result = repository.get_schedule_def("sync_people_schedule").evaluate_tick(context)
    return len(result.run_requests or ()), result.skip_message or ""


def start(definitions: dg.Definitions, instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus) -> str:
    return queue(instance, definitions.resolve_job_def(job), status=status)


@pytest.mark.parametrize("status", UNFINISHED, ids=str)
def test_a_tick_is_skipped_and_says_why_while_a_run_is_unfinished(instance, status: dg.DagsterRunStatus):
    definitions = location()
    run_id = start(definitions, instance, "sync_people", status)
    runs, reason = tick(definitions, instance)
    assert runs == 0
    assert run_id in reason
    assert status.value.lower() in reason
    instance.report_run_canceled(instance.get_run_by_id(run_id))
    assert tick(definitions, instance) == (1, "")


def test_a_run_of_another_job_with_the_sync_counts_and_one_of_another_sync_does_not(instance):
    definitions = location()
    start(definitions, instance, "sync_other", dg.DagsterRunStatus.STARTED)
    assert tick(definitions, instance) == (1, "")
    start(definitions, instance, "everything", dg.DagsterRunStatus.STARTED)
    assert tick(definitions, instance)[0] == 0


def test_a_tick_of_slices_is_skipped_too(instance):
    definitions = location(people_sync(partitions=HashBuckets(3)))
    assert tick(definitions, instance) == (3, "")
    queue(instance, definitions.resolve_job_def("sync_people"), tags={"dagster/partition": "bucket_1"})
    assert tick(definitions, instance)[0] == 0


def test_skip_if_running_may_be_off(instance):
    definitions = location(skip_if_running=False)
    start(definitions, instance, "sync_people", dg.DagsterRunStatus.STARTED)
    assert tick(definitions, instance) == (1, "")
    with pytest.raises(ConfigurationError, match="skip_if_running must be true or false"):
        sync_schedule(people_sync(), "* * * * *", skip_if_running="no")  # type: ignore[arg-type]  # a mistake
