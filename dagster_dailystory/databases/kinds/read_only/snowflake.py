"""Snowflake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar, cast

from sqlalchemy import Connection, func, literal_column

from dagster_dailystory.databases.kinds.base import Database, Rows
from dagster_dailystory.databases.kinds.read_only.reasons import SLOW, cannot_hash
from dagster_dailystory.databases.sql_types import BIG_INTEGER, SqlQuery, SqlValue

_HASHED = frozenset(range(14))
"""The driver's codes of all types but the following."""

_REFUSED: Mapping[object, str] = {
    14: "GEOGRAPHY", 15: "GEOMETRY", 16: "VECTOR", 17: "MAP", 18: "FILE", 19: "INTERVAL", 20: "INTERVAL",
}  # fmt: skip

_LARGEST: SqlValue = literal_column("9223372036854775807")


class Snowflake(Database):
    """Snowflake."""

    title = "Snowflake"
    url = "snowflake://user@account/database/schema?warehouse=name"
    extra = "snowflake"
    why_no_state = SLOW
    short_name = sql_name = "snowflake"
    json_types: ClassVar[frozenset[int]] = frozenset({5, 9, 10})
    """The codes of VARIANT, OBJECT and ARRAY, which the driver returns as text, differently in each version."""

    def why_no_hash(self, kinds: Sequence[object]) -> str | None:
        """The function is not documented for the types that were added later."""
        refused = [_REFUSED.get(kind, f"type {kind}") for kind in kinds if kind not in _HASHED]
        return cannot_hash(self.title, refused[0]) if refused else None

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """Snowflake's own hash, in which NULL is a value; of JSON its text, which keeps null and NULL apart.

        The remainder changes nothing but the two outermost numbers. An emulator's hash is unsigned and needs it.
        """
        exact = [func.to_json(v) if kind in self.json_types else v for v, kind in zip(values, kinds, strict=True)]
        return func.mod(func.hash(*exact), _LARGEST, type_=BIG_INTEGER)

    def batches(
        self, connection: Connection, query: SqlQuery, parameters: Mapping[str, object], size: int
    ) -> Iterator[Rows]:
        """Parse the columns with JSON."""
        result = connection.execution_options(stream_results=True, yield_per=size).execute(query, parameters)
        described = [] if result.cursor is None else result.cursor.description
        positions = [position for position, column in enumerate(described) if column[1] in self.json_types]
        for batch in result.partitions(size):
            yield [_parsed(row, positions) for row in batch] if positions else batch


def _parsed(row: Sequence[object], positions: Sequence[int]) -> tuple[object, ...]:
    """Parse the JSON columns of a row; invalid JSON stays text."""
    values = list(row)
    for position in positions:
        with suppress(ValueError, TypeError):
            values[position] = json.loads(cast(str, values[position]))
    return tuple(values)
