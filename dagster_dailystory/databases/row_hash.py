"""The row hash: 64 bits, computed by the warehouse from the key and all mapped columns of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

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


class Hashing:
    """Hashes columns of one source. The warehouse is asked once for their types, and once for the version of its hash.

    A value is hashed as text if its type treats different texts as equal. Two rows have the same hash by chance with
    probability 2^-64.

    Args:
        columns: Columns of the source, by any names.
        connection: To the warehouse.
    """

    def __init__(self, columns: Mapping[str, SqlValue], connection: Connection) -> None:
        self._columns = columns
        self._connection = connection
        self._database = database_of(connection.dialect)

    @cached_property
    def _kinds(self) -> Mapping[str, object]:
        found = self._database.type_codes(self._connection, select(*self._columns.values()))
        return dict(zip(self._columns, found, strict=True))

    def is_text(self, name: str) -> bool:
        """Whether a column is a plain text, whose values the warehouse can look up."""
        return self._kinds[name] in self._database.text_types

    @cached_property
    def version(self) -> str:
        """See `hash_version`."""
        return hash_version(self._connection)

    def of(self, values: Mapping[str, SqlValue]) -> SqlValue | NoHash:
        """The expression for the hash of some values of a row, which changes with each of them.

        Args:
            values: Some of the columns, of the source or of a part of it.

        Returns:
            A signed 64-bit integer, never NULL; `NoHash` if the database cannot hash these columns exactly.
        """
        kinds = [self._kinds[name] for name in values]
        reason = self._database.why_no_hash(kinds)
        return self._database.row_hash(list(values.values()), kinds) if reason is None else NoHash(reason)


def row_hash(values: Sequence[SqlValue], connection: Connection) -> SqlValue | NoHash:
    """The hash of these values, as `Hashing` makes it."""
    named = {str(place): value for place, value in enumerate(values)}
    return Hashing(named, connection).of(named)


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
