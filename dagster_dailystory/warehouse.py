"""Connections to the warehouse and the state: opened late, closed early, with errors a person can act on."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from dagster_dailystory.contact import mask
from dagster_dailystory.errors import BusyError, ConfigurationError, WarehouseError

_DUCKDB_LOCK = re.compile(r"Could not set lock on file|being used by another process")

_EXTRAS = {
    "postgresql": "postgres", "redshift": "redshift", "snowflake": "snowflake", "bigquery": "bigquery",
    "databricks": "databricks", "clickhousedb": "clickhouse", "trino": "trino", "mysql": "mysql", "mariadb": "mysql",
    "mssql": "mssql",
}  # fmt: skip


def open_engine(url: str) -> Engine:
    """Make an engine that holds no connection between uses and shows no parameters.

    DuckDB's file lock is per process, so a pooled connection would lock everybody else out.

    Raises:
        ConfigurationError: The URL cannot be read, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        engine = create_engine(parsed, poolclass=NullPool, hide_parameters=True)
    except ArgumentError:
        raise ConfigurationError(
            "the database URL cannot be read; it looks like dialect+driver://user@host/db"
        ) from None
    except (NoSuchModuleError, ImportError) as error:
        name = url.split("://", 1)[0].split("+", 1)[0]
        extra = f"; pip install 'dagster-dailystory[{_EXTRAS[name]}]'" if name in _EXTRAS else ""
        raise ConfigurationError(f"no driver for {name!r} is installed ({type(error).__name__}){extra}") from None
    if engine.dialect.name == "sqlite":
        _begin_explicitly(engine)
    return engine


def _begin_explicitly(engine: Engine) -> None:
    """Make SQLite transactions cover reads and DDL: its driver starts them late, and only for writes."""

    @event.listens_for(engine, "connect")
    def _connect(connection: object, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3.Connection
        connection.execute("PRAGMA busy_timeout = 10000")  # type: ignore[attr-defined]
        connection.create_function("dailystory_hash", 1, _crc32, deterministic=True)  # type: ignore[attr-defined]
        connection.execute("PRAGMA synchronous = FULL")  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _crc32(text: str | None) -> int | None:
    """SQLite has no hash function of its own."""
    return None if text is None else zlib.crc32(text.encode("utf-8", "surrogatepass"))


@contextmanager
def connect(engine: Engine, role: str, *, writes: bool = False) -> Iterator[Connection]:
    """Open one connection, and turn what the driver says into our errors.

    Args:
        engine: From `open_engine`.
        role: `warehouse` or `state`, for the message.
        writes: The connection's transactions write from the start (SQLite takes its lock at once).

    Raises:
        WarehouseError: The database cannot be reached, or refused a statement.
    """
    with _plain_errors(f"the {role} database cannot be reached"):
        connection = engine.connect()
    with connection, _plain_errors(f"the {role} database refused a statement"):
        yield connection.execution_options(writes=writes)


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """Name what was tried when the database refuses it.

    Raises:
        WarehouseError: Instead of any SQLAlchemy error, without its SQL and parameters.
    """
    with _plain_errors(what):
        yield


@contextmanager
def _plain_errors(what: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        text = str(error.orig).strip().splitlines()
        if text and _DUCKDB_LOCK.search(text[0]):
            message = "another process has the DuckDB file open, and DuckDB allows one; wait for it to end, or close it"
            raise BusyError(message) from None
        raise WarehouseError(f"{what}: {mask(text[0]) if text else type(error.orig).__name__}") from None


def read_one_moment(connection: Connection) -> None:
    """Let the next transaction see the database as it is at its first statement, to its end.

    DuckDB and SQLite transactions do so anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ")


def read_latest(connection: Connection) -> None:
    """Undo `read_one_moment`."""
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="READ COMMITTED")


def same_database(one: str, other: str) -> bool:
    """Whether two URLs name one database, whatever user or options they carry."""
    a, b = make_url(one), make_url(other)
    place = [(u.get_backend_name(), u.host, u.port, u.database, u.query.get("host")) for u in (a, b)]
    return place[0] == place[1]
