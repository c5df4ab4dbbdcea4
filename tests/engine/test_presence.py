"""Whoever is in the source keeps the contact: "this key is gone" is decided by the whole source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from support.placements import Placement
from support.scenario import Scenario, customer, customers, open_scenario, sync_of

from dagster_dailystory.engine.presence.source_keys import Key, SourceKeys
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.model.watermark import Watermark

START = datetime(2026, 11, 1, 12)
RECENT = Watermark("updated_at", overlap_seconds=60)
PLACEMENTS = (
    Placement("sqlite"), Placement("duckdb"), Placement("postgresql"),
    Placement("postgresql", "sqlite"), Placement("duckdb", "postgresql"), Placement("sqlite", "duckdb"),
)  # fmt: skip


@pytest.fixture(params=PLACEMENTS, ids=str)
def scenario(request: pytest.FixtureRequest, new_database) -> Iterator[Scenario]:
    placement = request.param
    with open_scenario(new_database, placement.warehouse, placement.state) as scenario:
        yield scenario


def seed_dated(scenario: Scenario, count: int) -> None:
    """Synced rows that changed at the start, the last one an hour later."""
    scenario.create(**scenario.source.columns, updated_at="timestamp")
    for number, row in enumerate(customers(count), start=1):
        scenario.insert({**row, "updated_at": START + timedelta(hours=number == count)})


WITH_DATES = pytest.mark.parametrize(
    "scenario", [p for p in PLACEMENTS if p.warehouse != "sqlite"], ids=str, indirect=True
)
SOURCES = pytest.mark.parametrize("source", ["customers", "select * from customers"])


@WITH_DATES
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


@WITH_DATES
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
