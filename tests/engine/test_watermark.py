"""A sync with a watermark: most runs read recent rows only, and a full comparison finds the other differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from support.scenario import World, people, sync_of, world_at

from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.watermark import Watermark

START = datetime(2026, 11, 1, 12)
RECENT = sync_of(watermark=Watermark("updated_at", overlap_seconds=600), deletes="delete", min_guard_rows=1_000)
FULL = replace(RECENT, watermark=Watermark("updated_at", full_every_seconds=1e-6))
ROWS = 20


def put(world: World, number: int, minutes: float, **columns: object) -> None:
    """Insert a row that changed `minutes` after the start."""
    [row] = [person for person in people(number) if person["customer_id"] == number]
    world.put({**row, "updated_at": START + timedelta(minutes=minutes), **columns})


def change(world: World, number: int, minutes: float, **columns: object) -> None:
    world.change(number, updated_at=START + timedelta(minutes=minutes), **columns)


EVERYWHERE = pytest.mark.parametrize(
    "world", [("duckdb", None), ("postgresql", None), ("postgresql", "sqlite"), ("duckdb", "postgresql")], indirect=True
)


@pytest.fixture
def world(request: pytest.FixtureRequest, new_database) -> Iterator[World]:
    """Twenty synced rows: the first one changed at the start, the last one 19 hours later."""
    with world_at(new_database, *getattr(request, "param", ("duckdb", None))) as world:
        world.execute(
            "CREATE TABLE customers (customer_id integer, email varchar(200), first_name varchar(200),"
            " city varchar(100), plan varchar(100), updated_at timestamp)"
        )
        for number in range(1, ROWS + 1):
            put(world, number, 60 * (number - 1))
        assert world.run(RECENT).rows_created == ROWS
        world.sent()
        yield world


@EVERYWHERE
def test_a_run_reads_recent_rows_and_sends_what_differs(world):
    change(world, 3, 2_000, city="Rome")
    change(world, 4, 2_000)
    put(world, 21, 2_000)
    report = world.run(RECENT)
    assert report.rows_read == 4, "the last row of the run before is within the overlap"
    assert (report.rows_created, report.rows_updated, report.rows_unchanged) == (1, 1, 2)
    quiet = world.run(RECENT)
    assert (quiet.rows_read, quiet.api_requests) == (3, 0)


def test_a_row_committed_late_is_read_within_the_overlap(world):
    put(world, 21, 2_000)
    world.run(RECENT)
    change(world, 3, 2_000 - 9, city="Rome")
    change(world, 4, 2_000 - 11, city="Oslo")
    assert world.run(RECENT).rows_updated == 1
    assert world.run(FULL).rows_updated == 1, "a later commit is found by the next full comparison"


def test_other_differences_are_found_by_the_next_full_comparison(world):
    world.drop(1)
    world.change(2, city="Rome")
    assert world.run(RECENT).api_requests == 0
    full = world.run(FULL)
    assert (full.rows_read, full.rows_updated, full.rows_deleted) == (ROWS - 1, 1, 1)


def test_the_checkpoint_stays_if_a_run_did_not_send_all(world):
    change(world, 3, 2_000, city="Rome")
    change(world, 4, 2_000, city="Oslo")
    assert world.run(RECENT, limit=1).rows_updated == 1
    put(world, 21, 3_000)
    assert world.run(RECENT).rows_updated == 1
    change(world, 5, 4_000, city="Bonn")
    world.run(RECENT, dry_run=True)
    assert world.run(RECENT).rows_updated == 1


def test_another_mapping_reads_all_rows(world):
    other = replace(RECENT, extended_properties={"tier": "plan"})
    assert world.run(other).rows_updated == ROWS
    assert world.run(other).rows_read == 1


def test_chosen_keys_are_read_whatever_their_watermark(world):
    world.change(3, city="Rome")
    assert world.run(RECENT, keys=["3"]).rows_updated == 1
    assert world.run(RECENT, scope="all").rows_updated == ROWS


def test_a_repair_by_the_audit_is_sent_by_the_next_run(world):
    world.edit("p3@example.com", city="Oslo")
    report = audit_contacts(RECENT, world.warehouse, world.destination, sample=ROWS, repair=True)
    assert report.contacts_drifted == 1
    assert world.run(RECENT).rows_updated == 1


def test_a_duplicate_key_is_rejected_though_its_other_row_is_older(world):
    world.put({**people(3)[2], "updated_at": START})
    assert world.run(FULL).rows_rejected == 2
    change_one = "UPDATE customers SET city = 'Rome', updated_at = :at WHERE customer_id = 3 AND updated_at > :start"
    world.execute(change_one, at=START + timedelta(minutes=2_000), start=START)
    world.run(RECENT)
    assert world.sent() == []
    assert [row["reason"] for row in world.rows("rejections")] == ["duplicate_key"]


def test_a_rejection_of_an_older_row_stays(world):
    world.change(3, email="not an address")
    assert world.run(FULL).rows_rejected == 1
    change(world, 5, 3_000, city="Rome")
    assert world.run(RECENT).rows_updated == 1
    assert [row["reason"] for row in world.rows("rejections")] == ["invalid_email"]


def test_no_recent_rows_is_not_an_empty_source(world):
    no_overlap = replace(RECENT, watermark=Watermark("updated_at", overlap_seconds=0))
    world.run(no_overlap)
    world.drop(ROWS)
    assert world.run(no_overlap).rows_read == 0
    put(world, 21, 3_000)
    assert world.run(no_overlap).rows_read == 1


@EVERYWHERE
def test_a_query_has_a_watermark_too(world):
    query = replace(RECENT, source="select * from customers where city <> 'nowhere'")
    assert world.run(query).rows_read == ROWS, "another source is read whole"
    change(world, 3, 2_000, city="Rome")
    report = world.run(query)
    assert (report.rows_read, report.rows_updated) == (2, 1)


def test_a_column_that_is_not_a_time_is_refused_with_advice(new_database):
    with world_at(new_database, "sqlite") as world:
        world.seed(*people(2))
        with pytest.raises(ConfigurationError, match=r"watermark 'city' .* holds str.*cast it in the query"):
            world.run(sync_of(watermark=Watermark("city")))
        with pytest.raises(ConfigurationError, match="has no column 'citty'; did you mean 'city'"):
            world.run(sync_of(watermark=Watermark("citty")))


def test_a_watermark_of_days_goes_back_whole_days():
    assert Watermark("day", overlap_seconds=1).back_from(date(2026, 11, 2)) == date(2026, 11, 1)
    assert Watermark("day", overlap_seconds=0).back_from(date(2026, 11, 2)) == date(2026, 11, 2)


@pytest.mark.parametrize("settings", [("",), ("at", -1), ("at", 0, 0), ("at", float("nan"))])
def test_invalid_settings_are_refused(settings):
    with pytest.raises(ConfigurationError):
        Watermark(*settings)


def test_slices_have_no_watermark():
    with pytest.raises(ConfigurationError, match="watermark and partitions exclude each other"):
        sync_of(watermark=Watermark("updated_at"), partitions=HashBuckets(2))
