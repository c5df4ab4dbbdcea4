"""Finds the traces of rows in the state: also of earlier keys of the same contacts, and of their earlier values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, FromClause, Select, and_, false, or_, select

from dagster_dailystory.contacts.identity import email_for_matching
from dagster_dailystory.engine.presence.forgotten import in_parts
from dagster_dailystory.engine.state.schema import HASH_COLUMNS, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.forgetting.other_syncs import look_into_other_syncs, may_be_sent
from dagster_dailystory.engine.upkeep.forgetting.past_values import PastValues
from dagster_dailystory.engine.upkeep.forgetting.traces import IDENTITY_KINDS, Key, Traces


class TraceFinder:
    """Finds the traces of rows, within the caller's transaction.

    Args:
        state: The sync's state.
        tables: The sync's tables.
    """

    def __init__(self, state: State, tables: SyncTables) -> None:
        self._state = state
        self._tables = tables

    def find(self, keys: Iterable[Key]) -> Traces:
        """Find what belongs to these keys. A missing key with the same contact or identity is the same row before."""
        traces, new = Traces(), set(keys)
        while new:
            traces.keys |= new
            self._add_values(traces, new)
            self._leave_contacts_of_others(traces)
            new = self._earlier_keys(traces) - traces.keys
        self._find_shared(traces)
        look_into_other_syncs(self._state, traces)
        return traces

    def stored(self, keys: Collection[Key]) -> set[Key]:
        """Those of the keys that a table has."""
        found: set[Key] = set()
        for relation in self._tables.keyed:
            for part in in_parts(sorted(keys, key=repr)):
                query = select(*self._tables.keys_of(relation)).where(self.has_key(relation, part)).distinct()
                found |= {tuple(key) for key in self._state.connection.execute(query)}
        return found

    def has_key(self, relation: FromClause, keys: Sequence[Key]) -> ColumnElement[bool]:
        """Whether a row has one of these keys."""
        names = self._tables.key_names
        return or_(
            false(), *(and_(*(relation.c[n] == part for n, part in zip(names, key, strict=True))) for key in keys)
        )

    def _add_values(self, traces: Traces, keys: set[Key]) -> None:
        tables = self._tables
        for part in in_parts(sorted(keys, key=repr)):
            snapshot, changes, intents = tables.snapshot, tables.changes, tables.intents
            for relation in (tables.contact_map, changes, tables.history, intents):
                dsids = select(relation.c.dsid).where(self.has_key(relation, part), relation.c.dsid.is_not(None))
                traces.dsids.update(self._column(dsids.distinct()))
            for name, kind in IDENTITY_KINDS.items():
                for relation in (snapshot, changes):
                    values = select(relation.c[name]).where(self.has_key(relation, part), relation.c[name].is_not(None))
                    traces.identities[name].update(self._column(values.distinct()))
                hashed = snapshot.c[HASH_COLUMNS[name]]
                found = select(hashed).where(self.has_key(snapshot, part), hashed.is_not(None))
                traces.hashes[kind].update(self._column(found))
            past = PastValues(self._state, tables).identities(self.has_key(tables.history, part))
            for name, value in past:
                traces.identities[name].add(value)
            sent = select(intents.c.email_as_sent, intents.c.mobile_as_sent).where(self.has_key(intents, part))
            for email, mobile in self._state.connection.execute(sent):
                traces.identities["identity_email"].update([email_for_matching(email)] if email else [])
                traces.identities["identity_mobile"].update([mobile] if mobile else [])

    def _leave_contacts_of_others(self, traces: Traces) -> None:
        contact_map = self._tables.contact_map
        columns = (contact_map.c.dsid, *self._tables.keys_of(contact_map))
        for part in in_parts(sorted(traces.dsids)):
            for dsid, *key in self._state.connection.execute(select(*columns).where(contact_map.c.dsid.in_(part))):
                if tuple(key) not in traces.keys and not self.is_missing(tuple(key)):
                    traces.dsids.discard(dsid)

    def is_missing(self, key: Key) -> bool:
        """Whether a key has no live row."""
        snapshot = self._tables.snapshot
        live = select(snapshot.c.resend_all).where(self.has_key(snapshot, [key]), snapshot.c.absent_since.is_(None))
        return self._state.connection.execute(live).first() is None

    def _earlier_keys(self, traces: Traces) -> set[Key]:
        """The keys without a live row that have, or had, one of the contacts, or that have one of the identities."""
        tables, found = self._tables, set[Key]()
        for part in in_parts(sorted(traces.dsids)):
            for relation in (tables.contact_map, tables.changes, tables.history):
                keys = select(*tables.keys_of(relation)).where(relation.c.dsid.in_(part)).distinct()
                found |= {tuple(key) for key in self._state.connection.execute(keys)}
        absent = tables.snapshot.c.absent_since.is_not(None)
        for condition in traces.among(tables.snapshot, self._state.secret):
            keys = select(*tables.keys_of(tables.snapshot)).where(absent, condition)
            found |= {tuple(key) for key in self._state.connection.execute(keys)}
        return {key for key in found - traces.keys if None not in key and self.is_missing(key)}

    def _find_shared(self, traces: Traces) -> None:
        """Find the identities that another live key has, or is about to get by a plan that may still be sent."""
        tables, secret = self._tables, self._state.secret
        is_live, is_planned = tables.snapshot.c.absent_since.is_(None), may_be_sent(self._state, tables.changes)
        for relation, condition in ((tables.snapshot, is_live), (tables.changes, is_planned)):
            columns = [*tables.keys_of(relation), relation.c.identity_email, relation.c.identity_mobile]
            for identity in traces.among(relation, secret):
                for *key, email, mobile in self._state.connection.execute(select(*columns).where(condition, identity)):
                    if tuple(key) not in traces.keys:
                        traces.shared |= traces.hashes_of(secret, email, mobile)

    def _column(self, query: Select[tuple[str]]) -> Sequence[str]:
        return list(self._state.connection.scalars(query))
