"""The transfer: copies the source, or the rows of it that may differ, to a state in another database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, func, literal, or_, select, true
from sqlalchemy.schema import DropTable

from dagster_dailystory.databases.expressions import among, among_numbers, rows_parameter
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.row_hash import ROW_HASH
from dagster_dailystory.databases.source import (
    NO_PARAMETERS,
    Batches,
    Source,
    has_unique_keys,
    reading,
    stream,
)
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, SqlQuery, SqlType, SqlValue
from dagster_dailystory.databases.stored_values import (
    KeyBeyond64BitsError,
    are_integers,
    in_64_bits,
    key_in_state,
    staged_key,
    staged_texts,
)
from dagster_dailystory.engine.planning.comparison.hashes.row_hashes import HashedRows, RowHashes
from dagster_dailystory.engine.planning.comparison.hashes.sums import (
    Condition,
    DifferingBuckets,
    RememberedSums,
    UnreadRows,
    sums_of,
)  # fmt: skip
from dagster_dailystory.engine.planning.comparison.slices import stored_hash
from dagster_dailystory.engine.planning.comparison.staged import SUM_BYTES, Staged, Traffic
from dagster_dailystory.engine.planning.comparison.windows import WindowNames
from dagster_dailystory.engine.state.schema import KEY_BUCKET, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.partitions import PARTITION_VALUE, ColumnValues, TimeWindows
from dagster_dailystory.model.runs.comparison import Comparison, Way
from dagster_dailystory.model.sync import ContactSync

_REREAD_ROWS, _REREAD_ONE_IN = 1_000, 10
"""Read the whole source if more than 1,000 rows and one in ten changed: looking rows up hashes every row again."""


_KEYS_PER_LOOKUP, _HASHES_PER_LOOKUP = 10_000, 100_000
"""Rows per look-up statement. A look-up by hash makes the warehouse hash every row, so it asks for more at once."""


_MOST_SCANS = 4
"""Most statements that look rows up by hash: each reads the whole source, which some warehouses charge for."""


@dataclass(frozen=True)
class Reading:
    """What a transfer reads.

    Attributes:
        source: The table or query, or the rows of one slice.
        slice_value: The value that places a row in a slice, if it is not a column of the source; see `SliceOfSource`.
        row_hash: The hash of a row; None where hashes may not or cannot be used.
        bucket: The bucket of its key, by which hashes are added up; None where there is no hash.
        version: What computes the hashes; see `hash_version`.
        why_streamed: Why hashes may not or cannot be used; empty if they are.
    """

    source: Source
    slice_value: SqlValue | None = None
    row_hash: SqlValue | None = None
    bucket: SqlValue | None = None
    version: str = ""
    why_streamed: str = ""


def query_of(read: Reading, sync: ContactSync) -> SqlQuery:
    """The statement that reads whole rows, with the columns of the staging table."""
    query = reading(read.source, sync)
    if read.slice_value is not None:
        query = query.add_columns(read.slice_value.label(PARTITION_VALUE))
    if read.row_hash is None or read.bucket is None:
        return query
    return query.add_columns(read.row_hash.label(ROW_HASH), read.bucket.label(KEY_BUCKET))


@dataclass(frozen=True)
class Transfer:
    """Copies rows in one transaction on each side.

    Attributes:
        state: Where the rows go.
        warehouse: Where they come from.
        reading: What is read.
        tables: The sync's state tables; None before its first plan.
        streams: Closes the open result streams after an error; until then a rollback cannot be sent.
        widened: The key columns that held 64-bit integers and now hold larger ones.
        traffic: Counts what is read.
    """

    state: State
    warehouse: Connection
    reading: Reading
    tables: SyncTables | None
    streams: ExitStack
    widened: frozenset[str] = frozenset()
    traffic: Traffic = field(default_factory=Traffic)

    def stage_with_any_key(self) -> tuple[Transfer, Staged | None]:
        """Stage the source; once more, with the key as text, if it has a key beyond 64 bits.

        Returns:
            The transfer that staged it, and what it staged.
        """
        try:
            return self, self.stage()
        except KeyBeyond64BitsError as found:
            self.streams.close()
            return replace(self, widened=self.widened | {found.column}).stage_with_any_key()

    def stage(self) -> Staged | None:
        """Copy the rows that may differ; None if the source never had a row: the types of its key are not known."""
        differing, wanted = self._differing_buckets()
        keyed, unread = self._keys_and_hashes(wanted), None
        if differing is not None and wanted is not None and keyed is not None and self.tables is not None:
            unread = differing.unread_rows(self.state, self.tables, keyed)
        changed = None if keyed is None else self._changed(keyed, unread)
        batches = self._rows(self._query()) if keyed is None or changed is None else self._look_up(keyed, changed)
        first = next(batches, [])
        keys = self._key_types(first)
        if keys is None:
            return None
        relation = self._fill("staged", {**keys, **self._value_types}, chain([first], batches)).alias("source")
        source, sync = self.reading.source, self.state.sync
        return Staged(
            relation,
            keys,
            {m.state_column: TEXT for m in sync.mapped_fields},
            widened_keys=self.widened if self.tables is not None else frozenset(),
            has_unique_keys=self._is_hashed and has_unique_keys(source, sync, self.warehouse),
            all_keys=None if changed is None else keyed if unread is None else unread.all_keys,
            hashed=HashedRows(relation, self.reading.version) if self._is_hashed else None,
            unread=None if changed is None else unread,
            comparison=self._comparison(keyed, changed, differing, unread),
        )

    def _comparison(
        self,
        keyed: Table | None,
        changed: Sequence[tuple[int, ...]] | None,
        differing: DifferingBuckets | None,
        unread: UnreadRows | None,
    ) -> Comparison:
        if keyed is None:
            reason = "no row hashes are remembered for this query and mapping"
            return Comparison(Way.STREAMED, self.reading.why_streamed or reason)
        if changed is None:
            return Comparison(Way.STREAMED, "too many rows changed to look them up")
        if unread is not None:
            return Comparison(Way.SUMS)
        return Comparison(Way.HASHES, "" if differing is None else "the sums of too many rows differ")

    def append(self, key_types: Mapping[str, SqlType], query: SqlQuery) -> None:
        """Read further rows, with the columns of `query_of`, into the table that `stage` made."""
        types = {**key_types, **self._value_types}
        table = self._table("staged", types)
        for batch in self._rows(query):
            self._insert(table, types, batch)

    @property
    def _is_hashed(self) -> bool:
        return self.reading.row_hash is not None

    @cached_property
    def _window_names(self) -> WindowNames | None:
        windows, database = self.state.sync.partitions, database_of(self.warehouse.dialect)
        return WindowNames(windows, self.state.present, database) if isinstance(windows, TimeWindows) else None

    @property
    def _value_types(self) -> dict[str, SqlType]:
        sync = self.state.sync
        types: dict[str, SqlType] = {m.state_column: TEXT for m in sync.mapped_fields}
        hashes: dict[str, SqlType] = dict.fromkeys((ROW_HASH, KEY_BUCKET) if self._is_hashed else (), BIG_INTEGER)
        return types | self._slice_types | hashes

    @property
    def _slice_types(self) -> dict[str, SqlType]:
        has_slices = self.state.sync.partition_column or self.reading.slice_value is not None
        return {PARTITION_VALUE: TEXT} if has_slices else {}

    @cached_property
    def _are_hashes_current(self) -> bool:
        """Whether there are remembered hashes to compare those of the rows with."""
        if not self._is_hashed or self.tables is None or self.widened:
            return False
        return RowHashes(self.state, self.tables).are_current(self.reading.version)

    def _differing_buckets(self) -> tuple[DifferingBuckets | None, Condition | None]:
        """Compare sums of hashes, if they are kept; the condition is None if all keys are to be read."""
        reading, tables = self.reading, self.tables
        if tables is None or not self._are_hashes_current or self._slice_types:
            return None, None
        remembered = RememberedSums.of(self.state, tables)
        if remembered is None or reading.bucket is None or reading.row_hash is None:
            return None, None
        database = database_of(self.warehouse.dialect)
        query = sums_of(reading.source, reading.bucket, reading.row_hash, database)
        rows = list(chain.from_iterable(self._stream(query)))
        self.traffic.bytes += SUM_BYTES * len(rows)
        differing = remembered.differing(rows)
        return differing, differing.condition(reading.bucket, database)

    def _keys_and_hashes(self, wanted: Condition | None) -> Table | None:
        """Stage the keys and hashes of all rows, or of those wanted; None without hashes to compare them with."""
        hashed, source, sync = self.reading.row_hash, self.reading.source, self.state.sync
        if hashed is None or not self._are_hashes_current:
            return None
        columns, keys = source.selection(sync), self._key_types([]) or {}
        slices = [self.reading.slice_value] if self.reading.slice_value is not None else []
        slices += [columns[PARTITION_VALUE]] if sync.partition_column else []
        values = [*(columns[key] for key in keys), *slices]
        query = select(*(value.label(f"c{place}") for place, value in enumerate(values)), hashed.label(ROW_HASH))
        types = {**keys, **self._slice_types, ROW_HASH: BIG_INTEGER}
        condition, parameters = (true(), NO_PARAMETERS) if wanted is None else wanted
        return self._fill("present", types, self._counted(query.where(condition), parameters))

    def _changed(self, all_keys: Table, unread: UnreadRows | None) -> Sequence[tuple[int, ...]] | None:
        """The keys or hashes of the changed rows, to look them up by; None if reading the whole source is quicker."""
        assert self.tables is not None
        execute = self.state.connection.execute
        rows = int(execute(select(func.count()).select_from(all_keys)).scalar_one())
        columns = self._lookup_columns(all_keys)
        rows += 0 if unread is None else unread.rows
        most = max(rows // _REREAD_ONE_IN, _REREAD_ROWS)
        if ROW_HASH in columns:
            most = min(most, _MOST_SCANS * self._per_statement(columns))
        rows_to_read = RowHashes(self.state, self.tables).changed_rows(all_keys, columns)
        found = list(map(tuple, execute(rows_to_read.distinct().limit(most + 1))))  # many, but only integers
        is_hashed = all(None not in each for each in found)
        return found if is_hashed and len(found) <= most else None

    def _lookup_columns(self, all_keys: Table) -> Sequence[str]:
        """Integer keys, which an index finds. Other keys are texts here, so their rows are looked up by hash."""
        keys, database = self.state.sync.key_columns, database_of(self.warehouse.dialect)
        are_listed = database.reads_json_rows or len(keys) == 1
        return keys if are_listed and all(isinstance(all_keys.c[key].type, Integer) for key in keys) else (ROW_HASH,)

    def _per_statement(self, columns: Sequence[str]) -> int:
        database = database_of(self.warehouse.dialect)
        most = _HASHES_PER_LOOKUP if ROW_HASH in columns else _KEYS_PER_LOOKUP
        return most if database.reads_json_rows else min(most, database.longest_list)

    def _look_up(self, all_keys: Table, changed: Sequence[tuple[int, ...]]) -> Batches:
        names, hashed = self._lookup_columns(all_keys), self.reading.row_hash
        assert hashed is not None
        columns = {**self.reading.source.selection(self.state.sync), ROW_HASH: hashed}
        size = self._per_statement(names)
        for start in range(0, len(changed), size):
            yield from self._some_rows([columns[name] for name in names], names, changed[start : start + size])
        missing = or_(*(columns[key].is_(None) for key in self.state.sync.key_columns))
        if self._has_null_key(all_keys):  # no hash is remembered for them, but their contacts are in the source
            yield from self._rows(self._query().where(missing))

    def _some_rows(
        self, columns: Sequence[SqlValue], names: Sequence[str], wanted: Sequence[tuple[int, ...]]
    ) -> Batches:
        """The rows with these keys or hashes: as a parameter, or as a list of numbers."""
        database = database_of(self.warehouse.dialect)
        if not database.reads_json_rows:
            yield from self._rows(self._query().where(among_numbers(columns[0], [each[0] for each in wanted])))
            return
        given = database.json_rows(dict.fromkeys(names, BIG_INTEGER))
        rows = rows_parameter([dict(zip(names, each, strict=True)) for each in wanted])
        yield from self._rows(self._query().where(among(columns, select(*given.c))), rows)

    def _has_null_key(self, all_keys: Table) -> bool:
        nulls = or_(*(all_keys.c[key].is_(None) for key in self.state.sync.key_columns))
        return (
            self.state.connection.execute(select(literal(1)).select_from(all_keys).where(nulls).limit(1)).first()
            is not None
        )

    def _query(self) -> SqlQuery:
        return query_of(self.reading, self.state.sync)

    def _rows(self, query: SqlQuery, parameters: Mapping[str, object] = NO_PARAMETERS) -> Batches:
        """Read whole rows."""
        for batch in self._stream(query, parameters):
            self.traffic.rows += len(batch)
            yield batch

    def _counted(self, query: SqlQuery, parameters: Mapping[str, object]) -> Batches:
        """Read keys with their hashes."""
        for batch in self._stream(query, parameters):
            self.traffic.keys += len(batch)
            yield batch

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
        """Fill a temporary table."""
        state, table = self.state, self._table(name, types)
        state.connection.execute(DropTable(table, if_exists=True))  # of an attempt with another type of key
        table.create(state.connection)
        for batch in filter(None, batches):
            self._insert(table, types, batch)
        state.database.index_temporary(state.connection, table.name, state.sync.key_columns)
        return table

    def _table(self, name: str, types: Mapping[str, SqlType]) -> Table:
        columns = [Column(each, kind) for each, kind in types.items()]
        name = self.state.location.table_name(self.state.sync.name, name)
        return Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])

    def _insert(self, table: Table, types: Mapping[str, SqlType], batch: Sequence[Sequence[object]]) -> None:
        """Insert a batch, converted column by column: most columns are texts that need no conversion."""
        # Not zip(*batch): its iterator for each row costs more garbage collection than all other steps together.
        values = zip(types, (list(map(itemgetter(place), batch)) for place in range(len(types))), strict=True)
        staged = [self._staged(each, column, types[each]) for each, column in values]
        self.traffic.bytes += sum(map(_size, staged))
        self.state.database.insert_rows(self.state.connection, table, list(zip(*staged, strict=True)))

    def _staged(self, name: str, values: Sequence[Any], kind: SqlType) -> Sequence[int | str | None]:
        if name in (ROW_HASH, KEY_BUCKET):
            return values
        if name in self.state.sync.key_columns:
            whole = isinstance(kind, Integer)
            if whole and are_integers(values):
                return values
            return [_key(self.state, value, name, whole=whole) for value in values]
        partitions = self.state.sync.partitions
        if name != PARTITION_VALUE:
            return staged_texts(values)
        if isinstance(partitions, ColumnValues):
            return [partitions.name_of(value) for value in staged_texts(values)]
        if self._window_names is not None:
            return list(map(self._window_names.of, values))
        return [stored_hash(value) for value in values]


def _size(values: Sequence[int | str | None]) -> int:
    """An estimate of the bytes of a column: from its first values."""
    sample = values[:100]
    widths = [len(value) if isinstance(value, str) else 8 if value is not None else 0 for value in sample]
    return sum(widths) * len(values) // max(len(sample), 1)


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
