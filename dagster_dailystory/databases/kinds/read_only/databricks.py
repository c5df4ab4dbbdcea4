"""Databricks SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import URL, Engine, cast, event, func, literal_column

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.read_only.reasons import NO_TRANSACTIONS
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, Native, SqlValue

_AS_IT_IS = frozenset({"boolean", "tinyint", "smallint", "int", "bigint", "date", "timestamp", "binary"})

_AS_BYTES = frozenset({"string", "varchar", "char"})
"""The hash of a text is that of its sort key: under some collations it is equal for different texts."""

_AS_TEXT = frozenset({"float", "double", "decimal", "interval_year_month", "interval_day_time", "null"})
"""The hash of -0.0 is that of 0.0, and the one of 1.5 that of 15."""

_AS_JSON = frozenset({"array", "map", "struct", "variant"})
"""The hash of an array or a struct leaves its NULLs out, and a map has none.

In JSON a key of a map is a name: what Java prints of a binary, an array or a struct, which differs each time or is the
same for two of them. Entries keep keys apart; a map within another type has none.
"""

_JSON_OPTIONS = (
    "map('ignoreNullFields', 'false', 'timeZone', 'UTC', 'timestampFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSSXXX', "
    "'timestampNTZFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS')"
)
"""By default, fields that are NULL are left out, and times have milliseconds in the time zone of the session."""


class Databricks(Database):
    """Databricks SQL."""

    title = "Databricks"
    url = "databricks://token:TOKEN@host?http_path=PATH&catalog=main&schema=name"
    extra = "databricks"
    connection_types = ("databricks",)
    connection_options = ("http_path", "catalog", "schema")
    why_no_state = NO_TRANSACTIONS
    hashed_types = _AS_IT_IS | _AS_BYTES | _AS_TEXT | _AS_JSON
    text_types = frozenset({"string"})
    short_name = sql_name = "databricks"
    converters: ClassVar = {"map": dict}  # from a list of pairs

    @classmethod
    def url_of(cls, parts: URL) -> URL:
        """The token is the password, or an extra; the user is always `token`, and the schema is part of the query."""
        token = str(parts.query.get("token") or parts.password or "")
        host = (parts.host or "").removeprefix("https://").rstrip("/")
        schema = {"schema": parts.database} if parts.database else {}
        url = super().url_of(parts).set(username="token", password=token, host=host, database="")
        return url.update_query_dict(schema)

    def set_up(self, engine: Engine) -> None:
        """Read values as Arrow has them: by way of pandas, NaN becomes NULL, and integers in arrays become floats."""

        @event.listens_for(engine, "do_connect")
        def _connect(_dialect: object, _record: object, _arguments: object, options: dict[str, Any]) -> None:
            options["_disable_pandas"] = True

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """Hash the values, and of each whether it is NULL: xxhash64 leaves NULLs out."""
        flagged = [each for v, kind in zip(values, kinds, strict=True) for each in (v.is_(None), _exact(v, kind))]
        types = ",".join(map(str, kinds))
        return func.xxhash64(literal_column(f"'{types}'"), *flagged, type_=BIG_INTEGER)


def _exact(value: SqlValue, kind: object) -> SqlValue:
    if kind in _AS_IT_IS:
        return value
    if kind in _AS_BYTES:
        return cast(value, Native("BINARY"))
    if kind in _AS_TEXT:
        return cast(value, TEXT)
    return func.to_json(func.map_entries(value) if kind == "map" else value, literal_column(_JSON_OPTIONS))
