"""Read-only views of a sync: previews of plans and rejections, its status, and its tables as pandas frames."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import RowMapping, and_, func, not_, or_, select
from sqlalchemy.types import NullType

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.contacts.masking import mask
from dagster_dailystory.contacts.payload import opts_in
from dagster_dailystory.contacts.values import KINDS
from dagster_dailystory.databases.sql_types import SqlQuery
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.rejections import FEW, few_of_each, rejected_row
from dagster_dailystory.engine.state.schema import DROPPED, SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.change import Operation, Outcome
from dagster_dailystory.model.contact_fields import FieldKind, nearest
from dagster_dailystory.model.mapping import REGION_COLUMN, MappedField
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary, RejectedRow
from dagster_dailystory.model.sync import ContactSync

NO_VALUE = "(none)"
"""Shown for NULL in a preview."""


_LONGEST_VALUE = 60


_UNSETTLED = frozenset({Outcome.FAILED, Outcome.IN_DOUBT, Outcome.CONFLICTED, Outcome.WAITING})


_OF_ROWS = (Operation.UPDATE, Operation.CREATE, Operation.DELETE)

SHOWN = (Operation.OPT_OUT, *_OF_ROWS)
"""The operations that send something, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a planned change, without personal data.

    Attributes:
        field: The DailyStory field or custom field.
        before: The last acknowledged value, masked unless the field may be shown.
        after: The value to be sent, masked unless the field may be shown.
        is_sent_again: Both are the same value, which is sent once more, for example by `scope="all"`.
    """

    field: str
    before: str
    after: str
    is_sent_again: bool = False

    def __str__(self) -> str:
        if self.is_sent_again:
            return f"{self.field}: {self.after} (sent again)"
        before = "" if self.before == NO_VALUE else f"{self.before} → "
        return f"{self.field}: {before}{self.after}"


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """One planned change, without personal data.

    Attributes:
        key_label: The key as logs may show it.
        operation: create, update or delete.
        dsid: The contact, None for a create.
        fields: Of an update the fields that differ, of a create those with a value, of a delete none.
        dropped: Field -> why its value is invalid, for the fields that are left out.
    """

    key_label: str
    operation: Operation
    dsid: str | None
    fields: tuple[FieldChange, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """The counts of a sync between two runs.

    Attributes:
        rows_mapped: Rows of the contact map.
        contacts_live: Mapped contacts that this sync has neither deleted nor deactivated.
        rejections_by_reason: Reason -> source rows that are rejected now.
        rows_unsettled: Rows of the last plan sent that failed, conflicted, wait, are in doubt or have no result.
    """

    rows_mapped: int
    contacts_live: int
    rejections_by_reason: Mapping[str, int]
    rows_unsettled: int

    @property
    def rows_rejected(self) -> int:
        """Source rows that are rejected now."""
        return sum(self.rejections_by_reason.values())


def sync_status(state: State) -> SyncStatus:
    """Count what the state of a sync holds now.

    Raises:
        DailyStoryError: The state cannot be read.
    """
    with reading(state) as tables:
        if tables is None:
            return SyncStatus(0, 0, {}, 0)
        execute = state.connection.execute
        contact_map = tables.contact_map
        mapped = select(func.count()).select_from(contact_map)
        live = mapped.where(contact_map.c.deleted_at.is_(None), contact_map.c.deactivated_at.is_(None))
        rejections = tables.rejections
        reasons = select(rejections.c.reason, func.sum(rejections.c.source_rows)).group_by(rejections.c.reason)
        return SyncStatus(
            int(execute(mapped).scalar() or 0),
            int(execute(live).scalar() or 0),
            {str(reason): int(rows or 1) for reason, rows in execute(reasons.order_by(rejections.c.reason))},
            int(execute(_unsettled(state, tables)).scalar() or 0),
        )


def check_shown_fields(sync: ContactSync, names: Sequence[str], setting: str = "preview_fields") -> None:
    """Make sure that the fields to show are mapped.

    Raises:
        ConfigurationError: A field is not mapped; the message suggests the most similar one.
    """
    if isinstance(names, str):
        raise ConfigurationError(f"preview_fields must be a list of fields; write [{names!r}]")
    known = [mapped.name for mapped in sync.sent_fields]
    for name in names:
        if name not in known:
            hint = nearest(name, known) or f"; mapped are {', '.join(known)}"
            raise ConfigurationError(f"{setting} names {name!r}, which is not mapped{hint}")


def read_summary(state: State, plan_id: str) -> PlanSummary:
    """Read the header of a plan.

    Raises:
        UnknownPlanError: The sync has no such plan.
    """
    with state.connection.begin():
        return Plans(state).named(plan_id).summary


def preview_changes(
    state: State, plan_id: str, shown_fields: Sequence[str] = (), rows: int = 15
) -> list[ChangePreview]:
    """Read the first changes of a plan, without personal data.

    Args:
        state: The open state.
        plan_id: One of the latest plans.
        shown_fields: Fields whose values are shown. All others are masked, except opt-out flags, the status and
            numbers, which identify no person.
        rows: At most this many of each operation.

    Returns:
        Opt-outs that leave ahead of their rows first, then updates, creates and deletions.

    Raises:
        UnknownPlanError: The sync has no such plan.
    """
    with reading(state) as tables:
        Plans(state).named(plan_id)
        if tables is None:
            return []
        shown = frozenset(shown_fields)
        found: list[ChangePreview] = []
        for operation in SHOWN:
            query = changes_of(tables, plan_id, operation).limit(rows)
            read = state.connection.execute(query).mappings()
            found += [_preview(state, row, operation, shown) for row in read]
        return found


def preview_rejections(state: State, rows: int = FEW) -> list[RejectedRow]:
    """Read the latest rejections of each reason, without personal data.

    Args:
        state: The open state.
        rows: At most this many of each reason.
    """
    with reading(state) as tables:
        if tables is None:
            return []
        found = few_of_each(tables, tables.rejections, rows)
        return [rejected_row(state.sync, row, state.secret) for row in state.connection.execute(found).mappings()]


def column_types(state: State) -> dict[str, str]:
    """The types of the key and mapped columns as the state stores them; empty before the first plan."""
    with reading(state) as tables:
        if tables is None:
            return {}
        types = {key: tables.snapshot.c[key].type for key in state.sync.key_columns}
        types |= {m.column: tables.snapshot.c[m.state_column].type for m in state.sync.read_fields}
        typed = {column: kind for column, kind in types.items() if not isinstance(kind, NullType)}  # SQLite has none
        return {column: kind.compile(state.dialect).lower() for column, kind in typed.items()}


@contextmanager
def reading(state: State) -> Iterator[SyncTables | None]:
    """The sync's tables within a transaction; None before its first plan."""
    with state.connection.begin():
        yield state.load_tables()


def _unsettled(state: State, tables: SyncTables) -> SqlQuery:
    plans, changes = state.shared.plans, tables.changes
    sent = plans.c.status.in_([PlanStatus.SENDING.value, PlanStatus.DONE.value])
    mine = and_(plans.c.sync_name == state.sync.name, sent)
    latest = select(plans.c.plan_id).where(mine).order_by(plans.c.sent_at.desc(), plans.c.number.desc()).limit(1)
    settled = changes.c.outcome.in_([outcome.value for outcome in Outcome if outcome not in _UNSETTLED])
    return (
        select(func.count())
        .select_from(changes)
        .where(
            changes.c.plan_id == latest.scalar_subquery(),
            changes.c.operation.in_([operation.value for operation in _OF_ROWS]),
            or_(changes.c.outcome.is_(None), not_(settled)),
        )
    )


def changes_of(tables: SyncTables, plan_id: str, operation: Operation) -> SqlQuery:
    """The changes of a plan with one operation, in their order, with the acknowledged values as `old_` columns."""
    changes, snapshot = tables.changes, tables.snapshot
    same = tables.same_key(changes, snapshot)
    old = (snapshot.c[name].label(f"old_{name}") for name in tables.value_names)
    mine = and_(changes.c.plan_id == plan_id, changes.c.operation == operation.value)
    return select(changes, *old).select_from(changes.outerjoin(snapshot, same)).where(mine).order_by(changes.c.sequence)


def _label(state: State, row: RowMapping) -> str:
    if row["outcome"] == Outcome.FORGOTTEN.value:
        return "(forgotten)"
    return key_label(state.sync, [row[key] for key in state.sync.key_columns], state.secret)


def is_part(row: RowMapping, mapped: MappedField, operation: Operation) -> bool:
    """Whether a change of this operation, a row of `changes_of`, sends a field."""
    if operation is Operation.CREATE:
        value = row[mapped.state_column]
        return value is not None and not opts_in(mapped, value)
    if operation is Operation.OPT_OUT:
        return mapped.kind is FieldKind.OPT_OUT and bool(row[differs_column(mapped.state_column)])
    if operation is not Operation.UPDATE:
        return False
    return _is_read_anew(row, mapped) or bool(row[differs_column(mapped.state_column)])


def _is_read_anew(row: RowMapping, mapped: MappedField) -> bool:
    """Whether it is a number whose country changed: read in another country, it is another number."""
    return mapped.kind is FieldKind.MOBILE and bool(row.get(differs_column(REGION_COLUMN)))


def _preview(state: State, row: RowMapping, operation: Operation, shown: frozenset[str]) -> ChangePreview:
    fields = tuple(_field_change(row, m, shown) for m in state.sync.sent_fields if is_part(row, m, operation))
    reasons = json.loads(row[DROPPED] or "{}")
    dropped = {m.name: reasons[m.state_column] for m in state.sync.sent_fields if m.state_column in reasons}
    return ChangePreview(_label(state, row), operation, row["dsid"], fields, dropped)


def _field_change(row: RowMapping, mapped: MappedField, shown: frozenset[str]) -> FieldChange:
    before, after = row[f"old_{mapped.state_column}"], row[mapped.state_column]
    is_open = row["outcome"] is None  # else `before` is what was sent
    is_same = is_open and _is_same(before, after) and not _is_read_anew(row, mapped)
    return FieldChange(
        mapped.name, shown_text(mapped, before, shown), shown_text(mapped, after, shown), is_sent_again=is_same
    )


def _is_same(before: object, after: object) -> bool:
    try:
        return before is not None and canonical_text(before) == canonical_text(after)
    except UnsupportedValueError:
        return False


def shown_text(mapped: MappedField, value: object, shown: frozenset[str]) -> str:
    """Show a value: in full if it identifies no person or its field is in `shown`, else only its length."""
    return shown_value(value, is_clear=mapped.name in shown or KINDS[mapped.kind].is_impersonal)


def explained_text(mapped: MappedField, value: object, *, show_values: bool) -> str:
    """Show a value: if values are asked for, as it is; else as `shown_text` does."""
    if not show_values:
        return shown_text(mapped, value, frozenset())
    try:
        text = canonical_text(value)
    except UnsupportedValueError:
        return "(unsupported)"
    return NO_VALUE if text is None else " ".join(text.split())


def shown_value(value: object, *, is_clear: bool = False) -> str:
    """Show a value: in full if it identifies no person, else only its length."""
    try:
        text = canonical_text(value)
    except UnsupportedValueError:
        return "(unsupported)"
    if text is None:
        return NO_VALUE
    if is_clear:
        clear = mask(text)
        return clear if len(clear) <= _LONGEST_VALUE else clear[: _LONGEST_VALUE - 1] + "…"
    return f"••• ({len(text)})"
