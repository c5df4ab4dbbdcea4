"""The headers of stored plans: who may send one, once, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import RowMapping, and_, select

from dagster_dailystory.errors import SafetyError
from dagster_dailystory.model import PlanOptions
from dagster_dailystory.privacy import mapping_version
from dagster_dailystory.report import GuardVerdict, PlanStatus, PlanSummary, SyncReport
from dagster_dailystory.state import State


@dataclass(frozen=True)
class Plan:
    """A stored plan.

    Attributes:
        summary: Its header.
        run_id: The run that made it.
        partition: The slice of the source, None for all of it.
    """

    summary: PlanSummary
    run_id: str
    partition: str | None


class Plans:
    """Reads and moves the plans of one sync, within the caller's transaction."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._plans = state.shared.plans

    def add(self, summary: PlanSummary, options: PlanOptions, run_id: str, destination: str) -> None:
        """Store a header. A plan that may be sent takes the place of every earlier one of its partition."""
        plans, state = self._plans, self._state
        if summary.status is not PlanStatus.DRY:
            same = plans.c.partition_value.is_not_distinct_from(options.partition)
            replaced = plans.c.status.in_([PlanStatus.READY.value, PlanStatus.SENDING.value])
            superseded = plans.update().where(plans.c.sync_name == state.sync.name, same, replaced)
            state.connection.execute(superseded.values(status=PlanStatus.SUPERSEDED.value))
        state.connection.execute(
            plans.insert().values(
                plan_id=summary.plan_id,
                sync_name=state.sync.name,
                partition_value=options.partition,
                run_id=run_id,
                scope=options.scope.value,
                options=json.dumps({"limit": options.limit, "keys": len(options.keys), **_marks(summary)}),
                mapping_version=mapping_version(state.sync),
                destination=destination,
                status=summary.status.value,
                guards=json.dumps([asdict(guard) for guard in summary.guards]),
                changes_by_field=json.dumps(dict(summary.changes_by_field)),
                rejections_by_reason=json.dumps(dict(summary.rejections_by_reason)),
                diff_seconds=summary.diff_seconds,
                created_at=state.now(),
                **{name: getattr(summary, name) for name in _COUNTS},
            )
        )

    def in_use(self, count: int) -> list[str]:
        """The ids of the sync's newest plans, and of those that are being sent, or may be resumed."""
        plans, execute = self._plans, self._state.connection.execute
        mine = select(plans.c.plan_id).where(plans.c.sync_name == self._state.sync.name)
        newest = execute(mine.order_by(plans.c.plan_id.desc()).limit(count)).scalars().all()
        sending = execute(mine.where(plans.c.status == PlanStatus.SENDING.value)).scalars().all()
        return sorted({*newest, *sending})

    def newest_of(self, run_ids: Sequence[str], partition: str | None = None) -> Plan | None:
        """The newest plan that one of these runs made."""
        plans = self._plans
        mine = and_(
            plans.c.sync_name == self._state.sync.name,
            plans.c.run_id.in_(list(run_ids)),
            plans.c.partition_value.is_not_distinct_from(partition),
        )
        row = self._state.connection.execute(select(plans).where(mine).order_by(plans.c.plan_id.desc())).mappings()
        first = row.first()
        return None if first is None else _plan(first)

    def claim(self, run_ids: Sequence[str], partition: str | None = None) -> Plan:
        """Take the newest plan of these runs for sending; one that they were sending already is resumed.

        Raises:
            SafetyError: There is none, or it must not be sent.
        """
        plan = self.newest_of(run_ids, partition)
        name = self._state.sync.name
        if plan is None:
            raise SafetyError(f"this run has made no plan for sync {name!r}; materialize its changes first")
        summary = plan.summary
        if summary.status not in (PlanStatus.READY, PlanStatus.SENDING):
            raise SafetyError(f"plan {summary.plan_id} of sync {name!r} is {_WHY[summary.status]}")
        if self._mapping_of(summary.plan_id) != mapping_version(self._state.sync):
            raise SafetyError(f"the mapping of sync {name!r} changed after plan {summary.plan_id}; plan again")
        taken = self._plans.update().where(self._plans.c.plan_id == summary.plan_id)
        sending = {"status": PlanStatus.SENDING.value, "sent_at": self._state.now()}
        self._state.connection.execute(taken.where(self._plans.c.status == summary.status.value).values(**sending))
        return plan

    def _mapping_of(self, plan_id: str) -> str | None:
        plans = self._plans
        found: str | None = self._state.connection.execute(
            select(plans.c.mapping_version).where(plans.c.plan_id == plan_id)
        ).scalar()
        return found

    def finish(self, plan: Plan, report: SyncReport, started_at: datetime) -> None:
        """Write the run log; a plan whose every change has a verdict is done."""
        runs, now = self._state.shared.runs, self._state.now()
        counts = {each.name: getattr(report, each.name) for each in runs.columns if each.name in report.numbers()}
        self._state.connection.execute(
            runs.insert().values(
                run_id=plan.run_id,
                plan_id=report.plan_id,
                sync_name=report.sync_name,
                partition_value=plan.partition,
                outcome=report.outcome,
                started_at=started_at,
                finished_at=now,
                **counts,
            )
        )
        if report.outcome != "stopped":
            mine = and_(self._plans.c.plan_id == report.plan_id, self._plans.c.status == PlanStatus.SENDING.value)
            done = {"status": PlanStatus.DONE.value, "finished_at": now}
            self._state.connection.execute(self._plans.update().where(mine).values(**done))


_WHY = {
    PlanStatus.BLOCKED: "blocked by a guard; look at the plan and its checks",
    PlanStatus.DRY: "a dry run, which is never sent; run again without dry_run",
    PlanStatus.DONE: "sent already; plan again",
    PlanStatus.SUPERSEDED: "superseded by a newer plan; run again",
}
_COUNTS = (
    "rows_read", "rows_unchanged", "rows_to_create", "rows_to_update", "rows_to_delete", "rows_rejected", "rows_held",
)  # fmt: skip


def _marks(summary: PlanSummary) -> dict[str, str | None]:
    return {"since": summary.since, "next_mark": summary.next_mark}


def _plan(row: RowMapping) -> Plan:
    summary = PlanSummary(
        plan_id=row["plan_id"],
        sync_name=row["sync_name"],
        status=PlanStatus(row["status"]),
        guards=tuple(GuardVerdict(**guard) for guard in json.loads(row["guards"])),
        changes_by_field=json.loads(row["changes_by_field"]),
        rejections_by_reason=json.loads(row["rejections_by_reason"]),
        diff_seconds=row["diff_seconds"],
        since=json.loads(row["options"]).get("since"),
        next_mark=json.loads(row["options"]).get("next_mark"),
        **{name: row[name] for name in _COUNTS},
    )
    return Plan(summary, row["run_id"], row["partition_value"])
