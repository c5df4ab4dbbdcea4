"""What one run wrote to a contact, from the history: the values before its first change and after its last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from sqlalchemy import select

from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.records.history import HistoryEntry, read_history
from dagster_dailystory.model.change import Outcome


@dataclass(frozen=True)
class Written:
    """What one run wrote to one contact.

    Attributes:
        dsid: The contact.
        created_at: When the run created it (UTC without a zone); None if it did not.
        is_taken_out: The run deleted or deactivated it.
        before: State column -> the acknowledged value before the run; a value that is not known is missing.
        after: State column -> the value that the run wrote last; a field that it emptied is missing.
        fields: The state columns of the fields that it wrote.
    """

    dsid: str
    created_at: datetime | None = None
    is_taken_out: bool = False
    before: Mapping[str, object] = field(default_factory=dict, repr=False)
    after: Mapping[str, object] = field(default_factory=dict, repr=False)
    fields: frozenset[str] = frozenset()


def written_contacts(state: State, tables: SyncTables, run_id: str, after: str, limit: int) -> list[Written]:
    """The next contacts that a run wrote to, in the order of their dsids, within the caller's transaction.

    Args:
        state: The open state.
        tables: The sync's tables.
        run_id: The run.
        after: The dsid of the contact before; empty for the first ones.
        limit: How many.
    """
    history = tables.history
    dsid = state.database.exactly(history.c.dsid)
    mine = select(dsid).where(history.c.run_id == run_id, dsid > after).group_by(dsid).order_by(dsid).limit(limit)
    chosen = list(state.connection.execute(mine).scalars())
    return list(_by_contact(state, tables, run_id, chosen)) if chosen else []


def written_columns(state: State, tables: SyncTables, run_id: str) -> frozenset[str]:
    """The state columns of the fields that a run wrote, within the caller's transaction."""
    entries = read_history(state, tables, run_id=run_id)
    return frozenset(name for entry in entries for name in entry.written)


def _by_contact(state: State, tables: SyncTables, run_id: str, dsids: Sequence[str]) -> Iterator[Written]:
    chosen = [tables.history.c.dsid.in_(dsids)]
    entries = sorted(read_history(state, tables, run_id=run_id, any_of=chosen), key=lambda entry: entry.dsid)
    for dsid, of_contact in groupby(entries, key=lambda entry: entry.dsid):
        yield _merged(dsid, list(of_contact))


def _merged(dsid: str, entries: Sequence[HistoryEntry]) -> Written:
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    fields: set[str] = set()
    for entry in entries:
        for name in entry.written:
            if name not in fields and name in entry.before:
                before[name] = entry.before[name]
            fields.add(name)
            after.pop(name, None)
        after |= entry.after
    outcomes = {entry.outcome for entry in entries}
    created = [entry.acknowledged_at for entry in entries if entry.outcome == Outcome.CREATED.value]
    is_taken_out = Outcome.DELETED.value in outcomes
    return Written(dsid, created[0] if created else None, is_taken_out, before, after, frozenset(fields))
