"""The opt-outs of a plan, counted in the state: sent, to be sent and without a contact; a few that wait are named."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, and_, case, func, or_, select

from dagster_dailystory.databases.expressions import opts_out
from dagster_dailystory.engine.state.rejections import shown_key
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import (
    OPT_OUT_PRIORITY,
    SHOWN_KEYS,
    Operation,
    Outcome,
    WaitingOptOut,
    WaitingOptOuts,
)
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.runs.report import SentOptOuts

_SET = (Outcome.OPTED_OUT, Outcome.UPDATED)

_WRITTEN = (Outcome.CREATED, Outcome.UPDATED)

_ENDED = (*_SET, Outcome.CREATED, Outcome.MAPPED, Outcome.RECORDED, Outcome.FORGOTTEN)
"""Outcomes after which no opt-out of the change waits; a recorded one was acknowledged by a newer plan."""

_NOT_SENT = "not sent yet"


def sent_opt_outs(state: State, tables: SyncTables, plan_id: str) -> SentOptOuts:
    """Count the opt-outs of a plan, within the caller's transaction."""
    changes = tables.changes
    flags = tables.sync.state_columns(FieldKind.OPT_OUT)
    if not flags:
        return SentOptOuts()
    operation, outcome = changes.c.operation, func.coalesce(changes.c.outcome, "")
    first = and_(operation == Operation.UPDATE.value, changes.c.priority == OPT_OUT_PRIORITY)
    alone = or_(operation == Operation.OPT_OUT.value, first)
    is_new = or_(*(and_(changes.c[differs_column(flag)], opts_out(changes.c[flag])) for flag in flags))
    created = and_(operation == Operation.CREATE.value, is_new)
    waits = outcome.not_in([each.value for each in _ENDED])
    was_set = and_(alone, outcome.in_([each.value for each in _SET]))
    was_created = and_(created, outcome.in_([each.value for each in _WRITTEN]))
    counts = (
        _rows(or_(was_set, was_created)),
        _rows(and_(alone, waits)),
        _rows(and_(created, waits)),
        _rows(and_(waits, changes.c.reason.is_not(None))),
    )
    mine = and_(changes.c.plan_id == plan_id, or_(alone, created))
    sent, left, without_contact, to_repair = map(int, state.connection.execute(select(*counts).where(mine)).one())
    if not left + without_contact:
        return SentOptOuts(sent)
    message = func.coalesce(changes.c.message, _NOT_SENT).label("message")
    waiting = select(*tables.keys_of(changes), changes.c.reason, message).where(mine, waits).subquery("waiting")
    return SentOptOuts(sent, left, without_contact, WaitingOptOuts(to_repair, few_waiting(state, tables, waiting)))


def few_waiting(state: State, tables: SyncTables, waiting: FromClause) -> tuple[WaitingOptOut, ...]:
    """Name a few of the rows that wait, first those to repair.

    Args:
        state: The sync's state, within a transaction.
        tables: The sync's tables.
        waiting: Rows with the key columns, `reason` (NULL if the next run sends the opt-out) and `message`.
    """
    columns = [*tables.keys_of(waiting), waiting.c.reason, waiting.c.message]
    is_unplanned = case((waiting.c.reason.is_(None), 1), else_=0)
    few = select(*columns, func.count().label("source_rows")).group_by(*columns)
    found = state.connection.execute(few.order_by(is_unplanned, *columns).limit(SHOWN_KEYS)).mappings()
    return tuple(
        WaitingOptOut(
            shown_key(tables.sync, row, state.secret), row["reason"] or "", row["message"], int(row["source_rows"])
        )
        for row in found
    )


def _rows(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
