"""Forgets rows: deletes their contacts if asked to, removes them from the state, and keeps them out."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import func, select

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.contacts.keyed_hash import KEY, opaque_id
from dagster_dailystory.databases.stored_values import typed_keys
from dagster_dailystory.engine.presence.forgotten import Forgotten, in_parts
from dagster_dailystory.engine.state.contact_map import held_by_other_syncs
from dagster_dailystory.engine.state.lease import Lease, open_session
from dagster_dailystory.engine.state.schema import StateLocation, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.forgetting.contacts import Deletions
from dagster_dailystory.engine.upkeep.forgetting.receipt import ForgetReceipt
from dagster_dailystory.engine.upkeep.forgetting.removal import Removal, keep_out
from dagster_dailystory.engine.upkeep.forgetting.traces import Key, TraceFinder, Traces
from dagster_dailystory.model.change import Identity
from dagster_dailystory.model.sync import ContactSync

_log = logging.getLogger("dagster_dailystory")


def forget_rows(
    sync: ContactSync, location: StateLocation, keys: Sequence[str], account: AccountSettings | None = None
) -> ForgetReceipt:
    """Forget rows; all of them, or none if their contacts cannot be deleted.

    Args:
        sync: The sync.
        location: Its state.
        keys: The keys, as texts; the parts of a composite one are joined by `|`.
        account: Delete their contacts there; None deletes none.

    Raises:
        BusyError: A run holds the sync.
        ConfigurationError: A key is not a value of its columns' types.
        OutageError: The contacts could not be deleted; nothing was removed from the state.
        DailyStoryError: See the tree in `errors`; nothing was removed from the state.
    """
    with open_session(sync, location) as (state, lease):
        with state.connection.begin():
            if account is not None:
                state.check_destination(account.base_url)
            tables = state.load_tables()
        deleted = [] if tables is None or account is None else _delete(state, tables, lease, keys, account)
        with lease.during(state):
            receipt = _forget(state, tables, keys, deleted)
    _log.info("sync %s: %d keys were forgotten", sync.name, len(keys))
    return receipt


def _delete(state: State, tables: SyncTables, lease: Lease, keys: Sequence[str], account: AccountSettings) -> list[str]:
    with Deletions(state, tables, lease, account) as deletions:
        deletions.settle()
        with state.connection.begin():
            traces = _find(state, tables, keys)
            own = [dsid for dsid in _contacts(state, tables, traces) if dsid not in _held(state, traces)]
        deletions.delete(own)
        return own


def _find(state: State, tables: SyncTables, keys: Sequence[str]) -> Traces:
    return TraceFinder(state, tables).find(key for written in keys for key in _typed(tables, written))


def _typed(tables: SyncTables, written: str) -> list[Key]:
    """A key as the state may have it: a column of SQLite has integers and texts. 7 is another key than 007."""
    possible = [tuple(key[name] for name in tables.key_names) for key in typed_keys(written, tables.key_types)]
    parts = _written_parts(tables.sync, written)
    return [
        key
        for key in possible
        if len(possible) == 1 or all(str(part) == text for part, text in zip(key, parts, strict=True))
    ]


def _contacts(state: State, tables: SyncTables, traces: Traces) -> list[str]:
    """The contacts that the contact map has for the keys."""
    contact_map, found = tables.contact_map, dict[str, None]()
    for part in in_parts(sorted(traces.keys, key=repr)):
        dsids = select(contact_map.c.dsid).where(TraceFinder(state, tables).has_key(contact_map, part))
        found |= dict.fromkeys(state.connection.execute(dsids).scalars())
    return [dsid for dsid in found if dsid in traces.dsids]


def _held(state: State, traces: Traces) -> set[str]:
    """The contacts that live keys of other syncs hold; `Traces.dsids` has none of this sync's other keys."""
    return set(held_by_other_syncs(state, sorted(traces.dsids)))


def _forget(state: State, tables: SyncTables | None, keys: Sequence[str], deleted: Sequence[str]) -> ForgetReceipt:
    now, own = state.now(), [_written_parts(state.sync, written) for written in keys]
    if tables is None:
        traces, contacts, kept, rows, unsent, in_doubt = Traces(keys=set(own)), [], [], {}, 0, 0
        unknown = len(own)
    else:
        own = [_typed(tables, written)[0] for written in keys]
        traces = _find(state, tables, keys)
        unknown = _count_unknown(state, tables, keys)
        contacts = _contacts(state, tables, traces)
        kept = sorted(_held(state, traces) & set(contacts))
        in_doubt = _creates_in_doubt(state, tables, traces)
        removal = Removal(state, tables, traces)
        removal.remove()
        rows, unsent = dict(sorted(removal.rows.items())), removal.changes_forgotten
    blocked = traces.blocked(state.secret)
    keep_out(state, blocked, now)
    return ForgetReceipt(
        sync_name=state.sync.name,
        forgotten_at=now,
        keys=tuple(opaque_id(state.secret, key) for key in own),
        keys_unknown=unknown,
        rows_removed=rows,
        changes_forgotten=unsent,
        contacts=tuple(contacts),
        contacts_deleted=tuple(deleted),
        contacts_kept=tuple(kept),
        creates_in_doubt=in_doubt,
        identities_blocked=sum(len(found) for kind, found in blocked.items() if kind != KEY),
        identities_shared=len(traces.shared),
        remains=state.database.deleted_values,
        other_syncs=traces.other_syncs,
    )


def _written_parts(sync: ContactSync, written: str) -> Key:
    return tuple(part.strip() for part in (written.split("|") if len(sync.key_columns) > 1 else [written]))


def _count_unknown(state: State, tables: SyncTables, keys: Sequence[str]) -> int:
    """Count the keys that no table has, and that were not forgotten before."""
    possible = [_typed(tables, written) for written in keys]
    stored = TraceFinder(state, tables).stored({key for some in possible for key in some})
    forgotten = Forgotten.read(state)
    return sum(
        not any(key in stored or (forgotten and forgotten.has(key, Identity())) for key in some) for some in possible
    )


def _creates_in_doubt(state: State, tables: SyncTables, traces: Traces) -> int:
    intents, rows = tables.intents, 0
    for part in in_parts(sorted(traces.keys, key=repr)):
        counted = select(func.count()).select_from(intents)
        mine = counted.where(TraceFinder(state, tables).has_key(intents, part), intents.c.dsid.is_(None))
        rows += int(state.connection.execute(mine).scalar_one())
    return rows
