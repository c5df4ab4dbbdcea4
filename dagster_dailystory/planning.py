"""Planning: the source against the snapshot, judged, guarded and stored, before anything is sent."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    FromClause,
    TableClause,
    and_,
    case,
    column,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    table,
)

from dagster_dailystory.change import Operation, Reason
from dagster_dailystory.dialect import (
    BIG_INTEGER,
    TEXT,
    CreateTemporaryTableAs,
    SqlQuery,
    SqlType,
    Untyped,
    index_temporary,
)
from dagster_dailystory.diff import WHOLE, Diff, Span, field_counts
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.guards import Figures, judge_guards
from dagster_dailystory.identities import Identities
from dagster_dailystory.judge import Judge, JudgedTable
from dagster_dailystory.layout import lay_out
from dagster_dailystory.lease import Lease
from dagster_dailystory.model import Deletes, Mode, PlanOptions
from dagster_dailystory.partitions import PARTITION_VALUE, check_partition
from dagster_dailystory.plans import Plans
from dagster_dailystory.rejections import Rejections
from dagster_dailystory.report import PlanStatus, PlanSummary
from dagster_dailystory.staging import Staged, stage_source
from dagster_dailystory.state import State
from dagster_dailystory.tables import SyncTables, differs_column
from dagster_dailystory.warehouse import read_latest, read_one_moment

DELETION_PRIORITY = 1_000_000
"""Deletions are sent when everything else has been."""

SPAN_ROWS, SAMPLES_PER_SPAN = 250_000, 250
"""So many rows of twenty columns are joined within 200 MB by DuckDB, at the speed of the whole."""

KEPT_PLANS = 5
"""How many plans of a sync keep their changes, which hold personal data."""


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
    staged = stage_source(state, lease, warehouse_url)
    tables = None if staged is None else lay_out(state, staged.key_types, staged.value_types)
    read_one_moment(state.connection)
    with lease.during(state):
        state.check_destination(destination, bind=not options.dry_run)
        draft = _Draft(state, options)
        if staged is not None and tables is not None:
            draft.write(staged, tables)
        summary = draft.summary(time.perf_counter() - started)
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
        self._plan_id = f"{state.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}"  # sorts by time
        self._rows_read = self._live_keys = self._last_sequence = 0
        self._by_operation: Mapping[str, int] = {}
        self._by_field: Mapping[str, int] = {}
        self._by_reason: Counter[str] = Counter()
        self._rows_pending = 0
        self._source_is_empty = True

    def write(self, staged: Staged, tables: SyncTables) -> None:
        """Diff, judge, and write the changes and the rejections."""
        state, options = self._state, self._options
        keys = [each for key in options.keys for each in _typed_keys(key, staged.key_types)]
        diff = Diff(staged.relation, tables, options, state.dialect, keys)
        self._rows_read, rows_keyless = map(int, state.connection.execute(diff.row_counts()).one())
        self._source_is_empty = not self._rows_read and not self._scalar(select(literal(1)).select_from(diff.source))
        pending = self._write_pending(diff)
        duplicates = self._set_duplicates_aside(diff, pending, self._rows_read - rows_keyless)
        self._by_reason[Reason.NULL_KEY.value] = rows_keyless
        index_temporary(state.connection, pending.name, tables.key_names, "sequence")
        judged = JudgedTable.create(state)
        Judge(state, tables, options).judge(pending, judged, self._last_sequence)
        Identities(state, tables, diff, pending, judged).resolve()
        self._store_changes(tables, pending, judged.table)
        if not options.dry_run:
            Rejections(state, tables).record_local(pending, judged.table, duplicates, rows_keyless, diff)
        self._count(tables, judged.table)

    def _write_pending(self, diff: Diff) -> TableClause:
        first, *others = diff.queries(self._spans(diff))
        pending = self._temporary("pending", first(0))
        highest = select(func.coalesce(func.max(pending.c.sequence), 0))
        for part in others:
            query = part(self._scalar(highest))
            names = [each.name for each in query.selected_columns]
            self._state.connection.execute(pending.insert().from_select(names, query))
        return pending

    def _set_duplicates_aside(self, diff: Diff, pending: TableClause, rows_keyed: int) -> TableClause | None:
        """Find the keys that several rows have and take them out of `pending`.

        They are looked for only where the counts do not rule them out: more rows match the snapshot than its keys are
        matched, or a key is in `pending` twice.
        """
        execute = self._state.connection.execute
        known, absent, self._live_keys = map(int, execute(diff.snapshot_counts()).one())
        rows_new, rows_returning, keys_departed = self._count_pending(diff, pending)
        keys_matched = known - keys_departed - (absent - rows_returning)
        each_matches_once = diff.counts_matches and rows_keyed - rows_new == keys_matched
        if each_matches_once and execute(diff.doubled(pending).limit(1)).first() is None:
            return None
        duplicates = self._temporary("duplicates", diff.duplicate_keys())
        rows_doubled = self._scalar(select(func.coalesce(func.sum(duplicates.c.source_rows), 0)))
        if rows_doubled:
            self._by_reason[Reason.DUPLICATE_KEY.value] = rows_doubled
            execute(pending.delete().where(exists().where(diff.same_key(duplicates, pending))))
            self._count_pending(diff, pending)
        return duplicates

    def _count_pending(self, diff: Diff, pending: TableClause) -> tuple[int, int, int]:
        counts = map(int, self._state.connection.execute(diff.pending_counts(pending)).one())
        self._last_sequence, self._rows_pending, rows_new, rows_returning, keys_departed = counts
        return rows_new, rows_returning, keys_departed

    def _spans(self, diff: Diff) -> list[Span]:
        """Parts of the key that DuckDB joins one after the other, so that memory does not grow with the table."""
        count = self._rows_read // SPAN_ROWS + 1
        if diff.dialect.name != "duckdb" or count == 1:
            return [WHOLE]
        sample = self._state.connection.execute(diff.key_sample(SPAN_ROWS // SAMPLES_PER_SPAN)).scalars().all()
        bounds = sorted({sample[len(sample) * number // count] for number in range(1, count)}) if sample else []
        return [Span(first, end) for first, end in zip([None, *bounds], [*bounds, None], strict=True)]

    def _temporary(self, name: str, query: SqlQuery) -> TableClause:
        full_name = self._state.location.table_name(self._state.sync.name, name)
        self._state.connection.execute(CreateTemporaryTableAs(full_name, query))
        return table(full_name, *(column(each.name, each.type) for each in query.selected_columns))

    def _scalar(self, query: SqlQuery) -> int:
        return int(self._state.connection.execute(query).scalar() or 0)

    def _store_changes(self, tables: SyncTables, pending: FromClause, judged: FromClause) -> None:
        self._insert(tables, self._sendable(tables, pending, judged))
        if self._options.plans_deletions:
            self._insert(tables, self._departures(tables, pending, judged))

    def _insert(self, tables: SyncTables, query: SqlQuery) -> None:
        names = [each.name for each in query.selected_columns]
        self._state.connection.execute(tables.changes.insert().from_select(names, query))

    def _sendable(self, tables: SyncTables, pending: FromClause, judged: FromClause) -> SqlQuery:
        values = [m.state_column for m in tables.sync.mapped_fields]
        copied = (
            "operation",
            "identity_email",
            "identity_mobile",
            "identity_changed",
            "dsid",
            "rekeyed",
            "reactivates",
        )
        query = (
            select(
                literal(self._plan_id, TEXT).label("plan_id"),
                *(pending.c[name] for name in ("sequence", *tables.key_names, *values, *map(differs_column, values))),
                *([pending.c[PARTITION_VALUE]] if tables.sync.partition_column else []),
                pending.c.is_new,
                or_(pending.c.replaces, func.coalesce(judged.c.rekeyed, False)).label("replaces"),
                *(judged.c[name] for name in (*copied, "priority", "waits_for")),
            )
            .join(judged, judged.c.sequence == pending.c.sequence)
            .where(judged.c.reason.is_(None), not_(judged.c.held))
        )
        if self._options.limit is None:
            return query
        order = func.row_number().over(order_by=[judged.c.priority, judged.c.sequence])
        sent = and_(judged.c.reason.is_(None), not_(judged.c.held), judged.c.operation != Operation.RECORD.value)
        ranked = select(judged.c.sequence, order.label("place")).where(sent, judged.c.waits_for.is_(None)).subquery()
        first = select(ranked.c.sequence).where(ranked.c.place <= self._options.limit)
        return query.where(or_(judged.c.operation == Operation.RECORD.value, judged.c.sequence.in_(first)))

    def _departures(self, tables: SyncTables, pending: FromClause, judged: FromClause) -> SqlQuery:
        """What happens to keys that left. A person who is in the source under a new key is not deleted."""
        contact_map, sync = tables.contact_map, tables.sync
        departed = select(pending).where(pending.c.departed).subquery("departed")
        operation = Operation.DEPART if sync.deletes is Deletes.KEEP else Operation.DELETE
        same = and_(*(departed.c[key] == contact_map.c[key] for key in tables.key_names))
        person = or_(
            judged.c.identity_email == departed.c.old_email,
            judged.c.identity_mobile == departed.c.old_mobile,
        )
        new_row = select(judged.c.sequence).join(pending, pending.c.sequence == judged.c.sequence)
        is_claimed = new_row.where(pending.c.is_new, person).exists()
        # The mode `create` takes the contact over by a look-up, which needs the old key to be out of the way.
        claimed = literal(Operation.DEPART.value, TEXT) if sync.mode is Mode.CREATE else null()
        told = case((is_claimed, claimed), else_=literal(operation.value, TEXT)).label("operation")
        departures = (
            select(
                departed.c.sequence,
                *(departed.c[key] for key in tables.key_names),
                told,
                contact_map.c.dsid,
            )
            .join(contact_map, same)
            .subquery("departures")
        )
        return select(
            literal(self._plan_id, TEXT).label("plan_id"),
            *departures.c,
            literal(DELETION_PRIORITY, BIG_INTEGER).label("priority"),
        ).where(departures.c.operation.is_not(None))

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

    def summary(self, diff_seconds: float) -> PlanSummary:
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
        )


def _forget_old_changes(state: State, tables: SyncTables) -> None:
    kept = Plans(state).newest_ids(KEPT_PLANS)
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
