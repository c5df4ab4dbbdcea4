"""The row hash: 64 bits, computed by the warehouse from the key and all mapped columns of a row."""

from __future__ import annotations

from sqlalchemy import Connection, false, select

from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.source import Source
from dagster_dailystory.databases.sql_types import SqlValue
from dagster_dailystory.model.sync import ContactSync

ROW_HASH = "row_hash"
"""The column with the row hash, next to the key."""


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
    values = list(source.read_columns(sync).values())
    result = connection.execute(select(*values).where(false()))
    described = [] if result.cursor is None else list(result.cursor.description)
    result.close()
    return database_of(connection.dialect).row_hash(values, [column[1] for column in described])
