"""Column types and constructs that SQLAlchemy lacks, and short names for its types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    String,
    Text,
    Time,
    Uuid,
)  # fmt: skip
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import NullType, TypeEngine, UserDefinedType

SqlType = TypeEngine[Any]
"""Any SQLAlchemy column type."""

SqlValue = ColumnElement[Any]
"""Any SQLAlchemy expression."""

SqlQuery = Select[Any]
"""Any SQLAlchemy SELECT."""

COMPARABLE = (Integer, Numeric, Float, Boolean, Date, DateTime, Time, Uuid, String)
"""Types that compare exactly on every database."""

UNSUPPORTED = "\x1aunsupported"
"""Placeholder for a value without a text form; the row check rejects its row."""

UNKNOWN_COLLATION = "unknown"
"""The collation of text columns that may have one; see `Database.has_collations`."""


class Untyped(UserDefinedType[object]):
    """A SQLite column without type affinity, which stores each value unchanged."""

    cache_ok = True

    def get_col_spec(self, **_kw: object) -> str:
        """An empty type name: such a column has no affinity."""
        return ""

    def literal_processor(self, dialect: Dialect) -> Callable[[object], str]:
        """Render texts quoted and numbers as they are."""
        return lambda value: _quoted(value) if isinstance(value, str) else repr(value)


def stored_type(reflected: SqlType) -> SqlType:
    """The type of a state column as reflection shows it: those of SQLite are declared without one."""
    return Untyped() if isinstance(reflected, NullType) else reflected


class Inet(postgresql.INET):
    """A network address that can be rendered as a literal, for runs with chosen keys."""

    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        """A text; SQLAlchemy 2.0 names no type for addresses."""
        return str

    def literal_processor(self, dialect: Dialect) -> Callable[[object], str]:
        """Render an address as a quoted text."""
        return _quoted


class Cidr(Inet):
    """A network that can be rendered as a literal."""

    __visit_name__ = "CIDR"


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


class Native(UserDefinedType[object]):
    """A type of the database, given by its name, that SQLAlchemy does not need to know."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def python_type(self) -> type[object]:
        """Any Python type: it depends on the driver."""
        return object

    def get_col_spec(self, **_kw: object) -> str:
        """The type name in DDL."""
        return self.name


BIG_INTEGER = BigInteger()

TEXT = Text()

BOOLEAN = Boolean()

MOMENT = DateTime()


class CreateTemporaryTableAs(Executable, ClauseElement):
    """`CREATE TEMPORARY TABLE name AS query`; SQLAlchemy has a construct for it only since 2.1."""

    inherit_cache = False

    def __init__(self, name: str, query: SqlQuery) -> None:
        self.name = name
        self.query = query


@compiles(CreateTemporaryTableAs)
def _create_temporary_table_as(element: CreateTemporaryTableAs, compiler: SQLCompiler, **kw: object) -> str:
    query = compiler.process(element.query, literal_binds=True, **kw)
    return f"CREATE TEMPORARY TABLE {compiler.preparer.quote(element.name)} AS {query}"


def is_binary(reflected: SqlType) -> bool:
    """Whether a column holds bytes, which have no text form."""
    return isinstance(reflected, LargeBinary)
