"""Amazon Redshift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlalchemy import Engine, Integer, String, case, cast, event, func, literal_column
from sqlalchemy.pool import ConnectionPoolEntry

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.psycopg import set_up_psycopg2
from dagster_dailystory.databases.kinds.read_only.reasons import SLOW
from dagster_dailystory.databases.sql_types import BIG_INTEGER, SqlValue

_BOOLEAN = 16

_TEXTS = frozenset({25, 1042, 1043})

_CAST_EXACTLY = frozenset({20, 21, 23, 1083, 1266, 1700})
"""Integers, TIME, TIMETZ and NUMERIC: their texts are exact, and no setting changes them."""

_HASHED_BY_BYTES = frozenset({700, 701, 1082, 1114, 1184})
"""Floats, whose texts are rounded; dates and timestamps, whose texts follow settings of the session."""

_REFUSED: Mapping[object, str] = {
    1186: "INTERVAL", 1188: "INTERVAL", 1190: "INTERVAL", 2935: "HLLSKETCH", 3000: "GEOMETRY", 3001: "GEOGRAPHY",
    4000: "SUPER", 6551: "VARBYTE",
}  # fmt: skip


class Redshift(Database):
    """Amazon Redshift."""

    title = "Redshift"
    url = "redshift+psycopg2://user@host:5439/database"
    extra = "redshift"
    connection_types = ("redshift",)
    connection_options = ("sslmode", "sslrootcert")
    why_no_state = SLOW
    hashed_types = {_BOOLEAN} | _TEXTS | _CAST_EXACTLY | _HASHED_BY_BYTES
    type_names: ClassVar = _REFUSED
    text_types = frozenset({25, 1043})
    short_name = sql_name = "redshift"

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """Hash a text with a number or a hash for each value, in which NULL is empty, and a comma after it.

        The texts themselves, put together, could be longer than a VARCHAR may be. FNV_HASH with seeds would give
        equal hashes to `ab, c` and `a, bc`.
        """
        row: SqlValue = literal_column("''")
        for value, kind in zip(values, kinds, strict=True):
            row = row.concat(_part(value, kind)).concat(literal_column("','"))
        return func.farmfingerprint64(row, type_=BIG_INTEGER)

    def set_up(self, engine: Engine) -> None:
        """Read what Python cannot hold as text."""

        @event.listens_for(engine, "connect")
        def _connect(connection: object, _record: ConnectionPoolEntry) -> None:
            if engine.dialect.driver == "psycopg2":
                set_up_psycopg2(connection)


def _part(value: SqlValue, kind: object) -> SqlValue:
    exact = value
    if kind == _BOOLEAN:
        exact = cast(value, Integer())
    if kind in _TEXTS:  # as bytes, because a column may have a collation that ignores case
        exact = func.farmfingerprint64(func.to_varbyte(value, literal_column("'utf8'")))
    if kind in _HASHED_BY_BYTES:
        exact = func.fnv_hash(value)
    return case((value.is_(None), literal_column("''")), else_=cast(exact, String()))
