"""DuckDB compares a large table in spans of its key: together they find what one comparison finds."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from dagster_dailystory.diff import WHOLE, Diff, Span
from dagster_dailystory.model import ContactSync, PlanOptions
from dagster_dailystory.tables import StateLocation, SyncTables

SYNC = ContactSync(name="customers", source="customers", key=("area", "number"), fields={"city": "city"})
ROWS = 900
DEPARTED = 26


@pytest.fixture
def connection() -> sa.Connection:
    """A source of 900 rows in three areas and one without, of which every third is not in the snapshot."""
    connection = sa.create_engine("duckdb:///:memory:").connect()
    connection.exec_driver_sql(
        "CREATE TABLE source AS SELECT CASE i % 4 WHEN 0 THEN 'a' WHEN 1 THEN 'É' WHEN 2 THEN 'z' END AS area,"
        f" i AS number, 'City ' || i AS field_city FROM range({ROWS}) AS series(i)"
    )
    return connection


def diff_of(connection: sa.Connection) -> Diff:
    keys = {"area": sa.Text(), "number": sa.BigInteger()}
    tables = SyncTables(SYNC, StateLocation("duckdb://"), keys, {"field_city": sa.Text()}, connection.dialect)
    tables.metadata.create_all(connection)
    columns = [sa.column(name, kind) for name, kind in {**keys, "field_city": sa.Text()}.items()]
    synced = "SELECT area, number, field_city FROM source WHERE area IS NOT NULL AND number % 3 > 0"
    connection.exec_driver_sql(f"INSERT INTO {tables.snapshot.name} (area, number, field_city) {synced}")
    departed = f"SELECT chr(97 + i::INTEGER), 10_000 + i, 'gone' FROM range({DEPARTED}) AS series(i)"
    connection.exec_driver_sql(f"INSERT INTO {tables.snapshot.name} (area, number, field_city) {departed}")
    return Diff(sa.table("source", *columns), tables, PlanOptions(), connection.dialect)


def test_spans_together_find_what_one_comparison_finds(connection: sa.Connection) -> None:
    diff = diff_of(connection)
    [query] = diff.queries([WHOLE])
    whole = connection.execute(query(0).order_by("sequence")).all()
    parts: list[sa.Row[Any]] = []
    for part in diff.queries([Span(None, "a"), Span("a", "z"), Span("z", "É"), Span("É", None)]):
        parts += connection.execute(part(len(parts)).order_by("sequence")).all()
    assert len(whole) == ROWS / 4 + DEPARTED  # every third of the three quarters that have a key
    assert len([row for row in whole if row.departed]) == DEPARTED
    assert sorted(row.sequence for row in parts) == sorted(row.sequence for row in whole)
    assert {row[1:] for row in parts} == {row[1:] for row in whole}


def test_a_sample_of_keys_is_in_order_and_small(connection: sa.Connection) -> None:
    sample = list(connection.execute(diff_of(connection).key_sample(2)).scalars())
    assert sample == sorted(sample)
    assert 0 < len(sample) < ROWS
