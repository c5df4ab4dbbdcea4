"""Slices of a sync, planned one by one or as a range: by a hash of the key, the values of a column, or time windows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from types import NoneType
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.settings import NAMES, Kind, check_timezone, check_types, named_settings

OTHER_VALUES = "other_values"
"""The slice of rows whose partition column is NULL or holds a value that is not listed."""


RANGE_SIGN = "..."
"""Between the first and the last slice of a range, as in Dagster's command line."""


PARTITION_VALUE = "partition_value"
"""The state column that holds the slice of a row."""


@named_settings
@dataclass(frozen=True, slots=True)
class HashBuckets:
    """Divide a sync into slices by a hash of its key, so that a first load or a full re-sync can be resumed.

    The bucket of a key is not stored, at most the hash of the key, so the count can change at any time.

    Attributes:
        count: Number of slices, 2 to 1,000.

    Raises:
        ConfigurationError: The count is out of range.
    """

    count: int

    def __post_init__(self) -> None:
        if not isinstance(self.count, int) or isinstance(self.count, bool):
            raise ConfigurationError(f"HashBuckets({self.count!r}): the count must be a whole number")
        if not 2 <= self.count <= 1_000:
            raise ConfigurationError(f"HashBuckets({self.count}): the count must be between 2 and 1,000")

    @property
    def names(self) -> tuple[str, ...]:
        """The slices: `bucket_0` and so on, padded with zeros to the same length."""
        digits = len(str(self.count - 1))
        return tuple(f"bucket_{number:0{digits}d}" for number in range(self.count))


NOT_IN_NAMES = (",", RANGE_SIGN, *"\a\b\f\n\r\t\v\0")
"""What Dagster refuses in a partition's name, and the comma, which separates names in its UI."""

LONGEST_NAME = 200
"""Most characters of a partition's name."""

_COLUMN_VALUES = {
    "column": Kind((str,), "the name of a source column"),
    "values": Kind(NAMES, "a list of texts, such as ['emea', 'amer']"),
}


@named_settings
@dataclass(frozen=True, slots=True)
class ColumnValues:
    """Divide a sync into slices by the values of a source column, for example one slice per region.

    Attributes:
        column: The source column; its values are compared as text.
        values: Each value is one slice. Rows with another value or NULL are in the slice `other_values`. Without values
            each value of the source is a slice, as soon as `partition_sensor` adds it to Dagster.

    Raises:
        ConfigurationError: `values` is an empty list, repeats a value, or holds an empty text or `other_values`.
    """

    column: str
    values: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_types(self, _COLUMN_VALUES)
        if not self.values and not isinstance(self.values, tuple):  # a list that was to have values, for example
            raise ConfigurationError(
                f"ColumnValues({self.column!r}): the list of values is empty; omit it if each value of the source is a"
                " slice"
            )
        values = in_fixed_order(self.values)
        object.__setattr__(self, "values", values)
        if len(set(values)) != len(values) or OTHER_VALUES in values or not all(values):
            raise ConfigurationError(
                f"ColumnValues({self.column!r}): list each value once, without empty texts;"
                f" {OTHER_VALUES!r} is added automatically"
            )
        for value in values:
            if not is_slice_name(value):
                raise ConfigurationError(
                    f"ColumnValues({self.column!r}): Dagster cannot select a partition named {value!r}, because of a"
                    f" comma, three dots, a control character or more than {LONGEST_NAME} characters; leave it to"
                    " other_values, or rename it in the query"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The slices: the values, then `other_values`. Of slices that the source names, the last one only."""
        return (*self.values, OTHER_VALUES)

    @property
    def is_dynamic(self) -> bool:
        """Whether the values of the source are the slices."""
        return not self.values

    def name_of(self, value: str | None) -> str:
        """The slice of a row, from the canonical text of its partition column."""
        is_name = value is not None and (is_slice_name(value) if self.is_dynamic else value in self.values)
        return str(value) if is_name else OTHER_VALUES


def is_slice_name(value: str) -> bool:
    """Whether a value can name a slice."""
    is_short = 0 < len(value) <= LONGEST_NAME
    return is_short and value != OTHER_VALUES and not any(part in value for part in NOT_IN_NAMES)


_Moment = TypeVar("_Moment", bound=date)

_WINDOWS = {
    "column": Kind((str,), "the name of a source column"),
    "every": Kind((str,), "hourly, daily, weekly or monthly"),
    "start": Kind((str, date), "a date, such as '2024-01-01'"),
    "end": Kind((str, date, NoneType), "a date, such as '2025-01-01', or None"),
    "timezone": Kind((str,), "the name of a time zone, such as 'Europe/Berlin'"),
}

_LENGTHS: Mapping[str, Callable[[datetime], datetime]] = {
    "hourly": lambda start: start + timedelta(hours=1),
    "daily": lambda start: start + timedelta(days=1),
    "weekly": lambda start: start + timedelta(days=7),
    "monthly": lambda start: (start.replace(day=1) + timedelta(days=31)).replace(day=1),
}
"""Length of a window -> where the window after it begins, by the clock on the wall."""


@named_settings
@dataclass(frozen=True, slots=True)
class TimeWindows:
    """Divide a sync into windows of time by a source column, for backfills of days or months.

    The windows cover every row. The first one also has the rows before `start` and those without a time. The last one
    is the window that is still open, or the last one before `end`; it also has all later rows.

    Attributes:
        column: A date or a timestamp. Times without a zone are read in `timezone`.
        every: `hourly`, `daily`, `weekly` or `monthly`. Weeks begin on the weekday of `start`.
        start: Where the first window begins, `2024-01-01`; for months the first of that month.
        end: No window begins at `end` or later; None for no end.
        timezone: Where days begin. Hourly windows are in UTC, because a local hour comes twice when clocks change.

    Raises:
        ConfigurationError: A setting is not valid, or `end` is not after `start`.

    Example:
        ```python
        TimeWindows("signed_up_at", "monthly", start="2024-01-01", timezone="Europe/Berlin")
        ```
    """

    column: str
    every: str
    start: str | date
    end: str | date | None = None
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        check_types(self, _WINDOWS)
        if self.every not in _LENGTHS:
            hint = nearest(self.every, list(_LENGTHS))
            raise ConfigurationError(f"TimeWindows: every={self.every!r} is not one of {', '.join(_LENGTHS)}{hint}")
        check_timezone(self.timezone)
        if self.every == "hourly" and self.timezone != "UTC":
            raise ConfigurationError(
                "TimeWindows: hourly windows need timezone='UTC', because a local hour comes twice when clocks change"
            )
        start = _day("start", self.start)
        object.__setattr__(self, "start", (start.replace(day=1) if self.every == "monthly" else start).isoformat())
        if self.end is None:
            return
        end = _day("end", self.end)
        object.__setattr__(self, "end", end.isoformat())
        if end <= start:
            raise ConfigurationError(f"TimeWindows: end={end} must be after start={start}")

    @property
    def names(self) -> tuple[str, ...]:
        """The windows up to the open one, each by its start: `2024-01-01`, or `2024-01-01-05:00` for an hour."""
        return self.names_at(datetime.now(timezone.utc))

    def names_at(self, now: datetime) -> tuple[str, ...]:
        """The windows at another time than the present.

        Args:
            now: A time with a zone.
        """
        return self.named(self.starts_at(now))

    def named(self, starts: Sequence[datetime]) -> tuple[str, ...]:
        """The names of the windows that begin at these times, in their order."""
        return tuple(map(self._name, starts))

    def starts_at(self, now: datetime) -> tuple[datetime, ...]:
        """Where the windows begin, without a zone; at least the first one."""
        local = now.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)
        return _starts(self, local.replace(minute=0, second=0, microsecond=0))

    @property
    def closes(self) -> datetime | None:
        """Where the last window ends, without a zone; None without an `end`."""
        return None if self.end is None else _LENGTHS[self.every](_starts(self, datetime.max)[-1])

    def start_like(self, start: datetime, like: _Moment) -> _Moment:
        """The start of a window as a value that compares with the column's values.

        Args:
            start: From `starts_at`.
            like: A value of the column: a date, a time without a zone, or one with a zone.
        """
        if not isinstance(like, datetime):
            return cast(_Moment, start.date())
        aware = start.replace(tzinfo=ZoneInfo(self.timezone)).astimezone(timezone.utc)
        return cast(_Moment, start if like.tzinfo is None else aware)

    def _name(self, start: datetime) -> str:
        return f"{start:%Y-%m-%d-%H:%M}" if self.every == "hourly" else f"{start:%Y-%m-%d}"


def _day(setting: str, value: str | date) -> date:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else date(value.year, value.month, value.day)
    except ValueError:
        raise ConfigurationError(f"TimeWindows: {setting}={value!r} is not a date, such as '2024-01-01'") from None
    if not 1900 <= day.year <= 2200:
        raise ConfigurationError(f"TimeWindows: {setting}={value!r} must be in the years 1900 to 2200")
    return day


@lru_cache(maxsize=64)
def _starts(windows: TimeWindows, until: datetime) -> tuple[datetime, ...]:
    """The starts of windows up to a time, and before their end."""
    start, following = datetime.fromisoformat(str(windows.start)), _LENGTHS[windows.every]
    end = None if windows.end is None else datetime.fromisoformat(str(windows.end))
    found = [start]
    while (start := following(start)) <= until and (end is None or start < end):
        found.append(start)
    return tuple(found)


Partitioning = HashBuckets | ColumnValues | TimeWindows


@dataclass(frozen=True, slots=True)
class Slices:
    """The slices that a run plans together; they follow each other.

    Attributes:
        names: The slices in their order; at least one, and not all of them.
        has_first: The first slice of all is among them.
        has_last: The last slice of all is among them.
    """

    names: tuple[str, ...]
    has_first: bool = False
    has_last: bool = False

    @property
    def label(self) -> str:
        """The slice, or the first and the last of a range: `2024-01-01...2024-12-01`."""
        return self.names[0] if len(self.names) == 1 else f"{self.names[0]}{RANGE_SIGN}{self.names[-1]}"


def names_at(partitions: Partitioning, now: datetime) -> tuple[str, ...]:
    """All slices of a sync.

    Args:
        partitions: The partitions of the sync.
        now: The present, with a zone; it decides about the last time window.
    """
    return partitions.names_at(now) if isinstance(partitions, TimeWindows) else partitions.names


def slices_named(partitions: Partitioning | None, partition: str | None, now: datetime) -> Slices | None:
    """The slices that a user named; None for the whole source.

    Args:
        partitions: The partitions of the sync.
        partition: A slice, or a range of slices: `2024-01-01...2024-12-01`.
        now: The present, with a zone; it decides about the last time window.

    Raises:
        ConfigurationError: The sync has no such slice.
    """
    if partition is None:
        return None
    if partitions is None:
        raise ConfigurationError(f"partition {partition!r} does not exist: the sync has no partitions")
    names = names_at(partitions, now)
    first, sign, last = partition.partition(RANGE_SIGN)
    if isinstance(partitions, ColumnValues) and partitions.is_dynamic:
        if sign or not (is_slice_name(first) or first == OTHER_VALUES):
            raise ConfigurationError(f"partition {partition!r} is not a value of column {partitions.column!r}")
        return Slices((first,))
    places = [_place(each, names) for each in ([first, last] if sign else [first])]
    if places[0] > places[-1]:
        raise ConfigurationError(
            f"partition {partition!r}: {last!r} comes before {first!r}; write the earlier one first"
        )
    chosen = names[places[0] : places[-1] + 1]
    return None if chosen == names else Slices(chosen, places[0] == 0, places[-1] == len(names) - 1)


def _place(name: str, names: Sequence[str]) -> int:
    if name not in names:
        shown = names if len(names) <= _SHOWN else [*names[: _SHOWN - 1], "…", names[-1]]
        raise ConfigurationError(f"the sync has no partition {name!r}, only {', '.join(shown)}{nearest(name, names)}")
    return names.index(name)


_SHOWN = 8
"""Most slices that a message names."""


def in_fixed_order(names: Collection[str]) -> tuple[str, ...]:
    """Names in the order of the caller; those of a set, whose order differs from process to process, sorted."""
    return tuple(sorted(names) if isinstance(names, Set) else names)
