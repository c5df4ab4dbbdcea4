"""Recovery after a run that was cut off: intents, and the values of unconfirmed writes.

A create, and an update that changes its contact's identity, has an intent: it is committed before the request and kept
until a response or a look-up shows whether the request was applied. Of all other changes the plan records how far it
was sent; what has no result up to there is unconfirmed, and its acknowledged values are invalidated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, and_, case, func, literal, not_, null, or_, select

from dagster_dailystory.contacts.identity import email_for_matching
from dagster_dailystory.contacts.payload import identity_as_sent
from dagster_dailystory.databases.expressions import rows_parameter
from dagster_dailystory.databases.sql_types import BIG_INTEGER, MOMENT, TEXT, SqlType, SqlValue
from dagster_dailystory.engine.interrupts import interrupts_held
from dagster_dailystory.engine.state.contact_map import live_holders
from dagster_dailystory.engine.state.incremental import require_full_comparison
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import DEPARTURE_IN_DOUBT, Change, Identity, Operation, Outcome
from dagster_dailystory.model.mapping import Nulls
from dagster_dailystory.model.runs.plan import PlanStatus
from dagster_dailystory.model.sync import ContactSync, Scope


def invalidate_interrupted(state: State, tables: SyncTables) -> None:
    """Invalidate what plans whose send was cut off may have written, within the caller's transaction."""
    plans, execute = state.shared.plans, state.connection.execute
    interrupted = and_(
        plans.c.sync_name == state.sync.name,
        plans.c.status == PlanStatus.SENDING.value,
        plans.c.left_sequence.is_not(None),
    )
    positions = execute(select(plans.c.plan_id, plans.c.left_priority, plans.c.left_sequence).where(interrupted)).all()
    if not positions:
        return
    tables = state.load_tables() or tables  # with the fields that are no longer mapped
    changes = tables.changes
    for plan_id, priority, sequence in positions:
        same_priority = and_(changes.c.priority == priority, changes.c.sequence <= sequence)
        sent = or_(changes.c.priority < priority, same_priority)
        invalidate(state, tables, and_(changes.c.plan_id == plan_id, changes.c.outcome.is_(None), sent))
    execute(plans.update().where(interrupted).values(left_priority=null(), left_sequence=null()))


def resume_complete_resends(state: State, tables: SyncTables) -> None:
    """Let a stopped send of all rows go on: its rows without a result are sent as a whole by the next plans.

    A send that stopped before its first row counts too; then the plan is `ready`, and has a time of sending. The rows
    equal the snapshot, so that no other plan would find them. Called before the rows to read are chosen, within the
    caller's transaction.
    """
    plans, changes, snapshot = state.shared.plans, tables.changes, tables.snapshot
    stopped = and_(
        plans.c.sync_name == state.sync.name,
        plans.c.status.in_([PlanStatus.SENDING.value, PlanStatus.READY.value]),
        plans.c.sent_at.is_not(None),
        plans.c.scope == Scope.ALL.value,
    )
    plan_ids = state.connection.execute(select(plans.c.plan_id).where(stopped)).scalars().all()
    if not plan_ids:
        return
    unsettled = or_(changes.c.outcome.is_(None), changes.c.outcome == Outcome.FAILED.value)
    is_open = and_(changes.c.plan_id.in_(plan_ids), unsettled)
    updates = and_(is_open, changes.c.operation == Operation.UPDATE.value)
    unsent = select(changes.c.sequence).where(updates, tables.same_key(changes, snapshot)).exists()
    state.connection.execute(snapshot.update().where(unsent).values(resend_all=True))
    require_full_comparison(state)
    invalidate_interrupted(state, tables)
    ended = plans.update().where(plans.c.plan_id.in_(plan_ids))
    state.connection.execute(ended.values(status=PlanStatus.SUPERSEDED.value))


def invalidate(state: State, tables: SyncTables, unconfirmed: ColumnElement[bool]) -> None:
    """Invalidate the acknowledged values of unconfirmed changes, within the caller's transaction.

    A field that differed loses its acknowledged value. Four kinds of row are sent as a whole instead: one with a
    differing field of `nulls="clear"`, where a NULL in the source would equal the invalidated value; one with a
    differing custom field, because custom fields are sent together; one that was sent as a whole; and one whose contact
    may have been deleted or deactivated. The snapshot notes the last kind: its status may be that of other people, so
    that it is never made active.

    Args:
        state: The open state.
        tables: The sync's tables.
        unconfirmed: Selects the changes; creates have intents instead and are left out.
    """
    changes, contact_map, snapshot = tables.changes, tables.contact_map, tables.snapshot
    fields = tables.sync.mapped_fields
    flags = {m.state_column: changes.c[differs_column(m.state_column)] for m in fields}
    differed = {name: func.coalesce(flag, False) for name, flag in flags.items()}  # NULL for a field mapped since
    deletes = changes.c.operation == Operation.DELETE.value
    sends_whole_row = [differed[m.state_column] for m in fields if m.nulls is Nulls.CLEAR or m.is_custom]
    as_a_whole = or_(deletes, func.coalesce(changes.c.replaces, False), *sends_whole_row)
    written = (
        select(  # by dsid: the contact of a re-keyed row is still mapped to its old key
            *(contact_map.c[key] for key in tables.key_names),
            *(flag.label(differs_column(name)) for name, flag in differed.items()),
            *(changes.c[m.state_column] for m in fields if m.is_custom),
            as_a_whole.label("as_a_whole"),
            deletes.label("departs"),
        )
        .join(contact_map, contact_map.c.dsid == changes.c.dsid)
        .where(unconfirmed, or_(deletes, changes.c.operation == Operation.UPDATE.value))
        .subquery("written")
    )
    invalidated: dict[str, SqlValue] = {name: null() for name in tables.removed_names}
    for mapped in fields:
        name = mapped.state_column
        unknown = func.coalesce(written.c[name], snapshot.c[name]) if mapped.is_custom else null()
        invalidated[name] = case((written.c[differs_column(name)], unknown), else_=snapshot.c[name])
    invalidated["resend_all"] = or_(written.c.as_a_whole, func.coalesce(snapshot.c.resend_all, False))
    doubt = case((written.c.departs, literal(DEPARTURE_IN_DOUBT, TEXT)), else_=snapshot.c.absent_action)
    same_key = tables.same_key(snapshot, written)
    state.connection.execute(snapshot.update().where(same_key).values(**invalidated, absent_action=doubt))


@dataclass(frozen=True)
class Intent:
    """A create, or an update of an identity, that was sent and is not settled.

    Attributes:
        plan_id: The plan that sent it.
        sequence: The change's number in that plan.
        identity: The identity as it was sent; of an update only the part that changes.
        dsid: The contact of an update, None for a create.
    """

    plan_id: str
    sequence: int
    identity: Identity
    dsid: str | None = None


def has_intent(change: Change) -> bool:
    """Whether the change gives a contact an identity: a create, or an update of the email or mobile number."""
    return change.operation is Operation.CREATE or (change.operation is Operation.UPDATE and bool(change.new_identity))


def identities_as_sent(sync: ContactSync, batch: Sequence[Change]) -> dict[int, Identity]:
    """By sequence, the identities that the changes with an intent send; of an update, only the part that changes."""
    sent = {change.sequence: identity_as_sent(sync, change) for change in batch if has_intent(change)}
    for change in batch:
        if change.sequence in sent and change.operation is not Operation.CREATE:
            full, new = sent[change.sequence], change.new_identity
            sent[change.sequence] = Identity(new.email and full.email, new.mobile and full.mobile)
    return sent


class Intents:
    """Writes and settles the intents of one sync. Each public method is one transaction."""

    def __init__(self, state: State, tables: SyncTables, lease: Lease) -> None:
        self._state = state
        self._tables = tables
        self._lease = lease

    def add(self, plan_id: str, priority: int, batch: Sequence[Change], sent: Mapping[int, Identity]) -> None:
        """Commit that these changes are about to be sent.

        Args:
            plan_id: Their plan.
            priority: Their common priority; changes of lower priorities were sent before.
            batch: The changes, in the order of their sequence.
            sent: By sequence, the identity as it is sent, for changes that have an intent.
        """
        with self._lease.transaction(self._state):
            self._record_position(plan_id, priority, batch[-1].sequence)
            if sent:
                self._insert(plan_id, [(c, sent[c.sequence]) for c in batch if c.sequence in sent])

    def add_out_of_turn(self, plan_id: str, batch: Sequence[Change], sent: Mapping[int, Identity]) -> None:
        """Commit that changes further on in the plan are about to be sent, which its position does not cover.

        Until they have a result they are in doubt, and what they may write is invalidated.

        Args:
            plan_id: Their plan.
            batch: The changes.
            sent: By sequence, the identity as it is sent, for changes that have an intent.
        """
        with self._lease.transaction(self._state):
            mine = self._of(plan_id, [change.sequence for change in batch])
            invalidate(self._state, self._tables, mine)
            in_doubt = self._tables.changes.update().where(mine)
            self._state.connection.execute(in_doubt.values(outcome=Outcome.IN_DOUBT.value))
            if sent:
                self._insert(plan_id, [(c, sent[c.sequence]) for c in batch if c.sequence in sent])

    def reopen(self, plan_id: str, sequences: Sequence[int]) -> None:
        """Commit that changes that were sent out of turn ended without a result."""
        with self._lease.transaction(self._state):
            reopened = self._tables.changes.update().where(self._of(plan_id, sequences))
            self._state.connection.execute(reopened.values(outcome=None))

    def _of(self, plan_id: str, sequences: Sequence[int]) -> ColumnElement[bool]:
        return and_(self._tables.changes.c.plan_id == plan_id, self._tables.changes.c.sequence.in_(sequences))

    def _record_position(self, plan_id: str, priority: int, sequence: int) -> None:
        """Record how far a plan was sent. A resumed plan starts further back; then the position stays."""
        plans = self._state.shared.plans
        further = and_(plans.c.left_priority == priority, plans.c.left_sequence < sequence)
        moves = or_(plans.c.left_priority.is_(None), plans.c.left_priority < priority, further)
        moved = plans.update().where(plans.c.plan_id == plan_id, moves)
        self._state.connection.execute(moved.values(left_priority=priority, left_sequence=sequence))

    def _insert(self, plan_id: str, sent: Sequence[tuple[Change, Identity]]) -> None:
        rows: list[dict[str, object]] = [
            {"sequence": change.sequence, "email": identity.email, "mobile": identity.mobile, "dsid": change.dsid}
            for change, identity in sent
        ]
        columns: dict[str, SqlType] = {"sequence": BIG_INTEGER, "email": TEXT, "mobile": TEXT, "dsid": TEXT}
        given = self._state.database.json_rows(columns)
        changes, intents = self._tables.changes, self._tables.intents
        known = select(intents.c.plan_id).where(self._tables.same_key(intents, changes)).exists()
        new = (
            select(
                *self._keys(changes),
                changes.c.plan_id,
                changes.c.sequence,
                given.c.email,
                given.c.mobile,
                given.c.dsid,
                literal(self._state.now(), MOMENT),
            )
            .join(given, given.c.sequence == changes.c.sequence)
            .where(changes.c.plan_id == plan_id, not_(known))
        )
        names = [*self._tables.key_names, "plan_id", "sequence", "email_as_sent", "mobile_as_sent", "dsid", "sent_at"]
        self._state.connection.execute(intents.insert().from_select(names, new), rows_parameter(rows))

    def open(self) -> list[Intent]:
        """The intents of all plans that are not settled."""
        with interrupts_held(), self._state.connection.begin():
            rows = self._state.connection.execute(select(self._tables.intents)).mappings()
            return [
                Intent(
                    row["plan_id"], row["sequence"], Identity(row["email_as_sent"], row["mobile_as_sent"]), row["dsid"]
                )
                for row in rows
            ]

    def settle(self, found: Sequence[tuple[Intent, str | None]]) -> None:
        """Settle intents by their look-ups: each with the contact that has its identity, or None."""
        columns: dict[str, SqlType] = {"plan_id": TEXT, "sequence": BIG_INTEGER, "dsid": TEXT, "email": TEXT}
        given = self._state.database.json_rows(columns)
        with interrupts_held(), self._lease.transaction(self._state):
            dsids = self._unshared([None if intent.dsid else dsid for intent, dsid in found])
            rows: list[dict[str, object]] = [
                {
                    "plan_id": intent.plan_id,
                    "sequence": intent.sequence,
                    "dsid": dsid,
                    "email": _for_matching(intent.identity.email),
                }
                for (intent, _), dsid in zip(found, dsids, strict=True)
            ]
            if any(dsids):
                self._link(given, rows_parameter(rows))
            self._record_identities(
                [intent for intent, dsid in found if intent.dsid is not None and intent.dsid == dsid]
            )
            settled = select(given.c.sequence).where(self._settles(given)).exists()
            self._state.connection.execute(self._tables.intents.delete().where(settled), rows_parameter(rows))

    def _unshared(self, found: Sequence[str | None]) -> list[str | None]:
        """Drop contacts that a live key already has, and use each of the others for one intent only."""
        taken: set[str | None] = set(live_holders(self._state, self._tables, [dsid for dsid in found if dsid]))
        unshared = []
        for dsid in found:
            unshared.append(None if dsid in taken else dsid)
            taken.add(dsid)
        return unshared

    def _link(self, given: FromClause, rows: dict[str, str]) -> None:
        """Map the keys whose contact was found. Its values are not known, so the next plan sends all of them."""
        require_full_comparison(self._state)
        intents, snapshot, contact_map = self._tables.intents, self._tables.snapshot, self._tables.contact_map
        execute, now = self._state.connection.execute, literal(self._state.now(), MOMENT)
        keys, names = self._keys(intents), list(self._tables.key_names)
        found = self._settles(given) & given.c.dsid.is_not(None)
        mapped = not_(select(contact_map.c.dsid).where(self._tables.same_key(contact_map, intents)).exists())
        link = select(*keys, given.c.dsid, intents.c.sent_at, now).where(found, mapped)
        execute(contact_map.insert().from_select([*names, "dsid", "first_synced_at", "last_synced_at"], link), rows)
        if self._state.sync.history_days:
            self._add_to_history(found, given, rows)
        known = not_(select(snapshot.c.resend_all).where(self._tables.same_key(snapshot, intents)).exists())
        row = select(*keys, given.c.email, intents.c.mobile_as_sent, literal(True)).where(found, known)
        columns = [*names, "identity_email", "identity_mobile", "resend_all"]
        execute(snapshot.insert().from_select(columns, row), rows)

    def _add_to_history(self, found: ColumnElement[bool], given: FromClause, rows: dict[str, str]) -> None:
        """Note that contacts were found: which values the lost creates wrote, if they were received, is not known."""
        intents, history = self._tables.intents, self._tables.history
        texts = {"run_id": self._lease.run_id, "operation": Operation.CREATE.value, "outcome": Outcome.MAPPED.value}
        event: dict[str, SqlValue] = {name: literal(text, TEXT) for name, text in texts.items()}
        event |= {"plan_id": intents.c.plan_id, "dsid": given.c.dsid}
        event["acknowledged_at"] = literal(self._state.now(), MOMENT)
        row = select(*self._keys(intents), *event.values()).where(found)
        self._state.connection.execute(history.insert().from_select([*self._tables.key_names, *event], row), rows)

    def _record_identities(self, applied: Sequence[Intent]) -> None:
        """Write the identities that applied updates gave their contacts, whatever key has the contact now."""
        if not applied:
            return
        rows: list[dict[str, object]] = [
            {
                "dsid": each.dsid,
                "email": _for_matching(each.identity.email),
                "mobile": each.identity.mobile,
            }
            for each in applied
        ]
        given = self._state.database.json_rows({"dsid": TEXT, "email": TEXT, "mobile": TEXT})
        contact_map, snapshot = self._tables.contact_map, self._tables.snapshot
        renamed = (
            select(*self._keys(contact_map), given.c.email, given.c.mobile)
            .join(given, given.c.dsid == contact_map.c.dsid)
            .subquery("renamed")
        )
        update = snapshot.update().where(self._tables.same_key(snapshot, renamed))
        identity = {
            "identity_email": func.coalesce(renamed.c.email, snapshot.c.identity_email),
            "identity_mobile": func.coalesce(renamed.c.mobile, snapshot.c.identity_mobile),
        }
        self._state.connection.execute(update.values(**identity), rows_parameter(rows))

    def _settles(self, given: FromClause) -> ColumnElement[bool]:
        intents = self._tables.intents
        return and_(intents.c.plan_id == given.c.plan_id, intents.c.sequence == given.c.sequence)

    def _keys(self, relation: FromClause) -> list[SqlValue]:
        return [relation.c[key] for key in self._tables.key_names]


def _for_matching(email: str | None) -> str | None:
    """Normalize an email that was sent, as the snapshot stores it."""
    return email_for_matching(email) if email else None
