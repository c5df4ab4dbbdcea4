"""A watermark: a source column that moves whenever a row changes, so that most runs look at recent rows only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dagster_dailystory.errors import ConfigurationError

Moment = date | datetime
"""A value of a watermark column."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """Compare only the rows whose column moved since the last complete run, and everything from time to time.

    A run between two full ones sees no row that left, no edit that leaves the column alone, and no second row of a
    key: the next full run does.

    Attributes:
        column: A date or a timestamp that moves whenever the row changes, for example `updated_at`.
        overlap_seconds: How far before the highest value a run looks back, for rows that were committed late.
        full_every_seconds: A run compares everything when the last one that did is older than this.

    Raises:
        ConfigurationError: A time is negative, or the column has no name.

    Example:
        ```python
        Watermark("updated_at", overlap_seconds=3600, full_every_seconds=86_400)
        ```
    """

    column: str
    overlap_seconds: float = 3_600.0
    full_every_seconds: float = 86_400.0

    def __post_init__(self) -> None:
        if not self.column:
            raise ConfigurationError("a watermark needs the name of a source column")
        if not self.overlap_seconds >= 0 or not self.full_every_seconds > 0:
            raise ConfigurationError("overlap_seconds must not be negative, full_every_seconds must be positive")

    def back_from(self, highest: Moment) -> Moment:
        """The lowest value that a run looks at when this was the highest one seen; a date goes back whole days."""
        back = timedelta(seconds=self.overlap_seconds)
        if isinstance(highest, datetime):
            return highest - back
        return highest - timedelta(days=-(-back // timedelta(days=1)))
