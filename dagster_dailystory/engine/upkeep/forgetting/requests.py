"""Repeats requests to forget rows on a restored backup of the state."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from sqlalchemy import select

from dagster_dailystory.contacts.keyed_hash import fingerprint_of
from dagster_dailystory.databases.source import BATCH_ROWS
from dagster_dailystory.engine.presence.forgotten import Forgotten, ForgottenHash, keep_out
from dagster_dailystory.engine.state.contact_map import names_of_other_syncs
from dagster_dailystory.engine.state.lease import Lease, hold_syncs
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.forgetting.finder import TraceFinder
from dagster_dailystory.engine.upkeep.forgetting.other_syncs import transaction_with
from dagster_dailystory.engine.upkeep.forgetting.removal import Removal, remove_values
from dagster_dailystory.engine.upkeep.forgetting.traces import Key
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.change import Identity


def apply_forgotten(state: State, lease: Lease, rows: Sequence[ForgottenHash]) -> int:
    """Repeat requests on a restored backup: keep the rows out, and remove those of this sync from its tables.

    A key that was not forgotten itself, and had a forgotten identity in the backup, may have another one by now: it
    loses its values and keeps its contact, and the next run sends it as a whole, or rejects it.

    Args:
        state: The restored state of a sync.
        lease: The lease of the sync.
        rows: From `export_forgotten` of the state before it was restored.

    Returns:
        How many keys were removed from the sync's tables.

    Raises:
        BusyError: A run holds another sync of the state, which may be sending one of the rows.
        StateError: The hashes were made with another secret; nothing was changed.
    """
    if any(row.secret != fingerprint_of(state.secret) for row in rows):
        raise StateError(
            "the requests were exported from another state: their hashes recognise no row of this one; forget the keys "
            "again"
        )
    with state.connection.begin():
        names = names_of_other_syncs(state)
    with hold_syncs(state, names) as others, transaction_with(state, lease, others):
        for row in rows:
            keep_out(state, {row.kind: [row.hash]}, row.forgotten_at, row.sync_name)
        tables, forgotten = state.load_tables(), Forgotten.read(state)
        if tables is None or forgotten is None:
            return 0
        keys = _keys_of_forgotten(state, tables, forgotten)
        remove_values(state, tables, keys.with_contact)
        traces = TraceFinder(state, tables).find(keys.gone)
        Removal(state, tables, traces).remove()
        return len(traces.keys)


@dataclass(frozen=True)
class _Keys:
    """Keys in the tables that have something of a forgotten row.

    Attributes:
        gone: They were forgotten themselves, or have a forgotten identity and no live row.
        with_contact: Live keys that have a forgotten identity.
    """

    gone: Set[Key]
    with_contact: Set[Key]


def _keys_of_forgotten(state: State, tables: SyncTables, forgotten: Forgotten) -> _Keys:
    by_key, by_identity = set[Key](), set[Key]()
    for table in tables.keyed:
        identities = [table.c.get("identity_email"), table.c.get("identity_mobile")]
        known = [each for each in identities if each is not None]
        query = select(*tables.keys_of(table), *known).distinct()
        for batch in state.connection.execute(query).partitions(BATCH_ROWS):
            for row in batch:
                key, parts = tuple(row[: len(tables.key_names)]), row[len(tables.key_names) :]
                if None in key:
                    continue
                if forgotten.has(key, Identity()):
                    by_key.add(key)
                elif forgotten.has(None, Identity(*parts)):
                    by_identity.add(key)
    finder = TraceFinder(state, tables)
    live = {key for key in by_identity if not finder.is_missing(key)}
    return _Keys(by_key | (by_identity - live), live)
