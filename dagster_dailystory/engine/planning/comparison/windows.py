"""The time windows of a source, as SQL: which window a row is in, and which rows some windows have."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, and_, case, false, literal, or_, true

from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.source import Source
from dagster_dailystory.databases.sql_types import TEXT, SqlValue
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import Slices, TimeWindows
from dagster_dailystory.model.sync import ContactSync

_MOST_WINDOWS = 10_000
"""Most windows of a sync: each adds a parameter to statements, whose number databases limit."""


@dataclass(frozen=True)
class WindowColumn:
    """The column of a sync with time windows.

    Attributes:
        value: The column, as its database compares it with a time.
        windows: The windows.
        starts: Where they begin, without a zone.
        like: A value of the column, which shows whether it holds dates, or times with or without a zone; None if it
            holds none.
        database: The database of the source.
    """

    value: SqlValue
    windows: TimeWindows
    starts: Sequence[datetime]
    like: date | None
    database: Database

    def name(self) -> SqlValue:
        """The window of a row."""
        names = self.windows.named(self.starts)
        if self.like is None:
            return literal(names[0], TEXT)
        return self._name_within(0, len(names), names)

    def _name_within(self, first: int, end: int, names: Sequence[str]) -> SqlValue:
        """Search the window in halves: a row is compared with few of the starts."""
        if end - first == 1:
            return literal(names[first], TEXT)
        middle = (first + end) // 2
        later, earlier = self._name_within(middle, end, names), self._name_within(first, middle, names)
        return case((self.value >= self._start(middle), later), else_=earlier)  # NULL is earlier

    def is_in(self, slices: Slices) -> ColumnElement[bool]:
        """Whether a row is in one of these windows; never NULL."""
        first, end = self._places(slices)
        if self.like is None:
            return true() if slices.has_first else false()
        conditions: list[ColumnElement[bool]] = [self.value.is_not(None)]
        conditions += [] if slices.has_first else [self.value >= self._start(first)]
        conditions += [] if slices.has_last else [self.value < self._start(end)]
        is_in = and_(*conditions)
        return or_(self.value.is_(None), is_in) if slices.has_first else is_in

    def is_elsewhere(self, slices: Slices) -> ColumnElement[bool]:
        """Whether a row is in another window; never NULL."""
        first, end = self._places(slices)
        if self.like is None:
            return false() if slices.has_first else true()
        conditions: list[ColumnElement[bool]] = []
        conditions += [] if slices.has_first else [self.value.is_(None), self.value < self._start(first)]
        conditions += [] if slices.has_last else [self.value >= self._start(end)]
        is_elsewhere = or_(*conditions)
        return and_(self.value.is_not(None), is_elsewhere) if slices.has_first else is_elsewhere

    def _places(self, slices: Slices) -> tuple[int, int]:
        first = self.windows.named(self.starts).index(slices.names[0])
        return first, first + len(slices.names)

    def _start(self, place: int) -> SqlValue:
        assert self.like is not None
        return self.database.moment_literal(self.windows.start_like(self.starts[place], self.like))


class WindowNames:
    """Finds the window of each value that a driver returns.

    Args:
        windows: The windows.
        now: The present, with a zone.
        database: The database of the source.
    """

    def __init__(self, windows: TimeWindows, now: datetime, database: Database) -> None:
        self._starts = windows.starts_at(now)
        self._starts_in_utc = [windows.start_like(start, now) for start in self._starts]
        self._names = windows.named(self._starts)
        self._moment = database.moment

    def of(self, value: object) -> str:
        """The window of a value. PostgreSQL's `infinity` and years that Python lacks are texts."""
        moment = self._moment(value)
        if moment is None:
            is_late = isinstance(value, str) and not (value.startswith("-") or value.endswith(" BC"))
            return self._names[-1 if is_late else 0]
        if not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)
        starts = self._starts if moment.tzinfo is None else self._starts_in_utc
        return self._names[max(bisect_right(starts, moment) - 1, 0)]


def window_column(source: Source, sync: ContactSync, connection: Connection, now: datetime) -> WindowColumn | None:
    """The column of a sync's time windows; None for a sync with other partitions or none.

    Args:
        source: The source.
        sync: The sync.
        connection: To the source's database; a value of the column is read.
        now: The present, with a zone.

    Raises:
        ConfigurationError: The column holds neither dates nor timestamps, or has dates for hourly windows.
    """
    windows = sync.partitions
    if not isinstance(windows, TimeWindows):
        return None
    starts, database = windows.starts_at(now), database_of(connection.dialect)
    if len(starts) > _MOST_WINDOWS:
        raise ConfigurationError(
            f"sync {sync.name!r} has {len(starts):,} {windows.every} windows, and may have {_MOST_WINDOWS:,}: set a"
            " later start, since the first window has all earlier rows, or use longer windows"
        )
    like = source.highest_moment(windows.column, sync, connection, "partition")
    if windows.every == "hourly" and like is not None and not isinstance(like, datetime):
        raise ConfigurationError(
            f"the partition column {windows.column!r} of sync {sync.name!r} holds dates; hourly windows need timestamps"
        )
    value = database.comparable_moment(source.relation.c[source.columns[windows.column]])
    return WindowColumn(value, windows, starts, like, database)
