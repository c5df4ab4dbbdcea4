"""Whose history is read: that of some keys, of a contact, or of an email address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, func, or_, select

from dagster_dailystory.contacts.identity import email_for_matching
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.records.history import has_key
from dagster_dailystory.model.contact_fields import FieldKind


@dataclass(frozen=True)
class Whose:
    """At most one of these; without any, the whole history.

    Attributes:
        keys: Keys, as a user writes them.
        email: An email address that the contact has, or had at some time of the history.
        dsid: A contact.
    """

    keys: Sequence[str] = field(default=(), repr=False)
    email: str | None = field(default=None, repr=False)
    dsid: str | None = None

    def conditions(self, state: State, tables: SyncTables) -> list[ColumnElement[bool]] | None:
        """Conditions on the history, within the caller's transaction; empty for all of it, None for nothing of it.

        Raises:
            ConfigurationError: A key is not a value of its columns' types.
        """
        history = tables.history
        if self.dsid is not None:
            return [history.c.dsid == self.dsid]
        if self.email is None:
            return list(has_key(tables, dict(history.c.items()), self.keys))
        dsids = _contacts_of(state, tables, self.email.strip())
        return [history.c.dsid.in_(dsids)] if dsids else None


EVERY_KEY = Whose()


def _contacts_of(state: State, tables: SyncTables, email: str) -> list[str]:
    """The contacts with an email address, now or at some time of the history."""
    snapshot, contact_map, history = tables.snapshot, tables.contact_map, tables.history
    has_it = snapshot.c.identity_email == email_for_matching(email)
    now = select(contact_map.c.dsid).join_from(snapshot, contact_map, tables.same_key(snapshot, contact_map))
    written = [_has_text(history.c[name], email) for name in ("before", "after")]
    found = set(state.connection.execute(now.where(has_it)).scalars())
    columns = state.sync.state_columns(FieldKind.EMAIL)
    for dsid, *texts in state.connection.execute(
        select(history.c.dsid, history.c.before, history.c.after).where(or_(*written))
    ):
        values = [json.loads(text or "{}").get(column) for text in texts for column in columns]
        if email.casefold() in (str(value).strip().casefold() for value in values):  # not the value of another field
            found.add(dsid)
    return sorted(str(dsid) for dsid in found if dsid is not None)


def _has_text(values: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether one of the values of a JSON text is this one, in any letter case."""
    return func.lower(values).contains(json.dumps(text.lower(), ensure_ascii=False), autoescape=True)
