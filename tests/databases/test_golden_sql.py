"""Every statement that the package sends is recorded in sql/DATABASE, and an independent parser reads it.

For databases that can hold the state, the runs of a sync are executed on the real database and the statements are
recorded. For databases that are only read, the two statements are compiled. `make golden` rewrites the files.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlglot
from sqlalchemy.engine import make_url
from support.scenario import Scenario, customer, customers, open_scenario, sync_of

from dagster_dailystory.databases.kinds.registry import DATABASES
from dagster_dailystory.databases.source import probe, reading, resolve_source
from dagster_dailystory.errors import ConfigurationError, DailyStoryError
from dagster_dailystory.model.partitions import HashBuckets

FOLDER = Path(__file__).parent / "sql"
STATE_DATABASES = ("duckdb", "postgresql", "sqlite")
READ_DATABASES = tuple(sorted(set(DATABASES) - set(STATE_DATABASES)))
SQLGLOT_NAMES = {
    "postgresql": "postgres", "mssql": "tsql", "clickhousedb": "clickhouse", "mariadb": "mysql",
}  # fmt: skip
SOURCES = {
    "table": "crm.people",
    "table with a catalog": '"main-catalog".crm."Big People"',
    "query": "select id, e_mail, first_name, city from crm.people where city like '%:x' -- all of them",
}
COLUMNS = ["id", "e_mail", "first_name", "City Name", "select"]
_NOT_OURS = re.compile(
    r"PRAGMA|BEGIN|duckdb_|pg_catalog\.(version|pg_class\.|pg_type|pg_enum|pg_attribute)|show |select current_schema|"
    r"information_schema|sqlite_master|(CREATE TABLE|INSERT INTO|UPDATE|DELETE FROM) customers",
    re.IGNORECASE,
)
_MANY = re.compile(r"\(([%?$:][^(),]*)(?:, [%?$:][^(),]*)+\)")
_NUMBERED = re.compile(r"%\(\w+\)s|\$\d+|(?<!:):\w+|\?")


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
        for subject, statement in ("its columns", probe(sync, source, dialect)), ("its rows", reading(found, sync)):
            compiled = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
            text = str(compiled) % () if dialect.identifier_preparer._double_percents else str(compiled)
            written.append(f"-- The {kind}: {subject}.\n{text.strip()};\n")
    return "\n".join(written)


def state_statements(dialect_name: str, new_database: Callable[[str], str]) -> str:
    """Every distinct statement of many runs, with the state inside and with the source elsewhere."""
    recorded: set[str] = set()
    other = "duckdb" if dialect_name == "sqlite" else "sqlite"
    for warehouse, state in ((dialect_name, None), (other, dialect_name)):
        with open_scenario(new_database, warehouse, state) as scenario, _recording(dialect_name, recorded):
            _run_everything(scenario)
    return "\n".join(f"{statement};\n" for statement in sorted(recorded))


def _run_everything(scenario: Scenario) -> None:
    """Creates, updates, rejections, a re-key, missing keys, a new field, a retyped field; each scope."""
    usual = {"deletes": "deactivate", "nulls": {"city": "clear"}}
    scenario.seed(
        *customers(30), customer(31, email="bad"), customer(32, email="p1@example.com"), customer(40), customer(40)
    )
    scenario.sandbox.script(["refused"])
    scenario.run(sync_of(**usual))
    scenario.update(2, city="Rome")
    scenario.execute("UPDATE customers SET customer_id = 300 WHERE customer_id = 3")
    scenario.delete(4)
    scenario.execute("INSERT INTO customers (email) VALUES ('nobody@example.com')")
    for options in ({}, {"scope": "rejected"}, {"scope": "all", "limit": 2}, {"keys": ["5"]}, {"dry_run": True}):
        scenario.run(sync_of(**usual), **options)
    scenario.delete(5)
    scenario.run(sync_of(source="select * from customers"))
    scenario.run(sync_of(partitions=HashBuckets(2)), partition="bucket_1")
    with contextlib.suppress(DailyStoryError):  # a guard may stop the plan; its statements ran
        scenario.run(sync_of(fields={"email": "email", "firstName": "first_name", "city": "level", "lastName": "plan"}))


@contextlib.contextmanager
def _recording(dialect_name: str, recorded: set[str]) -> Iterator[None]:
    def record(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        if connection.dialect.name == dialect_name and not _NOT_OURS.search(statement):
            placeholder = "$1" if dialect_name == "postgresql" else "?"
            text = _MANY.sub(r"(\1)", _NUMBERED.sub(lambda _: placeholder, statement)).strip()
            recorded.add(text.replace("%%", "%") if dialect_name == "postgresql" else text)

    sa.event.listen(sa.Engine, "before_cursor_execute", record)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", record)


def check(dialect_name: str, statements: str) -> None:
    """Compare with the file, or write it if UPDATE_GOLDEN_SQL is set; parse every statement."""
    file = FOLDER / dialect_name / "statements.sql"
    if os.environ.get("UPDATE_GOLDEN_SQL"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(statements, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == statements, "the statements changed; run make golden and read the diff"
    parsed = sqlglot.parse(statements, dialect=SQLGLOT_NAMES.get(dialect_name, dialect_name))
    unread = [each for each in parsed if isinstance(each, sqlglot.exp.Command)]
    assert {each.name for each in unread} <= {"ALTER"}, (
        "sqlglot cannot parse SQLite columns without a type, but all else"
    )


@pytest.mark.parametrize("dialect_name", READ_DATABASES)
def test_a_warehouse_that_is_only_read_gets_these_statements(dialect_name: str) -> None:
    check(dialect_name, read_statements(dialect_name))


@pytest.mark.parametrize("dialect_name", STATE_DATABASES)
def test_a_database_with_the_state_gets_these_statements(dialect_name: str, new_database: Callable[[str], str]) -> None:
    check(dialect_name, state_statements(dialect_name, new_database))


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
