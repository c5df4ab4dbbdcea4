"""The diff: builds the SQL statements that compare source and snapshot. They only read.

`comparison` runs them, and writes what they find to the temporary table `pending`: the rows that differ and the
missing keys. Their columns are the flags of a row; see the glossary for `departed`, `returns` and `replaces`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, String, and_, case, exists, false, func, not_, or_, select, true

from dagster_dailystory.databases.expressions import among, empty_to_null, expected_rarely, may_opt_out, opt_out_text
from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.row_hash import ROW_HASH
from dagster_dailystory.databases.sql_types import BOOLEAN, TEXT, SqlQuery, SqlType, SqlValue, Untyped
from dagster_dailystory.engine.planning.comparison.slices import is_in_slices
from dagster_dailystory.engine.state.schema import (
    EMPTY_FIELDS,
    UNKNOWN_FIELDS,
    SyncTables,
    differs_column,
    is_listed,
)
from dagster_dailystory.model.change import DEPARTURE_IN_DOUBT, KEPT_FOR_ANOTHER_SYNC, Reason
from dagster_dailystory.model.contact_fields import CONSENT_KINDS, FieldKind
from dagster_dailystory.model.mapping import MappedField, Nulls
from dagster_dailystory.model.partitions import PARTITION_VALUE, HashBuckets
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import DeletePolicy, Mode, Scope


@dataclass(frozen=True)
class Diff:
    """Builds the statements that compare source and snapshot for one plan.

    Attributes:
        source: The key columns under their own names and one column for each mapped field, typed like the snapshot.
        tables: The sync's state tables.
        options: What the run asks for.
        database: The state database.
        keys: The keys that the run is limited to, with values as the database holds them; empty for all keys.
        all_keys: The keys of all source rows, if `source` has only the rows that may differ; otherwise None.
        keys_read: The part of `all_keys` that was read; each other key is once among them. None if all were read.
        is_one_slice: Only the rows of the run's slice were read, and a few of others.
        known_missing: The keys of this slice, or of the sync, that the source lacks, if they were looked for; otherwise
            None.
        moved: The result of `moved_keys`, if only these keys are compared by value; otherwise None.
        expects_few: Whether a full join carries a hint for the query planner that few rows differ.
    """

    source: FromClause
    tables: SyncTables
    options: PlanOptions
    database: Database
    keys: Sequence[Mapping[str, object]] = ()
    all_keys: FromClause | None = None
    keys_read: FromClause | None = None
    is_one_slice: bool = False
    known_missing: FromClause | None = None
    moved: FromClause | None = None
    expects_few: bool = False

    @property
    def all_rows(self) -> FromClause:
        """A relation that has the keys of all source rows."""
        return self.source if self.all_keys is None else self.all_keys

    @property
    def reads_whole_source(self) -> bool:
        """Whether `all_rows` has every key of the source; otherwise a key that it lacks may be in the source."""
        return not self.options.leaves_rows_out and not self.is_one_slice

    @property
    def has_slices(self) -> bool:
        """Whether each row has a `PARTITION_VALUE`; otherwise the database of the state hashes keys into buckets."""
        return PARTITION_VALUE in self.source.c

    @property
    def _keys(self) -> tuple[str, ...]:
        return self.tables.key_names

    @property
    def _fields(self) -> tuple[MappedField, ...]:
        return self.tables.sync.mapped_fields

    def has_key(self, relation: FromClause) -> ColumnElement[bool]:
        """Whether no part of the key is NULL."""
        return and_(*(relation.c[key].is_not(None) for key in self.tables.key_names))

    def has_chosen_key(self, relation: FromClause) -> ColumnElement[bool]:
        """Whether a row has one of the keys that the run is limited to."""
        return or_(*(and_(*(relation.c[k] == value for k, value in key.items())) for key in self.keys))

    def in_scope(self, source: FromClause | None = None) -> ColumnElement[bool]:
        """The rows within the run's scope."""
        source = self.source if source is None else source
        scope: list[ColumnElement[bool]] = []
        if self.keys:
            scope.append(self.has_chosen_key(source))
        if self.options.scope is Scope.REJECTED:
            rejections = self.tables.rejections
            scope.append(exists().where(self.tables.same_key(rejections, source)))
        if self.options.since is not None:  # the other rows of a duplicate key may be older
            is_duplicate = self.tables.rejections.c.reason == Reason.DUPLICATE_KEY.value
            scope.append(not_(exists().where(self.tables.same_key(self.tables.rejections, source), is_duplicate)))
        return and_(self.in_partition(source), *scope)

    def in_partition(self, relation: FromClause) -> ColumnElement[bool]:
        """Whether a row belongs to the run's slice."""
        slices, partitions = self.options.slices, self.tables.sync.partitions
        if slices is None or partitions is None:
            return true()
        if isinstance(partitions, HashBuckets) and not self.has_slices:
            first, last = (partitions.names.index(name) for name in (slices.names[0], slices.names[-1]))
            keys = [relation.c[key] for key in self.tables.key_names]
            return self.database.bucket(keys, partitions.count).between(first, last)
        return is_in_slices(relation.c[PARTITION_VALUE], partitions, slices)

    def may_be_gone(self, rejections: FromClause) -> ColumnElement[bool]:
        """The rejections whose key has left the source if `all_rows` lacks it. Other keys may only be out of scope."""
        if self.options.leaves_rows_out:
            return false()
        chosen_by_key = bool(self.options.keys) or self.options.scope is Scope.REJECTED
        is_here = self.in_partition(rejections)
        if chosen_by_key:
            return self.has_key(rejections)
        return is_here if self.is_one_slice else or_(self.has_key(rejections), is_here)

    def row_counts(self) -> SqlQuery:
        """Count the rows read that are in scope, and those of them without a NULL in the key."""
        rows = self.all_rows if self.keys_read is None else self.keys_read
        first_key, *others = (rows.c[key] for key in self.tables.key_names)
        keyed = func.count(case((self.has_key(rows), first_key)) if others else first_key)
        counts: list[SqlValue] = [func.count(), keyed]
        return select(*counts).select_from(rows).where(self.in_scope(rows))

    def pending_counts(self, pending: FromClause) -> SqlQuery:
        """Count what is in `pending`: rows that differ, new rows, returning keys, missing keys, and owed deletions."""
        row = not_(pending.c.departed)
        return select(
            _rows(row),
            _rows(and_(row, pending.c.is_new)),
            _rows(and_(row, pending.c.returns)),
            _rows(and_(pending.c.departed, not_(pending.c.returns))),
            _rows(and_(pending.c.departed, pending.c.returns)),
        ).select_from(pending)

    @property
    def counts_matches(self) -> bool:
        """Whether the counts cover every source row that matches the snapshot, so that they can rule out duplicates."""
        return (
            self.options.plans_deletions and self.options.partition is None and self.tables.sync.mode is not Mode.CREATE
        )

    def repeated_keys(self, pending: FromClause) -> SqlQuery:
        """The keys that `pending` has more than once."""
        keys = [pending.c[key] for key in self._keys]
        return select(*keys).where(not_(pending.c.departed)).group_by(*keys).having(func.count() > 1)

    def duplicate_keys(self) -> SqlQuery:
        """Each key that more than one source row has, with the number of its rows in `source_rows`."""
        rows, in_scope = self.all_rows, self.in_scope(self.all_rows)
        keys, rows_in_scope = self.tables.keys_of(rows), _rows(in_scope)
        slices = [func.max(case((in_scope, value))).label(PARTITION_VALUE) for value in self._partition_value(rows)]
        grouped = select(*keys, rows_in_scope.label("source_rows"), *slices).where(self.has_key(rows))
        if self.keys_read is not None:
            read = select(*self.tables.keys_of(self.keys_read)).where(self.has_key(self.keys_read))
            grouped = grouped.where(among(keys, read))
        return grouped.group_by(*keys).having(func.count() > 1, rows_in_scope > 0)

    @property
    def uses_full_join(self) -> bool:
        """Whether one full outer join finds the rows that differ and the missing keys."""
        return self.options.plans_deletions and self.database.has_full_join and self.all_keys is None

    @property
    def compares_hashes(self) -> bool:
        """Whether `moved_keys` leaves unchanged rows out. A row that is sent whatever its values needs no hash."""
        return self.database.compares_hashes and self.all_keys is None and self.options.scope is not Scope.ALL

    def moved_keys(self) -> SqlQuery:
        """The keys whose rows may differ: their hashes do, one side lacks them, or the snapshot is in doubt.

        Hashes also differ by a NULL that clears no field, and by another spelling of a flag: values decide.
        """
        source = self._hashed(self.source, self.in_scope().label("in_scope")).where(self.has_key(self.source))
        known, full = self.tables.snapshot, self.uses_full_join
        is_cleared = known.c[UNKNOWN_FIELDS].is_not(None) if self._clearable else false()
        in_doubt = or_(self._resends_all(known), is_cleared).label("as_a_whole")
        snapshot = self._hashed(known, in_doubt, self._may_depart(known).label("departs"))
        one, other = source.subquery("source"), snapshot.subquery("known")
        first_key = self._keys[0]
        is_moved = or_(other.c[first_key].is_(None), other.c.as_a_whole, one.c[ROW_HASH] != other.c[ROW_HASH])
        is_missing = and_(one.c[first_key].is_(None), other.c.departs) if full else false()
        keys = [(func.coalesce(one.c[key], other.c[key]) if full else one.c[key]).label(key) for key in self._keys]
        joined = one.join(other, self.tables.same_key(one, other), isouter=True, full=full)
        return select(*keys).select_from(joined).where(or_(and_(one.c.in_scope, is_moved), is_missing))

    def _hashed(self, relation: FromClause, *flags: SqlValue) -> SqlQuery:
        """The keys of a relation with the hash of what is compared, and some flags."""
        fields = [m for m in self._fields if self.tables.sync.mode is not Mode.CREATE or m.kind is FieldKind.OPT_OUT]
        partition = self._partition_value(relation)
        values = [*(empty_to_null(relation.c[m.state_column]) for m in fields), *partition, true()]
        types: list[SqlType] = [self.tables.snapshot.c[m.state_column].type for m in fields]
        types += [TEXT] * len(partition) + [BOOLEAN]
        hashed = self.database.hash_of(values, types).label(ROW_HASH)
        return select(*(relation.c[key] for key in self._keys), hashed, *flags)

    def differing(self) -> SqlQuery:
        """The rows that differ, and the missing keys too if the database has a full join.

        Each has its `sequence`, and a flag for each field that differs.
        """
        found = self.database.evaluated_first(self.joined(), "differing")
        rows = select(
            *(found.c[key] for key in self._keys),
            *(empty_to_null(found.c[m.state_column]).label(m.state_column) for m in self._fields),
            *(self._flag(m, found).label(differs_column(m.state_column)) for m in self._fields),
            *self._partition_value(found),
            *(found.c[name] for name in ("is_new", "replaces", "departed", "returns", "old_email", "old_mobile")),
        )
        return self.database.numbered(rows, [found.c.departed, *(found.c[key] for key in self._keys)])

    def joined(self) -> SqlQuery:
        """The join of source and snapshot, with the rows that differ and, if it is a full join, the missing keys."""
        first_key, full = self._keys[0], self.uses_full_join
        source, snapshot = self._moved(self.source, "source"), self._moved(self.tables.snapshot, "known")
        is_new = snapshot.c[first_key].is_(None)
        resends_all = true() if self.options.scope is Scope.ALL else self._resends_all(snapshot)
        is_missing = and_(source.c[first_key].is_(None), snapshot.c[first_key].is_not(None)) if full else false()
        differs_now = and_(self.has_key(source), self.in_scope(source), self._differs(source, snapshot))
        departs = and_(is_missing, self._may_depart(snapshot))
        found = or_(differs_now, departs) if full else differs_now
        keys = {key: func.coalesce(source.c[key], snapshot.c[key]) if full else source.c[key] for key in self._keys}
        return (
            select(
                *(value.label(key) for key, value in keys.items()),
                *(source.c[m.state_column] for m in self._fields),
                *(snapshot.c[m.state_column].label(_acknowledged(m)) for m in self._fields),
                *self._partition_value(source, snapshot if full else None),
                is_new.label("is_new"),
                resends_all.label("replaces"),
                is_missing.label("departed"),
                snapshot.c.absent_since.is_not(None).label("returns"),
                snapshot.c.identity_email.label("old_email"),
                snapshot.c.identity_mobile.label("old_mobile"),
                *((snapshot.c[UNKNOWN_FIELDS],) if self._clearable else ()),
                *((snapshot.c[EMPTY_FIELDS],) if self.tables.sync.fill else ()),
            )
            .select_from(source.join(snapshot, self.tables.same_key(source, snapshot), isouter=True, full=full))
            .where(expected_rarely(found) if full and self.expects_few else found)
        )

    def _moved(self, relation: FromClause, name: str) -> FromClause:
        """The rows of a relation that are compared by value."""
        if self.moved is None:
            return relation
        moved = select(*(self.moved.c[key] for key in self._keys))
        return select(relation).where(among([relation.c[key] for key in self._keys], moved)).subquery(name)

    def missing_keys(self, numbered_from: int) -> SqlQuery:
        """The missing keys of all slices whose contact is not decided, each with its `sequence`.

        Args:
            numbered_from: The highest `sequence` so far.
        """
        snapshot, found, rows = self.tables.snapshot, self.known_missing, self.all_rows
        keys = [snapshot.c[key] for key in self._keys]
        joined: FromClause = snapshot
        if found is None:  # not NOT EXISTS: SQLite would scan an unindexed source once for each key
            joined = snapshot.outerjoin(rows, self.tables.same_key(rows, snapshot))
            is_missing: ColumnElement[bool] = rows.c[self._keys[0]].is_(None)
        else:
            is_missing = among(keys, select(*(found.c[key] for key in self._keys)))
        return (
            select(
                (func.row_number().over(order_by=keys) + numbered_from).label("sequence"),
                *keys,
                *self._partition_value(snapshot),
                true().label("departed"),
                snapshot.c.absent_since.is_not(None).label("returns"),
                snapshot.c.identity_email.label("old_email"),
                snapshot.c.identity_mobile.label("old_mobile"),
            )
            .select_from(joined)
            .where(self._may_depart(snapshot), is_missing)
        )

    def _may_depart(self, snapshot: FromClause) -> ColumnElement[bool]:
        """Whether a missing key is planned: it was not found missing before, or the deletion of its contact is owed."""
        is_live = snapshot.c.absent_since.is_(None)
        undecided = [KEPT_FOR_ANOTHER_SYNC, DEPARTURE_IN_DOUBT]
        is_owed = and_(snapshot.c.absent_since.is_not(None), snapshot.c.absent_action.in_(undecided))
        may = is_live if self.tables.sync.deletes is DeletePolicy.KEEP else or_(is_live, is_owed)
        return and_(may, self.in_partition(snapshot)) if self.is_one_slice else may

    def _resends_all(self, snapshot: FromClause) -> ColumnElement[bool]:
        """Whether the snapshot may not be what DailyStory has, so that every value of the row counts as different."""
        is_new = snapshot.c[self._keys[0]].is_(None)
        return or_(is_new, snapshot.c.absent_since.is_not(None), func.coalesce(snapshot.c.resend_all, false()))

    def _differs(self, source: FromClause, snapshot: FromClause) -> ColumnElement[bool]:
        """Whether a source row differs from its snapshot, so that it needs a change."""
        fields = [(m, source.c[m.state_column], snapshot.c[m.state_column], snapshot) for m in self._fields]
        if self.tables.sync.mode is Mode.CREATE:  # the only change of a contact that exists is an opt-out or a fault
            flags = [field for field in fields if field[0].kind is FieldKind.OPT_OUT]
            new = [and_(self._changed(*flag), may_opt_out(flag[1])) for flag in flags]
            is_made = [and_(self.was_made_by_this_sync(snapshot), or_(*new))] if new else []
            return or_(snapshot.c[self._keys[0]].is_(None), *is_made)
        if self.options.scope is Scope.ALL:
            return true()
        changed = [self._changed(*field) for field in fields]
        # A row in another slice than before differs: a missing key is found by the slice that the snapshot names.
        old = snapshot.c[PARTITION_VALUE]  # of a key whose slice is not known yet NULL; see `remember_slices`
        moves = [and_(old.is_not(None), value.is_distinct_from(old)) for value in self._partition_value(source)]
        cleared = [self._is_cleared(m, source.c[m.state_column], snapshot) for m in self._clearable]
        return or_(self._resends_all(snapshot), *changed, *moves, *cleared)

    def _partition_value(self, source: FromClause, missing: FromClause | None = None) -> list[SqlValue]:
        """The slice of a row; of a missing key the slice that the snapshot names."""
        if not self.has_slices:
            return []
        value = source.c[PARTITION_VALUE]
        if missing is None:
            return [value]
        return [func.coalesce(value, missing.c[PARTITION_VALUE]).label(PARTITION_VALUE)]

    def _changed(self, mapped: MappedField, new: SqlValue, old: SqlValue, known: FromClause) -> ColumnElement[bool]:
        """Whether a value differs from the acknowledged one. A NULL counts only if the field is cleared by it.

        The order matters: databases evaluate the second condition only where the first one holds, for few rows.
        """
        clears = mapped.nulls is Nulls.CLEAR
        changed = [
            self.database.differs(new, old),
            empty_to_null(new).is_distinct_from(old) if clears else empty_to_null(new).is_not(None),
        ]
        if mapped.kind is FieldKind.OPT_OUT and isinstance(new.type, (String, Untyped)):
            changed.append(opt_out_text(new).is_distinct_from(opt_out_text(old)))  # yes and Y do not differ
        if mapped.fills:
            changed.append(is_listed(known, EMPTY_FIELDS, mapped.state_column))
        return and_(*changed)

    def _flag(self, mapped: MappedField, found: FromClause) -> ColumnElement[bool]:
        """Whether the field of a row that differs is to be sent."""
        new = found.c[mapped.state_column]
        changed = self._changed(mapped, new, found.c[_acknowledged(mapped)], found)
        if mapped in self._clearable:
            changed = or_(changed, self._is_cleared(mapped, new, found))
        if mapped.kind in CONSENT_KINDS:  # consent that the source did not change stays as it is in DailyStory
            return changed
        return or_(changed, and_(found.c.is_new if mapped.fills else found.c.replaces, empty_to_null(new).is_not(None)))

    @property
    def _clearable(self) -> Sequence[MappedField]:
        return [m for m in self._fields if m.nulls is Nulls.CLEAR]

    def _is_cleared(self, mapped: MappedField, new: SqlValue, known: FromClause) -> ColumnElement[bool]:
        """Whether a NULL empties a field that the snapshot has NULL in and DailyStory may have a value in."""
        is_unknown = is_listed(known, UNKNOWN_FIELDS, mapped.state_column)
        return and_(known.c[UNKNOWN_FIELDS].is_not(None), empty_to_null(new).is_(None), is_unknown)

    def was_made_by_this_sync(self, snapshot: FromClause) -> ColumnElement[bool]:
        """Whether the sync made the contact of a key, or wrote to it; others were only found, in mode `create`."""
        return not_(func.coalesce(snapshot.c.only_mapped, false()))

    def is_present(self, relation: FromClause) -> ColumnElement[bool]:
        """Whether the rows read have the key, in scope or not; see `reads_whole_source`."""
        return exists().where(self.tables.same_key(self.all_rows, relation))

    def snapshot_counts(self) -> SqlQuery:
        """Count the snapshot's keys, those that were missing before, and those that this run may find missing.

        Where few rows were read, each is a query of its own, which an index can answer.
        """
        snapshot = self.tables.snapshot
        absent = snapshot.c.absent_since.is_not(None)
        live = and_(snapshot.c.absent_since.is_(None), self.in_partition(snapshot))
        if self.known_missing is not None or self.is_one_slice:
            counted, here = select(func.count()).select_from(snapshot), self.in_partition(snapshot)
            absent_here = select(_rows(here)).select_from(snapshot).where(absent)
            parts = (counted, counted.where(absent), counted.where(here), absent_here)
            keys, missing, mine, missing_here = (each.scalar_subquery() for each in parts)
            return select(keys, missing, mine - missing_here)
        counts: list[SqlValue] = [func.count(), _rows(absent), _rows(live)]
        return select(*counts).select_from(snapshot)


def _acknowledged(mapped: MappedField) -> str:
    """The column of the acknowledged value, beside that of the source's value."""
    return f"old_{mapped.state_column}"


def _rows(condition: ColumnElement[bool]) -> SqlValue:
    """Count the rows that meet a condition."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
