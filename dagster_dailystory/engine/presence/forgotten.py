"""The forgotten rows: keyed hashes of the keys and identities that must not come back, and what has to pass them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, case, column, func, literal, null, or_, select, table

from dagster_dailystory.contacts.keyed_hash import KEY, fingerprint_of, hash_of_key, hashes_of_identity
from dagster_dailystory.databases.connect import reflected_types
from dagster_dailystory.databases.sql_types import TEXT, SqlQuery
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import SENT_OPERATIONS, UNSETTLED, Identity, Operation, Outcome

T = TypeVar("T")

FORGOTTEN_ROW = (
    "the row was forgotten, or has the email or mobile number of one that was: nothing is sent for it; leave it out of "
    "the query"
)

_KEPT_OF_A_CHANGE = ("plan_id", "sequence", "operation", "outcome", "priority", "attempts", "answered_at")
"""What a change has without its key: its place in the plan, and its result."""

_CLOCKS_APART = timedelta(days=1)
"""Most by which the clocks of two hosts differ: a plan that is as much newer than a forgotten row passed its check."""

_ROWS_AT_ONCE = 5_000

_ADDED = "forgotten_added:"
"""How the meta rows begin that say when a sync has last stored hashes: each is guarded by the lease of its sync."""


@dataclass(frozen=True)
class Forgotten:
    """Recognises the forgotten rows of one sync.

    Attributes:
        secret: The state's secret.
        hashes: The hashes of identities, and those of this sync's keys.
    """

    secret: bytes
    hashes: frozenset[str]

    @classmethod
    def read(cls, state: State) -> Forgotten | None:
        """Read the hashes, within the caller's transaction; None if there are none: then nothing need be checked."""
        forgotten = state.shared.forgotten
        mine = or_(forgotten.c.kind != KEY, forgotten.c.sync_name == state.sync.name)
        found = frozenset(state.connection.execute(select(forgotten.c.hash).where(mine)).scalars())
        return cls(state.secret, found) if found else None

    def has(self, key: Sequence[object] | None, identity: Identity) -> bool:
        """Whether a row was forgotten, by its key, its email or its mobile number.

        Args:
            key: Its key; None if it is not known.
            identity: Its identity.
        """
        if key is not None and hash_of_key(self.secret, key) in self.hashes:
            return True
        return not self.hashes.isdisjoint(hashes_of_identity(self.secret, identity).values())


@dataclass(frozen=True)
class ForgottenHash:
    """One keyed hash of the table of forgotten rows.

    Attributes:
        secret: Recognises the secret that it was made with.
        sync_name: The sync in which it was asked for.
        kind: What it is of: `key`, `email` or `mobile`.
        hash: The hash.
        forgotten_at: When (UTC).
    """

    secret: str
    sync_name: str
    kind: str
    hash: str
    forgotten_at: datetime


def export_forgotten(state: State) -> list[ForgottenHash]:
    """The hashes of all forgotten rows of a state, within the caller's transaction. They are still personal data."""
    forgotten, secret = state.shared.forgotten, fingerprint_of(state.secret)
    order = (forgotten.c.forgotten_at, forgotten.c.sync_name, forgotten.c.kind, forgotten.c.hash)
    rows = state.connection.execute(select(forgotten).order_by(*order)).mappings()
    return [ForgottenHash(secret, **row) for row in rows]


def keep_out(state: State, hashes: Mapping[str, Collection[str]], at: datetime, sync_name: str | None = None) -> int:
    """Store the hashes that keep rows out, within the caller's transaction.

    Args:
        state: The sync's state.
        hashes: Kind -> hashes.
        at: When the rows were forgotten.
        sync_name: The sync whose keys these are; None: the state's own.

    Returns:
        How many of them are new.
    """
    forgotten, execute, sync_name = state.shared.forgotten, state.connection.execute, sync_name or state.sync.name
    new = 0
    for kind, found in hashes.items():
        for part in in_parts(sorted(found)):
            same = [forgotten.c.sync_name == sync_name] if kind == KEY else []  # an identity is that of each sync
            known = set(execute(select(forgotten.c.hash).where(forgotten.c.hash.in_(part), *same)).scalars())
            rows = [
                {"sync_name": sync_name, "kind": kind, "hash": each, "forgotten_at": at}
                for each in part
                if each not in known
            ]
            new += len(rows)
            if rows:
                execute(forgotten.insert(), rows)
    if new:
        state.set_meta(f"{_ADDED}{state.sync.name}", state.now().isoformat())
    return new


def _has_new_since(state: State, moment: datetime) -> bool:
    """Whether hashes were stored after a moment; those of a restored backup, or of a copy, are older than that."""
    forgotten = state.shared.forgotten
    later = select(forgotten.c.hash).where(forgotten.c.forgotten_at > moment).limit(1)
    added = (state.meta(name) for name in state.meta_names(_ADDED))
    return state.connection.execute(later).first() is not None or any(
        datetime.fromisoformat(each) > moment for each in added if each
    )


def forget_changes(state: State, tables: SyncTables, which: ColumnElement[bool]) -> int:
    """Remove key and values from changes, within the caller's transaction. Those without a result are `forgotten`.

    The rows stay, so that each plan still has as many changes as its header counts.

    Returns:
        How many requests will not be sent.
    """
    changes, execute = tables.changes, state.connection.execute
    is_open = or_(changes.c.outcome.is_(None), changes.c.outcome.in_(sorted(each.value for each in UNSETTLED)))
    sent = changes.c.operation.in_(sorted(each.value for each in SENT_OPERATIONS))
    unsent = int(execute(select(func.count()).select_from(changes).where(which, is_open, sent)).scalar_one())
    values = {column.name: null() for column in changes.columns if column.name not in _KEPT_OF_A_CHANGE}
    outcome = case((is_open, literal(Outcome.FORGOTTEN.value, TEXT)), else_=changes.c.outcome)
    execute(changes.update().where(which).values(**values, outcome=outcome))
    _clear_unmapped(state, tables)
    return unsent


def _clear_unmapped(state: State, tables: SyncTables) -> None:
    """Clear the columns of fields that are no longer mapped, in all changes without a key."""
    changes, first_key = tables.changes, tables.key_names[0]
    stored = reflected_types(state.connection, changes.name, changes.schema) or {}
    unmapped = [name for name in stored if name not in changes.c]
    if unmapped:
        whole = table(changes.name, *map(column, (first_key, *unmapped)), schema=changes.schema)
        cleared = whole.update().where(whole.c[first_key].is_(None))
        state.connection.execute(cleared.values({name: null() for name in unmapped}))


def forget_returning(state: State, tables: SyncTables, plan_id: str) -> int:
    """Forget the open changes of a plan whose rows were forgotten after it was made, perhaps in another sync.

    Within the caller's transaction, before anything is sent.

    Returns:
        How many requests will not be sent.
    """
    plans, changes = state.shared.plans, tables.changes
    execute = state.connection.execute
    made_at = execute(select(plans.c.created_at).where(plans.c.plan_id == plan_id)).scalar_one()
    found = Forgotten.read(state) if _has_new_since(state, made_at - _CLOCKS_APART) else None
    if found is None:
        return 0
    mine = and_(changes.c.plan_id == plan_id, changes.c.outcome.is_(None))
    identities = _planned_identities(tables, mine)
    first, last = execute(select(func.min(changes.c.sequence), func.max(changes.c.sequence)).where(mine)).one()
    sequences: dict[int, None] = {}
    for start in range(first or 0, (last or -1) + 1, _ROWS_AT_ONCE):
        part = changes.c.sequence.between(start, start + _ROWS_AT_ONCE - 1)
        for row in execute(identities.where(part)).mappings():
            key = [row[name] for name in tables.key_names]
            if found.has(key, Identity(row["identity_email"], row["identity_mobile"])):
                sequences[row["sequence"]] = None
    returning = list(sequences)
    return sum(forget_changes(state, tables, and_(mine, changes.c.sequence.in_(part))) for part in in_parts(returning))


def _planned_identities(tables: SyncTables, which: ColumnElement[bool]) -> SqlQuery:
    """Select sequence, key, email and mobile number of changes.

    One that gives its contact no new email or number, such as an opt-out or an undo, has those that were acknowledged.
    A deletion has none: the contact of a forgotten row may be deleted.
    """
    changes, contact_map, snapshot = tables.changes, tables.contact_map, tables.snapshot
    joined = changes.outerjoin(contact_map, contact_map.c.dsid == changes.c.dsid)
    joined = joined.outerjoin(snapshot, tables.same_key(snapshot, contact_map))
    is_deletion = changes.c.operation == Operation.DELETE.value
    identity = [
        case((is_deletion, changes.c[name]), else_=func.coalesce(changes.c[name], snapshot.c[name])).label(name)
        for name in ("identity_email", "identity_mobile")
    ]
    return select(changes.c.sequence, *tables.keys_of(changes), *identity).select_from(joined).where(which)


def in_parts(found: Sequence[T], size: int = 200) -> Iterator[Sequence[T]]:
    """Split what goes into lists of SQL."""
    for start in range(0, len(found), size):
        yield found[start : start + size]
