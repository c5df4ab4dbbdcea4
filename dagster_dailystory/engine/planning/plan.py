"""Makes a plan: compares, checks the rows, stores the changes, counts them, and evaluates the guards. Sends nothing."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from dataclasses import dataclass, replace

from sqlalchemy import FromClause, Table, and_, case, func, select

from dagster_dailystory.databases.expressions import appended
from dagster_dailystory.databases.sql_types import SqlQuery
from dagster_dailystory.engine.planning.changes import CheckedTable, PlannedChanges, fill_rekeyed
from dagster_dailystory.engine.planning.comparison.compare import Differences, RowCounts, compare
from dagster_dailystory.engine.planning.comparison.hashes.row_hashes import RowHashes
from dagster_dailystory.engine.planning.comparison.slices import remember_slices
from dagster_dailystory.engine.planning.comparison.staged import Staged
from dagster_dailystory.engine.planning.comparison.staging import stage_source
from dagster_dailystory.engine.planning.header import PlannedCounts, header
from dagster_dailystory.engine.planning.identity_conflicts import IdentityConflicts
from dagster_dailystory.engine.planning.opt_outs.sendable import OptOuts
from dagster_dailystory.engine.planning.opt_outs.waiting import WaitingRows
from dagster_dailystory.engine.planning.row_checks import RowChecks
from dagster_dailystory.engine.presence.departures import Departures
from dagster_dailystory.engine.presence.newcomers import newcomers
from dagster_dailystory.engine.presence.source_keys import SourceKeys
from dagster_dailystory.engine.state.contact_map import contacts_of_other_syncs, deletions_of_other_syncs
from dagster_dailystory.engine.state.incremental import IncrementalRead
from dagster_dailystory.engine.state.layout.mapped_columns import ensure_tables, widen_keys
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.plans.approval import changes_only_in
from dagster_dailystory.engine.state.plans.retention import remove_old_records
from dagster_dailystory.engine.state.plans.sent_opt_outs import sent_opt_outs
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.recovery import invalidate_interrupted, resume_complete_resends
from dagster_dailystory.engine.state.rejections import CheckedRows, Rejections
from dagster_dailystory.engine.state.schema import DROPPED, SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import OPT_OUT_PRIORITY, Operation, Reason
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary
from dagster_dailystory.model.sync import DeletePolicy, OnDeleted, Scope
from dagster_dailystory.model.watermark import WatermarkValues


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
    with state.connection.begin():
        state.check_destination(destination)
        known = None if options.dry_run else state.load_tables()
        if known is not None:
            resume_complete_resends(state, known)
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
        counts = PlannedCounts()
        if staged is not None and tables is not None:
            if not options.dry_run:
                state.end_retirement()
                invalidate_interrupted(state, tables)
            counts = _Draft(plan_id, state, tables, options, SourceKeys(state, tables, warehouse_url)).write(staged)
        watermark, seconds = staged.watermark if staged else WatermarkValues(), time.perf_counter() - started
        next_checkpoint = recent.next_checkpoint(watermark.highest, options)
        summary = header(plan_id, state, options, counts, watermark, seconds, next_checkpoint)
        if tables is not None and summary.status is PlanStatus.BLOCKED and summary.opt_outs_to_send:
            unsent = sent_opt_outs(state, tables, plan_id).waiting
            summary = replace(summary, opt_outs_waiting=summary.opt_outs_waiting.joined(unsent))
        stored = summary if tables is None else _waiting_with_same_changes(state, tables, summary, options)
        if stored is summary:
            Plans(state).add(summary, options, run_id, destination)
        if tables is not None:
            remove_old_records(state, tables, is_dry=options.dry_run)
    state.database.use_read_committed(state.connection)
    return stored


def _waiting_with_same_changes(
    state: State, tables: SyncTables, summary: PlanSummary, options: PlanOptions
) -> PlanSummary:
    """The plan that waits for approval with the same changes as a new one; the new one itself if there is none.

    The older plan waits as long as the new one would. The changes of the new plan, which is not stored, are removed
    with those of old plans.
    """
    plans = Plans(state)
    waiting = plans.waiting(options) if summary.status is PlanStatus.WAITING else None
    if waiting is None or waiting.summary.rows_to_send != summary.rows_to_send or plans.changed_settings(waiting):
        return summary
    if changes_only_in(state, tables, summary.plan_id, waiting.summary.plan_id):
        return summary
    return plans.renew(waiting, summary.expires_at).summary


def checked_rows(
    state: State, tables: SyncTables, options: PlanOptions, found: Differences, source_keys: SourceKeys
) -> Table:
    """Check each row that differs, within the caller's transaction, and return the table of the results."""
    checked = CheckedTable.create(state)
    if found.counts.pending:
        state.database.index_temporary(state.connection, found.pending.name, tables.key_names, "sequence")
        RowChecks(state, tables, options).check(found.pending, checked)
        holds_deleted = tables.sync.on_deleted is OnDeleted.RESPECT and not options.retries_refused
        conflicts = IdentityConflicts(
            state, tables, found.diff, found.pending, checked, source_keys, holds_deleted=holds_deleted
        )
        conflicts.resolve()
    return checked.table


@dataclass(frozen=True)
class _Draft:
    """A plan that is being made, within one transaction."""

    plan_id: str
    state: State
    tables: SyncTables
    options: PlanOptions
    source_keys: SourceKeys

    def write(self, staged: Staged) -> PlannedCounts:
        """Compare and check the rows, store the changes, the rejections and the row hashes, and count."""
        if not self.options.dry_run:
            self._remember_slices(staged)
        found = compare(self.state, self.tables, staged, self.options)
        checked = checked_rows(self.state, self.tables, self.options, found, self.source_keys)
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
        counts = replace(
            self._count(found.counts, checked, pending, deletions),
            missing=_missing(staged, found.counts.sync_live_keys),
            comparison=staged.comparison,
        )
        few = Rejections(self.state, self.tables).few_of(rejected) if counts.rejected else ()
        return replace(counts, few_rejected=few, waiting=waiting.describe(counts.opt_outs_pending))

    def _remember_slices(self, staged: Staged) -> None:
        rows = staged.relation if staged.all_keys is None else staged.all_keys
        if self.tables.sync.partitions is not None:
            are_all = staged.rest is None and staged.since is None
            remember_slices(self.state, self.tables, rows, are_all=are_all)

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

    def _rejected(self, found: Differences, checked: Table) -> CheckedRows:
        diff = found.diff
        return CheckedRows(
            found.pending,
            checked,
            found.duplicates,
            found.counts.without_key if self.options.since is None else None,
            self._keyless_slice,
            source=diff.all_rows,
            in_scope=diff.in_scope(diff.all_rows),
            may_be_gone=diff.may_be_gone(self.tables.rejections),
        )

    @property
    def _keyless_slice(self) -> str | None:
        """The stored slice of rows without a key: NULL is the first bucket. Of a range it is the first slice."""
        slices = self.options.slices
        is_hashed = isinstance(self.tables.sync.partitions, HashBuckets)
        return None if slices is None or is_hashed else slices.names[0]

    def _count(
        self, rows: RowCounts, checked: Table, opt_outs_pending: int, deletions: SqlQuery | None
    ) -> PlannedCounts:
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
        return PlannedCounts(
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


def _missing(staged: Staged, live_keys: int) -> int:
    """The keys that must be missing: the source has fewer than the state."""
    found = None if staged.rest is None else staged.rest.keys_in_source
    return 0 if found is None else max(live_keys - found, 0)
