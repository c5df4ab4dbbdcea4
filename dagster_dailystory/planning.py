"""Planning: the source against the snapshot, judged, guarded and stored, before anything is sent."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import FromClause, Table, TableClause, exists, func, literal, select

from dagster_dailystory.bulk import insert_selected
from dagster_dailystory.change import Operation, Reason
from dagster_dailystory.comparison import Comparison
from dagster_dailystory.dialect import SqlType, Untyped, index_temporary
from dagster_dailystory.diff import Diff, field_counts
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.guards import Figures, judge_guards
from dagster_dailystory.identities import Identities
from dagster_dailystory.judge import Judge, JudgedTable
from dagster_dailystory.layout import lay_out
from dagster_dailystory.lease import Lease
from dagster_dailystory.memory import give_back_memory
from dagster_dailystory.model import PlanOptions
from dagster_dailystory.partitions import check_partition
from dagster_dailystory.planned import PlannedChanges
from dagster_dailystory.plans import Plans
from dagster_dailystory.recent import Recent
from dagster_dailystory.rejections import Rejections
from dagster_dailystory.report import PlanStatus, PlanSummary
from dagster_dailystory.row_hashes import RowHashes
from dagster_dailystory.scratch import Scratch
from dagster_dailystory.spans import Span
from dagster_dailystory.staging import Staged, stage_source
from dagster_dailystory.state import State
from dagster_dailystory.tables import SyncTables
from dagster_dailystory.unanswered import forget_interrupted
from dagster_dailystory.warehouse import read_latest, read_one_moment

KEPT_PLANS = 5
"""How many plans of a sync keep their changes, which hold personal data, besides those still being sent."""


def make_plan(
    state: State, lease: Lease, warehouse_url: str, options: PlanOptions, run_id: str, destination: str
) -> PlanSummary:
    """Compare the source with the snapshot and store what is to be done.

    Raises:
        BusyError: Another run took the lease over meanwhile; nothing was stored.
        ConfigurationError: A column or a key cannot be found.
        StateError: The state belongs to another key or destination.
        WarehouseError: The warehouse or the state refused; nothing was stored.
    """
    started = time.perf_counter()
    check_partition(state.sync.partitions, options.partition)
    with state.connection.begin():
        state.check_destination(destination, bind=False)
        recent = Recent(state)
    options = replace(options, since=recent.since(options))
    staged = stage_source(state, lease, warehouse_url, options)
    tables = None if staged is None else lay_out(state, staged.key_types, staged.value_types)
    read_one_moment(state.connection)
    with lease.during(state):
        state.check_destination(destination, bind=not options.dry_run)
        draft = _Draft(state, options)
        if staged is not None and tables is not None:
            if not options.dry_run:
                forget_interrupted(state, tables)
            draft.write(staged, tables)
        next_mark = recent.next_mark(staged.highest if staged else None, options)
        summary = draft.summary(time.perf_counter() - started, next_mark)
        Plans(state).add(summary, options, run_id, destination)
        if tables is not None:
            _forget_old_changes(state, tables)
    read_latest(state.connection)
    return summary


class _Draft:
    """One plan in the making, within one transaction."""

    def __init__(self, state: State, options: PlanOptions) -> None:
        self._state = state
        self._options = options
        self._scratch = Scratch(state)
        self._plan_id = f"{state.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}"  # sorts by time
        self._rows_read = self._live_keys = 0
        self._by_operation: Mapping[str, int] = {}
        self._by_field: Mapping[str, int] = {}
        self._by_reason: Counter[str] = Counter()
        self._rows_pending = 0
        self._source_is_empty = True

    def write(self, staged: Staged, tables: SyncTables) -> None:
        """Diff, judge, and write the changes and the rejections."""
        state, options = self._state, self._options
        keys = [each for key in options.keys for each in _typed_keys(key, staged.key_types)]
        diff = Diff(staged.relation, tables, options, state.dialect, keys, staged.present)
        self._rows_read, rows_keyed = map(int, state.connection.execute(diff.row_counts()).one())
        comparison = Comparison(self._scratch, diff, staged, self._rows_read)
        diff = comparison.diff
        anything = select(literal(1)).select_from(diff.all_rows)
        self._source_is_empty = not self._rows_read and not self._scratch.number(anything)
        pending = comparison.pending()
        sequences = comparison.sequences(pending)
        rows_keyless = self._rows_read - rows_keyed
        duplicates = self._set_duplicates_aside(diff, pending, rows_keyed, are_unique=staged.has_unique_keys)
        self._by_reason[Reason.NULL_KEY.value] = rows_keyless
        judged = self._judge(diff, pending, sequences)
        self._store_changes(PlannedChanges(self._plan_id, tables, options, pending, judged), sequences)
        if not options.dry_run:
            Rejections(state, tables).record_local(pending, judged, duplicates, rows_keyless, diff)
            give_back_memory(state.connection)
            RowHashes(state, tables).update(comparison.hashed, pending, duplicates)
        self._count(tables, judged)

    def _judge(self, diff: Diff, pending: TableClause, sequences: Sequence[Span]) -> Table:
        give_back_memory(self._state.connection)
        judged = JudgedTable.create(self._state)
        if self._rows_pending:
            index_temporary(self._state.connection, pending.name, diff.tables.key_names, "sequence")
            Judge(self._state, diff.tables, self._options).judge(pending, judged, sequences)
            Identities(self._state, diff.tables, diff, pending, judged).resolve()
        return judged.table

    def _set_duplicates_aside(
        self, diff: Diff, pending: TableClause, rows_keyed: int, *, are_unique: bool
    ) -> TableClause | None:
        """Find the keys that several rows have and take them out of `pending`.

        They are looked for only where neither the database nor the counts rule them out: more rows match the snapshot
        than its keys are matched, or a key is in `pending` twice.
        """
        execute = self._state.connection.execute
        rows_new, rows_returning, keys_departed = self._count_pending(diff, pending)
        if are_unique and diff.counts_matches:
            self._live_keys = rows_keyed - rows_new - rows_returning + keys_departed
            each_matches_once = True
        else:
            known, absent, self._live_keys = map(int, execute(diff.snapshot_counts()).one())
            keys_matched = known - keys_departed - (absent - rows_returning)
            each_matches_once = diff.counts_matches and rows_keyed - rows_new == keys_matched
        if each_matches_once and execute(diff.doubled(pending).limit(1)).first() is None:
            return None
        duplicates = self._scratch.make("duplicates", diff.duplicate_keys())
        rows_doubled = self._scratch.number(select(func.coalesce(func.sum(duplicates.c.source_rows), 0)))
        if rows_doubled:
            self._by_reason[Reason.DUPLICATE_KEY.value] = rows_doubled
            execute(pending.delete().where(exists().where(diff.tables.same_key(duplicates, pending))))
            self._count_pending(diff, pending)
        return duplicates

    def _count_pending(self, diff: Diff, pending: TableClause) -> tuple[int, int, int]:
        counts = map(int, self._state.connection.execute(diff.pending_counts(pending)).one())
        self._rows_pending, rows_new, rows_returning, keys_departed = counts
        return rows_new, rows_returning, keys_departed

    def _store_changes(self, planned: PlannedChanges, sequences: Sequence[Span]) -> None:
        for query, parameters in planned.parts(sequences):
            insert_selected(self._state.connection, planned.tables.changes, query, parameters)

    def _count(self, tables: SyncTables, judged: FromClause) -> None:
        changes, execute = tables.changes, self._state.connection.execute
        mine = changes.c.plan_id == self._plan_id
        operations = select(changes.c.operation, func.count()).where(mine).group_by(changes.c.operation)
        self._by_operation = {operation: int(rows) for operation, rows in execute(operations)}
        sent = changes.c.operation.in_([Operation.CREATE.value, Operation.UPDATE.value])
        counts = execute(field_counts(changes, tables).where(mine, sent)).one()
        self._by_field = {m.name: int(n) for m, n in zip(tables.sync.mapped_fields, counts, strict=True) if n}
        reasons = select(judged.c.reason, func.count()).where(judged.c.reason.is_not(None)).group_by(judged.c.reason)
        self._by_reason.update({reason: int(rows) for reason, rows in execute(reasons)})

    def summary(self, diff_seconds: float, next_mark: str | None) -> PlanSummary:
        """Count, and let the guards judge."""
        by, sync = self._by_operation, self._state.sync
        rejected = sum(self._by_reason.values())
        creates, updates = by.get(Operation.CREATE.value, 0), by.get(Operation.UPDATE.value, 0)
        records, deletes = by.get(Operation.RECORD.value, 0), by.get(Operation.DELETE.value, 0)
        before_judging = self._by_reason[Reason.NULL_KEY.value] + self._by_reason[Reason.DUPLICATE_KEY.value]
        held = self._rows_pending - (rejected - before_judging) - creates - updates - records
        whole = self._options.plans_deletions
        figures = Figures(self._source_is_empty, self._rows_read, updates, deletes, rejected, self._live_keys, whole)
        guards = judge_guards(sync, figures)
        status = PlanStatus.READY if all(guard.passed for guard in guards) else PlanStatus.BLOCKED
        return PlanSummary(
            plan_id=self._plan_id,
            sync_name=sync.name,
            status=PlanStatus.DRY if self._options.dry_run else status,
            guards=guards,
            rows_read=self._rows_read,
            rows_unchanged=self._rows_read - creates - updates - rejected - held,
            rows_to_create=creates,
            rows_to_update=updates,
            rows_rejected=rejected,
            rows_held=held,
            rows_to_delete=deletes,
            changes_by_field=self._by_field,
            rejections_by_reason={reason: n for reason, n in self._by_reason.items() if n},
            diff_seconds=diff_seconds,
            since=None if self._options.since is None else self._options.since.isoformat(),
            next_mark=next_mark,
        )


def _forget_old_changes(state: State, tables: SyncTables) -> None:
    kept = Plans(state).in_use(KEPT_PLANS)
    state.connection.execute(tables.changes.delete().where(tables.changes.c.plan_id.not_in(kept)))


def _typed_keys(written: str, key_types: Mapping[str, SqlType]) -> list[dict[str, object]]:
    """The key that a person wrote as `a|b`, as the values that the key columns may hold."""
    parts = written.split("|") if len(key_types) > 1 else [written]
    if len(parts) != len(key_types):
        raise ConfigurationError(f"a key of this sync has {len(key_types)} parts, written as a|b")
    possible: list[dict[str, object]] = [{}]
    for (name, kind), part in zip(key_types.items(), parts, strict=True):
        possible = [{**some, name: value} for some in possible for value in _readings(part.strip(), kind, name)]
    return possible


_READERS: Mapping[type, Callable[[str], object]] = {
    int: int,
    Decimal: Decimal,
    UUID: UUID,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
}


def _readings(part: str, kind: SqlType, name: str) -> list[object]:
    if isinstance(kind, Untyped):
        return [int(part), part] if part.lstrip("-").isdigit() else [part]
    reader = _READERS.get(kind.python_type)
    try:
        return [part if reader is None else reader(part)]
    except (ValueError, ArithmeticError):
        raise ConfigurationError(f"a key's {name!r} must be a {kind.python_type.__name__}") from None
