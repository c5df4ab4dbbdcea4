"""Key ranges on DuckDB: all ranges together have each row once, and find what one comparison finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from support.steps import plan_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.engine.planning.comparison.diff import OFFSET, Diff
from dagster_dailystory.engine.planning.comparison.key_ranges import (
    HASHED_ROWS,
    MOST_AT_ONCE,
    WHOLE,
    KeyRange,
    RowsAtOnce,
    each_range,
    hashed_at_once,
    ranges_of_keys,
    ranges_of_numbers,
    rows_at_once,
    width_of,
)
from dagster_dailystory.engine.planning.comparison.row_hashes import RowHashes
from dagster_dailystory.engine.state.schema import StateLocation, SyncTables
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import ContactSync

SYNC = ContactSync(name="customers", source="customers", key=("area", "number"), fields={"city": "city"}, mode="update")
ROWS = 900
MISSING = 26


@pytest.fixture
def connection() -> sa.Connection:
    """A source of 900 rows, a quarter of them without an area; every third is not in the snapshot."""
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
    missing = f"SELECT chr(97 + i::INTEGER), 10_000 + i, 'gone' FROM range({MISSING}) AS series(i)"
    connection.exec_driver_sql(f"INSERT INTO {tables.snapshot.name} (area, number, field_city) {missing}")
    return Diff(sa.table("source", *columns), tables, PlanOptions(), database_of(connection.dialect))


@pytest.mark.parametrize("elsewhere", [False, True], ids=["joined both ways", "missing keys apart"])
def test_ranges_find_what_one_comparison_finds(connection: sa.Connection, elsewhere: bool) -> None:
    diff = diff_of(connection)
    diff = replace(diff, all_keys=diff.source) if elsewhere else diff
    whole = found_in(connection, diff, [WHOLE])
    parts = found_in(
        connection, diff, [KeyRange(None, "a"), KeyRange("a", "z"), KeyRange("z", "É"), KeyRange("É", None)]
    )
    assert len(whole) == ROWS / 4 + MISSING  # every third of the three quarters that have a key
    assert len([row for row in whole.values() if row["departed"]]) == MISSING
    assert parts == whole


def found_in(connection: sa.Connection, diff: Diff, ranges: list[KeyRange]) -> dict[tuple[str, int], dict[str, Any]]:
    """Key -> row, without its number; the numbers must start at 1 and have no gap."""
    found: list[dict[str, Any]] = []
    for query, parameters in [*diff.differing(ranges), *([] if diff.uses_full_join else diff.missing_keys(ranges))]:
        rows = connection.execute(query, {**parameters, OFFSET: len(found)}).mappings()
        found += [dict(row) for row in rows]
    assert sorted(row.pop("sequence") for row in found) == list(range(1, len(found) + 1))
    return {(row["area"], row["number"]): row for row in found}


@pytest.mark.parametrize("range_rows", [300, 700, 10_000])
def test_ranges_of_keys_hold_each_key_once(connection: sa.Connection, range_rows: int) -> None:
    source = diff_of(connection).source
    ranges = ranges_of_keys(ROWS, range_rows, source, "number", connection)
    assert len(ranges) == ROWS // range_rows + 1
    held: list[int] = []
    for key_range in ranges:
        part = key_range.of(source, "number", "part")
        numbers = connection.execute(sa.select(part.c.number), key_range.parameters).scalars().all()
        assert len(numbers) < 2 * range_rows
        held += numbers
    assert sorted(held) == list(range(ROWS))


@pytest.mark.parametrize(
    ("order", "if_scattered", "count"),
    [
        ("number", 10_000.0, 4),
        ("(number + 400) % 900", 10_000.0, 4),  # rotated: each range still reads a part of its own
        ("hash(number)", 10_000.0, 1),
        ("hash(number)", 500.0, 2),
        ("hash(number)", 200.0, 4),
        ("hash(number)", 0.0, 4),
    ],
)
def test_scattered_keys_are_cut_into_as_few_ranges_as_possible(
    connection: sa.Connection, order: str, if_scattered: float, count: int
) -> None:
    connection.exec_driver_sql(f"CREATE TABLE lying AS SELECT number FROM source ORDER BY {order}")
    lying = sa.table("lying", sa.column("number", sa.BigInteger()))
    ranges = ranges_of_keys(ROWS, 300, lying, "number", connection, if_scattered)
    assert len(ranges) == count
    parts = [(key_range.of(lying, "number", "part"), key_range.parameters) for key_range in ranges]
    held = [n for part, bounds in parts for n in connection.execute(sa.select(part.c.number), bounds).scalars()]
    assert sorted(held) == list(range(ROWS))


@pytest.mark.parametrize(("order", "count"), [("area, number", 4), ("hash(area), number", 1)])
def test_rows_of_one_first_key_column_may_be_in_any_order(connection: sa.Connection, order: str, count: int) -> None:
    numbered = "(SELECT number // 40 AS area, number FROM source)"
    connection.exec_driver_sql(f"CREATE TABLE lying AS SELECT * FROM {numbered} ORDER BY {order}")
    lying = sa.table("lying", sa.column("area", sa.BigInteger()))
    assert len(ranges_of_keys(ROWS, 300, lying, "area", connection, 10_000.0)) == count


def test_ranges_hold_each_key_once_where_duckdb_sorts_downwards(connection: sa.Connection) -> None:
    connection.exec_driver_sql("SET default_order = 'DESC'")
    test_ranges_of_keys_hold_each_key_once(connection, 300)


def test_no_large_join_where_duckdb_may_not_write_temporary_files(
    connection: sa.Connection,
) -> None:
    connection.exec_driver_sql("SET memory_limit = '100MB'")
    connection.exec_driver_sql("SET temp_directory = ''")
    assert hashed_at_once(16 + 7, connection) == 0


def test_a_hash_join_may_have_six_times_the_memory_limit(connection: sa.Connection) -> None:
    connection.exec_driver_sql("SET memory_limit = '100MB'")
    assert hashed_at_once(16 + 7, connection) == pytest.approx(6 * 100e6 / (16 + 7 + 16 + 19), rel=0.01)
    connection.exec_driver_sql("SET memory_limit = '-1'")
    assert hashed_at_once(16 + 7, connection) > 10**9


def values(connection: sa.Connection, text_bytes: int, columns: int) -> sa.FromClause:
    texts = ", ".join(f"repeat('x', {text_bytes}) AS text_{number}" for number in range(columns))
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE wide AS SELECT {texts} FROM range(2000)")
    return sa.table("wide", *(sa.column(f"text_{number}", sa.Text()) for number in range(columns)))


@pytest.mark.parametrize(
    ("limit", "text_bytes", "columns", "rows"),
    [
        ("50MB", 10, 20, (2_000, 2_000, 2_000)),
        ("80MB", 10, 20, (11_500, 11_500, 11_500)),
        ("110MB", 10, 20, (28_800, 28_800, 25_000)),
        ("200MB", 10, 20, (80_800, 50_000, 25_000)),
        ("200MB", 44, 20, (35_000, 35_000, 25_000)),
        ("200MB", 10, 60, (26_900, 26_900, 25_000)),
        ("64GB", 44, 60, (250_000, 50_000, 25_000)),
    ],
)
def test_ranges_are_smaller_for_little_memory_and_for_wide_rows(
    connection: sa.Connection, limit: str, text_bytes: int, columns: int, rows: tuple[int, ...]
) -> None:
    wide = values(connection, text_bytes, columns)
    connection.exec_driver_sql(f"SET memory_limit = '{limit}'")
    assert astuple(rows_at_once(width_of(wide, connection), connection)) == pytest.approx(rows, rel=0.02)


def test_the_width_of_a_row_is_measured_without_nulls(connection: sa.Connection) -> None:
    wide = values(connection, 44, 20)
    assert width_of(wide, connection) == 20 * (16 + 44)
    connection.exec_driver_sql("UPDATE wide SET text_0 = NULL, text_1 = CASE WHEN rowid % 2 = 0 THEN text_1 END")
    assert width_of(wide, connection) == 20 * 16 + 19 * 44
    assert width_of(sa.select(wide).where(sa.false()).subquery(), connection) == 0


def test_without_rows_or_a_limit_ranges_are_as_large_as_possible(connection: sa.Connection) -> None:
    connection.exec_driver_sql("SET memory_limit = '80MB'")
    assert rows_at_once(0.0, connection) == MOST_AT_ONCE
    connection.exec_driver_sql("SET memory_limit = '-1'")
    assert rows_at_once(1_000.0, connection) == MOST_AT_ONCE


def test_rows_of_other_databases_are_not_measured() -> None:
    with sa.create_engine("sqlite://", poolclass=sa.NullPool).connect() as connection:
        assert width_of(sa.table("nothing"), connection) == 0


def test_ranges_of_numbers_hold_each_number_once() -> None:
    duckdb, sqlite = (sa.make_url(f"{name}://").get_dialect()() for name in ("duckdb", "sqlite"))
    at_once = RowsAtOnce(compared=90_000, changed=50_000, written=25_000)
    assert ranges_of_numbers(1_000_000, at_once, sqlite) == [WHOLE]
    for highest, width in (
        (0, 25_000),
        (1, 25_000),
        (25_001, 25_000),
        (250_000, 25_000),
        (250_001, 90_000),
        (3_000_000, 90_000),
    ):
        ranges = ranges_of_numbers(highest, at_once, duckdb)
        assert ranges[0].first is None
        assert ranges[-1].end is None
        assert [key_range.end for key_range in ranges[:-1]] == [key_range.first for key_range in ranges[1:]]
        assert len(ranges) == max(1, -(-highest // width))


def test_ranges_find_the_rows_whose_hash_moved(new_database) -> None:
    with open_state(StateLocation(new_database("duckdb")), SYNC) as state:
        execute = state.connection.exec_driver_sql
        with state.connection.begin():
            kinds = {"area": sa.Text(), "number": sa.BigInteger()}
            tables = SyncTables(SYNC, state.location, kinds, {"field_city": sa.Text()}, state.dialect)
            tables.metadata.create_all(state.connection)
            rows = f"SELECT chr(97 + i::INTEGER % 3) AS area, i AS number, i * 7 AS row_hash FROM range({ROWS}) AS t(i)"
            execute(f"CREATE TABLE hashed AS {rows}")
            remembered = f"SELECT area, number, row_hash + (number % 5 = 0)::INTEGER FROM ({rows}) WHERE number % 4 > 0"
            execute(f"INSERT INTO {tables.row_hashes.name} {remembered}")
            present = sa.table(
                "hashed", *(sa.column(name, kind) for name, kind in kinds.items()), sa.column("row_hash")
            )
            ranges = [KeyRange(None, "b"), KeyRange("b", "c"), KeyRange("c", None)]
            parts = [*each_range(ranges, partial(RowHashes(state, tables).changed_rows, present, ["number"]))]
            found = [number for query, bounds in parts for (number,) in state.connection.execute(query, bounds)]
    assert sorted(found) == [number for number in range(ROWS) if number % 5 == 0 or number % 4 == 0]


def acknowledge(connection: sa.Connection, city: str) -> None:
    """Write to the state that DailyStory has all customers, with this city."""
    known = f"(id, field_email, field_city, identity_email) SELECT id, email, {city}, email FROM customers"
    connection.exec_driver_sql(f"INSERT INTO dailystory_customers_snapshot {known}")
    dsids = "(id, dsid) SELECT id, 'd' || id FROM customers"
    connection.exec_driver_sql(f"INSERT INTO dailystory_customers_contact_map {dsids}")


@pytest.mark.slow
def test_a_plan_that_is_written_in_ranges_has_each_row_once(new_database) -> None:
    rows = 60_000
    url, nowhere = new_database("duckdb"), AccountSettings("http://127.0.0.1:9/api/v1", "none")
    sync = ContactSync(name="customers", source="customers", key="id", fields={"email": "email", "city": "city"})
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        values = "i AS id, 'p' || i || '@example.com' AS email, 'Paris' AS city"
        connection.exec_driver_sql(f"CREATE TABLE customers AS SELECT {values} FROM range({rows}) AS t(i)")
    assert plan_run(sync, Warehouse.at(url), nowhere).rows_to_create == rows
    with engine.begin() as connection:
        acknowledge(connection, city="'Rome'")
    plan = plan_run(replace(sync, max_changed_fraction=None), Warehouse.at(url), nowhere)
    assert plan.rows_to_update == rows
    with engine.begin() as connection:
        numbers = "count(*), count(DISTINCT id), count(DISTINCT sequence), min(sequence), max(sequence), count(dsid)"
        stored = connection.exec_driver_sql(
            f"SELECT operation, {numbers} FROM dailystory_customers_changes GROUP BY operation ORDER BY operation"
        ).all()
    assert [tuple(row) for row in stored] == [
        ("create", rows, rows, rows, 1, rows, 0),
        ("update", rows, rows, rows, 1, rows, rows),
    ]


@contextmanager
def statements_that_write(name: str) -> Iterator[list[str]]:
    """The statements that create a table or append to it."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.lstrip().startswith((f"CREATE TEMPORARY TABLE {name} ", f"INSERT INTO {name} ")):
            found.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


@pytest.mark.slow
@pytest.mark.parametrize(("order", "lookups"), [("i", 2), ("hash(i)", 1)])
def test_a_plan_whose_moved_rows_are_joined_in_ranges_has_each_row_once(new_database, order: str, lookups: int) -> None:
    rows = HASHED_ROWS // 2 + 10_000
    assert rows > MOST_AT_ONCE.changed
    url, nowhere = new_database("duckdb"), AccountSettings("http://127.0.0.1:9/api/v1", "none")
    sync = ContactSync(name="customers", source="customers", key="id", fields={"email": "email", "city": "city"})
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        values = "i AS id, 'p' || i || '@example.com' AS email, 'Paris' AS city"
        connection.exec_driver_sql(
            f"CREATE TABLE customers AS SELECT {values} FROM range({2 * rows}) AS t(i) ORDER BY {order}"
        )
    plan_run(sync, Warehouse.at(url), nowhere)
    with engine.begin() as connection:
        acknowledge(connection, city="city")
    assert plan_run(sync, Warehouse.at(url), nowhere).rows_to_update == 0
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE customers SET city = 'Rome' WHERE id % 2 = 0")
        connection.exec_driver_sql("DELETE FROM customers WHERE id = 7")
    with statements_that_write("dailystory_customers_moved") as looked_up:
        plan = plan_run(replace(sync, deletes="delete", max_changed_fraction=None), Warehouse.at(url), nowhere)
    assert len(looked_up) == lookups
    assert (plan.rows_to_update, plan.rows_to_delete) == (rows, 1)
    with engine.begin() as connection:
        numbers = "count(DISTINCT id), count(DISTINCT sequence), min(sequence), max(sequence)"
        stored = connection.exec_driver_sql(
            f"SELECT {numbers} FROM dailystory_customers_changes WHERE plan_id = '{plan.plan_id}'"
        ).one()
    assert tuple(stored) == (rows + 1, rows + 1, 1, rows + 1)
