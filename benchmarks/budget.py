"""The performance budget: what a plan may cost beside SQL by hand for the same answer, and what sending must reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SECONDS_A_CHANGED_ROW = 0.0001

LARGE = 10_000_000
"""Rows from which a plan may take a multiple of the SQL; below, a fixed time is added to it."""


@dataclass(frozen=True)
class PlanBudget:
    """What a plan may cost.

    Attributes:
        times_sql: At `LARGE` rows or more: the time, as a multiple of the SQL by hand.
        seconds: With fewer rows: the seconds beyond the SQL.
        megabytes: The peak of the process, beyond the memory limit of a database within it.
    """

    times_sql: float
    seconds: float
    megabytes: float


PLANS: Mapping[str, PlanBudget] = {
    "PostgreSQL": PlanBudget(times_sql=1.3, seconds=0.5, megabytes=200),
    "DuckDB": PlanBudget(times_sql=1.5, seconds=0.5, megabytes=350),
}

CONTACTS_PER_SECOND = 3_000
"""At least, without latency."""

CPU_MS_PER_CONTACT = 0.35
"""At most, without latency."""

HISTORY = 1.1
"""At most: the time and the CPU of a first load with history, as a multiple of one without."""

CPU_SAVED = 5
"""At least: the CPU of a plan that reads all rows, as a multiple of that of one that compares hashes."""

CPU_IN_SLICES = 3
"""At most: the CPU of the plans of eight slices, as a multiple of that of one plan."""

BYTES_OF_SUMS, CPU_SECONDS_OF_SUMS, TIME_OF_SUMS = 0.03, 5, 1
"""At most, with one row of 10,000 changed: what sums read and take, as a share of hashes, and their CPU."""

SHARE_OF_LATENCY = 0.9
"""Of the contacts per second that latency and the requests in flight permit."""

SHARE_OF_RATE = 0.98
"""Of a permitted rate."""


@dataclass(frozen=True)
class Line:
    """One line of the budget, measured.

    Attributes:
        title: What was measured, with its unit.
        measured: The figure.
        permitted: The budget.
        is_least: Whether the figure has to reach the budget, and not to stay within it.
    """

    title: str
    measured: float
    permitted: float
    is_least: bool = False

    @property
    def passes(self) -> bool:
        """Whether the budget is kept; a figure that was not measured keeps to none."""
        return self.measured >= self.permitted if self.is_least else self.measured <= self.permitted

    def __str__(self) -> str:
        word = "least" if self.is_least else "most"
        return f"{'PASS' if self.passes else 'OVER'}  {self.title}: {self.measured:.4g}, at {word} {self.permitted:.4g}"


def of_plan(
    title: str, database: str, *, rows: int, changed: float, by_hand: float, seconds: float, peak: float, limit: float
) -> list[Line]:
    """The lines of a plan.

    Args:
        title: Names the plan.
        database: A key of `PLANS`.
        rows: Rows of the table.
        changed: Rows that changed.
        by_hand: Seconds of the SQL by hand.
        seconds: Seconds of the plan.
        peak: Peak memory of its process in MB.
        limit: The memory limit of a database in that process in MB, otherwise 0.
    """
    budget = PLANS[database]
    permitted = by_hand * budget.times_sql if rows >= LARGE else by_hand + budget.seconds
    return [
        Line(f"{title}, seconds", seconds, permitted + changed * SECONDS_A_CHANGED_ROW),
        Line(f"{title}, MB", peak, limit + budget.megabytes),
    ]
