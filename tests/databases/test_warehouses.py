"""Each warehouse that can run on a developer's machine, and the errors when something is missing."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT
from time import monotonic

import pytest
import sqlalchemy as sa
from support.faults import interrupted_when
from support.placements import EMULATORS, emulated
from support.scenario import customers, open_scenario, sync_of

from dagster_dailystory.databases.connect import connect, open_engine
from dagster_dailystory.databases.kinds.registry import DATABASES
from dagster_dailystory.databases.source import BATCH_ROWS, open_source, reading, stream
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.state.schema import StateLocation
from dagster_dailystory.errors import ConfigurationError, StateError, WarehouseError

SERVED = ["duckdb", "postgresql", "sqlite", "mysql", "clickhouse", "redshift", "psycopg2"]
WAREHOUSES = pytest.mark.parametrize("warehouse", [*SERVED, *map(emulated, EMULATORS)])
DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "warehouses.md"


def state_of(warehouse: str) -> str | None:
    """Where the state is: inside only for psycopg2, PostgreSQL's older driver."""
    return {"sqlite": "duckdb", "psycopg2": None}.get(warehouse, "sqlite")


@WAREHOUSES
@pytest.mark.parametrize("source", ["customers", "select * from customers where email like '%@%' -- :all; "])
def test_what_changes_in_a_warehouse_reaches_the_contacts(
    warehouse: str, source: str, new_database: Callable[[str], str]
) -> None:
    sync = sync_of(source=source)
    with open_scenario(new_database, warehouse, state_of(warehouse)) as scenario:
        scenario.seed(*customers(3))
        assert scenario.run(sync).rows_created == 3
        scenario.update(2, city="Rome")
        report = scenario.run(sync)
        assert (report.rows_updated, report.rows_unchanged) == (1, 2)
        assert scenario.run(sync).rows_unchanged == 3


@pytest.mark.parametrize("warehouse", SERVED)
def test_memory_does_not_grow_with_the_table(warehouse: str, new_database: Callable[[str], str]) -> None:
    rows = 8 * BATCH_ROWS
    number, wide, numbers = {
        "mysql": ("seq", "concat(repeat('x', 200), seq)", f"seq_1_to_{rows}"),
        "clickhouse": ("number", "concat(repeat('x', 200), number)", f"numbers({rows})"),
        "duckdb": ("n", "repeat('x', 200) || n", f"range({rows}) AS t(n)"),
        "sqlite": (
            "n", "printf('%0200d', n)",
            f"(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {rows}) SELECT n FROM t)",
        ),
    }.get(warehouse, ("n", "repeat('x', 200) || n", f"generate_series(1, {rows}) AS t(n)"))  # fmt: skip
    sync = sync_of(
        source=f"select {number} as customer_id, {wide} as email from {numbers}",
        fields={"email": "email"},
        extended_properties={},
    )
    with connect(open_engine(new_database(warehouse)), "warehouse") as connection, connection.begin():
        found = open_source(sync, connection)
        tracemalloc.start()
        counted = sum(len(batch) for batch in stream(reading(found, sync), sync, connection))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert counted == rows
    assert peak < rows * 200, "the whole result was held in memory"


@pytest.mark.parametrize("dialect_name", [name for name, facts in DATABASES.items() if facts.why_no_state])
def test_a_database_that_cannot_hold_the_state_is_refused_with_a_remedy(dialect_name: str) -> None:
    facts = DATABASES[dialect_name]
    location = StateLocation(facts.url)
    with pytest.raises(ConfigurationError) as caught, open_session(sync_of(), location):
        pass
    assert str(facts.why_no_state) in str(caught.value)
    assert "Set state_url to a database of one of these kinds: DuckDB, PostgreSQL, SQLite" in str(caught.value)


def test_a_missing_driver_is_named_with_the_extra_that_brings_it() -> None:
    with pytest.raises(ConfigurationError, match=r"dagster-dailystory\[mssql\]"):
        open_engine("mssql+nodriver://user@host/database")


@pytest.mark.parametrize("name", list(DATABASES))
def test_every_database_is_in_the_document(name: str) -> None:
    facts, document = DATABASES[name], DOCUMENT.read_text(encoding="utf-8")
    assert f"| {facts.title} |" in document
    assert f"`{facts.url}`" in document
    assert facts.extra is None or f"`{facts.extra}`" in document


@pytest.mark.parametrize("warehouse", [emulated("databricks")])
def test_a_value_that_is_no_number_is_not_read_as_null(warehouse: str, new_database: Callable[[str], str]) -> None:
    """As pandas would have it, which Databricks' driver uses by default."""
    with open_scenario(new_database, warehouse, "sqlite") as scenario:
        scenario.seed(*customers(1))
        source = "select *, double('NaN') as score from customers"
        report = scenario.run(sync_of(source=source, extended_properties={"score": "score"}))
        assert (report.rows_created, scenario.rejections()) == (0, {"1": "invalid_value"})


GRANTS = [
    ("REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC", "GRANT TEMPORARY ON DATABASE {database} TO sync_role"),
    ("REVOKE CREATE ON SCHEMA state FROM sync_role", "GRANT CREATE ON SCHEMA state TO sync_role"),
    ("REVOKE ALL ON SCHEMA state FROM sync_role", "GRANT USAGE, CREATE ON SCHEMA state TO sync_role"),
]


@pytest.mark.parametrize(("revoke", "remedy"), GRANTS)
def test_a_missing_grant_is_named_before_work_begins(
    revoke: str, remedy: str, new_database: Callable[[str], str]
) -> None:
    url = sa.make_url(new_database("postgresql"))
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as owner:
        owner.exec_driver_sql("DROP ROLE IF EXISTS sync_role")
        owner.exec_driver_sql("CREATE ROLE sync_role LOGIN")
        owner.exec_driver_sql("CREATE SCHEMA state")
        owner.exec_driver_sql("GRANT ALL ON SCHEMA state TO sync_role")
    location = StateLocation(url.set(username="sync_role").render_as_string(), "state")
    try:
        with engine.begin() as owner:
            owner.exec_driver_sql(revoke.format(database=url.database))
        with pytest.raises(StateError) as caught, open_session(sync_of(), location):
            pass
        assert f"run {remedy.format(database=url.database)}, or set state_url" in str(caught.value)
        with engine.begin() as owner:
            owner.exec_driver_sql(remedy.format(database=url.database))
        with open_session(sync_of(), location):
            pass
        with engine.begin() as owner:
            owner.exec_driver_sql("ALTER TABLE state.dailystory_meta OWNER TO CURRENT_USER")
            owner.exec_driver_sql("GRANT SELECT ON state.dailystory_meta TO sync_role")
        with (
            pytest.raises(StateError, match=r"GRANT INSERT, UPDATE, DELETE ON state\.dailystory_meta"),
            open_session(sync_of(), location),
        ):
            pass
    finally:
        with engine.begin() as owner:
            owner.exec_driver_sql("DROP OWNED BY sync_role")
            owner.exec_driver_sql("DROP ROLE sync_role")


def test_an_unreadable_source_is_reported_before_anything_is_written(new_database: Callable[[str], str]) -> None:
    with open_scenario(new_database, "postgresql", "sqlite") as scenario:
        scenario.seed(*customers(1))
        url = sa.make_url(scenario.warehouse_url)
        scenario.execute("DROP ROLE IF EXISTS reading_role", "CREATE ROLE reading_role LOGIN")
        try:
            scenario.warehouse_url = url.set(username="reading_role").render_as_string()
            with pytest.raises(WarehouseError, match="cannot be read: permission denied for table customers"):
                scenario.run()
            assert scenario.state_tables().get("dailystory_plans", []) == []
        finally:
            scenario.execute("DROP ROLE reading_role")


REFUSED = [
    ("clickhouse", "select mail from customers", r"identifier `mail`: ClickHouse error 47, UNKNOWN_IDENTIFIER"),
    ("clickhouse", "persons", r"[`']persons[`']: ClickHouse error 60, UNKNOWN_TABLE"),
    ("clickhouse", "select toDate('Jane Doe') as a", r"cannot be read: ClickHouse error \d+, CANNOT_PARSE_DATE"),
    ("mysql", "select mail from customers", "Unknown column 'mail'"),
    (
        "postgresql",
        "select *, cast(cast('Jane Doe' || first_name as integer) as text) as mail from customers",
        r"cannot be read: invalid input syntax for type integer: \[value\]",
    ),
    emulated("snowflake", "persons", "cannot be read: .*Table .*PERSONS.* does not exist"),
    emulated("databricks", "persons", "`persons`: Databricks error TABLE_OR_VIEW_NOT_FOUND"),
    emulated("databricks", "select mail from customers", r"`mail`: Databricks error UNRESOLVED_COLUMN"),
    emulated(
        "databricks",
        "select *, cast(concat('Jane Doe', email) as int) as mail from customers",
        "cannot be read: Databricks error CAST_INVALID_INPUT",
    ),
    emulated("bigquery", "persons", r"cannot be read: Not found: Table .*\.persons"),
]


@pytest.mark.parametrize(("warehouse", "source", "message"), REFUSED)
def test_a_source_that_a_warehouse_refuses_is_explained(
    warehouse: str, source: str, message: str, new_database: Callable[[str], str]
) -> None:
    with open_scenario(new_database, warehouse, "sqlite") as scenario:
        scenario.seed(*customers(1))
        with pytest.raises(WarehouseError, match=message) as caught:
            scenario.run(sync_of(source=source, fields={"email": "mail"} if "mail" in source else {"email": "email"}))
        assert "Jane" not in str(caught.value)


@pytest.mark.timeout(60)
def test_an_error_while_rows_arrive_ends_the_run_with_its_message(new_database: Callable[[str], str]) -> None:
    """The stream is closed first: an open stream blocks the roll-back."""
    with open_scenario(new_database, "postgresql", "sqlite") as scenario:
        scenario.create()
        scenario.execute(
            "INSERT INTO customers (customer_id, email) SELECT i, 'p' || i || '@example.com'"
            f" FROM generate_series(1, {3 * BATCH_ROWS}) AS t(i)"
        )
        scenario.run(dry_run=True)
        scenario.execute("ALTER TABLE customers ALTER COLUMN customer_id TYPE text USING 'k' || customer_id")
        with pytest.raises(StateError, match="held whole numbers and now holds str"):
            scenario.run(dry_run=True)
        scenario.execute(
            "ALTER TABLE customers ALTER COLUMN customer_id TYPE integer USING substr(customer_id, 2)::integer"
        )
        assert scenario.run(dry_run=True).rows_to_create == 3 * BATCH_ROWS


def test_an_interrupt_ends_a_slow_read_at_once(new_database: Callable[[str], str]) -> None:
    slow = "select *, case when customer_id = 2 then cast(pg_sleep(60) as text) end as note from customers"
    sleeps = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with open_scenario(new_database, "postgresql", "sqlite") as scenario:
        scenario.seed(*customers(2))
        with (
            interrupted_when(lambda: bool(scenario.select(sleeps)), SIGINT) as sent_at,
            pytest.raises(KeyboardInterrupt),
        ):
            scenario.run(sync_of(source=slow, extended_properties={"note": "note"}))
        assert monotonic() - sent_at[0] < 3


def test_a_missing_schema_is_reported(new_database: Callable[[str], str]) -> None:
    location = StateLocation(new_database("postgresql"), "nowhere")
    with pytest.raises(StateError, match="no schema 'nowhere'; create it"), open_session(sync_of(), location):
        pass


def test_a_read_only_state_is_refused_with_a_remedy(new_database: Callable[[str], str]) -> None:
    url = new_database("duckdb")
    with sa.create_engine(url, poolclass=sa.NullPool).connect():
        pass
    location = StateLocation(f"{url}?access_mode=read_only")
    with (
        pytest.raises(WarehouseError, match="set state_url to a database that may be written"),
        open_session(sync_of(), location),
    ):
        pass
