"""The changes of an undo: rows of the plan that write earlier values, and rows that only record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select

from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.identity import identity_of
from dagster_dailystory.databases.expressions import rows_parameter
from dagster_dailystory.databases.sql_types import BIG_INTEGER, BOOLEAN, TEXT, SqlType, Untyped, stored_type
from dagster_dailystory.databases.stored_values import staged_key
from dagster_dailystory.engine.state.layout.mapped_columns import is_canonical, is_nested, nested_value
from dagster_dailystory.engine.state.schema import IDENTITY_COLUMNS, SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.undo.decisions import Decision, Kept
from dagster_dailystory.engine.upkeep.undo.rows import KnownRow
from dagster_dailystory.model.change import DELETION_PRIORITY, USUAL_PRIORITY, Identity, Operation
from dagster_dailystory.model.mapping import Nulls

_COLUMNS: Mapping[str, SqlType] = {
    "plan_id": TEXT, "sequence": BIG_INTEGER, "operation": TEXT, "dsid": TEXT, "priority": BIG_INTEGER,
    "reason": TEXT, "identity_email": TEXT, "identity_mobile": TEXT, "identity_changed": BOOLEAN,
}  # fmt: skip


@dataclass(frozen=True)
class UndoChange:
    """One row of an undo's plan.

    Attributes:
        operation: `update`, `delete`, or `record` for what sends nothing.
        dsid: The contact.
        key: The values of the key columns.
        values: State column -> value.
        differing: The state columns that are written, or recorded.
        reason: Why the contact is left as it is; empty if something is written.
    """

    operation: Operation
    dsid: str
    key: tuple[object, ...] = field(repr=False)
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    differing: frozenset[str] = frozenset()
    reason: str = ""


def changes_of(
    tables: SyncTables, dsid: str, row: KnownRow, decision: Decision, contact: RemoteContact
) -> tuple[Decision, list[UndoChange]]:
    """The changes of one contact, and the decision as it can be carried out.

    All custom fields are sent together. So that no edit of another one is lost, those that are not taken back are sent
    as DailyStory has them; if one of them was emptied there, or has a value that its column cannot hold, no custom
    field is taken back.
    """
    custom = [m for m in tables.sync.sent_fields if m.is_custom]
    beside: dict[str, object] = {}
    if any(m.state_column in decision.undone for m in custom):
        others = [m for m in custom if m.state_column not in decision.undone]
        held = contact.fields.get("extendedProperties")
        present = {m.state_column: held.get(m.name) if isinstance(held, Mapping) else None for m in others}
        beside = {name: value for name, value in present.items() if value not in (None, "")}
        acknowledged = row.acknowledged.values  # sent where a change has no value
        is_emptied = any(
            m.nulls is Nulls.KEEP and m.state_column not in beside and acknowledged.get(m.state_column) is not None
            for m in others
        )
        if is_emptied or not all(_fits(value, tables.changes.c[name].type) for name, value in beside.items()):
            lost = {m.state_column for m in custom} & decision.undone.keys()
            undone = {name: value for name, value in decision.undone.items() if name not in lost}
            kept = {**decision.kept, **dict.fromkeys(sorted(lost), Kept.EDITED)}
            decision, beside = replace(decision, undone=undone, kept=kept), {}
    changes: list[UndoChange] = []
    if decision.recorded or not decision.undone:
        reason = "" if decision.undone else _reason(decision)
        columns = frozenset(decision.recorded)
        recorded = {name: row.nested.get(name, value) for name, value in decision.recorded.items()}
        changes.append(UndoChange(Operation.RECORD, dsid, row.key, recorded, columns, reason))
    if decision.undone:
        values = {**beside, **decision.undone}
        changes.append(UndoChange(Operation.UPDATE, dsid, row.key, values, frozenset(decision.undone)))
    return decision, changes


def _reason(decision: Decision) -> str:
    """The one reason that is shown of several: the first that a person can do something about."""
    found = set(decision.kept.values())
    first: Kept = next((each for each in Kept if each in found), Kept.EARLIER_UNKNOWN)
    return str(first.value)


def _fits(value: object, kind: SqlType) -> bool:
    try:
        text = canonical_text(value)
    except UnsupportedValueError:
        return False
    return text is None or is_canonical(text, stored_type(kind))


def store(state: State, tables: SyncTables, plan_id: str, first: int, changes: Sequence[UndoChange]) -> None:
    """Append changes to a plan, within the caller's transaction.

    Args:
        state: The open state.
        tables: The sync's tables.
        plan_id: The plan.
        first: The sequence of the first of them.
        changes: The changes.
    """
    if not changes:
        return
    kinds = {column.name: column.type for column in tables.changes.c}
    values = {name: kinds[name] for name in (*tables.key_names, *tables.value_names)}
    flags = dict.fromkeys(map(differs_column, tables.value_names), BOOLEAN)
    types = {name: stored_type(k) for name, k in {**_COLUMNS, **values, **flags}.items()}
    rows = [_row(state, tables, plan_id, number, each, types) for number, each in enumerate(changes, start=first)]
    given = state.database.json_rows(types)
    insert = tables.changes.insert().from_select(list(types), select(*(given.c[name] for name in types)))
    state.connection.execute(insert, rows_parameter(rows))


def _row(
    state: State, tables: SyncTables, plan_id: str, sequence: int, change: UndoChange, types: Mapping[str, SqlType]
) -> dict[str, object]:
    identity = _new_identity(tables, change)
    priority = DELETION_PRIORITY if change.operation is Operation.DELETE else USUAL_PRIORITY
    row: dict[str, object] = {
        "plan_id": plan_id,
        "sequence": sequence,
        "operation": change.operation.value,
        "dsid": change.dsid,
        "priority": priority,
        "reason": change.reason or None,
        "identity_email": identity.email,
        "identity_mobile": identity.mobile,
        "identity_changed": bool(identity) and change.operation is Operation.UPDATE,
    }
    row |= {name: staged_key(part) for name, part in zip(tables.key_names, change.key, strict=True)}
    row |= {name: _stored(state, value, types[name]) for name, value in change.values.items()}
    return row | {differs_column(name): True for name in change.differing}


def _new_identity(tables: SyncTables, change: UndoChange) -> Identity:
    """The identity that a change gives its contact; empty if it changes neither email nor mobile number."""
    columns = set(tables.sync.state_columns(*IDENTITY_COLUMNS)) & change.differing
    return identity_of(tables.sync, change.values) if columns else Identity()


def _stored(state: State, value: object, kind: SqlType) -> object:
    """A value as JSON has it for a column of a type; a column without a type takes numbers as they are."""
    if is_nested(state, kind):
        text = canonical_text(value) if isinstance(value, str) else json.dumps(value, default=canonical_text)
        return nested_value(text)
    is_plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_plain and isinstance(kind, Untyped) else canonical_text(value)
