"""Trino."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import URL, String, cast, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.read_only.reasons import NO_TRANSACTIONS
from dagster_dailystory.databases.sql_types import BIG_INTEGER, Native, SqlValue

_TEXT = String()

_JSON = Native("JSON")

_CAST_EXACTLY = re.compile(
    r"boolean|tinyint|smallint|integer|bigint|real|double|decimal\(.*\)|(var)?char(\(\d+\))?|date|uuid|ipaddress|unknown"
    r"|time(stamp)?(\(\d+\))?( with time zone)?|interval (year to month|day to second)"
)

_ARRAY = re.compile(
    r"(array\()+(boolean|tinyint|smallint|integer|bigint|real|double|decimal\(.*\)|varchar(\(\d+\))?|date)\)+"
)
"""Arrays whose JSON is exact. What the JSON of a row is, depends on the version and on a setting."""


class Trino(Database):
    """Trino."""

    title = "Trino"
    url = "trino://user@host:443/catalog/schema"
    extra = "trino"
    connection_types = ("trino",)
    why_no_state = NO_TRANSACTIONS
    short_name = sql_name = "trino"

    @classmethod
    def url_of(cls, parts: URL) -> URL:
        """Airflow keeps the catalog in the extras."""
        path = "/".join(str(each) for each in (parts.query.get("catalog"), parts.database) if each)
        return super().url_of(parts).set(database=path)

    def why_no_hash(self, kinds: Sequence[object]) -> str | None:
        """Maps, rows and sketches have no exact text."""
        refused = [str(kind) for kind in kinds if _text(cast("", _TEXT), str(kind)) is None]
        return self.cannot_hash(refused[0].upper()) if refused else None

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """Hash the JSON of an array of texts, in which NULL is `null` and each text is quoted."""
        texts = [_text(value, str(kind)) for value, kind in zip(values, kinds, strict=True)]
        row = func.json_format(cast(_TextArray(*(each for each in texts if each is not None)), _JSON))
        return func.from_big_endian_64(func.xxhash64(func.to_utf8(row)), type_=BIG_INTEGER)


def _text(value: SqlValue, kind: str) -> SqlValue | None:
    """The exact text of a value; None if its type has none."""
    if kind == "json":
        return func.json_format(value)
    if kind == "varbinary":
        return func.to_hex(value)
    if _ARRAY.fullmatch(kind):
        return func.json_format(cast(value, _JSON))
    return cast(value, _TEXT) if _CAST_EXACTLY.fullmatch(kind) else None


class _TextArray(FunctionElement[str]):
    """`ARRAY[a, b]`, which SQLAlchemy knows on PostgreSQL only."""

    name = "array"
    inherit_cache = True


@compiles(_TextArray)
def _text_array(element: _TextArray, compiler: SQLCompiler, **kw: object) -> str:
    return f"ARRAY[{compiler.process(element.clauses, **kw)}]"
