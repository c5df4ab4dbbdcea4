"""Snowflake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar, cast

from sqlalchemy import Connection

from dagster_dailystory.databases.kinds.base import Database, Rows
from dagster_dailystory.databases.kinds.read_only.reasons import SLOW
from dagster_dailystory.databases.sql_types import SqlQuery


class Snowflake(Database):
    """Snowflake."""

    title = "Snowflake"
    url = "snowflake://user@account/database/schema?warehouse=name"
    extra = "snowflake"
    why_no_state = SLOW
    short_name = sql_name = "snowflake"
    json_types: ClassVar[frozenset[int]] = frozenset({5, 9, 10})
    """The codes of VARIANT, OBJECT and ARRAY, which the driver returns as text, differently in each version."""

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
