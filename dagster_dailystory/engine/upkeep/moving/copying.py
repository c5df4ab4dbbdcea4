"""Copies a sync to another state database, row by row in canonical form, and verifies the copy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from sqlalchemy import ColumnElement, Table, and_, not_, or_, select
from sqlalchemy.engine import make_url

from dagster_dailystory.contacts.canonical import canonical_text
from dagster_dailystory.databases.expressions import rows_parameter
from dagster_dailystory.databases.sql_types import TEXT, stored_type
from dagster_dailystory.engine.presence.forgotten import export_forgotten, keep_out
from dagster_dailystory.engine.state.layout.mapped_columns import is_nested
from dagster_dailystory.engine.state.layout.migrations import StoredTables, sync_names
from dagster_dailystory.engine.state.lease import Lease, hold_syncs
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION, SYNC_TABLES, StateLocation, SyncTables
from dagster_dailystory.engine.state.store import State, connect_state
from dagster_dailystory.engine.upkeep.doctor.notes import NOTES, drop_notes
from dagster_dailystory.engine.upkeep.moving.target_columns import TargetColumns, batches
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.runs.plan import some

_BATCH = 5_000

_NOT_COPIED = ("lock:", "moved:", "wait:", "schema_version", "written_by", "secret")
"""Starts of the names of meta values that belong to a database, or to a process."""


_NO_CONVERTERS: Mapping[str, Callable[[str], str]] = MappingProxyType({})


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


def copy_state(
    state: State, lease: Lease, target: StateLocation, warehouse_url: str, *, moves: bool = False
) -> CopyReport:
    """Copy a sync to another state, in one transaction there, during which no run can use either.

    Values are copied as canonical texts, into columns of the types that the next run wants: no value differs
    afterwards, so nothing is sent. The state's secret goes with it, because opaque ids and hashes depend on it.

    Args:
        state: The open state.
        lease: The lease of the sync.
        target: Where to.
        warehouse_url: Where the source is.
        moves: Let no further run use the sync in this state.

    Raises:
        BusyError: A run holds the sync in the target.
        StateError: The target has the sync already, belongs to another destination, or holds syncs of another secret;
            or a row was read back otherwise than it was written. The target is as it was.
    """
    if target == state.location:
        raise StateError(f"the target is the state that sync {state.sync.name!r} has now; name another one")
    with connect_state(target, state.sync) as copy:
        if copy.layout != SCHEMA_VERSION:
            raise StateError(f"the target has layout version {copy.layout}; let a run of its syncs upgrade it first")
        with hold_syncs(copy, [state.sync.name]) as [other], lease.during(state):  # the copy is committed first
            if moves:
                state.mark_as_moved(_described(target))
            with other.during(copy):
                _check_target(state, copy)
                rows = dict(_copied(state, copy, warehouse_url))
            if moves:
                drop_notes(state)
        return CopyReport(state.sync.name, rows)


def _described(target: StateLocation) -> str:
    """Names a state's database without a user or a password."""
    url = make_url(target.url)
    schema = f", schema {target.schema}" if target.schema else ""
    return f"{url.get_backend_name()} database {url.database}{f' on {url.host}' if url.host else ''}{schema}"


def _check_target(state: State, copy: State) -> None:
    name = state.sync.name
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


def _copied(state: State, copy: State, warehouse_url: str) -> Iterator[tuple[str, int]]:
    source = state.load_tables()
    if source is None:
        raise StateError(f"sync {state.sync.name!r} has no tables in this state, so there is nothing to copy")
    stored = StoredTables(state.connection, state.location, state.connection.begin)
    found = {name: stored.table(state.sync.name, name) for name in SYNC_TABLES}
    columns = TargetColumns.of(state, copy, source, found, warehouse_url)
    removed = dict.fromkeys(source.removed_names, copy.database.storage_type(TEXT))
    tables = SyncTables(state.sync, copy.location, columns.keys, columns.values, copy.dialect, removed)
    tables.metadata.create_all(copy.connection)
    for name in SYNC_TABLES:
        texts = _history_texts(state, columns, found["snapshot"]) if name == "history" else {}
        yield name, _copy_table(state, columns, found[name], getattr(tables, name), converters=texts)
    for name in ("plans", "runs"):
        table = getattr(state.shared, name)
        mine = table.c.sync_name == state.sync.name
        yield name, _copy_table(state, columns, table, getattr(copy.shared, name), mine)
    meta = state.shared.meta
    kept = [meta.c.name.startswith(start, autoescape=True) for start in _NOT_COPIED]
    known = select(copy.shared.meta.c.name)
    present = set(copy.connection.execute(known).scalars())
    notes = meta.c.name.startswith(f"{NOTES}{state.sync.name}:", autoescape=True)
    own = or_(meta.c.name.endswith(f":{state.sync.name}", autoescape=True), notes)
    of_all = or_(not_(meta.c.name.contains(":")), meta.c.name.startswith("token_hash:"))
    former = and_(meta.c.name.startswith("renamed:"), meta.c.value == state.sync.name)
    chosen = and_(or_(own, of_all, former), not_(or_(*kept)), meta.c.name.not_in(present))
    yield "meta", _copy_table(state, columns, meta, copy.shared.meta, chosen)
    requests = export_forgotten(state)
    for row in requests:
        keep_out(copy, {row.kind: [row.hash]}, row.forgotten_at, row.sync_name)
    yield "forgotten", len(requests)


def _copy_table(
    state: State,
    columns: TargetColumns,
    source: Table,
    target: Table,
    condition: ColumnElement[bool] | None = None,
    converters: Mapping[str, Callable[[str], str]] = _NO_CONVERTERS,
) -> int:
    copy = columns.copy
    names = [column.name for column in target.c if column.name in source.c]
    types = {name: target.c[name].type for name in names}
    given = copy.database.json_rows({name: stored_type(kind) for name, kind in types.items()})
    insert = target.insert().from_select(names, select(*(given.c[name] for name in names)))
    written = _Digest()
    for read_rows in batches(state.connection, select(*(source.c[name] for name in names)), condition):
        rows = [[_converted(v, converters.get(n)) for n, v in zip(names, row, strict=True)] for row in read_rows]
        parameters = [{n: columns.stored(n, v, types[n]) for n, v in zip(names, row, strict=True)} for row in rows]
        copy.connection.execute(insert, rows_parameter(parameters))
        written.add(rows)
    read = _Digest()
    if target is copy.shared.meta:
        return written.rows  # it had other rows before
    mine = target.c.sync_name == state.sync.name if "sync_name" in target.c else None
    for back in batches(copy.connection, select(*(target.c[name] for name in names)), mine):
        read.add(back)
    if read != written:
        raise StateError(
            f"table {target.name} was read back otherwise than it was written ({read.rows:,} of {written.rows:,} rows);"
            " nothing was copied"
        )
    return written.rows


def _history_texts(state: State, columns: TargetColumns, snapshot: Table) -> dict[str, Callable[[str], str]]:
    kinds = {column.name: column.type for column in snapshot.c}
    nested = frozenset(name for name, kind in kinds.items() if is_nested(state, kind))
    convert = partial(columns.history_text, kinds=kinds, nested=nested)
    return {"before": convert, "after": convert}


def _converted(value: object, convert: Callable[[str], str] | None) -> object:
    return value if convert is None or not isinstance(value, str) else convert(value)


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
