"""What an acknowledged change says of the fields of `fill`: whether one was sent, and whether it is empty still."""

from __future__ import annotations

from functools import reduce

from sqlalchemy import ColumnElement, FromClause, and_, case, false, func, literal, not_, or_

from dagster_dailystory.databases.sql_types import TEXT, SqlValue
from dagster_dailystory.engine.state.schema import SyncTables, differs_column, is_known_empty
from dagster_dailystory.model.change import Outcome
from dagster_dailystory.model.mapping import MappedField


def fills_field(mapped: MappedField, sent: FromClause, replaced: SqlValue) -> ColumnElement[bool]:
    """Whether a change sent a field of `fill`: it made the contact, or the field differed because it was empty.

    Args:
        mapped: The field.
        sent: The change, with its `outcome`.
        replaced: Whether the row was sent as a whole.
    """
    differs = func.coalesce(sent.c[differs_column(mapped.state_column)], false())
    return or_(sent.c.outcome == Outcome.CREATED.value, and_(differs, not_(replaced)))


def empty_fields(tables: SyncTables, sent: FromClause, known: FromClause | None) -> SqlValue:
    """The fields that are empty after a change: the new contact got none, or what was known of it still holds.

    Args:
        tables: The sync's tables.
        sent: The change, with its `outcome`, `replaced` and `is_other_contact`.
        known: The snapshot of the row; None for a row that had none.
    """
    made = sent.c.outcome == Outcome.CREATED.value
    none: SqlValue = literal("", TEXT)
    names: list[SqlValue] = []
    for mapped in tables.sync.mapped_fields:
        if mapped.fills:
            name = mapped.state_column
            is_empty: ColumnElement[bool] = and_(made, sent.c[name].is_(None))
            if known is not None:
                stays = and_(not_(sent.c.is_other_contact), not_(fills_field(mapped, sent, sent.c.replaced)))
                is_empty = or_(is_empty, and_(stays, is_known_empty(known, name)))
            names.append(case((is_empty, literal(f'"{name}"', TEXT)), else_=none))
    return func.nullif(reduce(lambda one, other: one.concat(other), names, none), none)
