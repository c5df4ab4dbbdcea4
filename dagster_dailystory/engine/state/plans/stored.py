"""Stored plans: their headers in the plans table, and which of them a run may send."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, MappingResult, RowMapping, and_, func, select

from dagster_dailystory.contacts.fingerprint import default_versions, mapping_version, opaque, settings_version
from dagster_dailystory.databases.source_text import source_text
from dagster_dailystory.engine.state.plans.approval import differences
from dagster_dailystory.engine.state.plans.custom_fields import remember_custom_fields
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import SafetyError, StateError, UnknownPlanError
from dagster_dailystory.model.change import SENT_OPERATIONS, WaitingOptOut, WaitingOptOuts
from dagster_dailystory.model.runs.canary import CanaryReport
from dagster_dailystory.model.runs.counts import PlanCounts, counts_of
from dagster_dailystory.model.runs.options import PlanOptions, Selection
from dagster_dailystory.model.runs.plan import GuardResult, PlanStatus, PlanSummary
from dagster_dailystory.model.runs.report import SyncReport, planned_report, with_send
from dagster_dailystory.model.sync import Scope

_OPEN = (PlanStatus.READY, PlanStatus.WAITING, PlanStatus.SENDING)
"""Plans that may still be sent or resumed."""


@dataclass(frozen=True)
class Plan:
    """A stored plan.

    Attributes:
        summary: Its header.
        run_id: The run that made it.
        partition: The slice of the source, or the first and the last of a range; None for all of it.
        selection: The rows that it looks at.
        number: Its place in the order of the sync's plans.
        settings: The settings that it was made with, as JSON; None for a plan of an earlier version.
        superseded_by: The newer plan that supersedes it, if it is known.
    """

    summary: PlanSummary
    run_id: str
    partition: str | None
    selection: Selection
    number: int
    settings: str | None
    superseded_by: str | None = None


class Plans:
    """Stores, claims and finishes the plans of one sync, within the caller's transaction."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._plans = state.shared.plans

    def add(self, summary: PlanSummary, options: PlanOptions, run_id: str, destination: str) -> None:
        """Store a header. Unless it is a dry run, the plan supersedes the open plans that it covers."""
        plans, state = self._plans, self._state
        selection = self.selection(options)
        if summary.status is not PlanStatus.DRY:
            self._supersede(selection, summary.plan_id)
        newest = select(func.max(plans.c.number)).where(plans.c.sync_name == state.sync.name)
        state.connection.execute(
            plans.insert().values(
                plan_id=summary.plan_id,
                number=(state.connection.execute(newest).scalar() or 0) + 1,
                sync_name=state.sync.name,
                partition_value=options.partition,
                run_id=run_id,
                scope=options.scope.value,
                options=json.dumps({**asdict(selection), "next_mark": summary.next_checkpoint}),
                mapping_version=mapping_version(state.sync),
                settings=json.dumps(settings_version(state.sync, source_text(state.sync))),
                destination=destination,
                status=summary.status.value,
                guards=json.dumps([asdict(guard) for guard in summary.guards]),
                changes_by_field=json.dumps(dict(summary.changes_by_field)),
                rejections_by_reason=json.dumps(dict(summary.rejections_by_reason)),
                new_custom_fields=json.dumps(summary.new_custom_fields),
                fields_dropped=json.dumps(summary.fields_dropped),
                opt_outs_waiting=json.dumps(asdict(summary.opt_outs_waiting)),
                diff_seconds=summary.diff_seconds,
                compared=summary.compared,
                compared_why=summary.compared_why,
                created_at=state.now(),
                expires_at=summary.expires_at,
                **{name: getattr(summary, name) for name in _COPIED},
            )
        )

    def selection(self, options: PlanOptions) -> Selection:
        """The rows that a plan of these options looks at."""
        chosen = opaque(self._state.secret, "\0".join(sorted(options.keys))) if options.keys else None
        return Selection.of(options, chosen)

    def waiting(self, options: PlanOptions) -> Plan | None:
        """The newest plan of these options that waits for approval."""
        return self._newest(options, self._plans.c.status == PlanStatus.WAITING.value)

    def approved(self, options: PlanOptions) -> Plan | None:
        """The newest plan of these options that was approved and whose send was interrupted.

        Changed settings end an approval: such a plan can never be sent, and must not keep a new one from being made.
        """
        is_sending = self._plans.c.status == PlanStatus.SENDING.value
        plan = self._newest(options, and_(is_sending, self._plans.c.approved_at.is_not(None)))
        return None if plan is None or self.changed_settings(plan) else plan

    def _newest(self, options: PlanOptions, condition: ColumnElement[bool]) -> Plan | None:
        mine, selection = and_(self._plans.c.sync_name == self._state.sync.name, condition), self.selection(options)
        query = select(self._plans).where(mine).order_by(self._plans.c.number.desc())
        for row in self._state.connection.execute(query).mappings().all():
            if selection_of(row) == selection and not self._has_expired(row):
                return _plan(row, self._status(row))
        return None

    def is_other_source(self) -> bool:
        """Whether the newest plan was made with another query or table."""
        plans = self._plans
        mine = and_(plans.c.sync_name == self._state.sync.name, plans.c.status != PlanStatus.DRY.value)
        newest = select(plans.c.settings).where(mine).order_by(plans.c.number.desc()).limit(1)
        before = json.loads(self._state.connection.execute(newest).scalar() or "{}").get("source")
        now = settings_version(self._state.sync, source_text(self._state.sync))["source"]
        return before is not None and before != now

    def renew(self, plan: Plan, expires_at: datetime | None) -> Plan:
        """Let a plan wait for approval until another time, since a newer plan has the same changes."""
        mine = self._plans.c.plan_id == plan.summary.plan_id
        self._state.connection.execute(self._plans.update().where(mine).values(expires_at=expires_at))
        return replace(plan, summary=replace(plan.summary, expires_at=expires_at))

    def _supersede(self, selection: Selection, plan_id: str) -> None:
        """Supersede the open plans that this one covers, and end those that have expired."""
        open_plans = self._state.connection.execute(select(self._plans).where(self._is_open())).mappings().all()
        covered = [row["plan_id"] for row in open_plans if selection.covers(selection_of(row))]
        self._end(covered, PlanStatus.SUPERSEDED, plan_id)
        expired = [row["plan_id"] for row in open_plans if self._has_expired(row)]
        self._end([plan_id for plan_id in expired if plan_id not in covered], PlanStatus.EXPIRED)

    def supersede_open(self) -> None:
        """Supersede all open plans: an adoption gives contacts to keys that they would create."""
        open_plans = self._state.connection.execute(select(self._plans.c.plan_id).where(self._is_open()))
        self._end(open_plans.scalars().all(), PlanStatus.SUPERSEDED)

    def _is_open(self) -> ColumnElement[bool]:
        """Whether a plan of this sync may still be sent or resumed."""
        open_statuses = self._plans.c.status.in_([status.value for status in _OPEN])
        return and_(self._plans.c.sync_name == self._state.sync.name, open_statuses)

    def _has_expired(self, row: RowMapping) -> bool:
        """Whether an open plan is too old to be sent, or to be resumed."""
        is_open = PlanStatus(row["status"]) in _OPEN
        return is_open and row["expires_at"] is not None and row["expires_at"] < self._state.now()

    def _status(self, row: RowMapping) -> PlanStatus:
        return PlanStatus.EXPIRED if self._has_expired(row) else PlanStatus(row["status"])

    def _end(self, plan_ids: Sequence[str], status: PlanStatus, superseded_by: str | None = None) -> None:
        ended = self._plans.update().where(self._plans.c.plan_id.in_(list(plan_ids)))
        self._state.connection.execute(ended.values(status=status.value, superseded_by=superseded_by))

    def in_use(self, count: int) -> list[str]:
        """The ids of the sync's newest plans, and of all plans that may still be sent or resumed."""
        plans, execute = self._plans, self._state.connection.execute
        mine = select(plans.c.plan_id).where(plans.c.sync_name == self._state.sync.name)
        newest = execute(mine.order_by(plans.c.number.desc()).limit(count)).scalars().all()
        open_plans = execute(select(plans.c.plan_id).where(self._is_open())).scalars().all()
        return sorted({*newest, *open_plans})

    def newest_of(self, run_ids: Sequence[str], partition: str | None = None) -> Plan | None:
        """The newest plan that one of these runs made."""
        plans = self._plans
        mine = and_(
            plans.c.sync_name == self._state.sync.name,
            plans.c.run_id.in_(list(run_ids)),
            plans.c.partition_value.is_not_distinct_from(partition),
        )
        rows = self._state.connection.execute(select(plans).where(mine).order_by(plans.c.number.desc())).mappings()
        return self._first(rows)

    def named(self, plan_id: str) -> Plan:
        """The plan with this id.

        Raises:
            UnknownPlanError: The sync has none.
        """
        plans, name = self._plans, self._state.sync.name
        mine = select(plans).where(plans.c.sync_name == name, plans.c.plan_id == plan_id)
        plan = self._first(self._state.connection.execute(mine).mappings())
        if plan is None:
            raise UnknownPlanError(
                f"sync {name!r} has no plan {plan_id!r} in this state; correct the id, or plan again"
            )
        return plan

    def _first(self, rows: MappingResult) -> Plan | None:
        row = rows.first()
        return None if row is None else _plan(row, self._status(row))

    def claim(self, plan: Plan | None, approved_by: str | None = None) -> Plan:
        """Take a plan for sending; one that was already being sent is resumed.

        A retirement of the sync ends: it is about to hold the contacts that it writes to.

        Args:
            plan: The plan.
            approved_by: Who approves it by naming its id; None without an approval.

        Raises:
            SafetyError: There is none, or it must not be sent.
        """
        name = self._state.sync.name
        if plan is None:
            raise SafetyError(f"this run has made no plan for sync {name!r}; materialize its changes first")
        summary = plan.summary
        if summary.status not in _OPEN:
            raise SafetyError(f"plan {summary.plan_id} of sync {name!r} is {self._why_closed(plan)}")
        if summary.status is PlanStatus.WAITING and approved_by is None:
            raise SafetyError(f"plan {summary.plan_id} of sync {name!r} waits for approval; send it by its id")
        changed = self.changed_settings(plan)
        if changed:
            raise SafetyError(f"plan {summary.plan_id} of sync {name!r} was made with another {changed}; plan again")
        taken = self._plans.update().where(self._plans.c.plan_id == summary.plan_id)
        now = self._state.now()
        sending: dict[str, object] = {"status": PlanStatus.SENDING.value, "sent_at": now}
        if summary.status is PlanStatus.WAITING:
            sending |= {"approved_by": approved_by, "approved_at": now}
            plan = replace(plan, summary=replace(summary, approved_by=approved_by or "", approved_at=now))
        self._state.connection.execute(taken.where(self._plans.c.status == summary.status.value).values(**sending))
        self._state.end_retirement()
        return plan

    def _why_closed(self, plan: Plan) -> str:
        """Why a plan can no longer be sent, and what to do; of a superseded one also what the newer plan has."""
        summary, newer = plan.summary, plan.superseded_by
        if summary.status is not PlanStatus.SUPERSEDED or newer is None:
            return _WHY[summary.status]
        found = self.named(newer).summary
        changes = differences(self._state, summary, found)
        return f"superseded by a newer plan: {newer} is {found.status.value}, with {changes}"

    def release(self, plan: Plan, tables: SyncTables) -> None:
        """Make a plan ready again whose send has stopped before it wrote anything, for example for a wrong token.

        It keeps the time of that send; see `resume_complete_resends`.
        """
        if plan.summary.status is not PlanStatus.READY:
            return
        changes, intents, plan_id = tables.changes, tables.intents, plan.summary.plan_id
        decided = select(changes.c.sequence).where(changes.c.plan_id == plan_id, changes.c.outcome.is_not(None))
        intended = select(intents.c.sequence).where(intents.c.plan_id == plan_id)
        if any(self._state.connection.execute(query.limit(1)).first() is not None for query in (decided, intended)):
            return
        mine = and_(self._plans.c.plan_id == plan_id, self._plans.c.status == PlanStatus.SENDING.value)
        self._state.connection.execute(self._plans.update().where(mine).values(status=PlanStatus.READY.value))

    def changed_settings(self, plan: Plan) -> str:
        """The settings that changed after a plan was made; empty if none did."""
        if plan.settings is None:
            return "version of this package"
        made_with, now = json.loads(plan.settings), settings_version(self._state.sync, source_text(self._state.sync))
        defaults = default_versions()
        before = {**{name: defaults.get(name) for name in now.keys() - made_with.keys()}, **made_with}
        return ", ".join(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))

    def check_complete(self, plan: Plan, tables: SyncTables | None, *, sent: bool = False) -> None:
        """Compare the header of a plan with its stored changes.

        Args:
            plan: The plan.
            tables: The sync's tables, None if there are none.
            sent: Count the changes that have a result only.

        Raises:
            StateError: Changes are missing; what is left of the plan must not count as the whole of it.
        """
        stored = 0
        if tables is not None:
            changes = tables.changes
            counted = [changes.c.operation.in_(sorted(each.value for each in SENT_OPERATIONS))]
            counted += [changes.c.outcome.is_not(None)] if sent else []
            mine = select(func.count()).where(changes.c.plan_id == plan.summary.plan_id, *counted)
            stored = self._state.connection.execute(mine).scalar_one()
        if stored < plan.summary.rows_to_send:
            name, planned = self._state.sync.name, plan.summary.rows_to_send
            what = "have a result" if sent else "are stored"
            raise StateError(
                f"plan {plan.summary.plan_id} of sync {name!r} has {planned} changes, "
                f"but only {stored} {what}: something else deleted rows from its table of changes; plan again"
            )

    def report_of(self, plan: Plan) -> SyncReport:
        """What the sends of a plan did together, from the run log."""
        runs = self._state.shared.runs
        mine = select(runs).where(runs.c.plan_id == plan.summary.plan_id).order_by(runs.c.finished_at)
        sends = list(map(dict, self._state.connection.execute(mine).mappings()))
        planned = planned_report(plan.summary, plan.summary.status.value)
        # The log of each send has the contacts that the plan keeps, and those that the send kept.
        shared = planned.rows_delete_skipped_shared * (1 - len(sends))
        return reduce(with_send, sends, replace(planned, rows_delete_skipped_shared=shared))

    def finish(self, plan: Plan, report: SyncReport, started_at: datetime) -> None:
        """Write the run log; a plan whose every change has a result is done."""
        if report.rows_created or report.rows_updated:
            remember_custom_fields(self._state, plan.summary.changes_by_field)
        runs, now = self._state.shared.runs, self._state.now()
        counts = {each.name: getattr(report, each.name) for each in runs.columns if each.name in report.numbers()}
        self._state.connection.execute(
            runs.insert().values(
                run_id=plan.run_id,
                plan_id=report.plan_id,
                sync_name=report.sync_name,
                partition_value=plan.partition,
                outcome=report.outcome,
                stopped_by=report.stopped_by or None,
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
    PlanStatus.EXPIRED: "older than plan_expires_hours; plan again",
}


_COPIED = (*counts_of(PlanCounts), "live_keys", "whole_source", "first_load")
"""Attributes of a header that are columns of the same name."""


def selection_of(row: RowMapping) -> Selection:
    """The rows that a stored plan looked at, from `options`, `scope` and `partition_value`."""
    stored = json.loads(row["options"])
    found = {name: stored.get(name) for name in ("limit", "keys", "chosen", "since", "undoes")}
    found["of_some_rows"] = stored.get("of_some_rows", False)
    return Selection(slices=slices_of(row), scope=Scope(row["scope"]), **found)


def slices_of(row: RowMapping) -> tuple[str, ...]:
    """The slices of a stored plan, empty for the whole source. An earlier version stored the name of one only."""
    name = row["partition_value"]
    return tuple(json.loads(row["options"] or "{}").get("slices") or ([] if name is None else [name]))


def _waiting(stored: Mapping[str, Any]) -> WaitingOptOuts:
    few = tuple(WaitingOptOut(**each) for each in stored.get("few", ()))
    return WaitingOptOuts(stored.get("to_repair", 0), few)


def _plan(row: RowMapping, status: PlanStatus) -> Plan:
    copied: dict[str, Any] = {name: row[name] or 0 for name in _COPIED}
    summary = PlanSummary(
        plan_id=row["plan_id"],
        sync_name=row["sync_name"],
        status=status,
        guards=tuple(GuardResult(**guard) for guard in json.loads(row["guards"])),
        changes_by_field=json.loads(row["changes_by_field"]),
        rejections_by_reason=json.loads(row["rejections_by_reason"]),
        new_custom_fields=tuple(json.loads(row["new_custom_fields"] or "[]")),
        fields_dropped=json.loads(row["fields_dropped"] or "{}"),
        opt_outs_waiting=_waiting(json.loads(row["opt_outs_waiting"] or "{}")),
        diff_seconds=row["diff_seconds"],
        compared=row["compared"] or "",
        compared_why=row["compared_why"] or "",
        since=json.loads(row["options"]).get("since"),
        next_checkpoint=json.loads(row["options"]).get("next_mark"),
        expires_at=row["expires_at"],
        approved_by=row["approved_by"] or "",
        approved_at=row["approved_at"],
        canary=CanaryReport.from_json(row["canary_found"]),
        canary_accepted_by=row["canary_accepted_by"] or "",
        **copied,
    )
    return Plan(
        summary,
        row["run_id"],
        row["partition_value"],
        selection_of(row),
        row["number"],
        row["settings"],
        row["superseded_by"],
    )
