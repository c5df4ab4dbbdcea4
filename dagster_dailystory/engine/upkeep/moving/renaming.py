"""Gives a sync another name, or removes it from its state."""

from __future__ import annotations

from sqlalchemy import Table, func, select
from sqlalchemy.schema import CreateIndex, DropIndex, DropTable

from dagster_dailystory.engine.state.layout.migrations import sync_names
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import SYNC_TABLES, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.doctor.notes import check_no_notes, rename_notes
from dagster_dailystory.errors import ConfigurationError, StateError
from dagster_dailystory.model.sync import SYNC_NAME


def rename_sync(state: State, lease: Lease, new_name: str) -> None:
    """Give the state's sync another name, in one transaction. Afterwards a run under the old name is refused.

    Args:
        state: The open state.
        lease: The lease of the sync.
        new_name: The new name, `[a-z][a-z0-9_]{0,30}`.

    Raises:
        ConfigurationError: It cannot be the name of a sync.
        StateError: The state has a sync of that name, or none of the old one.
    """
    old = state.sync.name
    if new_name == old:
        raise ConfigurationError(f"sync {old!r} has this name already; give another one")
    if not SYNC_NAME.fullmatch(new_name):
        raise ConfigurationError(
            f"{new_name!r} cannot be the new name of sync {old!r}: use at most 31 small letters, digits and _, the "
            "first of them a letter"
        )
    with lease.transaction(state):
        tables = _tables_of(state)
        if new_name in sync_names(state.connection, state.location):
            raise StateError(f"the state has a sync {new_name!r} already; drop it, or choose another name")
        for name in SYNC_TABLES:
            _rename(state, getattr(tables, name), state.location.table_name(new_name, name))
        _rename_indexes(state, tables, tables.named(new_name))
        for shared in (state.shared.plans, state.shared.runs):
            mine = shared.update().where(shared.c.sync_name == old)
            state.connection.execute(mine.values(sync_name=new_name))
        _rename_forgotten(state, new_name)
        meta = state.shared.meta
        for name in _own_meta(state):
            renamed = f"{name.removesuffix(old)}{new_name}"
            state.connection.execute(meta.update().where(meta.c.name == name).values(name=renamed))
        rename_notes(state, new_name)
        former = meta.c.name.startswith("renamed:"), meta.c.value == old
        state.connection.execute(meta.update().where(*former).values(value=new_name))
        state.drop_meta(f"renamed:{new_name}")
        state.set_meta(f"renamed:{old}", new_name)


def drop_sync(state: State, lease: Lease) -> int:
    """Remove the tables, plans and runs of the state's sync, in one transaction. DailyStory's contacts stay.

    Other syncs of the state may delete the contacts that this one had. Requests to be forgotten stay.

    Returns:
        How many keys were mapped to a contact.

    Raises:
        StateError: The state has no such sync, or a test contact of an examination is still to be deleted.
    """
    with lease.transaction(state):
        tables = _tables_of(state)
        check_no_notes(state)
        mapped = state.connection.execute(select(func.count()).select_from(tables.contact_map)).scalar_one()
        for table in tables.metadata.sorted_tables:
            state.connection.execute(DropTable(table))
        for shared in (state.shared.plans, state.shared.runs):
            state.connection.execute(shared.delete().where(shared.c.sync_name == state.sync.name))
        for name in _own_meta(state):
            state.drop_meta(name)
        meta = state.shared.meta
        former = meta.c.name.startswith("renamed:"), meta.c.value == state.sync.name
        state.connection.execute(meta.delete().where(*former))
    return int(mapped)


def _tables_of(state: State) -> SyncTables:
    tables = state.load_tables()
    if tables is None:
        raise StateError(f"the state has no tables of sync {state.sync.name!r}")
    return tables


def _own_meta(state: State) -> list[str]:
    """The names of the sync's meta values, without its lease and its queue."""
    ending = f":{state.sync.name}"
    return [n for n in state.meta_names("") if n.endswith(ending) and not n.startswith(("lock:", "wait:", "renamed:"))]


def _rename(state: State, table: Table, new_name: str) -> None:
    prepare = state.dialect.identifier_preparer
    renamed = f"ALTER TABLE {prepare.format_table(table)} RENAME TO {prepare.quote(new_name)}"
    state.connection.exec_driver_sql(renamed)


def _rename_indexes(state: State, old: SyncTables, new: SyncTables) -> None:
    """Give the indexes the names of their new tables: a later sync of the old name makes indexes of the old names."""
    for was, table in zip(old.metadata.sorted_tables, new.metadata.sorted_tables, strict=True):
        for index in was.indexes:
            state.connection.execute(DropIndex(index, if_exists=True))
        for index in table.indexes:
            state.connection.execute(CreateIndex(index))


def _rename_forgotten(state: State, new_name: str) -> None:
    """Let the hashes of forgotten keys hold for the new name, which an earlier sync of it may have as well."""
    forgotten, execute = state.shared.forgotten, state.connection.execute
    mine = forgotten.c.sync_name == state.sync.name
    known = select(forgotten.c.hash).where(forgotten.c.sync_name == new_name)
    execute(forgotten.update().where(mine, forgotten.c.hash.not_in(known)).values(sync_name=new_name))
    execute(forgotten.delete().where(mine))
