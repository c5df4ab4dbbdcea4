"""Driver settings and fast reads, so that a value which Python cannot hold rejects one row and not the whole run."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from itertools import islice
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Select, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

_RANGES = ("int4", "int8", "num", "date", "ts", "tstz")

_RANGE_OIDS = (3904, 3906, 3908, 3910, 3912, 3926)

_TIMES = ("date", "timestamp", "timestamptz", "time", "timetz", "interval")


def set_up_connections(engine: Engine) -> None:
    """Prepare each connection that an engine will open."""
    dialect = engine.dialect
    if dialect.name == "sqlite":
        _begin_explicitly(engine)
    set_up = _SET_UPS.get(dialect.driver) or _SET_UPS.get(dialect.name)
    if set_up is not None:

        @event.listens_for(engine, "connect")
        def _connect(connection: object, _record: ConnectionPoolEntry) -> None:
            set_up(connection)


def _begin_explicitly(engine: Engine) -> None:
    """Begin SQLite transactions before reads and DDL; its driver begins them late, and only for writes."""

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _set_up_sqlite(connection: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA synchronous = FULL")
    connection.create_function("dailystory_hash", 1, _crc32, deterministic=True)
    # Bytes that are not UTF-8 become text that the row check rejects; the driver would raise and end the run.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")


def _crc32(text: str | None) -> int | None:
    """SQLite has no hash function of its own."""
    return None if text is None else zlib.crc32(text.encode("utf-8", "surrogatepass"))


def _set_up_psycopg(connection: Any) -> None:
    """Read ranges, and times that Python cannot hold (`infinity`, `0044-03-15 BC`), as text; strip CHAR padding."""
    from psycopg import DataError
    from psycopg.adapt import Loader
    from psycopg.pq import Format

    class AsText(Loader):
        def load(self, data: Any) -> str:
            return bytes(data).decode()

    class Unpadded(AsText):
        def load(self, data: Any) -> str:
            return super().load(data).rstrip(" ")

    def readable(loader: Callable[[int, Any], Any]) -> type[Loader]:
        class Readable(Loader):
            def __init__(self, oid: int, connection: Any = None) -> None:
                super().__init__(oid, connection)
                self._load = loader(oid, connection).load

            def load(self, data: Any) -> object:
                try:
                    return self._load(data)
                except DataError:
                    return bytes(data).decode()

        return Readable

    adapters = connection.adapters
    for name in _TIMES:
        oid = adapters.types[name].oid
        adapters.register_loader(oid, readable(adapters.get_loader(oid, Format.TEXT)))
    for name in _RANGES:
        adapters.register_loader(f"{name}range", AsText)
        adapters.register_loader(f"{name}multirange", AsText)
    adapters.register_loader("bpchar", Unpadded)


def _set_up_psycopg2(connection: Any) -> None:
    """The same for psycopg2, which Redshift's dialect uses."""
    from psycopg2 import extensions  # type: ignore[import-untyped]  # an extra installs it, without stubs

    lossy = ("infinity", "-infinity")  # psycopg2 returns the last day of year 9999, and midnight for 24:00

    def readable(reader: Callable[[str | None, Any], object]) -> Callable[[str | None, Any], object]:
        def read(text: str | None, cursor: Any) -> object:
            if text in lossy or (reader is extensions.PYTIME and text is not None and text.startswith("24:")):
                return text
            try:
                return reader(text, cursor)
            except (ValueError, OverflowError):
                return text

        return read

    def unpadded(text: str | None, _cursor: Any) -> str | None:
        return None if text is None else text.rstrip(" ")

    oids_by_reader = {
        "PYDATE": (1082,), "PYDATETIME": (1114,), "PYDATETIMETZ": (1184,), "PYTIME": (1083, 1266),
        "PYINTERVAL": (1186,),
    }  # fmt: skip
    for name, oids in oids_by_reader.items():
        extensions.register_type(extensions.new_type(oids, name, readable(getattr(extensions, name))), connection)
    extensions.register_type(extensions.new_type((1042,), "BPCHAR", unpadded), connection)
    extensions.register_type(extensions.new_type(_RANGE_OIDS, "RANGE", lambda text, _cursor: text), connection)


_SET_UPS: Mapping[str, Callable[[Any], None]] = {
    "sqlite": _set_up_sqlite, "pysqlite": _set_up_sqlite, "psycopg": _set_up_psycopg, "psycopg2": _set_up_psycopg2,
}  # fmt: skip


def json_positions(result: CursorResult[Any]) -> list[int]:
    """The positions of columns with JSON that the driver returns as text, formatted differently by each version.

    Only Snowflake: its type codes 5, 9 and 10 are VARIANT, OBJECT and ARRAY.
    """
    if result.context.dialect.name != "snowflake" or result.cursor is None:
        return []
    return [position for position, column in enumerate(result.cursor.description) if column[1] in (5, 9, 10)]


def parse_json_columns(row: Sequence[object], positions: Sequence[int]) -> tuple[object, ...]:
    """Parse the JSON columns of a row; invalid JSON stays text."""
    values = list(row)
    for position in positions:
        with suppress(ValueError, TypeError):
            values[position] = json.loads(cast(str, values[position]))
    return tuple(values)


def can_stream(dialect: Dialect) -> bool:
    """Whether `postgres_batches` can read from this database: it needs libpq 17, which returns rows in chunks."""
    if dialect.driver != "psycopg":
        return False
    from psycopg import capabilities

    return capabilities.has_stream_chunked()


def postgres_batches(
    connection: Connection, query: Select[Any], parameters: Mapping[str, object], size: int
) -> Iterator[list[tuple[object, ...]]]:
    """Read a query while PostgreSQL computes it. Close the iterator before using the connection again.

    PostgreSQL computes the next rows while a batch is processed. With a server-side cursor it waits in between, which
    takes up to twice as long.

    Raises:
        DBAPIError: As SQLAlchemy, which this bypasses, would raise it.
    """
    from psycopg import Error

    compiled = query.compile(dialect=connection.dialect)
    with cast(Any, connection.connection.driver_connection).cursor() as cursor:
        try:
            # Closed before the connection is used again: an open stream holds its lock.
            with closing(
                cursor.stream(compiled.string, compiled.construct_params(dict(parameters)), size=size)
            ) as rows:
                while batch := list(islice(rows, size)):
                    yield batch
        except Error as error:
            raise DBAPIError.instance(compiled.string, None, error, Error, hide_parameters=True) from None


def clickhouse_blocks(connection: Connection, query: Select[Any], size: int) -> Iterator[list[tuple[object, ...]]]:
    """Read a query block by block, because ClickHouse's DBAPI cursor holds the whole result in memory."""
    statement = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})) % ()
    client = cast(Any, connection.connection.driver_connection).client
    with client.query_row_block_stream(statement, settings={"max_block_size": size}) as blocks:
        for block in blocks:
            yield [tuple(row) for row in block]
