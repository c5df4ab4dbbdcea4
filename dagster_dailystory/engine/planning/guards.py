"""The guards: named conditions that a whole plan must meet before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagster_dailystory.model.plan import GuardResult
from dagster_dailystory.model.sync import ContactSync, Deletes

GUARD_NAMES = ("source_not_empty", "changed_share", "opted_out_share", "deleted_share", "rejected_share")
"""Every guard, in the order of evaluation; each is an asset check in Dagster."""


@dataclass(frozen=True, slots=True)
class GuardInputs:
    """The counts that the guards evaluate.

    Attributes:
        source_is_empty: The source has no row at all, whatever the run's scope.
        rows_read: Source rows in the run's scope.
        rows_updated: Contacts that would be updated.
        rows_opted_out: Contacts that would be opted out.
        rows_deleted: Contacts that would be deleted or deactivated.
        rows_rejected: Rejected rows.
        live_keys: Keys of the snapshot that were not missing before this run.
        whole_source: The run compares the whole source, and may find missing keys.
    """

    source_is_empty: bool
    rows_read: int
    rows_updated: int
    rows_opted_out: int
    rows_deleted: int
    rows_rejected: int
    live_keys: int
    whole_source: bool


def guard_texts(sync: ContactSync) -> dict[str, str]:
    """What each guard checks, with the limits of this sync; needs no plan."""
    must = "may be empty (allow_empty_source)" if sync.allow_empty_source else "must have rows"
    texts = {"source_not_empty": f"The source {must}."}
    for name, noun, verb, setting in _shares(sync):
        limit: float | None = getattr(sync, setting)
        texts[name] = f"Any share of the {noun} may be {verb}: {setting} sets no limit."
        if limit is not None:
            bound = f"At most {limit:.1%} of the {noun} may be {verb} in one run ({setting})"
            texts[name] = f"{bound}; the limit applies from {sync.min_guard_rows} {noun} on."
    return texts


def evaluate_guards(sync: ContactSync, figures: GuardInputs) -> tuple[GuardResult, ...]:
    """Evaluate each guard; a result has the counts, the limit, and what to do if it failed.

    If the source is empty and may not be, only `source_not_empty` is evaluated.
    """
    not_empty = _not_empty(sync, figures)
    if not_empty.passed:
        return (not_empty, *_evaluate_shares(sync, figures))
    others = GUARD_NAMES[1:]
    return (not_empty, *(GuardResult(name, True, "not evaluated: the source is empty") for name in others))


def _not_empty(sync: ContactSync, figures: GuardInputs) -> GuardResult:
    if not figures.source_is_empty or not figures.whole_source:
        return GuardResult("source_not_empty", True, f"{figures.rows_read} rows were read")
    if sync.allow_empty_source:
        return GuardResult("source_not_empty", True, "no rows, which allow_empty_source permits")
    message = "the source has no rows; repair the query, or set allow_empty_source=True if this is meant"
    return GuardResult("source_not_empty", False, message)


def _shares(sync: ContactSync) -> tuple[tuple[str, str, str, str], ...]:
    """The guards of a share: name, what it is a share of, what would happen to these, the setting of the limit."""
    leaving = "deactivated" if sync.deletes is Deletes.DEACTIVATE else "deleted"
    return (
        ("changed_share", "contacts", "updated", "max_changed_fraction"),
        ("opted_out_share", "contacts", "opted out", "max_opted_out_fraction"),
        ("deleted_share", "contacts", leaving, "max_deleted_fraction"),
        ("rejected_share", "rows", "rejected", "max_rejected_fraction"),
    )


def _evaluate_shares(sync: ContactSync, figures: GuardInputs) -> Iterator[GuardResult]:
    deletes = figures.rows_deleted if sync.deletes is not Deletes.KEEP else 0
    rows_of = {
        "changed_share": (figures.rows_updated, figures.live_keys),
        "opted_out_share": (figures.rows_opted_out, figures.live_keys),
        "deleted_share": (deletes, figures.live_keys),
        "rejected_share": (figures.rows_rejected, figures.rows_read),
    }
    for name, noun, verb, setting in _shares(sync):
        rows, of_rows = rows_of[name]
        limit: float | None = getattr(sync, setting)
        if not of_rows:
            yield GuardResult(name, True, f"not evaluated: there are no {noun}")
            continue
        share = rows / of_rows
        value = f"{rows} of {of_rows} {noun} would be {verb}, which is {share:.1%}"
        if limit is None:
            yield GuardResult(name, True, f"{value}; {setting} sets no limit")
            continue
        bound = f"{value}; the limit is {limit:.1%} ({setting})"
        if share <= limit:
            yield GuardResult(name, True, bound)
        elif rows < sync.min_guard_rows:
            yield GuardResult(name, True, f"{bound}, and applies from {sync.min_guard_rows} {noun} on (min_guard_rows)")
        else:
            yield GuardResult(name, False, f"{bound}. Look at the plan; raise the limit for this sync if it is right")
