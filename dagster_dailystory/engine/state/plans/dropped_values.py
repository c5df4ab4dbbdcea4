"""Values that the state drops: those of rows that left the source long ago, and of fields that are no longer mapped.

Of a missing key the contact map, the opt-outs and the status stay, and keyed hashes of its identity: a re-key is
recognised by them, and the same key returns as an update by its dsid.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    FromClause,
    RowMapping,
    and_,
    column,
    func,
    not_,
    null,
    or_,
    select,
    table,
    type_coerce,
)

from dagster_dailystory.contacts.keyed_hash import EMAIL, MOBILE, hashes_of_identity
from dagster_dailystory.databases.connect import reflected_types
from dagster_dailystory.databases.expressions import among, rows_parameter
from dagster_dailystory.databases.source import BATCH_ROWS
from dagster_dailystory.databases.sql_types import TEXT, SqlType, SqlValue
from dagster_dailystory.databases.stored_values import staged_key
from dagster_dailystory.engine.state.schema import HASH_COLUMNS, UNKNOWN_FIELDS, SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import DEPARTURE_IN_DOUBT, KEPT_FOR_ANOTHER_SYNC, UNSETTLED, Identity
from dagster_dailystory.model.contact_fields import CONSENT_KINDS


def drop_absent_values(state: State, tables: SyncTables, oldest: datetime) -> None:
    """Drop the values of the keys that have been missing since before `oldest`, within the caller's transaction."""
    snapshot, execute = tables.snapshot, state.connection.execute
    is_old = and_(snapshot.c.absent_since < oldest, _is_decided(tables))
    has_values, has_identity = _has_one(snapshot, _dropped(tables)), _has_one(snapshot, HASH_COLUMNS)
    if execute(select(snapshot.c.absent_since).where(is_old, or_(has_values, has_identity)).limit(1)).first() is None:
        return
    _drop_identities(state, tables, is_old)
    execute(tables.history.delete().where(_is_of(tables, tables.history, is_old)))
    changes = tables.changes
    is_settled = and_(changes.c.outcome.is_not(None), changes.c.outcome.not_in([each.value for each in UNSETTLED]))
    values = {name: null() for name in (*_dropped(tables), "identity_email", "identity_mobile") if name in changes.c}
    execute(changes.update().where(is_settled, _is_of(tables, changes, is_old)).values(**values))
    execute(snapshot.update().where(is_old, has_values).values({name: null() for name in _dropped(tables)}))


def _is_of(tables: SyncTables, relation: FromClause, is_old: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a row is of one of the old keys, or of its contact: under a key that the contact had before."""
    snapshot, contact_map = tables.snapshot, tables.contact_map
    mapped = contact_map.join(snapshot, tables.same_key(contact_map, snapshot))
    dsids = select(contact_map.c.dsid).select_from(mapped)
    has_live_key = relation.c.dsid.in_(dsids.where(snapshot.c.absent_since.is_(None)))
    is_former = and_(relation.c.dsid.in_(dsids.where(is_old)), not_(has_live_key))
    return or_(among(tables.keys_of(relation), select(*tables.keys_of(snapshot)).where(is_old)), is_former)


def _dropped(tables: SyncTables) -> list[str]:
    """The columns of the snapshot that lose their values: not those of consent, which is never taken back unasked."""
    consent = tables.sync.state_columns(*CONSENT_KINDS)
    return [*(n for n in (*tables.value_names, *tables.removed_names) if n not in consent), UNKNOWN_FIELDS]


def _is_decided(tables: SyncTables) -> ColumnElement[bool]:
    """Whether a contact is not deleted later: before that, the source is searched for its identity."""
    undecided = tables.snapshot.c.absent_action.in_([KEPT_FOR_ANOTHER_SYNC, DEPARTURE_IN_DOUBT])
    return not_(func.coalesce(undecided, False))


def _drop_identities(state: State, tables: SyncTables, which: ColumnElement[bool]) -> None:
    """Replace identities by their hashes, page by page: no cursor stays open while rows change."""
    snapshot, execute = tables.snapshot, state.connection.execute
    columns = [*tables.keys_of(snapshot), *(snapshot.c[name] for name in HASH_COLUMNS)]
    has_one = _has_one(snapshot, HASH_COLUMNS)
    types: dict[str, SqlType] = {key: snapshot.c[key].type for key in tables.key_names}
    given = state.database.json_rows({**types, **dict.fromkeys(HASH_COLUMNS.values(), TEXT)})
    values: dict[str, SqlValue] = {name: given.c[name] for name in HASH_COLUMNS.values()}
    hashed = snapshot.update().where(tables.same_key(snapshot, given))
    hashed = hashed.values({**values, **{name: null() for name in HASH_COLUMNS}})
    while rows := execute(select(*columns).where(which, has_one).limit(BATCH_ROWS)).mappings().all():
        execute(hashed, rows_parameter([_hashed(state, tables, row) for row in rows]))


def _hashed(state: State, tables: SyncTables, row: RowMapping) -> dict[str, object]:
    hashes = hashes_of_identity(state.secret, Identity(row["identity_email"], row["identity_mobile"]))
    key = {name: staged_key(row[name]) for name in tables.key_names}
    return {**key, "identity_email_hash": hashes.get(EMAIL), "identity_mobile_hash": hashes.get(MOBILE)}


def identity_columns_in_use(state: State, tables: SyncTables) -> tuple[str, ...]:
    """The columns of the snapshot that identities are found in: those of hashes too, once values were dropped."""
    snapshot, hashes = tables.snapshot, tuple(HASH_COLUMNS.values())
    has_one = _has_one(snapshot, hashes)
    missing = select(snapshot.c.absent_since).where(snapshot.c.absent_since.is_not(None), has_one).limit(1)
    found = state.connection.execute(missing).first() is not None
    return (*HASH_COLUMNS, *(hashes if found else ()))


def drop_unmapped_values(state: State, tables: SyncTables) -> None:
    """Drop the values of the fields that were not mapped the last time either, within the caller's transaction."""
    name = f"unmapped:{state.sync.name}"
    before, now = json.loads(state.meta(name) or "[]"), sorted(tables.removed_names)
    dropped = [each for each in now if each in before]
    for each in (tables.snapshot, tables.changes):
        _clear(state, each.name, each.schema, [*dropped, *map(differs_column, dropped)])
    if now != before:
        state.set_meta(name, json.dumps(now))


def _clear(state: State, name: str, schema: str | None, columns: Sequence[str]) -> None:
    stored = reflected_types(state.connection, name, schema) or {}
    found = [each for each in columns if each in stored]
    if found:
        cleared = table(name, *map(column, found), schema=schema)
        has_one = _has_one(cleared, found)
        state.connection.execute(cleared.update().where(has_one).values({each: null() for each in found}))


def _has_one(relation: FromClause, names: Iterable[str]) -> ColumnElement[bool]:
    return or_(*(type_coerce(relation.c[name], TEXT).is_not(None) for name in names))  # whatever its type
