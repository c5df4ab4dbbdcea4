"""The row hash: 64 bits, computed by the warehouse from the key and all mapped columns of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, cast, literal_column, select
from sqlalchemy.types import Date, String

from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.sql_types import SqlValue

ROW_HASH = "row_hash"
"""The column with the row hash, next to the key."""


@dataclass(frozen=True)
class NoHash:
    """Rows that cannot be compared by their hashes.

    Attributes:
        reason: Why, as a sentence without a full stop.
    """

    reason: str


def row_hash(values: Sequence[SqlValue], connection: Connection) -> SqlValue | NoHash:
    """The expression for the hash of some values of a row, which changes with each of them.

    A value is hashed as text if its type treats different texts as equal. Two rows have the same hash by chance with
    probability 2^-64.

    Args:
        values: Columns of the source.
        connection: To the warehouse.

    Returns:
        A signed 64-bit integer, never NULL; `NoHash` if the database cannot hash these columns exactly.
    """
    database = database_of(connection.dialect)
    kinds = database.type_codes(connection, select(*values))
    reason = database.why_no_hash(kinds)
    return database.row_hash(values, kinds) if reason is None else NoHash(reason)


def hash_version(connection: Connection) -> str:
    """Names the way in which the warehouse hashes: its kind, and the hash of a fixed row.

    A new version of the warehouse that computes other hashes is recognised, whatever it calls itself.
    """
    text, other = (cast(literal_column(each), String()) for each in ("'Zoë'", "'x'"))  # Redshift has no type for them
    fixed: list[SqlValue] = [literal_column("42"), text, literal_column("1.50")]
    fixed += [cast(literal_column("'2024-02-29'"), Date()), case((literal_column("1") == literal_column("0"), other))]
    row = select(*(value.label(f"c{place}") for place, value in enumerate(fixed))).subquery("fixed")
    hashed = row_hash(list(row.c), connection)
    number = "" if isinstance(hashed, NoHash) else connection.execute(select(hashed)).scalar_one()
    return f"{connection.dialect.name} {number}"
