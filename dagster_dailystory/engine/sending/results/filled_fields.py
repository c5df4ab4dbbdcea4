"""What an acknowledged change says of the fields of `fill`: whether one was sent, and whether it is empty still."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, FromClause, and_, false, func, not_, or_, select, type_coerce

from dagster_dailystory.databases.sql_types import TEXT, SqlValue
from dagster_dailystory.engine.presence.forgotten import in_parts
from dagster_dailystory.engine.state.schema import EMPTY_FIELDS, SyncTables, differs_column, is_listed, listed, quoted
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Outcome, Result
from dagster_dailystory.model.mapping import MappedField


def fills_field(mapped: MappedField, sent: FromClause) -> ColumnElement[bool]:
    """Whether a change sent a field of `fill`: it made the contact, or the field differed because it was empty.

    Args:
        mapped: The field.
        sent: The change, with its `outcome`.
    """
    differs = func.coalesce(sent.c[differs_column(mapped.state_column)], false())
    return or_(sent.c.outcome == Outcome.CREATED.value, differs)


def empty_fields(tables: SyncTables, sent: FromClause, known: FromClause | None) -> SqlValue:
    """The fields that are empty after a change: the new contact got none, or what was known of it still holds.

    Args:
        tables: The sync's tables.
        sent: The change, with its `outcome` and `is_other_contact`.
        known: The snapshot of the row; None for a row that had none.
    """
    made = sent.c.outcome == Outcome.CREATED.value
    empty: dict[str, ColumnElement[bool]] = {}
    for mapped in tables.sync.mapped_fields:
        if mapped.fills:
            name = mapped.state_column
            is_empty: ColumnElement[bool] = and_(made, type_coerce(sent.c[name], TEXT).is_(None))
            if known is not None:
                stays = and_(not_(sent.c.is_other_contact), not_(fills_field(mapped, sent)))
                is_empty = or_(is_empty, and_(stays, is_listed(known, EMPTY_FIELDS, name)))
            empty[name] = is_empty
    return listed(empty)


def leave_filled(state: State, tables: SyncTables, plan_id: str, results: Sequence[Result]) -> None:
    """Record the fields of `fill` that have a value in DailyStory: they were not sent, and no later run sends them.

    The plan's changes no longer say that they differ, so that history, canary and snapshot go by what was sent.

    Args:
        state: The open state.
        tables: The sync's tables.
        plan_id: The plan.
        results: The results of a batch.
    """
    changes, snapshot, execute = tables.changes, tables.snapshot, state.connection.execute
    for name in sorted({name for result in results for name in result.left}):
        sequences = [result.sequence for result in results if name in result.left]
        empty = func.nullif(func.replace(snapshot.c[EMPTY_FIELDS], quoted(name), ""), "")
        for part in in_parts(sequences):
            mine = and_(changes.c.plan_id == plan_id, changes.c.sequence.in_(part))
            execute(changes.update().where(mine).values({differs_column(name): False}))
            left = select(*tables.keys_of(changes), changes.c[name]).where(mine).subquery("left_fields")
            update = snapshot.update().where(tables.same_key(snapshot, left))
            execute(update.values({name: left.c[name], EMPTY_FIELDS: empty}))
