"""What differs between databases: exact comparison, storage types, bulk rows, tables from queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Dialect,
    Select,
    Text,
)  # fmt: skip
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine, UserDefinedType

SqlType = TypeEngine[Any]
"""Any SQLAlchemy column type."""


SqlValue = ColumnElement[Any]
"""Any SQLAlchemy expression."""


SqlQuery = Select[Any]
"""Any SQLAlchemy SELECT."""


UNSUPPORTED = "\x1aunsupported"
"""Stands in a column for a value that has no text, so that its row is rejected by name."""


class Untyped(UserDefinedType[object]):
    """A SQLite column without affinity: it keeps each value as it came."""

    cache_ok = True

    def get_col_spec(self, **_kw: object) -> str:
        """Declare nothing: a column without a type name has no affinity."""
        return ""

    def literal_processor(self, dialect: Dialect) -> Callable[[object], str]:
        """Write a value into a statement: a text as one, a number as one."""
        return lambda value: _quoted(value) if isinstance(value, str) else repr(value)


class Inet(postgresql.INET):
    """A network address that can be written into a statement, as an asked-for key is."""

    cache_ok = True

    def literal_processor(self, dialect: Dialect) -> Callable[[object], str]:
        """Write an address into a statement."""
        return _quoted


class Cidr(Inet):
    """A network, likewise."""

    __visit_name__ = "CIDR"


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


class Native(UserDefinedType[object]):
    """A type that its database compares and its driver reads, and SQLAlchemy has no need to know."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def python_type(self) -> type[object]:
        """Whatever the driver makes of it."""
        return object

    def get_col_spec(self, **_kw: object) -> str:
        """The name in DDL."""
        return self.name


BIG_INTEGER = BigInteger()


TEXT = Text()


BOOLEAN = Boolean()


MOMENT = DateTime()


class CreateTemporaryTableAs(Executable, ClauseElement):
    """`CREATE TEMPORARY TABLE name AS query`; SQLAlchemy has its own construct only from 2.1 on."""

    inherit_cache = False

    def __init__(self, name: str, query: SqlQuery) -> None:
        self.name = name
        self.query = query


@compiles(CreateTemporaryTableAs)
def _create_temporary_table_as(element: CreateTemporaryTableAs, compiler: SQLCompiler, **kw: object) -> str:
    query = compiler.process(element.query, literal_binds=True, **kw)
    return f"CREATE TEMPORARY TABLE {compiler.preparer.quote(element.name)} AS {query}"
