"""What differs between databases: exact comparison, storage types, bulk rows, tables from queries."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Dialect,
    Enum,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Text,
    Time,
    Uuid,
    and_,
    case,
    cast,
    collate,
    false,
    func,
    literal_column,
    not_,
    null,
    tuple_,
    type_coerce,
)  # fmt: skip
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import JSON, NullType

from dagster_dailystory.databases.sql_types import (
    TEXT,
    UNSUPPORTED,
    Cidr,
    Inet,
    Native,
    SqlQuery,
    SqlType,
    SqlValue,
    Untyped,
)

_BINARY_COLLATION = {"postgresql": "C", "sqlite": "BINARY"}


_NANOSECONDS = "TIMESTAMP_NS"  # the driver cuts them to microseconds, so the diff must too


_JSON_NUL = r"'(^|[^\\])(\\\\)*\\u0000'"  # PostgreSQL keeps it in json, and raises on it in jsonb


_FIXED_SIZE = re.compile(r"\[\d+\]$")


_COMPARABLE = (
    Integer, Numeric, Float, Boolean, Date, DateTime, Time, Uuid, String,
    postgresql.INTERVAL, postgresql.INET, postgresql.CIDR, postgresql.BYTEA,
)  # fmt: skip


_INDEXED = frozenset({"postgresql", "sqlite"})


def uses_indexes(dialect: Dialect) -> bool:
    """Whether primary keys and indexes pay: column stores scan faster than they look up."""
    return dialect.name in _INDEXED


def hashes_pay(dialect: Dialect) -> bool:
    """Whether the state's own database compares hashes of rows quicker than the rows: DuckDB reads one side less.

    To PostgreSQL a row's hash is as dear as its comparison.
    """
    return dialect.name == "duckdb"


def joins_fully(dialect: Dialect) -> bool:
    """Whether the database has FULL JOIN: SQLite only from 3.39 on, which some supported systems lack."""
    return dialect.name != "sqlite"


def storage_type(reflected: SqlType, dialect: Dialect) -> SqlType:
    """Choose the state column for a source column of the same database.

    Types that compare exactly are kept. Texts lose their length, so that the source may widen. Everything else
    is kept as text.
    """
    if dialect.name == "sqlite":
        return Untyped()
    if isinstance(reflected, (String, LargeBinary, NullType)):
        return Text()
    if dialect.name == "duckdb":
        return _duckdb_type(reflected, reflected.compile(dialect=dialect))
    if isinstance(reflected, JSON):
        return postgresql.JSONB()
    if isinstance(reflected, postgresql.ARRAY):
        return reflected if isinstance(reflected.item_type, _COMPARABLE) else Text()
    if isinstance(reflected, (postgresql.INET, postgresql.CIDR)):
        return Inet() if isinstance(reflected, postgresql.INET) else Cidr()
    return reflected if isinstance(reflected, _COMPARABLE) else Text()


def _duckdb_type(reflected: SqlType, name: str) -> SqlType:
    """Lists, structs and maps compare exactly there; arrays of a fixed size are kept as lists."""
    if name == _NANOSECONDS:
        return DateTime()
    return reflected if isinstance(reflected, _COMPARABLE) else Native(_FIXED_SIZE.sub("[]", name))


def is_binary(reflected: SqlType) -> bool:
    """Whether a column holds bytes, which have no text."""
    return isinstance(reflected, LargeBinary)


def stored_expression(source: SqlValue, reflected: SqlType, dialect: Dialect) -> SqlValue:
    """Turn a source column into the value that its state column holds, but for an empty text; see `empty_to_null`."""
    wanted = storage_type(reflected, dialect)
    if dialect.name == "sqlite":
        return func.nullif(source, literal_column("''"), type_=wanted)
    if is_binary(reflected):
        return case((source.is_not(None), literal_column(f"'{UNSUPPORTED}'", wanted)), else_=cast(null(), wanted))
    if isinstance(wanted, Text):
        return _as_text(source, reflected)
    if isinstance(reflected, JSON) and dialect.name == "duckdb":
        return cast(func.to_json(source), wanted)  # without the white space
    if isinstance(reflected, postgresql.JSON) and not isinstance(reflected, postgresql.JSONB):
        unreadable = cast(source, TEXT).op("~")(literal_column(_JSON_NUL))
        return case(
            (unreadable, func.to_jsonb(cast(literal_column(f"'{UNSUPPORTED}'"), TEXT))), else_=cast(source, wanted)
        )
    if type(wanted) is not type(reflected):
        return cast(source, wanted)
    return type_coerce(source, wanted)


def empty_to_null(value: SqlValue) -> SqlValue:
    """What a row says: nothing where a text is empty."""
    return func.nullif(value, literal_column("''"), type_=value.type) if isinstance(value.type, Text) else value


def stored_key(source: SqlValue, reflected: SqlType, dialect: Dialect) -> SqlValue:
    """Turn a key column of the source into the value that the state's key column holds."""
    wanted = storage_type(reflected, dialect)
    return _as_text(source, reflected) if isinstance(wanted, Text) else type_coerce(source, wanted)


def _as_text(source: SqlValue, reflected: SqlType) -> SqlValue:
    """CHAR is cast as well: PostgreSQL takes its padding away in the cast."""
    is_text = isinstance(reflected, String) and not isinstance(reflected, (CHAR, Enum, postgresql.CITEXT))
    return type_coerce(source, Text()) if is_text else cast(source, Text())


def same_storage(one: SqlType, other: SqlType, dialect: Dialect) -> bool:
    """Whether two column types hold values alike, so that no rebuild is needed."""
    if dialect.name == "sqlite" or (isinstance(one, String) and isinstance(other, String)):
        return True
    return bool(one.compile(dialect=dialect) == other.compile(dialect=dialect))


def exactly(value: SqlValue, dialect: Dialect) -> SqlValue:
    """Compare texts byte by byte, whatever collation the source column has."""
    collation = _BINARY_COLLATION.get(dialect.name)
    if collation is None or not isinstance(value.type, (String, Untyped)):
        return value
    return collate(value, collation)


def differs(new: SqlValue, old: SqlValue, dialect: Dialect) -> ColumnElement[bool]:
    """NULL-safe, collation-safe inequality. Where a column keeps each value as it came, 7 and '7' are no difference."""
    changed = exactly(new, dialect).is_distinct_from(exactly(old, dialect))
    if not isinstance(old.type, Untyped):
        return changed
    retyped = and_(func.typeof(new) != func.typeof(old), cast(new, Text()) == cast(old, Text()))
    return and_(changed, not_(func.coalesce(retyped, false())))


def bucket(keys: Sequence[SqlValue], count: int, dialect: Dialect) -> SqlValue:
    """The hash bucket of a key, 0 to count - 1; a key with a NULL is in bucket 0.

    Stable within one database and version only, so it is never stored.
    """
    text: SqlValue = cast(keys[0], Text())
    for key in keys[1:]:
        text = text.concat("|").concat(cast(key, Text()))
    if dialect.name == "postgresql":
        number: SqlValue = func.hashtextextended(text, 0).op("&")(literal_column("9223372036854775807"))
    elif dialect.name == "duckdb":
        number = func.hash(text)
    else:
        number = func.dailystory_hash(text)
    return cast(func.coalesce(number.op("%")(literal_column(str(count))), 0), BigInteger())


def among(columns: Sequence[SqlValue], found: SqlQuery) -> ColumnElement[bool]:
    """Whether a row's values of some columns are among the rows of a query, which selects as many and no NULL.

    SQLite looks each key up in a set; a correlated EXISTS makes it read the query's tables for each row.
    """
    return columns[0].in_(found) if len(columns) == 1 else tuple_(*columns).in_(found)


def index_temporary(connection: Connection, name: str, keys: Sequence[str], sequence: str | None = None) -> None:
    """Make a filled temporary table fit for joins by its key, and for reading ranges of its sequence.

    SQLite joins by looking each key up. PostgreSQL hashes and needs an index for the ranges only, and nothing but an
    ANALYZE tells it the size of a temporary table.
    """
    quote, dialect = connection.dialect.identifier_preparer.quote, connection.dialect.name
    indexed = [keys] if keys and dialect == "sqlite" else []
    if sequence is not None and dialect in _INDEXED:
        indexed.append([sequence])
    for columns in indexed:
        index = quote(f"{name}_{columns[0]}")
        connection.exec_driver_sql(f"CREATE INDEX {index} ON {quote(name)} ({', '.join(map(quote, columns))})")
    if dialect == "postgresql":
        joined = ", ".join(map(quote, [*keys, *([] if sequence is None else [sequence])]))
        connection.exec_driver_sql(f"ANALYZE {quote(name)} ({joined})")
