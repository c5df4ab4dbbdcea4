"""Repeats requests to forget rows on a restored backup of the state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from dagster_dailystory.contacts.keyed_hash import fingerprint_of
from dagster_dailystory.databases.source import BATCH_ROWS
from dagster_dailystory.engine.presence.forgotten import Forgotten, ForgottenHash, keep_out
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.forgetting.finder import TraceFinder
from dagster_dailystory.engine.upkeep.forgetting.removal import Removal
from dagster_dailystory.engine.upkeep.forgetting.traces import Key
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.change import Identity


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
