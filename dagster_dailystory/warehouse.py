"""Connections to the warehouse and the state: opened late, closed early, with errors a person can act on."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from dagster_dailystory.database_errors import plain_words
from dagster_dailystory.drivers import set_up_connections
from dagster_dailystory.engines import facts_of
from dagster_dailystory.errors import BusyError, ConfigurationError, WarehouseError
from dagster_dailystory.memory import remember_limit

_DUCKDB_LOCK = re.compile(r"Could not set lock on file|being used by another process")
_DUCKDB_INTERRUPTED = "Query interrupted"
_LOGGER = "dailystory"
_READ_ONLY = re.compile(r"read-?only", re.IGNORECASE)
_READ_ONLY_REMEDY = "; let this user write to it, or set state_url to a database that may be written"


def open_engine(url: str) -> Engine:
    """Make an engine that holds no connection between uses and shows no parameters.

    DuckDB's file lock is per process, so a pooled connection would lock everybody else out. At DEBUG, SQLAlchemy logs
    every row it reads, whatever `hide_parameters` says: these engines have a logger of their own that does not.

    Raises:
        ConfigurationError: The URL cannot be read, or its driver is not installed.
    """
    logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGER}").setLevel(logging.WARNING)
    try:
        parsed = make_url(url)
        engine = create_engine(parsed, poolclass=NullPool, hide_parameters=True, logging_name=_LOGGER)
    except (NoSuchModuleError, ImportError) as error:
        name = url.split("://", 1)[0].split("+", 1)[0]
        extra = facts_of(name).extra
        remedy = f"; pip install 'dagster-dailystory[{extra}]'" if extra else ""
        raise ConfigurationError(f"no driver for {name!r} is installed ({type(error).__name__}){remedy}") from None
    except ArgumentError:
        raise ConfigurationError(
            "the database URL cannot be read; it looks like dialect+driver://user@host/db"
        ) from None
    set_up_connections(engine)
    remember_limit(engine)
    return engine


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
        remedy = _READ_ONLY_REMEDY if text and _READ_ONLY.search(text[0]) else ""
        raise WarehouseError(f"{what}: {plain_words(error)}{remedy}") from None
    except RuntimeError as error:
        if str(error) != _DUCKDB_INTERRUPTED:
            raise
        raise KeyboardInterrupt from None  # DuckDB loses what the signal's handler raised


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
