"""The supported databases: title, URL, extra, and why some of them cannot hold the state; and the check of a URL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest

_SLOW = "each acknowledgement would be a separate query there, which takes a second and is billed"

_NO_TRANSACTIONS = "it has no transactions, so an acknowledgement could be half written"

_NO_BULK_ROWS = "it lacks the statements that write results in bulk"

_LEADING_WITH = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/)*with\b", re.IGNORECASE | re.DOTALL)

_PART = r'"(?:[^"]|"")+"|`(?:[^`]|``)+`|\[(?:[^\]]|\]\])+\]|[^.\s"`\[]+'

_NAME_PART, _NAME = re.compile(_PART), re.compile(rf"(?:{_PART})(?:\.(?:{_PART}))*")


@dataclass(frozen=True)
class DatabaseFacts:
    """Facts about one database.

    Attributes:
        title: Its usual name.
        url: A SQLAlchemy URL to copy.
        extra: The package extra that installs its driver; None if the package itself does.
        why_no_state: Why it cannot hold the state; None if it can.
        longest_name: Longest identifier in the state tables, in bytes.
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
    """The facts about a database; an unknown database cannot hold the state."""
    unknown = DatabaseFacts(dialect_name, f"{dialect_name}://", why_no_state="this package does not know it")
    return DATABASES.get(dialect_name, unknown)


def require_state_database(dialect_name: str) -> None:
    """Require that a database can hold the state.

    Raises:
        ConfigurationError: It cannot; the message has the reason and the databases that can.
    """
    facts = facts_of(dialect_name)
    if facts.why_no_state is not None:
        titles = sorted(each.title for each in DATABASES.values() if each.why_no_state is None)
        raise ConfigurationError(
            f"{facts.title} cannot hold the sync's state: {facts.why_no_state}. It can only be read. "
            f"Set state_url to a database of one of these kinds: {', '.join(titles)}"
        )


def check_key_names(names: Iterable[str], dialect_name: str) -> None:
    """Require key column names that fit into the state tables; PostgreSQL truncates longer ones silently.

    Raises:
        ConfigurationError: A name is too long.
    """
    longest = facts_of(dialect_name).longest_name
    for name in names:
        if len(name.encode()) > longest:
            raise ConfigurationError(
                f"the name of key {name!r} is longer than {longest} bytes, the limit of "
                f"{facts_of(dialect_name).title}; give it an alias in the query"
            )


def name_parts(written: str) -> tuple[str, ...]:
    """Split `catalog.schema.table`, with each part quoted in the style of any database; empty for a query."""
    return tuple(map(_unquoted, _NAME_PART.findall(written))) if _NAME.fullmatch(written) else ()


def _unquoted(part: str) -> str:
    closing = {'"': '"', "`": "`", "[": "]"}.get(part[0])
    return part if closing is None else part[1:-1].replace(closing * 2, closing)


def check_query(query: str, dialect_name: str, sync_name: str) -> None:
    """Require a query that the database accepts as a subquery.

    Raises:
        ConfigurationError: SQL Server accepts WITH only at the start of a statement.
    """
    if dialect_name == "mssql" and _LEADING_WITH.match(query):
        raise ConfigurationError(
            f"the source of sync {sync_name!r} starts with WITH, which SQL Server does not accept in a subquery; "
            "make the query a view, or write its parts as subqueries"
        )


_URL_FORM = "dialect+driver://user@host/database, or sqlite:////path/to/file.sqlite"

_FILES = ("duckdb", "sqlite")
"""The databases that are files, which they create where they are missing."""

_ENCODED = "write each @, : and / of the user and the password as %40, %3A and %2F"

_OTHER_NAMES = {"postgres": "postgresql", "clickhouse": "clickhousedb", "sqlserver": "mssql", "sqlite3": "sqlite"}
"""What people write for a dialect, and SQLAlchemy's name of it."""


def read_url(text: object, setting: str) -> URL:
    """Read a database URL, without importing its driver. No message repeats a part after `://`.

    Args:
        text: The URL as it was given.
        setting: The setting that it was given in, to name it in errors.

    Raises:
        ConfigurationError: The URL cannot be read.
    """
    if not isinstance(text, str) or not text.strip():
        found = "empty" if isinstance(text, str) else f"of the type {type(text).__name__}"
        raise ConfigurationError(f"{setting} is {found}; it must be a database URL: {_URL_FORM}")
    name = text.split("://", 1)[0] if "://" in text else ""
    if not re.fullmatch(r"[\w+.]+", name):
        raise ConfigurationError(f"{setting} is not a database URL; it looks like {_URL_FORM}")
    try:
        url = make_url(text)
    except ValueError:
        raise ConfigurationError(f"the port in {setting} is not a number; {_ENCODED}") from None
    except ArgumentError:
        raise ConfigurationError(f"{setting} cannot be read; it looks like {_URL_FORM}") from None
    if url.username is not None and "@" in f"{url.host}{url.database}":
        raise ConfigurationError(f"{setting} has more than one @ before the database; {_ENCODED}")
    if url.get_backend_name() in _FILES and url.host:
        raise ConfigurationError(f"{setting} has too few slashes; it looks like {facts_of(url.get_backend_name()).url}")
    if url.get_backend_name() in _OTHER_NAMES:
        meant = DATABASES[_OTHER_NAMES[url.get_backend_name()]].url.partition("://")[0]
        raise ConfigurationError(f"{setting} starts with {url.drivername!r}; write {meant}://")
    return url


def checked_url(text: object, setting: str) -> URL:
    """Read a database URL, and make sure that its driver is installed; see `read_url`.

    Raises:
        ConfigurationError: The URL cannot be read, or its driver is not installed.
    """
    url = read_url(text, setting)
    name = url.get_backend_name()
    facts, missing = facts_of(name), f"{setting} starts with {url.drivername!r}, and no such driver is installed"
    usual = facts.url.partition("://")[0]
    try:
        url.get_dialect().import_dbapi()
    except (NoSuchModuleError, ImportError, AttributeError) as error:  # AttributeError: of an interface that is gone
        if isinstance(error, NoSuchModuleError) and name not in DATABASES:
            titles = ", ".join(each.title for each in DATABASES.values())
            hint = nearest(name, DATABASES) or f"; the databases that this package knows are {titles}"
            raise ConfigurationError(f"{missing}{hint}") from None
        install = f"pip install 'dagster-dailystory[{facts.extra}]'" if facts.extra else ""
        write = f"write {usual}://" if url.drivername != usual and name in DATABASES else ""
        remedy = " and ".join(filter(None, (install, write))) or "install it with pip"
        raise ConfigurationError(f"{missing}; {remedy}") from None
    return url


def require_file(url: URL, setting: str) -> None:
    """Require that the file of a DuckDB or SQLite source exists: both databases create a missing one, without a word.

    Raises:
        ConfigurationError: It does not.
    """
    path = _file_of(url)
    if path is not None and not path.exists():
        raise ConfigurationError(
            f"{setting} names the file {path}, which does not exist; correct the path "
            "(a relative one starts at the working directory), or create the database with its tables first"
        )


def require_folder(url: URL, setting: str) -> None:
    """Require that a DuckDB or SQLite file can be created where it does not exist.

    Raises:
        ConfigurationError: The folder does not exist.
    """
    path = _file_of(url)
    if path is not None and not path.parent.is_dir():
        raise ConfigurationError(f"{setting} names a file in {path.parent}, and this folder does not exist; create it")


def _file_of(url: URL) -> Path | None:
    """The local file of a database; None for a server, a database in memory and a service."""
    name = url.database or ""
    is_other = not name or name.startswith((":memory:", "file:", "md:", "motherduck:")) or "://" in name
    return None if is_other or url.get_backend_name() not in _FILES else Path(name).absolute()
