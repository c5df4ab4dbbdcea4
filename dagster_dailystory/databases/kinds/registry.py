"""The databases by their dialect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Dialect

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.duckdb import DuckDB
from dagster_dailystory.databases.kinds.postgresql import PostgreSQL
from dagster_dailystory.databases.kinds.read_only.bigquery import BigQuery
from dagster_dailystory.databases.kinds.read_only.clickhouse import ClickHouse
from dagster_dailystory.databases.kinds.read_only.databricks import Databricks
from dagster_dailystory.databases.kinds.read_only.mysql import MariaDB, MySQL
from dagster_dailystory.databases.kinds.read_only.redshift import Redshift
from dagster_dailystory.databases.kinds.read_only.snowflake import Snowflake
from dagster_dailystory.databases.kinds.read_only.sqlserver import SqlServer
from dagster_dailystory.databases.kinds.read_only.trino import Trino
from dagster_dailystory.databases.kinds.sqlite import SQLite
from dagster_dailystory.errors import ConfigurationError

DATABASES: Mapping[str, type[Database]] = {
    "postgresql": PostgreSQL, "duckdb": DuckDB, "sqlite": SQLite, "redshift": Redshift, "snowflake": Snowflake,
    "bigquery": BigQuery, "databricks": Databricks, "clickhousedb": ClickHouse, "trino": Trino, "mysql": MySQL,
    "mariadb": MariaDB, "mssql": SqlServer,
}  # fmt: skip
"""SQLAlchemy's dialect name -> the class of the database."""


def database_of(dialect: Dialect) -> Database:
    """The database of a dialect; one that this package does not know is read like any other, and holds no state."""
    return database_named(dialect.name)(dialect)


def database_named(dialect_name: str) -> type[Database]:
    """The class of a database by SQLAlchemy's name of its dialect."""
    known = DATABASES.get(dialect_name)
    return known or type(
        "UnknownDatabase",
        (Database,),
        {
            "title": dialect_name,
            "url": f"{dialect_name}://",
            "why_no_state": "this package does not know it",
            "short_name": dialect_name,
            "sql_name": dialect_name,
        },
    )


def require_state_database(dialect_name: str) -> None:
    """Require that a database can hold the state.

    Raises:
        ConfigurationError: It cannot; the message has the reason and the databases that can.
    """
    database = database_named(dialect_name)
    if database.why_no_state is not None:
        titles = sorted(each.title for each in DATABASES.values() if each.why_no_state is None)
        raise ConfigurationError(
            f"{database.title} cannot hold the sync's state: {database.why_no_state}. It can only be read. "
            f"Set state_url to a database of one of these kinds: {', '.join(titles)}"
        )


def check_key_names(names: Iterable[str], dialect_name: str) -> None:
    """Require key column names that fit into the state tables; PostgreSQL truncates longer ones silently.

    Raises:
        ConfigurationError: A name is too long.
    """
    database = database_named(dialect_name)
    for name in names:
        if len(name.encode()) > database.longest_name:
            raise ConfigurationError(
                f"the name of key {name!r} is longer than {database.longest_name} bytes, the limit of "
                f"{database.title}; give it an alias in the query"
            )
