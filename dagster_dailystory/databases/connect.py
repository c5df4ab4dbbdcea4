"""Connections to the warehouse and the state, with driver errors turned into messages without personal data."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    Connection,
    Engine,
    Inspector,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    DBAPIError,
    NoInspectionAvailable,
    NoSuchTableError,
    OperationalError,
    ProgrammingError,
    SAWarning,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from dagster_dailystory.contacts.masking import mask
from dagster_dailystory.databases.kinds.private_files import PrivateFiles
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.sql_types import SqlType
from dagster_dailystory.databases.urls import checked_url
from dagster_dailystory.errors import BusyError, ConfigurationError, DailyStoryError, StateError, WarehouseError
from dagster_dailystory.model.contact_fields import nearest


def reflected_types(connection: Connection, name: str, schema: str | None = None) -> dict[str, SqlType] | None:
    """The column types of a table or view; None if the database cannot reflect it."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Did not recognize type", SAWarning)  # such a column is read as text
            columns = inspect(connection).get_columns(name, schema)
    except (NoSuchTableError, NoInspectionAvailable):
        return None
    return {each["name"]: each["type"] for each in columns} or None


_RAISED_BY_A_QUERY = frozenset({"RaiseException", "AssertFailure"})
"""psycopg's error classes for messages written by user-defined database functions: they may contain any value."""

_EXTRA_LINES = re.compile(r"\n\s*(?:LINE \d+|DETAIL|HINT|CONTEXT|QUERY):")

_QUOTE = "[\"'`«»„“”]"

_QUOTED = re.compile(rf"(?<!\w){_QUOTE}.*{_QUOTE}", re.DOTALL)

_MENTIONS_A_VALUE = re.compile(
    r"(?<![^\W_])(?:values?|inputs?|literal|conver\w+|conversion|cast\w*|pars\w+|json|path|tsquery|strings?|entry|parameter"
    r"|regular expression|Regex error|incorrect|recogni[sz]ed)(?![^\W_])",
    re.IGNORECASE,
)

_NAMES_IDENTIFIERS = re.compile(
    r"no such \w+: |ambiguous column name: |(?:Binder|Catalog|Parser|IO|Connection) Error: "
)
"""How messages of SQLite and DuckDB start when they are about the query and not about data."""

_FREE_TEXT = re.compile(r"(Invalid Input Error: )(?!Malformed |Failed |Could not |Invalid |missing |strptime)")
"""A message passed to DuckDB's `error()`, which may contain any value; DuckDB's own messages start as listed."""

_VALUE = re.compile(rf"(?<!\w){_QUOTE}|(?<=\bwith value )|(?<!Error: )(?<=: )")

_TARGET = re.compile(
    r"(?<=[\"'])( to [A-Z]\w*(?:\([\d, ]+\))?)?( when casting from source column [^\"'\n]+)?$"
)  # follows a value that DuckDB could not convert

_CLICKHOUSE = re.compile(r"Code: (\d+)\. DB::Exception: .*\(([A-Z][A-Z_]+)\)", re.DOTALL)

_CLICKHOUSE_NAME = re.compile(r"Code: \d+\. DB::Exception: (Unknown [\w ]+ (?:identifier|table) [`'][^`']+[`'])")

_DATABRICKS = re.compile(r"\[([A-Z]+_[A-Z_]+(?:\.[A-Z_]+)*)\]")

_DATABRICKS_NAME = re.compile(
    r"\[(?:TABLE_OR_VIEW_NOT_FOUND|SCHEMA_NOT_FOUND|UNRESOLVED_COLUMN[A-Z_.]*)\] [\w, ]*(`[^`]+`(?:\.`[^`]+`)*)"
)

_BIGQUERY_NAME = re.compile(
    r"\d{3} (?:POST \S+: )?(Not found: (?:Table|Dataset) [\w.:$-]+|Unrecognized name: `?\w+`?(?:; Did you mean \w+\?)?)"
)

_SNOWFLAKE_NUMBER = re.compile(r"\A\d{6} \(\w{5}\): ")  # looks like a phone number


def safe_message(error: DBAPIError) -> str:
    """Reduce a driver's message to one line without values from rows.

    Drivers quote both identifiers and values, and escape neither. If a message mentions a value, everything from the
    first quote or colon on is replaced. Lines that a database adds below the message are dropped.
    """
    text = _message(error)
    if not text or type(error.orig).__name__ in _RAISED_BY_A_QUERY:
        return type(error.orig).__name__
    if (code := _CLICKHOUSE.match(text)) is not None:
        named = _CLICKHOUSE_NAME.match(text)
        return f"{f'{named[1]}: ' if named else ''}ClickHouse error {code[1]}, {code[2]}"
    if type(error.orig).__module__.startswith("databricks") and (code := _DATABRICKS.search(text)) is not None:
        named = _DATABRICKS_NAME.search(text)
        return f"{f'{named[1]}: ' if named else ''}Databricks error {code[1]}"
    if (named := _BIGQUERY_NAME.match(text)) is not None:
        return mask(named[1])
    body = _EXTRA_LINES.split(_SNOWFLAKE_NUMBER.sub("", text))[0].strip()
    return mask(body.splitlines()[0] if _is_about_names(error, body) else _without_values(body))


def _is_about_names(error: DBAPIError, body: str) -> bool:
    if not isinstance(error, (OperationalError, ProgrammingError)):
        return False
    return bool(_NAMES_IDENTIFIERS.match(body)) or not _MENTIONS_A_VALUE.search(_QUOTED.sub(" ", body))


def _message(error: DBAPIError) -> str:
    """The driver's message; MySQL's driver gives a number and a text."""
    parts = error.orig.args if error.orig is not None else ()
    if len(parts) == 2 and isinstance(parts[0], int) and isinstance(parts[1], str):
        return f"{parts[1].strip()} ({parts[0]})"
    return str(error.orig).strip()


def _without_values(body: str) -> str:
    free_text = _FREE_TEXT.match(body)
    if free_text is not None:
        return f"{free_text[1]}[value]"
    start = _VALUE.search(body)
    if start is None:
        return body.splitlines()[0]
    target = _TARGET.search(body)
    return f"{body[: start.start()]}[value]{target[0] if target else ''}"


_DUCKDB_LOCK = re.compile(r"Could not set lock on file|being used by another process")

_DUCKDB_INTERRUPTED = "Query interrupted"

_LOGGER = "dailystory"

_READ_ONLY = re.compile(r"read-?only", re.IGNORECASE)

_READ_ONLY_REMEDY = "; let this user write to it, or set state_url to a database that may be written"


def open_engine(url: str, setting: str = "the URL of the warehouse") -> Engine:
    """Make an engine without a connection pool, which never shows parameters or rows.

    DuckDB's file lock is per process, so a pooled connection would block every other process. At DEBUG, SQLAlchemy
    logs every row despite `hide_parameters`, so these engines get a logger whose level is WARNING.

    Args:
        url: A SQLAlchemy URL.
        setting: The setting that it was given in, to name it in errors.

    Raises:
        ConfigurationError: The URL cannot be read or used, or its driver is not installed.
    """
    logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGER}").setLevel(logging.WARNING)
    parsed = checked_url(url, setting)
    with _usable(setting):
        engine = create_engine(parsed, poolclass=NullPool, hide_parameters=True, logging_name=_LOGGER)
    database = database_of(engine.dialect)
    names = engine.dialect.identifier_preparer
    names.reserved_words = {*names.reserved_words, *database.reserved_words}
    database.set_up(engine)
    return engine


@contextmanager
def _usable(setting: str) -> Iterator[None]:
    """Turn what a driver raises beside its own errors, about an option or credentials, into an error with advice."""
    try:
        yield
    except (DBAPIError, DailyStoryError):
        raise
    except Exception as error:  # whichever a driver raises; its text may repeat the URL
        raise ConfigurationError(
            f"the driver cannot use {setting} ({type(error).__name__}); check its options, those after the ?, "
            "and the credentials that it needs"
        ) from None


@contextmanager
def connect(
    engine: Engine, role: str, *, setting: str = "", writes: bool = False, is_private: bool = False
) -> Iterator[Connection]:
    """Open one connection, and turn driver errors into errors of this package.

    Args:
        engine: From `open_engine`.
        role: `warehouse` or `state`, used in error messages.
        setting: The setting that has the URL, named in error messages.
        writes: Transactions will write, so SQLite takes its write lock when they begin.
        is_private: Keep the files that the database makes to this user.

    Raises:
        WarehouseError: The database cannot be reached, or refused a statement.
    """
    lost = f"the connection to the {role} database was lost"
    named = f" ({setting})" if setting else ""
    files = PrivateFiles.of(database_of(engine.dialect), engine.url) if is_private else PrivateFiles(None)
    with (
        _plain_errors(f"the {role} database{named} cannot be reached"),
        _usable(setting or f"the URL of the {role}"),
        files.made(),
    ):
        connection = engine.connect()
    files.watch(connection)

    def refuse_if_lost(connection: Connection) -> None:
        if connection.invalidated:  # SQLAlchemy would open another one, which has none of our temporary tables
            raise WarehouseError(f"{lost}; run again")

    event.listen(connection, "begin", refuse_if_lost)
    with connection, _plain_errors(f"the {role} database refused a statement", lost):
        yield connection.execution_options(writes=writes)


@contextmanager
def driver_errors_as(what: str) -> Iterator[None]:
    """Turn driver errors into errors that begin with a description of what failed.

    Raises:
        WarehouseError: In place of a SQLAlchemy error, without SQL and parameters.
    """
    with _plain_errors(what):
        yield


@contextmanager
def _plain_errors(what: str, lost: str | None = None) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated and lost is not None:
            raise WarehouseError(f"{lost}: {safe_message(error)}; run again") from None
        text = str(error.orig).strip().splitlines()
        if text and _DUCKDB_LOCK.search(text[0]):
            message = "another process has the DuckDB file open, and DuckDB allows one; wait for it to end, or close it"
            raise BusyError(message) from None
        remedy = _READ_ONLY_REMEDY if text and _READ_ONLY.search(text[0]) else ""
        raise WarehouseError(f"{what}: {safe_message(error)}{remedy}") from None
    except RuntimeError as error:
        if str(error) != _DUCKDB_INTERRUPTED:
            raise
        raise KeyboardInterrupt from None  # DuckDB loses the exception that the signal handler raised


_NO_TABLE = re.compile(
    r'no such table: (\S+)|relation "([^"]+)" does not exist|Table with name "?([^\s"]+)"? does not exist'
    r"|Table '([^']+)' doesn't exist"
)
"""How SQLite, PostgreSQL, DuckDB and MySQL name a table that is missing."""


def similar_table(engine: Engine, message: str, schema: str | None = None) -> str:
    """Suggest a table that exists, for an error about one that does not.

    Args:
        engine: From `open_engine`. The transaction that failed may not be able to read any more.
        message: From `safe_message`.
        schema: The schema that the source names, where the message does not.

    Returns:
        A text to append, empty if there is nothing to suggest.
    """
    found = _NO_TABLE.search(message)
    if found is None:
        return ""
    *parts, name = next(filter(None, found.groups())).split(".")
    named = ".".join(parts)
    if named and "[" not in named:  # of a masked name nothing is known
        schema = named
    try:
        with engine.connect() as connection:
            inspector = inspect(connection)
            if schema is not None and schema not in (schemas := schema_names(inspector)):
                known = f"; the schemas of the database: {', '.join(schemas[:_SHOWN_SCHEMAS])}"
                return nearest(schema, schemas).replace("did you mean", "did you mean the schema") or known
            return nearest(name, [*inspector.get_table_names(schema), *inspector.get_view_names(schema)])
    except (SQLAlchemyError, NotImplementedError):  # a dialect without these lists, or a role that may not read them
        return ""


_OWN_SCHEMAS = ("information_schema", "pg_catalog")

_SHOWN_SCHEMAS = 8
"""Most schemas that a message names."""


def schema_names(inspector: Inspector) -> list[str]:
    """The schemas of tables, without the catalog that DuckDB writes before them."""
    names = dict.fromkeys(name.rpartition(".")[2] for name in inspector.get_schema_names())
    return [name for name in names if name not in _OWN_SCHEMAS]


def same_database(one: str, other: str) -> bool:
    """Whether two URLs name the same database, regardless of user and options."""
    a, b = make_url(one), make_url(other)
    names = [(u.get_backend_name(), u.host, u.port, u.database, u.query.get("host")) for u in (a, b)]
    return names[0] == names[1]


def require_schema(connection: Connection, schema: str | None) -> None:
    """Require that a schema of the state exists; None is the connection's default.

    Raises:
        StateError: It does not.
    """
    if schema is None:
        return
    names = schema_names(inspect(connection))
    if schema.rpartition(".")[2].casefold() not in map(str.casefold, names):
        advice = f"create it, or set state_schema to one that exists{nearest(schema, names)}"
        raise StateError(f"the state database has no schema {schema!r}; {advice}")
