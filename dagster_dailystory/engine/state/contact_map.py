"""Look-ups in the contact map: which contacts belong to a live key, of this sync or of another in the same state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    column,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    table,
    union_all,
)  # fmt: skip

from dagster_dailystory.databases.connect import reflected_types
from dagster_dailystory.databases.expressions import rows_parameter
from dagster_dailystory.databases.sql_types import TEXT, SqlQuery, SqlValue
from dagster_dailystory.engine.state.layout.migrations import sync_names
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Operation


def live_holders(state: State, tables: SyncTables, dsids: Sequence[str]) -> set[str]:
    """Select those of the contacts that belong to a key of this sync which is in the source."""
    return _held(state, tables.contact_map, tables.snapshot, tables.key_names, dsids)


def held_by_staying_keys(state: State, tables: SyncTables, plan_id: str, dsids: Sequence[str]) -> set[str]:
    """Select those of the contacts that belong to a live key of this sync which the plan does not delete."""
    changes, contact_map = tables.changes, tables.contact_map
    same = tables.same_key(changes, contact_map)
    deleted = and_(changes.c.plan_id == plan_id, changes.c.operation == Operation.DELETE.value, same)
    stays = not_(select(changes.c.sequence).where(deleted).exists())
    return _held(state, contact_map, tables.snapshot, tables.key_names, dsids, stays)


def held_by_other_syncs(state: State, dsids: Sequence[str]) -> dict[str, str]:
    """Select those of the contacts that belong to a live key of another sync, each with the name of one such sync."""
    others = contacts_of_other_syncs(state)
    if others is None or not dsids:
        return {}
    given = state.database.json_rows({"dsid": TEXT})
    query = select(others.c.dsid, others.c.sync_name).join(given, given.c.dsid == others.c.dsid)
    rows = state.connection.execute(query, rows_parameter([{"dsid": dsid} for dsid in dsids]))
    return {row.dsid: row.sync_name for row in rows}


def contacts_of_other_syncs(state: State) -> FromClause | None:
    """The contacts of the live keys of other syncs in this state, each with one `sync_name`; None without any.

    A retired sync holds none.
    """
    found = names_of_other_syncs(state)
    parts = [query for name in found if not state.is_retired(name) and (query := _holdings(state, name)) is not None]
    if not parts:
        return None
    held = union_all(*parts).subquery("held")
    return select(held.c.dsid, func.min(held.c.sync_name).label("sync_name")).group_by(held.c.dsid).subquery("shared")


def deletions_of_other_syncs(state: State) -> tuple[FromClause, ...]:
    """The contact maps of other syncs in this state that deleted a contact; a retired sync counts too."""
    found = []
    for name in names_of_other_syncs(state):
        map_name = state.location.table_name(name, "contact_map")
        if reflected_types(state.connection, map_name, state.location.schema) is None:
            continue
        contact_map = table(map_name, column("dsid"), column("deleted_at"), schema=state.location.schema)
        deleted = select(contact_map.c.dsid).where(contact_map.c.deleted_at.is_not(None)).limit(1)
        if state.connection.execute(deleted).first() is not None:
            found.append(contact_map)
    return tuple(found)


def is_deleted_in(maps: Sequence[FromClause], dsid: SqlValue, last_synced_at: SqlValue) -> ColumnElement[bool]:
    """Whether one of these syncs deleted the contact after this sync last wrote to it."""
    later = [or_(last_synced_at.is_(None), last_synced_at < other.c.deleted_at) for other in maps]
    same = [and_(other.c.dsid == dsid, other.c.deleted_at.is_not(None)) for other in maps]
    return or_(false(), *(exists().where(*each) for each in zip(same, later, strict=True)))


def names_of_other_syncs(state: State) -> Sequence[str]:
    """The other syncs with tables in this state, also those that have adopted contacts and never planned."""
    return [name for name in sync_names(state.connection, state.location) if name != state.sync.name]


def _holdings(state: State, sync_name: str) -> SqlQuery | None:
    """Select the contacts of the live keys of another sync; None before its first plan."""
    location = state.location
    map_name = location.table_name(sync_name, "contact_map")
    types = reflected_types(state.connection, map_name, location.schema)
    if types is None:
        return None
    keys = tuple(types)[: tuple(types).index("dsid")]
    contact_map = table(map_name, *map(column, (*keys, "dsid", "deleted_at")), schema=location.schema)
    snapshot_name = location.table_name(sync_name, "snapshot")
    snapshot = table(snapshot_name, *map(column, (*keys, "absent_since")), schema=location.schema)
    same_key = and_(*(snapshot.c[key] == contact_map.c[key] for key in keys))
    is_live = and_(contact_map.c.deleted_at.is_(None), snapshot.c.absent_since.is_(None))
    named = select(contact_map.c.dsid, literal(sync_name, TEXT).label("sync_name"))
    return named.join(snapshot, same_key).where(is_live)


def _held(
    state: State,
    contact_map: FromClause,
    snapshot: FromClause,
    keys: Sequence[str],
    dsids: Sequence[str],
    *conditions: ColumnElement[bool],
) -> set[str]:
    if not dsids:
        return set()
    given = state.database.json_rows({"dsid": TEXT})
    query = (
        select(contact_map.c.dsid)
        .join(given, given.c.dsid == contact_map.c.dsid)
        .join(snapshot, and_(*(snapshot.c[key] == contact_map.c[key] for key in keys)))
        .where(contact_map.c.deleted_at.is_(None), snapshot.c.absent_since.is_(None), *conditions)
    )
    rows: list[Mapping[str, object]] = [{"dsid": dsid} for dsid in dsids]
    return set(state.connection.execute(query, rows_parameter(rows)).scalars().all())
