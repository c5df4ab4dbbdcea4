"""What happened to one key, from the state: plans, results, history, rejections, intents, the contact map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import and_, select

from dagster_dailystory.contacts.masking import mask
from dagster_dailystory.engine.presence.source_keys import Key
from dagster_dailystory.engine.state.schema import CONTACT_MAP_TIMES, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.records.explain.explanation import Event
from dagster_dailystory.engine.upkeep.records.history import HistoryEntry, as_sent, read_history
from dagster_dailystory.engine.upkeep.records.inspection import FieldChange, explained_text
from dagster_dailystory.model.mapping import MappedField
from dagster_dailystory.model.sync import ContactSync

_OPERATIONS = {"create": "created", "update": "updated", "opt_out": "opted out", "deactivate": "deactivated",
               "delete": "deleted"}  # fmt: skip

_PLANNED = {
    "record": "the snapshot changes, and nothing is sent",
    "depart": "its row left the source, and its contact stays as it is",
}
"""Operations without a request."""

_OUTCOMES = {"recorded": "not needed any more", "in_doubt": "in doubt, without a response", "waiting": "waits"}
"""Words for outcomes that are not plain."""


def events_of(state: State, tables: SyncTables, key: Key, dsid: str | None, *, show_values: bool) -> list[Event]:
    """What happened to a key, the oldest first, within the caller's transaction.

    Args:
        state: The open state.
        tables: The sync's tables.
        key: The values of the key columns.
        dsid: The contact that the key has now; its earlier keys are part of the history.
        show_values: Show the values that identify a person too.
    """
    events = [
        *_history(state, tables, key, dsid, show_values=show_values),
        *_plans(state, tables, key),
        *_rejections(state, tables, key),
        *_intents(state, tables, key),
        *_contact_map(state, tables, key),
    ]
    return sorted(events, key=lambda event: event.at)


def rows_with(state: State, tables: SyncTables, name: str, key: Key) -> list[dict[str, Any]]:
    """The rows of a state table with a key."""
    table = getattr(tables, name)
    same = and_(*(table.c[column] == part for column, part in zip(tables.key_names, key, strict=True)))
    return [dict(row) for row in state.connection.execute(select(table).where(same)).mappings()]


def _history(state: State, tables: SyncTables, key: Key, dsid: str | None, *, show_values: bool) -> Iterator[Event]:
    fields = {m.state_column: m for m in tables.sync.mapped_fields}
    history = tables.history
    mine = [and_(*(history.c[name] == part for name, part in zip(tables.key_names, key, strict=True)))]
    mine += [history.c.dsid == dsid] if dsid else []
    for entry in read_history(state, tables, any_of=mine):
        verb = "found, and not written" if entry.outcome == "mapped" else _OPERATIONS.get(entry.operation, "written")
        other = "" if entry.key == key else " under an earlier key"
        values = "; ".join(
            _change(tables.sync, entry, name, fields.get(name), show_values=show_values) for name in entry.written
        )
        run = f" by run {entry.run_id}" if entry.run_id else ""
        yield Event(entry.acknowledged_at, f"contact {entry.dsid} {verb}{other}{run}{f': {values}' if values else ''}")


def _change(sync: ContactSync, entry: HistoryEntry, name: str, mapped: MappedField | None, *, show_values: bool) -> str:
    if mapped is None:
        return f"{name} (no longer mapped)"
    sent = (as_sent(sync, mapped, values.get(name)) for values in (entry.before, entry.after))
    before, after = (explained_text(mapped, value, show_values=show_values) for value in sent)
    return str(FieldChange(mapped.name, before, after))


def _plans(state: State, tables: SyncTables, key: Key) -> Iterator[Event]:
    plans = state.shared.plans
    for row in rows_with(state, tables, "changes", key):
        header = state.connection.execute(select(plans).where(plans.c.plan_id == row["plan_id"])).mappings().first()
        if header is None:
            continue
        plan, operation = f"plan {row['plan_id']}", _PLANNED.get(row["operation"])
        what = f"{row['operation']} planned in {plan} ({header['status']})"
        what = what if operation is None else f"{plan} ({header['status']}): {operation}"
        yield Event(header["created_at"], f"{what}{_reason(row)}")
        if row["outcome"] and row["answered_at"] and operation is None:
            outcome = _OUTCOMES.get(row["outcome"], row["outcome"])
            message = f": {mask(row['message'])}" if row["message"] else ""
            yield Event(row["answered_at"], f"{row['operation']} of {plan}: {outcome}{message}")


def _reason(row: Mapping[str, Any]) -> str:
    return f", {row['reason']}" if row["reason"] and not row["outcome"] else ""


def _rejections(state: State, tables: SyncTables, key: Key) -> Iterator[Event]:
    for row in rows_with(state, tables, "rejections", key):
        since = f" since {row['first_seen_at']:%Y-%m-%d %H:%M}" if row["first_seen_at"] else ""
        yield Event(row["last_seen_at"], f"rejected{since}: {row['reason']}: {row['message']}")


def _intents(state: State, tables: SyncTables, key: Key) -> Iterator[Event]:
    for row in rows_with(state, tables, "intents", key):
        yield Event(row["sent_at"], f"sent by plan {row['plan_id']} without a result so far")


def _contact_map(state: State, tables: SyncTables, key: Key) -> Iterator[Event]:
    for row in rows_with(state, tables, "contact_map", key):
        for name, text in CONTACT_MAP_TIMES.items():
            if row[name] is not None and name != "last_synced_at":
                yield Event(row[name], text.removeprefix("When ").removesuffix(" (UTC)"))
