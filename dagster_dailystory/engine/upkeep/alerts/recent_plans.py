"""The recent plans and sends of a sync from its state: what alerts and retries look at. It has no personal data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, RowMapping, Table, and_, func, or_, select, true

from dagster_dailystory.databases.sql_types import SqlQuery
from dagster_dailystory.engine.planning.comparison.slices import is_in_slices
from dagster_dailystory.engine.state.lease.lease import LeaseHolder, lease_holder
from dagster_dailystory.engine.state.plans.stored import selection_of, slices_of
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Reason
from dagster_dailystory.model.partitions import (
    PARTITION_VALUE,
    ColumnValues,
    HashBuckets,
    TimeWindows,
    names_at,
    slices_named,
)
from dagster_dailystory.model.runs.options import Selection
from dagster_dailystory.model.runs.plan import GuardResult, PlanStatus
from dagster_dailystory.model.sync import ContactSync, Scope

UNFINISHED = "unfinished"
"""The outcome of a send without a line in the run log: it was terminated or killed."""


_RECENT_PLANS = 12
"""How many plans are read of each slice and scope."""


_LOOK_BACK = timedelta(days=90)
"""How old a plan may be: time windows, and ranges of them, become ever more."""


@dataclass(frozen=True)
class PastPlan:
    """The header of a recent plan that was not a dry run.

    Attributes:
        partition: Its slice, or its range of slices; None for the whole source.
        selection: The rows that it looked at.
        status: Its status.
        guards: The guards that did not pass.
        opt_outs: Opt-outs that wait, with those that it would send.
    """

    plan_id: str
    run_id: str
    partition: str | None
    selection: Selection
    status: PlanStatus
    guards: tuple[GuardResult, ...]
    rows_to_send: int
    opt_outs: int
    diff_seconds: float
    at: datetime

    @property
    def is_blocked(self) -> bool:
        """Whether a guard stopped it."""
        return self.status is PlanStatus.BLOCKED


@dataclass(frozen=True)
class PastSend:
    """The latest send of a recent plan.

    Attributes:
        outcome: One of `OUTCOMES`, or `UNFINISHED`.
        rows_failed: Changes without a final result.
        rows_in_doubt: Changes without a response.
        opt_outs: Opt-outs that DailyStory has not acknowledged.
        seconds: How long planning and sending took.
        at: When it ended; of an unfinished one when it began.
    """

    plan: PastPlan
    outcome: str
    rows_failed: int
    rows_in_doubt: int
    opt_outs: int
    seconds: float
    at: datetime

    @property
    def run_id(self) -> str:
        """The run that made the plan."""
        return self.plan.run_id

    @property
    def partition(self) -> str | None:
        """Its slice, or its range of slices; None for the whole source."""
        return self.plan.partition

    @property
    def selection(self) -> Selection:
        """The rows that the plan looked at."""
        return self.plan.selection


@dataclass(frozen=True)
class RecentPlans:
    """What the state knows of the recent runs of a sync.

    Attributes:
        plans: Recent plans, the newest first.
        sends: Their sends, the newest first.
        holder: The run that holds the lease, None if it is free.
        rejections: Reason -> source rows that are rejected now.
        now: When this was read (UTC without a zone).
        slices: All slices of the sync; none without partitions, or where its source names them.
    """

    plans: tuple[PastPlan, ...]
    sends: tuple[PastSend, ...]
    holder: LeaseHolder | None
    rejections: Mapping[str, int]
    now: datetime
    slices: Sequence[str] = ()


@dataclass(frozen=True)
class Unsent:
    """The rows of a slice, or of the whole sync, that another run may send.

    Attributes:
        refused: Rows that DailyStory refused; they are held until they change.
        refused_since: When the newest of the refused rows was first refused; None if there is none.
        unsettled: Rows that failed or are in doubt.
    """

    refused: int
    refused_since: datetime | None
    unsettled: int


def read_recent_plans(state: State) -> RecentPlans:
    """Read the recent plans and sends of a sync.

    Raises:
        DailyStoryError: The state cannot be read.
    """
    with state.connection.begin():
        tables, holder = state.load_tables(), lease_holder(state)
        rejections = {} if tables is None else _rejections(state, tables)
        plans = _plan_rows(state)
        sends = _sends(state, plans, holder)
    past = tuple(_plan(row) for row in plans.values())
    return RecentPlans(past, tuple(sends), holder, rejections, state.now(), _all_slices(state))


def _all_slices(state: State) -> Sequence[str]:
    partitions = state.sync.partitions
    is_dynamic = isinstance(partitions, ColumnValues) and partitions.is_dynamic
    return () if partitions is None or is_dynamic else names_at(partitions, state.present)


def read_unsent(state: State) -> dict[str | None, Unsent]:
    """Read which rows DailyStory refused, and which failed or are in doubt, for each slice; None for the whole source.

    Rows that failed in a run of a range of slices are those of the range.

    Raises:
        DailyStoryError: The state cannot be read.
    """
    with state.connection.begin():
        names = _slice_names(state)
    unsettled: dict[str | None, int] = dict.fromkeys(names, 0)
    recent = read_recent_plans(state)
    for send in current(recent.sends, recent.slices):
        if rows := send.rows_failed + send.rows_in_doubt:
            unsettled[send.partition] = unsettled.get(send.partition, 0) + rows
    with state.connection.begin():
        tables = state.load_tables()
        refused = {} if tables is None else {name: _refused(state, tables, name) for name in names}
    return {name: Unsent(*refused.get(name, (0, None)), unsettled=rows) for name, rows in unsettled.items()}


def _slice_names(state: State) -> tuple[str | None, ...]:
    """The slices of a sync; those that the source names as far as rejections have them. None for no partitions."""
    partitions, tables = state.sync.partitions, state.load_tables()
    if partitions is None:
        return (None,)
    if not isinstance(partitions, ColumnValues) or not partitions.is_dynamic or tables is None:
        return partitions.names
    found = state.connection.execute(select(tables.rejections.c[PARTITION_VALUE]).distinct()).scalars()
    return tuple(dict.fromkeys((*(each for each in found if each), *partitions.names)))


_Past = TypeVar("_Past", PastPlan, PastSend)


def current(records: Iterable[_Past], all_slices: Sequence[str]) -> Iterator[_Past]:
    """The records that no newer one replaces, the newest first. A newer run of a slice replaces the earlier ones of it.

    A run of the whole source, or of a range, is replaced once each of its slices ran again.

    Args:
        records: The newest first.
        all_slices: All slices of the sync, from its `RecentPlans`.
    """
    seen: dict[str | None, set[Selection]] = {}
    for record in records:
        looked_at, slices = replace(record.selection, since=None, slices=()), record.selection.slices
        whole = seen.get(None, set())
        newer = [whole | seen.get(name, set()) for name in slices or all_slices] or [whole]
        if not all(any(_replaces(each, looked_at) for each in of_slice) for of_slice in newer):
            yield record
        for name in slices or (None,):
            seen.setdefault(name, set()).add(looked_at)


def _replaces(newer: Selection, older: Selection) -> bool:
    """Whether the rows of an earlier run of a slice, or of the whole source, are in the result of a newer one."""
    is_whole = not newer.keys and newer.limit in (None, older.limit) and newer.scope in (Scope.CHANGED, Scope.ALL)
    return is_whole or newer == older


def _has_slices(sync: ContactSync, row: RowMapping) -> bool:
    """Whether a plan is for slices that the sync has now. Time windows stay what they are."""
    is_dynamic = isinstance(sync.partitions, ColumnValues) and sync.partitions.is_dynamic
    if is_dynamic or isinstance(sync.partitions, TimeWindows):
        return True
    return set(slices_of(row)) <= set(sync.partitions.names if sync.partitions else ())


def _recent(state: State) -> SqlQuery:
    """The ids of the plans to look at: the newest of each slice and scope."""
    plans, since = state.shared.plans, state.now() - _LOOK_BACK
    is_recent = and_(plans.c.created_at >= since, plans.c.status != PlanStatus.DRY.value)
    mine = and_(plans.c.sync_name == state.sync.name, is_recent)
    groups = [plans.c.partition_value, plans.c.scope]
    place = func.row_number().over(partition_by=groups, order_by=plans.c.number.desc()).label("place")
    ranked = select(plans.c.plan_id, place).where(mine).subquery("ranked")
    return select(ranked.c.plan_id).where(ranked.c.place <= _RECENT_PLANS)


def _plan_rows(state: State) -> dict[str, RowMapping]:
    """The recent plans by id, the newest first."""
    plans = state.shared.plans
    query = select(plans).where(plans.c.plan_id.in_(_recent(state))).order_by(plans.c.number.desc())
    rows = state.connection.execute(query).mappings()
    return {row["plan_id"]: row for row in rows if _has_slices(state.sync, row)}


def _plan(row: RowMapping) -> PastPlan:
    guards = (GuardResult(**guard) for guard in json.loads(row["guards"]))
    rows = ("rows_to_create", "rows_to_update", "rows_to_delete", "opt_outs_ahead")
    return PastPlan(
        row["plan_id"],
        row["run_id"],
        row["partition_value"],
        selection_of(row),
        PlanStatus(row["status"]),
        tuple(guard for guard in guards if not guard.passed),
        sum(row[name] or 0 for name in rows),
        (row["opt_outs_pending"] or 0) + (row["opt_outs_to_send"] or 0),
        row["diff_seconds"] or 0.0,
        row["created_at"],
    )


def _sends(state: State, plans: Mapping[str, RowMapping], holder: LeaseHolder | None) -> list[PastSend]:
    """The latest send of each plan, also those that left no line in the run log and are not at work any more."""
    runs = state.shared.runs
    query = select(runs).where(runs.c.plan_id.in_(_recent(state))).order_by(runs.c.finished_at)
    lines = {line["plan_id"]: line for line in state.connection.execute(query).mappings()}
    found = []
    for plan_id, row in plans.items():
        line, sent_at = lines.get(plan_id), row["sent_at"]
        is_logged = line is not None and (sent_at is None or line["finished_at"] >= sent_at)
        if sent_at is not None and not is_logged and not _is_at_work(holder, sent_at):
            found.append(PastSend(_plan(row), UNFINISHED, 0, 0, 0, 0.0, sent_at))
        elif line is not None:
            found.append(_send(row, line))
    return sorted(found, key=lambda each: each.at, reverse=True)


def _send(row: RowMapping, line: RowMapping) -> PastSend:
    plan = _plan(row)
    return PastSend(
        plan,
        line["outcome"],
        line["rows_failed"] or 0,
        line["rows_in_doubt"] or 0,
        line["opt_outs_pending"] or 0,
        plan.diff_seconds + (line["finished_at"] - line["started_at"]).total_seconds(),
        line["finished_at"],
    )


def _is_at_work(holder: LeaseHolder | None, sent_at: datetime) -> bool:
    """Whether a send that began at this time may still go on."""
    return holder is not None and holder.is_alive and (holder.taken_at is None or sent_at >= holder.taken_at)


def _rejections(state: State, tables: SyncTables) -> dict[str, int]:
    rejections = tables.rejections
    rows = select(rejections.c.reason, func.sum(rejections.c.source_rows)).group_by(rejections.c.reason)
    return {str(reason): int(count or 1) for reason, count in state.connection.execute(rows)}


_REFUSED = (Reason.REFUSED, Reason.NOT_FOUND)
"""Rejections whose cause can be corrected in DailyStory."""


def _refused(state: State, tables: SyncTables, partition: str | None) -> tuple[int, datetime | None]:
    """How many rows of a slice DailyStory refused, and when the newest of them was first refused."""
    rejections = tables.rejections
    conditions: list[ColumnElement[bool]] = [rejections.c.reason.in_([reason.value for reason in _REFUSED])]
    if partition is not None:
        conditions.append(_is_in_slice(state, rejections, partition))
    query = select(func.count(), func.max(rejections.c.first_seen_at)).select_from(rejections).where(*conditions)
    count, newest = state.connection.execute(query).one()
    return int(count), newest


def _is_in_slice(state: State, rejections: Table, name: str) -> ColumnElement[bool]:
    """Whether a rejection belongs to a slice; a bucket without a stored hash is computed as the planner does."""
    partitions, value = state.sync.partitions, rejections.c[PARTITION_VALUE]
    slices = slices_named(partitions, name, state.present)
    if partitions is None or slices is None:
        return true()
    stored = is_in_slices(value, partitions, slices)
    if not isinstance(partitions, HashBuckets):
        return stored
    keys = [rejections.c[key] for key in state.sync.key_columns]
    computed = state.database.bucket(keys, partitions.count) == partitions.names.index(name)
    return or_(and_(value.is_(None), computed), and_(value.is_not(None), stored))
