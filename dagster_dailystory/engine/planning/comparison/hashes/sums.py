"""Sums of row hashes: where a bucket of keys has the remembered sum, its rows are as the state remembers them.

So the warehouse sends the keys and hashes of the other buckets only. To the rest of a plan this makes no difference:
`UnreadRows.all_keys` has the same keys as if all had been read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    MetaData,
    Table,
    and_,
    case,
    exists,
    func,
    not_,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.schema import DropTable

from dagster_dailystory.databases.expressions import among, among_numbers, rows_parameter
from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.row_hash import ROW_HASH, Hashing, NoHash
from dagster_dailystory.databases.source import NO_PARAMETERS, Source
from dagster_dailystory.databases.sql_types import BIG_INTEGER, CreateTemporaryTableAs, SqlQuery, SqlValue
from dagster_dailystory.engine.planning.comparison.hashes.row_hashes import HashSum, RowHashes
from dagster_dailystory.engine.state.schema import KEY_BUCKET, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.sync import ContactSync

Bucket = int | None
"""A bucket; None is that of the rows with a NULL in the key, whose hashes are not remembered."""


Condition = tuple[ColumnElement[bool], Mapping[str, object]]
"""A condition on the source, with its parameters."""


def key_bucket(source: Source, sync: ContactSync, hashing: Hashing, warehouse: Database, divisor: int) -> SqlValue:
    """The bucket of a row as the warehouse computes it; NULL if the key has one."""
    columns = source.read_columns(sync)
    keys = {key: columns[key] for key in sync.key_columns}
    hashed = hashing.of(keys)
    if isinstance(hashed, NoHash):
        raise TypeError("the hash of the row covers its key")
    has_null = or_(*(key.is_(None) for key in keys.values()))
    return case((has_null, null()), else_=warehouse.remainder(hashed, divisor))


def sums_of(source: Source, bucket: SqlValue, row_hash: SqlValue, database: Database) -> SqlQuery:
    """Select the rows of each bucket and the sum of their hashes; a row without a hash counts as a row."""
    rows = select(bucket.label(KEY_BUCKET), row_hash.label(ROW_HASH)).select_from(source.relation).subquery("hashed")
    columns: list[SqlValue] = [rows.c[KEY_BUCKET], func.count(), database.exact_sum(rows.c[ROW_HASH])]
    return select(*columns).group_by(rows.c[KEY_BUCKET])


@dataclass(frozen=True)
class RememberedSums:
    """The sums of the remembered hashes of one sync, in which few rows are missing.

    Attributes:
        sums: By bucket.
        live: The keys of the snapshot that were not missing before.
        most: See `SumSettings`.
    """

    sums: Mapping[Bucket, HashSum]
    live: int
    most: float

    @classmethod
    def of(cls, state: State, tables: SyncTables) -> RememberedSums | None:
        """The sums; None if they are not kept, are of few rows, or cannot be those of most buckets."""
        sums = RowHashes(state, tables).sums()
        remembered = cls(sums, _live_keys(state, tables), state.sums.most)
        if remembered.hashes < max(state.sums.from_rows, 1):
            return None
        return None if remembered.live - remembered.hashes > state.sums.most * state.sums.buckets else remembered

    @property
    def hashes(self) -> int:
        """How many hashes are remembered."""
        return sum(each.hashes for each in self.sums.values())

    def differing(self, rows_found: Iterable[Sequence[Any]]) -> DifferingBuckets:
        """Compare the sums with those that the query of `sums_of` found."""
        found: dict[Bucket, HashSum] = {row[0]: HashSum(int(row[1]), int(row[2] or 0)) for row in rows_found}
        same = {bucket for bucket, each in found.items() if bucket is not None and self.sums.get(bucket) == each}
        rows, unread = (sum(found[bucket].hashes for bucket in which) for which in (found, same))
        are_few = rows - unread <= self.most * rows
        return DifferingBuckets({*found, *self.sums} - same, are_few, unread, self.hashes, self.live)


@dataclass(frozen=True)
class DifferingBuckets:
    """The buckets whose rows are not those that the state remembers.

    Attributes:
        buckets: The buckets.
        are_few: Whether their rows are few enough to be read apart.
        unread: The rows of the source in the other buckets.
        hashes: The remembered hashes.
        live: The keys of the snapshot that were not missing before.
    """

    buckets: Collection[Bucket]
    are_few: bool
    unread: int
    hashes: int
    live: int

    def condition(self, bucket: SqlValue, database: Database) -> Condition | None:
        """The condition that a row is in one of these buckets, with its parameters.

        None if reading all rows is as quick, or if the statement would be too long.
        """
        if not self.are_few:
            return None
        numbers, parameters = self._numbers, NO_PARAMETERS
        if database.reads_json_rows:
            condition: ColumnElement[bool] = bucket.in_(select(*database.json_rows({KEY_BUCKET: BIG_INTEGER}).c))
            parameters = rows_parameter([{KEY_BUCKET: number} for number in numbers])
        elif len(numbers) <= database.longest_list:
            condition = among_numbers(bucket, numbers)
        else:
            return None
        return (or_(condition, bucket.is_(None)) if None in self.buckets else condition), parameters

    @property
    def _numbers(self) -> list[int]:
        return sorted(each for each in self.buckets if each is not None)

    def unread_rows(self, state: State, tables: SyncTables, read: FromClause) -> UnreadRows:
        """The rows of the other buckets, if `read` has the keys of these."""
        return UnreadRows(state, tables, read, self._stored(state), self.unread, self.hashes, self.live)

    def _stored(self, state: State) -> FromClause:
        """A temporary table of the buckets."""
        name = state.location.table_name(state.sync.name, "buckets")
        table = Table(name, MetaData(), Column(KEY_BUCKET, BIG_INTEGER), prefixes=["TEMPORARY"])
        state.connection.execute(DropTable(table, if_exists=True))  # of an attempt before
        table.create(state.connection)
        if self._numbers:
            state.database.insert_rows(state.connection, table, [(number,) for number in self._numbers])
        return table


def _live_keys(state: State, tables: SyncTables) -> int:
    keys = select(func.count()).select_from(tables.snapshot)
    absent = keys.where(tables.snapshot.c.absent_since.is_not(None))
    found, missing = state.connection.execute(select(keys.scalar_subquery(), absent.scalar_subquery())).one()
    return int(found) - int(missing)


@dataclass(frozen=True)
class UnreadRows:
    """The rows whose buckets do not differ, within the caller's transaction: the state has their keys.

    Attributes:
        state: The sync's state.
        tables: The sync's tables.
        read: The keys of the rows in the buckets that differ.
        buckets: A table with these buckets.
        rows: How many rows were not read.
        hashes: How many hashes are remembered.
        live: The keys of the snapshot that were not missing before.
    """

    state: State
    tables: SyncTables
    read: FromClause
    buckets: FromClause
    rows: int
    hashes: int
    live: int

    @property
    def all_keys(self) -> FromClause:
        """The keys of all source rows: those read, and those remembered of buckets that do not differ."""
        hashes = self.tables.row_hashes
        remembered = select(*self.tables.keys_of(hashes)).where(self._is_unread(hashes))
        return union_all(select(*self.tables.keys_of(self.read)), remembered).subquery("all_keys")

    def _is_unread(self, hashes: FromClause) -> ColumnElement[bool]:
        is_kept = and_(hashes.c[ROW_HASH].is_not(None), hashes.c[KEY_BUCKET].is_not(None))
        return and_(is_kept, hashes.c[KEY_BUCKET].not_in(select(*self.buckets.c)))

    def missing(self) -> FromClause:
        """A table with the snapshot's keys that no row of the source has; a few may not be in the snapshot.

        Only few keys can be missing: those that were before, and those remembered in the buckets that differ. That
        holds if every other key of the snapshot is remembered, or was read; the counts show it.
        """
        snapshot, hashes, keys_of = self.tables.snapshot, self.tables.row_hashes, self.tables.keys_of
        candidates = [select(*keys_of(snapshot)).where(snapshot.c.absent_since.is_not(None))]
        if not self._is_each_key_known():
            candidates = [select(*keys_of(snapshot))]
        elif self._has_left():
            candidates.append(select(*keys_of(hashes)).where(not_(self._is_unread(hashes))))
        found = candidates[0].union_all(*candidates[1:]).subquery("candidates")
        read, same_key = self.read, self.tables.same_key
        is_remembered = exists().where(same_key(hashes, found), self._is_unread(hashes))
        joined = found.outerjoin(read, same_key(read, found))
        first_key = read.c[self.tables.key_names[0]]
        query = select(*keys_of(found)).select_from(joined).where(first_key.is_(None), not_(is_remembered))
        return self._made("missing", query)

    def _is_each_key_known(self) -> bool:
        """Whether each live key of the snapshot is remembered or was read: there are no more of them."""
        snapshot, hashes, keys_of = self.tables.snapshot, self.tables.row_hashes, self.tables.keys_of
        absent = select(*keys_of(snapshot)).where(snapshot.c.absent_since.is_not(None))
        remembered = select(func.count()).select_from(hashes).where(hashes.c[ROW_HASH].is_not(None))
        of_missing = self._number(remembered.where(among(keys_of(hashes), absent)))
        return self.live == self.hashes - of_missing + self._keys_read_only()

    def _keys_read_only(self) -> int:
        """The live keys of the snapshot that were read and are not remembered."""
        snapshot, hashes, same_key = self.tables.snapshot, self.tables.row_hashes, self.tables.same_key
        is_remembered = and_(same_key(hashes, snapshot), hashes.c[ROW_HASH].is_not(None))
        live = and_(snapshot.c.absent_since.is_(None), among(self.tables.keys_of(snapshot), self._keys_read()))
        joined = snapshot.outerjoin(hashes, is_remembered)
        is_not_remembered = hashes.c[self.tables.key_names[0]].is_(None)
        return self._number(select(func.count()).select_from(joined).where(live, is_not_remembered))

    def _has_left(self) -> bool:
        """Whether a key that is remembered in a bucket that differs was not read there."""
        hashes = self.tables.row_hashes
        here = and_(hashes.c[ROW_HASH].is_not(None), not_(self._is_unread(hashes)))
        is_read = among(self.tables.keys_of(hashes), self._keys_read())
        found = self._number(select(func.count()).select_from(hashes).where(here, is_read))
        return found != self.hashes - self.rows

    def _keys_read(self) -> SqlQuery:
        keys = self.tables.keys_of(self.read)
        return select(*keys).where(*(key.is_not(None) for key in keys))

    def _number(self, query: SqlQuery) -> int:
        return int(self.state.connection.execute(query).scalar_one())

    def _made(self, name: str, query: SqlQuery) -> FromClause:
        """A temporary table of what a query selects."""
        full_name = self.state.location.table_name(self.state.sync.name, name)
        made = Table(full_name, MetaData(), *(Column(each.name, each.type) for each in query.selected_columns))
        self.state.connection.execute(DropTable(made, if_exists=True))  # of an attempt before
        self.state.connection.execute(CreateTemporaryTableAs(full_name, query))
        return made
