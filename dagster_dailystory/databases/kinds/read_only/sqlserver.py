"""Microsoft SQL Server."""

from __future__ import annotations

import re

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.errors import ConfigurationError

_LEADING_WITH = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/)*with\b", re.IGNORECASE | re.DOTALL)


class SqlServer(Database):
    """Microsoft SQL Server."""

    title = "SQL Server"
    url = "mssql+pymssql://user@host/database?charset=utf8"
    extra = "mssql"
    why_no_state = "it lacks the statements that write results in bulk"
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
