"""PostgreSQL's drivers: settings, so that a value which Python cannot hold rejects one row, and fast reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.exc import DBAPIError

_RANGES = ("int4", "int8", "num", "date", "ts", "tstz")

_RANGE_OIDS = (3904, 3906, 3908, 3910, 3912, 3926)

_TIMES = ("date", "timestamp", "timestamptz", "time", "timetz", "interval")


def set_up_psycopg(connection: Any) -> None:
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


def set_up_psycopg2(connection: Any) -> None:
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


def without_prepared_statements(connection: Connection) -> None:
    """Let psycopg prepare no statement of a connection: it would be in the session, which a pooler may change."""
    if connection.dialect.driver == "psycopg":
        driver: Any = connection.connection.driver_connection
        driver.prepare_threshold = None


def can_stream(dialect: Dialect) -> bool:
    """Whether `streamed_batches` can read from this database: it needs libpq 17, which returns rows in chunks."""
    if dialect.driver != "psycopg":
        return False
    from psycopg import capabilities

    return capabilities.has_stream_chunked()


def streamed_batches(
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
    expanded = compiled.construct_expanded_state(dict(parameters))
    with cast(Any, connection.connection.driver_connection).cursor() as cursor:
        try:
            # Closed before the connection is used again: an open stream holds its lock.
            with closing(cursor.stream(expanded.statement, expanded.parameters, size=size)) as rows:
                while batch := list(islice(rows, size)):
                    yield batch
        except Error as error:
            raise DBAPIError.instance(expanded.statement, None, error, Error, hide_parameters=True) from None
