"""What differs between state databases: storage types, exact comparison, hash buckets, temporary indexes."""

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
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    table,
    text,
    tuple_,
    type_coerce,
)  # fmt: skip
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import JSON, NullType

from dagster_dailystory.contacts.values import FALSE_TEXTS, FLAG_WHITE_SPACE, STATUSES, TRUE_TEXTS
from dagster_dailystory.databases.sql_types import (
    TEXT,
    UNSUPPORTED,
    Cidr,
    CreateTemporaryTableAs,
    Inet,
    Native,
    SqlQuery,
    SqlType,
    SqlValue,
    Untyped,
)
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import FieldKind

UNKNOWN_COLLATION = "unknown"
"""The collation of text columns of DuckDB that may have one; see `has_collations`."""

_BINARY_COLLATION = {"postgresql": "C", "sqlite": "BINARY"}

_NANOSECONDS = "TIMESTAMP_NS"  # the driver truncates them to microseconds, so the diff must as well

_JSON_NUL = r"'(^|[^\\])(\\\\)*\\u0000'"  # PostgreSQL accepts it in json, but not in jsonb

_FIXED_SIZE = re.compile(r"\[\d+\]$")

_COMPARABLE = (
    Integer, Numeric, Float, Boolean, Date, DateTime, Time, Uuid, String,
    postgresql.INTERVAL, postgresql.INET, postgresql.CIDR, postgresql.BYTEA,
)  # fmt: skip

_INDEXED = frozenset({"postgresql", "sqlite"})


def uses_indexes(dialect: Dialect) -> bool:
    """Whether primary keys and indexes are worth their cost: column stores scan faster than they look up."""
    return dialect.name in _INDEXED


def folds_case(dialect: Dialect) -> bool:
    """Whether two columns of a table cannot differ by letter case alone."""
    return dialect.name in ("duckdb", "sqlite")


def prefers_row_hashes(dialect: Dialect) -> bool:
    """Whether the database compares row hashes faster than rows, with source and snapshot in the same database.

    DuckDB then reads the columns of one side only. On PostgreSQL computing a row hash costs as much as comparing a row.
    """
    return dialect.name == "duckdb"


def has_full_join(dialect: Dialect) -> bool:
    """Whether the database has FULL JOIN: SQLite only since 3.39, which some supported systems lack."""
    return dialect.name != "sqlite"


def storage_type(reflected: SqlType, dialect: Dialect) -> SqlType:
    """Choose the type of the state column for a source column of the same database.

    Types that compare exactly are kept. Texts lose their length limit, so that the source column may be widened.
    Everything else becomes text.
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
    """DuckDB compares lists, structs and maps exactly; arrays of a fixed size are stored as lists."""
    if name == _NANOSECONDS:
        return DateTime()
    return reflected if isinstance(reflected, _COMPARABLE) else Native(_FIXED_SIZE.sub("[]", name))


def is_binary(reflected: SqlType) -> bool:
    """Whether a column holds bytes, which have no text form."""
    return isinstance(reflected, LargeBinary)


def stored_expression(source: SqlValue, reflected: SqlType, dialect: Dialect) -> SqlValue:
    """Convert a source column to the value in its state column, except empty texts; see `empty_to_null`."""
    wanted = storage_type(reflected, dialect)
    if dialect.name == "sqlite":
        return func.nullif(source, literal_column("''"), type_=wanted)
    if is_binary(reflected):
        return case((source.is_not(None), literal_column(f"'{UNSUPPORTED}'", wanted)), else_=cast(null(), wanted))
    if isinstance(wanted, Text):
        return _as_text(source, reflected)
    if isinstance(reflected, JSON) and dialect.name == "duckdb":
        return cast(func.to_json(source), wanted)  # removes white space
    if isinstance(reflected, postgresql.JSON) and not isinstance(reflected, postgresql.JSONB):
        has_nul = cast(source, TEXT).op("~")(literal_column(_JSON_NUL))
        return case(
            (has_nul, func.to_jsonb(cast(literal_column(f"'{UNSUPPORTED}'"), TEXT))), else_=cast(source, wanted)
        )
    if type(wanted) is not type(reflected):
        return cast(source, wanted)
    return type_coerce(source, wanted)


def empty_to_null(value: SqlValue) -> SqlValue:
    """Treat an empty text as NULL."""
    return func.nullif(value, literal_column("''"), type_=value.type) if isinstance(value.type, Text) else value


def key_type(reflected: SqlType, dialect: Dialect) -> SqlType:
    """Choose the type of the state's key column for a key column of the same database: one that keeps keys apart."""
    name = reflected.compile(dialect=dialect) if dialect.name == "duckdb" else ""
    return Text() if name == _NANOSECONDS else storage_type(reflected, dialect)


def stored_key(source: SqlValue, reflected: SqlType, dialect: Dialect) -> SqlValue:
    """Convert a key column of the source to the value in the state's key column."""
    wanted = key_type(reflected, dialect)
    if isinstance(wanted, Text):
        return _as_text(source, reflected)
    return type_coerce(source, wanted)


def check_key_type(key: str, reflected: SqlType, dialect: Dialect) -> None:
    """Make sure that a key column has a type whose values compare as one value.

    Raises:
        ConfigurationError: It is binary, holds several values, or has a type that SQLAlchemy does not know.
    """
    if is_binary(reflected):
        raise ConfigurationError(f"key {key!r} is binary; convert it to text in the query, with hex() or encode()")
    if isinstance(reflected, NullType) and dialect.name == "postgresql":
        raise ConfigurationError(f"key {key!r} has a type that cannot be compared; cast it to text in the query")
    name = reflected.compile(dialect=dialect) if dialect.name in ("duckdb", "postgresql") else ""
    if name.startswith(("STRUCT", "MAP", "UNION")) or name.endswith("]") or isinstance(reflected, postgresql.JSON):
        raise ConfigurationError(
            f"key {key!r} holds several values; select one of them in the query, or name several columns in key"
        )


def has_collations(connection: Connection, name: str, schema: str | None) -> bool:
    """Whether DuckDB compares any text column of a table or view otherwise than byte by byte.

    Reflection does not show it, but the definition of a table that is made from the other one does.
    """
    made = "dailystory_collations"
    columns = select(text("*")).select_from(table(name, schema=schema)).limit(0)
    connection.execute(CreateTemporaryTableAs(made, columns))
    query = text("SELECT sql FROM duckdb_tables() WHERE table_name = :made AND temporary")
    definition = str(connection.execute(query, {"made": made}).scalar_one())
    connection.exec_driver_sql(f"DROP TABLE {made}")
    return " COLLATE " in definition


def check_default_collation(connection: Connection) -> None:
    """Make sure that texts are compared byte by byte: DuckDB's `default_collation` can be part of a URL.

    Raises:
        ConfigurationError: It has another collation.
    """
    if connection.dialect.name != "duckdb":
        return
    found = connection.exec_driver_sql("SELECT current_setting('default_collation')").scalar_one()
    if found:
        raise ConfigurationError(
            f"the URL of the state database sets default_collation={found}, which would make the keys abc and ABC one; "
            "remove it, and write COLLATE in the query where it is wanted"
        )


def _as_text(source: SqlValue, reflected: SqlType) -> SqlValue:
    """CHAR is cast as well, because the cast removes PostgreSQL's padding."""
    if isinstance(reflected, String) and reflected.collation == UNKNOWN_COLLATION:
        return func.decode(func.encode(source), type_=Text())  # the only expression of DuckDB without a collation
    is_text = isinstance(reflected, String) and not isinstance(reflected, (CHAR, Enum, postgresql.CITEXT))
    return type_coerce(source, Text()) if is_text else cast(source, Text())


def same_storage(one: SqlType, other: SqlType, dialect: Dialect) -> bool:
    """Whether two column types store values in the same way, so that no rebuild is needed."""
    if dialect.name == "sqlite" or (isinstance(one, String) and isinstance(other, String)):
        return True
    return bool(one.compile(dialect=dialect) == other.compile(dialect=dialect))


def exactly(value: SqlValue, dialect: Dialect) -> SqlValue:
    """Make a text compare byte by byte, regardless of its column's collation."""
    collation = _BINARY_COLLATION.get(dialect.name)
    if collation is None or not isinstance(value.type, (String, Untyped)):
        return value
    return collate(value, collation)


def differs(new: SqlValue, old: SqlValue, dialect: Dialect) -> ColumnElement[bool]:
    """Compare NULL-safe and byte by byte; in a column without a type, 7 and '7' do not differ."""
    changed = exactly(new, dialect).is_distinct_from(exactly(old, dialect))
    if not isinstance(old.type, Untyped):
        return changed
    retyped = and_(func.typeof(new) != func.typeof(old), cast(new, Text()) == cast(old, Text()))
    return and_(changed, not_(func.coalesce(retyped, false())))


def opt_out_text(value: SqlValue) -> SqlValue:
    """The text of a flag in one spelling, `true` or `false`; another text stays as it is."""
    text = cast(value, TEXT)
    # No IN list: DuckDB may turn it into a join, which takes more memory than all the rows.
    spellings = {**dict.fromkeys(sorted(TRUE_TEXTS), "true"), **dict.fromkeys(sorted(FALSE_TEXTS), "false")}
    whens = {literal(word, TEXT): literal(flag, TEXT) for word, flag in spellings.items()}
    return case(whens, value=_word(text), else_=text)


def opts_out(value: SqlValue) -> ColumnElement[bool]:
    """Whether a flag of any type says yes, in a spelling of `contacts.values.TRUE_TEXTS`."""
    if isinstance(value.type, Boolean):
        return func.coalesce(value, false())
    if isinstance(value.type, (Integer, Numeric)):
        return func.coalesce(value == 1, false())
    return func.coalesce(opt_out_text(value) == literal("true", TEXT), false())


def may_opt_out(flag: SqlValue) -> ColumnElement[bool]:
    """Whether a flag opts the contact out, or is unreadable."""
    return or_(opts_out(flag), is_unreadable_consent(flag, FieldKind.OPT_OUT))


def is_unreadable_consent(value: SqlValue, kind: FieldKind) -> ColumnElement[bool]:
    """Whether an opt-out flag or a status has a value that `contacts.values` does not know."""
    if isinstance(value.type, Boolean):
        return false()
    if isinstance(value.type, (Integer, Numeric)):
        return func.coalesce(value.not_in([0, 1]), false())
    word = _word(cast(value, TEXT))
    known = {*TRUE_TEXTS, *FALSE_TEXTS} if kind is FieldKind.OPT_OUT else STATUSES.keys()
    return func.coalesce(and_(word != "", *(word != literal(each, TEXT) for each in sorted(known))), false())


def _word(text: SqlValue) -> SqlValue:
    """A text in lower case, without the white space around it."""
    return func.lower(func.trim(text, literal(FLAG_WHITE_SPACE, TEXT)))


def bucket(keys: Sequence[SqlValue], count: int, dialect: Dialect) -> SqlValue:
    """The hash bucket of a key, from 0 to count - 1; a key with a NULL is in bucket 0.

    It is never stored, because it may change with the database version.
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
    """Whether the values of `columns` are a row of a query that selects as many columns and no NULL.

    IN rather than a correlated EXISTS, for which SQLite reads the query's tables once per row.
    """
    return columns[0].in_(found) if len(columns) == 1 else tuple_(*columns).in_(found)


def index_temporary(connection: Connection, name: str, keys: Sequence[str], sequence: str | None = None) -> None:
    """Prepare a filled temporary table for joins by its key and for reading ranges of its sequence.

    SQLite joins by index lookups. PostgreSQL joins by hashing and needs an index for the ranges only; without ANALYZE
    it does not know the size of a temporary table.
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
