"""MySQL and MariaDB."""

from __future__ import annotations

from dagster_dailystory.databases.kinds.base import Database


class MySQL(Database):
    """MySQL."""

    title = "MySQL"
    url = "mysql+pymysql://user@host/database?charset=utf8mb4"
    extra = "mysql"
    why_no_state = "it commits a transaction that creates or changes a table, so the state could be half made"
    short_name = sql_name = "mysql"


class MariaDB(MySQL):
    """MariaDB."""

    title = "MariaDB"
    url = "mariadb+pymysql://user@host/database?charset=utf8mb4"
    short_name = "mariadb"
