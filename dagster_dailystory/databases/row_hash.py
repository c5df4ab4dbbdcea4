"""The hash of a source row as its warehouse computes it: 64 bits that stand for all that a sync reads of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, cast, collate, false, func, literal_column, select

from dagster_dailystory.databases.source import Source
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, Native, SqlValue
from dagster_dailystory.model.sync import ContactSync

ROW_HASH = "row_hash"
"""The column that holds a row's hash, next to its key."""


_POSTGRES_SINCE = 14  # hash_record_extended


_POSTGRES_TEXTS = frozenset({25, 1043})


_POSTGRES_EXACT = frozenset({16, 20, 21, 23, 700, 701, 1082, 1114, 1184, 1700, 2950})
"""Types by their numbers in PostgreSQL's catalog: boolean, integers, floats, date, timestamps, numeric, UUID."""


_DUCKDB_INEXACT = re.compile("INTERVAL|TIME WITH")
"""Types whose equal values have several texts there: a day is 24 hours."""


_LOWEST: SqlValue = literal_column("9223372036854775808")


def row_hash(source: Source, sync: ContactSync, connection: Connection) -> SqlValue | None:
    """Select the hash of a row: another one for another key, and wherever a mapped value is another.

    A value whose type takes two texts for equal is hashed as text. Two rows share a hash by chance once in 2^64.

    Args:
        source: The source, opened.
        sync: Its key and mapped columns are hashed.
        connection: To the warehouse.

    Returns:
        A whole number of 64 bits; None where the database has no such hash.
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
    """Name what computes the hashes: no database promises them for its next version."""
    return f"{connection.dialect.name} {connection.exec_driver_sql('SELECT version()').scalar_one()}"


def _of_postgres(values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
    def hashed(value: SqlValue, kind: object) -> SqlValue:
        if kind in _POSTGRES_EXACT:
            return value
        # Under a collation of the column's own, two texts may be equal.
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
