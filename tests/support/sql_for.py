"""How the databases that are only read say what a scenario does to its tables."""

from __future__ import annotations

import re

_CREATE = re.compile(r"(CREATE TABLE .+? \()(.*)\)\Z", re.DOTALL)
_BETWEEN_COLUMNS = re.compile(r",(?![^(]*\))")
_CHANGE = re.compile(r"(?P<deed>UPDATE|DELETE FROM) (?P<table>\w+)(?: SET (?P<changes>.*?))?(?: WHERE (?P<rows>.*))?\Z")
_TYPES = {
    "mysql": {"timestamp": "datetime(6)"},  # its own timestamps are never NULL
    "snowflake": {"uuid": "varchar(36)"},
    "clickhousedb": {"timestamp": "DateTime64(6, 'UTC')", "date": "Date32", "uuid": "UUID"},
}


def sql_for(statement: str, dialect_name: str) -> str:
    """A scenario's statement, which is PostgreSQL's, as another database takes it."""
    for usual, other in _TYPES.get(dialect_name, {}).items():
        statement = re.sub(rf"(\w+ ){usual}\b(?=[,)])", rf"\1{other}", statement)
    return _clickhouse(statement) if dialect_name == "clickhousedb" else statement


def _clickhouse(statement: str) -> str:
    """Columns may be NULL only where it says so, tables have an engine, and an UPDATE is a mutation to wait for."""
    if "ENGINE" not in statement and (created := _CREATE.match(statement)):
        columns = ", ".join(f"{column} NULL" for column in _BETWEEN_COLUMNS.split(created[2]))
        return f"{created[1]}{columns}) ENGINE = MergeTree ORDER BY tuple()"
    if changed := _CHANGE.match(statement):
        rows = changed["rows"] or "1 = 1"
        if changed["changes"] is None:
            return f"DELETE FROM {changed['table']} WHERE {rows}"
        return f"ALTER TABLE {changed['table']} UPDATE {changed['changes']} WHERE {rows} SETTINGS mutations_sync = 1"
    return statement
