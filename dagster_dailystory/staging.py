"""The source brought next to the snapshot: read in place, kept from one evaluation, or streamed from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Column, FromClause, MetaData, String, Table, select

from dagster_dailystory.bulk import insert_rows
from dagster_dailystory.dialect import BIG_INTEGER, TEXT, CreateTemporaryTableAs, SqlType, index_temporary, storage_type
from dagster_dailystory.errors import StateError
from dagster_dailystory.lease import Lease
from dagster_dailystory.partitions import PARTITION_VALUE, ColumnValues
from dagster_dailystory.source import (
    Source,
    column_types,
    has_unique_keys,
    open_source,
    reflected_types,
    stream,
    typed_selection,
)  # fmt: skip
from dagster_dailystory.staged import staged_key, staged_texts
from dagster_dailystory.state import State
from dagster_dailystory.warehouse import connect, open_engine, refusals, same_database
from dagster_dailystory.watermark import Moment


@dataclass(frozen=True)
class Staged:
    """A source that the diff can join with the snapshot.

    Attributes:
        relation: Key columns and one column per mapped field.
        key_types: The key columns' types in the state.
        value_types: State column -> type.
        highest: The highest value of the watermark's column, seen before the rows were read.
        has_unique_keys: The database itself sees to it that no key has two rows.
    """

    relation: FromClause
    key_types: Mapping[str, SqlType]
    value_types: Mapping[str, SqlType]
    highest: Moment | None = None
    has_unique_keys: bool = False


def stage_source(state: State, lease: Lease, warehouse_url: str, since: Moment | None = None) -> Staged | None:
    """Bring the source to the state, evaluating the user's query once.

    Args:
        state: The sync's state.
        lease: The right to plan it.
        warehouse_url: Where the source is.
        since: The lowest value of the watermark's column, None for all rows.

    Returns:
        The staged source; None where it has no row yet and nothing is known of its key.
    """
    if same_database(warehouse_url, state.location.url):
        return _in_the_warehouse(state, lease, since)
    return _from_elsewhere(state, lease, warehouse_url, since)


def _in_the_warehouse(state: State, lease: Lease, since: Moment | None) -> Staged:
    with lease.during(state):
        source = open_source(state.sync, state.connection).recent(state.sync, since)
        types = column_types(source, state.connection)
        unique = types is not None and has_unique_keys(source, state.sync, state.connection)
        if types is None:
            source, types = _keep(state, source)
        highest = source.highest(state.sync, state.connection)
    chosen = typed_selection(source, state.sync, types, state.connection)
    real = source.columns
    keys = {key: storage_type(types[real[key]], state.dialect) for key in state.sync.key_columns}
    values = {m.state_column: storage_type(types[real[m.column]], state.dialect) for m in state.sync.mapped_fields}
    relation = select(*(value.label(name) for name, value in chosen.items())).subquery("source")
    return Staged(relation, keys, values, highest, unique)


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


def _from_elsewhere(state: State, lease: Lease, warehouse_url: str, since: Moment | None) -> Staged | None:
    with connect(open_engine(warehouse_url), "warehouse") as warehouse, warehouse.begin():
        source = open_source(state.sync, warehouse).recent(state.sync, since)
        highest = source.highest(state.sync, warehouse)
        batches = stream(source, state.sync, warehouse)
        first = next(batches, [])
        with lease.during(state):
            keys = _key_types(state, first)
            if keys is None:
                return None
            values: dict[str, SqlType] = {m.state_column: TEXT for m in state.sync.mapped_fields}
            partition: dict[str, SqlType] = {PARTITION_VALUE: TEXT} if state.sync.partition_column else {}
            columns = [Column(name, kind) for name, kind in {**keys, **values, **partition}.items()]
            name = state.location.table_name(state.sync.name, "staged")
            table = Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])
            table.create(state.connection)
            _fill(state, table, chain([first], batches))
            index_temporary(state.connection, name, list(keys))
    return Staged(table.alias("source"), keys, values, highest)


def _key_types(state: State, first: list[tuple[object, ...]]) -> dict[str, SqlType] | None:
    """Whole numbers stay numbers; every other key is kept as canonical text, as the first run decided."""
    existing = state.load_tables()
    names = state.sync.key_columns
    if existing is not None:
        return {name: TEXT if isinstance(existing.snapshot.c[name].type, String) else BIG_INTEGER for name in names}
    if not first:
        return None
    columns = list(zip(*first, strict=True))[: len(names)]
    return {
        name: BIG_INTEGER if all(isinstance(staged_key(v), int) for v in values if v is not None) else TEXT
        for name, values in zip(names, columns, strict=True)
    }


def _fill(state: State, table: Table, batches: Iterator[list[tuple[object, ...]]]) -> None:
    """Insert batch by batch. Columns are staged whole: most are texts that stay as they are."""
    names = [column.name for column in table.columns]
    key_count = len(state.sync.key_columns)
    whole = [isinstance(table.c[name].type, type(BIG_INTEGER)) for name in names[:key_count]]
    partitions = state.sync.partitions
    for batch in filter(None, batches):
        columns = list(zip(*batch, strict=True))
        keyed = zip(columns, names, whole, strict=False)
        staged: list[Sequence[int | str | None]] = [[_key(state, v, n, whole=w) for v in c] for c, n, w in keyed]
        staged.extend(staged_texts(column) for column in columns[key_count:])
        if isinstance(partitions, ColumnValues):
            staged[-1] = [partitions.name_of(value) for value in staged_texts(columns[-1])]
        insert_rows(state.connection, table, list(zip(*staged, strict=True)))


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
