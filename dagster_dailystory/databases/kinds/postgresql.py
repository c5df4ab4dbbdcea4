"""PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    DateTime,
    Engine,
    FromClause,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Time,
    case,
    cast,
    collate,
    column,
    event,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import Subquery
from sqlalchemy.types import JSON, NullType

from dagster_dailystory.databases.expressions import bound_rows, json_object_of
from dagster_dailystory.databases.kinds.base import Database, Rows
from dagster_dailystory.databases.kinds.permissions import check_grants
from dagster_dailystory.databases.kinds.psycopg import (
    can_stream,
    set_up_psycopg,
    set_up_psycopg2,
    streamed_batches,
)
from dagster_dailystory.databases.sql_types import (
    BIG_INTEGER,
    COMPARABLE,
    MOMENT,
    TEXT,
    UNSUPPORTED,
    Cidr,
    Inet,
    Native,
    SqlQuery,
    SqlType,
    SqlValue,
)
from dagster_dailystory.errors import ConfigurationError

_SET_UPS = {"psycopg": set_up_psycopg, "psycopg2": set_up_psycopg2}

_COMPARABLE = (*COMPARABLE, postgresql.INTERVAL, postgresql.INET, postgresql.CIDR, postgresql.BYTEA)

_JSON_TYPES = (Boolean, Date, DateTime, Integer, Numeric, Time)

_JSON_NUL = r"'(^|[^\\])(\\\\)*\\u0000'"  # accepted in json, but not in jsonb

_HASHES_SINCE = 14  # hash_record_extended

_HASHED_TEXTS = frozenset({25, 1043})

_HASHED_EXACTLY = frozenset({16, 21, 23, 1082, 2950})
"""Not numeric: the hash of -1 is that of 1."""

_HASHED_AS_BYTES = {
    20: func.int8send, 700: func.float4send, 701: func.float8send, 1114: func.timestamp_send,
    1184: func.timestamptz_send,
}  # fmt: skip
"""The hash of a bigint or a timestamp is that of 32 bits; the hash of the float 0.0 is that of NULL."""
"""Type OIDs that are hashed by value: boolean, integers, floats, date, timestamps, numeric, UUID."""


_SIGNS_OF_LIFE = (
    {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "4"},
    {"client_connection_check_interval": "10s"},  # since version 14
)
"""A host that is gone is noticed after 30 seconds, by default after two hours."""


class PostgreSQL(Database):
    """PostgreSQL. Its planner expects that every row differs and picks slower joins; some hints correct it."""

    title = "PostgreSQL"
    url = "postgresql+psycopg://user@host/database"
    extra = "postgres"
    connection_types = ("postgres",)
    connection_options = (
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "options", "application_name", "connect_timeout"),
        "target_session_attrs",
    )
    longest_name = 63
    text_types = _HASHED_TEXTS
    reads_json_rows = True
    deleted_values = (
        "the files of the tables and of pg_statistic hold deleted values until VACUUM FULL, and the WAL until it is "
        "recycled"
    )
    short_name = sql_name = "postgres"
    reserved_words = ("collation", "concurrently", "lateral", "system_user", "tablesample")  # pg_get_keywords()
    uses_indexes = True
    enforces_keys = True

    def set_up(self, engine: Engine) -> None:
        """Read what Python cannot hold as text."""
        set_up = _SET_UPS.get(engine.dialect.driver)
        if set_up is None:
            return

        @event.listens_for(engine, "connect")
        def _connect(connection: object, _record: ConnectionPoolEntry) -> None:
            set_up(connection)

    def use_repeatable_read(self, connection: Connection) -> None:
        """Set the isolation level."""
        connection.execution_options(isolation_level="REPEATABLE READ")

    def use_read_committed(self, connection: Connection) -> None:
        """Set the isolation level."""
        connection.execution_options(isolation_level="READ COMMITTED")

    def batches(
        self, connection: Connection, query: SqlQuery, parameters: Mapping[str, object], size: int
    ) -> Iterator[Rows]:
        """Read rows while they are computed, where the driver can."""
        if can_stream(self.dialect):
            return streamed_batches(connection, query, parameters, size)
        return super().batches(connection, query, parameters, size)

    def why_no_hash(self, kinds: Sequence[object]) -> str | None:
        """The function is there since PostgreSQL 14."""
        version = self.dialect.server_version_info or (0,)
        is_known = int(version[0]) >= _HASHES_SINCE
        return None if is_known else f"PostgreSQL before version {_HASHES_SINCE} has no suitable hash function"

    def row_hash(self, values: Sequence[SqlValue], kinds: Sequence[object]) -> SqlValue:
        """Hash a record of the values; texts under collation "C", because under another one they may be equal.

        The hash of a record adds up those of its values, so two rows that exchange a value would keep the sum of their
        hashes. The hash of that number does not.
        """
        row, seed = func.row(*map(_hashed, values, kinds)), literal_column("0", BIG_INTEGER)
        number = cast(func.hash_record_extended(row, seed, type_=BIG_INTEGER), TEXT)
        return func.hashtextextended(collate(number, "C"), seed, type_=BIG_INTEGER)

    def exact_sum(self, numbers: SqlValue) -> SqlValue:
        """The sum of bigints is numeric."""
        return func.sum(numbers)

    def check_key_type(self, key: str, reflected: SqlType) -> None:
        """Refuse also a type that SQLAlchemy does not know."""
        if isinstance(reflected, NullType):
            raise ConfigurationError(f"key {key!r} has a type that cannot be compared; cast it to text in the query")
        super().check_key_type(key, reflected)

    def holds_several_values(self, reflected: SqlType) -> bool:
        """An array, or JSON."""
        return isinstance(reflected, postgresql.JSON) or reflected.compile(dialect=self.dialect).endswith("]")

    def storage_type(self, reflected: SqlType) -> SqlType:
        """Keep the types that compare exactly."""
        if isinstance(reflected, JSON):
            return postgresql.JSONB()
        if isinstance(reflected, postgresql.ARRAY):
            return reflected if isinstance(reflected.item_type, _COMPARABLE) else Text()
        if isinstance(reflected, (postgresql.INET, postgresql.CIDR)):
            return Inet() if isinstance(reflected, postgresql.INET) else Cidr()
        return reflected if isinstance(reflected, postgresql.INTERVAL) else super().storage_type(reflected)

    def stored_value(self, source: SqlValue, reflected: SqlType) -> SqlValue:
        """Convert json to jsonb, which cannot hold a NUL."""
        if not isinstance(reflected, postgresql.JSON) or isinstance(reflected, postgresql.JSONB):
            return super().stored_value(source, reflected)
        has_nul = cast(source, TEXT).op("~")(literal_column(_JSON_NUL))
        marked = func.to_jsonb(cast(literal_column(f"'{UNSUPPORTED}'"), TEXT))
        return case((has_nul, marked), else_=cast(source, self.storage_type(reflected)))

    def clock(self) -> SqlValue:
        """The server's clock, which goes on within a transaction."""
        return func.timezone("UTC", func.clock_timestamp(), type_=MOMENT)

    def is_locked(self, connection: Connection, rows: SqlQuery) -> bool:
        """Ask without waiting."""
        return connection.execute(rows.with_for_update(skip_locked=True)).first() is None

    def notice_dead_clients(self, connection: Connection) -> None:
        """Ask the client's host for a sign of life, also while a statement runs; some servers cannot."""
        for settings in _SIGNS_OF_LIFE:
            set_all = (func.set_config(name, value, literal_column("false")) for name, value in settings.items())
            with suppress(DBAPIError), connection.begin():  # the server does not have this setting
                connection.execute(select(*set_all))

    def check_state(self, connection: Connection, schema: str | None, names: Sequence[str]) -> None:
        """Check the grants."""
        check_grants(connection, schema, names)

    def exactly(self, value: SqlValue) -> SqlValue:
        """Use the collation that compares bytes."""
        return collate(value, "C") if isinstance(value.type, String) else value

    def key_hash(self, text: SqlValue) -> SqlValue:
        """Use the hash of PostgreSQL's own hash partitions."""
        return func.hashtextextended(text, 0).op("&")(literal_column("9223372036854775807"))

    def json_rows(self, columns: Mapping[str, SqlType], name: str = "given") -> Subquery:
        """Use json_to_recordset."""
        records = func.json_to_recordset(cast(bound_rows(), Native("JSON")))
        table = records.table_valued(*(column(each, kind) for each, kind in columns.items()))
        return select(*table.render_derived("r", with_types=True).c).subquery(name)

    def json_object(self, values: Mapping[str, SqlValue]) -> SqlValue:
        """Merging jsonb keeps numbers exact; a nested value becomes a JSON text, so that its own NULLs stay."""
        exact = {n: func.to_jsonb(v) if isinstance(v.type, postgresql.ARRAY) else v for n, v in values.items()}
        plain = {n: v if isinstance(v.type, _JSON_TYPES) else cast(v, TEXT) for n, v in exact.items()}
        made = json_object_of(plain, func.jsonb_build_object, lambda one, other: one.op("||")(other))
        return func.nullif(cast(func.jsonb_strip_nulls(made), TEXT), literal_column("'{}'"), type_=TEXT)

    def refilled_table(self, name: str, *items: SchemaItem) -> Table:
        """Rows that a DELETE leaves behind would slow each batch down, so each commit removes them."""
        return Table(name, MetaData(), *items, prefixes=["TEMPORARY"], postgresql_on_commit="DELETE ROWS")

    def renew_statistics(self, connection: Connection, table: Table) -> None:
        """Analyze the table: pg_stats shows common values and a sample of the others."""
        connection.exec_driver_sql(f"ANALYZE {self.dialect.identifier_preparer.format_table(table)}")

    def index_temporary(
        self, connection: Connection, name: str, keys: Sequence[str], sequence: str | None = None
    ) -> None:
        """Index the sequence alone: PostgreSQL joins by hashing. Without ANALYZE it does not know the table's size."""
        quote = self.dialect.identifier_preparer.quote
        if sequence is not None:
            self._create_index(connection, name, [sequence])
        joined = ", ".join(map(quote, [*keys, *([] if sequence is None else [sequence])]))
        connection.exec_driver_sql(f"ANALYZE {quote(name)} ({joined})")

    def evaluated_first(self, query: SqlQuery, name: str) -> FromClause:
        """Otherwise the planner picks the join that suits the sort of all the rows which it expects."""
        return query.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")

    def would_hash_join(self, joined: SqlQuery, connection: Connection) -> bool:
        """Ask the planner.

        It does for large tables whose rows are not in key order, through temporary files. Parallel workers halve the
        time, but the planner rejects them because it overestimates the rows returned; `expected_rarely` corrects that.
        It must not be used where the planner merges two indexes: a parallel hash join would take twice as long.
        """
        top_node = connection.execute(_Explain(joined)).scalars().first()
        return str(top_node).startswith("Hash")


def _hashed(value: SqlValue, kind: object) -> SqlValue:
    if kind in _HASHED_EXACTLY:
        return value
    if kind in _HASHED_AS_BYTES:
        return _HASHED_AS_BYTES[kind](value)
    return collate(value if kind in _HASHED_TEXTS else cast(value, TEXT), "C")


class _Explain(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, query: SqlQuery) -> None:
        self.query = query


@compiles(_Explain)
def _explain(element: _Explain, compiler: SQLCompiler, **kw: object) -> str:
    return f"EXPLAIN {compiler.process(element.query, literal_binds=True, **kw)}"
