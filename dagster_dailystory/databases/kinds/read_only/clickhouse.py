"""ClickHouse."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, func, literal_column

from dagster_dailystory.databases.kinds.base import Database, Rows
from dagster_dailystory.databases.kinds.read_only.reasons import NO_TRANSACTIONS
from dagster_dailystory.databases.sql_types import BIG_INTEGER, SqlQuery, SqlValue

_JSON = re.compile(r"(Nullable\()?JSON\b.*")

_INEXACT = re.compile(r"\b(AggregateFunction|Dynamic|JSON|Object|QBit|Variant)\b")
"""Types whose values have types of their own, and states of aggregates: no hash of them is documented."""


class ClickHouse(Database):
    """ClickHouse."""

    title = "ClickHouse"
    url = "clickhousedb://user@host:8443/database"
    extra = "clickhouse"
    connection_types = ("clickhouse",)
    connection_options = ("secure", "verify")
    why_no_state = NO_TRANSACTIONS
    text_types = frozenset({"String", "Nullable(String)"})
    short_name = sql_name = "clickhouse"

    def type_codes(self, connection: Connection, query: SqlQuery) -> Sequence[object]:
        """Ask without SQLAlchemy's names of the columns: given these, the cursor has no types where it has no rows."""
        result = connection.exec_driver_sql(self._written(query.limit(0)))
        return [] if result.cursor is None else [column[1] for column in result.cursor.description]

    def why_no_hash(self, kinds: Sequence[object]) -> str | None:
        """A value that names its own type has no exact hash; JSON has its text, unless it is within another type."""
        found = [_INEXACT.search(str(kind)) for kind in kinds if not _JSON.fullmatch(str(kind))]
        return next((self.cannot_hash(each[1]) for each in found if each is not None), None)

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """Hash a tuple of the values, in which NULL is a value; outside it, one NULL makes the hash NULL.

        ClickHouse hashes the bytes of a value. The types and the time zone say what they mean: an Enum, a Decimal and
        a DateTime are integers.
        """
        types = hashlib.sha256(repr(list(map(str, kinds))).encode()).hexdigest()
        exact = [func.toString(v) if _JSON.fullmatch(str(kind)) else v for v, kind in zip(values, kinds, strict=True)]
        row = func.tuple(literal_column(f"'{types}'"), func.timezone(), *exact)
        return func.reinterpretAsInt64(func.sipHash64(row), type_=BIG_INTEGER)

    def batches(
        self, connection: Connection, query: SqlQuery, parameters: Mapping[str, object], size: int
    ) -> Iterator[Rows]:
        """Read block by block, because the DBAPI cursor holds the whole result in memory."""
        statement = self._written(query)
        client = cast(Any, connection.connection.driver_connection).client
        with client.query_row_block_stream(statement, settings={"max_block_size": size}) as blocks:
            for block in blocks:
                yield [tuple(row) for row in block]

    def _written(self, query: SqlQuery) -> str:
        return str(query.compile(dialect=self.dialect, compile_kwargs={"literal_binds": True})) % ()
