"""How the databases that are only read say what a scenario does to its tables."""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlglot
from sqlglot import exp

_CREATE = re.compile(r"(CREATE TABLE .+? \()(.*)\)\Z", re.DOTALL)
_BETWEEN_COLUMNS = re.compile(r",(?![^(]*\))")
_CHANGE = re.compile(r"(?P<deed>UPDATE|DELETE FROM) (?P<table>\w+)(?: SET (?P<changes>.*?))?(?: WHERE (?P<rows>.*))?\Z")
_TYPES = {
    "mysql": {"timestamp": "datetime(6)"},  # its own timestamps are never NULL
    "snowflake": {"uuid": "varchar(36)"},
    "clickhousedb": {"timestamp": "DateTime64(6, 'UTC')", "date": "Date32", "uuid": "UUID"},
}


def sql_for(statement: str, dialect_name: str, parameters: Mapping[str, object]) -> list[str]:
    """A scenario's statement, which is PostgreSQL's, as another database takes it: as one statement or as several."""
    if dialect_name in ("bigquery", "databricks"):
        return [each.replace(":", "\\:") for each in _rewritten(statement, dialect_name, parameters)]
    for usual, other in _TYPES.get(dialect_name, {}).items():
        statement = re.sub(rf"(\w+ ){usual}\b(?=[,)])", rf"\1{other}", statement)
    return [_clickhouse(statement) if dialect_name == "clickhousedb" else statement]


def _rewritten(statement: str, dialect_name: str, parameters: Mapping[str, object]) -> list[str]:
    """As sqlglot writes it, with parameters as literals: BigQuery's driver knows no type for None.

    BigQuery requires a WHERE, and Spark cannot change the rows of its tables.
    """
    parsed = sqlglot.parse_one(statement, dialect="postgres")
    if dialect_name == "databricks":  # has moments in a time zone; those without one arrive as such from Spark's server
        for each in parsed.find_all(exp.DataType):
            if each.this == exp.DataType.Type.TIMESTAMP:
                each.replace(exp.DataType.build("text"))
    for parameter in list(parsed.find_all(exp.Placeholder)):
        parameter.replace(exp.convert(parameters[parameter.name]))
    if not isinstance(parsed, (exp.Update, exp.Delete)):
        return [parsed.sql(dialect_name)]
    if dialect_name == "bigquery":
        where = parsed.args.get("where")
        return [(parsed if where else parsed.where("TRUE")).sql(dialect_name)]
    table = parsed.this.sql(dialect_name)
    rows = parsed.args["where"].this.sql(dialect_name) if parsed.args.get("where") else "TRUE"
    if isinstance(parsed, exp.Delete):
        kept = f"SELECT * FROM {table} WHERE NOT coalesce({rows}, FALSE)"
    else:
        changes = {each.this.sql(dialect_name): each.expression.sql(dialect_name) for each in parsed.expressions}
        values = [f"CASE WHEN {rows} THEN {value} ELSE {name} END AS {name}" for name, value in changes.items()]
        kept = f"SELECT * EXCEPT ({', '.join(changes)}), {', '.join(values)} FROM {table}"
    return [f"CREATE TABLE changed AS {kept}", f"DROP TABLE {table}", f"ALTER TABLE changed RENAME TO {table}"]


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
