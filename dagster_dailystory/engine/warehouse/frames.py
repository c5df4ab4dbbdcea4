"""A frame as a source: its rows in a temporary database, so that the engine reads them like those of any other.

The database is a SQLite file that only its owner can read. It has the canonical text of each value, and keys that are
whole numbers as numbers: pandas holds whole numbers as floats wherever a value is missing.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from dagster_dailystory.databases.source_text import FRAME
from dagster_dailystory.databases.stored_values import are_integers, staged_texts
from dagster_dailystory.engine.warehouse.urls import Warehouse
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import ContactSync, FrameSource

if TYPE_CHECKING:
    import duckdb
    import pandas

_ROWS_AT_ONCE = 10_000


class Frame(Protocol):
    """A frame of pandas or polars, or another table with Arrow's PyCapsule interface: of pyarrow, DuckDB and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:  # Arrow's name
        """The rows, as a stream of Arrow's."""


Columns = dict[str, Sequence[object]]
"""Some rows of a frame, by column."""


@contextmanager
def with_frame(
    sync: ContactSync, warehouse: Warehouse, frame: Frame | None, *, is_sending: bool = False
) -> Iterator[Warehouse]:
    """The warehouse that a sync reads: the frame, if its source is one, otherwise the warehouse itself.

    Args:
        sync: The sync.
        warehouse: Its warehouse; of a sync that reads a frame only the state is used.
        frame: The rows; None for a sync that reads a warehouse.
        is_sending: A plan is sent that waits for no approval: a frame with some rows is not read then, and may be left
            out.

    Raises:
        ConfigurationError: The sync reads a frame and none is given, or the other way round, or it is not a frame.
    """
    if not isinstance(sync.source, FrameSource):
        if frame is not None:
            raise ConfigurationError(f"sync {sync.name!r} reads a warehouse; source=FrameSource() reads a frame")
        yield warehouse
        return
    if frame is None and not (is_sending and sync.reads_some_rows):
        raise ConfigurationError(f"sync {sync.name!r} reads a frame (FrameSource); pass it as frame=")
    with tempfile.TemporaryDirectory(prefix="dailystory-") as folder:  # for its owner alone
        file = Path(folder) / "frame.sqlite"
        with closing(sqlite3.connect(file)) as connection, connection:
            _fill(connection, sync, frame)
        yield replace(warehouse, url=f"sqlite:///{file}")


def _fill(connection: sqlite3.Connection, sync: ContactSync, frame: Frame | None) -> None:
    used = list(dict.fromkeys((*sync.key_columns, *(mapped.column for mapped in sync.read_fields))))
    rows = None if frame is None else _rows_of(sync, frame)
    names = used if rows is None else rows.columns
    if not names:
        raise ConfigurationError(
            f"the frame of sync {sync.name!r} has no columns; a frame without rows needs them too:"
            f" pandas.DataFrame(rows, columns={used})"
        )
    folded = {name.casefold(): name for name in names}
    if len(folded) < len(names):
        raise ConfigurationError(f"the frame of sync {sync.name!r} has two columns of one name; rename one of them")
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in names}
    connection.execute(f"create table {FRAME} ({', '.join(quoted.values())})")
    found = {name: folded[name.casefold()] for name in used if name.casefold() in folded}
    if rows is None or len(found) < len(used):  # the comparison names a column that is missing
        return
    columns, keys = list(dict.fromkeys(found.values())), {found[key] for key in sync.key_columns}
    listed, places = ", ".join(quoted[name] for name in columns), ", ".join("?" * len(columns))
    for part in rows.parts(columns):
        values = [_keys(part[name]) if name in keys else staged_texts(_plain(part[name])) for name in columns]
        connection.executemany(f"insert into {FRAME} ({listed}) values ({places})", zip(*values, strict=True))
    connection.execute(f"create index frame_keys on {FRAME} ({', '.join(quoted[name] for name in sorted(keys))})")


def _rows_of(sync: ContactSync, frame: Frame) -> _PandasRows | _ArrowRows:
    if hasattr(frame, "iloc") and hasattr(frame, "columns"):
        return _PandasRows(cast("pandas.DataFrame", frame))
    if hasattr(frame, "__arrow_c_stream__"):
        return _ArrowRows(sync.name, frame)
    raise ConfigurationError(
        f"the frame of sync {sync.name!r} is of the type {type(frame).__name__}; it must be a DataFrame of pandas or"
        " polars, or a table that offers Arrow's PyCapsule interface"
    )


class _PandasRows:
    """The rows of a frame of pandas."""

    def __init__(self, frame: pandas.DataFrame) -> None:
        self._frame = frame
        self.columns = [str(name) for name in frame.columns]

    def parts(self, columns: Sequence[str]) -> Iterator[Columns]:
        """The rows of some columns, a few thousand at once."""
        places = {name: self.columns.index(name) for name in columns}
        for start in range(0, len(self._frame), _ROWS_AT_ONCE):
            rows = self._frame.iloc[start : start + _ROWS_AT_ONCE]
            yield {name: rows.iloc[:, place].astype(object).tolist() for name, place in places.items()}


class _ArrowRows:
    """The rows of a table of Arrow's; DuckDB reads them, and needs no library of the table."""

    def __init__(self, sync_name: str, frame: Frame) -> None:
        self._sync_name, self._stream = sync_name, _Stream(frame)
        with self._opened() as connection:
            self.columns = [each[0] for each in connection.execute("select * from frame limit 0").description]

    def parts(self, columns: Sequence[str]) -> Iterator[Columns]:
        """The rows of some columns, a few thousand at once."""
        listed = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        with self._opened() as connection:
            read = connection.execute(f"select {listed} from frame")
            while rows := read.fetchmany(_ROWS_AT_ONCE):
                yield dict(zip(columns, zip(*rows, strict=True), strict=True))

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb  # here, so that definitions load no database driver

        try:
            with closing(duckdb.connect()) as connection:
                connection.execute("set timezone = 'UTC'")
                connection.register("frame", self._stream)
                yield connection
        except duckdb.Error as error:  # its text may have values
            raise ConfigurationError(
                f"the frame of sync {self._sync_name!r} cannot be read ({type(error).__name__}): it has no column, two"
                " columns of one name, or a column whose type DuckDB does not know; rename or convert it"
            ) from None


class _Stream:
    """Offers the interface alone: DuckDB would import pyarrow for a frame of polars that it recognises."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def _plain(values: Sequence[object]) -> Sequence[object]:
    """Values without NaN, by which pandas says that a value is missing."""
    return [None if isinstance(value, float) and isnan(value) else value for value in values]


def _keys(values: Sequence[object]) -> Sequence[object]:
    """Key values: whole numbers as such, also those that pandas holds as floats; others as canonical texts."""
    plain = [int(each) if isinstance(each, float) and each.is_integer() else each for each in _plain(values)]
    numbers = [each for each in plain if each is not None]
    return plain if are_integers(numbers) else staged_texts(plain)
