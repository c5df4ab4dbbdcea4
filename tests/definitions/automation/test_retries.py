"""The retry sensor: which rows it finds in the state, one run at a time, and when it gives up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import DagsterProject, people_sync, queue

from dagster_dailystory import ContactSync, build_contact_sync_assets, retry_sensor
from dagster_dailystory.definitions.automation.jobs import RANGE_TAGS, sync_job
from dagster_dailystory.definitions.automation.retries import RETRY_TAG
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets
from dagster_dailystory.sandbox import Sandbox

SYNC = people_sync()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        yield DagsterProject.in_folder(tmp_path, sandbox, instance)


@dataclass
class Retries:
    """The retry sensor of a sync, evaluated again and again as the daemon does."""

    project: DagsterProject
    sync: ContactSync = SYNC
    max_runs: int = 3
    cursor: str | None = None

    def tick(self) -> list[tuple[str, str | None, str]]:
        """Evaluate the sensor; returns scope, slice and attempt of each request."""
        result = self._evaluate()
        changes = f"dailystory__{self.sync.name}__changes"
        return [
            (each.run_config["ops"][changes]["config"]["scope"], each.partition_key, each.tags[RETRY_TAG])
            for each in result.run_requests or ()
        ]

    def reason(self) -> str:
        return self._evaluate().skip_message or ""

    def _evaluate(self):
        sensor = retry_sensor(self.sync, max_runs=self.max_runs)
        definitions = dg.Definitions(
            assets=build_contact_sync_assets(self.sync), sensors=[sensor], resources=self.project.resources
        )
        context = dg.build_sensor_context(
            instance=self.project.instance,
            cursor=self.cursor,
            repository_def=definitions.get_repository_def(),
            resources=self.project.resources,
        )
        result = sensor.evaluate_tick(context)
        self.cursor = result.cursor if result.cursor is not None else self.cursor
        return result


def assets(sync: ContactSync = SYNC):
    return build_contact_sync_assets(sync, retry_policy=None)


def test_refused_rows_are_retried_and_given_up(project: DagsterProject):
    retries = Retries(project, max_runs=1)
    assert "no row is refused" in retries.reason()
    project.put(1, 2)
    project.sandbox.script([400])
    project.materialize(assets())
    assert retries.tick() == [("rejected", None, "1")]
    project.sandbox.script([400])
    project.materialize(assets(), scope="rejected")
    assert "1 row is still refused or failed after 1 retries" in retries.reason()
    project.materialize(assets(), scope="rejected")
    assert "no row is refused" in retries.reason()


def test_refused_rows_are_not_forgotten_after_a_later_run(project: DagsterProject):
    project.put(*range(1, 11))
    project.sandbox.script([400] * 3)
    project.materialize(assets())
    project.put(11)
    project.materialize(assets())
    assert Retries(project).tick() == [("rejected", None, "1")]


def test_another_refused_row_begins_anew(project: DagsterProject):
    retries = Retries(project, max_runs=1)
    project.put(1)
    project.sandbox.script([400])
    project.materialize(assets())
    assert retries.tick() == [("rejected", None, "1")]
    assert retries.tick() == []
    project.put(2)
    project.sandbox.script([400])
    project.materialize(assets())
    assert retries.tick() == [("rejected", None, "1")]


def test_rows_that_were_refused_and_rows_that_failed_are_one_run_after_the_other(project: DagsterProject):
    retries = Retries(project)
    project.put(1, 2, 3, 4)
    project.max_attempts, project.max_concurrency = 1, 1
    project.sandbox.script([400, 500])
    project.materialize(assets())
    assert retries.tick() == [("changed", None, "1")], "one request, although rows were refused too"
    project.materialize(assets(), scope="changed")
    assert retries.tick() == [("rejected", None, "1")]
    project.materialize(assets(), scope="rejected")
    assert retries.tick() == []
    assert len(project.sandbox.contacts()) == 4


def test_no_run_is_requested_while_one_is_queued_or_started(project: DagsterProject):
    project.put(1)
    project.sandbox.script([400])
    project.materialize(assets())
    definitions = dg.Definitions(assets=assets(), jobs=[sync_job(SYNC)], resources=project.resources)
    run_id = queue(project.instance, definitions.resolve_job_def("sync_people"))
    retries = Retries(project)
    assert f"run {run_id} of this sync" in retries.reason()
    project.instance.report_run_canceled(project.instance.get_run_by_id(run_id))
    assert retries.tick() == [("rejected", None, "1")]


def test_contacts_deleted_in_dailystory_are_not_retried(project: DagsterProject):
    sync = people_sync(deletes="deactivate", max_deleted_fraction=None)
    project.put(1, 2)
    project.materialize(assets(sync))
    project.scenario.delete(1)
    project.materialize(assets(sync))
    project.sandbox.edit(project.sandbox.find(email="person1@example.com")["dsId"], status="Deleted")
    project.put(1)
    project.materialize(assets(sync))
    assert project.scenario.rejections() == {"1": "deleted_in_dailystory"}
    assert Retries(project, sync).tick() == []


@pytest.mark.parametrize(
    "partitions", [HashBuckets(3), ColumnValues("city", ["Oslo", "Bergen"])], ids=["hash", "values"]
)
def test_only_the_slices_with_such_rows_are_run(project: DagsterProject, partitions: object):
    sync = people_sync(partitions=partitions)
    retries = Retries(project, sync)
    project.put(*range(1, 13))
    project.put(*range(13, 16), city="Bergen")
    second = sync.partitions.names[1]
    for partition in sync.partitions.names:
        project.sandbox.script([400] if partition == second else [])
        assert project.materialize(assets(sync), partition=partition).success
    assert retries.tick() == [("rejected", second, "1")]
    again = project.materialize(assets(sync), partition=second, scope="rejected")
    assert again.value("contacts", "rows_created") == 1
    assert retries.tick() == []


def test_rows_that_failed_in_a_range_of_slices_are_run_as_this_range(project: DagsterProject):
    sync = people_sync(partitions=HashBuckets(4))
    retries = Retries(project, sync)
    project.put(*range(1, 13))
    project.max_attempts, project.max_concurrency = 1, 1
    project.sandbox.script([500])
    definitions = dg.Definitions(assets=assets(sync), jobs=[sync_job(sync)], resources=project.resources)
    job = definitions.resolve_job_def("sync_people")
    ends = dict(zip(RANGE_TAGS, ("bucket_0", "bucket_2"), strict=True))
    job.execute_in_process(instance=project.instance, tags=ends)
    sensor = retry_sensor(sync)
    location = dg.Definitions(assets=assets(sync), sensors=[sensor], resources=project.resources).get_repository_def()
    context = dg.build_sensor_context(project.instance, repository_def=location, resources=project.resources)
    [request] = sensor.evaluate_tick(context).run_requests or ()
    assert ends.items() <= request.tags.items()
    assert request.partition_key is None
    again = job.execute_in_process(instance=project.instance, tags=request.tags, run_config=request.run_config)
    assert again.success
    assert retries.tick() == []


def test_rows_that_failed_in_a_run_of_the_whole_source_are_run_with_all_slices_that_it_names(project: DagsterProject):
    sync = people_sync(partitions=ColumnValues("city"))
    project.instance.add_dynamic_partitions("dailystory_people", ["other_values", "Oslo"])
    project.put(1, 2, city="Oslo")
    project.max_attempts, project.max_concurrency = 1, 1
    project.sandbox.script([500])
    whole = dict(zip(RANGE_TAGS, ("other_values", "Oslo"), strict=True))
    assert project.materialize(assets(sync), tags=whole).success
    [request] = Retries(project, sync)._evaluate().run_requests
    assert whole.items() <= request.tags.items()
