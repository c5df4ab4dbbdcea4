"""Whoever is in the source keeps the contact: "this key is gone" is decided by the whole source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, event, select
from support.placements import Placement, at
from support.scenario import Scenario, customer, customers, open_scenario, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.engine.presence.source_keys import Key, SourceKeys
from dagster_dailystory.engine.run import new_run_id
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.errors import SafetyError
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets, Partitioning
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.model.watermark import Watermark

START = datetime(2026, 11, 1, 12)
RECENT = Watermark("updated_at", overlap_seconds=60)
AT_EACH = (
    Placement("sqlite"), Placement("duckdb"), Placement("postgresql"),
    Placement("postgresql", "sqlite"), Placement("duckdb", "postgresql"), Placement("sqlite", "duckdb"),
)  # fmt: skip
PLACEMENTS = (Placement("duckdb"), Placement("postgresql", "sqlite"))
"""The source in the state's database, which is joined, and in another one, which is asked for the keys."""


def seed_dated(scenario: Scenario, count: int) -> None:
    """Synced rows that changed at the start, the last one an hour later."""
    scenario.create(**scenario.source.columns, updated_at="timestamp")
    for number, row in enumerate(customers(count), start=1):
        scenario.insert({**row, "updated_at": START + timedelta(hours=number == count)})


REGIONS = ColumnValues("region", ["emea", "amer"])
BUCKETS = HashBuckets(2)
COUNT = 16


def sync_in_slices(partitions: Partitioning, **settings: object) -> ContactSync:
    usual = {"deletes": "delete", "max_deleted_fraction": None, "partitions": partitions}
    return sync_of(**{**usual, **settings})


def seed_regions(scenario: Scenario, sync: ContactSync) -> None:
    """Synced rows, half of them in each region."""
    scenario.create(**scenario.source.columns, region="varchar(9)")
    for number, row in enumerate(customers(COUNT), start=1):
        scenario.insert({**row, "region": REGIONS.values[number % 2]})
    run_slices(scenario, sync)
    scenario.sent()


def run_slices(scenario: Scenario, sync: ContactSync) -> list[SyncReport]:
    assert sync.partitions is not None
    return [scenario.run(sync, partition=name) for name in sync.partitions.names]


@pytest.mark.parametrize(
    ("partitions", "policy"), [(BUCKETS, "delete"), (REGIONS, "deactivate")], ids=["buckets", "values"]
)
def test_a_new_key_in_another_slice_keeps_its_contact(scenario: Scenario, partitions: Partitioning, policy: str):
    sync = sync_in_slices(partitions, deletes=policy)
    seed_regions(scenario, sync)
    scenario.edit("p3@example.com", optOutEmail=True)
    before = scenario.sandbox.contacts()
    moves = "customer_id = customer_id + 100, region = CASE region WHEN 'emea' THEN 'amer' ELSE 'emea' END"
    scenario.execute(f"UPDATE customers SET {moves} WHERE customer_id < 13")
    reports = run_slices(scenario, sync) + run_slices(scenario, sync)
    assert sum(report.rows_deleted + report.rows_created for report in reports) == 0
    assert {operation for _, operation, _ in scenario.sent()} == {"update"}
    now = scenario.sandbox.contacts()
    assert [(c["dsId"], c["email"], c["status"]) for c in now] == [(c["dsId"], c["email"], c["status"]) for c in before]
    expected = {str(n + 100 if n < 13 else n): f"p{n}@example.com" for n in range(1, COUNT + 1)}
    assert scenario.contact_map() == expected


def test_a_contact_whose_new_key_is_doubled_or_null_is_kept(scenario: Scenario):
    sync = sync_of(deletes="delete", max_deleted_fraction=None)
    scenario.seed(*customers(6))
    scenario.run(sync)
    scenario.update(1, customer_id=101)
    scenario.insert(customer(101, email="other@example.com"))
    scenario.update(2, customer_id=None)
    scenario.delete(3)
    report = scenario.run(sync)
    assert (report.rows_deleted, report.rows_rejected) == (1, 3)
    assert scenario.contact("p1@example.com")["status"] == scenario.contact("p2@example.com")["status"] == "Active"
    assert scenario.contact("p3@example.com")["status"] == "Deleted"


@at(Placement("sqlite"))
@pytest.mark.parametrize("partitions", [BUCKETS, REGIONS], ids=["buckets", "values"])
def test_no_slice_of_a_source_that_lost_most_rows_deletes_one(scenario: Scenario, partitions: Partitioning):
    sync = sync_in_slices(partitions, max_deleted_fraction=0.5, min_guard_rows=5)
    seed_regions(scenario, sync)
    scenario.execute("DELETE FROM customers WHERE customer_id > 4")
    for name in partitions.names:
        with pytest.raises(SafetyError, match="deleted_share: 12 of 16 contacts would be deleted"):
            scenario.run(sync, partition=name)
    assert scenario.sent() == []


@at(Placement("postgresql"))
def test_with_a_limit_of_0_not_one_contact_of_a_slice_is_deleted(scenario: Scenario):
    sync = sync_in_slices(REGIONS, max_deleted_fraction=0)
    seed_regions(scenario, sync)
    scenario.delete(1)
    for name in REGIONS.names:
        with pytest.raises(SafetyError, match="deleted_share: 1 of 16"):
            scenario.run(sync, partition=name)


SOURCES = pytest.mark.parametrize("source", ["customers", "select * from customers"])


@SOURCES
def test_a_new_row_with_the_email_of_an_older_row_is_rejected(scenario: Scenario, source: str):
    sync = sync_of(source=source, watermark=RECENT, deletes="delete")
    seed_dated(scenario, 9)
    scenario.run(sync)
    before = scenario.contact_map()
    stranger = customer(77, email="p5@example.com", first_name="Stranger")
    scenario.insert({**stranger, "updated_at": START + timedelta(hours=2)})
    report = scenario.run(sync)
    assert (report.rows_read, report.rows_rejected, report.rows_updated) == (2, 1, 0)
    assert scenario.contact_map() == before
    assert scenario.contact("p5@example.com")["firstName"] == "Name 5"
    assert scenario.rejections() == {"77": "duplicate_identity"}


@SOURCES
def test_a_new_key_of_a_row_that_left_keeps_its_contact_among_recent_rows(scenario: Scenario, source: str):
    sync = sync_of(source=source, watermark=RECENT, deletes="delete")
    seed_dated(scenario, 9)
    scenario.run(sync)
    scenario.update(5, customer_id=77, updated_at=START + timedelta(hours=2))
    report = scenario.run(sync)
    assert (report.rows_created, report.rows_updated) == (0, 1)
    assert scenario.contact_map()["77"] == "p5@example.com"
    assert "5" not in scenario.contact_map()


KEYS = {
    "integer": ("integer", ["1", "2", "3"]),
    "text": ("varchar(20)", ["'a'", "'B''b'", "'é'"]),
    "padded": ("char(8)", ["'a'", "'bb'", "'cccccccc'"]),
    "uuid": ("uuid", [f"'0000000{n}-0000-4000-8000-000000000000'" for n in (1, 2, 3)]),
    "decimal": ("decimal(9, 2)", ["1.5", "2", "3.25"]),
    "date": ("date", ["'2026-01-01'", "'2026-01-02'", "'1999-12-31'"]),
}


def present_keys(scenario: Scenario, sync: ContactSync) -> set[Key]:
    """The keys of the snapshot that the source has."""
    with open_session(sync, scenario.warehouse.state) as (state, _), state.connection.begin():
        tables = state.load_tables()
        assert tables is not None
        keys = select(*(tables.snapshot.c[key] for key in sync.key_columns))
        return SourceKeys(state, tables, scenario.warehouse_url).present(keys)


@at(*AT_EACH)
@pytest.mark.parametrize("kind", KEYS)
def test_a_key_of_any_type_is_found_in_the_source(scenario: Scenario, kind: str):
    sql_type, values = KEYS[kind]
    if kind == "uuid" and scenario.dialect == "sqlite":
        sql_type = "text"
    scenario.create(**{"customer_id": sql_type, "region": "varchar(9)", "email": "varchar(90)"})
    for number, value in enumerate(values):
        scenario.execute(f"INSERT INTO customers VALUES ({value}, 'r{number % 2}', 'p{number}@example.com')")
    sync = sync_of(key=["region", "customer_id"], fields={"email": "email"}, extended_properties={})
    assert scenario.run(sync).rows_created == 3
    scenario.execute(f"DELETE FROM customers WHERE customer_id = {values[0]}")
    for source in ("customers", "select * from customers"):
        found = present_keys(scenario, replace(sync, source=source))
        assert sorted(key[0] for key in found) == ["r0", "r1"]


def test_a_key_that_no_condition_finds_is_looked_for_in_all_rows(new_database):
    """PostgreSQL compares an enum with no text."""
    with open_scenario(new_database, "postgresql", "sqlite") as scenario:
        scenario.execute("CREATE TYPE grade AS ENUM ('a', 'b', 'c')")
        scenario.create(customer_id="grade", email="varchar(90)")
        scenario.execute("INSERT INTO customers VALUES ('a', 'a@example.com'), ('b', 'b@example.com')")
        sync = sync_of(fields={"email": "email"}, extended_properties={})
        scenario.run(sync)
        scenario.execute("DELETE FROM customers WHERE customer_id = 'a'")
        assert present_keys(scenario, sync) == {("b",)}


def planned(scenario: Scenario, sync: ContactSync, partition: str | None = None) -> Callable[[], SyncReport]:
    """Make a plan, and return what sends it."""
    run_id = new_run_id()
    options = PlanOptions(partition=partition)
    plan_run(sync, scenario.warehouse, scenario.account, options, run_id)

    def send() -> SyncReport:
        sent = send_run(sync, scenario.warehouse, scenario.account, [run_id], partition=partition)
        assert sent.error is None
        return sent.report

    return send


@pytest.mark.parametrize("source", ["customers", "select * from customers"])
def test_a_key_that_is_back_before_its_deletion_is_sent_is_kept(scenario: Scenario, source: str):
    sync = sync_of(source=source, deletes="delete")
    scenario.seed(*customers(6))
    scenario.run(sync)
    scenario.delete(1, 2)
    send = planned(scenario, sync)
    scenario.insert(customer(1))
    report = send()
    assert (report.outcome, report.rows_to_delete, report.rows_deleted, report.rows_delete_returned) == (
        "done",
        2,
        1,
        1,
    )
    assert scenario.contact("p1@example.com")["status"] == "Active"
    assert scenario.contact("p2@example.com")["status"] == "Deleted"
    assert scenario.run(sync).api_requests == 0, "the row that is back is as it was"


@at(Placement("postgresql"))
def test_a_key_that_another_slice_sent_since_is_not_deleted(scenario: Scenario):
    sync = sync_in_slices(REGIONS)
    seed_regions(scenario, sync)
    scenario.delete(2)
    send = planned(scenario, sync, "emea")
    scenario.insert({**customer(2, city="Rome"), "region": "amer"})
    assert scenario.run(sync, partition="amer").rows_updated == 1
    assert send().rows_deleted == 0
    assert scenario.contact("p2@example.com")["status"] == "Active"


def test_a_contact_that_another_row_of_the_sync_holds_is_not_deleted(scenario: Scenario):
    keep, delete = sync_of(), sync_of(deletes="delete", max_deleted_fraction=None)
    scenario.seed(*customers(3))
    scenario.run(keep)
    scenario.delete(2)
    scenario.run(keep)
    scenario.edit("p2@example.com", email="p4@example.com")
    scenario.insert(customer(4))
    scenario.run(keep)
    scenario.insert(customer(2))
    scenario.run(keep)
    scenario.delete(2)
    assert scenario.run(delete).rows_deleted == 0
    assert scenario.contact_map()["4"] == "p2@example.com", "both rows had the contact"
    assert scenario.contact("p2@example.com")["status"] == "Active"


def test_deletions_wait_while_the_source_cannot_be_asked(scenario: Scenario):
    sync = sync_of(deletes="delete")
    scenario.seed(*customers(6))
    scenario.run(sync)
    scenario.delete(1)
    scenario.update(2, city="Rome")
    send = planned(scenario, sync)
    scenario.execute("ALTER TABLE customers RENAME TO elsewhere")
    report = send()
    assert (report.outcome, report.rows_updated, report.rows_deleted) == ("incomplete", 1, 0)
    assert (report.rows_delete_waiting, scenario.row_of("runs", report)["rows_delete_waiting"]) == (1, 1)
    scenario.execute("ALTER TABLE elsewhere RENAME TO customers")
    assert scenario.run(sync).rows_deleted == 1
    assert scenario.contact("p1@example.com")["status"] == "Deleted"


def test_a_thousand_deletions_take_one_look_at_the_source(new_database):
    looks = 0

    def count(_connection, _cursor, statement, *_args) -> None:
        nonlocal looks
        looks += "customer_id IN (" in statement.replace('"', "")

    sync = sync_of(deletes="delete", max_deleted_fraction=None)
    with open_scenario(new_database, "postgresql", "sqlite") as scenario:
        scenario.seed(*customers(1_100))
        scenario.run(sync)
        scenario.execute("DELETE FROM customers WHERE customer_id > 50")
        event.listen(Engine, "before_cursor_execute", count)
        try:
            assert scenario.run(sync).rows_deleted == 1_050
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        assert looks <= 2
