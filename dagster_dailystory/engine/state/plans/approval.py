"""Approval of plans: which of two plans of one sync has changes that the other one does not have."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select
from sqlalchemy.sql import FromClause

from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import SENT_OPERATIONS, Operation, Outcome
from dagster_dailystory.model.runs.plan import PlanSummary, planned_counts

_SENT = sorted(operation.value for operation in SENT_OPERATIONS)


def changes_only_in(state: State, tables: SyncTables, plan_id: str, other: str) -> int:
    """Count the changes of a plan that another plan of the sync does not have with the same fields and values.

    Args:
        state: The sync's state, within a transaction.
        tables: The sync's tables.
        plan_id: The plan.
        other: The other plan.
    """
    mine, others = tables.changes, tables.changes.alias("others")
    equal = exists().where(
        others.c.plan_id == other,
        others.c.operation == mine.c.operation,
        _same_row(tables, mine, others),
        *(_same_value(state, name, mine, others) for name in tables.value_names),
    )
    count = select(func.count()).select_from(mine)
    is_forgotten = func.coalesce(mine.c.outcome, "") == Outcome.FORGOTTEN.value
    found = count.where(mine.c.plan_id == plan_id, mine.c.operation.in_(_SENT), not_(equal), not_(is_forgotten))
    return int(state.connection.execute(found).scalar_one())


def _same_row(tables: SyncTables, mine: FromClause, others: FromClause) -> ColumnElement[bool]:
    """Whether two changes are of one key; an opt-out ahead is of a contact, and may have no key."""
    is_opt_out = mine.c.operation == Operation.OPT_OUT.value
    return or_(tables.same_key(mine, others), and_(is_opt_out, mine.c.dsid == others.c.dsid))


def _same_value(state: State, name: str, mine: FromClause, others: FromClause) -> ColumnElement[bool]:
    flag = differs_column(name)
    one, other = (func.coalesce(each.c[flag], false()) for each in (mine, others))
    return and_(one == other, or_(not_(one), not_(state.database.differs(mine.c[name], others.c[name]))))


def differences(state: State, old: PlanSummary, new: PlanSummary) -> str:
    """What a newer plan would send in place of an older one, in words."""
    before, after = (planned_counts(state.sync, each) for each in (old, new))
    fields = [
        f"{name} in {new.changes_by_field.get(name, 0):,} rows, before in {old.changes_by_field.get(name, 0):,}"
        for name in sorted({*old.changes_by_field, *new.changes_by_field})
        if new.changes_by_field.get(name, 0) != old.changes_by_field.get(name, 0)
    ]
    if before == after and not fields:
        return "the same counts, with other rows or values"
    return "; ".join([f"{after} (before: {before})", *fields])
