"""The progress of a send as lines of the task's log."""

from __future__ import annotations

import time
from collections.abc import Callable

from dagster_dailystory.model.runs.report import Progress

_SECONDS = 10.0
"""Shortest time between two lines."""


class ProgressLines:
    """Logs how far a send is, at intervals.

    Args:
        log: Takes a line.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Take a progress report."""
        if time.monotonic() - self._last < _SECONDS:
            return
        self._last = time.monotonic()
        total, rate = progress.rows_sent + progress.rows_remaining, progress.rows_per_second
        self._log(f"{progress.rows_sent:,} of {total:,} rows are sent, {rate:.0f} a second")
