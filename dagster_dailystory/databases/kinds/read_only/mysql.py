"""MySQL and MariaDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlalchemy import CHAR, LargeBinary, cast, func, literal_column

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.sql_types import BIG_INTEGER, SqlValue

_FLOAT, _JSON = 4, 245

_LONG = frozenset({_JSON, 249, 250, 251, 252})
"""BLOB and TEXT, of any length."""

_HASHED = frozenset({*range(17), *range(245, 255)})
"""The driver's codes of all types but the following."""

_REFUSED: Mapping[object, str] = {242: "VECTOR", 255: "GEOMETRY"}


class MySQL(Database):
    """MySQL."""

    title = "MySQL"
    url = "mysql+pymysql://user@host/database?charset=utf8mb4"
    extra = "mysql"
    connection_types = ("mysql",)
    connection_options = ("charset", "unix_socket", "ssl_ca")
    why_no_state = "it commits a transaction that creates or changes a table, so the state could be half made"
    hashed_types = _HASHED
    type_names: ClassVar = _REFUSED
    text_types = frozenset({253})
    short_name = sql_name = "mysql"
    enforces_keys = True

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """The first half of the MD5 of all values, each with its length before it.

        A TIMESTAMP is hashed in the time zone of the session, as it is read.
        """
        digest = func.md5(func.concat(*map(_measured, values, kinds)))
        # A negative base makes the number signed.
        number = func.conv(func.left(digest, literal_column("16")), literal_column("16"), literal_column("-10"))
        return cast(number, BIG_INTEGER)


class MariaDB(MySQL):
    """MariaDB."""

    title = "MariaDB"
    connection_types = ("mariadb",)
    url = "mariadb+pymysql://user@host/database?charset=utf8mb4"
    short_name = "mariadb"


def _measured(value: SqlValue, kind: object) -> SqlValue:
    if kind == _FLOAT:  # its text has six digits
        value = value.op("+")(literal_column("0e0"))
    if kind == _JSON:  # has no bytes in MySQL
        value = cast(value, CHAR())
    content: SqlValue = cast(value, LargeBinary())  # regardless of collations
    if kind in _LONG:  # a result longer than max_allowed_packet would be NULL
        content = func.md5(content)
    return func.coalesce(func.concat(func.length(content), literal_column("':'"), content), literal_column("'N'"))
