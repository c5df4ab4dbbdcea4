"""A watermark: a source column that moves whenever a row changes, so that most runs read recent rows only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.settings import Kind, check_types, named_settings

Moment = date | datetime
"""A value of a watermark column."""


_SECONDS = Kind((int, float), "a number of seconds, such as 3600")

_TYPES = {
    "column": Kind((str,), "the name of a source column"),
    "overlap_seconds": _SECONDS,
    "full_every_seconds": _SECONDS,
}


@named_settings
@dataclass(frozen=True, slots=True)
class Watermark:
    """Compare only the rows whose column moved since the last complete run; compare all rows at intervals.

    Between two full comparisons, missing keys, edits that do not move the column and duplicate keys are not seen; the
    next full comparison finds them.

    Attributes:
        column: A date or a timestamp that moves whenever the row changes, for example `updated_at`. Each run reads the
            rows in which it is NULL; if that is usual, use `coalesce(updated_at, created_at)` in the query.
        overlap_seconds: How far before the highest value seen a run reads, to catch rows that were committed late.
        full_every_seconds: Maximum age of the last full comparison; when it is older, a run compares all rows.

    Raises:
        ConfigurationError: The column has no name, or a number of seconds is out of range.

    Example:
        ```python
        Watermark("updated_at", overlap_seconds=3600, full_every_seconds=86_400)
        ```
    """

    column: str
    overlap_seconds: float = 3_600.0
    full_every_seconds: float = 86_400.0

    def __post_init__(self) -> None:
        check_types(self, _TYPES)
        if not self.column:
            raise ConfigurationError("a watermark needs the name of a source column")
        if not self.overlap_seconds >= 0 or not self.full_every_seconds > 0:
            raise ConfigurationError("overlap_seconds must not be negative, and full_every_seconds must be positive")

    def back_from(self, highest: Moment) -> Moment | None:
        """The lowest value to read if this is the highest value seen; for dates, the overlap is rounded up to days.

        None if the overlap goes back further than dates do, which means all rows.
        """
        try:
            overlap = timedelta(seconds=self.overlap_seconds)
            if isinstance(highest, datetime):
                return highest - overlap
            return highest - timedelta(days=-(-overlap // timedelta(days=1)))
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class WatermarkValues:
    """The values of the watermark column in the rows that a run reads.

    Attributes:
        highest: The highest value that is not in the future; None without one.
        rows_in_future: Rows whose value is more than a day after now. Each run reads them.
        rows_null: Rows without a value. Each run reads them.
    """

    highest: Moment | None = None
    rows_in_future: int = 0
    rows_null: int = 0
