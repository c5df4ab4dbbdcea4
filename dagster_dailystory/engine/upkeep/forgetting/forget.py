"""Forgets rows: deletes their contacts if asked to, removes them from the state, and keeps them out."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Sequence, Set

from sqlalchemy import func, select

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.contacts.keyed_hash import KEY, opaque_id
from dagster_dailystory.databases.stored_values import divided_key, typed_keys
from dagster_dailystory.engine.presence.forgotten import Forgotten, in_parts, keep_out
from dagster_dailystory.engine.state.contact_map import held_by_other_syncs
from dagster_dailystory.engine.state.lease import Lease, hold_syncs, open_session
from dagster_dailystory.engine.state.schema import StateLocation, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.forgetting.contacts import Deletions
from dagster_dailystory.engine.upkeep.forgetting.finder import TraceFinder
from dagster_dailystory.engine.upkeep.forgetting.other_syncs import transaction_with
from dagster_dailystory.engine.upkeep.forgetting.receipt import ForgetReceipt
from dagster_dailystory.engine.upkeep.forgetting.removal import Removal
from dagster_dailystory.engine.upkeep.forgetting.traces import Key, Traces
from dagster_dailystory.errors import BusyError, ConfigurationError, StateError
from dagster_dailystory.model.change import Identity
from dagster_dailystory.model.runs.options import PART_SEPARATOR
from dagster_dailystory.model.sync import ContactSync

_log = logging.getLogger("dagster_dailystory")


def forget_rows(
    sync: ContactSync, location: StateLocation, keys: Sequence[str], account: AccountSettings | None = None
) -> ForgetReceipt:
    """Forget rows; all of them, or none if their contacts cannot be deleted.

    Args:
        sync: The sync.
        location: Its state.
        keys: The keys, from `chosen_keys`.
        account: Delete their contacts there; None deletes none.

    Raises:
        BusyError: A run holds the sync, or another sync of the state that has planned to send one of the rows.
        ConfigurationError: A key is not a value of its columns' types.
        OutageError: The contacts could not be deleted; nothing was removed from the state.
        DailyStoryError: See the tree in `errors`; nothing was removed from the state.
    """
    with open_session(sync, location) as (state, lease):
        with state.connection.begin():
            if account is not None:
                state.check_destination(account.base_url)
            tables = _tables_of(state)
            senders = _find(state, tables, _asked(state, tables, keys)).senders
        with hold_syncs(state, sorted(senders)) as others:
            deleted = [] if account is None else _delete(state, tables, lease, keys, account)
            with transaction_with(state, lease, others):
                receipt = _forget(state, tables, keys, deleted, senders)
    _log.info("sync %s: %d keys were forgotten", sync.name, len(keys))
    return receipt


def _tables_of(state: State) -> SyncTables:
    tables = state.load_tables()
    if tables is None:
        raise StateError(
            f"the state has no tables of sync {state.sync.name!r}, so the types of its keys are not known; plan it "
            "once, a dry run will do, and forget the keys then"
        )
    return tables


def _delete(state: State, tables: SyncTables, lease: Lease, keys: Sequence[str], account: AccountSettings) -> list[str]:
    with Deletions(state, tables, lease, account) as deletions:
        deletions.settle()
        with state.connection.begin():
            traces = _find(state, tables, _asked(state, tables, keys))
            own = [dsid for dsid in _contacts(state, tables, traces) if dsid not in _held(state, traces)]
        deletions.delete(own)
        return own


def _find(state: State, tables: SyncTables, asked: Sequence[Sequence[Key]]) -> Traces:
    return TraceFinder(state, tables).find(key for possible in asked for key in possible)


def _asked(state: State, tables: SyncTables, keys: Sequence[str]) -> list[list[Key]]:
    """The keys that were asked for, each as the state may have it: a column of SQLite has integers and texts.

    Raises:
        ConfigurationError: A key is not a value of its columns' types, or it is not known where its parts end.
    """
    possible = [_possible(tables, written) for written in keys]
    known = _known(state, tables, {key for each in possible for key in each})
    return [_meant(tables, written, each, known) for written, each in zip(keys, possible, strict=True)]


def _possible(tables: SyncTables, written: str) -> list[Key]:
    """The keys that a text can mean."""
    pieces = [piece.strip() for piece in re.split(rf"[|{PART_SEPARATOR}]", written)]
    typed = (tuple(key[name] for name in tables.key_names) for key in typed_keys(written, tables.key_types))
    return [key for key in dict.fromkeys(typed) if all(_is_as_written(part, pieces) for part in key)]


def _meant(tables: SyncTables, written: str, possible: Sequence[Key], known: Set[Key]) -> list[Key]:
    """The one of the possible keys that is known; all of them if none is, and a number also as a text."""
    found = [key for key in possible if key in known]
    if len(divided_key(written, len(tables.key_names))) > 1:
        if len(found) != 1:
            raise ConfigurationError(
                f"a key can be divided into {len(tables.key_names)} parts in several ways, and the state has "
                f"{'several' if found else 'none'} of these keys; give the parts as a tuple: "
                'records.forget([("a|b", "c")])'
            )
        return found
    found.sort(key=lambda key: "|".join(map(str, key)) != written.replace(PART_SEPARATOR, "|"))  # as it is written
    return [key for key in possible if not found or list(map(str, key)) == list(map(str, found[0]))]


def _is_as_written(part: object, pieces: Sequence[str]) -> bool:
    """7 is another key than 007, where a column has integers and texts."""
    return not isinstance(part, int) or str(part) in pieces


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


def _forget(
    state: State, tables: SyncTables, keys: Sequence[str], deleted: Sequence[str], held: Collection[str]
) -> ForgetReceipt:
    now, asked = state.now(), _asked(state, tables, keys)
    traces = _find(state, tables, asked)
    for name in sorted(traces.senders - set(held)):
        raise BusyError(f"sync {name!r} has just planned to send one of these rows; forget the same keys again")
    unknown = _count_unknown(state, tables, asked)
    contacts = _contacts(state, tables, traces)
    in_doubt = _creates_in_doubt(state, tables, traces)
    removal = Removal(state, tables, traces)
    kept = sorted(_held(state, traces) & set(contacts))
    removal.remove()
    blocked = traces.blocked(state.secret)
    keep_out(state, blocked, now)
    return ForgetReceipt(
        sync_name=state.sync.name,
        forgotten_at=now,
        keys=tuple(opaque_id(state.secret, possible[0]) for possible in asked),
        keys_unknown=unknown,
        rows_removed={name: rows for name, rows in sorted(removal.rows.items()) if rows},
        changes_forgotten=removal.changes_forgotten,
        contacts=tuple(contacts),
        contacts_deleted=tuple(deleted),
        contacts_kept=tuple(kept),
        creates_in_doubt=in_doubt,
        identities_blocked=sum(len(found) for kind, found in blocked.items() if kind != KEY),
        identities_shared=len(traces.shared),
        remains=state.database.deleted_values,
        other_syncs=traces.other_syncs,
    )


def _count_unknown(state: State, tables: SyncTables, asked: Sequence[Sequence[Key]]) -> int:
    """Count the keys that no table has, and that were not forgotten before."""
    known = _known(state, tables, [key for possible in asked for key in possible])
    return sum(known.isdisjoint(possible) for possible in asked)


def _known(state: State, tables: SyncTables, keys: Collection[Key]) -> set[Key]:
    """Those of the keys that a table has, or that were forgotten before."""
    forgotten = Forgotten.read(state)
    stored = TraceFinder(state, tables).stored(keys)
    return stored | {key for key in keys if forgotten is not None and forgotten.has(key, Identity())}


def _creates_in_doubt(state: State, tables: SyncTables, traces: Traces) -> int:
    intents, rows = tables.intents, 0
    for part in in_parts(sorted(traces.keys, key=repr)):
        counted = select(func.count()).select_from(intents)
        mine = counted.where(TraceFinder(state, tables).has_key(intents, part), intents.c.dsid.is_(None))
        rows += int(state.connection.execute(mine).scalar_one())
    return rows
