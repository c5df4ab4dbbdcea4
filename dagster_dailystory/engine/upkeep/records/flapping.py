"""Fields that go back and forth, and columns that differ in most rows of every plan: usually faults of a query."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import func, select

from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.engine.sending.read_back.held_values import text_or_none
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.records.history import HistoryEntry, read_history
from dagster_dailystory.engine.upkeep.records.inspection import reading
from dagster_dailystory.model.change import Operation
from dagster_dailystory.model.runs.plan import PlanStatus

FLAPPING_DAYS = 7
"""Days of the history that are looked at, if not set."""

_RETURNS = 2
"""How often a field must return to the value before the last one."""

_MOST_CONTACTS = 10_000
"""The contacts with the most updates are looked at, so that a volatile column costs seconds and not minutes."""

_BATCH = 500

_SHOWN = 10

_RECENT_PLANS = 5

_VOLATILE = 0.5
"""A column is volatile if it differs in this share of the rows read, in each of the recent plans."""

_FEWEST_ROWS = 20


@dataclass(frozen=True)
class Flapping:
    """What changes without need.

    Attributes:
        fields: Field -> contacts in which it went back and forth.
        keys: At most ten of their keys, as logs may show them.
        volatile: Fields that differ in most rows of each recent plan, such as a time of loading.
        contacts_read: Contacts whose history was looked at.
    """

    fields: Mapping[str, int] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    contacts_read: int = 0

    @property
    def is_stable(self) -> bool:
        """Whether nothing was found."""
        return not (self.fields or self.volatile)


def find_flapping(state: State, days: float = FLAPPING_DAYS) -> Flapping:
    """Look for fields that return to an earlier value again and again, and for volatile columns.

    Args:
        state: The open state.
        days: How many days of the history are looked at.
    """
    fields: Counter[str] = Counter()
    keys: dict[str, None] = {}
    read = 0
    with reading(state) as tables:
        if tables is None:
            return Flapping()
        names = {m.state_column: m.name for m in tables.sync.mapped_fields}
        for dsids in _often_updated(state, tables, days):
            for entries in _by_contact(state, tables, dsids, days):
                read += 1
                found = [names.get(name, name) for name in _returning(entries)]
                fields.update(found)
                if found and len(keys) < _SHOWN:
                    keys[key_label(state.sync, list(entries[-1].key), state.secret)] = None
        volatile = _volatile(state)
    return Flapping(dict(fields), tuple(keys), volatile, read)


def _often_updated(state: State, tables: SyncTables, days: float) -> Iterator[Sequence[str]]:
    """The contacts with enough updates to go back and forth, those with the most first."""
    history, updates = tables.history, func.count()
    recent = history.c.acknowledged_at >= state.now() - timedelta(days=days)
    query = select(history.c.dsid).where(recent, history.c.operation == Operation.UPDATE.value)
    often = query.group_by(history.c.dsid).having(updates > _RETURNS).order_by(updates.desc()).limit(_MOST_CONTACTS)
    dsids = list(state.connection.execute(often).scalars())
    for start in range(0, len(dsids), _BATCH):
        yield dsids[start : start + _BATCH]


def _by_contact(
    state: State, tables: SyncTables, dsids: Sequence[str], days: float
) -> Iterator[Sequence[HistoryEntry]]:
    contacts: defaultdict[str, list[HistoryEntry]] = defaultdict(list)
    chosen, since = [tables.history.c.dsid.in_(list(dsids))], state.now() - timedelta(days=days)
    for entry in read_history(state, tables, any_of=chosen, since=since):
        contacts[entry.dsid].append(entry)
    yield from contacts.values()


def _returning(entries: Sequence[HistoryEntry]) -> list[str]:
    """The state columns of the fields that returned to the value before the last one often enough."""
    values: defaultdict[str, list[str | None]] = defaultdict(list)
    for entry in entries:
        for name in entry.written:
            before, after = text_or_none(entry.before.get(name)), text_or_none(entry.after.get(name))
            if not values[name]:
                values[name].append(before)
            if after != values[name][-1]:
                values[name].append(after)
    return [name for name, texts in values.items() if _returns(texts) >= _RETURNS]


def _returns(texts: Sequence[str | None]) -> int:
    return sum(one is not None and one == other for one, other in zip(texts, texts[2:], strict=False))


def _volatile(state: State) -> tuple[str, ...]:
    plans = state.shared.plans
    sent = (
        plans.c.sync_name == state.sync.name,
        plans.c.status == PlanStatus.DONE.value,
        plans.c.scope == "changed",
        plans.c.rows_read >= _FEWEST_ROWS,
        plans.c.rows_to_create < plans.c.rows_read * _VOLATILE,
    )
    query = select(plans.c.changes_by_field, plans.c.rows_read).where(*sent).order_by(plans.c.number.desc())
    recent = [
        {name for name, rows in json.loads(row.changes_by_field).items() if rows >= _VOLATILE * row.rows_read}
        for row in state.connection.execute(query.limit(_RECENT_PLANS))
    ]
    return tuple(sorted(set.intersection(*recent))) if len(recent) == _RECENT_PLANS else ()
