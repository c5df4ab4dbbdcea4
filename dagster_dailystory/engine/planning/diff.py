"""The diff: generated, set-based SQLAlchemy statements, the same wherever the state is. They only read.

Two temporary tables carry a plan while it is made: `pending` (rows that differ and keys that left the source, from
here) and `judged` (the verdict on each row, by sequence).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
)  # fmt: skip

from dagster_dailystory.databases.dialect import bucket, differs, empty_to_null, has_full_join, prefers_row_hashes
from dagster_dailystory.databases.estimates import evaluated_first, expected_rarely
from dagster_dailystory.databases.sql_types import SqlQuery, SqlValue
from dagster_dailystory.engine.planning.key_ranges import WHOLE, KeyRange, each_range
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.model.change import Reason
from dagster_dailystory.model.contact_fields import CONSENT_KINDS
from dagster_dailystory.model.partitions import OTHER_VALUES, PARTITION_VALUE, HashBuckets
from dagster_dailystory.model.plan import PlanOptions
from dagster_dailystory.model.sync import MappedField, Mode, Nulls, Scope

OFFSET = "offset"
"""The parameter of a part that its numbers start above."""


@dataclass(frozen=True)
class Diff:
    """The statements of one plan.

    Attributes:
        source: Key columns by their own names and one column per mapped field, typed as the snapshot's.
        tables: The sync's state tables.
        options: What the run asks for.
        dialect: The state database's dialect.
        keys: The asked-for keys with their values as the database holds them; empty for all.
        present: The keys of all rows, where `source` has only the part of them that may differ.
        expects_few: Whether the database is made to expect that few rows differ, where it joins both ways.
    """

    source: FromClause
    tables: SyncTables
    options: PlanOptions
    dialect: Dialect
    keys: Sequence[Mapping[str, object]] = ()
    present: FromClause | None = None
    expects_few: bool = False

    @property
    def all_rows(self) -> FromClause:
        """A relation with the keys of all source rows."""
        return self.source if self.present is None else self.present

    @property
    def _keys(self) -> tuple[str, ...]:
        return self.tables.key_names

    @property
    def _fields(self) -> tuple[MappedField, ...]:
        return self.tables.sync.mapped_fields

    def has_key(self, relation: FromClause) -> ColumnElement[bool]:
        """Whether no part of the key is NULL."""
        return and_(*(relation.c[key].is_not(None) for key in self.tables.key_names))

    def in_scope(self, source: FromClause | None = None) -> ColumnElement[bool]:
        """The rows that the run looks at."""
        source = self.source if source is None else source
        scope: list[ColumnElement[bool]] = []
        if self.keys:
            scope.append(or_(*(and_(*(source.c[k] == v for k, v in key.items())) for key in self.keys)))
        if self.options.scope is Scope.REJECTED:
            rejections = self.tables.rejections
            scope.append(exists().where(self.tables.same_key(rejections, source)))
        if self.options.since is not None:  # the other rows of a doubled key may be older
            doubled = self.tables.rejections.c.reason == Reason.DUPLICATE_KEY.value
            scope.append(not_(exists().where(self.tables.same_key(self.tables.rejections, source), doubled)))
        return and_(self._in_partition(source), *scope)

    def _in_partition(self, relation: FromClause) -> ColumnElement[bool]:
        """The rows of a relation that belong to the run's slice."""
        name, partitions = self.options.partition, self.tables.sync.partitions
        if name is None or partitions is None:
            return true()
        if isinstance(partitions, HashBuckets):
            number = partitions.names.index(name)
            keys = [relation.c[key] for key in self.tables.key_names]
            return bucket(keys, partitions.count, self.dialect) == number
        return func.coalesce(relation.c[PARTITION_VALUE], OTHER_VALUES) == name

    def may_be_gone(self, rejections: FromClause) -> ColumnElement[bool]:
        """The rejections whose key is gone where `all_rows` lacks it: those outside of the run's scope are not."""
        if self.options.since is not None:
            return false()
        chosen_by_key = bool(self.options.keys) or self.options.scope is Scope.REJECTED
        return self.has_key(rejections) if chosen_by_key else true()

    def row_counts(self) -> SqlQuery:
        """How many rows are in scope, and how many of them have no NULL in the key."""
        rows = self.all_rows
        first_key, *others = (rows.c[key] for key in self.tables.key_names)
        keyed = func.count(case((self.has_key(rows), first_key)) if others else first_key)
        counts: list[SqlValue] = [func.count(), keyed]
        return select(*counts).select_from(rows).where(self.in_scope(rows))

    def pending_counts(self, pending: FromClause) -> SqlQuery:
        """Of `pending`: rows to look at, new ones, returning ones, and departed keys."""
        row = not_(pending.c.departed)
        return select(
            _rows(row),
            _rows(and_(row, pending.c.is_new)),
            _rows(and_(row, pending.c.returns)),
            _rows(pending.c.departed),
        ).select_from(pending)

    @property
    def counts_matches(self) -> bool:
        """Whether every match of a source row with the snapshot is counted, so that doubled keys show in the counts."""
        return (
            self.options.plans_deletions and self.options.partition is None and self.tables.sync.mode is not Mode.CREATE
        )

    def doubled(self, pending: FromClause) -> SqlQuery:
        """One row for each key that `pending` has more than once."""
        keys = [pending.c[key] for key in self._keys]
        return select(*keys).where(not_(pending.c.departed)).group_by(*keys).having(func.count() > 1)

    def duplicate_keys(self) -> SqlQuery:
        """Each key that more than one row has, with the number of its rows in `source_rows`."""
        rows = self.all_rows
        keys = [rows.c[key] for key in self.tables.key_names]
        rows_in_scope = _rows(self.in_scope(rows))
        grouped = select(*keys, rows_in_scope.label("source_rows")).where(self.has_key(rows))
        return grouped.group_by(*keys).having(func.count() > 1, rows_in_scope > 0)

    @property
    def joins_both_ways(self) -> bool:
        """Whether the keys that left are found together with the rows that differ."""
        return self.options.plans_deletions and has_full_join(self.dialect) and self.present is None

    def differing(self, spans: Sequence[KeyRange]) -> Iterator[tuple[SqlQuery, Mapping[str, object]]]:
        """The rows that differ, part by part, and the keys that left where the database joins both ways at once.

        Args:
            spans: Parts of the keys, which together are all of them.

        Yields:
            A statement and its parameters. Another one is `OFFSET`, the highest number of the parts before.
        """
        yield from each_range(spans, partial(self._differing, both=self.joins_both_ways))

    @property
    def joined(self) -> SqlQuery:
        """The join that finds the rows that differ."""
        return self._differing_rows(WHOLE, both=self.joins_both_ways)

    def departed(self, spans: Sequence[KeyRange]) -> Iterator[tuple[SqlQuery, Mapping[str, object]]]:
        """The synced keys that are nowhere any more, likewise."""
        yield from each_range(spans, self._missing)

    def no_key_is_missing(self, pending: FromClause) -> SqlQuery | None:
        """Whether each synced key is in the source, and once, which no join needs to find out.

        The source's keys are as many as the synced ones, the new and the returning ones, and so are the sums of their
        hashes. A doubled key makes the source's larger, unless `pending` has all its rows, where it is found. That a
        key left, another is doubled and the sums are equal happens once in 2^64; then the next one to leave shows it.

        Args:
            pending: The rows that differ, before any key that left is among them.

        Returns:
            One value, true or not; None where the database has no hash of 64 bits, or not all matches are counted.
        """
        if not (prefers_row_hashes(self.dialect) and self.counts_matches):
            return None
        rows, snapshot = self.all_rows, self.tables.snapshot
        there = self._keys_of(rows, self.has_key(rows))
        synced = self._keys_of(snapshot, snapshot.c.absent_since.is_(None))
        arrived = self._keys_of(pending, or_(pending.c.is_new, pending.c.returns))
        return select(
            and_(there.c.rows == synced.c.rows + arrived.c.rows, there.c.hashes == synced.c.hashes + arrived.c.hashes)
        ).select_from(there.join(synced, true()).join(arrived, true()))

    def _keys_of(self, relation: FromClause, condition: ColumnElement[bool]) -> FromClause:
        """How many keys there are, and the sum of their hashes: DuckDB's hash of 0 is 0, so one does not do."""
        hashes = func.coalesce(func.sum(func.hash(*(relation.c[key] for key in self._keys))), 0)
        return select(func.count().label("rows"), hashes.label("hashes")).where(condition).subquery()

    def _differing(self, span: KeyRange, *, both: bool) -> SqlQuery:
        """Number the rows that differ from the snapshot, with a flag for each field that does."""
        found = evaluated_first(self._differing_rows(span, both=both), "differing", self.dialect)
        return select(
            _numbered([found.c.departed, *(found.c[key] for key in self._keys)]),
            *(found.c[key] for key in self._keys),
            *(empty_to_null(found.c[m.state_column]).label(m.state_column) for m in self._fields),
            *(self._flag(m, found).label(differs_column(m.state_column)) for m in self._fields),
            *self._partition_value(found),
            *(found.c[name] for name in ("is_new", "replaces", "departed", "returns", "old_email", "old_mobile")),
        )

    def _differing_rows(self, span: KeyRange, *, both: bool) -> SqlQuery:
        """Rows of source and snapshot side by side: those that differ, and the keys that left."""
        first_key = self._keys[0]
        source = span.of(self.source, first_key, "source")
        snapshot = span.of(self.tables.snapshot, first_key, "known")
        is_new = snapshot.c[first_key].is_(None)
        replaces = true() if self.options.scope is Scope.ALL else self._replaces(snapshot)
        departed = and_(source.c[first_key].is_(None), snapshot.c[first_key].is_not(None)) if both else false()
        differs_now = and_(self.has_key(source), self.in_scope(source), self._wanted(source, snapshot))
        left = and_(departed, snapshot.c.absent_since.is_(None), self._in_partition(snapshot))
        found = or_(differs_now, left) if both else differs_now
        keys = {key: func.coalesce(source.c[key], snapshot.c[key]) if both else source.c[key] for key in self._keys}
        return (
            select(
                *(value.label(key) for key, value in keys.items()),
                *(source.c[m.state_column] for m in self._fields),
                *(snapshot.c[m.state_column].label(_old(m)) for m in self._fields),
                *self._partition_value(source),
                is_new.label("is_new"),
                replaces.label("replaces"),
                departed.label("departed"),
                snapshot.c.absent_since.is_not(None).label("returns"),
                snapshot.c.identity_email.label("old_email"),
                snapshot.c.identity_mobile.label("old_mobile"),
            )
            .select_from(source.join(snapshot, self.tables.same_key(source, snapshot), isouter=True, full=both))
            .where(expected_rarely(found) if both and self.expects_few else found)
        )

    def _missing(self, span: KeyRange) -> SqlQuery:
        """Number the synced keys that are nowhere in the source, in any form; seen once."""
        first_key = self._keys[0]
        source = span.of(self.all_rows, first_key, "source")
        snapshot = span.of(self.tables.snapshot, first_key, "known")
        keys = [snapshot.c[key] for key in self._keys]
        return (
            select(
                _numbered(keys),
                *keys,
                true().label("departed"),
                snapshot.c.identity_email.label("old_email"),
                snapshot.c.identity_mobile.label("old_mobile"),
            )
            # Not NOT EXISTS: SQLite would read an unindexed source for each key.
            .select_from(snapshot.outerjoin(source, self.tables.same_key(source, snapshot)))
            .where(source.c[first_key].is_(None), snapshot.c.absent_since.is_(None), self._in_partition(snapshot))
        )

    def _replaces(self, snapshot: FromClause) -> ColumnElement[bool]:
        """Whether nothing is known of what DailyStory has, so that every value of a row is a difference."""
        is_new = snapshot.c[self._keys[0]].is_(None)
        return or_(is_new, snapshot.c.absent_since.is_not(None), func.coalesce(snapshot.c.resend_all, false()))

    def _wanted(self, source: FromClause, snapshot: FromClause) -> ColumnElement[bool]:
        if self.tables.sync.mode is Mode.CREATE:
            return snapshot.c[self._keys[0]].is_(None)
        if self.options.scope is Scope.ALL:
            return true()
        changed = [self._changed(m, source.c[m.state_column], snapshot.c[m.state_column]) for m in self._fields]
        # A row in another slice than before differs, if only for the snapshot: later it must leave from there.
        moves = [value.is_distinct_from(snapshot.c[PARTITION_VALUE]) for value in self._partition_value(source)]
        return or_(self._replaces(snapshot), *changed, *moves)

    def _partition_value(self, source: FromClause) -> list[SqlValue]:
        return [source.c[PARTITION_VALUE]] if self.tables.sync.partition_column else []

    def _changed(self, mapped: MappedField, new: SqlValue, old: SqlValue) -> ColumnElement[bool]:
        """Whether a field's value is another than the acknowledged one; a NULL is no opinion, unless it clears.

        In this order: the databases look at the second condition only where the first one holds, on few rows.
        """
        clears = mapped.nulls is Nulls.CLEAR
        return and_(
            differs(new, old, self.dialect),
            empty_to_null(new).is_distinct_from(old) if clears else empty_to_null(new).is_not(None),
        )

    def _flag(self, mapped: MappedField, found: FromClause) -> ColumnElement[bool]:
        new = found.c[mapped.state_column]
        changed = self._changed(mapped, new, found.c[_old(mapped)])
        if mapped.kind in CONSENT_KINDS:  # what the source never changed stays as a person left it
            return changed
        return or_(changed, and_(found.c.replaces, empty_to_null(new).is_not(None)))

    def is_present(self, relation: FromClause) -> ColumnElement[bool]:
        """Whether a key is anywhere in the source, in any form."""
        return exists().where(self.tables.same_key(self.all_rows, relation))

    def snapshot_counts(self) -> SqlQuery:
        """How many keys the snapshot has, how many of them are absent, and how many this run may find departed."""
        snapshot = self.tables.snapshot
        absent = snapshot.c.absent_since.is_not(None)
        live = and_(snapshot.c.absent_since.is_(None), self._in_partition(snapshot))
        counts: list[SqlValue] = [func.count(), _rows(absent), _rows(live)]
        return select(*counts).select_from(snapshot)


def _old(mapped: MappedField) -> str:
    """Name what DailyStory acknowledged, beside what the source says."""
    return f"old_{mapped.state_column}"


def _numbered(order: Sequence[SqlValue]) -> SqlValue:
    return (func.row_number().over(order_by=order) + cast(bindparam(OFFSET, 0), BigInteger)).label("sequence")


def _rows(condition: ColumnElement[bool]) -> SqlValue:
    """How many rows fulfil a condition."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def field_counts(changes: FromClause, tables: SyncTables) -> SqlQuery:
    """In how many rows of `changes` each field differs, one column a field."""
    flags = [changes.c[differs_column(m.state_column)] for m in tables.sync.mapped_fields]
    return select(*map(_rows, flags))
