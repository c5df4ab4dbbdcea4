"""The sync's tables in step with its mapping: made, widened by new fields, rebuilt where a column's type changed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Integer, Table
from sqlalchemy.schema import CreateColumn

from dagster_dailystory.dialect import SqlType, same_storage
from dagster_dailystory.errors import StateError
from dagster_dailystory.model import MappedField
from dagster_dailystory.retype import alter, quoted, rebuilt_column, retype
from dagster_dailystory.source import reflected_types
from dagster_dailystory.state import State
from dagster_dailystory.tables import SyncTables, differs_column


def lay_out(state: State, key_types: Mapping[str, SqlType], value_types: Mapping[str, SqlType]) -> SyncTables:
    """Create the sync's tables, or bring them in step with the mapping.

    A new field adds a column; a removed one stays and is no longer compared. Where an earlier run died in between, its
    work is finished or done again.

    Raises:
        StateError: The key's columns or their types are not those of the tables.
    """
    wanted = SyncTables(state.sync, state.location, key_types, value_types, state.dialect)
    with state.connection.begin():
        existing = state.load_tables()
        if existing is None:
            wanted.metadata.create_all(state.connection)
            return wanted
    for name, kind in key_types.items():
        _fit_key(state, existing, name, kind)
    found, changes = _types(existing.snapshot), _columns(state, existing.changes)
    for mapped in state.sync.mapped_fields:
        for column in (mapped.state_column, differs_column(mapped.state_column)):
            if column not in changes:
                _add(state, wanted.changes, column)
        _fit_value(state, wanted, mapped, value_types[mapped.state_column], found)
    return wanted


def _fit_value(
    state: State, wanted: SyncTables, mapped: MappedField, kind: SqlType, found: Mapping[str, SqlType]
) -> None:
    name, rebuilt = mapped.state_column, rebuilt_column(mapped.state_column)
    if rebuilt in found and name not in found:
        alter(state, wanted.snapshot, f"RENAME COLUMN {quoted(state, rebuilt)} TO {quoted(state, name)}")
    elif rebuilt in found:
        alter(state, wanted.snapshot, f"DROP COLUMN {quoted(state, rebuilt)}")
    if name not in found and rebuilt not in found:
        _add(state, wanted.snapshot, name)
    elif name in found and not same_storage(found[name], kind, state.dialect):
        retype(state, wanted, mapped, kind)


def _types(table: Table) -> dict[str, SqlType]:
    return {column.name: column.type for column in table.columns}


def _columns(state: State, table: Table) -> dict[str, SqlType]:
    with state.connection.begin():
        return reflected_types(state.connection, table.name, table.schema) or {}


def _fit_key(state: State, existing: SyncTables, name: str, kind: SqlType) -> None:
    old = existing.snapshot.c[name].type
    if same_storage(old, kind, state.dialect):
        return
    if not (isinstance(old, Integer) and isinstance(kind, Integer)):
        raise StateError(
            f"key {name!r} of sync {state.sync.name!r} was {old.compile(state.dialect)} and is now "
            f"{kind.compile(state.dialect)}; cast it in the query, or give the sync a new name"
        )
    quoted = state.dialect.identifier_preparer.quote(name)
    for table in existing.metadata.sorted_tables:
        alter(state, table, f"ALTER COLUMN {quoted} TYPE {kind.compile(state.dialect)}")


def _add(state: State, table: Table, column: str) -> None:
    alter(state, table, f"ADD COLUMN {CreateColumn(table.c[column]).compile(dialect=state.dialect)}")
