"""Intents: the record that a create is about to leave, committed before it does and kept until it is settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, and_, literal, not_, select

from dagster_dailystory.change import Change, Identity
from dagster_dailystory.contact_map import live_holders
from dagster_dailystory.dialect import BIG_INTEGER, MOMENT, TEXT, SqlValue, json_rows, rows_parameter
from dagster_dailystory.lease import Lease
from dagster_dailystory.state import State
from dagster_dailystory.tables import SyncTables


@dataclass(frozen=True)
class Intent:
    """A create that left and was not settled.

    Attributes:
        plan_id: The plan that sent it.
        sequence: Its number there.
        identity: As it was sent.
    """

    plan_id: str
    sequence: int
    identity: Identity


class Intents:
    """Writes and settles the intents of one sync. Each public method is one transaction."""

    def __init__(self, state: State, tables: SyncTables, lease: Lease) -> None:
        self._state = state
        self._tables = tables
        self._lease = lease

    def add(self, plan_id: str, creates: Iterable[Change], sent: Mapping[int, Identity]) -> None:
        """Commit that these creates are about to leave, with the identity that will be sent."""
        rows: list[dict[str, object]] = [
            {"sequence": c.sequence, "email": sent[c.sequence].email, "mobile": sent[c.sequence].mobile}
            for c in creates
        ]
        if not rows:
            return
        given = json_rows(self._state.dialect, {"sequence": BIG_INTEGER, "email": TEXT, "mobile": TEXT})
        changes, intents = self._tables.changes, self._tables.intents
        known = select(intents.c.plan_id).where(self._same(intents, changes)).exists()
        new = (
            select(
                *self._keys(changes),
                changes.c.plan_id,
                changes.c.sequence,
                given.c.email,
                given.c.mobile,
                literal(self._state.now(), MOMENT),
            )
            .join(given, given.c.sequence == changes.c.sequence)
            .where(changes.c.plan_id == plan_id, not_(known))
        )
        names = [*self._tables.key_names, "plan_id", "sequence", "email_as_sent", "mobile_as_sent", "sent_at"]
        with self._state.connection.begin():
            self._lease.renew(self._state)
            self._state.connection.execute(intents.insert().from_select(names, new), rows_parameter(rows))

    def open(self) -> list[Intent]:
        """The creates of any plan that are not settled."""
        with self._state.connection.begin():
            rows = self._state.connection.execute(select(self._tables.intents)).mappings()
            return [
                Intent(row["plan_id"], row["sequence"], Identity(row["email_as_sent"], row["mobile_as_sent"]))
                for row in rows
            ]

    def settle(self, intent: Intent, dsid: str | None) -> None:
        """Write what a look-up said of a doubtful create: the contact it made, or that there is none."""
        intents, snapshot, contact_map = self._tables.intents, self._tables.snapshot, self._tables.contact_map
        mine = and_(intents.c.plan_id == intent.plan_id, intents.c.sequence == intent.sequence)
        execute, now = self._state.connection.execute, literal(self._state.now(), MOMENT)
        with self._state.connection.begin():
            self._lease.renew(self._state)
            if dsid is not None and not live_holders(self._state, self._tables, [dsid]):
                keys, names = self._keys(intents), list(self._tables.key_names)
                mapped = not_(select(contact_map.c.dsid).where(self._same(contact_map, intents)).exists())
                link = select(*keys, literal(dsid, TEXT), intents.c.sent_at, now).where(mine, mapped)
                columns = [*names, "dsid", "first_synced_at", "last_synced_at"]
                execute(contact_map.insert().from_select(columns, link))
                known = not_(select(snapshot.c.resend_all).where(self._same(snapshot, intents)).exists())
                email, mobile = (intent.identity.email or "").strip().lower() or None, intent.identity.mobile
                row = select(*keys, literal(email, TEXT), literal(mobile, TEXT), literal(True)).where(mine, known)
                columns = [*names, "identity_email", "identity_mobile", "resend_all"]
                execute(snapshot.insert().from_select(columns, row))
            execute(intents.delete().where(mine))

    def _keys(self, relation: FromClause) -> list[SqlValue]:
        return [relation.c[key] for key in self._tables.key_names]

    def _same(self, one: FromClause, other: FromClause) -> ColumnElement[bool]:
        return and_(*(one.c[key] == other.c[key] for key in self._tables.key_names))
