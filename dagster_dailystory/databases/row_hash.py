"""The row hash: 64 bits, computed by the warehouse from the key and all mapped columns of a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, cast, collate, false, func, literal_column, select

from dagster_dailystory.databases.source import Source
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, Native, SqlValue
from dagster_dailystory.model.sync import ContactSync

ROW_HASH = "row_hash"
"""The column with the row hash, next to the key."""

_POSTGRES_SINCE = 14  # hash_record_extended

_POSTGRES_TEXTS = frozenset({25, 1043})

_POSTGRES_EXACT = frozenset({16, 20, 21, 23, 700, 701, 1082, 1114, 1184, 1700, 2950})
"""Type OIDs that are hashed by value: boolean, integers, floats, date, timestamps, numeric, UUID."""

_DUCKDB_INEXACT = re.compile("INTERVAL|TIME WITH")
"""Types in which DuckDB treats different texts as equal, such as 1 day and 24 hours; they are hashed as text."""

_LOWEST: SqlValue = literal_column("9223372036854775808")


def row_hash(source: Source, sync: ContactSync, connection: Connection) -> SqlValue | None:
    """The expression for a row's hash, which changes with the key and with every mapped value.

    A value is hashed as text if its type treats different texts as equal. Two rows have the same hash by chance with
    probability 2^-64.

    Args:
        source: The resolved source.
        sync: Its key and mapped columns are hashed.
        connection: To the warehouse.

    Returns:
        A 64-bit integer; None if the database has no suitable hash function.
    """
    make = _MAKERS.get(connection.dialect.name)
    version = connection.dialect.server_version_info or (0,)
    if make is None or (make is _of_postgres and int(version[0]) < _POSTGRES_SINCE):
        return None
    values = list(source.selection(sync).values())
    result = connection.execute(select(*values).where(false()))
    described = [] if result.cursor is None else list(result.cursor.description)
    result.close()
    return make(values, [column[1] for column in described])


def hash_version(connection: Connection) -> str:
    """The database and version that computes the hashes; another version may compute other hashes."""
    return f"{connection.dialect.name} {connection.exec_driver_sql('SELECT version()').scalar_one()}"


def _of_postgres(values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
    def hashed(value: SqlValue, kind: object) -> SqlValue:
        if kind in _POSTGRES_EXACT:
            return value
        # Under the column's own collation, different texts may be equal.
        return collate(value if kind in _POSTGRES_TEXTS else cast(value, TEXT), "C")

    row = func.row(*map(hashed, values, kinds))
    return func.hash_record_extended(row, literal_column("0"), type_=BIG_INTEGER)


def _of_duckdb(values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
    def hashed(value: SqlValue, kind: object) -> SqlValue:
        return cast(value, TEXT) if _DUCKDB_INEXACT.search(str(kind)) else value

    unsigned = cast(func.hash(*map(hashed, values, kinds)), Native("HUGEINT"))
    return cast(unsigned.op("-")(_LOWEST), BIG_INTEGER)


_MAKERS: Mapping[str, Callable[[Sequence[SqlValue], Sequence[object]], SqlValue]] = {
    "postgresql": _of_postgres,
    "duckdb": _of_duckdb,
}
