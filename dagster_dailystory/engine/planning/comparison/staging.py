"""Staging: makes the source available in the state's database, where SQL can join it with the snapshot.

A table or view in that database is read in place. The rows of a query are copied to a temporary table. The rows of
another database are streamed into one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, FromClause, Integer, MetaData, String, Table, func, literal, or_, select
from sqlalchemy.schema import DropTable

from dagster_dailystory.databases.connect import connect, driver_errors_as, open_engine, same_database
from dagster_dailystory.databases.expressions import among, rows_parameter
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.row_hash import ROW_HASH, NoHash, hash_version, row_hash
from dagster_dailystory.databases.source import (
    NO_PARAMETERS,
    Batches,
    Source,
    column_types,
    has_unique_keys,
    is_table,
    open_source,
    reading,
    stored_types,
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
from dagster_dailystory.databases.stored_values import (
    KeyBeyond64BitsError,
    are_integers,
    in_64_bits,
    key_in_state,
    staged_key,
    staged_texts,
    typed_keys,
)
from dagster_dailystory.engine.interrupts import frozen_heap
from dagster_dailystory.engine.planning.comparison.row_hashes import HashedRows, RowHashes, may_leave_rows_out
from dagster_dailystory.engine.state.incremental import IncrementalRead
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.partitions import PARTITION_VALUE, ColumnValues
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.watermark import Moment, WatermarkValues

_REREAD_ROWS, _REREAD_ONE_IN = 1_000, 10
"""Read the whole source if more than 1,000 rows and one in ten changed: looking rows up hashes every row again."""


_KEYS_PER_LOOKUP, _HASHES_PER_LOOKUP = 10_000, 100_000
"""Rows per look-up statement. A look-up by hash makes the warehouse hash every row, so it asks for more at once."""


@dataclass(frozen=True)
class Staged:
    """A source that the diff can join with the snapshot.

    Attributes:
        relation: The key columns, and one column for each mapped field.
        key_types, value_types: The types of the state's columns.
        watermark: The values of the watermark column, read before the rows were.
        since: The lowest value of it among the rows that were read, None if all were.
        widened_keys: The key columns that the state's tables have as integers, and that have to become text.
        has_unique_keys: The database itself guarantees that no key has two rows.
        all_keys: The keys of all source rows, if `relation` has only the rows that may differ; otherwise None.
        hashed: The rows with their hashes; None where hashes are not used.
    """

    relation: FromClause
    key_types: Mapping[str, SqlType]
    value_types: Mapping[str, SqlType]
    watermark: WatermarkValues = WatermarkValues()  # noqa: RUF009  # frozen
    since: Moment | None = None
    widened_keys: frozenset[str] = frozenset()
    has_unique_keys: bool = False
    all_keys: FromClause | None = None
    hashed: HashedRows | None = None

    def typed_keys(self, written: Sequence[str]) -> list[dict[str, object]]:
        """Parse the keys that a user gave (`a|b` for a composite key) as values of the key columns.

        Raises:
            ConfigurationError: A key has too many or too few parts, or a part is not a value of its column's type.
        """
        return [each for key in written for each in typed_keys(key, self.key_types)]


def stage_source(
    state: State, lease: Lease, warehouse_url: str, options: PlanOptions, recent: IncrementalRead
) -> Staged | None:
    """Make the source available in the state's database.

    A query in that database is evaluated once, and so is a view where hashes are compared first. A query in another
    database is evaluated by each statement that needs it: the watermark's values, the row hashes, and the rows.

    Args:
        state: The sync's state.
        lease: The right to plan the sync.
        warehouse_url: Where the source is.
        options: What the run asks for; they decide whether rows with their remembered hash may be left out.
        recent: The checkpoint; it decides whether the run reads recent rows only.

    Returns:
        The staged source; None if it never had a row, because the types of its key are not known then.
    """
    if same_database(warehouse_url, state.location.url):
        return _stage_in_database(state, lease, options, recent)
    return _stage_from_elsewhere(state, lease, warehouse_url, options, recent)


def _stage_in_database(state: State, lease: Lease, options: PlanOptions, recent: IncrementalRead) -> Staged:
    with lease.during(state):
        opened = open_source(state.sync, state.connection)
        compared = recent.rows_to_read(options, partial(_readable, state, opened), state.connection)
        source = compared.source
        types = column_types(source, state.connection) or {}
        are_unique = has_unique_keys(source, state.sync, state.connection)
    selected = typed_selection(source, state.sync, types, state.connection)
    columns = [value.label(name) for name, value in selected.items()]
    return Staged(
        select(*columns).subquery("source"),
        *stored_types(source, state.sync, types, state.connection),
        compared.watermark,
        compared.since,
        has_unique_keys=are_unique,
    )


def _readable(state: State, opened: Source, since: Moment | None) -> Source:
    """A table in place, a query's rows in a temporary table; a view like a query, where several statements read it."""
    source, is_needed_once = opened.recent(state.sync, state.dialect, since), not state.database.compares_hashes
    is_readable = column_types(source, state.connection) is not None
    if is_readable and (is_needed_once or is_table(source, state.connection)):
        return source
    return _materialize(state, source)


def _materialize(state: State, source: Source) -> Source:
    """Copy a query's rows to a temporary table, because a second evaluation could return other rows."""
    name = state.location.table_name(state.sync.name, "staged")
    columns = [source.relation.c[real] for real in dict.fromkeys(source.columns.values())]
    with driver_errors_as(f"the source of sync {state.sync.name!r} cannot be read"):
        state.connection.execute(DropTable(Table(name, MetaData()), if_exists=True))
        state.connection.execute(CreateTemporaryTableAs(name, select(*columns)))
    state.database.index_temporary(state.connection, name, [source.columns[key] for key in state.sync.key_columns])
    kept = Table(name, MetaData(), *(Column(column.name) for column in columns))
    return Source(kept.alias("source"), (None, name), source.columns)


def _stage_from_elsewhere(
    state: State, lease: Lease, warehouse_url: str, options: PlanOptions, recent: IncrementalRead
) -> Staged | None:
    with connect(open_engine(warehouse_url), "warehouse") as warehouse:
        database_of(warehouse.dialect).use_repeatable_read(warehouse)
        with warehouse.begin(), ExitStack() as streams, frozen_heap():
            opened = open_source(state.sync, warehouse)
            read = partial(opened.recent, state.sync, warehouse.dialect)
            compared = recent.rows_to_read(options, read, warehouse)
            source, options = compared.source, replace(options, since=compared.since)
            may_hash = may_leave_rows_out(state.sync, options)
            hashed = row_hash(list(source.read_columns(state.sync).values()), warehouse) if may_hash else None
            hashed = None if isinstance(hashed, NoHash) else hashed
            with lease.during(state):
                transfer = _Transfer(state, warehouse, source, hashed, state.load_tables(), streams)
                staged = transfer.stage_with_any_key()
            return staged and replace(staged, watermark=compared.watermark, since=compared.since)


@dataclass(frozen=True)
class _Transfer:
    """Copies the source from the warehouse to a state in another database, in one transaction on each side.

    Attributes:
        state: Where the rows go.
        warehouse: Where they come from.
        source: The table or query there.
        row_hash: The hash of a row; None where hashes may not or cannot be used.
        tables: The sync's state tables; None before its first plan.
        streams: Closes the open result streams after an error; until then a rollback cannot be sent.
        widened: The key columns that held 64-bit integers and now hold larger ones.
    """

    state: State
    warehouse: Connection
    source: Source
    row_hash: SqlValue | None
    tables: SyncTables | None
    streams: ExitStack
    widened: frozenset[str] = frozenset()

    def stage_with_any_key(self) -> Staged | None:
        """Stage the source; once more, with the key as text, if it has a key beyond 64 bits."""
        try:
            return self.stage()
        except KeyBeyond64BitsError as found:
            self.streams.close()
            return replace(self, widened=self.widened | {found.column}).stage_with_any_key()

    def stage(self) -> Staged | None:
        sync = self.state.sync
        version = "" if self.row_hash is None else hash_version(self.warehouse)
        keyed = self._keys_and_hashes(version)
        changed = None if keyed is None else self._changed(keyed)
        batches = self._stream(self._query()) if keyed is None or changed is None else self._look_up(keyed, changed)
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
            widened_keys=self.widened if self.tables is not None else frozenset(),
            has_unique_keys=bool(hashes) and has_unique_keys(self.source, sync, self.warehouse),
            all_keys=None if changed is None else keyed,
            hashed=HashedRows(relation, version) if hashes else None,
        )

    def _keys_and_hashes(self, version: str) -> Table | None:
        """Stage the keys and hashes of all rows; None without remembered hashes to compare them with."""
        if self.row_hash is None or self.tables is None or self.widened:
            return None
        if not RowHashes(self.state, self.tables).are_current(version):
            return None
        columns, keys = self.source.selection(self.state.sync), self._key_types([]) or {}
        query = select(*(columns[key].label(f"c{place}") for place, key in enumerate(keys)), self.row_hash)
        return self._fill("present", {**keys, ROW_HASH: BIG_INTEGER}, self._stream(query))

    def _changed(self, all_keys: Table) -> Sequence[tuple[int, ...]] | None:
        """The keys or hashes of the changed rows, to look them up by; None if reading the whole source is quicker."""
        assert self.tables is not None
        execute = self.state.connection.execute
        rows = int(execute(select(func.count()).select_from(all_keys)).scalar_one())
        most = max(rows // _REREAD_ONE_IN, _REREAD_ROWS)
        rows_to_read = RowHashes(self.state, self.tables).changed_rows(all_keys, self._lookup_columns(all_keys))
        found = list(map(tuple, execute(rows_to_read.distinct().limit(most + 1))))  # many, but only integers
        return None if len(found) > most else found

    def _lookup_columns(self, all_keys: Table) -> Sequence[str]:
        """Integer keys, which an index finds. Other keys are texts here, so their rows are looked up by hash."""
        keys = self.state.sync.key_columns
        return keys if all(isinstance(all_keys.c[key].type, Integer) for key in keys) else (ROW_HASH,)

    def _look_up(self, all_keys: Table, changed: Sequence[tuple[int, ...]]) -> Batches:
        names = self._lookup_columns(all_keys)
        given = database_of(self.warehouse.dialect).json_rows(dict.fromkeys(names, BIG_INTEGER))
        assert self.row_hash is not None
        columns = {**self.source.selection(self.state.sync), ROW_HASH: self.row_hash}
        query = self._query().where(among([columns[name] for name in names], select(*given.c)))
        size = _HASHES_PER_LOOKUP if ROW_HASH in names else _KEYS_PER_LOOKUP
        for start in range(0, len(changed), size):
            some = [dict(zip(names, each, strict=True)) for each in changed[start : start + size]]
            yield from self._stream(query, rows_parameter(some))
        missing = or_(*(columns[key].is_(None) for key in self.state.sync.key_columns))
        if self._has_null_key(all_keys):  # no hash is remembered for them, but their contacts are in the source
            yield from self._stream(self._query().where(missing))

    def _has_null_key(self, all_keys: Table) -> bool:
        nulls = or_(*(all_keys.c[key].is_(None) for key in self.state.sync.key_columns))
        return (
            self.state.connection.execute(select(literal(1)).select_from(all_keys).where(nulls).limit(1)).first()
            is not None
        )

    def _query(self) -> SqlQuery:
        query = reading(self.source, self.state.sync)
        return query if self.row_hash is None else query.add_columns(self.row_hash)

    def _stream(self, query: SqlQuery, parameters: Mapping[str, object] = NO_PARAMETERS) -> Batches:
        return self.streams.enter_context(closing(stream(query, self.state.sync, self.warehouse, parameters)))

    def _key_types(self, first: Sequence[Sequence[object]]) -> dict[str, SqlType] | None:
        """The types of the key, fixed by the first plan: BIGINT for integers, canonical text for all others."""
        names = self.state.sync.key_columns
        if self.tables is not None:
            snapshot = self.tables.snapshot.c
            texts = {name for name in names if isinstance(snapshot[name].type, String)} | self.widened
            return {name: TEXT if name in texts else BIG_INTEGER for name in names}
        if not first:
            return None
        columns = list(zip(*first, strict=True))[: len(names)]
        return {
            name: BIG_INTEGER
            if name not in self.widened and all(isinstance(staged_key(v), int) for v in values if v is not None)
            else TEXT
            for name, values in zip(names, columns, strict=True)
        }

    def _fill(self, name: str, types: Mapping[str, SqlType], batches: Iterable[Sequence[Sequence[object]]]) -> Table:
        """Fill a temporary table, column by column: most columns are texts that need no conversion."""
        state, keys = self.state, self.state.sync.key_columns
        columns = [Column(each, kind) for each, kind in types.items()]
        table = Table(state.location.table_name(state.sync.name, name), MetaData(), *columns, prefixes=["TEMPORARY"])
        state.connection.execute(DropTable(table, if_exists=True))  # of an attempt with another type of key
        table.create(state.connection)
        for batch in filter(None, batches):
            # Not zip(*batch): its iterator for each row costs more garbage collection than all other steps together.
            values = zip(types, (list(map(itemgetter(place), batch)) for place in range(len(types))), strict=True)
            staged = [self._staged(each, column, types[each]) for each, column in values]
            state.database.insert_rows(state.connection, table, list(zip(*staged, strict=True)))
        state.database.index_temporary(state.connection, table.name, keys)
        return table

    def _staged(self, name: str, values: Sequence[Any], kind: SqlType) -> Sequence[int | str | None]:
        if name == ROW_HASH:
            return values
        if name in self.state.sync.key_columns:
            whole = isinstance(kind, Integer)
            if whole and are_integers(values):
                return values
            return [_key(self.state, value, name, whole=whole) for value in values]
        texts = staged_texts(values)
        partitions = self.state.sync.partitions
        if name == PARTITION_VALUE and isinstance(partitions, ColumnValues):
            return [partitions.name_of(value) for value in texts]
        return texts


def _key(state: State, value: object, name: str, *, whole: bool) -> int | str | None:
    key = key_in_state(value, is_integer=whole)
    if key is None or not whole:
        return key
    if isinstance(key, int):
        return in_64_bits(key, name)
    raise StateError(
        f"key {name!r} of sync {state.sync.name!r} held whole numbers and now holds {type(value).__name__}; "
        "cast it in the query, or give the sync a new name"
    )
