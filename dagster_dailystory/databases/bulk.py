"""Thousands of rows in one statement, in the fastest way for each state database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import (
    Connection,
    Dialect,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.sql.functions import Function
from sqlalchemy.sql.selectable import Subquery

from dagster_dailystory.databases.memory import release_memory
from dagster_dailystory.databases.sql_types import Native, SqlQuery, SqlType, SqlValue


def json_rows(dialect: Dialect, columns: Mapping[str, SqlType], name: str = "given") -> Subquery:
    """Make a table from the JSON array of objects that is bound as `:rows`.

    One parameter carries thousands of rows. Measured: 3 to 7 microseconds per row on SQLite, DuckDB and PostgreSQL;
    executemany takes 440 on DuckDB.
    """
    rows = bindparam("rows", type_=Text())
    if dialect.name == "postgresql":
        table = func.json_to_recordset(cast(rows, Native("JSON"))).table_valued(
            *(column(n, t) for n, t in columns.items())
        )
        return select(*table.render_derived("r", with_types=True).c).subquery(name)
    if dialect.name == "sqlite":
        each = func.json_each(rows).table_valued("value")
        parts = [type_coerce(func.json_extract(each.c.value, f"$.{n}"), t).label(n) for n, t in columns.items()]
        # A LIMIT, even an infinite one, keeps SQLite from parsing the array again for each row of a join.
        return select(*parts).limit(literal_column("-1")).subquery(name)
    structure = json.dumps([{n: t.compile(dialect=dialect) for n, t in columns.items()}]).replace("'", "''")
    # Not `func.unnest`: BigQuery's dialect replaces it globally with one that accepts only arrays.
    unnested: SqlValue = Function("unnest", func.from_json(rows, literal_column(f"'{structure}'")))
    objects = select(unnested.label("r")).subquery()
    parts = [
        type_coerce(func.struct_extract(objects.c.r, literal_column(f"'{n}'")), t).label(n) for n, t in columns.items()
    ]
    return select(*parts).subquery(name)


def rows_parameter(rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Encode rows for `json_rows`."""
    return {"rows": json.dumps(rows, ensure_ascii=False, separators=(",", ":"))}


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[int | str | None, ...]]) -> None:
    """Insert tuples in the order of the table's columns: directly on SQLite, as one JSON parameter elsewhere."""
    names = [column.name for column in table.columns]
    if connection.dialect.name == "sqlite":
        quote = connection.dialect.identifier_preparer.quote
        placeholders = ", ".join("?" for _ in names)
        connection.exec_driver_sql(f"INSERT INTO {quote(table.name)} VALUES ({placeholders})", list(rows))
        return
    given = json_rows(connection.dialect, {column.name: column.type for column in table.columns})
    insert = table.insert().from_select(names, select(*given.c))
    connection.execute(insert, rows_parameter([dict(zip(names, row, strict=True)) for row in rows]))


def insert_selected(connection: Connection, table: Table, query: SqlQuery, parameters: Mapping[str, object]) -> None:
    """Append the rows of a query to a table, with columns matched by name, after DuckDB has released freed memory.

    RETURNING makes DuckDB insert with one thread, for which it has no setting: each writing thread holds 0.5 MB per
    column.
    """
    release_memory(connection)
    insert = table.insert().from_select([column.name for column in query.selected_columns], query)
    statement = insert.returning(next(iter(table.c))) if connection.dialect.name == "duckdb" else insert
    connection.execute(statement, parameters).close()
