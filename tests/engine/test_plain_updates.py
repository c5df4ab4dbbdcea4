"""Plain updates: a row that the statement passes also passes the row check in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dagster_dailystory.contacts.payload import sends_nothing
from dagster_dailystory.contacts.validation import check_row
from dagster_dailystory.databases.sql_types import UNSUPPORTED, SqlType
from dagster_dailystory.engine.planning.plain_updates import plain_updates
from dagster_dailystory.engine.state.schema import StateLocation, SyncTables, differs_column
from dagster_dailystory.model.change import Change, Identity, Operation
from dagster_dailystory.model.sync import ContactSync

SYNC = ContactSync(
    name="customers", source="customers", key="customer_id", fields={"email": "email"}, extended_properties={"x": "x"}
)
COLUMN = "custom_x"
FLAG = differs_column(COLUMN)
KEY = {"customer_id": sa.BigInteger()}
TYPES: dict[str, tuple[SqlType, st.SearchStrategy[object], object]] = {
    "text": (
        sa.Text(),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
        | st.sampled_from([" 5", "\x01\x02", "x" * 255, "x" * 256, "7" * 256, UNSUPPORTED, "\u200b", "\u00a0", "ß"]),
        "gold",
    ),
    "integer": (sa.BigInteger(), st.integers(-(2**63), 2**63 - 1), 7),
    "boolean": (sa.Boolean(), st.booleans(), False),
    "float": (sa.Double(), st.floats(), 1.5),
    "decimal": (sa.Numeric(30, 9), st.decimals(-(10**20), 10**20, places=9), Decimal("12.50")),
    "date": (sa.Date(), st.dates(), date(2024, 2, 29)),
    "timestamp": (sa.DateTime(), st.datetimes(), datetime(2024, 2, 29, 12, 30)),
}


@contextmanager
def tables_of(url: str, kind: SqlType) -> Iterator[tuple[sa.Connection, SyncTables, sa.Table]]:
    """The state tables, and a `pending` like that of a plan, with a contact for each row."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    tables = SyncTables(SYNC, StateLocation(url), KEY, {"field_email": sa.Text(), COLUMN: kind}, engine.dialect)
    flags = ("departed", "is_new", "replaces", differs_column("field_email"), FLAG)
    pending = sa.Table(
        "pending",
        sa.MetaData(),
        *(sa.Column(name, sa.BigInteger(), autoincrement=False) for name in ("sequence", "customer_id")),
        *(sa.Column(name, sa.Text()) for name in ("field_email", "old_email", "old_mobile")),
        *(sa.Column(name, sa.Boolean()) for name in flags),
        sa.Column(COLUMN, kind),
    )
    with engine.connect() as connection:
        tables.metadata.create_all(connection)
        pending.create(connection)
        connection.execute(tables.contact_map.insert(), [{"customer_id": n, "dsid": str(n)} for n in range(40)])
        yield connection, tables, pending


def row(number: int, value: object) -> dict[str, object]:
    usual = {"departed": False, "is_new": False, "replaces": False, differs_column("field_email"): False, FLAG: True}
    return {"sequence": number, "customer_id": number, COLUMN: value, **usual}


def passed(connection: sa.Connection, tables: SyncTables, pending: sa.Table) -> set[int]:
    return {result.sequence for result in connection.execute(plain_updates(tables, pending, 1))}


def python_sends(value: object) -> bool:
    values, differing = {"field_email": "a@example.com", COLUMN: value}, frozenset({COLUMN})
    identity = Identity("a@example.com", None)
    change = Change(1, "1", Operation.UPDATE, "1", values, differing, identity)
    rejection = check_row(SYNC, values, is_new=False, identity=identity, differing=differing).rejection
    return rejection is None and not sends_nothing(SYNC, change)


@pytest.mark.parametrize("name", TYPES)
def test_a_plain_update_passes_the_row_check_in_python(new_database, engine_name, name: str) -> None:
    kind, values, ordinary = TYPES[name]
    with tables_of(new_database(engine_name), kind) as (connection, tables, pending):

        @settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
        @example([ordinary, None])
        @given(st.lists(st.none() | values, min_size=1, max_size=40))
        def check(given_values: list[object]) -> None:
            connection.execute(pending.delete())
            connection.execute(pending.insert(), [row(n, value) for n, value in enumerate(given_values)])
            plain = passed(connection, tables, pending)
            kept = connection.execute(sa.select(pending.c.sequence, pending.c[COLUMN])).all()
            assert {number for number, value in kept if number in plain and not python_sends(value)} == set()
            assert all(number in plain for number, value in enumerate(given_values) if value == ordinary)

        check()


def test_duckdb_checks_texts_without_a_join_for_each_column(new_database) -> None:
    """DuckDB turns an IN list within an OR into a join, which takes megabytes of memory."""
    with tables_of(new_database("duckdb"), sa.Text()) as (connection, tables, pending):
        query = plain_updates(tables, pending, 1).compile(connection, compile_kwargs={"literal_binds": True})
        plan = connection.exec_driver_sql(f"EXPLAIN {query}").one()[1]
    assert "MARK" not in plan


NOT_PLAIN: dict[str, Callable[[dict[str, object]], dict[str, object]]] = {
    "missing key": lambda usual: {**usual, "departed": True},
    "a new row": lambda usual: {**usual, "is_new": True},
    "all fields are sent": lambda usual: {**usual, "replaces": True},
    "another identity": lambda usual: {**usual, differs_column("field_email"): True},
    "no field that differs": lambda usual: {**usual, FLAG: False},
}


@pytest.mark.parametrize("why", NOT_PLAIN)
def test_other_rows_are_left_to_the_row_check(why: str) -> None:
    with tables_of("duckdb:///:memory:", sa.Text()) as (connection, tables, pending):
        connection.execute(pending.insert(), [NOT_PLAIN[why](row(0, "gold")), row(1, "gold")])
        assert passed(connection, tables, pending) == {1}


@pytest.mark.parametrize("column", ["deactivated_at", "deleted_at"])
def test_a_deactivated_or_deleted_contact_is_left_to_the_row_check(column: str) -> None:
    with tables_of("duckdb:///:memory:", sa.Text()) as (connection, tables, pending):
        connection.execute(pending.insert(), [row(0, "gold"), row(1, "gold")])
        taken_out = tables.contact_map.update().where(tables.contact_map.c.customer_id == 0)
        connection.execute(taken_out.values({column: datetime(2024, 1, 1)}))
        assert passed(connection, tables, pending) == {1}


def test_a_rejected_row_is_left_to_the_row_check() -> None:
    with tables_of("duckdb:///:memory:", sa.Text()) as (connection, tables, pending):
        connection.execute(pending.insert(), [row(0, "gold"), row(1, "gold")])
        connection.execute(tables.rejections.insert().values(customer_id=0, reason="refused"))
        assert passed(connection, tables, pending) == {1}
