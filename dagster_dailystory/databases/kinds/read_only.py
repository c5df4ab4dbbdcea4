"""Databases that are only read: they hold no state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, cast

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from dagster_dailystory.databases.kinds.base import Database, Rows
from dagster_dailystory.databases.kinds.psycopg import set_up_psycopg2
from dagster_dailystory.databases.sql_types import SqlQuery
from dagster_dailystory.errors import ConfigurationError

_SLOW = "each acknowledgement would be a separate query there, which takes a second and is billed"

_NO_TRANSACTIONS = "it has no transactions, so an acknowledgement could be half written"

_DDL_COMMITS = "it commits a transaction that creates or changes a table, so the state could be half made"

_NO_BULK_ROWS = "it lacks the statements that write results in bulk"

_LEADING_WITH = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/)*with\b", re.IGNORECASE | re.DOTALL)


class Redshift(Database):
    """Amazon Redshift."""

    title = "Redshift"
    url = "redshift+psycopg2://user@host:5439/database"
    extra = "redshift"
    why_no_state = _SLOW
    short_name = sql_name = "redshift"

    def set_up(self, engine: Engine) -> None:
        """Read what Python cannot hold as text."""

        @event.listens_for(engine, "connect")
        def _connect(connection: object, _record: ConnectionPoolEntry) -> None:
            if engine.dialect.driver == "psycopg2":
                set_up_psycopg2(connection)


class Snowflake(Database):
    """Snowflake."""

    title = "Snowflake"
    url = "snowflake://user@account/database/schema?warehouse=name"
    extra = "snowflake"
    why_no_state = _SLOW
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


class BigQuery(Database):
    """Google BigQuery."""

    title = "BigQuery"
    url = "bigquery://project/dataset"
    extra = "bigquery"
    why_no_state = _SLOW
    short_name = sql_name = "bigquery"


class Databricks(Database):
    """Databricks SQL."""

    title = "Databricks"
    url = "databricks://token:TOKEN@host?http_path=PATH&catalog=main&schema=name"
    extra = "databricks"
    why_no_state = _NO_TRANSACTIONS
    short_name = sql_name = "databricks"


class ClickHouse(Database):
    """ClickHouse."""

    title = "ClickHouse"
    url = "clickhousedb://user@host:8443/database"
    extra = "clickhouse"
    why_no_state = _NO_TRANSACTIONS
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


class Trino(Database):
    """Trino."""

    title = "Trino"
    url = "trino://user@host:443/catalog/schema"
    extra = "trino"
    why_no_state = _NO_TRANSACTIONS
    short_name = sql_name = "trino"


class MySQL(Database):
    """MySQL."""

    title = "MySQL"
    url = "mysql+pymysql://user@host/database?charset=utf8mb4"
    extra = "mysql"
    why_no_state = _DDL_COMMITS
    short_name = sql_name = "mysql"


class MariaDB(MySQL):
    """MariaDB."""

    title = "MariaDB"
    url = "mariadb+pymysql://user@host/database?charset=utf8mb4"
    short_name = "mariadb"


class SqlServer(Database):
    """Microsoft SQL Server."""

    title = "SQL Server"
    url = "mssql+pymssql://user@host/database?charset=utf8"
    extra = "mssql"
    why_no_state = _NO_BULK_ROWS
    short_name = "sqlserver"
    sql_name = "tsql"

    @classmethod
    def check_query(cls, query: str, sync_name: str) -> None:
        """SQL Server accepts WITH only at the start of a statement."""
        if _LEADING_WITH.match(query):
            raise ConfigurationError(
                f"the source of sync {sync_name!r} starts with WITH, which SQL Server does not accept in a subquery; "
                "make the query a view, or write its parts as subqueries"
            )


def _parsed(row: Sequence[object], positions: Sequence[int]) -> tuple[object, ...]:
    """Parse the JSON columns of a row; invalid JSON stays text."""
    values = list(row)
    for position in positions:
        with suppress(ValueError, TypeError):
            values[position] = json.loads(cast(str, values[position]))
    return tuple(values)
