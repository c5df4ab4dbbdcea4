"""Microsoft SQL Server."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import NVARCHAR, cast, func, literal_column

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.sql_types import BIG_INTEGER, Native, SqlValue
from dagster_dailystory.errors import ConfigurationError

_LEADING_WITH = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/)*with\b", re.IGNORECASE | re.DOTALL)

_TEXTS = frozenset({1, str})
"""The codes of texts: pymssql's and pyodbc's. TEXT and NTEXT cannot be cast to bytes directly."""

_BYTES = Native("VARBINARY(MAX)")


class SqlServer(Database):
    """Microsoft SQL Server."""

    title = "SQL Server"
    url = "mssql+pymssql://user@host/database?charset=utf8"
    extra = "mssql"
    connection_types = ("mssql",)
    connection_options = ("charset",)
    why_no_state = "it lacks the statements that write results in bulk"
    text_types = frozenset({1})
    short_name = "sqlserver"
    sql_name = "tsql"
    enforces_keys = True

    def why_no_hash(self, kinds: Sequence[object]) -> str | None:
        """Each type is hashed as its bytes."""
        return None

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """The first 64 bits of the SHA-256 of the hashes of all values, each of 32 bytes; that of NULL is zeros.

        The bytes of a value depend neither on a collation nor on a setting of the session.
        """
        row: SqlValue = cast(literal_column("0x"), _BYTES)  # otherwise the sum ends at 8,000 bytes
        for value, kind in zip(values, kinds, strict=True):
            content = cast(cast(value, NVARCHAR()) if kind in _TEXTS else value, _BYTES)
            row = row.concat(func.coalesce(_sha256(content), literal_column("CAST(0 AS BINARY(32))")))
        first = func.substring(_sha256(row), literal_column("1"), literal_column("8"))
        return cast(first, BIG_INTEGER)

    @classmethod
    def check_query(cls, query: str, sync_name: str) -> None:
        """SQL Server accepts WITH only at the start of a statement."""
        if _LEADING_WITH.match(query):
            raise ConfigurationError(
                f"the source of sync {sync_name!r} starts with WITH, which SQL Server does not accept in a subquery; "
                "make the query a view, or write its parts as subqueries"
            )


def _sha256(content: SqlValue) -> SqlValue:
    return func.hashbytes(literal_column("'SHA2_256'"), content)
