"""The candidates of an adoption: the rows of the whole source that have no contact yet, and an identity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    FromClause,
    RowMapping,
    Table,
    TableClause,
    and_,
    case,
    column,
    delete,
    func,
    not_,
    or_,
    select,
    table,
)

from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.databases.expressions import among
from dagster_dailystory.databases.sql_types import BIG_INTEGER, CreateTemporaryTableAs
from dagster_dailystory.engine.planning.comparison.compare import Differences, compare
from dagster_dailystory.engine.planning.comparison.staging import stage_source
from dagster_dailystory.engine.planning.plan import checked_rows
from dagster_dailystory.engine.presence.source_keys import SourceKeys
from dagster_dailystory.engine.state.incremental import IncrementalRead
from dagster_dailystory.engine.state.layout.mapped_columns import ensure_tables, widen_keys
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.plans.row_reader import CHUNK_ROWS, RowReader
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.recovery import invalidate_interrupted, resume_complete_resends
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import SHOWN_KEYS, Operation, Reason
from dagster_dailystory.model.runs.adoption import AdoptionOutcome
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import Scope

_SHARED = [Reason.DUPLICATE_IDENTITY.value, Reason.IDENTITY_CYCLE.value]
_INVALID = [
    each.value for each in (Reason.INVALID_EMAIL, Reason.INVALID_MOBILE, Reason.INVALID_VALUE, Reason.VALUE_TOO_LONG)
]
"""Why a row is rejected that may have a contact all the same: its other email or mobile number is looked up."""


@dataclass(frozen=True)
class SourceCounts:
    """The rows of the source, as they were when the adoption began or went on.

    Attributes:
        read: All rows.
        mapped: Rows whose key has a contact.
        to_look_up: Candidates that are not looked up yet.
        shared: Rows without a contact that share an identity.
        rejected: Rows without a contact that are not looked up.
        shared_keys: A few keys of the shared ones, as logs may show them.
    """

    read: int = 0
    mapped: int = 0
    to_look_up: int = 0
    shared: int = 0
    rejected: int = 0
    shared_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidates:
    """The candidates, in temporary tables.

    Attributes:
        state: The sync's state.
        tables: Its tables.
        source: The rows of the source.
        pending: Those that differ from the snapshot.
        chosen: The sequences of the candidates that are not looked up yet.
        counts: How many rows there are of each kind.
    """

    state: State
    tables: SyncTables
    source: FromClause
    pending: TableClause
    chosen: TableClause
    counts: SourceCounts

    def chunks(self) -> Iterator[Sequence[RowMapping]]:
        """Read the candidates, some at a time, each time in a transaction of its own."""
        chosen, execute = self.chosen.c.sequence, self.state.connection.execute
        with self.state.connection.begin():
            first, last = execute(select(func.min(chosen), func.max(chosen))).one()
        if first is None:
            return
        reader = RowReader(self.state, self.tables)
        for start in range(first, last + 1, CHUNK_ROWS):
            end = min(start + CHUNK_ROWS - 1, last)
            mine = self.pending.c.sequence.in_(select(chosen).where(chosen.between(start, end)))
            with self.state.connection.begin():
                [rows] = reader.chunks(self.pending, mine, start, end)
            yield rows


def find_candidates(state: State, lease: Lease, warehouse_url: str) -> Candidates | None:
    """Compare the whole source with the state as a plan does, and choose the rows to look up.

    Returns:
        None if the source never had a row.
    """
    whole = PlanOptions(Scope.ALL).of_sync(state.sync, state.present)
    with state.connection.begin():
        known = state.load_tables()
        if known is not None:
            resume_complete_resends(state, known)
        recent = IncrementalRead(state)
    staged = stage_source(state, lease, warehouse_url, whole, recent)
    if staged is None:
        return None
    widen_keys(state, staged.widened_keys)
    tables = ensure_tables(state, staged.key_types, staged.value_types)
    state.database.use_repeatable_read(state.connection)
    options = PlanOptions().of_sync(state.sync, state.present)
    with lease.during(state):
        found = compare(state, tables, staged, options)
        _forget_outdated(state, tables, staged.relation)
        checked = checked_rows(state, tables, options, found, SourceKeys(state, tables, warehouse_url))
        chosen = _choose(state, tables, found.pending, checked)
        counts = _count(state, tables, staged.relation, found, checked, chosen)
        if counts.to_look_up:
            state.end_retirement()
            invalidate_interrupted(state, tables)
            Plans(state).supersede_open()
    state.database.use_read_committed(state.connection)
    return Candidates(state, tables, staged.relation, found.pending, chosen, counts)


def _forget_outdated(state: State, tables: SyncTables, source: FromClause) -> None:
    """Forget what earlier calls found of keys that left the source, or that got or lost their contact since.

    Ambiguous rows are looked up again: they may have been repaired meanwhile.
    """
    adoption, outcome = tables.adoption, tables.adoption.c.outcome
    keys, present = tables.keys_of(adoption), [key.is_not(None) for key in tables.keys_of(source)]
    has_left = not_(among(keys, select(*tables.keys_of(source)).where(*present)))
    is_mapped = among(keys, select(*tables.keys_of(tables.contact_map)))
    has_contact = outcome.in_([AdoptionOutcome.EXISTING.value, AdoptionOutcome.DELETED.value])
    is_outdated = or_(
        outcome == AdoptionOutcome.AMBIGUOUS.value,
        has_left,
        and_(has_contact, not_(is_mapped)),
        and_(not_(has_contact), is_mapped),
    )
    state.connection.execute(delete(adoption).where(is_outdated))


def _choose(state: State, tables: SyncTables, pending: TableClause, checked: Table) -> TableClause:
    """Write the sequences of the rows to look up to a temporary table; a row that was looked up is not among them."""
    name = state.location.table_name(state.sync.name, "adoptable")
    adoption, intents = tables.adoption, tables.intents
    has_identity = or_(checked.c.identity_email.is_not(None), checked.c.identity_mobile.is_not(None))
    creates = and_(checked.c.reason.is_(None), checked.c.operation == Operation.CREATE.value)
    invalid = and_(checked.c.reason.in_(_INVALID), has_identity)
    query = (
        select(checked.c.sequence)
        .select_from(
            checked.join(pending, pending.c.sequence == checked.c.sequence)
            .outerjoin(adoption, tables.same_key(adoption, pending))
            .outerjoin(intents, tables.same_key(intents, pending))
        )
        .where(checked.c.dsid.is_(None), checked.c.waits_for.is_(None), or_(creates, invalid))
        .where(adoption.c.outcome.is_(None), intents.c.plan_id.is_(None))
    )
    state.connection.execute(CreateTemporaryTableAs(name, query))
    return table(name, column("sequence", BIG_INTEGER))


def _count(
    state: State, tables: SyncTables, source: FromClause, found: Differences, checked: Table, chosen: TableClause
) -> SourceCounts:
    execute, contact_map = state.connection.execute, tables.contact_map
    mapped = select(func.count()).select_from(source.join(contact_map, tables.same_key(source, contact_map)))
    is_shared = checked.c.reason.in_(_SHARED)
    has_identity = or_(checked.c.identity_email.is_not(None), checked.c.identity_mobile.is_not(None))
    is_invalid = checked.c.reason.in_(_INVALID)
    is_rejected = or_(not_(or_(is_shared, is_invalid)), and_(is_invalid, not_(has_identity)))
    kinds = [func.coalesce(func.sum(case((kind, 1), else_=0)), 0) for kind in (is_shared, is_rejected)]
    shared, rejected = map(int, execute(select(*kinds).where(checked.c.dsid.is_(None))).one())
    return SourceCounts(
        read=found.counts.read,
        mapped=int(execute(mapped).scalar_one()),
        to_look_up=int(execute(select(func.count()).select_from(chosen)).scalar_one()),
        shared=shared,
        rejected=rejected + found.counts.duplicates + found.counts.without_key,
        shared_keys=_shared_keys(state, tables, found.pending, checked) if shared else (),
    )


def _shared_keys(state: State, tables: SyncTables, pending: TableClause, checked: Table) -> tuple[str, ...]:
    query = (
        select(*tables.keys_of(pending))
        .join(checked, checked.c.sequence == pending.c.sequence)
        .where(checked.c.reason.in_(_SHARED), checked.c.dsid.is_(None))
        .order_by(pending.c.sequence)
        .limit(SHOWN_KEYS)
    )
    return tuple(key_label(state.sync, list(key), state.secret) for key in state.connection.execute(query))
