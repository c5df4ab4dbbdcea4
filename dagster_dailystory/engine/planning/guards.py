"""The guards: named conditions that a whole plan must meet before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dagster_dailystory.model.runs.plan import OPTED_OUT_SHARE, GuardResult
from dagster_dailystory.model.sync import ContactSync, DeletePolicy

GUARD_NAMES = (
    "source_not_empty", "created_share", "created_rows", "changed_share", "opted_out_share", "deleted_share",
    "rejected_share",
)  # fmt: skip
"""Every guard, in the order of evaluation; each is an asset check in Dagster."""

_OF_A_DAY = " in the plans of the last 24 hours"


@dataclass(frozen=True, slots=True)
class GuardInputs:
    """The counts that the guards evaluate.

    Attributes:
        source_is_empty: The source has no row at all, whatever the run's scope.
        rows_read: Source rows in the run's scope.
        rows_created: Contacts that would be created.
        rows_updated: Contacts that would be updated.
        rows_opted_out: Contacts that would be opted out.
        rows_deleted: Contacts that would be deleted or deactivated in the whole sync, also if the plan is for a slice.
            If only the slice was read, at least as many as the source has fewer keys than
            the state.
        rows_rejected: Rejected rows.
        live_keys: Keys of the snapshot that were not missing before this run; of a slice those that belong to it.
        sync_live_keys: The same for the whole sync.
        whole_source: The run compares the whole source, and may find missing keys.
        first_load: The first load is not done: any share of contacts may be created.
    """

    source_is_empty: bool
    rows_read: int
    rows_created: int
    rows_updated: int
    rows_opted_out: int
    rows_deleted: int
    rows_rejected: int
    live_keys: int
    sync_live_keys: int
    whole_source: bool
    first_load: bool


@dataclass(frozen=True, slots=True)
class DayInputs:
    """The counts of a slice's plan and of all plans of its sync within the last 24 hours.

    Attributes:
        rows_read: Source rows read.
        rows_created: Contacts created, or to be created.
        rows_created_after_first_load: Those of them that are not of the first load.
        rows_updated: Contacts updated, or to be updated.
        rows_opted_out: Contacts opted out, or to be opted out.
        rows_rejected: Rejected rows.
        rows_deleted: Contacts deleted or deactivated, or to be so.
        live_keys: Live keys of the sync before these plans.
    """

    rows_read: int
    rows_created: int
    rows_created_after_first_load: int
    rows_updated: int
    rows_opted_out: int
    rows_rejected: int
    rows_deleted: int
    live_keys: int


@dataclass(frozen=True, slots=True)
class _Share:
    """A guard of a share: its name, what it is a share of, what would happen to these, the setting of the limit."""

    name: str
    noun: str
    verb: str
    setting: str


def guard_texts(sync: ContactSync) -> dict[str, str]:
    """What each guard checks, with the limits of this sync; needs no plan."""
    must = "may be empty (allow_empty_source)" if sync.allow_empty_source else "must have rows"
    texts = {"source_not_empty": f"The source {must}.", "created_rows": _created_rows_text(sync)}
    texts |= {share.name: _share_text(sync, share) for share in _shares(sync)}
    return {name: texts[name] for name in GUARD_NAMES}


def _created_rows_text(sync: ContactSync) -> str:
    if sync.max_created_rows is None:
        return "Any number of contacts may be created: max_created_rows sets no limit."
    return f"At most {sync.max_created_rows} contacts may be created in one run (max_created_rows)."


def _share_text(sync: ContactSync, share: _Share) -> str:
    limit: float | None = getattr(sync, share.setting)
    if share.name == "created_share" and limit:
        bound = f"After the first load at most {limit:.1%} of the number of contacts may be created in one run"
        return f"{bound} ({share.setting}); the limit applies from {sync.min_guard_rows} contacts on."
    if limit is None:
        return f"Any share of the {share.noun} may be {share.verb}: {share.setting} sets no limit."
    if not limit:
        return f"Not one of the {share.noun} may be {share.verb} ({share.setting})."
    bound = f"At most {limit:.1%} of the {share.noun} may be {share.verb} in one run ({share.setting})"
    return f"{bound}; the limit applies from {sync.min_guard_rows} {share.noun} on."


def evaluate_guards(sync: ContactSync, figures: GuardInputs, day: DayInputs | None = None) -> tuple[GuardResult, ...]:
    """Evaluate each guard; a result has the counts, the limit, and what to do if it failed.

    If the source is empty and may not be, only `source_not_empty` is evaluated.

    Args:
        sync: The limits.
        figures: The counts of the plan.
        day: The counts of the sync within a day, for the plan of a slice: it must meet the limits with them too.
    """
    not_empty = _not_empty(sync, figures)
    if not_empty.passed:
        results = {result.name: result for result in (not_empty, *_evaluate(sync, figures, day))}
        return tuple(results[name] for name in GUARD_NAMES)
    others = GUARD_NAMES[1:]
    return (not_empty, *(GuardResult(name, True, "not evaluated: the source is empty") for name in others))


def _not_empty(sync: ContactSync, figures: GuardInputs) -> GuardResult:
    if not figures.source_is_empty or not figures.whole_source:
        return GuardResult("source_not_empty", True, f"{figures.rows_read} rows were read")
    if sync.allow_empty_source:
        return GuardResult("source_not_empty", True, "no rows, which allow_empty_source permits")
    message = "the source has no rows; repair the query, or set allow_empty_source=True if this is meant"
    return GuardResult("source_not_empty", False, message, number=0)


def _shares(sync: ContactSync) -> tuple[_Share, ...]:
    return (
        _Share("created_share", "contacts", "created", "max_created_fraction"),
        _Share("changed_share", "contacts", "updated", "max_changed_fraction"),
        _Share(OPTED_OUT_SHARE, "contacts", "opted out", "max_opted_out_fraction"),
        _Share("deleted_share", "contacts", _removed(sync), "max_deleted_fraction"),
        _Share("rejected_share", "rows", "rejected", "max_rejected_fraction"),
    )


def _removed(sync: ContactSync) -> str:
    """What happens to contacts of missing keys, in the words of `deleted_share`; with `keep` it is 0 contacts."""
    return DeletePolicy.DELETE.past if sync.delete_policy is DeletePolicy.KEEP else sync.delete_policy.past


def _evaluate(sync: ContactSync, figures: GuardInputs, day: DayInputs | None) -> Iterator[GuardResult]:
    deletes = figures.rows_deleted if sync.deletes is not DeletePolicy.KEEP else 0
    rows_of = {
        "created_share": (figures.rows_created, figures.live_keys),
        "changed_share": (figures.rows_updated, figures.live_keys),
        "opted_out_share": (figures.rows_opted_out, figures.live_keys),
        "deleted_share": (deletes, figures.sync_live_keys),
        "rejected_share": (figures.rows_rejected, figures.rows_read),
    }
    of_day = {} if day is None else {
        "created_share": (day.rows_created_after_first_load, day.live_keys),
        "changed_share": (day.rows_updated, day.live_keys),
        "opted_out_share": (day.rows_opted_out, day.live_keys),
        "deleted_share": (day.rows_deleted if deletes else 0, figures.sync_live_keys),
        "rejected_share": (day.rows_rejected, day.rows_read),
    }  # fmt: skip
    for share in _shares(sync):
        if share.name == "created_share" and figures.first_load:
            yield GuardResult(share.name, True, "not evaluated: the first load is not done")
            continue
        results = [_evaluate_share(sync, share, *rows_of[share.name])]
        if share.name in of_day:
            results.append(_evaluate_share(sync, share, *of_day[share.name], when=_OF_A_DAY))
        yield _worst(results)
    created = [_evaluate_created(sync, figures.rows_created)]
    created += [] if day is None else [_evaluate_created(sync, day.rows_created, when=_OF_A_DAY)]
    yield _worst(created)


def _worst(results: list[GuardResult]) -> GuardResult:
    return next((result for result in results if not result.passed), results[0])


def _evaluate_created(sync: ContactSync, rows: int, when: str = "") -> GuardResult:
    value, limit = f"{rows} contacts would be created{when}", sync.max_created_rows
    if limit is None:
        return GuardResult("created_rows", True, f"{value}; max_created_rows sets no limit")
    bound = f"{value}; the limit is {limit} (max_created_rows)"
    message = bound if rows <= limit else f"{bound}. {_REMEDY}"
    return GuardResult("created_rows", rows <= limit, message, rows, limit)


_REMEDY = "Look at the plan; raise the limit for this sync if it is right"


def _evaluate_share(sync: ContactSync, share: _Share, rows: int, of_rows: int, when: str = "") -> GuardResult:
    name, noun, setting = share.name, share.noun, share.setting
    limit: float | None = getattr(sync, setting)
    if not of_rows:
        return GuardResult(name, True, f"not evaluated: there are no {noun}")
    part = rows / of_rows
    value = f"{rows} of {of_rows} {noun} would be {share.verb}{when}, which is {part:.1%}"
    if name == "created_share":
        value = f"{rows} {noun} would be created beside {of_rows}{when}, which is {part:.1%}"
    if limit is None:
        return GuardResult(name, True, f"{value}; {setting} sets no limit")
    bound = f"{value}; the limit is {limit:.1%} ({setting})"
    if part <= limit:
        return GuardResult(name, True, bound, part, limit)
    if limit and rows < sync.min_guard_rows:
        applies = f"{bound}, and applies from {sync.min_guard_rows} {noun} on (min_guard_rows)"
        return GuardResult(name, True, applies, part, limit)
    return GuardResult(name, False, f"{bound}. {_REMEDY}", part, limit)
