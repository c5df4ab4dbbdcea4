"""Stored plans: their headers in the plans table, and the reader of their rows.

`Plans` decides which plan a run may send; `RowReader` turns rows of the changes table into changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import reduce
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, FromClause, RowMapping, and_, func, null, select

from dagster_dailystory.contacts.fingerprint import key_label, mapping_version, opaque, settings_version
from dagster_dailystory.databases.dialect import uses_indexes
from dagster_dailystory.databases.source import source_text
from dagster_dailystory.databases.sql_types import UNSUPPORTED, SqlQuery, SqlValue
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import SafetyError, StateError
from dagster_dailystory.model.change import SENT_OPERATIONS, Change, Identity, Operation
from dagster_dailystory.model.plan import GuardResult, PlanOptions, PlanStatus, PlanSummary, Selection
from dagster_dailystory.model.report import SyncReport, planned_report, with_send
from dagster_dailystory.model.sync import Mode, Nulls, Scope

CHUNK_ROWS = 2_000
"""Rows read at a time."""

_NO_VALUE = float("nan")


class RowReader:
    """Reads rows of a plan, joined with the snapshot, the contact map and the intent of their key."""

    def __init__(self, state: State, tables: SyncTables) -> None:
        self._state = state
        self._tables = tables
        self._fields = tables.sync.mapped_fields
        self._flags = [(m.state_column, differs_column(m.state_column)) for m in self._fields]

    def query(self, rows: FromClause, near: Callable[[SqlValue], ColumnElement[bool]] | None = None) -> SqlQuery:
        """Select everything that a change needs; the caller adds the WHERE and the order.

        Args:
            rows: `pending` or `changes`.
            near: Condition on the first key column of the other tables.
        """
        tables = self._tables
        snapshot, contact_map, intents = tables.snapshot, tables.contact_map, tables.intents
        known: FromClause = rows
        for other in (snapshot, contact_map, intents):
            same_key = [rows.c[key] == other.c[key] for key in tables.key_names]
            known = known.outerjoin(other, and_(*same_key, *([near(other.c[tables.key_names[0]])] if near else [])))
        is_plan = "operation" in rows.c
        return select(
            rows.c.sequence,
            *(rows.c[key] for key in tables.key_names),
            *(self._value(rows, m.state_column, keeps=m.is_custom and m.nulls is Nulls.KEEP) for m in self._fields),
            *(rows.c[flag] for _, flag in self._flags),
            rows.c.is_new,
            rows.c.replaces,
            (rows.c.operation if is_plan else null()).label("operation"),
            (rows.c.dsid if is_plan else null()).label("planned_dsid"),
            (rows.c.reactivates if is_plan else null()).label("reactivates"),
            snapshot.c.identity_email.label("old_email"),
            snapshot.c.identity_mobile.label("old_mobile"),
            (rows.c.identity_email if is_plan else null()).label("new_email"),
            (rows.c.identity_mobile if is_plan else null()).label("new_mobile"),
            snapshot.c.absent_action,
            contact_map.c.dsid.label("mapped_dsid"),
            contact_map.c.deleted_in_dailystory_at,
            intents.c.sent_at.label("intent_at"),
            intents.c.email_as_sent,
            intents.c.mobile_as_sent,
        ).select_from(known)

    def _value(self, rows: FromClause, name: str, *, keeps: bool) -> SqlValue:
        new = rows.c[name]
        if not keeps:
            return new
        return func.coalesce(new, self._tables.snapshot.c[name], type_=new.type).label(name)

    def chunks(
        self, rows: FromClause, where: ColumnElement[bool], first: int, last: int, head_rows: int = CHUNK_ROWS
    ) -> Iterator[Sequence[RowMapping]]:
        """Read rows in ranges of their sequence: no cursor stays open while the caller writes.

        Args:
            rows: `pending` or `changes`.
            where: Which of them.
            first: The lowest sequence.
            last: The highest one.
            head_rows: Rows of the first chunk; few, if they are to be sent while the next chunk is read.
        """
        for start, end in pairwise([first, *range(first + head_rows, last + 1, CHUNK_ROWS), last + 1]):
            chunk = and_(where, rows.c.sequence.between(start, end - 1))
            query = self.query(rows, self._neighbourhood(rows, chunk)).where(chunk).order_by(rows.c.sequence)
            yield self._state.connection.execute(query).mappings().all()

    def _neighbourhood(
        self, rows: FromClause, chunk: ColumnElement[bool]
    ) -> Callable[[SqlValue], ColumnElement[bool]] | None:
        """Limit the other tables to the keys of a chunk, so that a column store skips the rest of them."""
        if uses_indexes(self._state.dialect):
            return None
        key = rows.c[self._tables.key_names[0]]
        first, last = self._state.connection.execute(select(func.min(key), func.max(key)).where(chunk)).one()
        return None if first is None else lambda other: other.between(first, last)

    def key(self, row: RowMapping) -> tuple[object, ...]:
        """The row's key, in the order of the sync's key columns."""
        return tuple(row[key] for key in self._tables.key_names)

    def label(self, row: RowMapping) -> str:
        """The row's key as logs may show it."""
        return key_label(self._tables.sync, self.key(row), self._state.secret)

    def values(self, row: RowMapping) -> dict[str, object]:
        """State column -> value; a value that could not be staged is NaN, which no field accepts."""
        values = {name: row[name] for name, _ in self._flags}
        for name, value in values.items():
            if value == UNSUPPORTED:
                values[name] = _NO_VALUE
        return values

    def differing(self, row: RowMapping) -> frozenset[str]:
        """The state columns that differ."""
        return frozenset([name for name, flag in self._flags if row[flag]])

    def change(
        self, row: RowMapping, values: Mapping[str, object] | None = None, identity: Identity | None = None
    ) -> Change:
        """Turn a row into the change that the sender takes.

        Args:
            row: From `chunks`.
            values: `values(row)`, if the caller has them.
            identity: The row's identity, if the plan does not have it yet.
        """
        sync = self._tables.sync
        dsid = row["planned_dsid"] or row["mapped_dsid"]
        operation = Operation(row["operation"]) if row["operation"] else None
        if operation is None or operation in (Operation.CREATE, Operation.UPDATE):
            operation = Operation.UPDATE if dsid else Operation.CREATE
        # A create whose contact was found meanwhile updates a contact whose values are not known.
        resend_all = bool(row["replaces"]) or (bool(row["is_new"]) and dsid is not None)
        identity = identity or Identity(row["new_email"], row["new_mobile"])
        in_doubt = row["intent_at"] is not None
        return Change(
            sequence=row["sequence"],
            key_label=self.label(row),
            operation=operation,
            dsid=dsid,
            values=self.values(row) if values is None else values,
            differing=self.differing(row),
            identity=identity,
            new_identity=new_identity(row, identity) if dsid else Identity(),
            look_up_first=operation is Operation.CREATE and (in_doubt or sync.mode is not Mode.UPSERT),
            deactivated_by_us=bool(row["reactivates"]),
            absent_action=row["absent_action"],
            deleted_in_dailystory=row["deleted_in_dailystory_at"] is not None,
            resend_all=resend_all,
            email_as_sent=row["email_as_sent"],
            mobile_as_sent=row["mobile_as_sent"],
        )


def new_identity(row: RowMapping, identity: Identity) -> Identity:
    """The part of a row's identity that its contact does not have yet."""
    return Identity(
        identity.email if identity.email != row["old_email"] else None,
        identity.mobile if identity.mobile != row["old_mobile"] else None,
    )


@dataclass(frozen=True)
class Plan:
    """A stored plan.

    Attributes:
        summary: Its header.
        run_id: The run that made it.
        partition: The slice of the source, None for all of it.
        number: Its place in the order of the sync's plans.
    """

    summary: PlanSummary
    run_id: str
    partition: str | None
    number: int


class Plans:
    """Stores, claims and finishes the plans of one sync, within the caller's transaction."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._plans = state.shared.plans

    def add(self, summary: PlanSummary, options: PlanOptions, run_id: str, destination: str) -> None:
        """Store a header. Unless it is a dry run, the plan supersedes the open plans that it covers."""
        plans, state = self._plans, self._state
        chosen = opaque(state.secret, "\0".join(sorted(options.keys))) if options.keys else None
        selection = Selection.of(options, chosen)
        if summary.status is not PlanStatus.DRY:
            self._supersede(selection)
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
                diff_seconds=summary.diff_seconds,
                created_at=state.now(),
                expires_at=summary.expires_at,
                **{name: getattr(summary, name) for name in _COPIED},
            )
        )

    def _supersede(self, selection: Selection) -> None:
        """Supersede the open plans that this one covers, and end those that have expired."""
        open_plans = self._state.connection.execute(select(self._plans).where(self._is_open())).mappings().all()
        covered = [row["plan_id"] for row in open_plans if selection.covers(_selection(row))]
        self._end(covered, PlanStatus.SUPERSEDED)
        expired = [row["plan_id"] for row in open_plans if self._has_expired(row)]
        self._end([plan_id for plan_id in expired if plan_id not in covered], PlanStatus.EXPIRED)

    def _is_open(self) -> ColumnElement[bool]:
        """Whether a plan of this sync may still be sent or resumed."""
        open_statuses = self._plans.c.status.in_([PlanStatus.READY.value, PlanStatus.SENDING.value])
        return and_(self._plans.c.sync_name == self._state.sync.name, open_statuses)

    def _has_expired(self, row: RowMapping) -> bool:
        is_ready = row["status"] == PlanStatus.READY.value
        return is_ready and row["expires_at"] is not None and row["expires_at"] < self._state.now()

    def _status(self, row: RowMapping) -> PlanStatus:
        return PlanStatus.EXPIRED if self._has_expired(row) else PlanStatus(row["status"])

    def _end(self, plan_ids: Sequence[str], status: PlanStatus) -> None:
        ended = self._plans.update().where(self._plans.c.plan_id.in_(list(plan_ids)))
        self._state.connection.execute(ended.values(status=status.value))

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
        newest = rows.first()
        return None if newest is None else _plan(newest, self._status(newest))

    def claim(self, run_ids: Sequence[str], partition: str | None = None) -> Plan:
        """Take the newest plan of these runs for sending; a plan that they were already sending is resumed.

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
        settings = select(self._plans.c.settings).where(self._plans.c.plan_id == summary.plan_id)
        changed = self._changed_settings(self._state.connection.execute(settings).scalar())
        if changed:
            raise SafetyError(f"plan {summary.plan_id} of sync {name!r} was made with another {changed}; plan again")
        taken = self._plans.update().where(self._plans.c.plan_id == summary.plan_id)
        sending = {"status": PlanStatus.SENDING.value, "sent_at": self._state.now()}
        self._state.connection.execute(taken.where(self._plans.c.status == summary.status.value).values(**sending))
        return plan

    def _changed_settings(self, stored: str | None) -> str:
        """The settings that changed after a plan was made; empty if none did."""
        if stored is None:
            return "version of this package"
        made_with, now = json.loads(stored), settings_version(self._state.sync, source_text(self._state.sync))
        return ", ".join(sorted(name for name in made_with.keys() | now.keys() if made_with.get(name) != now.get(name)))

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
        sends = map(dict, self._state.connection.execute(mine).mappings())
        return reduce(with_send, sends, planned_report(plan.summary, plan.summary.status.value))

    def finish(self, plan: Plan, report: SyncReport, started_at: datetime) -> None:
        """Write the run log; a plan whose every change has a result is done."""
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
    PlanStatus.EXPIRED: "older than plan_expires_hours; plan again",
}


_COPIED = (
    "rows_read", "rows_unchanged", "rows_to_create", "rows_to_update", "rows_to_delete", "rows_rejected", "rows_held",
    "rows_delete_skipped_shared", "live_keys", "whole_source", "first_load", "opt_outs_to_send", "opt_outs_ahead",
    "opt_outs_pending",
)  # fmt: skip


def _selection(row: RowMapping) -> Selection:
    stored = json.loads(row["options"])
    found = {name: stored.get(name) for name in ("limit", "keys", "chosen", "since")}
    return Selection(partition=row["partition_value"], scope=Scope(row["scope"]), **found)


def _plan(row: RowMapping, status: PlanStatus) -> Plan:
    copied: dict[str, Any] = {name: row[name] or 0 for name in _COPIED}
    summary = PlanSummary(
        plan_id=row["plan_id"],
        sync_name=row["sync_name"],
        status=status,
        guards=tuple(GuardResult(**guard) for guard in json.loads(row["guards"])),
        changes_by_field=json.loads(row["changes_by_field"]),
        rejections_by_reason=json.loads(row["rejections_by_reason"]),
        diff_seconds=row["diff_seconds"],
        since=json.loads(row["options"]).get("since"),
        next_checkpoint=json.loads(row["options"]).get("next_mark"),
        expires_at=row["expires_at"],
        **copied,
    )
    return Plan(summary, row["run_id"], row["partition_value"], row["number"])
