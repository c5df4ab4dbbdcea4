"""The databases that a sync reads: what each is called, needs, and why some of them cannot hold the state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dagster_dailystory.errors import ConfigurationError

_SLOW = "every acknowledgement would be a query of its own there, which takes a second and is billed"


_NO_TRANSACTIONS = "it has no transactions, so an acknowledgement could be half written"


_NO_BULK_ROWS = "the statements that write answers in bulk do not exist there"


_LEADING_WITH = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/)*with\b", re.IGNORECASE | re.DOTALL)


_PART = r'"(?:[^"]|"")+"|`(?:[^`]|``)+`|\[(?:[^\]]|\]\])+\]|[^.\s"`\[]+'


_NAME_PART, _NAME = re.compile(_PART), re.compile(rf"(?:{_PART})(?:\.(?:{_PART}))*")


@dataclass(frozen=True)
class DatabaseFacts:
    """What is true of one database.

    Attributes:
        title: What people call it.
        url: A SQLAlchemy URL to copy.
        extra: The package extra that brings its driver; None where it comes with the package.
        why_no_state: Why it cannot hold the state; None where it can.
        longest_name: Longest identifier of the state's tables, in bytes.
    """

    title: str
    url: str
    extra: str | None = None
    why_no_state: str | None = None
    longest_name: int = 1_000


DATABASES: Mapping[str, DatabaseFacts] = {
    "postgresql": DatabaseFacts("PostgreSQL", "postgresql+psycopg://user@host/database", "postgres", longest_name=63),
    "duckdb": DatabaseFacts("DuckDB", "duckdb:////path/to/file.duckdb"),
    "sqlite": DatabaseFacts("SQLite", "sqlite:////path/to/file.sqlite"),
    "redshift": DatabaseFacts("Redshift", "redshift+psycopg2://user@host:5439/database", "redshift", _SLOW),
    "snowflake": DatabaseFacts(
        "Snowflake", "snowflake://user@account/database/schema?warehouse=name", "snowflake", _SLOW
    ),
    "bigquery": DatabaseFacts("BigQuery", "bigquery://project/dataset", "bigquery", _SLOW),
    "databricks": DatabaseFacts(
        "Databricks",
        "databricks://token:TOKEN@host?http_path=PATH&catalog=main&schema=name",
        "databricks",
        _NO_TRANSACTIONS,
    ),
    "clickhousedb": DatabaseFacts(
        "ClickHouse", "clickhousedb://user@host:8443/database", "clickhouse", _NO_TRANSACTIONS
    ),
    "trino": DatabaseFacts("Trino", "trino://user@host:443/catalog/schema", "trino", _NO_TRANSACTIONS),
    "mysql": DatabaseFacts("MySQL", "mysql+pymysql://user@host/database?charset=utf8mb4", "mysql", _NO_BULK_ROWS),
    "mariadb": DatabaseFacts("MariaDB", "mariadb+pymysql://user@host/database?charset=utf8mb4", "mysql", _NO_BULK_ROWS),
    "mssql": DatabaseFacts("SQL Server", "mssql+pymssql://user@host/database?charset=utf8", "mssql", _NO_BULK_ROWS),
}
"""SQLAlchemy's dialect name -> facts."""


def facts_of(dialect_name: str) -> DatabaseFacts:
    """The facts of a database; those of an unknown one are guesses that stop it from holding the state."""
    unknown = DatabaseFacts(dialect_name, f"{dialect_name}://", why_no_state="it is not known to this package")
    return DATABASES.get(dialect_name, unknown)


def require_state_database(dialect_name: str) -> None:
    """Refuse a database that cannot hold the state.

    Raises:
        ConfigurationError: With the reason, and the databases that can.
    """
    facts = facts_of(dialect_name)
    if facts.why_no_state is not None:
        able = sorted(each.title for each in DATABASES.values() if each.why_no_state is None)
        raise ConfigurationError(
            f"{facts.title} cannot hold the sync's state: {facts.why_no_state}; it is read only. "
            f"Set state_url to a database of one of these kinds: {', '.join(able)}"
        )


def check_key_names(names: Iterable[str], dialect_name: str) -> None:
    """Refuse key columns whose names the state's tables cannot have: PostgreSQL would cut them without a word.

    Raises:
        ConfigurationError: A name is too long.
    """
    longest = facts_of(dialect_name).longest_name
    for name in names:
        if len(name.encode()) > longest:
            raise ConfigurationError(
                f"key {name!r} is longer than the {longest} bytes that {facts_of(dialect_name).title} keeps of a name; "
                "give it an alias in the query"
            )


def name_parts(written: str) -> tuple[str, ...]:
    """Split `catalog.schema.table`, where each part may be quoted as any database does; nothing for a query."""
    return tuple(map(_unquoted, _NAME_PART.findall(written))) if _NAME.fullmatch(written) else ()


def _unquoted(part: str) -> str:
    closing = {'"': '"', "`": "`", "[": "]"}.get(part[0])
    return part if closing is None else part[1:-1].replace(closing * 2, closing)


def check_query(query: str, dialect_name: str, sync_name: str) -> None:
    """Refuse a query that the database does not accept within parentheses.

    Raises:
        ConfigurationError: SQL Server takes WITH only at the start of a statement.
    """
    if dialect_name == "mssql" and _LEADING_WITH.match(query):
        raise ConfigurationError(
            f"the source of sync {sync_name!r} starts with WITH, and SQL Server takes no WITH within a FROM; "
            "make the query a view, or write its parts as subqueries"
        )
