"""DuckDB compares hashes of source and snapshot first: no row is left out that differs by value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scenario import Scenario, customer, customers, open_scenario, sync_of

from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.sql_types import CreateTemporaryTableAs, SqlType
from dagster_dailystory.engine.planning.comparison.diff import Diff
from dagster_dailystory.engine.state.schema import StateLocation, SyncTables
from dagster_dailystory.model.change import KEPT_FOR_ANOTHER_SYNC
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import ContactSync, Scope

SYNC = sync_of(deletes="delete", min_guard_rows=1_000)
KEYS: dict[str, SqlType] = {"area": sa.Text(), "number": sa.BigInteger()}
TEXTS = ("field_email", "field_optOutEmail", "custom_note")
VALUES: dict[str, SqlType] = {**dict.fromkeys(TEXTS, sa.Text()), "custom_score": sa.Double()}
FIELDS = {
    "custom_note": st.sampled_from([None, "", "Paris", "paris"]),
    "field_optOutEmail": st.sampled_from([None, "yes", "Y", "no", "perhaps"]),
    "custom_score": st.sampled_from([None, 0.0, -0.0, 1.5]),
    "partition_value": st.sampled_from(["emea", "other_values"]),
}
KEY = {"area": st.sampled_from(["a", "é"]), "number": st.integers(0, 3)}
EDITS = [{}, {}, {"custom_note": "x"}, {"custom_note": None}, {"custom_note": ""}, {"partition_value": "emea"}]
OTHERS = st.lists(st.fixed_dictionaries({"area": st.sampled_from([None, "a", "é"]), "number": KEY["number"], **FIELDS}))
SNAPSHOT = st.lists(
    st.fixed_dictionaries(
        {
            **KEY,
            **FIELDS,
            "resend_all": st.sampled_from([None, False, False, True]),
            "only_mapped": st.sampled_from([None, False, True]),
            "unknown_fields": st.sampled_from([None, None, '"custom_note"']),
            "absent_since": st.sampled_from([None, None, None, "2026-01-01"]),
            "absent_action": st.sampled_from([None, KEPT_FOR_ANOTHER_SYNC]),
        }
    ),
    max_size=8,
    unique_by=lambda row: (row["area"], row["number"]),
)
SLICES = [None, ColumnValues("region", ["emea"]), HashBuckets(2)]
OPTIONS = [{}, {"limit": 2}, {"keys": ["a|1"]}, {"scope": Scope.REJECTED}, {"scope": Scope.OPT_OUTS}]


@contextmanager
def diff_of(sync: ContactSync, source: list[dict], snapshot: list[dict], **options) -> Iterator[tuple]:
    """A connection to DuckDB with these rows, and their diff without `moved`."""
    with sa.create_engine("duckdb:///:memory:").connect() as connection:
        tables = SyncTables(sync, StateLocation("duckdb://"), KEYS, VALUES, connection.dialect)
        types = {**KEYS, **VALUES, **({"partition_value": sa.Text()} if sync.partition_column else {})}
        columns = [sa.Column(name, kind, autoincrement=False) for name, kind in types.items()]
        rows = sa.Table("source", tables.metadata, *columns)
        tables.metadata.create_all(connection)
        for table, given_rows in ((rows, source), (tables.snapshot, snapshot)):
            for row in ({name: value for name, value in each.items() if name in table.c} for each in given_rows):
                connection.execute(sa.text(insert_of(table.name, row)), row)
        connection.exec_driver_sql(f"UPDATE {tables.snapshot.name} SET custom_note = nullif(custom_note, '')")
        if sync.partitions is not None:
            options["partition"] = sync.partitions.names[0]
        database, keys = database_of(connection.dialect), [{"area": "a", "number": 1}] if "keys" in options else []
        yield connection, Diff(rows, tables, PlanOptions(**options), database, keys)


def insert_of(table: str, row: dict[str, object]) -> str:
    names = ", ".join(f'"{name}"' for name in row)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"


def found(connection: sa.Connection, diff: Diff) -> list[str]:
    rows = connection.execute(diff.differing()).mappings()
    return sorted(str({name: value for name, value in row.items() if name != "sequence"}) for row in rows)


@pytest.mark.parametrize("mode", ["upsert", "update", "create"])
@pytest.mark.parametrize("nulls", ["keep", "clear"])
@settings(max_examples=12, deadline=None)
@given(
    others=OTHERS, snapshot=SNAPSHOT, edits=st.lists(st.sampled_from([None, *EDITS]), min_size=8, max_size=8),
    slices=st.sampled_from(SLICES), options=st.sampled_from(OPTIONS),
    deletes=st.sampled_from(["keep", "delete"]),
)  # fmt: skip
def test_hashes_leave_no_row_out_that_differs_by_value(mode, nulls, others, snapshot, edits, slices, options, deletes):
    sync = sync_of(
        key=("area", "number"), mode=mode, nulls=nulls, deletes="keep" if mode == "create" else deletes,
        fields={"email": "email", "optOutEmail": "opted_out"}, extended_properties={"note": "note", "score": "score"},
        partitions=slices,
    )  # fmt: skip
    known = [{name: row[name] for name in (*KEY, *FIELDS)} for row in snapshot]
    source = [row | edit for row, edit in zip(known, edits, strict=False) if edit is not None] + others
    with diff_of(sync, source, snapshot, **options) as (connection, diff):
        connection.execute(CreateTemporaryTableAs("moved", diff.moved_keys()))
        moved = sa.table("moved", *(sa.column(name, kind) for name, kind in KEYS.items()))
        assert found(connection, replace(diff, moved=moved)) == found(connection, diff)


@contextmanager
def rows_compared_by_value() -> Iterator[list[int]]:
    """How many keys had a hash that differs, for each plan."""
    counts: list[int] = []

    def count(_connection: object, cursor: sa.CursorResult, statement: str, *_more: object) -> None:
        if "TEMPORARY TABLE dailystory_customers_pending" in statement:
            cursor.execute("SELECT count(*) FROM dailystory_customers_moved")
            counts.extend(cursor.fetchone())

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        yield counts
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)


@pytest.fixture
def scenario(new_database) -> Iterator[Scenario]:
    """Twenty synced rows in DuckDB."""
    with open_scenario(new_database, "duckdb") as scenario:
        scenario.create()
        scenario.insert(*customers(20))
        assert scenario.run(SYNC).rows_created == 20
        yield scenario


def test_only_rows_whose_hash_differs_are_compared_by_value(scenario):
    scenario.update(3, city="Rome")
    scenario.insert(customer(21))
    scenario.delete(7)
    with rows_compared_by_value() as counts:
        report = scenario.run(SYNC)
        assert (report.rows_updated, report.rows_created, report.rows_deleted) == (1, 1, 1)
        assert scenario.run(SYNC).outcome == "empty"
    assert counts == [3, 0]


def test_empty_texts_and_nulls_have_one_hash(scenario):
    scenario.execute("UPDATE customers SET plan = NULL")
    scenario.run(replace(SYNC, nulls="clear"))
    scenario.execute("UPDATE customers SET plan = ''")
    with rows_compared_by_value() as counts:
        assert scenario.run(replace(SYNC, nulls="clear")).outcome == "empty"
    assert counts == [0]


def test_a_null_that_clears_no_field_is_settled_by_value(scenario):
    scenario.execute("UPDATE customers SET city = NULL WHERE customer_id <= 5")
    with rows_compared_by_value() as counts:
        assert scenario.run(SYNC).outcome == "empty"
    assert counts == [5]
    assert scenario.contact("p3@example.com")["city"] == "Paris"


def test_all_rows_may_differ(scenario):
    scenario.execute("UPDATE customers SET city = 'Rome'")
    assert scenario.run(replace(SYNC, max_changed_fraction=None)).rows_updated == 20
    assert scenario.run(SYNC).outcome == "empty"


def test_rows_of_a_duplicate_key_are_not_paired_with_each_other(scenario):
    scenario.insert(*(customer(99) for _ in range(300)))
    counts: list[int] = []

    def look(_connection: object, cursor: sa.CursorResult, statement: str, *_more: object) -> None:
        if "TABLE dailystory_customers_duplicates" in statement:
            cursor.execute("SELECT count(*) FROM dailystory_customers_pending")
            counts.extend(cursor.fetchone())

    sa.event.listen(sa.Engine, "before_cursor_execute", look)
    try:
        assert scenario.run(SYNC).rows_rejected == 300
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", look)
    assert counts == [300]


def test_a_view_is_evaluated_once(new_database):
    """Its second evaluation may return other rows."""
    with open_scenario(new_database, "duckdb") as scenario:
        scenario.create("stored")
        scenario.insert(*customers(20), table="stored")
        scenario.execute("CREATE SEQUENCE evaluated")
        scenario.execute("CREATE VIEW customers AS SELECT * REPLACE (nextval('evaluated')::TEXT AS plan) FROM stored")
        assert scenario.run(SYNC).rows_created == 20
        assert scenario.select("SELECT nextval('evaluated') AS number") == [{"number": 21}]


def test_a_column_of_another_type_is_cast_before_it_is_hashed(scenario):
    scenario.execute("ALTER TABLE customers ALTER plan TYPE ENUM ('free', 'gold')")
    with rows_compared_by_value() as counts:
        assert scenario.run(SYNC).outcome == "empty"
    assert counts == [0]


ALIKE = [
    ("hugeint", "0", "-1"),
    ("decimal(38,2)", "0.00", "-0.01"),
    ("uuid", "'00000000-0000-0001-0000-000000000002'", "'00000000-0000-0002-0000-000000000001'"),
    ("int[]", "NULL", "[]"),
    ("struct(a int)", "NULL", "{'a': NULL}"),
    ("map(int, int)", "NULL", "map()"),
    ("struct(a int[], b int[])", "{'a': [1], 'b': [2]}", "{'a': [1, 2], 'b': []}"),
    ("varchar[]", "['x', 'y']", "['x, y']"),
]
"""Type and two values, to which DuckDB's own hash gives the same number, or whose texts are the same."""


@pytest.mark.parametrize(("kind", "before", "after"), ALIKE)
@pytest.mark.parametrize("state", [None, "sqlite"])
def test_a_change_between_values_of_one_hash_is_sent(
    new_database, state: str | None, kind: str, before: str, after: str
):
    with open_scenario(new_database, "duckdb", state) as scenario:
        scenario.execute(f"CREATE TABLE odd AS SELECT 1 AS id, 'a@x.com' AS email, CAST({before} AS {kind}) AS value")
        sync = sync_of(source="odd", key="id", fields={"email": "email"}, extended_properties={"value": "value"})
        for _ in range(3):
            scenario.run(sync)
        scenario.execute(f"UPDATE odd SET value = {after}")
        assert [scenario.run(sync).rows_updated for _ in range(2)] == [1, 0]


def test_an_item_that_moves_to_the_next_list_is_sent(new_database):
    with open_scenario(new_database, "duckdb", None) as scenario:
        scenario.execute("CREATE TABLE odd AS SELECT 1 AS id, 'a@x.com' AS email, ['x'] AS one, ['y'] AS two")
        sync = sync_of(
            source="odd", key="id", fields={"email": "email"}, extended_properties={"one": "one", "two": "two"}
        )
        scenario.run(sync)
        scenario.execute("UPDATE odd SET one = ['x', 'y'], two = []")
        assert scenario.run(sync).rows_updated == 1
