"""The plan history of a sync: whether its first load is done, and what its plans of the last 24 hours add up to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import RowMapping, and_, func, select

from dagster_dailystory.contacts.fingerprint import settings_version
from dagster_dailystory.databases.source_text import source_text
from dagster_dailystory.engine.state.plans.stored import Plan, slices_of
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.partitions import ColumnValues, Slices, names_at
from dagster_dailystory.model.runs.plan import PlanStatus
from dagster_dailystory.model.runs.report import COMPLETE_OUTCOMES

_SENT_TO_THE_END = (*COMPLETE_OUTCOMES, "incomplete")
"""Outcomes of a run that no error stopped, although rows may have failed."""

_PLANNED = frozenset({PlanStatus.READY.value, PlanStatus.SENDING.value, PlanStatus.DONE.value})
"""Plans that count with all that they planned; other plans count with what was sent of them."""


@dataclass(frozen=True, slots=True)
class DayTotals:
    """The sums of the plans of one sync within the last 24 hours.

    Attributes:
        rows_read: Rows read.
        rows_created: Contacts created, or to be created.
        rows_created_after_first_load: Those of them that are not of the first load.
        rows_updated: Contacts updated, or to be updated.
        rows_opted_out: Contacts opted out, or to be opted out.
        rows_rejected: Rejected rows.
        rows_deleted: Contacts deleted or deactivated, or to be so.
        contacts_added: Contacts created after the first load; they are live keys now.
    """

    rows_read: int = 0
    rows_created: int = 0
    rows_created_after_first_load: int = 0
    rows_updated: int = 0
    rows_opted_out: int = 0
    rows_rejected: int = 0
    rows_deleted: int = 0
    contacts_added: int = 0


class PlanHistory:
    """Reads the plans and the run log of one sync, within the caller's transaction."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._name = f"first_load:{state.sync.name}"

    def is_first_load(self) -> bool:
        """Whether no plan of the whole source, or not yet one of each slice, was sent to its end with every create."""
        return self._state.meta(self._name) is None

    def finish_first_load(self, plan: Plan, tables: SyncTables | None) -> None:
        """End the first load if this was the last plan that it needed; called once the plan was sent and logged.

        The first load ends with a plan of the whole source, or of the last slice, that has every create and was sent
        to its end: no error stopped it. Rows may have failed, but fewer than there are contacts by then. So a row that
        always fails does not leave the source without a guard, and a load of which most failed goes on. Each slice of
        the present partitioning counts with its newest plan that was sent to its end, whatever its other plans did.
        """
        if tables is None or not (plan.summary.whole_source and self.is_first_load()):
            return
        left = self._rows_left(plan)
        if left is None:
            return
        live = select(func.count()).select_from(tables.snapshot).where(tables.snapshot.c.absent_since.is_(None))
        if self._state.connection.execute(live).scalar_one() > left:
            self._state.set_meta(self._name, self._state.now().isoformat())

    def _rows_left(self, plan: Plan) -> int | None:
        """The rows that failed in the first load; None if a part of it was not yet sent to its end."""
        plans, runs, sync = self._state.shared.plans, self._state.shared.runs, self._state.sync
        sent = (
            select(plans, runs.c.rows_failed, runs.c.rows_in_doubt)
            .join(runs, runs.c.plan_id == plans.c.plan_id)
            .where(plans.c.sync_name == sync.name, plans.c.whole_source, runs.c.outcome.in_(_SENT_TO_THE_END))
            .order_by(plans.c.number, runs.c.finished_at)
        )
        sent = sent.where(plans.c.plan_id == plan.summary.plan_id) if plan.partition is None else sent
        present = settings_version(sync, source_text(sync))["partitions"]
        left: dict[str | None, int] = {}
        for row in self._state.connection.execute(sent).mappings():
            rows_left = (row["rows_failed"] or 0) + (row["rows_in_doubt"] or 0)
            names: Sequence[str | None] = slices_of(row) or [None]
            if names == [None] or json.loads(row["settings"] or "{}").get("partitions") == present:
                left |= {**dict.fromkeys(names, 0), names[0]: rows_left}  # those of a range count once
        if plan.partition is None or sync.partitions is None:
            return left.get(None)
        if isinstance(sync.partitions, ColumnValues) and sync.partitions.is_dynamic:
            return None  # nothing says that these are all slices: a plan of the whole source ends the first load
        all_names = names_at(sync.partitions, self._state.present)
        return sum(left[name] for name in all_names) if left.keys() >= set(all_names) else None

    def within_a_day(self, slices: Slices) -> DayTotals:
        """Sum up the plans of the last 24 hours; an open plan of these slices counts with what was sent of it."""
        plans, runs, execute = self._state.shared.plans, self._state.shared.runs, self._state.connection.execute
        since = self._state.now() - timedelta(days=1)
        counted = plans.c.status.not_in([PlanStatus.DRY.value, PlanStatus.BLOCKED.value])
        recent = and_(plans.c.sync_name == self._state.sync.name, plans.c.created_at >= since, counted)
        results = (func.sum(runs.c.rows_created), func.sum(runs.c.rows_updated), func.sum(runs.c.rows_deleted))
        sums = select(runs.c.plan_id, *results).where(runs.c.plan_id.in_(select(plans.c.plan_id).where(recent)))
        sent = {row[0]: tuple(int(each or 0) for each in row[1:]) for row in execute(sums.group_by(runs.c.plan_id))}
        totals: Counter[str] = Counter()
        for row in execute(select(plans).where(recent)).mappings():
            mine = slices_of(row)
            ends = bool(mine) and set(mine) <= set(slices.names) and row["status"] != PlanStatus.DONE.value
            totals.update(_counts(row, *sent.get(row["plan_id"], (0, 0, 0)), is_planned=not ends))
        return DayTotals(**totals)


def _counts(row: RowMapping, created: int, updated: int, deleted: int, *, is_planned: bool) -> Mapping[str, int]:
    """What one plan adds to the totals; an old plan, which does not say so, counts as part of the first load."""
    added = 0 if row["first_load"] in (None, True) else created
    if is_planned and row["status"] in _PLANNED:
        created, updated, deleted = row["rows_to_create"], row["rows_to_update"], row["rows_to_delete"]
    return {
        "rows_read": row["rows_read"],
        "rows_created": created,
        "rows_created_after_first_load": 0 if row["first_load"] in (None, True) else created,
        "rows_updated": updated,
        "rows_opted_out": row["opt_outs_to_send"] or 0 if is_planned else 0,
        "rows_rejected": row["rows_rejected"],
        "rows_deleted": deleted,
        "contacts_added": added,
    }
