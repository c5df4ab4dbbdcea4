"""The runs of a sync that failed, from Dagster's own records: a run may die before it opens the state."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import dagster as dg
from dagster._core.execution.plan.objects import StepFailureData  # not exported

from dagster_dailystory.definitions.automation.jobs import RANGE_TAGS, has_sync, sync_steps
from dagster_dailystory.errors import ConfigurationError, UnknownPlanError
from dagster_dailystory.model.partitions import RANGE_SIGN, slices_named
from dagster_dailystory.model.sync import ContactSync

_FIRST_LOOK_BACK = timedelta(days=1)
"""How far back the first evaluation looks for failed runs."""


_OVERLAP = timedelta(seconds=60)
"""How far an evaluation looks back behind the last run that it has seen: runs may be stored out of order."""


_PAGE = 100


@dataclass(frozen=True)
class FailedRun:
    """The latest run of a slice, or of the whole sync, if it failed.

    Attributes:
        run_ids: The run, and the runs that it re-executes.
        partition: Its slice, or its range of slices; None for none.
        message: Why it failed, empty if its steps do not say so.
        is_blocked: A check stopped it: the state knows which guard.
        is_covered: A condition of the state is about this run already.
    """

    run_ids: tuple[str, ...]
    partition: str | None
    message: str
    is_blocked: bool = False
    is_covered: bool = False


@dataclass(frozen=True)
class FailedRuns:
    """The slices whose latest run failed.

    Attributes:
        seen_until: When the last run that was seen changed.
        seen: The runs that changed within the overlap before.
        by_slice: Slice -> its failed run; the empty text for a run without one.
    """

    seen_until: datetime
    seen: frozenset[str] = frozenset()
    by_slice: Mapping[str, FailedRun] = field(default_factory=dict)

    @classmethod
    def at_start(cls) -> "FailedRuns":
        """What the first evaluation begins with."""
        return cls(datetime.now(timezone.utc) - _FIRST_LOOK_BACK)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "FailedRuns":
        """Read a part of a cursor."""
        runs = {name: {**run, "run_ids": tuple(run["run_ids"])} for name, run in stored["by_slice"].items()}
        seen_until = datetime.fromtimestamp(stored["seen_until"], timezone.utc)
        return cls(seen_until, frozenset(stored["seen"]), {name: FailedRun(**run) for name, run in runs.items()})

    def as_json(self) -> dict[str, Any]:
        """A part of a cursor."""
        by_slice = {name: asdict(run) for name, run in self.by_slice.items()}
        return {"seen_until": self.seen_until.timestamp(), "seen": sorted(self.seen), "by_slice": by_slice}

    def with_new_runs(self, instance: dg.DagsterInstance, sync: ContactSync, location: str | None) -> "FailedRuns":
        """Add the runs that failed since, and drop those after which a run of their slice succeeded."""
        found, changed_at = dict(self.by_slice), {}
        for record in _ended_runs(instance, self.seen_until - _OVERLAP):
            run = record.dagster_run
            changed_at[run.run_id] = _utc(record.update_timestamp)
            if run.run_id in self.seen or not has_sync(instance, run, sync, location):
                continue
            name, failed = _partition(run) or "", _failed(instance, run, sync)
            if failed is not None:
                found[name] = failed
            elif _has_sent(instance, run, sync):
                found = {each: known for each, known in found.items() if not _overlap(sync, each, name)}
        seen_until = max([self.seen_until, *changed_at.values()])
        seen = frozenset(run_id for run_id, at in changed_at.items() if at > seen_until - _OVERLAP)
        return FailedRuns(seen_until, seen, found)

    def without(self, run_ids: frozenset[str]) -> "FailedRuns":
        """Drop the runs that are, or re-execute, one of these."""
        kept = {name: run for name, run in self.by_slice.items() if run_ids.isdisjoint(run.run_ids)}
        return replace(self, by_slice=kept)

    def covered(self, names: frozenset[str]) -> "FailedRuns":
        """Mark the runs of these slices as covered."""
        marked = {n: replace(run, is_covered=run.is_covered or n in names) for n, run in self.by_slice.items()}
        return replace(self, by_slice=marked)


def _partition(run: dg.DagsterRun) -> str | None:
    """The slice of a run, or its range of slices as the engine names it; None for none."""
    first, last = (run.tags.get(tag) for tag in RANGE_TAGS)
    if first and last and first != last:
        return f"{first}{RANGE_SIGN}{last}"
    return run.tags.get("dagster/partition") or first


def _overlap(sync: ContactSync, one: str, other: str) -> bool:
    """Whether two runs have a slice in common; the empty text is the whole source."""
    slices = [_slices(sync, name) for name in (one, other)]
    return not all(slices) or not slices[0].isdisjoint(slices[1])


def _slices(sync: ContactSync, name: str) -> frozenset[str]:
    """The slices that a name means; empty for the whole source."""
    try:
        found = slices_named(sync.partitions, name or None, datetime.now(timezone.utc))
    except ConfigurationError:  # slices that the sync does not have any more
        return frozenset({name})
    return frozenset() if found is None else frozenset(found.names)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _ended_runs(instance: dg.DagsterInstance, after: datetime) -> Iterator[dg.RunRecord]:
    """The runs that changed after a time and have ended, in the order in which they changed."""
    statuses = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    read: set[str] = set()
    while True:
        filters = dg.RunsFilter(statuses=statuses, updated_after=after)
        page = instance.get_run_records(filters, limit=_PAGE, order_by="update_timestamp", ascending=True)
        new = [record for record in page if record.dagster_run.run_id not in read]
        yield from new
        if len(page) < _PAGE or not new:
            return
        read |= {record.dagster_run.run_id for record in new}
        after = page[-1].update_timestamp - timedelta(microseconds=1)


def _events(
    instance: dg.DagsterInstance, run: dg.DagsterRun, kinds: set[dg.DagsterEventType]
) -> Iterator[dg.DagsterEvent]:
    for entry in instance.get_records_for_run(run.run_id, of_type=kinds).records:
        event = entry.event_log_entry.dagster_event
        if event is not None:
            yield event


def _has_sent(instance: dg.DagsterInstance, run: dg.DagsterRun, sync: ContactSync) -> bool:
    """Whether the step that sends succeeded, and not after a dry run."""
    changes, contacts = sync_steps(sync)
    ops: Any = run.run_config.get("ops") or {}
    if ((ops.get(changes) or {}).get("config") or {}).get("dry_run"):
        return False
    return any(event.step_key == contacts for event in _events(instance, run, {dg.DagsterEventType.STEP_SUCCESS}))


def _failed(instance: dg.DagsterInstance, run: dg.DagsterRun, sync: ContactSync) -> FailedRun | None:
    """A run in which a sync failed; None if it did not, although another asset of the run may have."""
    if run.status is not dg.DagsterRunStatus.FAILURE:
        return None
    failures = list(_events(instance, run, {dg.DagsterEventType.STEP_FAILURE}))
    own = [event.step_failure_data for event in failures if event.step_key in sync_steps(sync)]
    if not own and (failures or _has_sent(instance, run, sync)):
        return None
    if own and _names_no_plan(own[-1]):
        return None  # a person mistyped the id in the launchpad, and reads the failure there
    run_ids = tuple(dict.fromkeys(filter(None, (run.run_id, run.parent_run_id, run.root_run_id))))
    message, is_blocked = _message(own[-1]) if own else ("", False)
    return FailedRun(run_ids, _partition(run), message, is_blocked)


def _names_no_plan(data: StepFailureData) -> bool:
    described = {} if data.user_failure_data is None else data.user_failure_data.metadata
    return "error" in described and described["error"].value == UnknownPlanError.__name__


def _message(data: StepFailureData) -> tuple[str, bool]:
    """What a step says about its failure, and whether a check stopped it.

    Only the messages of the engine's own errors are known to have no personal data.
    """
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description, False
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    kind = (error.cls_name if error is not None else None) or "an error"
    return f"{kind} in a step of the sync; see the log of the run in Dagster", kind == "DagsterAssetCheckFailedError"
