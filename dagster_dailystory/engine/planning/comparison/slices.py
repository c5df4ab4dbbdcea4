"""The slice of a source: a condition by which the warehouse returns the rows of one slice only.

A slice of a column has the rows whose value has its name. A hash bucket has the rows whose key has one of its hashes;
the state remembers that hash with each key, so that the keys of a bucket are known although another database hashes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)

from dagster_dailystory.databases.connect import driver_errors_as
from dagster_dailystory.databases.expressions import among_numbers
from dagster_dailystory.databases.row_hash import Hashing, NoHash
from dagster_dailystory.databases.source import Source
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, SqlValue
from dagster_dailystory.databases.stored_values import staged_texts
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.partitions import OTHER_VALUES, PARTITION_VALUE, ColumnValues, HashBuckets, Partitioning
from dagster_dailystory.model.sync import ContactSync

_MOST_VALUES = 10_000
"""Most different values of a partition column for which its slices are read apart."""


def is_in_slice(value: SqlValue, partitions: Partitioning, name: str) -> ColumnElement[bool]:
    """Whether a stored `PARTITION_VALUE` places a key in a slice.

    A key without one is in the slice `other_values`, and in the first bucket.
    """
    if isinstance(partitions, HashBuckets):
        return _is_in_bucket(cast(func.coalesce(value, "0"), BIG_INTEGER), partitions, name)
    if name == OTHER_VALUES:
        return or_(value.is_(None), value.not_in(partitions.values))
    return value == name


def value_elsewhere(partitions: Partitioning, name: str) -> str:
    """A `PARTITION_VALUE` of another slice."""
    other = next(each for each in partitions.names if each != name)
    return str(partitions.names.index(other)) if isinstance(partitions, HashBuckets) else other


def _is_in_bucket(number: SqlValue, buckets: HashBuckets, name: str) -> ColumnElement[bool]:
    """Databases differ in the sign of the remainder of a negative number."""
    place = buckets.names.index(name)
    rest = number % literal_column(str(buckets.count), BIG_INTEGER)
    return among_numbers(rest, {place, place - buckets.count} if place else {0})


def are_known(state: State, tables: SyncTables) -> bool:
    """Whether the state knows the slice of each key, for the present kind of partitions."""
    unknown = select(literal(1)).where(tables.snapshot.c[PARTITION_VALUE].is_(None)).limit(1)
    return _is_same_kind(state) and state.connection.execute(unknown).first() is None


def _is_same_kind(state: State) -> bool:
    """Whether the stored slices are of the present kind; an earlier version stored those of columns alone."""
    stored, kind = state.meta(_name(state)), _kind(state.sync.partitions)
    return stored == kind or (stored is None and kind != _BY_HASH)


def _kind(partitions: Partitioning | None) -> str:
    return f"column:{partitions.column}" if isinstance(partitions, ColumnValues) else _BY_HASH


def _name(state: State) -> str:
    return f"slices:{state.sync.name}"


_BY_HASH = "hash"


def remember_slices(state: State, tables: SyncTables, rows: FromClause, *, are_all: bool) -> None:
    """Store the slice of each key whose slice is not known: the sync had no partitions, or of another kind.

    Args:
        state: The sync's state, within a transaction.
        tables: The sync's tables.
        rows: Keys of the source, each with its `PARTITION_VALUE`.
        are_all: They are all keys of the source, so that any other key is missing.
    """
    snapshot, execute = tables.snapshot, state.connection.execute
    value = snapshot.c[PARTITION_VALUE]
    if not _is_same_kind(state):
        for stored in (snapshot, tables.changes, tables.rejections):
            execute(stored.update().values(**{PARTITION_VALUE: None}))
    if state.meta(_name(state)) != _kind(state.sync.partitions):
        state.set_meta(_name(state), _kind(state.sync.partitions))
    if execute(select(literal(1)).where(value.is_(None)).limit(1)).first() is None:
        return
    found = and_(value.is_(None), tables.same_key(rows, snapshot))
    execute(snapshot.update().where(found).values(**{PARTITION_VALUE: rows.c[PARTITION_VALUE]}))
    if are_all:
        last = "0" if isinstance(tables.sync.partitions, HashBuckets) else OTHER_VALUES
        execute(snapshot.update().where(value.is_(None)).values(**{PARTITION_VALUE: last}))


@dataclass(frozen=True)
class SliceOfSource:
    """The rows of one slice, and those of all others.

    Attributes:
        rows: The source with the rows of the slice.
        others: The source with the rows of all other slices.
    """

    rows: Source
    others: Source


def slice_of(
    source: Source, sync: ContactSync, name: str, hashing: Hashing, warehouse: Connection
) -> SliceOfSource | NoHash:
    """Restrict a source to one slice, by a condition that the warehouse evaluates.

    Args:
        source: The rows of all slices.
        sync: The sync, with partitions.
        name: The slice.
        hashing: Hashes the source.
        warehouse: Its values of the partition column are read.

    Returns:
        The slice; `NoHash` if the warehouse cannot say which rows it has.
    """
    partitions = sync.partitions
    if isinstance(partitions, ColumnValues):
        return _slice_of_column(source, sync, partitions, name, hashing, warehouse)
    assert partitions is not None
    hashed = key_hash(source, sync, hashing)
    if isinstance(hashed, NoHash):
        return hashed
    condition = _is_in_bucket(hashed, partitions, name)
    return SliceOfSource(_restricted(source, condition), _restricted(source, not_(condition)))


def key_hash(source: Source, sync: ContactSync, hashing: Hashing) -> SqlValue | NoHash:
    """The hash of a key as the warehouse computes it; 0 for a key with a NULL."""
    columns = source.read_columns(sync)
    keys = {key: columns[key] for key in sync.key_columns}
    hashed = hashing.of(keys)
    if isinstance(hashed, NoHash):
        return hashed
    has_null = or_(*(key.is_(None) for key in keys.values()))
    return case((has_null, literal_column("0", BIG_INTEGER)), else_=hashed)


def _slice_of_column(
    source: Source, sync: ContactSync, partitions: ColumnValues, name: str, hashing: Hashing, warehouse: Connection
) -> SliceOfSource | NoHash:
    """Compare the hash of the column with those of the values that are in the slice: it is exact for every type."""
    value = source.read_columns(sync)[PARTITION_VALUE]
    hashed = hashing.of({PARTITION_VALUE: value})
    if isinstance(hashed, NoHash):
        return hashed
    values = select(value.label("value"), hashed.label("hash")).distinct().limit(_MOST_VALUES + 1)
    with driver_errors_as(f"the partition column {partitions.column!r} of sync {sync.name!r} cannot be compared"):
        found = warehouse.execute(values).all()
    if len(found) > _MOST_VALUES:
        return NoHash(f"column {partitions.column!r} has more than {_MOST_VALUES:,} values")
    names = [partitions.name_of(text) for text in staged_texts([row[0] for row in found])]
    placed = list(zip(names, found, strict=True))
    if name == OTHER_VALUES:
        listed = among_numbers(hashed, [row[1] for each, row in placed if each != name])
        return SliceOfSource(_restricted(source, not_(listed)), _restricted(source, listed))
    mine = [row for each, row in placed if each == name]
    condition = among_numbers(hashed, [row[1] for row in mine])
    as_written = literal(name, TEXT, literal_execute=True)
    # An index, or the partitions of the table, find equal texts; they do not find hashes.
    prunes = [value == as_written] if mine and all(row[0] == name for row in mine) else []
    return SliceOfSource(_restricted(source, and_(*prunes, condition)), _restricted(source, not_(condition)))


def _restricted(source: Source, condition: ColumnElement[bool]) -> Source:
    return replace(source, relation=select(source.relation).where(condition).subquery("source"))
