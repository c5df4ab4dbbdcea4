"""Look-ups in the contact map: which contacts belong to a live key, of this sync or of another in the same state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, FromClause, and_, column, not_, select, table

from dagster_dailystory.databases.bulk import json_rows, rows_parameter
from dagster_dailystory.databases.connect import reflected_types
from dagster_dailystory.databases.sql_types import TEXT
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Operation


def live_holders(state: State, tables: SyncTables, dsids: Sequence[str]) -> set[str]:
    """Select those of the contacts that belong to a key of this sync which is in the source."""
    return _held(state, tables.contact_map, tables.snapshot, tables.key_names, dsids)


def held_anywhere(state: State, tables: SyncTables, plan_id: str, dsids: Sequence[str]) -> set[str]:
    """Select those of the contacts that belong to a live key of any sync in this state.

    Keys that the plan deletes do not count.
    """
    changes, contact_map = tables.changes, tables.contact_map
    same = tables.same_key(changes, contact_map)
    deleted = and_(changes.c.plan_id == plan_id, changes.c.operation == Operation.DELETE.value, same)
    stays = not_(select(changes.c.sequence).where(deleted).exists())
    held = _held(state, contact_map, tables.snapshot, tables.key_names, dsids, stays)
    plans = state.shared.plans
    names = select(plans.c.sync_name).where(plans.c.sync_name != tables.sync.name).distinct()
    for name in state.connection.execute(names).scalars().all():
        held |= _held_by_other(state, name, dsids)
    return held


def _held_by_other(state: State, sync_name: str, dsids: Sequence[str]) -> set[str]:
    map_name = state.location.table_name(sync_name, "contact_map")
    types = reflected_types(state.connection, map_name, state.location.schema)
    if types is None:
        return set()
    keys = tuple(types)[: tuple(types).index("dsid")]
    schema = state.location.schema
    contact_map = table(map_name, *map(column, (*keys, "dsid", "deleted_at")), schema=schema)
    snapshot_name = state.location.table_name(sync_name, "snapshot")
    snapshot = table(snapshot_name, *map(column, (*keys, "absent_since")), schema=schema)
    return _held(state, contact_map, snapshot, keys, dsids)


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
    given = json_rows(state.dialect, {"dsid": TEXT})
    query = (
        select(contact_map.c.dsid)
        .join(given, given.c.dsid == contact_map.c.dsid)
        .join(snapshot, and_(*(snapshot.c[key] == contact_map.c[key] for key in keys)))
        .where(contact_map.c.deleted_at.is_(None), snapshot.c.absent_since.is_(None), *conditions)
    )
    rows: list[Mapping[str, object]] = [{"dsid": dsid} for dsid in dsids]
    return set(state.connection.execute(query, rows_parameter(rows)).scalars().all())
