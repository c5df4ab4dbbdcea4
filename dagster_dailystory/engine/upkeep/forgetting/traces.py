"""The traces of rows in the state: their keys, earlier keys of the same contacts, dsids and identities."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, FromClause, Select, and_, column, false, func, or_, select, table

from dagster_dailystory.contacts.identity import email_for_matching
from dagster_dailystory.contacts.keyed_hash import EMAIL, KEY, MOBILE, hash_of_key, hashes_of_identity
from dagster_dailystory.databases.connect import reflected_types
from dagster_dailystory.engine.presence.forgotten import in_parts
from dagster_dailystory.engine.state.contact_map import names_of_other_syncs
from dagster_dailystory.engine.state.schema import HASH_COLUMNS, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Identity
from dagster_dailystory.model.runs.plan import PlanStatus

Key = tuple[object, ...]

_KINDS = {"identity_email": EMAIL, "identity_mobile": MOBILE}


@dataclass
class Traces:
    """What the state has of the rows to forget.

    Attributes:
        keys: Their keys, and earlier keys of the same contacts or identities, as the state has them.
        dsids: Their contacts, without those of other keys.
        identities: Column of an identity -> its values.
        hashes: Kind -> keyed hashes of identities whose values were dropped before.
        shared: The hashes of identities that another live key has too: they are not blocked.
        other_syncs: Other sync of the state -> its rows with one of these contacts or identities.
    """

    keys: set[Key] = field(default_factory=set)
    dsids: set[str] = field(default_factory=set)
    identities: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in _KINDS})
    hashes: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in _KINDS.values()})
    shared: set[str] = field(default_factory=set)
    other_syncs: dict[str, int] = field(default_factory=dict)

    def identity_hashes(self, secret: bytes) -> dict[str, set[str]]:
        """Kind -> the hashes of all identities, shared or not."""
        found = {kind: set(hashes) for kind, hashes in self.hashes.items()}
        for name, kind in _KINDS.items():
            for value in self.identities[name]:
                found[kind] |= set(hashes_of_identity(secret, Identity(**{kind: value})).values())
        return found

    def blocked(self, secret: bytes) -> dict[str, set[str]]:
        """Kind -> the hashes that keep the rows out."""
        found = {kind: hashes - self.shared for kind, hashes in self.identity_hashes(secret).items()}
        return {**found, KEY: {hash_of_key(secret, key) for key in self.keys}}

    def own_identities(self, secret: bytes, name: str) -> list[str]:
        """The values of an identity's column that no other live key has."""
        kind = _KINDS[name]
        one = {each: Identity(**{kind: each}) for each in self.identities[name]}
        return sorted(each for each, it in one.items() if hashes_of_identity(secret, it)[kind] not in self.shared)


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
        self._look_into_other_syncs(traces)
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
            for name, kind in _KINDS.items():
                for relation in (snapshot, changes):
                    values = select(relation.c[name]).where(self.has_key(relation, part), relation.c[name].is_not(None))
                    traces.identities[name].update(self._column(values.distinct()))
                hashed = snapshot.c[HASH_COLUMNS[name]]
                found = select(hashed).where(self.has_key(snapshot, part), hashed.is_not(None))
                traces.hashes[kind].update(self._column(found))
            sent = select(intents.c.email_as_sent, intents.c.mobile_as_sent).where(self.has_key(intents, part))
            for email, mobile in self._state.connection.execute(sent):
                traces.identities["identity_email"].update([email_for_matching(email)] if email else [])
                traces.identities["identity_mobile"].update([mobile] if mobile else [])

    def _leave_contacts_of_others(self, traces: Traces) -> None:
        contact_map = self._tables.contact_map
        columns = (contact_map.c.dsid, *self._tables.keys_of(contact_map))
        for part in in_parts(sorted(traces.dsids)):
            for dsid, *key in self._state.connection.execute(select(*columns).where(contact_map.c.dsid.in_(part))):
                if tuple(key) not in traces.keys and not self._is_missing(tuple(key)):
                    traces.dsids.discard(dsid)

    def _is_missing(self, key: Key) -> bool:
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
        for condition in self._has_identity(traces, tables.snapshot):
            keys = select(*tables.keys_of(tables.snapshot)).where(absent, condition)
            found |= {tuple(key) for key in self._state.connection.execute(keys)}
        return {key for key in found - traces.keys if None not in key and self._is_missing(key)}

    def _has_identity(self, traces: Traces, relation: FromClause) -> Iterator[ColumnElement[bool]]:
        for name, values in traces.identities.items():
            for part in in_parts(sorted(values)):
                yield relation.c[name].in_(part)
        if "identity_email_hash" in relation.c:
            hashes = traces.identity_hashes(self._state.secret)
            for name, kind in _KINDS.items():
                for part in in_parts(sorted(hashes[kind])):
                    yield relation.c[HASH_COLUMNS[name]].in_(part)

    def _find_shared(self, traces: Traces) -> None:
        """Find the identities that another live key has, or is about to get by a plan that may still be sent."""
        tables, plans = self._tables, self._state.shared.plans
        live = tables.snapshot.c.absent_since.is_(None)
        may_be_sent = [each.value for each in (PlanStatus.READY, PlanStatus.WAITING, PlanStatus.SENDING)]
        open_plans = select(plans.c.plan_id).where(plans.c.status.in_(may_be_sent))
        is_open = and_(tables.changes.c.plan_id.in_(open_plans), tables.changes.c.outcome.is_(None))
        for relation, condition in ((tables.snapshot, live), (tables.changes, is_open)):
            columns = [*tables.keys_of(relation), relation.c.identity_email, relation.c.identity_mobile]
            for identity in self._has_identity(traces, relation):
                for *key, email, mobile in self._state.connection.execute(select(*columns).where(condition, identity)):
                    if tuple(key) not in traces.keys:
                        traces.shared |= self._hashes(traces, email, mobile)

    def _hashes(self, traces: Traces, email: str | None, mobile: str | None) -> set[str]:
        """The hashes of the parts of an identity that are among the traces."""
        mine = traces.identity_hashes(self._state.secret)
        found = hashes_of_identity(self._state.secret, Identity(email, mobile))
        return {each for kind, each in found.items() if each in mine[kind]}

    def _look_into_other_syncs(self, traces: Traces) -> None:
        """Count the rows of other syncs that have one of the identities; a live one of them shares it."""
        location = self._state.location
        for name in names_of_other_syncs(self._state):
            stored = location.table_name(name, "snapshot")
            if reflected_types(self._state.connection, stored, location.schema) is None:
                continue
            names = (*_KINDS, *HASH_COLUMNS.values(), "absent_since")
            snapshot = table(stored, *map(column, names), schema=location.schema)
            conditions = list(self._has_identity(traces, snapshot))
            if not conditions:
                continue
            has_one = or_(*conditions)
            counted = select(func.count()).select_from(snapshot).where(has_one)
            rows = int(self._state.connection.execute(counted).scalar_one())
            if rows:
                traces.other_syncs[name] = rows
            if not self._state.is_retired(name):
                identities = select(snapshot.c.identity_email, snapshot.c.identity_mobile)
                live = identities.where(has_one, snapshot.c.absent_since.is_(None))
                for email, mobile in self._state.connection.execute(live):
                    traces.shared |= self._hashes(traces, email, mobile)

    def _column(self, query: Select[tuple[str]]) -> Sequence[str]:
        return list(self._state.connection.scalars(query))
