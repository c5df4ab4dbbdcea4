"""The SQL statements that are sent, as an independent parser reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
import sqlglot

_SQLGLOT_NAMES = {
    "postgresql": "postgres", "mssql": "tsql", "clickhousedb": "clickhouse", "mariadb": "mysql",
}  # fmt: skip
_UNREAD = {"ALTER", "EXPLAIN", "PRAGMA", "SHOW"}
"""What sqlglot takes as text: an ALTER of SQLite, whose columns need no type, and a few words to the database."""

_PARAMETER = re.compile(r"%(?:\([\w:]+\))?s")
_read: set[tuple[str, str]] = set()


def check_sql(dialect_name: str, statements: str) -> None:
    """Parse statements in a database's dialect.

    Raises:
        sqlglot.ParseError: One is not SQL as sqlglot knows it.
    """
    for each in sqlglot.parse(statements, dialect=_SQLGLOT_NAMES.get(dialect_name, dialect_name)):
        assert not isinstance(each, sqlglot.exp.Command) or each.name.upper() in _UNREAD, f"not parsed: {each.sql()}"


@contextmanager
def checked_statements() -> Iterator[set[tuple[str, str]]]:
    """Yields the statements that are sent, each with its dialect's name, and parses them at the end."""
    sent: set[tuple[str, str]] = set()

    def record(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        dialect = connection.dialect
        if dialect.paramstyle in ("format", "pyformat"):
            statement = _PARAMETER.sub("$1" if dialect.name in ("postgresql", "redshift") else "?", statement)
            statement = statement.replace("%%", "%")
        sent.add((dialect.name, statement.strip()))

    sa.event.listen(sa.Engine, "before_cursor_execute", record)
    try:
        yield sent
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", record)
    for dialect_name, statement in sent - _read:
        check_sql(dialect_name, statement)
        _read.add((dialect_name, statement))
