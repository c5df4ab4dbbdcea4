"""PostgreSQL joins large tables in the way that suits the order of their rows, with the same result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from support.steps import plan_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.runs.plan import PlanSummary
from dagster_dailystory.model.sync import ContactSync

SYNC = ContactSync(
    name="customers", source="customers", key="number", fields={"email": "email", "city": "city"}, deletes="deactivate"
)
SNAPSHOT, CONTACT_MAP = "dailystory_customers_snapshot", "dailystory_customers_contact_map"
ROWS = 150_000
"""More than those from which the plan of a join is looked at."""
ROW = "i AS number, 'p' || i || '@example.com' AS email, repeat('City ' || i, 8) AS city"


def customers(url: str, rows: int, order: str) -> None:
    """Create a table, and a snapshot with its rows in the given order, as if all had been acknowledged."""
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE customers AS SELECT {ROW} FROM generate_series(1, 1) AS series(i)")
        connection.exec_driver_sql("ALTER TABLE customers ADD PRIMARY KEY (number)")
    plan(url)
    with engine.begin() as connection:
        series = f"FROM generate_series(2, {rows}) AS series(i)"
        connection.exec_driver_sql(f"INSERT INTO customers SELECT {ROW} {series}")
        connection.exec_driver_sql(
            f"INSERT INTO {SNAPSHOT} (number, field_email, field_city, identity_email, resend_all)"
            f" SELECT *, email, false FROM (SELECT {ROW} {series}) AS known ORDER BY {order}"
        )
        connection.exec_driver_sql(
            f"INSERT INTO {CONTACT_MAP} (number, dsid, first_synced_at, last_synced_at)"
            f" SELECT i, i, now(), now() {series}"
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM ANALYZE customers, {SNAPSHOT}, {CONTACT_MAP}")


def plan(url: str) -> PlanSummary:
    return plan_run(SYNC, Warehouse.at(url), AccountSettings("http://127.0.0.1:9/api/v1", "none"))


@contextmanager
def explained() -> Iterator[list[str]]:
    """The plan of PostgreSQL for the statement that finds the differing rows."""
    steps: list[str] = []

    def explain(_: sa.Connection, cursor: sa.CursorResult, statement: str, parameters: object, *_more: object) -> None:
        if "pending AS" in statement:
            cursor.execute(f"EXPLAIN {statement}", parameters)
            steps.extend(row[0] for row in cursor.fetchall())

    sa.event.listen(sa.Engine, "before_cursor_execute", explain)
    try:
        yield steps
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", explain)


@pytest.mark.parametrize(
    ("order", "step"), [("number", "Merge Full Join"), ("hashint8(number)", "Parallel Hash Full Join")]
)
def test_rows_in_key_order_are_merged_and_others_hashed_in_parallel(
    new_database: Callable[[str], str], order: str, step: str
) -> None:
    url = new_database("postgresql")
    customers(url, ROWS, order)
    with open_engine(url).begin() as connection:
        connection.exec_driver_sql("UPDATE customers SET city = 'Rome' WHERE mod(number, 100) = 2")
        connection.exec_driver_sql("UPDATE customers SET city = '' WHERE mod(number, 100) = 3")
        connection.exec_driver_sql("UPDATE customers SET city = NULL WHERE mod(number, 100) = 4")
        connection.exec_driver_sql("DELETE FROM customers WHERE mod(number, 50000) = 5")
        connection.exec_driver_sql(f"UPDATE {SNAPSHOT} SET absent_since = now() WHERE number = 10")
    with explained() as steps:
        found = plan(url)
    assert any(step in each for each in steps), steps
    assert (found.rows_to_create, found.rows_to_update, found.rows_to_delete) == (1, ROWS // 100 + 1, 3)
    assert found.rows_read == ROWS - 3
