"""Intents: the record that a create is about to leave, committed before it does and kept until it is settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, and_, literal, not_, select

from dagster_dailystory.bulk import json_rows, rows_parameter
from dagster_dailystory.change import Change, Identity
from dagster_dailystory.contact_map import live_holders
from dagster_dailystory.dialect import BIG_INTEGER, MOMENT, TEXT, SqlType, SqlValue
from dagster_dailystory.interrupts import interrupts_held
from dagster_dailystory.lease import Lease
from dagster_dailystory.recent import look_at_all_rows
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
        known = select(intents.c.plan_id).where(self._tables.same_key(intents, changes)).exists()
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

    def settle(self, found: Sequence[tuple[Intent, str | None]]) -> None:
        """Write what look-ups said of doubtful creates: the contact that each made, or that there is none."""
        columns: dict[str, SqlType] = {"plan_id": TEXT, "sequence": BIG_INTEGER, "dsid": TEXT, "email": TEXT}
        given = json_rows(self._state.dialect, columns)
        with interrupts_held(), self._state.connection.begin():
            self._lease.renew(self._state)
            dsids = self._unshared([dsid for _, dsid in found])
            rows: list[dict[str, object]] = [
                {
                    "plan_id": intent.plan_id,
                    "sequence": intent.sequence,
                    "dsid": dsid,
                    "email": (intent.identity.email or "").strip().lower() or None,
                }
                for (intent, _), dsid in zip(found, dsids, strict=True)
            ]
            self._link(given, rows_parameter(rows))
            settled = select(given.c.sequence).where(self._settles(given)).exists()
            self._state.connection.execute(self._tables.intents.delete().where(settled), rows_parameter(rows))

    def _unshared(self, found: Sequence[str | None]) -> list[str | None]:
        """Leave out the contacts that a live key holds already, and take each for one intent only."""
        taken: set[str | None] = set(live_holders(self._state, self._tables, [dsid for dsid in found if dsid]))
        unshared = []
        for dsid in found:
            unshared.append(None if dsid in taken else dsid)
            taken.add(dsid)
        return unshared

    def _link(self, given: FromClause, rows: dict[str, str]) -> None:
        """Map the keys whose contact was found; nothing is known of its values, so all of them are sent next."""
        look_at_all_rows(self._state)
        intents, snapshot, contact_map = self._tables.intents, self._tables.snapshot, self._tables.contact_map
        execute, now = self._state.connection.execute, literal(self._state.now(), MOMENT)
        keys, names = self._keys(intents), list(self._tables.key_names)
        found = self._settles(given) & given.c.dsid.is_not(None)
        mapped = not_(select(contact_map.c.dsid).where(self._tables.same_key(contact_map, intents)).exists())
        link = select(*keys, given.c.dsid, intents.c.sent_at, now).where(found, mapped)
        execute(contact_map.insert().from_select([*names, "dsid", "first_synced_at", "last_synced_at"], link), rows)
        known = not_(select(snapshot.c.resend_all).where(self._tables.same_key(snapshot, intents)).exists())
        row = select(*keys, given.c.email, intents.c.mobile_as_sent, literal(True)).where(found, known)
        columns = [*names, "identity_email", "identity_mobile", "resend_all"]
        execute(snapshot.insert().from_select(columns, row), rows)

    def _settles(self, given: FromClause) -> ColumnElement[bool]:
        intents = self._tables.intents
        return and_(intents.c.plan_id == given.c.plan_id, intents.c.sequence == given.c.sequence)

    def _keys(self, relation: FromClause) -> list[SqlValue]:
        return [relation.c[key] for key in self._tables.key_names]
