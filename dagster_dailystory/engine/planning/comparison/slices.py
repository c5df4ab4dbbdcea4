"""The slice of a source: a condition by which the warehouse returns the rows of one slice only.

A slice of a column has the rows whose value has its name; a time window those whose time is in it. A hash bucket has
the rows whose key has one of its hashes; the state remembers that hash with each key, so that the keys of a bucket are
known although another database hashes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    UnicodeText,
    and_,
    case,
    literal,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.exc import DBAPIError

from dagster_dailystory.databases.connect import driver_errors_as
from dagster_dailystory.databases.expressions import among_numbers
from dagster_dailystory.databases.row_hash import Hashing, NoHash
from dagster_dailystory.databases.source import Source, open_source
from dagster_dailystory.databases.sql_types import BIG_INTEGER, SqlValue
from dagster_dailystory.databases.stored_values import staged_texts
from dagster_dailystory.engine.planning.comparison.windows import WindowColumn
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import (
    OTHER_VALUES,
    PARTITION_VALUE,
    ColumnValues,
    HashBuckets,
    Partitioning,
    Slices,
    TimeWindows,
    is_slice_name,
)
from dagster_dailystory.model.sync import ContactSync

_MOST_VALUES = 10_000
"""Most different values of a partition column that are looked at, to read its slices apart or to name them."""


def is_in_slices(value: SqlValue, partitions: Partitioning, slices: Slices) -> ColumnElement[bool]:
    """Whether a stored `PARTITION_VALUE` places a key in a slice, as a condition that an index can answer.

    A key without one is in the slice `other_values`, in the first bucket, and in the first time window.
    """
    if isinstance(partitions, ColumnValues):
        if OTHER_VALUES not in slices.names:
            return value.in_(slices.names)
        if partitions.is_dynamic:
            return or_(value.is_(None), value == OTHER_VALUES)
        others = set(partitions.values) - set(slices.names)
        return or_(value.is_(None), value.not_in(sorted(others)))
    first, last = slices.names[0], slices.names[-1]
    if isinstance(partitions, HashBuckets):
        first, last = (stored_hash(number) for number in _range(partitions, slices))
    if slices.has_first:  # and before it: a sync may have had earlier windows
        return or_(value.is_(None), value <= last)
    return value >= first if slices.has_last else value.between(first, last)


def value_elsewhere(partitions: Partitioning, slices: Slices) -> str:
    """A `PARTITION_VALUE` of a slice that is not among these."""
    if isinstance(partitions, TimeWindows):  # names of days sort like texts
        return _AFTER_ALL_DAYS if slices.has_first else _BEFORE_ALL_DAYS
    if isinstance(partitions, ColumnValues) and partitions.is_dynamic:
        return _NO_NAME if OTHER_VALUES in slices.names else OTHER_VALUES
    other = next(each for each in partitions.names if each not in slices.names)
    return stored_hash(_range(partitions, Slices((other,)))[0]) if isinstance(partitions, HashBuckets) else other


_NO_NAME = ","
"""A text that names no slice."""


_BEFORE_ALL_DAYS, _AFTER_ALL_DAYS = "0001-01-01", "9999-12-31"


def stored_hash(number: int) -> str:
    """The hash of a key as the state keeps it: texts of digits, in the order of the numbers under every collation."""
    return f"{number - _LOWEST:020d}"


_LOWEST, _HASHES = -(2**63), 2**64


def _range(buckets: HashBuckets, slices: Slices) -> tuple[int, int]:
    """The lowest and the highest hash of these buckets: all buckets divide the hashes into equal ranges."""
    first, last = (buckets.names.index(name) for name in (slices.names[0], slices.names[-1]))
    return _LOWEST + first * _HASHES // buckets.count, _LOWEST + (last + 1) * _HASHES // buckets.count - 1


def are_known(state: State) -> bool:
    """Whether the state knows the slices of its keys, for the present kind of partitions.

    A key that it does not know nevertheless, because an older plan was sent since, is looked up in the other slices.
    """
    return state.meta(_name(state)) == _kind(state.sync.partitions)


def _kind(partitions: Partitioning | None) -> str:
    if isinstance(partitions, TimeWindows):
        weekday = date.fromisoformat(str(partitions.start)).isoweekday() if partitions.every == "weekly" else ""
        return f"{partitions.every}{weekday}:{partitions.timezone}:{partitions.column}"
    return f"column:{partitions.column}" if isinstance(partitions, ColumnValues) else "hash"


def _name(state: State) -> str:
    return f"slices:{state.sync.name}"


def remember_slices(state: State, tables: SyncTables, rows: FromClause, *, are_all: bool) -> None:
    """Store the slices of keys: the sync had no partitions, or of another kind.

    Args:
        state: The sync's state, within a transaction.
        tables: The sync's tables.
        rows: Keys of the source, with their `PARTITION_VALUE` if the warehouse places them in slices.
        are_all: They are all keys of the source, so that any other key is missing.
    """
    execute, value = state.connection.execute, tables.snapshot.c[PARTITION_VALUE]
    if PARTITION_VALUE not in rows.c:
        if state.meta(_name(state)):
            state.set_meta(_name(state), "")
        return
    is_known = are_known(state)
    if is_known and not are_all:
        return
    if not is_known:
        for stored in (tables.snapshot, tables.changes, tables.rejections):
            execute(stored.update().values(**{PARTITION_VALUE: None}))
    if execute(select(literal(1)).where(value.is_(None)).limit(1)).first() is not None:
        found = and_(value.is_(None), tables.same_key(rows, tables.snapshot))
        execute(tables.snapshot.update().where(found).values(**{PARTITION_VALUE: rows.c[PARTITION_VALUE]}))
    is_empty = execute(select(literal(1)).select_from(tables.snapshot).limit(1)).first() is None
    if not is_known and (are_all or is_empty):
        state.set_meta(_name(state), _kind(state.sync.partitions))


class UnknownSliceError(Exception):
    """The warehouse refused the statement that shows which rows a slice has; its transaction cannot go on.

    Attributes:
        reason: Why, as a sentence without a full stop.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SliceOfSource:
    """The rows of the slices of a run, and those of all others.

    Attributes:
        rows: The source with the rows of these slices.
        others: The source with the rows of all other slices.
    """

    rows: Source
    others: Source


def slice_of(
    source: Source, sync: ContactSync, slices: Slices, hashing: Hashing, warehouse: Connection
) -> SliceOfSource | NoHash:
    """Restrict a source to some slices, by a condition that the warehouse evaluates.

    Args:
        source: The rows of all slices.
        sync: The sync, with hash buckets or slices of a column.
        slices: The slices.
        hashing: Hashes the source.
        warehouse: Its values of the partition column are read.

    Returns:
        The slice; `NoHash` if the warehouse cannot say which rows it has.
    """
    partitions = sync.partitions
    if isinstance(partitions, ColumnValues):
        return _slice_of_column(source, sync, partitions, slices, hashing, warehouse)
    assert isinstance(partitions, HashBuckets)
    hashed = key_hash(source, sync, hashing)
    if isinstance(hashed, NoHash):
        return hashed
    first, last = (literal_column(str(number), BIG_INTEGER) for number in _range(partitions, slices))
    condition = hashed <= last if slices.has_first else hashed.between(first, last)
    return SliceOfSource(_restricted(source, condition), _restricted(source, not_(condition)))


def windows_of(source: Source, column: WindowColumn, slices: Slices) -> SliceOfSource:
    """Restrict a source to some time windows."""
    return SliceOfSource(_restricted(source, column.is_in(slices)), _restricted(source, column.is_elsewhere(slices)))


def slice_names(sync: ContactSync, warehouse: Connection) -> list[str]:
    """The values of the partition column that can name a slice, in their order.

    Raises:
        ConfigurationError: The column has too many different values.
        WarehouseError: The values cannot be read.
    """
    assert sync.partition_column is not None
    words = f"the partition column {sync.partition_column!r} of sync {sync.name!r}"
    value = open_source(sync, warehouse).read_columns(sync)[PARTITION_VALUE]
    with driver_errors_as(f"{words} cannot be read"):
        found = warehouse.execute(select(value).distinct().limit(_MOST_VALUES + 1)).scalars().all()
    if len(found) > _MOST_VALUES:
        raise ConfigurationError(f"{words} has more than {_MOST_VALUES:,} values; list some of them in values")
    return sorted(text for text in staged_texts(found) if text is not None and is_slice_name(text))


def key_hash(source: Source, sync: ContactSync, hashing: Hashing) -> SqlValue | NoHash:
    """The hash of a key as the warehouse computes it; the lowest number for a key with a NULL."""
    columns = source.read_columns(sync)
    keys = {key: columns[key] for key in sync.key_columns}
    hashed = hashing.of(keys)
    if isinstance(hashed, NoHash):
        return hashed
    has_null = or_(*(key.is_(None) for key in keys.values()))
    return case((has_null, literal_column(str(_LOWEST + 1), BIG_INTEGER)), else_=hashed)


def _slice_of_column(
    source: Source, sync: ContactSync, partitions: ColumnValues, slices: Slices, hashing: Hashing, warehouse: Connection
) -> SliceOfSource | NoHash:
    """Compare the hash of the column with those of the values that are in the slice: it is exact for every type."""
    value = source.read_columns(sync)[PARTITION_VALUE]
    hashed = hashing.of({PARTITION_VALUE: value})
    if isinstance(hashed, NoHash):
        return hashed
    values = select(value.label("value"), hashed.label("hash")).distinct().limit(_MOST_VALUES + 1)
    try:
        found = warehouse.execute(values).all()
    except DBAPIError:
        raise UnknownSliceError(f"the values of column {partitions.column!r} do not compare") from None
    if len(found) > _MOST_VALUES:
        return NoHash(f"column {partitions.column!r} has more than {_MOST_VALUES:,} values")
    names = [partitions.name_of(text) for text in staged_texts([row[0] for row in found])]
    placed = list(zip(names, found, strict=True))
    if OTHER_VALUES in slices.names:
        listed = among_numbers(hashed, [row[1] for each, row in placed if each not in slices.names])
        return SliceOfSource(_restricted(source, not_(listed)), _restricted(source, listed))
    mine = [row for each, row in placed if each in slices.names]
    condition = among_numbers(hashed, [row[1] for row in mine])
    is_text = hashing.is_text(PARTITION_VALUE) and mine and all(row[0] in slices.names for row in mine)
    # An index, or the partitions of the table, find equal texts; they do not find hashes.
    texts = [literal(name, UnicodeText(), literal_execute=True) for name in slices.names]
    prunes = [value == texts[0] if len(texts) == 1 else value.in_(texts)] if is_text else []
    return SliceOfSource(_restricted(source, and_(*prunes, condition)), _restricted(source, not_(condition)))


def _restricted(source: Source, condition: ColumnElement[bool]) -> Source:
    """The rows of a source that meet a condition."""
    return replace(source, relation=select(source.relation).where(condition).subquery("source"))
