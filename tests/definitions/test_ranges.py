"""A run of Dagster with a range of partitions makes one plan, and materializes all of them or none."""

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import DagsterProject, people_sync

from dagster_dailystory import ColumnValues, ContactSync, HashBuckets, TimeWindows, build_contact_sync_assets
from dagster_dailystory.definitions.partitions import partitions_definition
from dagster_dailystory.sandbox import Sandbox

CONTACTS = dg.AssetKey(["dailystory", "people", "contacts"])
YEAR = TimeWindows("joined", "monthly", start="2024-01-01", end="2025-01-01")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        made = DagsterProject.in_folder(tmp_path, sandbox, instance)
        made.scenario.execute_own("alter table people add column joined text")
        for number in range(1, 13):
            made.put(number, joined=f"2024-{number:02d}-15", city="Rome" if number % 2 else "Oslo")
        yield made


def assets(sync: ContactSync):
    return build_contact_sync_assets(sync, retry_policy=None, backfill_policy=dg.BackfillPolicy.single_run())


def range_of(first: str, last: str) -> dict[str, str]:
    """The tags that give a run its partitions."""
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


@pytest.mark.parametrize(
    ("partitions", "rows"), [(YEAR, 3), (HashBuckets(4), None), (ColumnValues("city", ["Rome", "Oslo"]), 12)]
)
def test_one_run_of_a_range_materializes_all_its_partitions(project: DagsterProject, partitions, rows: int | None):
    names = partitions.names[:3] if partitions is not None and len(partitions.names) > 3 else partitions.names[:2]
    sliced = assets(people_sync(partitions=partitions))
    run = project.materialize(sliced, tags=range_of(names[0], names[-1]))
    assert run.success
    assert project.instance.get_materialized_partitions(CONTACTS) == set(names)
    assert len(project.plan_statuses()) == 1
    read = next(each.metadata["rows_read"].value for each in run.observations if each.asset_key.path[-1] == "changes")
    assert read == (len(project.sandbox.contacts()) if rows is None else rows)


def test_a_range_that_fails_materializes_none_of_its_partitions(project: DagsterProject):
    sliced = assets(people_sync(partitions=YEAR))
    assert project.materialize(sliced, tags=range_of("2024-01-01", "2024-06-01")).success
    project.token = "wrong"
    project.scenario.execute_own("update people set first_name = 'Other'")
    assert not project.materialize(sliced, tags=range_of("2024-05-01", "2024-12-01")).success
    assert project.instance.get_materialized_partitions(CONTACTS) == set(YEAR.names[:6])


def test_a_range_of_all_partitions_is_a_plan_of_the_whole_source(project: DagsterProject):
    sliced = assets(people_sync(partitions=YEAR))
    assert project.materialize(sliced, tags=range_of(YEAR.names[0], YEAR.names[-1])).success
    assert project.instance.get_materialized_partitions(CONTACTS) == set(YEAR.names)
    assert project.scenario.select("select partition_value from dailystory_plans") == [{"partition_value": None}]


def test_the_metadata_of_a_range_is_stored_once(project: DagsterProject):
    run = project.materialize(assets(people_sync(partitions=YEAR)), tags=range_of("2024-01-01", "2024-03-01"))
    assert {tuple(each.metadata) for each in run.materializations} == {("plan_id",)}
    described = [each.asset_key.path[-1] for each in run.observations if "summary" in each.metadata]
    assert described == ["changes", "contacts"]


@pytest.mark.slow
def test_a_backfill_of_many_slices_leaves_the_one_that_fails_to_run_again(project: DagsterProject):
    cities = [f"city {number:02d}" for number in range(15)]
    for number, city in enumerate(cities, start=100):
        project.put(number, city=city, email="no address" if number == 107 else f"person{number}@example.com")
    sync = people_sync(partitions=ColumnValues("city", cities), max_rejected_fraction=0.5, min_guard_rows=1)
    sliced = build_contact_sync_assets(sync, retry_policy=None)
    names = sync.partitions.names
    done = {name: project.materialize(sliced, tags=range_of(name, name)).success for name in names}
    assert [name for name, is_done in done.items() if not is_done] == ["city 07"]
    assert project.instance.get_materialized_partitions(CONTACTS) == set(names) - {"city 07"}
    project.put(107, city="city 07")
    posts = project.sandbox.counts.posts
    assert project.materialize(sliced, tags=range_of("city 07", "city 07")).success
    assert project.sandbox.counts.posts - posts == 1
    assert project.instance.get_materialized_partitions(CONTACTS) == set(names)


ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("every", ["hourly", "daily", "weekly", "monthly"])
def test_windows_have_the_names_that_dagster_gives_them(every: str, zone: str):
    zone = "UTC" if every == "hourly" else zone
    start = "2024-11-05" if every == "hourly" else "2023-02-15"
    for end in (None, "2024-11-20"):
        windows = TimeWindows("joined", every, start=start, end=end, timezone=zone)
        definition = partitions_definition(people_sync(partitions=windows))
        assert definition is not None
        for now in (datetime(2024, 11, 15, 4, 30, tzinfo=timezone.utc), datetime(2024, 12, 1, 12, tzinfo=timezone.utc)):
            assert tuple(definition.get_partition_keys(current_time=now)) == windows.names_at(now)


def test_a_sync_that_requires_approval_takes_one_run_for_a_range_unless_told_otherwise():
    sync = people_sync(partitions=YEAR, require_approval=True)
    assert {each.backfill_policy for each in build_contact_sync_assets(sync)} == {dg.BackfillPolicy.single_run()}
    apart = build_contact_sync_assets(sync, backfill_policy=dg.BackfillPolicy.multi_run())
    assert {each.backfill_policy for each in apart} == {dg.BackfillPolicy.multi_run()}
