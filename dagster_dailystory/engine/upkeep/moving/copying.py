"""Copies a sync to another state database, row by row in canonical form, and verifies the copy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Boolean, ColumnElement, Connection, DateTime, Integer, Table, and_, not_, or_, select
from sqlalchemy.types import NullType

from dagster_dailystory.contacts.canonical import canonical_text
from dagster_dailystory.databases.expressions import rows_parameter
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, SqlQuery, SqlType, stored_type
from dagster_dailystory.databases.stored_values import staged_key
from dagster_dailystory.engine.presence.forgotten import export_forgotten, keep_out
from dagster_dailystory.engine.state.layout.migrations import StoredTables, sync_names
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION, SYNC_TABLES, StateLocation, SyncTables
from dagster_dailystory.engine.state.store import State, connect_state
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.runs.plan import some

_BATCH = 5_000

_NOT_COPIED = ("lock:", "wait:", "schema_version", "written_by", "secret")
"""Starts of the names of meta values that belong to a database, or to a process."""


@dataclass(frozen=True)
class CopyReport:
    """What was copied.

    Attributes:
        sync_name: The sync.
        rows: Table -> rows, each of which was read back and compared.
    """

    sync_name: str
    rows: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        tables = ", ".join(f"{name} {count:,}" for name, count in self.rows.items())
        total = some(sum(self.rows.values()), "row", "rows")
        return f"sync {self.sync_name}: {total} copied and compared ({tables})"


def copy_state(state: State, target: StateLocation) -> CopyReport:
    """Copy a sync to another state, in one transaction there. The caller holds the sync's lease.

    Values are copied as canonical texts, which the next run gives the types of its source again: no value differs
    afterwards, so nothing is sent. The state's secret goes with it, because opaque ids and hashes depend on it.

    Args:
        state: The open state.
        target: Where to.

    Raises:
        StateError: The target has the sync already, belongs to another destination, or holds syncs of another secret;
            or a row was read back otherwise than it was written. The target is as it was.
    """
    if target == state.location:
        raise StateError(f"the target is the state that sync {state.sync.name!r} has now; name another one")
    with connect_state(target, state.sync) as copy:
        with state.connection.begin(), copy.connection.begin():
            _check_target(state, copy)
            rows = dict(_copied(state, copy))
        return CopyReport(state.sync.name, rows)


def _check_target(state: State, copy: State) -> None:
    name = state.sync.name
    if copy.layout != SCHEMA_VERSION:
        raise StateError(f"the target has layout version {copy.layout}; let a run of its syncs upgrade it first")
    names = sync_names(copy.connection, copy.location)
    if name in names:
        raise StateError(f"the target has a sync {name!r} already; drop it there, or choose another state_schema")
    destinations = {state.meta("destination"), copy.meta("destination")} - {None}
    if len(destinations) > 1:
        raise StateError(f"the target belongs to another destination ({' and '.join(sorted(map(str, destinations)))})")
    others = [*names, *(["forgotten rows"] if export_forgotten(copy) else [])]
    if others and copy.secret != state.secret:
        raise StateError(
            f"the target holds other syncs ({', '.join(others)}) under another secret, so that hashes would not match;"
            " choose another state_schema"
        )
    if not names:
        copy.set_meta("secret", state.secret.hex())


def _copied(state: State, copy: State) -> Iterator[tuple[str, int]]:
    source = state.load_tables()
    if source is None:
        raise StateError(f"sync {state.sync.name!r} has no tables in this state, so there is nothing to copy")
    stored = StoredTables(state.connection, state.location, state.connection.begin)
    found = {name: stored.table(state.sync.name, name) for name in SYNC_TABLES}
    tables = _target_tables(state, copy, source, found)
    tables.metadata.create_all(copy.connection)
    for name in SYNC_TABLES:
        yield name, _copy_table(state, copy, found[name], getattr(tables, name))
    for name in ("plans", "runs"):
        table = getattr(state.shared, name)
        mine = table.c.sync_name == state.sync.name
        yield name, _copy_table(state, copy, table, getattr(copy.shared, name), mine)
    meta = state.shared.meta
    kept = [meta.c.name.startswith(start, autoescape=True) for start in _NOT_COPIED]
    known = select(copy.shared.meta.c.name)
    present = set(copy.connection.execute(known).scalars())
    own = meta.c.name.endswith(f":{state.sync.name}", autoescape=True)
    of_all = or_(not_(meta.c.name.contains(":")), meta.c.name.startswith("token_hash:"))
    former = and_(meta.c.name.startswith("renamed:"), meta.c.value == state.sync.name)
    chosen = and_(or_(own, of_all, former), not_(or_(*kept)), meta.c.name.not_in(present))
    yield "meta", _copy_table(state, copy, meta, copy.shared.meta, chosen)
    requests = export_forgotten(state)
    for row in requests:
        keep_out(copy, {row.kind: [row.hash]}, row.forgotten_at, row.sync_name)
    yield "forgotten", len(requests)


def _target_tables(state: State, copy: State, source: SyncTables, found: Mapping[str, Table]) -> SyncTables:
    """The sync's tables in the target: whole numbers as keys stay such, all else is text.

    A key has a type also where columns need none: if the source is elsewhere, a plan reads keys by it.
    """
    text = copy.database.storage_type(TEXT)
    keys: dict[str, SqlType] = {
        key: BIG_INTEGER if _is_integer(state.connection, found["contact_map"], key) else TEXT
        for key in source.key_names
    }
    values, removed = dict.fromkeys(source.value_names, text), dict.fromkeys(source.removed_names, text)
    return SyncTables(state.sync, copy.location, keys, values, copy.dialect, removed)


def _is_integer(connection: Connection, contact_map: Table, key: str) -> bool:
    column = contact_map.c[key]
    if not isinstance(column.type, NullType):
        return isinstance(column.type, Integer)
    return all(isinstance(value, int) for rows in _batches(connection, select(column), None) for [value] in rows)


def _copy_table(
    state: State, copy: State, source: Table, target: Table, condition: ColumnElement[bool] | None = None
) -> int:
    names = [column.name for column in target.c if column.name in source.c]
    types = {name: target.c[name].type for name in names}
    given = copy.database.json_rows({name: stored_type(kind) for name, kind in types.items()})
    insert = target.insert().from_select(names, select(*(given.c[name] for name in names)))
    keys, written = frozenset(state.sync.key_columns), _Digest()
    for rows in _batches(state.connection, select(*(source.c[name] for name in names)), condition):
        parameters = [
            {n: _stored(v, types[n], is_key=n in keys) for n, v in zip(names, row, strict=True)} for row in rows
        ]
        copy.connection.execute(insert, rows_parameter(parameters))
        written.add(rows)
    read = _Digest()
    if target is copy.shared.meta:
        return written.rows  # it had other rows before
    mine = target.c.sync_name == state.sync.name if "sync_name" in target.c else None
    for rows in _batches(copy.connection, select(*(target.c[name] for name in names)), mine):
        read.add(rows)
    if read != written:
        raise StateError(
            f"table {target.name} was read back otherwise than it was written ({read.rows:,} of {written.rows:,} rows);"
            " nothing was copied"
        )
    return written.rows


def _batches(
    connection: Connection, query: SqlQuery, condition: ColumnElement[bool] | None
) -> Iterator[Sequence[Sequence[object]]]:
    chosen = query if condition is None else query.where(condition)
    result = connection.execute(chosen, execution_options={"stream_results": True, "yield_per": _BATCH})
    yield from result.partitions(_BATCH)


def _stored(value: object, kind: SqlType, *, is_key: bool) -> object:
    """A value as JSON has it for a column of the target."""
    if value is None or isinstance(kind, (Boolean, Integer)):
        return value
    if isinstance(kind, DateTime):
        assert isinstance(value, datetime)
        return value.isoformat(sep=" ", timespec="microseconds")
    return staged_key(value) if is_key else canonical_text(value)


@dataclass
class _Digest:
    """Rows in any order, as a number: equal for equal canonical texts."""

    rows: int = 0
    sum: int = 0

    def add(self, rows: Sequence[Sequence[object]]) -> None:
        """Add rows."""
        for row in rows:
            text = json.dumps([canonical_text(value) for value in row])
            hashed = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            self.sum = (self.sum + int.from_bytes(hashed, "big")) % 2**128
            self.rows += 1
