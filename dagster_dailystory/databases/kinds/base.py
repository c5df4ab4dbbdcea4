"""What the engine needs of a database; what most of them have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from sqlalchemy import (
    CHAR,
    URL,
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    FromClause,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    make_url,
    null,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql.selectable import Subquery

from dagster_dailystory.databases.expressions import rows_parameter
from dagster_dailystory.databases.sql_types import COMPARABLE, UNSUPPORTED, SqlQuery, SqlType, SqlValue, is_binary
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.watermark import Moment

Rows = Sequence[Sequence[object]]
"""A batch of rows, with values as the driver returns them."""


class Database:
    """A kind of database, bound to the dialect of a connection.

    Every database can be read. The methods below the line "the state" are needed of those that hold the state tables;
    here they raise NotImplementedError. Such a database also rolls DDL back with its transaction, and finds equal texts
    of any length without comparing all pairs.

    Attributes:
        title: Its usual name.
        url: A SQLAlchemy URL to copy.
        extra: The package extra that installs its driver; None if the package itself does.
        why_no_state: Why it cannot hold the state; None if it can.
        longest_name: Longest identifier in the state tables, in bytes.
        short_name: Its name in lower case, as tools use it.
        sql_name: The name of its SQL in sqlglot.
        connection_types: Airflow's types of a connection to it.
        connection_options: The extras of such a connection that its URL takes as a query.
        is_file: Whether it is a file, which its driver creates where it is missing.
        compares_texts_only: Whether a text column holds texts only, so that a key can be bound as a text.
        date_advice: What to do in the query so that a column holds dates, where a cast does not help.
        uses_indexes: Whether primary keys and indexes are worth their cost: column stores scan faster than look up.
        folds_case: Whether two columns of a table cannot differ by letter case alone.
        compares_hashes: Whether it joins source and snapshot by hashes of their rows first, and by values only where
            the hashes differ.
        has_full_join: Whether it has FULL JOIN.
        alters_column_types: Whether it can give a column another type.
        enforces_keys: Whether a primary key keeps a second row with its values out. Column stores only note it.
        reserved_words: Its reserved words that SQLAlchemy does not quote.
        converters: The driver's type code -> what makes a plain value of one that is not NULL.
        hashed_types: The driver's codes of the types that `row_hash` hashes exactly; None if it hashes none.
        type_names: The driver's codes of other types, with the names that users know.
        text_types: The driver's codes of plain text types.
        spills: Whether it keeps a log beside its file, and rows that do not fit into memory in a folder.
        deleted_values: Where values that were deleted remain, and until when.
        reads_json_rows: Whether it has `json_rows`.
        longest_list: Most numbers in the list of an IN, where `json_rows` is missing.
    """

    title: ClassVar[str]
    url: ClassVar[str]
    extra: ClassVar[str | None] = None
    why_no_state: ClassVar[str | None] = None
    longest_name: ClassVar[int] = 1_000
    short_name: ClassVar[str]
    sql_name: ClassVar[str]
    connection_types: ClassVar[Collection[str]] = ()
    connection_options: ClassVar[Collection[str]] = ()
    is_file: ClassVar[bool] = False
    compares_texts_only: ClassVar[bool] = True
    date_advice: ClassVar[str] = ""
    uses_indexes: ClassVar[bool] = False
    folds_case: ClassVar[bool] = False
    compares_hashes: ClassVar[bool] = False
    has_full_join: ClassVar[bool] = True
    alters_column_types: ClassVar[bool] = True
    enforces_keys: ClassVar[bool] = False
    reserved_words: ClassVar[Collection[str]] = ()
    converters: ClassVar[Mapping[object, Callable[[Any], object]]] = {}
    hashed_types: ClassVar[Collection[object] | None] = None
    type_names: ClassVar[Mapping[object, str]] = {}
    text_types: ClassVar[Collection[object]] = ()
    spills: ClassVar[bool] = False
    deleted_values: ClassVar[str]
    reads_json_rows: ClassVar[bool] = False
    longest_list: ClassVar[int] = 5_000

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    # Connections.

    @classmethod
    def url_of(cls, parts: URL) -> URL:
        """The URL of a connection that Airflow keeps, from its parts, with its extras as the query."""
        usual = make_url(cls.url)
        options = {name: parts.query[name] for name in cls.connection_options if name in parts.query}
        if "charset" in usual.query:
            options = {"charset": usual.query["charset"], **options}
        if cls.is_file:
            return URL.create(usual.drivername, database=parts.host or parts.database)
        return parts.set(drivername=usual.drivername, query=options)

    def set_up(self, engine: Engine) -> None:
        """Prepare each connection that an engine will open."""

    def use_repeatable_read(self, connection: Connection) -> None:
        """Let all statements of the next transaction read the same state of the database."""

    def use_read_committed(self, connection: Connection) -> None:
        """Undo `use_repeatable_read`."""

    # The source.

    @classmethod
    def check_query(cls, query: str, sync_name: str) -> None:
        """Require a query that the database accepts as a subquery.

        Raises:
            ConfigurationError: It does not.
        """

    def has_collations(self, connection: Connection, name: str, schema: str | None) -> bool:
        """Whether a text column of a table or view may have a collation that reflection does not show."""
        return False

    def moment(self, found: object) -> Moment | None:
        """A value of a watermark column as a date or a datetime; None for any other value."""
        return found if isinstance(found, date) else None

    def moment_literal(self, moment: Moment) -> SqlValue:
        """A value to compare a watermark column with."""
        return literal(moment, DateTime(timezone=True)) if getattr(moment, "tzinfo", None) else literal(moment)

    def comparable_moment(self, column: SqlValue) -> SqlValue:
        """A column of dates or times, as `moment_literal` compares with it."""
        return column

    def batches(
        self, connection: Connection, query: SqlQuery, parameters: Mapping[str, object], size: int
    ) -> Iterator[Rows]:
        """Read a query in batches, with a server-side cursor where the database has one."""
        # Without yield_per, SQLAlchemy fetches the whole result before the first batch.
        result = connection.execution_options(stream_results=True, yield_per=size).execute(query, parameters)
        described = result.cursor.description if self.converters and result.cursor is not None else []
        converters = [self.converters.get(column[1]) for column in described]
        for batch in result.partitions(size):
            yield [_converted(row, converters) for row in batch] if any(converters) else batch

    def type_codes(self, connection: Connection, query: SqlQuery) -> Sequence[object]:
        """The driver's type codes of the columns of a query, without reading a row."""
        result = connection.execute(query.where(false()))
        described = [] if result.cursor is None else list(result.cursor.description)
        result.close()
        return [column[1] for column in described]

    def why_no_hash(self, kinds: Sequence[object]) -> str | None:
        """Why rows with columns of these types have no exact hash; None if `row_hash` makes one.

        Args:
            kinds: The type codes of the driver.
        """
        if self.hashed_types is None:
            return f"{self.title} has no suitable hash function"
        refused = [kind for kind in kinds if kind not in self.hashed_types]
        if not refused:
            return None
        name = str(refused[0]).upper() if isinstance(refused[0], str) else f"type {refused[0]}"
        return self.cannot_hash(self.type_names.get(refused[0], name))

    def cannot_hash(self, type_name: str) -> str:
        """Why a row with a column of a type has no hash."""
        return f"{self.title} cannot hash {type_name} columns exactly"

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """A signed 64-bit integer that changes with each of the values, NULL included; see `why_no_hash`.

        Args:
            values: The key and the mapped columns.
            kinds: The type codes of the driver, one for each value.
        """
        raise NotImplementedError

    def exact_sum(self, numbers: SqlValue) -> SqlValue:
        """The sum of 64-bit integers, which may need more than 64 bits; NULLs do not count."""
        return func.sum(cast(numbers, Numeric(38, 0)))

    def remainder(self, number: SqlValue, divisor: int) -> SqlValue:
        """What remains of an integer, with its sign."""
        return number.op("%")(literal_column(str(divisor)))

    # A source in the database of the state.

    def check_key_type(self, key: str, reflected: SqlType) -> None:
        """Make sure that a key column has a type whose values compare as one value.

        Raises:
            ConfigurationError: It is binary, holds several values, or has a type that SQLAlchemy does not know.
        """
        if is_binary(reflected):
            raise ConfigurationError(f"key {key!r} is binary; convert it to text in the query, with hex() or encode()")
        if self.holds_several_values(reflected):
            raise ConfigurationError(
                f"key {key!r} holds several values; select one of them in the query, or name several columns in key"
            )

    def holds_several_values(self, reflected: SqlType) -> bool:
        """Whether a value of the type is a list or has fields."""
        return isinstance(reflected, postgresql.JSON)

    def storage_type(self, reflected: SqlType) -> SqlType:
        """Choose the type of the state column for a source column of the same database.

        Types that compare exactly are kept. Texts lose their length limit, so that the source column may be widened.
        Everything else becomes text.
        """
        is_kept = isinstance(reflected, COMPARABLE) and not isinstance(reflected, String)
        return reflected if is_kept else Text()

    def key_type(self, reflected: SqlType) -> SqlType:
        """Choose the type of the state's key column for a key column of the source: one that keeps keys apart."""
        return self.storage_type(reflected)

    def stored_value(self, source: SqlValue, reflected: SqlType) -> SqlValue:
        """Convert a source column to the value in its state column, except empty texts; see `empty_to_null`."""
        wanted = self.storage_type(reflected)
        if is_binary(reflected):
            return case((source.is_not(None), literal_column(f"'{UNSUPPORTED}'", wanted)), else_=cast(null(), wanted))
        if isinstance(wanted, Text):
            return self.text_of(source, reflected)
        return type_coerce(source, wanted) if type(wanted) is type(reflected) else cast(source, wanted)

    def stored_key(self, source: SqlValue, reflected: SqlType) -> SqlValue:
        """Convert a key column of the source to the value in the state's key column."""
        wanted = self.key_type(reflected)
        return self.text_of(source, reflected) if isinstance(wanted, Text) else type_coerce(source, wanted)

    def text_of(self, source: SqlValue, reflected: SqlType) -> SqlValue:
        """A column as text. CHAR is cast as well, because the cast removes PostgreSQL's padding."""
        is_text = isinstance(reflected, String) and not isinstance(reflected, (CHAR, Enum, postgresql.CITEXT))
        return type_coerce(source, Text()) if is_text else cast(source, Text())

    # The state.

    def clock(self) -> SqlValue | None:
        """The database's time in UTC without a zone; None for a file, which each process reads by its own clock."""
        return None

    def is_locked(self, connection: Connection, rows: SqlQuery) -> bool:
        """Whether another transaction has locked one of these rows; if not, this one locks them.

        Where a transaction that writes locks the whole file, no other sees the rows.
        """
        return False

    def notice_dead_clients(self, connection: Connection) -> None:
        """Let the server end the transaction of a client whose host is gone, so that its locks end too."""

    def check_state(self, connection: Connection, schema: str | None, names: Sequence[str]) -> None:
        """Check settings and permissions of the state database before any work begins.

        Args:
            connection: To the state, within a transaction.
            schema: Schema of the state tables; None for the connection's default.
            names: The state tables; missing ones have to be created.

        Raises:
            ConfigurationError: A setting of the URL would make different keys equal.
            StateError: A permission is missing; the message contains the statement to run.
        """

    def same_storage(self, one: SqlType, other: SqlType) -> bool:
        """Whether two column types store values in the same way, so that no rebuild is needed."""
        if isinstance(one, String) and isinstance(other, String):
            return True
        return bool(one.compile(dialect=self.dialect) == other.compile(dialect=self.dialect))

    def exactly(self, value: SqlValue) -> SqlValue:
        """Make a text compare byte by byte, regardless of its column's collation."""
        return value

    def differs(self, new: SqlValue, old: SqlValue) -> ColumnElement[bool]:
        """Compare NULL-safe and byte by byte."""
        return self.exactly(new).is_distinct_from(self.exactly(old))

    def hash_of(self, values: Sequence[SqlValue], types: Sequence[SqlType]) -> SqlValue:
        """A 64-bit hash that differs wherever a value of these types does; needed where `compares_hashes`."""
        raise NotImplementedError

    def bucket(self, keys: Sequence[SqlValue], count: int) -> SqlValue:
        """The hash bucket of a key, from 0 to count - 1; a key with a NULL is in bucket 0.

        It is never stored, because it may change with the database version.
        """
        text: SqlValue = cast(keys[0], Text())
        for key in keys[1:]:
            text = text.concat("|").concat(cast(key, Text()))
        number = self.key_hash(text).op("%")(literal_column(str(count)))
        return cast(func.coalesce(number, 0), BigInteger())

    def key_hash(self, text: SqlValue) -> SqlValue:
        """A hash of a text, at least 0."""
        raise NotImplementedError

    def json_rows(self, columns: Mapping[str, SqlType], name: str = "given") -> Subquery:
        """Make a table from the JSON array of objects that is bound as `:rows`; see `rows_parameter`.

        One parameter carries thousands of rows. Measured: 3 to 7 microseconds per row on SQLite, DuckDB and PostgreSQL;
        executemany takes 440 on DuckDB.
        """
        raise NotImplementedError

    def json_object(self, values: Mapping[str, SqlValue]) -> SqlValue:
        """The text of a JSON object with the values that are not NULL; NULL if there are none.

        A value is a number, true, false, or a text from which its exact value can be read.
        """
        raise NotImplementedError

    def insert_rows(self, connection: Connection, table: Table, rows: Sequence[tuple[int | str | None, ...]]) -> None:
        """Insert tuples in the order of the table's columns."""
        names = [column.name for column in table.columns]
        given = self.json_rows({column.name: column.type for column in table.columns})
        insert = table.insert().from_select(names, select(*given.c))
        connection.execute(insert, rows_parameter([dict(zip(names, row, strict=True)) for row in rows]))

    def refilled_table(self, name: str, *items: SchemaItem) -> Table:
        """A temporary table that each transaction fills anew."""
        return Table(name, MetaData(), *items, prefixes=["TEMPORARY"])

    def renew_statistics(self, connection: Connection, table: Table) -> None:
        """Remove the values of deleted rows from the statistics of a table, where the database keeps values there."""

    def index_temporary(
        self, connection: Connection, name: str, keys: Sequence[str], sequence: str | None = None
    ) -> None:
        """Prepare a filled temporary table for joins by its key and for reading ranges of its sequence."""

    def evaluated_first(self, query: SqlQuery, name: str) -> FromClause:
        """A query as a relation that the database evaluates before the surrounding statement."""
        return query.subquery(name)

    def numbered(self, query: SqlQuery, order: Sequence[SqlValue]) -> SqlQuery:
        """The rows of a query, each with its place in an order as `sequence`."""
        return query.add_columns(func.row_number().over(order_by=order).label("sequence"))

    def would_hash_join(self, joined: SqlQuery, connection: Connection) -> bool:
        """Whether the database would join two tables with a hash join, and takes a hint to do it in parallel.

        Args:
            joined: The join alone, without filters.
            connection: To the state database.
        """
        return False

    # Files.

    @classmethod
    def file_of(cls, url: URL) -> str | None:
        """The local file of a database; None for a server, a database in memory and a service."""
        name = url.database or ""
        is_other = not name or name.startswith((":memory:", "file:", "md:", "motherduck:")) or "://" in name
        return None if is_other or not cls.is_file else name

    def _create_index(self, connection: Connection, table: str, columns: Sequence[str]) -> None:
        quote = self.dialect.identifier_preparer.quote
        index = quote(f"{table}_{columns[0]}")
        connection.exec_driver_sql(f"CREATE INDEX {index} ON {quote(table)} ({', '.join(map(quote, columns))})")


def _converted(row: Sequence[object], converters: Sequence[Callable[[Any], object] | None]) -> tuple[object, ...]:
    pairs = zip(row, converters, strict=True)
    return tuple(value if convert is None or value is None else convert(value) for value, convert in pairs)
