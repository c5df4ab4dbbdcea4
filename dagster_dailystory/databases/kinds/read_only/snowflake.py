"""Snowflake."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import URL, func, literal_column

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.read_only.reasons import SLOW
from dagster_dailystory.databases.sql_types import BIG_INTEGER, SqlValue

_HASHED = frozenset(range(14))
"""The driver's codes of all types but the following."""

_REFUSED: Mapping[object, str] = {
    14: "GEOGRAPHY", 15: "GEOMETRY", 16: "VECTOR", 17: "MAP", 18: "FILE", 19: "INTERVAL", 20: "INTERVAL",
}  # fmt: skip

_LARGEST: SqlValue = literal_column("9223372036854775807")


def _parsed(text: Any) -> object:
    """A value of JSON; invalid JSON stays text."""
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        return text


class Snowflake(Database):
    """Snowflake."""

    title = "Snowflake"
    url = "snowflake://user@account/database/schema?warehouse=name"
    extra = "snowflake"
    connection_types = ("snowflake",)
    connection_options = ("warehouse", "role")
    why_no_state = SLOW
    hashed_types = _HASHED
    type_names: ClassVar = _REFUSED
    text_types = frozenset({2})
    short_name = sql_name = "snowflake"
    json_types: ClassVar[frozenset[int]] = frozenset({5, 9, 10})
    """The codes of VARIANT, OBJECT and ARRAY, which the driver returns as text, differently in each version."""
    converters: ClassVar = dict.fromkeys(json_types, _parsed)

    @classmethod
    def url_of(cls, parts: URL) -> URL:
        """Airflow keeps the account, its region and the database in the extras."""
        account, region, database = (parts.query.get(name) for name in ("account", "region", "database"))
        host = ".".join(str(each) for each in (account or parts.host, region) if each)
        path = "/".join(str(each) for each in (database, parts.database) if each)
        return super().url_of(parts).set(host=host, database=path)

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """Snowflake's own hash, in which NULL is a value; of JSON its text, which keeps null and NULL apart.

        The remainder changes nothing but the two outermost numbers. An emulator's hash is unsigned and needs it.
        """
        exact = [func.to_json(v) if kind in self.json_types else v for v, kind in zip(values, kinds, strict=True)]
        return func.mod(func.hash(*exact), _LARGEST, type_=BIG_INTEGER)

    def remainder(self, number: SqlValue, divisor: int) -> SqlValue:
        """The driver leaves a doubled percent sign as it is in a statement without parameters."""
        return func.mod(number, literal_column(str(divisor)), type_=BIG_INTEGER)
