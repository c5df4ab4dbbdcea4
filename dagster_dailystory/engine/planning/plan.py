"""Planning: the source against the snapshot, judged, guarded and stored, before anything is sent."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from uuid import UUID

from sqlalchemy import FromClause, Table, TableClause, column, exists, func, literal, select, table

from dagster_dailystory.databases.bulk import insert_selected
from dagster_dailystory.databases.connect import use_read_committed, use_repeatable_read
from dagster_dailystory.databases.dialect import among, index_temporary
from dagster_dailystory.databases.estimates import LARGE_TABLE_ROWS, would_hash_join
from dagster_dailystory.databases.memory import give_back_memory
from dagster_dailystory.databases.row_hash import ROW_HASH
from dagster_dailystory.databases.sql_types import CreateTemporaryTableAs, SqlQuery, SqlType, Untyped
from dagster_dailystory.engine.planning.changes import CheckedTable, PlannedChanges
from dagster_dailystory.engine.planning.diff import OFFSET, Diff, field_counts
from dagster_dailystory.engine.planning.guards import GuardInputs, evaluate_guards
from dagster_dailystory.engine.planning.identity_conflicts import IdentityConflicts
from dagster_dailystory.engine.planning.key_ranges import (
    HASHED_ROWS,
    WHOLE,
    KeyRange,
    each_range,
    hashed_at_once,
    ranges_of_keys,
    ranges_of_numbers,
    rows_at_once,
    width_of,
)
from dagster_dailystory.engine.planning.row_checks import RowChecks
from dagster_dailystory.engine.planning.row_hashes import HashedRows, RowHashes
from dagster_dailystory.engine.planning.staging import Staged, stage_source
from dagster_dailystory.engine.state.incremental import IncrementalRead
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.migrations import ensure_tables
from dagster_dailystory.engine.state.plans import Plans
from dagster_dailystory.engine.state.recovery import invalidate_interrupted
from dagster_dailystory.engine.state.rejections import CheckedRows, Rejections
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.change import Operation, Reason
from dagster_dailystory.model.partitions import check_partition
from dagster_dailystory.model.plan import PlanOptions, PlanStatus, PlanSummary


@dataclass(frozen=True)
class TemporaryTables:
    """Temporary tables on the state's connection."""

    state: State

    def make(self, name: str, query: SqlQuery) -> TableClause:
        """Make a table of what a query selects."""
        give_back_memory(self.state.connection)
        full_name = self.state.location.table_name(self.state.sync.name, name)
        self.state.connection.execute(CreateTemporaryTableAs(full_name, query))
        return table(full_name, *(column(each.name, each.type) for each in query.selected_columns))

    def append(self, made: TableClause, parts: Iterable[tuple[SqlQuery, Mapping[str, object]]]) -> None:
        """Append what queries with their parameters select, one after the other."""
        for query, parameters in parts:
            give_back_memory(self.state.connection)
            names = [each.name for each in query.selected_columns]
            self.state.connection.execute(made.insert().from_select(names, query), parameters)

    def number(self, query: SqlQuery) -> int:
        """The one number that a query selects, 0 for NULL."""
        return int(self.state.connection.execute(query).scalar() or 0)


class Comparison:
    """Finds the rows that differ, and the keys that left.

    Attributes:
        diff: Its statements; without the rows that have their remembered hash, where those are left out.
        hashed: The rows that are compared, with their hashes, where those are used.
    """

    def __init__(self, scratch: TemporaryTables, diff: Diff, staged: Staged, rows_read: int) -> None:
        self.diff = diff
        self.hashed = staged.hashed
        self._scratch = scratch
        self._connection = scratch.state.connection
        self._rows_read = rows_read
        self._row_bytes = self._width(staged)
        self._at_once = rows_at_once(self._row_bytes, self._connection)
        hashes = RowHashes(scratch.state, diff.tables)
        if staged.hashed is not None and staged.narrows and hashes.are_of(staged.hashed.version):
            self._leave_out_unmoved(hashes, staged.hashed, is_stored=staged.is_stored)

    def pending(self) -> TableClause:
        """Write what was found to `pending`."""
        diff = self.diff
        if diff.joins_both_ways and self._rows_read >= LARGE_TABLE_ROWS:
            diff = replace(diff, expects_few=would_hash_join(diff.joined, self._connection))
        (query, _), *others = diff.differing(self._spans_to_compare())
        pending = self._scratch.make("pending", query)
        self._scratch.append(pending, self._numbered(pending, others))
        if diff.options.plans_deletions and not diff.joins_both_ways and not self._no_key_is_missing(pending):
            parts = diff.departed(self._spans(self._at_once.compared))
            self._scratch.append(pending, self._numbered(pending, parts))
        return pending

    def sequences(self, pending: TableClause) -> Sequence[KeyRange]:
        """The parts of `pending` that are judged and stored one after the other."""
        return ranges_of_numbers(self._highest_in(pending), self._at_once, self._connection.dialect)

    def _width(self, staged: Staged) -> float:
        """The width of the widest rows that are compared. A view is not evaluated for it where the snapshot tells."""
        known = self._width_in_snapshot(*self.diff.tables.key_names, *self.diff.tables.value_names)
        is_asked = staged.is_stored or not known
        return max(known, width_of(staged.relation, self._connection)) if is_asked else known

    def _width_in_snapshot(self, *names: str) -> float:
        snapshot = self.diff.tables.snapshot
        return width_of(select(*(snapshot.c[name] for name in names)).subquery("known"), self._connection)

    def _leave_out_unmoved(self, hashes: RowHashes, hashed: HashedRows, *, is_stored: bool) -> None:
        """Leave out the rows that have their remembered hash.

        Those of a stored relation that moved are read once more: to keep them in between takes twice the memory.
        """
        diff, keys = self.diff, self.diff.tables.key_names
        names = [*keys, ROW_HASH] if is_stored else [each.name for each in hashed.relation.c]
        spans = self._spans_to_look_up(whole_rows=not is_stored)
        (query, _), *others = each_range(spans, partial(hashes.moved, hashed.relation, names))
        moved = self._scratch.make("moved", query)
        self._scratch.append(moved, others)
        source: FromClause = moved
        if is_stored:
            have_moved = among([diff.source.c[key] for key in keys], select(*(moved.c[key] for key in keys)))
            source = select(*diff.source.c).where(have_moved).subquery("source")
        self.diff = replace(diff, source=source, present=diff.all_rows)
        self.hashed = HashedRows(moved, hashed.version)

    def _spans_to_look_up(self, *, whole_rows: bool) -> Sequence[KeyRange]:
        if self._rows_read < HASHED_ROWS:
            return [WHOLE]
        width = self._row_bytes if whole_rows else self._width_in_snapshot(*self.diff.tables.key_names)
        return self._spans(HASHED_ROWS, hashed_at_once(width, self._connection))

    def _spans_to_compare(self) -> Sequence[KeyRange]:
        if self.diff.present is None or self.hashed is None:
            return self._spans(self._at_once.compared)
        moved, key = self.hashed.relation, self.diff.tables.key_names[0]
        rows_moved = self._scratch.number(select(func.count()).select_from(moved))
        return ranges_of_keys(rows_moved, self._at_once.moved, moved, key, self._connection)

    def _spans(self, span_rows: int, if_scattered: float = 0.0) -> Sequence[KeyRange]:
        rows, key = self.diff.all_rows, self.diff.tables.key_names[0]
        return ranges_of_keys(self._rows_read, span_rows, rows, key, self._connection, if_scattered)

    def _numbered(
        self, pending: TableClause, parts: Iterable[tuple[SqlQuery, Mapping[str, object]]]
    ) -> Iterator[tuple[SqlQuery, Mapping[str, object]]]:
        """Parts that go on numbering where `pending` has got to when each of them is its turn."""
        for query, parameters in parts:
            yield query, {**parameters, OFFSET: self._highest_in(pending)}

    def _highest_in(self, pending: TableClause) -> int:
        return self._scratch.number(select(func.max(pending.c.sequence)))

    def _no_key_is_missing(self, pending: TableClause) -> bool:
        query = self.diff.no_key_is_missing(pending)
        return query is not None and bool(self._scratch.number(query))


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
        recent = IncrementalRead(state)
    options = replace(options, since=recent.since(options))
    staged = stage_source(state, lease, warehouse_url, options)
    tables = None if staged is None else ensure_tables(state, staged.key_types, staged.value_types)
    use_repeatable_read(state.connection)
    with lease.during(state):
        state.check_destination(destination, bind=not options.dry_run)
        draft = _Draft(state, options)
        if staged is not None and tables is not None:
            if not options.dry_run:
                invalidate_interrupted(state, tables)
            draft.write(staged, tables)
        next_checkpoint = recent.next_checkpoint(staged.highest if staged else None, options)
        summary = draft.summary(time.perf_counter() - started, next_checkpoint)
        Plans(state).add(summary, options, run_id, destination)
        if tables is not None:
            _forget_old_changes(state, tables)
    use_read_committed(state.connection)
    return summary


class _Draft:
    """One plan in the making, within one transaction."""

    def __init__(self, state: State, options: PlanOptions) -> None:
        self._state = state
        self._options = options
        self._scratch = TemporaryTables(state)
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
        duplicates = self._reject_duplicates(diff, pending, rows_keyed, are_unique=staged.has_unique_keys)
        self._by_reason[Reason.NULL_KEY.value] = rows_keyless
        judged = self._judge(diff, pending, sequences)
        self._store_changes(PlannedChanges(self._plan_id, tables, options, pending, judged), sequences)
        if not options.dry_run:
            Rejections(state, tables).record_local(
                CheckedRows(
                    pending,
                    judged,
                    duplicates,
                    rows_keyless if options.since is None else None,
                    source=diff.all_rows,
                    in_scope=diff.in_scope(diff.all_rows),
                    may_be_gone=diff.may_be_gone(tables.rejections),
                )
            )
            give_back_memory(state.connection)
            RowHashes(state, tables).update(comparison.hashed, pending, duplicates)
        self._count(tables, judged)

    def _judge(self, diff: Diff, pending: TableClause, sequences: Sequence[KeyRange]) -> Table:
        give_back_memory(self._state.connection)
        judged = CheckedTable.create(self._state)
        if self._rows_pending:
            index_temporary(self._state.connection, pending.name, diff.tables.key_names, "sequence")
            RowChecks(self._state, diff.tables, self._options).judge(pending, judged, sequences)
            IdentityConflicts(self._state, diff.tables, diff, pending, judged).resolve()
        return judged.table

    def _reject_duplicates(
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

    def _store_changes(self, planned: PlannedChanges, sequences: Sequence[KeyRange]) -> None:
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

    def summary(self, diff_seconds: float, next_checkpoint: str | None) -> PlanSummary:
        """Count, and let the guards judge."""
        by, sync = self._by_operation, self._state.sync
        rejected = sum(self._by_reason.values())
        creates, updates = by.get(Operation.CREATE.value, 0), by.get(Operation.UPDATE.value, 0)
        records, deletes = by.get(Operation.RECORD.value, 0), by.get(Operation.DELETE.value, 0)
        before_judging = self._by_reason[Reason.NULL_KEY.value] + self._by_reason[Reason.DUPLICATE_KEY.value]
        held = self._rows_pending - (rejected - before_judging) - creates - updates - records
        whole = self._options.plans_deletions
        figures = GuardInputs(
            self._source_is_empty, self._rows_read, updates, deletes, rejected, self._live_keys, whole
        )
        guards = evaluate_guards(sync, figures)
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
            next_checkpoint=next_checkpoint,
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
