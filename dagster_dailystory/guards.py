"""The guards: named conditions that a plan must meet before anything of it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagster_dailystory.model import ContactSync, Deletes
from dagster_dailystory.report import GuardVerdict

GUARD_NAMES = ("source_not_empty", "changed_share", "deleted_share", "rejected_share")
"""Every guard, in the order in which they are judged; each is an asset check in Dagster."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the guards look at.

    Attributes:
        source_is_empty: The source has no row at all.
        rows_read: Source rows in the run's scope.
        rows_updated: Synced contacts that would change.
        rows_deleted: Synced contacts that would be deleted or deactivated.
        rows_rejected: Rows set aside.
        live_keys: Synced keys that were in the source when last looked at.
        whole_source: The run looks at the whole source, not at chosen rows.
    """

    source_is_empty: bool
    rows_read: int
    rows_updated: int
    rows_deleted: int
    rows_rejected: int
    live_keys: int
    whole_source: bool


def judge_guards(sync: ContactSync, figures: Figures) -> tuple[GuardVerdict, ...]:
    """Give each guard's verdict with its figures, and what to do where it does not pass."""
    return (_not_empty(sync, figures), *_shares(sync, figures))


def _not_empty(sync: ContactSync, figures: Figures) -> GuardVerdict:
    if not figures.source_is_empty or not figures.whole_source:
        return GuardVerdict("source_not_empty", True, f"{figures.rows_read} rows")
    if sync.allow_empty_source:
        return GuardVerdict("source_not_empty", True, "no rows, which allow_empty_source permits")
    message = "the source has no rows; repair the query, or set allow_empty_source=True if this is meant"
    return GuardVerdict("source_not_empty", False, message)


def _shares(sync: ContactSync, figures: Figures) -> Iterator[GuardVerdict]:
    deletes = figures.rows_deleted if sync.deletes is not Deletes.KEEP else 0
    shares = (
        ("changed_share", "changed", figures.rows_updated, figures.live_keys, "max_changed_fraction"),
        ("deleted_share", "deleted", deletes, figures.live_keys, "max_deleted_fraction"),
        ("rejected_share", "rejected", figures.rows_rejected, figures.rows_read, "max_rejected_fraction"),
    )
    for name, verb, rows, of_rows, setting in shares:
        limit = getattr(sync, setting)
        share = rows / of_rows if of_rows else 0.0
        passed = limit is None or rows < sync.min_guard_rows or share <= limit
        message = f"{rows} of {of_rows} rows would be {verb} ({share:.1%})"
        if not passed:
            message += f"; {setting} is {limit:.1%}. Look at the plan; raise the limit for this sync if it is right"
        yield GuardVerdict(name, passed, message)
