"""Staging: makes the source available in the state's database, where SQL can join it with the snapshot.

A table or view in that database is read in place. The rows of a query are copied to a temporary table. The rows of
another database are streamed into one.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property, partial

from sqlalchemy import Column, Connection, MetaData, Table, select
from sqlalchemy.schema import DropTable

from dagster_dailystory.databases.connect import connect, driver_errors_as, open_engine, same_database
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.row_hash import Hashing, NoHash
from dagster_dailystory.databases.source import (
    Source,
    column_types,
    has_unique_keys,
    is_table,
    open_source,
    stored_types,
    typed_selection,
)
from dagster_dailystory.databases.sql_types import CreateTemporaryTableAs
from dagster_dailystory.engine.interrupts import frozen_heap
from dagster_dailystory.engine.planning.comparison.hashes.row_hashes import why_streamed
from dagster_dailystory.engine.planning.comparison.hashes.sums import key_bucket
from dagster_dailystory.engine.planning.comparison.other_slices import OtherSlicesLookUp, WholeSource
from dagster_dailystory.engine.planning.comparison.slices import (
    SliceOfSource,
    UnknownSliceError,
    are_known,
    key_hash,
    slice_of,
    windows_of,
)
from dagster_dailystory.engine.planning.comparison.staged import OtherSlices, Staged, Traffic
from dagster_dailystory.engine.planning.comparison.transfer import Reading, Transfer
from dagster_dailystory.engine.planning.comparison.windows import WindowColumn, window_column
from dagster_dailystory.engine.presence.source_keys import SourceKeys
from dagster_dailystory.engine.state.incremental import IncrementalRead
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.partitions import PARTITION_VALUE, HashBuckets
from dagster_dailystory.model.runs.comparison import Comparison, Way
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import Scope
from dagster_dailystory.model.watermark import Moment

_ALL_SLICES = "the hashes of one slice are not enough for all of them"


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
        windows = window_column(source, state.sync, state.connection, state.present)
    selected = typed_selection(source, state.sync, types, state.connection)
    selected |= {} if windows is None else {PARTITION_VALUE: windows.name()}
    columns = [value.label(name) for name, value in selected.items()]
    return Staged(
        select(*columns).subquery("source"),
        *stored_types(source, state.sync, types, state.connection),
        compared.watermark,
        compared.since,
        has_unique_keys=are_unique,
        comparison=Comparison(Way.INSIDE),
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
    try:
        return _staged_from_elsewhere(state, lease, warehouse_url, options, recent)
    except UnknownSliceError as error:
        return _staged_from_elsewhere(state, lease, warehouse_url, options, recent, error.reason)


def _staged_from_elsewhere(
    state: State,
    lease: Lease,
    warehouse_url: str,
    options: PlanOptions,
    recent: IncrementalRead,
    why_all_slices: str = "",
) -> Staged | None:
    with connect(open_engine(warehouse_url), "warehouse") as warehouse:
        database_of(warehouse.dialect).use_repeatable_read(warehouse)
        with warehouse.begin(), ExitStack() as streams, frozen_heap():
            opened = open_source(state.sync, warehouse)
            read = partial(opened.recent, state.sync, warehouse.dialect)
            compared = recent.rows_to_read(options, read, warehouse)
            options = replace(options, since=compared.since)
            with lease.during(state):
                source = compared.source
                elsewhere = _SourceElsewhere(state, warehouse, warehouse_url, source, options, streams, why_all_slices)
                staged = elsewhere.staged()
            return staged and replace(staged, watermark=compared.watermark, since=compared.since)


@dataclass(frozen=True)
class _SourceElsewhere:
    """A source in another database than that of the state, and what a plan has to read of it.

    Attributes:
        state: The sync's state.
        warehouse: An open transaction.
        warehouse_url: The same database, for further connections.
        source: All rows, or the recent ones.
        options: What the run asks for.
        streams: Closes the open result streams after an error.
        why_all_slices: Why all slices are read, if an attempt to read one failed; otherwise empty.
    """

    state: State
    warehouse: Connection
    warehouse_url: str
    source: Source
    options: PlanOptions
    streams: ExitStack
    why_all_slices: str = ""

    @cached_property
    def _hashing(self) -> Hashing:
        return Hashing(self.source.read_columns(self.state.sync), self.warehouse)

    def staged(self) -> Staged | None:
        """Read the rows of the run's slice if the warehouse can find them, otherwise all rows."""
        tables, traffic = self.state.load_tables(), Traffic()
        windows = window_column(self.source, self.state.sync, self.warehouse, self.state.present)
        one_slice = self._slice(tables, windows)
        if isinstance(one_slice, SliceOfSource):
            staged = self._staged_slice(one_slice, tables, traffic)
            if staged is not None:
                return _with_traffic(staged, traffic)
            one_slice = NoHash("too little was known of the keys of the slice")
        is_whole = self.options.slices is None
        reading = self._reading(self.source, why_streamed(self.options) if is_whole else _ALL_SLICES)
        _, staged = self._transfer(reading, tables, traffic).stage_with_any_key()
        if staged is None:
            return None
        if one_slice is not None:
            comparison = replace(staged.comparison, reason=f"all slices were read, because {one_slice.reason}")
            staged = replace(staged, comparison=comparison)
        return _with_traffic(staged, traffic)

    def _slice(self, tables: SyncTables | None, windows: WindowColumn | None) -> SliceOfSource | NoHash | None:
        """The rows of the run's slice; `NoHash` if all rows have to be read, None if the run is for no slice."""
        options, sync = self.options, self.state.sync
        if options.slices is None:
            return None
        if self.why_all_slices:
            return NoHash(self.why_all_slices)
        if options.keys or options.scope not in (Scope.CHANGED, Scope.ALL):
            return NoHash(
                "the run is for chosen keys" if options.keys else f"scope {options.scope.value!r} looks at all of them"
            )
        if tables is not None and not are_known(self.state):
            return NoHash("it was not known yet which key is in which slice")
        if windows is not None:
            return windows_of(self.source, windows, options.slices)
        return slice_of(self.source, sync, options.slices, self._hashing, self.warehouse)

    def _staged_slice(self, one: SliceOfSource, tables: SyncTables | None, traffic: Traffic) -> Staged | None:
        reading = self._reading(one.rows, why_streamed(self.options))
        transfer, staged = self._transfer(reading, tables, traffic).stage_with_any_key()
        if staged is None or transfer.widened:  # the types of the key are not known, or change
            return None
        by_key = key_hash(self.source, self.state.sync, self._hashing)
        whole = WholeSource(self.source, None if isinstance(by_key, NoHash) else by_key, self.warehouse)
        if self.options.since is not None or (tables is None and not whole.doubled_hashes(self.state.sync)):
            return replace(staged, rest=OtherSlices(has_rows=True))
        if tables is None:
            return None
        others, slices = self._reading(one.others, why_streamed(self.options)), self.options.slices
        assert slices is not None
        source_keys = SourceKeys(self.state, tables, self.warehouse_url)
        return OtherSlicesLookUp(transfer, staged, tables, others, source_keys, whole, slices).completed()

    def _transfer(self, reading: Reading, tables: SyncTables | None, traffic: Traffic) -> Transfer:
        return Transfer(self.state, self.warehouse, reading, tables, self.streams, traffic=traffic)

    def _reading(self, source: Source, why: str) -> Reading:
        """What to read of some rows, with their hashes unless there is a reason not to."""
        sync = self.state.sync
        by_key = key_hash(source, sync, self._hashing) if isinstance(sync.partitions, HashBuckets) else None
        slice_value = None if isinstance(by_key, NoHash) else by_key
        hashed = NoHash(why) if why else self._hashing.of(source.read_columns(sync))
        if isinstance(hashed, NoHash):
            return Reading(source, slice_value, why_streamed=hashed.reason)
        bucket = key_bucket(source, sync, self._hashing, database_of(self.warehouse.dialect), self.state.sums.divisor)
        return Reading(source, slice_value, hashed, bucket, self._hashing.version)


def _with_traffic(staged: Staged, traffic: Traffic) -> Staged:
    counted = replace(staged.comparison, rows=traffic.rows, keys=traffic.keys, bytes=traffic.bytes)
    return replace(staged, comparison=counted)
