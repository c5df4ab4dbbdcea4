"""Makes a plan: compares, checks the rows, stores the changes, counts them, and evaluates the guards. Sends nothing."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import FromClause, Table, and_, case, func, select

from dagster_dailystory.databases.expressions import appended
from dagster_dailystory.databases.sql_types import SqlQuery
from dagster_dailystory.engine.planning.changes import CheckedTable, PlannedChanges, fill_rekeyed
from dagster_dailystory.engine.planning.comparison.compare import Differences, RowCounts, compare
from dagster_dailystory.engine.planning.comparison.row_hashes import RowHashes
from dagster_dailystory.engine.planning.comparison.staging import Staged, stage_source
from dagster_dailystory.engine.planning.guards import DayInputs, GuardInputs, evaluate_guards
from dagster_dailystory.engine.planning.identity_conflicts import IdentityConflicts
from dagster_dailystory.engine.planning.opt_outs.sendable import OptOuts
from dagster_dailystory.engine.planning.opt_outs.waiting import WaitingRows
from dagster_dailystory.engine.planning.plan_history import PlanHistory
from dagster_dailystory.engine.planning.row_checks import RowChecks
from dagster_dailystory.engine.presence.departures import Departures
from dagster_dailystory.engine.presence.newcomers import newcomers
from dagster_dailystory.engine.presence.source_keys import SourceKeys
from dagster_dailystory.engine.state.contact_map import contacts_of_other_syncs, deletions_of_other_syncs
from dagster_dailystory.engine.state.incremental import IncrementalRead
from dagster_dailystory.engine.state.layout.mapped_columns import ensure_tables, widen_keys
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.plans.custom_fields import new_custom_fields
from dagster_dailystory.engine.state.plans.sent_opt_outs import sent_opt_outs
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.recovery import invalidate_interrupted, resume_complete_resends
from dagster_dailystory.engine.state.rejections import CheckedRows, Rejections
from dagster_dailystory.engine.state.schema import DROPPED, SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import OPT_OUT_PRIORITY, Operation, Reason, WaitingOptOuts
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.partitions import check_partition
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary, RejectedRow
from dagster_dailystory.model.sync import DeletePolicy, Mode, OnDeleted, Scope
from dagster_dailystory.model.watermark import WatermarkValues

KEPT_PLANS = 5
"""How many of a sync's newest plans keep their changes (personal data), besides plans that may still be sent."""


def make_plan(
    state: State, lease: Lease, warehouse_url: str, options: PlanOptions, run_id: str, destination: str
) -> PlanSummary:
    """Compare the source with the snapshot, and store the changes as a plan.

    Raises:
        BusyError: Another run took over the lease; nothing was stored.
        ConfigurationError: A column or a key cannot be found.
        StateError: The state belongs to another key or destination.
        WarehouseError: The warehouse or the state refused a statement; nothing was stored.
    """
    started = time.perf_counter()
    check_partition(state.sync.partitions, options.partition)
    with state.connection.begin():
        state.check_destination(destination)
        stored = None if options.dry_run else state.load_tables()
        if stored is not None:
            resume_complete_resends(state, stored)
        recent = IncrementalRead(state)
    staged = stage_source(state, lease, warehouse_url, options, recent)
    if staged is not None:
        options = replace(options, since=staged.since)
        widen_keys(state, staged.widened_keys)
    tables = None if staged is None else ensure_tables(state, staged.key_types, staged.value_types)
    if not options.dry_run:
        state.bind_destination(destination)
    state.database.use_repeatable_read(state.connection)
    with lease.during(state):
        state.check_destination(destination)
        plan_id = f"{state.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}"
        counts = _PlanCounts()
        if staged is not None and tables is not None:
            if not options.dry_run:
                state.end_retirement()
                invalidate_interrupted(state, tables)
            counts = _Draft(plan_id, state, tables, options, SourceKeys(state, tables, warehouse_url)).write(staged)
        watermark = staged.watermark if staged else WatermarkValues()
        next_checkpoint = recent.next_checkpoint(watermark.highest, options)
        seconds = time.perf_counter() - started
        summary = _summary(plan_id, state, options, counts, watermark, seconds, next_checkpoint)
        if tables is not None and summary.status is PlanStatus.BLOCKED and summary.opt_outs_to_send:
            unsent = sent_opt_outs(state, tables, plan_id).waiting
            summary = replace(summary, opt_outs_waiting=summary.opt_outs_waiting.joined(unsent))
        Plans(state).add(summary, options, run_id, destination)
        if tables is not None:
            _forget_old_changes(state, tables)
    state.database.use_read_committed(state.connection)
    return summary


@dataclass(frozen=True)
class _PlanCounts:
    """The counts of a plan. The defaults are those of a source that never had a row.

    Attributes:
        rows: The counts of the comparison.
        by_operation: Operation -> stored changes.
        by_field: Field -> creates and updates in which it differs.
        by_reason: Reason -> rejected rows.
        dropped: Field -> reason -> values that are left out of their rows.
        opt_outs_to_send: Contacts that opt out.
        opt_outs_pending: Rows whose opt-out has no contact to be sent to.
        sync_deletions: Contacts to be deleted or deactivated in the whole sync, whatever the slice.
        shared: Contacts of missing keys that are kept, because another sync holds them.
        few_rejected: A few rejected rows of each reason.
        waiting: A few of the rows whose opt-out has no contact.
    """

    rows: RowCounts = RowCounts()  # noqa: RUF009  # frozen
    by_operation: Mapping[str, int] = field(default_factory=dict)
    by_field: Mapping[str, int] = field(default_factory=dict)
    by_reason: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    opt_outs_to_send: int = 0
    opt_outs_pending: int = 0
    sync_deletions: int = 0
    shared: int = 0
    few_rejected: tuple[RejectedRow, ...] = ()
    waiting: WaitingOptOuts = WaitingOptOuts()  # noqa: RUF009  # frozen

    def changes(self, operation: Operation) -> int:
        """How many changes of this operation are stored."""
        return self.by_operation.get(operation.value, 0)

    @property
    def rejected(self) -> int:
        """How many rows are rejected."""
        return sum(self.by_reason.values())

    @property
    def held(self) -> int:
        """How many rows that differ became neither a change nor a rejection: held rows, and rows beyond `limit`."""
        rejected_by_checks = self.rejected - self.rows.without_key - self.rows.duplicates
        changes = sum(map(self.changes, (Operation.CREATE, Operation.UPDATE, Operation.RECORD)))
        return self.rows.pending - rejected_by_checks - changes


@dataclass(frozen=True)
class _Draft:
    """A plan that is being made, within one transaction."""

    plan_id: str
    state: State
    tables: SyncTables
    options: PlanOptions
    source_keys: SourceKeys

    def write(self, staged: Staged) -> _PlanCounts:
        """Compare and check the rows, store the changes, the rejections and the row hashes, and count."""
        found = compare(self.state, self.tables, staged, self.options)
        checked = self._check(found)
        departures = self._departures(staged, found, checked)
        planned = PlannedChanges(self.plan_id, self.tables, self.options, found.pending, checked, departures)
        for query in planned.queries():
            self.state.connection.execute(appended(self.tables.changes, query))
        fill_rekeyed(self.state, self.tables, self.plan_id)
        opt_outs = OptOuts(self.plan_id, self.state, found, checked, staged.relation)
        opt_outs.store()
        waiting = WaitingRows(opt_outs)
        rejected = self._rejected(found, checked)
        if not self.options.dry_run and self.options.scope is not Scope.OPT_OUTS:
            Rejections(self.state, self.tables).record_local(rejected)
            waiting.mark()
            row_hashes = RowHashes(self.state, self.tables)
            if self.source_keys.is_inside:
                row_hashes.clear()
            else:
                row_hashes.update(found.hashed, found.pending, found.duplicates)
        deletions = departures.deletions() if self.options.plans_deletions else None
        pending = waiting.count()
        if not self.options.dry_run and self.options.plans_deletions:
            waiting.remember(pending)
        counts = self._count(found.counts, checked, pending, deletions)
        few = Rejections(self.state, self.tables).few_of(rejected) if counts.rejected else ()
        return replace(counts, few_rejected=few, waiting=waiting.describe(counts.opt_outs_pending))

    def _departures(self, staged: Staged, found: Differences, checked: Table) -> Departures:
        """Find out who of the missing keys is in the source under another key, in whichever slice."""
        counts, pending, sync = found.counts, found.pending, self.tables.sync
        has_unchecked = self.options.partition is not None or counts.duplicates or counts.without_key
        new = shared = None
        deleted: tuple[FromClause, ...] = ()
        if sync.deletes is not DeletePolicy.KEEP and counts.missing_keys:
            if has_unchecked:
                new = newcomers(self.state, self.tables, staged.relation, pending)
            shared, deleted = contacts_of_other_syncs(self.state), deletions_of_other_syncs(self.state)
        return Departures(self.tables, pending, checked, found.diff.in_partition(pending), new, shared, deleted)

    def _check(self, found: Differences) -> Table:
        """Check each row that differs, and return the table of the results."""
        connection = self.state.connection
        checked = CheckedTable.create(self.state)
        if found.counts.pending:
            self.state.database.index_temporary(connection, found.pending.name, self.tables.key_names, "sequence")
            RowChecks(self.state, self.tables, self.options).check(found.pending, checked)
            diff, pending = found.diff, found.pending
            holds_deleted = self.tables.sync.on_deleted is OnDeleted.RESPECT and not self.options.retries_refused
            conflicts = IdentityConflicts(
                self.state, self.tables, diff, pending, checked, self.source_keys, holds_deleted=holds_deleted
            )
            conflicts.resolve()
        return checked.table

    def _rejected(self, found: Differences, checked: Table) -> CheckedRows:
        diff = found.diff
        return CheckedRows(
            found.pending,
            checked,
            found.duplicates,
            found.counts.without_key if self.options.since is None else None,
            source=diff.all_rows,
            in_scope=diff.in_scope(diff.all_rows),
            may_be_gone=diff.may_be_gone(self.tables.rejections),
        )

    def _count(self, rows: RowCounts, checked: Table, opt_outs_pending: int, deletions: SqlQuery | None) -> _PlanCounts:
        changes, execute = self.tables.changes, self.state.connection.execute
        mine = changes.c.plan_id == self.plan_id
        operations = select(changes.c.operation, func.count()).where(mine).group_by(changes.c.operation)
        by_operation = {operation: int(n) for operation, n in execute(operations)}
        sent = changes.c.operation.in_([Operation.CREATE.value, Operation.UPDATE.value])
        flags = [changes.c[differs_column(m.state_column)] for m in self.tables.sync.mapped_fields]
        differing = [func.coalesce(func.sum(case((flag, 1), else_=0)), 0) for flag in flags]
        per_field = execute(select(*differing).where(mine, sent)).one()
        fields = zip(self.tables.sync.mapped_fields, per_field, strict=True)
        by_field = {m.name: int(n) for m, n in fields if n and m.kind is not FieldKind.REGION}
        reasons = select(checked.c.reason, func.count()).where(checked.c.reason.is_not(None)).group_by(checked.c.reason)
        by_reason = Counter({Reason.DUPLICATE_KEY.value: rows.duplicates, Reason.NULL_KEY.value: rows.without_key})
        by_reason.update({reason: int(n) for reason, n in execute(reasons)})
        opts_out = and_(
            changes.c.priority == OPT_OUT_PRIORITY,
            changes.c.operation.in_([Operation.UPDATE.value, Operation.OPT_OUT.value]),
        )
        to_send = int(execute(select(func.count()).where(mine, opts_out)).scalar_one())
        is_shared = changes.c.reason == Reason.SHARED_DSID.value
        shared = int(execute(select(func.count()).select_from(changes).where(mine, is_shared)).scalar_one())
        sync_deletions = 0 if deletions is None else int(execute(deletions).scalar_one())
        dropped = self._count_dropped(checked)
        return _PlanCounts(
            rows, by_operation, by_field, by_reason, dropped, to_send, opt_outs_pending, sync_deletions, shared
        )

    def _count_dropped(self, checked: Table) -> dict[str, dict[str, int]]:
        """Count the dropped values by field and reason."""
        counts: dict[str, dict[str, int]] = {}
        names = {m.state_column: m.name for m in self.tables.sync.sent_fields if m.drops_invalid}
        if not names:
            return counts
        dropped = checked.c[DROPPED]
        found = select(dropped, func.count()).where(dropped.is_not(None), checked.c.reason.is_(None)).group_by(dropped)
        for text, rows in self.state.connection.execute(found):
            for name, reason in json.loads(text).items():
                if name not in names:
                    continue
                by_reason = counts.setdefault(names[name], {})
                by_reason[reason] = by_reason.get(reason, 0) + int(rows)
        return counts


def _summary(
    plan_id: str,
    state: State,
    options: PlanOptions,
    counts: _PlanCounts,
    watermark: WatermarkValues,
    seconds: float,
    next_checkpoint: str | None,
) -> PlanSummary:
    """Evaluate the guards, and build the header of the plan."""
    inputs = _guard_inputs(state, options, counts)
    guards = evaluate_guards(state.sync, inputs, _day_inputs(state, options, inputs))
    status = PlanStatus.READY if all(guard.passed for guard in guards) else PlanStatus.BLOCKED
    rows_to_write = counts.changes(Operation.CREATE) + counts.changes(Operation.UPDATE)
    return PlanSummary(
        plan_id=plan_id,
        sync_name=state.sync.name,
        status=PlanStatus.DRY if options.dry_run else status,
        guards=guards,
        whole_source=options.plans_all_creates(rows_to_write),
        first_load=inputs.first_load,
        changes_by_field=counts.by_field,
        rejections_by_reason={reason: n for reason, n in counts.by_reason.items() if n},
        new_custom_fields=new_custom_fields(state),
        fields_dropped=counts.dropped,
        rejected_rows=counts.few_rejected,
        opt_outs_waiting=counts.waiting,
        diff_seconds=seconds,
        since=None if options.since is None else options.since.isoformat(),
        next_checkpoint=next_checkpoint,
        rows_in_future=watermark.rows_in_future,
        rows_without_watermark=watermark.rows_null,
        expires_at=state.now() + timedelta(hours=state.sync.plan_expires_hours),
        **_numbers(counts, options),
    )


def _numbers(counts: _PlanCounts, options: PlanOptions) -> dict[str, Any]:
    """The counts of a plan by their names in its header."""
    rows, creates, updates = counts.rows, counts.changes(Operation.CREATE), counts.changes(Operation.UPDATE)
    held = 0 if options.scope is Scope.OPT_OUTS else counts.held  # it looks at the opt-outs of a row only
    return {
        "rows_read": rows.read,
        "rows_unchanged": rows.read - creates - updates - counts.rejected - held,
        "rows_to_create": creates,
        "rows_to_update": updates,
        "rows_rejected": counts.rejected,
        "rows_held": held,
        "rows_to_delete": counts.changes(Operation.DELETE),
        "rows_delete_skipped_shared": counts.shared,
        "live_keys": rows.sync_live_keys,
        "keys_not_found": rows.keys_not_found,
        "opt_outs_to_send": counts.opt_outs_to_send,
        "opt_outs_ahead": counts.changes(Operation.OPT_OUT),
        "opt_outs_pending": counts.opt_outs_pending,
    }


def _guard_inputs(state: State, options: PlanOptions, counts: _PlanCounts) -> GuardInputs:
    rows = counts.rows
    return GuardInputs(
        source_is_empty=rows.source_is_empty,
        rows_read=rows.read,
        rows_created=0 if state.sync.mode is Mode.UPDATE else counts.changes(Operation.CREATE),
        rows_updated=counts.changes(Operation.UPDATE),
        rows_deleted=counts.sync_deletions,
        rows_opted_out=counts.opt_outs_to_send,
        rows_rejected=0 if options.scope is Scope.OPT_OUTS else counts.rejected,
        live_keys=rows.live_keys,
        sync_live_keys=rows.sync_live_keys,
        whole_source=options.plans_deletions,
        first_load=PlanHistory(state).is_first_load(),
    )


def _day_inputs(state: State, options: PlanOptions, plan: GuardInputs) -> DayInputs | None:
    """The counts of the sync within a day, for the plan of a slice; None for the whole source."""
    if options.partition is None:
        return None
    day = PlanHistory(state).within_a_day(options.partition)
    creates = state.sync.mode is not Mode.UPDATE
    return DayInputs(
        rows_read=plan.rows_read + day.rows_read,
        rows_created=plan.rows_created + day.rows_created * creates,
        rows_created_after_first_load=plan.rows_created + day.rows_created_after_first_load * creates,
        rows_updated=plan.rows_updated + day.rows_updated,
        rows_opted_out=plan.rows_opted_out + day.rows_opted_out,
        rows_rejected=plan.rows_rejected + day.rows_rejected,
        live_keys=max(plan.sync_live_keys - day.contacts_added, 0),
    )


def _forget_old_changes(state: State, tables: SyncTables) -> None:
    kept = Plans(state).in_use(KEPT_PLANS)
    state.connection.execute(tables.changes.delete().where(tables.changes.c.plan_id.not_in(kept)))
