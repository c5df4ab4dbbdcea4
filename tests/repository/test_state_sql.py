"""`sql/state.sql` and docs/reference/tables.md show the state tables that a run creates.

`UPDATE_STATE_SQL=1 python -m pytest tests/repository/test_state_sql.py` writes them.
"""

from __future__ import annotations

import os
from pathlib import Path

import sqlglot
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.type_api import TypeEngine

import definitions
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.sql_types import TEXT
from dagster_dailystory.demo.data import customers as source
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION, SharedTables, StateLocation, SyncTables

ROOT = Path(__file__).parents[2]
STATE_SQL = ROOT / "sql" / "state.sql"
PAGE = ROOT / "docs" / "reference" / "tables.md"
HEAD = """# State tables

The tables that a sync keeps, in the warehouse or at `state_url`. You can read all of them with SQL.
"""
HEADER = f"""\
-- The state tables of the demo's sync, as PostgreSQL makes them (layout version {SCHEMA_VERSION}).
-- They are made by the first run; this file is for reading, and for joining. Key and value columns have the source's
-- own types; where the state is in another database than the warehouse, values are canonical texts.
"""


def statements() -> str:
    sync, location, dialect = definitions.customers, StateLocation("postgresql+psycopg://"), postgresql.dialect()
    key_types: dict[str, TypeEngine[object]] = {key: source.c[key].type for key in sync.key_columns}
    database = database_of(dialect)
    value_types = {m.state_column: database.storage_type(source.c[m.column].type) for m in sync.read_fields}
    value_types |= {m.state_column: TEXT for m in sync.mapped_fields if m.constant is not None}
    tables = [
        *SyncTables(sync, location, key_types, value_types, dialect).metadata.sorted_tables,
        *SharedTables(location).metadata.sorted_tables,
    ]
    written = []
    for table in sorted(tables, key=lambda each: str(each.name)):
        written.append(str(CreateTable(table).compile(dialect=dialect)).strip().replace("\t", "    ") + ";")
        indexes = sorted(table.indexes, key=lambda each: str(each.name))
        written += [str(CreateIndex(index).compile(dialect=dialect)).strip() + ";" for index in indexes]
    return HEADER + "\n" + "\n\n".join(line.replace(" \n", "\n") for line in written) + "\n"


def page() -> str:
    """What the README says of the tables, and their statements."""
    listed = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## The tables\n")[2].partition("\n## ")[0]
    tables = "\n".join(line for line in listed.splitlines() if line.startswith("|"))
    tables = tables.replace("](docs/", "](../")
    statement = f"<!-- not run: test_state_sql.py parses it -->\n```sql\n{statements()}```\n"
    return f"{HEAD}\n{tables}\n\n## Their columns\n\n{statement}"


def test_the_page_shows_the_tables_too() -> None:
    if os.environ.get("UPDATE_STATE_SQL"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_state_sql_shows_what_a_run_creates() -> None:
    if os.environ.get("UPDATE_STATE_SQL"):
        STATE_SQL.write_text(statements(), encoding="utf-8")
    assert STATE_SQL.read_text(encoding="utf-8") == statements()


def test_state_sql_is_sql() -> None:
    parsed = sqlglot.parse(STATE_SQL.read_text(encoding="utf-8"), read="postgres")
    assert len([each for each in parsed if each is not None]) >= 8
