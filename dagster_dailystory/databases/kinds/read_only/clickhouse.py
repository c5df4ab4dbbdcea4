"""ClickHouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from sqlalchemy import Connection

from dagster_dailystory.databases.kinds.base import Database, Rows
from dagster_dailystory.databases.kinds.read_only.reasons import NO_TRANSACTIONS
from dagster_dailystory.databases.sql_types import SqlQuery


class ClickHouse(Database):
    """ClickHouse."""

    title = "ClickHouse"
    url = "clickhousedb://user@host:8443/database"
    extra = "clickhouse"
    why_no_state = NO_TRANSACTIONS
    short_name = sql_name = "clickhouse"

    def batches(
        self, connection: Connection, query: SqlQuery, parameters: Mapping[str, object], size: int
    ) -> Iterator[Rows]:
        """Read block by block, because the DBAPI cursor holds the whole result in memory."""
        statement = str(query.compile(dialect=self.dialect, compile_kwargs={"literal_binds": True})) % ()
        client = cast(Any, connection.connection.driver_connection).client
        with client.query_row_block_stream(statement, settings={"max_block_size": size}) as blocks:
            for block in blocks:
                yield [tuple(row) for row in block]
