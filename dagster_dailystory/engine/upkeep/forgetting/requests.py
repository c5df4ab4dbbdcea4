"""The requests to forget rows, as hashes: exported from a state, and repeated on a restored backup of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from dagster_dailystory.contacts.keyed_hash import fingerprint_of
from dagster_dailystory.databases.source import BATCH_ROWS
from dagster_dailystory.engine.presence.forgotten import Forgotten
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.forgetting.removal import Removal, keep_out
from dagster_dailystory.engine.upkeep.forgetting.traces import Key, TraceFinder
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.change import Identity


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


def apply_forgotten(state: State, lease: Lease, rows: Sequence[ForgottenHash]) -> int:
    """Repeat requests on a restored backup: keep the rows out, and remove those of this sync from its tables.

    Args:
        state: The restored state of a sync.
        lease: The lease of the sync.
        rows: From `export_forgotten` of the state before it was restored.

    Returns:
        How many keys were removed from the sync's tables.

    Raises:
        StateError: The hashes were made with another secret; nothing was changed.
    """
    if any(row.secret != fingerprint_of(state.secret) for row in rows):
        raise StateError(
            "the requests were exported from another state: their hashes recognise no row of this one; forget the keys "
            "again"
        )
    with lease.during(state):
        for row in rows:
            keep_out(state, {row.kind: [row.hash]}, row.forgotten_at, row.sync_name)
        tables, forgotten = state.load_tables(), Forgotten.read(state)
        if tables is None or forgotten is None:
            return 0
        traces = TraceFinder(state, tables).find(_forgotten_keys(state, tables, forgotten))
        Removal(state, tables, traces).remove()
        return len(traces.keys)


def _forgotten_keys(state: State, tables: SyncTables, forgotten: Forgotten) -> Iterable[Key]:
    """The keys in the tables that were forgotten, by themselves or by an identity."""
    found: set[Key] = set()
    for table in tables.keyed:
        identities = [table.c.get("identity_email"), table.c.get("identity_mobile")]
        known = [each for each in identities if each is not None]
        query = select(*tables.keys_of(table), *known).distinct()
        for batch in state.connection.execute(query).partitions(BATCH_ROWS):
            for row in batch:
                key, parts = tuple(row[: len(tables.key_names)]), row[len(tables.key_names) :]
                if None not in key and forgotten.has(key, Identity(*parts)):
                    found.add(key)
    return found
