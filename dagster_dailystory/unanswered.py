"""Updates and deletions without an answer: each may have been done, so what it would have changed is known no more.

It is forgotten: the next plan finds a difference whatever the source says by then, its old value included.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, case, func, null, or_, select

from dagster_dailystory.change import Operation
from dagster_dailystory.dialect import SqlValue
from dagster_dailystory.model import Nulls
from dagster_dailystory.report import PlanStatus
from dagster_dailystory.state import State
from dagster_dailystory.tables import SyncTables, differs_column


def forget_interrupted(state: State, tables: SyncTables) -> None:
    """Forget what the plans may have written whose send was cut off, within the caller's transaction."""
    plans, execute = state.shared.plans, state.connection.execute
    interrupted = and_(
        plans.c.sync_name == state.sync.name,
        plans.c.status == PlanStatus.SENDING.value,
        plans.c.left_sequence.is_not(None),
    )
    marks = execute(select(plans.c.plan_id, plans.c.left_priority, plans.c.left_sequence).where(interrupted)).all()
    if not marks:
        return
    tables = state.load_tables() or tables  # with the fields that are mapped no more
    changes = tables.changes
    for plan_id, priority, sequence in marks:
        up_to_it = and_(changes.c.priority == priority, changes.c.sequence <= sequence)
        left = or_(changes.c.priority < priority, up_to_it)
        forget(state, tables, and_(changes.c.plan_id == plan_id, changes.c.outcome.is_(None), left))
    execute(plans.update().where(interrupted).values(left_priority=null(), left_sequence=null()))


def forget(state: State, tables: SyncTables, unanswered: ColumnElement[bool]) -> None:
    """Forget what certain changes may have written, within the caller's transaction.

    A field that differed loses its acknowledged value. That does not do where nothing in the source empties a field
    (`nulls="clear"`), for custom fields, which travel with those that the source does not name, where all of a row was
    sent, and for a contact that may have been taken out: such a row is sent as a whole.

    Args:
        state: The open state.
        tables: The sync's tables.
        unanswered: Which changes; creates among them have intents instead.
    """
    changes, contact_map, snapshot = tables.changes, tables.contact_map, tables.snapshot
    fields = tables.sync.mapped_fields
    flags = {m.state_column: changes.c[differs_column(m.state_column)] for m in fields}
    differed = {name: func.coalesce(flag, False) for name, flag in flags.items()}  # NULL for a field mapped since
    takes_out = changes.c.operation == Operation.DELETE.value
    told_together = [differed[m.state_column] for m in fields if m.nulls is Nulls.CLEAR or m.is_custom]
    as_a_whole = or_(takes_out, func.coalesce(changes.c.replaces, False), *told_together)
    written = (
        select(  # by dsid: the contact of a re-keyed row is still mapped to its old key
            *(contact_map.c[key] for key in tables.key_names),
            *(flag.label(differs_column(name)) for name, flag in differed.items()),
            *(changes.c[m.state_column] for m in fields if m.is_custom),
            as_a_whole.label("as_a_whole"),
        )
        .join(contact_map, contact_map.c.dsid == changes.c.dsid)
        .where(unanswered, or_(takes_out, changes.c.operation == Operation.UPDATE.value))
        .subquery("written")
    )
    forgotten: dict[str, SqlValue] = {name: null() for name in tables.removed_names}
    for mapped in fields:
        name = mapped.state_column
        left = func.coalesce(written.c[name], snapshot.c[name]) if mapped.is_custom else null()
        forgotten[name] = case((written.c[differs_column(name)], left), else_=snapshot.c[name])
    forgotten["resend_all"] = or_(written.c.as_a_whole, func.coalesce(snapshot.c.resend_all, False))
    execute = state.connection.execute
    execute(snapshot.update().where(tables.same_key(snapshot, written)).values(**forgotten))
    taken_out = select(changes.c.dsid).where(unanswered, takes_out)
    # Where the key returns, the contact's status is asked for before anything is written.
    execute(contact_map.update().where(contact_map.c.dsid.in_(taken_out)).values(deactivated_at=state.now()))
