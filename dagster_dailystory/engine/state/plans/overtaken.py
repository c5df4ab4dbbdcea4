"""What another plan leaves of a plan that is sent after it: the changes that it has not decided or sent."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, case, exists, false, func, not_, or_, select

from dagster_dailystory.databases.expressions import opts_out
from dagster_dailystory.engine.state.schema import DROPPED, UNKNOWN_FIELDS, SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import SENT_OPERATIONS, Operation, Outcome
from dagster_dailystory.model.contact_fields import FieldKind

_SENT = sorted(operation.value for operation in SENT_OPERATIONS)


def skip_overtaken(state: State, tables: SyncTables, plan_id: str) -> int:
    """Skip the changes of rows that a newer plan has decided, or that an older plan sent in the meantime.

    Within the caller's transaction.

    Returns:
        How many of them would have been sent.
    """
    plans, changes, execute = state.shared.plans, tables.changes, state.connection.execute
    mine = execute(select(plans.c.number, plans.c.created_at).where(plans.c.plan_id == plan_id)).one()
    number = int(mine.number)
    others = select(plans.c.plan_id).where(plans.c.sync_name == tables.sync.name).limit(1)
    newer = others.where(plans.c.number > number, plans.c.sent_at.is_not(None))
    older = others.where(plans.c.number < number, plans.c.sent_at >= mine.created_at)
    skipped: list[tuple[ColumnElement[bool], str]] = []
    if execute(newer).first() is not None:
        decided = and_(_is_decided_since(tables, number), not_(_still_opts_out(tables)))
        skipped.append((decided, "a newer plan has written or removed this row since this plan was made"))
    if execute(older).first() is not None:
        skipped.append((_is_acknowledged(state, tables), "an older plan has sent the same values since"))
    rows = 0
    for condition, message in skipped:
        overtaken = and_(changes.c.plan_id == plan_id, changes.c.outcome.is_(None), condition)
        rows += int(execute(select(func.count()).where(overtaken, changes.c.operation.in_(_SENT))).scalar() or 0)
        result = {"outcome": Outcome.RECORDED.value, "message": message, "answered_at": state.now()}
        execute(changes.update().where(overtaken).values(**result))
    return rows


def _is_acknowledged(state: State, tables: SyncTables) -> ColumnElement[bool]:
    """Whether DailyStory has acknowledged all that a create or an update would send: another slice had the row too.

    A field differs in a plan because the snapshot differed, unless the row is sent as a whole: then equal values say
    nothing. A new row has no snapshot until it is acknowledged.
    """
    changes, snapshot = tables.changes, tables.snapshot
    by_difference = and_(
        changes.c.operation == Operation.UPDATE.value, not_(func.coalesce(changes.c.replaces, false()))
    )
    by_being_new = and_(changes.c.operation == Operation.CREATE.value, func.coalesce(changes.c.is_new, false()))
    sent = [
        or_(
            not_(func.coalesce(changes.c[differs_column(name)], false())),
            not_(state.database.differs(changes.c[name], snapshot.c[name])),
        )
        for name in tables.value_names
    ]
    is_sure = (
        snapshot.c.absent_since.is_(None),
        not_(func.coalesce(snapshot.c.resend_all, false())),
        snapshot.c[UNKNOWN_FIELDS].is_(None),
        changes.c[DROPPED].is_(None),
    )
    equal = exists().where(tables.same_key(snapshot, changes), *is_sure, *sent)
    return and_(or_(by_difference, by_being_new), equal)


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
