"""The tables that the package makes, and what it reads from databases that are only read, are recorded in `sql`.

Nothing runs the statements for BigQuery, Databricks, Snowflake, SQL Server and Trino here: they are compiled by their
SQLAlchemy dialects and parsed by sqlglot.

`make golden` rewrites the files. All other statements are run and parsed in the tests of the fixture `scenario`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from support.scenario import customers, open_scenario, sync_of
from support.statements import check_sql, checked_statements

from dagster_dailystory.databases.kinds.registry import DATABASES, database_of
from dagster_dailystory.databases.source import probe, reading, resolve_source
from dagster_dailystory.engine.planning.comparison.hashes.sums import sums_of
from dagster_dailystory.errors import ConfigurationError, DailyStoryError

FOLDER = Path(__file__).parent / "sql"
STATE_DATABASES = ("duckdb", "postgresql", "sqlite")
READ_DATABASES = tuple(sorted(set(DATABASES) - set(STATE_DATABASES)))
SOURCES = {
    "table": "crm.people",
    "table with a catalog": '"main-catalog".crm."Big People"',
    "query": "select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them",
}
COLUMNS = ["id", "e_mail", "first_name", "City Name", "select"]
TYPE_CODES = {
    "bigquery": ("INTEGER", "STRING", "STRING", "TIMESTAMP", "FLOAT"),
    "clickhousedb": ("Int64", "String", "Nullable(String)", "DateTime64(6)", "JSON"),
    "databricks": ("bigint", "string", "double", "timestamp", "array"),
    "mariadb": (8, 253, 4, 7, 252),
    "mssql": (3, 1, 1, 2, 3),
    "mysql": (8, 253, 4, 7, 245),
    "redshift": (20, 1043, 16, 1184, 701),
    "snowflake": (0, 2, 2, 6, 5),
    "trino": ("bigint", "varchar(200)", "json", "timestamp(6) with time zone", "array(varchar)"),
}
"""What the drivers call the types of these columns; the types that a hash treats differently."""


def read_statements(dialect_name: str) -> str:
    """The statements for a database that is only read."""
    dialect = make_url(DATABASES[dialect_name].url).get_dialect()()
    written = []
    for kind, source in SOURCES.items():
        sync = sync_of(
            source=source,
            key="id",
            fields={"email": "e_mail", "firstName": "first_name"},
            extended_properties={"town": "City Name", "choice": "select"},
        )
        found = resolve_source(sync, source, COLUMNS, dialect)
        database, rows = database_of(dialect), reading(found, sync)
        values, kinds = list(found.read_columns(sync).values()), TYPE_CODES[dialect_name]
        assert database.why_no_hash(kinds) is None
        hashed = database.row_hash(values, kinds)
        bucket = database.remainder(database.row_hash(values[:1], kinds[:1]), 32_768)
        statements = {
            "its columns": probe(sync, source, dialect),
            "its rows": rows.add_columns(hashed),
            "the sums of its hashes": sums_of(found, bucket, hashed, database),
        }
        for subject, statement in statements.items():
            compiled = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
            text = str(compiled) % () if dialect.identifier_preparer._double_percents else str(compiled)
            written.append(f"-- The {kind}: {subject}.\n{text.strip()};\n")
    return "\n".join(written)


def table_statements(dialect_name: str, new_database: Callable[[str], str]) -> str:
    """What makes and changes the state tables: a first run, then one with a new field and a field of another type."""
    changed = {"email": "email", "firstName": "first_name", "city": "level", "lastName": "plan"}
    with checked_statements() as sent, open_scenario(new_database, dialect_name) as scenario:
        scenario.seed(*customers(3))
        sent.clear()
        scenario.run()
        with contextlib.suppress(DailyStoryError):  # a guard may stop the plan; its statements ran
            scenario.run(sync_of(fields=changed))
    made = sorted(text for name, text in sent if name == dialect_name and text.startswith(("ALTER", "CREATE", "DROP")))
    return "\n".join(f"{each};\n" for each in made if " TEMPORARY " not in each and "_staged" not in each)


def check(dialect_name: str, statements: str) -> None:
    """Compare with the file, or write it if UPDATE_GOLDEN_SQL is set; parse every statement."""
    file = FOLDER / f"{dialect_name}.sql"
    statements = "\n".join(line.rstrip() for line in statements.splitlines()) + "\n"
    if os.environ.get("UPDATE_GOLDEN_SQL"):
        file.write_text(statements, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == statements, "the statements changed; run make golden and read the diff"
    check_sql(dialect_name, statements)


@pytest.mark.parametrize("dialect_name", READ_DATABASES)
def test_a_warehouse_that_is_only_read_gets_these_statements(dialect_name: str) -> None:
    check(dialect_name, read_statements(dialect_name))


@pytest.mark.parametrize("dialect_name", STATE_DATABASES)
def test_the_state_tables_are_made_by_these_statements(dialect_name: str, new_database: Callable[[str], str]) -> None:
    check(dialect_name, table_statements(dialect_name, new_database))


def test_a_source_that_starts_with_with_is_refused_on_sql_server() -> None:
    sync = sync_of(source="/* all */ WITH a AS (select 1 AS customer_id) SELECT * FROM a")
    dialect = make_url(DATABASES["mssql"].url).get_dialect()()
    with pytest.raises(ConfigurationError, match=r"starts with WITH.*make the query a view"):
        probe(sync, str(sync.source), dialect)


def test_loading_a_dialect_does_not_affect_other_databases(new_database: Callable[[str], str]) -> None:
    for dialect_name in READ_DATABASES:
        make_url(DATABASES[dialect_name].url).get_dialect()
    with open_scenario(new_database, "sqlite", "duckdb") as scenario:
        scenario.seed(*customers(1))
        assert scenario.run().rows_created == 1
