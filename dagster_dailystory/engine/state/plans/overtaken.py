"""What a newer plan leaves of an older one that is sent after it: the changes of rows that it has not decided."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, case, exists, false, func, not_, or_, select

from dagster_dailystory.databases.expressions import opts_out
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import SENT_OPERATIONS, Operation, Outcome
from dagster_dailystory.model.contact_fields import FieldKind

_SENT = sorted(operation.value for operation in SENT_OPERATIONS)


def skip_overtaken(state: State, tables: SyncTables, plan_id: str) -> int:
    """Skip the changes of rows that a newer plan has decided, within the caller's transaction.

    Returns:
        How many of them would have been sent.
    """
    plans, changes, execute = state.shared.plans, tables.changes, state.connection.execute
    number = int(execute(select(plans.c.number).where(plans.c.plan_id == plan_id)).scalar_one())
    newer = and_(plans.c.sync_name == tables.sync.name, plans.c.number > number)
    if execute(select(plans.c.plan_id).where(newer, plans.c.sent_at.is_not(None)).limit(1)).first() is None:
        return 0
    is_open = and_(changes.c.plan_id == plan_id, changes.c.outcome.is_(None))
    overtaken = and_(is_open, _is_decided_since(tables, number), not_(_still_opts_out(tables)))
    sent = execute(select(func.count()).where(overtaken, changes.c.operation.in_(_SENT))).scalar()
    message = "a newer plan has written or removed this row since this plan was made"
    skipped = {"outcome": Outcome.RECORDED.value, "message": message, "answered_at": state.now()}
    execute(changes.update().where(overtaken).values(**skipped))
    return int(sent or 0)


def _is_decided_since(tables: SyncTables, number: int) -> ColumnElement[bool]:
    """Whether a newer plan than `number` wrote a change's key, or its contact (of a re-key: see `LastCheck`)."""
    changes, snapshot, contact_map = tables.changes, tables.snapshot, tables.contact_map
    newer, same_key = snapshot.c.acknowledged_plan > number, tables.same_key
    is_rekey = func.coalesce(changes.c.rekeyed, false())
    holder = and_(contact_map.c.dsid == changes.c.dsid, same_key(contact_map, snapshot), not_(is_rekey))
    return or_(exists().where(newer, same_key(snapshot, changes)), exists().where(newer, holder))


def _still_opts_out(tables: SyncTables) -> ColumnElement[bool]:
    """Whether a change sets an opt-out that its contact does not have, for any row: newer values do not answer it."""
    changes, snapshot, contact_map = tables.changes, tables.snapshot, tables.contact_map
    flags = tables.sync.state_columns(FieldKind.OPT_OUT)
    if not flags:
        return false()
    missing = [and_(func.coalesce(changes.c[differs_column(f)], False), not_(opts_out(snapshot.c[f]))) for f in flags]
    gone = or_(contact_map.c.deleted_at.is_not(None), contact_map.c.deleted_in_dailystory_at.is_not(None))
    contact = and_(contact_map.c.dsid == changes.c.dsid, tables.same_key(contact_map, snapshot), not_(gone))
    return case((changes.c.operation == Operation.OPT_OUT.value, exists().where(contact, or_(*missing))), else_=False)
