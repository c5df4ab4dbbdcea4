"""The source brought next to the snapshot: read in place, kept from one evaluation, or streamed from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, FromClause, Integer, MetaData, String, Table, func, select

from dagster_dailystory.databases.bulk import insert_rows, json_rows, rows_parameter
from dagster_dailystory.databases.connect import (
    connect,
    open_engine,
    read_one_moment,
    reflected_types,
    refusals,
    same_database,
)
from dagster_dailystory.databases.dialect import among, hashes_pay, index_temporary, storage_type
from dagster_dailystory.databases.memory import give_back_memory
from dagster_dailystory.databases.row_hash import ROW_HASH, hash_version, row_hash
from dagster_dailystory.databases.source import (
    NO_PARAMETERS,
    Batches,
    Source,
    column_types,
    has_unique_keys,
    is_table,
    open_source,
    reading,
    stream,
    typed_selection,
)
from dagster_dailystory.databases.sql_types import (
    BIG_INTEGER,
    TEXT,
    CreateTemporaryTableAs,
    SqlQuery,
    SqlType,
    SqlValue,
)
from dagster_dailystory.databases.stored_values import are_whole, staged_key, staged_texts
from dagster_dailystory.engine.interrupts import frozen_heap
from dagster_dailystory.engine.planning.row_hashes import HashedRows, RowHashes, may_leave_rows_out
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.partitions import PARTITION_VALUE, ColumnValues
from dagster_dailystory.model.plan import PlanOptions
from dagster_dailystory.model.watermark import Moment

_WORTH_LOOKING_FOR, _WORTH_READING_ALL = 1_000, 10
"""Where more rows than that and more than one in so many moved, all are read: to look for some is to hash all again."""


_KEYS_ASKED_FOR, _HASHES_ASKED_FOR = 10_000, 100_000
"""Rows that one statement looks for; for those of hashes it hashes all rows once more."""


@dataclass(frozen=True)
class Staged:
    """A source that the diff can join with the snapshot.

    Attributes:
        relation: Key columns and one column per mapped field.
        key_types: The key columns' types in the state.
        value_types: State column -> type.
        highest: The highest value of the watermark's column, seen before the rows were read.
        has_unique_keys: The database itself sees to it that no key has two rows.
        present: The keys of all rows, where `relation` has only those that may differ.
        hashed: The rows with their hashes, where those are used.
        narrows: All rows are there, and the hashes tell which of them may differ.
        is_stored: The relation may be read again: it answers alike, and nothing is evaluated anew. Told within DuckDB.
    """

    relation: FromClause
    key_types: Mapping[str, SqlType]
    value_types: Mapping[str, SqlType]
    highest: Moment | None = None
    has_unique_keys: bool = False
    present: FromClause | None = None
    hashed: HashedRows | None = None
    narrows: bool = False
    is_stored: bool = False


def stage_source(state: State, lease: Lease, warehouse_url: str, options: PlanOptions) -> Staged | None:
    """Bring the source to the state, evaluating the user's query once.

    Args:
        state: The sync's state.
        lease: The right to plan it.
        warehouse_url: Where the source is.
        options: What the run asks for. Rows whose hash is the remembered one stay where they are, if it may be trusted.

    Returns:
        The staged source; None where it has no row yet and nothing is known of its key.
    """
    if same_database(warehouse_url, state.location.url):
        return _in_the_warehouse(state, lease, options)
    return _from_elsewhere(state, lease, warehouse_url, options)


def _in_the_warehouse(state: State, lease: Lease, options: PlanOptions) -> Staged:
    pays = hashes_pay(state.dialect)
    hashes = pays and may_leave_rows_out(state.sync, options)
    with lease.during(state):
        source = open_source(state.sync, state.connection).recent(state.sync, options.since)
        types = column_types(source, state.connection)
        unique = types is not None and has_unique_keys(source, state.sync, state.connection)
        stored = pays and (types is None or is_table(source, state.connection))
        if types is None:
            source, types = _keep(state, source)
        highest = source.highest(state.sync, state.connection)
        hashed = row_hash(source, state.sync, state.connection) if hashes else None
        version = "" if hashed is None else hash_version(state.connection)
    chosen = typed_selection(source, state.sync, types, state.connection)
    real = source.columns
    keys = {key: storage_type(types[real[key]], state.dialect) for key in state.sync.key_columns}
    values = {m.state_column: storage_type(types[real[m.column]], state.dialect) for m in state.sync.mapped_fields}
    columns = [value.label(name) for name, value in chosen.items()]
    relation = select(*columns).subquery("source")
    if hashed is None:
        return Staged(relation, keys, values, highest, unique, is_stored=stored)
    rows = HashedRows(select(*columns, hashed.label(ROW_HASH)).subquery("hashed"), version)
    return Staged(relation, keys, values, highest, unique, hashed=rows, narrows=True, is_stored=stored)


def _keep(state: State, source: Source) -> tuple[Source, dict[str, SqlType]]:
    """Keep a query's rows in a temporary table: a second evaluation could answer otherwise."""
    name = state.location.table_name(state.sync.name, "staged")
    columns = [source.relation.c[real] for real in dict.fromkeys(source.columns.values())]
    with refusals(f"the source of sync {state.sync.name!r} cannot be read"):
        state.connection.execute(CreateTemporaryTableAs(name, select(*columns)))
    index_temporary(state.connection, name, [source.columns[key] for key in state.sync.key_columns])
    kept = Table(name, MetaData(), *(Column(column.name) for column in columns))
    types = reflected_types(state.connection, name) or {}
    return Source(kept.alias("source"), (None, name), source.columns), types


def _from_elsewhere(state: State, lease: Lease, warehouse_url: str, options: PlanOptions) -> Staged | None:
    with connect(open_engine(warehouse_url), "warehouse") as warehouse:
        read_one_moment(warehouse)
        with warehouse.begin(), ExitStack() as streams, frozen_heap():
            source = open_source(state.sync, warehouse).recent(state.sync, options.since)
            hashed = row_hash(source, state.sync, warehouse) if may_leave_rows_out(state.sync, options) else None
            with lease.during(state):
                return _Transport(state, warehouse, source, hashed, state.load_tables(), streams).stage()


@dataclass(frozen=True)
class _Transport:
    """Brings the source to a state elsewhere, in one transaction on each side.

    Attributes:
        state: Where the rows go.
        warehouse: Where they are.
        source: What they are there.
        row_hash: The hash of a row, None where none may or can be used.
        known: The sync's tables, None before its first plan.
        streams: Closes what is being read when something fails: until then no roll-back gets through.
    """

    state: State
    warehouse: Connection
    source: Source
    row_hash: SqlValue | None
    known: SyncTables | None
    streams: ExitStack

    def stage(self) -> Staged | None:
        sync = self.state.sync
        highest = self.source.highest(sync, self.warehouse)
        version = "" if self.row_hash is None else hash_version(self.warehouse)
        present = self._present(version)
        moved = None if present is None else self._moved(present)
        give_back_memory(self.state.connection)
        batches = self._stream(self._reading()) if present is None or moved is None else self._rows_of(present, moved)
        first = next(batches, [])
        keys = self._key_types(first)
        if keys is None:
            return None
        values: dict[str, SqlType] = {m.state_column: TEXT for m in sync.mapped_fields}
        partition: dict[str, SqlType] = {PARTITION_VALUE: TEXT} if sync.partition_column else {}
        hashes: dict[str, SqlType] = {ROW_HASH: BIG_INTEGER} if version else {}
        table = self._fill("staged", {**keys, **values, **partition, **hashes}, chain([first], batches))
        relation = table.alias("source")
        return Staged(
            relation,
            keys,
            values,
            highest,
            has_unique_keys=bool(hashes) and has_unique_keys(self.source, sync, self.warehouse),
            present=None if moved is None else present,
            hashed=HashedRows(relation, version) if hashes else None,
            is_stored=True,
        )

    def _present(self, version: str) -> Table | None:
        """The keys and hashes of all rows; None where no hash is remembered that they could be compared with."""
        if self.row_hash is None or self.known is None or not RowHashes(self.state, self.known).are_of(version):
            return None
        columns, keys = self.source.selection(self.state.sync), self._key_types([]) or {}
        query = select(*(columns[key].label(f"c{place}") for place, key in enumerate(keys)), self.row_hash)
        return self._fill("present", {**keys, ROW_HASH: BIG_INTEGER}, self._stream(query))

    def _moved(self, present: Table) -> Sequence[tuple[int, ...]] | None:
        """What names the rows to read; None where so many rows moved that reading all of them is quicker."""
        assert self.known is not None
        execute = self.state.connection.execute
        rows = int(execute(select(func.count()).select_from(present)).scalar_one())
        most = max(rows // _WORTH_READING_ALL, _WORTH_LOOKING_FOR)
        moved = RowHashes(self.state, self.known).moved(present, self._asked_by(present)).distinct()
        found = list(map(tuple, execute(moved.limit(most + 1))))  # a tenth of all rows may be here: nothing but numbers
        return None if len(found) > most else found

    def _asked_by(self, present: Table) -> Sequence[str]:
        """Whole numbers find their rows by an index; other keys are texts here, so their rows are hashed once more."""
        keys = self.state.sync.key_columns
        return keys if all(isinstance(present.c[key].type, Integer) for key in keys) else (ROW_HASH,)

    def _rows_of(self, present: Table, moved: Sequence[tuple[int, ...]]) -> Batches:
        names = self._asked_by(present)
        given = json_rows(self.warehouse.dialect, dict.fromkeys(names, BIG_INTEGER))
        assert self.row_hash is not None
        columns = {**self.source.selection(self.state.sync), ROW_HASH: self.row_hash}
        asked_for = among([columns[name] for name in names], select(*given.c))
        query = self._reading().where(asked_for)
        size = _HASHES_ASKED_FOR if ROW_HASH in names else _KEYS_ASKED_FOR
        for start in range(0, len(moved), size):
            some = [dict(zip(names, each, strict=True)) for each in moved[start : start + size]]
            yield from self._stream(query, rows_parameter(some))

    def _reading(self) -> SqlQuery:
        query = reading(self.source, self.state.sync)
        return query if self.row_hash is None else query.add_columns(self.row_hash)

    def _stream(self, query: SqlQuery, parameters: Mapping[str, object] = NO_PARAMETERS) -> Batches:
        return self.streams.enter_context(closing(stream(query, self.state.sync, self.warehouse, parameters)))

    def _key_types(self, first: Sequence[Sequence[object]]) -> dict[str, SqlType] | None:
        """Whole numbers stay numbers; every other key is kept as canonical text, as the first run decided."""
        names = self.state.sync.key_columns
        if self.known is not None:
            known = self.known.snapshot.c
            return {name: TEXT if isinstance(known[name].type, String) else BIG_INTEGER for name in names}
        if not first:
            return None
        columns = list(zip(*first, strict=True))[: len(names)]
        return {
            name: BIG_INTEGER if all(isinstance(staged_key(v), int) for v in values if v is not None) else TEXT
            for name, values in zip(names, columns, strict=True)
        }

    def _fill(self, name: str, types: Mapping[str, SqlType], batches: Iterable[Sequence[Sequence[object]]]) -> Table:
        """Make a temporary table of rows. Columns are staged whole: most are texts that stay as they are."""
        state, keys = self.state, self.state.sync.key_columns
        columns = [Column(each, kind) for each, kind in types.items()]
        table = Table(state.location.table_name(state.sync.name, name), MetaData(), *columns, prefixes=["TEMPORARY"])
        table.create(state.connection)
        for batch in filter(None, batches):
            # Not zip(*batch): an iterator for each row keeps the garbage collector busy for longer than all the rest.
            values = zip(types, (list(map(itemgetter(place), batch)) for place in range(len(types))), strict=True)
            staged = [self._staged(each, column, types[each]) for each, column in values]
            insert_rows(state.connection, table, list(zip(*staged, strict=True)))
        index_temporary(state.connection, table.name, keys)
        return table

    def _staged(self, name: str, values: Sequence[Any], kind: SqlType) -> Sequence[int | str | None]:
        if name == ROW_HASH:
            return values
        if name in self.state.sync.key_columns:
            whole = isinstance(kind, Integer)
            if whole and are_whole(values):
                return values
            return [_key(self.state, value, name, whole=whole) for value in values]
        texts = staged_texts(values)
        partitions = self.state.sync.partitions
        if name == PARTITION_VALUE and isinstance(partitions, ColumnValues):
            return [partitions.name_of(value) for value in texts]
        return texts


def _key(state: State, value: object, name: str, *, whole: bool) -> int | str | None:
    key = staged_key(value)
    if key is None or isinstance(key, int) is whole:
        return key
    if not whole:
        return str(key)
    raise StateError(
        f"key {name!r} of sync {state.sync.name!r} held whole numbers and now holds {type(value).__name__}; "
        "cast it in the query, or give the sync a new name"
    )
