"""The URL of a database: read and checked, with errors that name the setting and show no part of it."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from dagster_dailystory.databases.kinds.registry import DATABASES, database_named
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest

_URL_FORM = "dialect+driver://user@host/database, or sqlite:////path/to/file.sqlite"

_ENCODED = "write each @, : and / of the user and the password as %40, %3A and %2F"

_OTHER_NAMES = {"postgres": "postgresql", "clickhouse": "clickhousedb", "sqlserver": "mssql", "sqlite3": "sqlite"}
"""What people write for a dialect, and SQLAlchemy's name of it."""


SQLALCHEMY_URL = "sqlalchemy_url"
"""The extra of a connection that has the whole URL."""


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
    database = database_named(url.get_backend_name())
    if database.is_file and url.host:
        raise ConfigurationError(f"{setting} has too few slashes; it looks like {database.url}")
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
    database, missing = (
        database_named(name),
        f"{setting} starts with {url.drivername!r}, and no such driver is installed",
    )
    usual = database.url.partition("://")[0]
    try:
        url.get_dialect().import_dbapi()
    except (NoSuchModuleError, ImportError, AttributeError) as error:  # AttributeError: of an interface that is gone
        if isinstance(error, NoSuchModuleError) and name not in DATABASES:
            titles = ", ".join(each.title for each in DATABASES.values())
            hint = nearest(name, DATABASES) or f"; the databases that this package knows are {titles}"
            raise ConfigurationError(f"{missing}{hint}") from None
        install = f"pip install 'dagster-dailystory[{database.extra}]'" if database.extra else ""
        write = f"write {usual}://" if url.drivername != usual and name in DATABASES else ""
        remedy = " and ".join(filter(None, (install, write))) or "install it with pip"
        raise ConfigurationError(f"{missing}; {remedy}") from None
    return url


def url_of_connection(kind: str, parts: URL, setting: str) -> str:
    """The database URL of a connection that Airflow keeps.

    Args:
        kind: Airflow's type of the connection.
        parts: Its user, password, host and port, its schema as the database, its extras as the query.
        setting: The connection, to name it in errors.

    Raises:
        ConfigurationError: It is of another type than those of the databases that this package knows.
    """
    databases = {name: each for each in DATABASES.values() for name in each.connection_types}
    if kind not in databases:
        hint = nearest(kind, databases) or f"; the known types are {', '.join(databases)}"
        raise ConfigurationError(
            f"{setting} is of the type {kind!r}{hint}. For another database, its extra may have the SQLAlchemy URL as"
            f" {SQLALCHEMY_URL!r}"
        )
    return databases[kind].url_of(parts).render_as_string(hide_password=False)


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
    name = database_named(url.get_backend_name()).file_of(url)
    return None if name is None else Path(name).absolute()
