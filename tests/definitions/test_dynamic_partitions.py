"""Partitions that the source names: a sensor adds them, and a run takes one of them or all."""

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import DagsterProject, people_sync

from dagster_dailystory import ColumnValues, build_contact_sync_assets, partition_sensor, sync_schedule
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.sandbox import Sandbox

SYNC = people_sync(partitions=ColumnValues("city"))
NAME = "dailystory_people"
MORNING = datetime(2026, 6, 1, 6, tzinfo=timezone.utc)
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        made = DagsterProject.in_folder(tmp_path, sandbox, instance)
        made.put(1, 2, city="Oslo")
        made.put(3, city="Rome")
        made.put(4, city=None)
        made.put(5, city="Bergen, Norway")
        yield made


def assets():
    return build_contact_sync_assets(SYNC, retry_policy=None)


def tick(project: DagsterProject) -> dg.SensorResult:
    """Evaluate the sensor, and add what it asks for as the daemon does."""
    with dg.build_sensor_context(project.instance, resources=project.resources) as context:
        result = partition_sensor(SYNC).evaluate_tick(context)
    for request in result.dynamic_partitions_requests or ():
        project.instance.add_dynamic_partitions(NAME, list(request.partition_keys))
    return result


def test_the_sensor_adds_each_value_once(project: DagsterProject):
    tick(project)
    assert set(project.instance.get_dynamic_partitions(NAME)) == {"Oslo", "Rome", "other_values"}
    assert "no new value" in tick(project).skip_message
    project.put(6, city="Lima")
    tick(project)
    assert "Lima" in project.instance.get_dynamic_partitions(NAME)


def test_a_run_takes_one_slice_or_all(project: DagsterProject):
    tick(project)
    run = project.materialize(assets(), partition="Oslo")
    assert run.value("contacts", "rows_created") == 2
    others = project.materialize(assets(), partition="other_values")
    assert others.value("contacts", "rows_created") == 2
    names = project.instance.get_dynamic_partitions(NAME)
    project.put(7, city="Not added yet")
    whole = project.materialize(assets(), tags={START: names[0], END: names[-1]})
    assert whole.success
    assert len(project.sandbox.contacts()) == 6
    assert project.scenario.select("select partition_value from dailystory_plans order by number desc limit 1") == [
        {"partition_value": None}
    ]


def test_a_run_of_the_only_slice_so_far_takes_the_whole_source(project: DagsterProject):
    project.instance.add_dynamic_partitions(NAME, ["other_values"])
    assert project.materialize(assets(), partition="other_values").value("contacts", "rows_created") == 5


def test_some_of_the_slices_are_no_range(project: DagsterProject):
    tick(project)
    names = project.instance.get_dynamic_partitions(NAME)
    run = project.materialize(assets(), tags={START: names[0], END: names[1]})
    message, _ = run.failure
    assert "launch one run for each, or one for all" in message


def test_a_row_whose_value_leaves_is_deleted_in_its_slice(project: DagsterProject):
    sync = people_sync(partitions=ColumnValues("city"), deletes="delete", max_deleted_fraction=None)
    made = build_contact_sync_assets(sync, retry_policy=None)
    tick(project)
    for name in project.instance.get_dynamic_partitions(NAME):
        assert project.materialize(made, partition=name).success
    project.scenario.delete(3)
    assert project.materialize(made, partition="Rome").value("contacts", "rows_deleted") == 1


def test_the_schedule_runs_all_of_them_at_once(project: DagsterProject):
    schedule = sync_schedule(SYNC, "0 6 * * *")
    definitions = dg.Definitions(assets=assets(), schedules=[schedule], resources=project.resources)
    location = definitions.get_repository_def()
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(instance, repository_def=location, scheduled_execution_time=MORNING) as context,
    ):
        assert "switch the sensor partitions_people on" in schedule.evaluate_tick(context).skip_message
        instance.add_dynamic_partitions(NAME, ["other_values", "Oslo", "Rome"])
        [request] = schedule.evaluate_tick(context).run_requests
    assert (request.tags[START], request.tags[END]) == ("other_values", "Rome")


def test_a_column_that_identifies_a_person_cannot_name_slices():
    with pytest.raises(ConfigurationError, match="identifies a person"):
        people_sync(partitions=ColumnValues("email"))


def test_the_sensor_is_for_slices_without_a_list():
    with pytest.raises(ConfigurationError, match="without values"):
        partition_sensor(people_sync(partitions=ColumnValues("city", ["Oslo"])))
