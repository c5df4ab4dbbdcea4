"""What the source and the state have of the contacts that a run wrote to, batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import FromClause, and_, func, select

from dagster_dailystory.databases.expressions import rows_parameter
from dagster_dailystory.databases.stored_values import staged_key, staged_text
from dagster_dailystory.engine.sending.read_back.held_values import Acknowledged
from dagster_dailystory.engine.state.layout.mapped_columns import is_nested, nested_value
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.undo.decisions import Row


@dataclass(frozen=True)
class KnownRow(Row):
    """What source and state have of a contact.

    Attributes:
        key: The values of the key columns.
        source_rows: How many rows of the source have the key.
        is_gone: This sync or a person deleted the contact.
        nested: State column -> list or object of the source, whose canonical text may have another order.
    """

    key: tuple[object, ...] = field(default=(), repr=False)
    source_rows: int = 0
    is_gone: bool = False
    nested: Mapping[str, object] = field(default_factory=dict, repr=False)


def known_rows(
    state: State, tables: SyncTables, relation: FromClause | None, dsids: Sequence[str]
) -> dict[str, KnownRow]:
    """By dsid, the rows of the keys that have these contacts now, within the caller's transaction.

    Args:
        state: The open state.
        tables: The sync's tables.
        relation: The staged source; None if it never had a row.
        dsids: The contacts.
    """
    contact_map, snapshot = tables.contact_map, tables.snapshot
    same = tables.same_key(contact_map, snapshot)
    query = select(contact_map, *(c for c in snapshot.c if c.name not in tables.key_names)).join(snapshot, same)
    found = state.connection.execute(query.where(contact_map.c.dsid.in_(list(dsids)))).mappings().all()
    keys = [tuple(row[name] for name in tables.key_names) for row in found]
    source, counts = _source_rows(state, tables, relation, keys)
    nested = [name for name in tables.value_names if is_nested(state, tables.snapshot.c[name].type)]
    rows: dict[str, KnownRow] = {}
    for key, row in zip(keys, found, strict=True):
        is_live = not (row["deleted_at"] or row["deleted_in_dailystory_at"])
        if is_live or row["dsid"] not in rows:  # a dsid has at most one live key
            acknowledged = Acknowledged(dict(row), row["identity_mobile"])
            given = source.get(key)
            held = {name: nested_value(given[name]) for name in nested if given is not None and name in given}
            texts = None if given is None else _texts({**given, **held})
            rows[row["dsid"]] = KnownRow(texts, acknowledged, key, counts[key], not is_live, held)
    return rows


def _source_rows(
    state: State, tables: SyncTables, relation: FromClause | None, keys: Sequence[tuple[object, ...]]
) -> tuple[Mapping[tuple[object, ...], Mapping[str, object]], Counter[tuple[object, ...]]]:
    counts: Counter[tuple[object, ...]] = Counter()
    if relation is None or not keys:
        return {}, counts
    names = tables.key_names
    given = state.database.json_rows({name: tables.snapshot.c[name].type for name in names})
    listed = [{name: staged_key(part) for name, part in zip(names, key, strict=True)} for key in keys]
    same = and_(*(relation.c[name] == given.c[name] for name in names))
    present = [name for name in tables.value_names if name in relation.c]
    query = select(*(given.c[name] for name in names), *(relation.c[name] for name in present)).join(given, same)
    found: dict[tuple[object, ...], Mapping[str, object]] = {}
    for row in state.connection.execute(query, rows_parameter(listed)).mappings():
        key = tuple(row[name] for name in names)
        counts[key] += 1
        found[key] = {name: row[name] for name in present}
    return found, counts


def _texts(row: Mapping[str, object]) -> dict[str, str | None]:
    return {name: staged_text(value) for name, value in row.items()}


def live_keys(state: State, tables: SyncTables) -> int:
    """How many keys of the snapshot are not missing, within the caller's transaction."""
    live = select(func.count()).select_from(tables.snapshot).where(tables.snapshot.c.absent_since.is_(None))
    return int(state.connection.execute(live).scalar_one())
