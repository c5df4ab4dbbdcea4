"""The opt-outs of a plan that is being sent, counted in the state: sent, still to be sent, and without a contact."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from dagster_dailystory.databases.expressions import opts_out
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import OPT_OUT_PRIORITY, Operation, Outcome
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.report import SentOptOuts

_SET = (Outcome.OPTED_OUT, Outcome.UPDATED)

_ENDED = (*_SET, Outcome.CREATED, Outcome.MAPPED, Outcome.RECORDED)
"""Outcomes after which no opt-out of the change waits; a recorded one was acknowledged by a newer plan."""


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
    ended = outcome.in_([each.value for each in _ENDED])
    counts = (
        _rows(and_(alone, outcome.in_([each.value for each in _SET]))),
        _rows(and_(alone, ~ended)),
        _rows(and_(created, ~ended)),
    )
    row = state.connection.execute(select(*counts).where(changes.c.plan_id == plan_id, or_(alone, created))).one()
    return SentOptOuts(*map(int, row))


def _rows(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
