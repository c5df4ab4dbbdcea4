"""The diff: generated, set-based SQLAlchemy statements, the same wherever the state is. They only read.

Three temporary tables carry a plan while it is made: `pending` (rows that differ, from here), `judged` (what Python
says of each, by sequence) and `departed` (keys that left the source). No FULL JOIN: MySQL and MariaDB lack it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)  # fmt: skip

from dagster_dailystory.dialect import SqlQuery, SqlValue, bucket, differs
from dagster_dailystory.model import MappedField, Mode, Nulls, PlanOptions, Scope
from dagster_dailystory.partitions import OTHER_VALUES, PARTITION_VALUE, HashBuckets
from dagster_dailystory.tables import SyncTables, differs_column


@dataclass(frozen=True)
class Span:
    """Neighbouring values of the first key column.

    Attributes:
        first: The lowest of them; None for no lower bound.
        end: The lowest value above them; None for no upper bound.
    """

    first: object = None
    end: object = None

    def holds(self, key: SqlValue) -> list[ColumnElement[bool]]:
        """The conditions under which a key is among them."""
        lower = [] if self.first is None else [key >= literal(self.first, key.type)]
        return lower if self.end is None else [*lower, key < literal(self.end, key.type)]


WHOLE = Span()
"""All keys."""


@dataclass(frozen=True)
class Diff:
    """The statements of one plan.

    Attributes:
        source: Key columns by their own names and one column per mapped field, typed as the snapshot's.
        tables: The sync's state tables.
        options: What the run asks for.
        dialect: The state database's dialect.
        keys: The asked-for keys with their values as the database holds them; empty for all.
    """

    source: FromClause
    tables: SyncTables
    options: PlanOptions
    dialect: Dialect
    keys: Sequence[Mapping[str, object]] = ()

    @property
    def _fields(self) -> tuple[MappedField, ...]:
        return self.tables.sync.mapped_fields

    def same_key(self, one: FromClause, other: FromClause) -> ColumnElement[bool]:
        """Whether two relations speak of one source row."""
        return and_(*(one.c[key] == other.c[key] for key in self.tables.key_names))

    def has_key(self, relation: FromClause) -> ColumnElement[bool]:
        """Whether no part of the key is NULL."""
        return and_(*(relation.c[key].is_not(None) for key in self.tables.key_names))

    def in_scope(self) -> ColumnElement[bool]:
        """The rows that the run looks at."""
        scope: list[ColumnElement[bool]] = []
        if self.keys:
            scope.append(or_(*(and_(*(self.source.c[k] == v for k, v in key.items())) for key in self.keys)))
        if self.options.scope is Scope.REJECTED:
            rejections = self.tables.rejections
            scope.append(exists().where(self.same_key(rejections, self.source)))
        return and_(self._in_partition(self.source), *scope)

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

    def row_counts(self) -> SqlQuery:
        """How many rows are in scope, and how many of them have a NULL in the key."""
        keyless = func.sum(case((self.has_key(self.source), 0), else_=1))
        return select(func.count(), func.coalesce(keyless, 0)).select_from(self.source).where(self.in_scope())

    def duplicate_keys(self) -> SqlQuery:
        """Each key that more than one row has, with the number of its rows in `source_rows`."""
        keys = [self.source.c[key] for key in self.tables.key_names]
        rows_in_scope = func.sum(case((self.in_scope(), 1), else_=0))
        grouped = select(*keys, rows_in_scope.label("source_rows")).where(self.has_key(self.source))
        return grouped.group_by(*keys).having(func.count() > 1, rows_in_scope > 0)

    def key_sample(self, one_in: int) -> SqlQuery:
        """About one in so many values of the first key column, in order; DuckDB only."""
        key = self.source.c[self.tables.key_names[0]]
        return (
            select(key)
            .where(key.is_not(None), func.hash(key).op("%")(literal_column(str(one_in))) == literal_column("0"))
            .order_by(key)
        )

    def pending(self, duplicates: FromClause | None, span: Span = WHOLE, offset: int = 0) -> SqlQuery:
        """Number the rows that differ from the snapshot, with a flag for each field that does.

        Args:
            duplicates: Keys to leave out.
            span: Look at these keys only.
            offset: The highest number given before.
        """
        source, snapshot = self.source, self.tables.snapshot
        first_key = self.tables.key_names[0]
        is_new = snapshot.c[self.tables.key_names[0]].is_(None)
        replaces = or_(is_new, snapshot.c.absent_since.is_not(None), func.coalesce(snapshot.c.resend_all, false()))
        everything = replaces if self.options.scope is not Scope.ALL else true()
        flags = {m.state_column: self._differs(m, everything) for m in self._fields}
        keys = [source.c[key] for key in self.tables.key_names]
        statement = (
            select(
                (func.row_number().over(order_by=keys) + cast(literal(offset), BigInteger)).label("sequence"),
                *keys,
                *(source.c[m.state_column] for m in self._fields),
                *(flag.label(differs_column(name)) for name, flag in flags.items()),
                *self._partition_value(),
                is_new.label("is_new"),
                everything.label("replaces"),
            )
            .select_from(
                source.outerjoin(snapshot, and_(self.same_key(source, snapshot), *span.holds(snapshot.c[first_key])))
            )
            .where(self.has_key(source), self.in_scope(), *span.holds(source.c[first_key]))
            .where(self._wanted(is_new, everything, list(flags.values())))
        )
        if duplicates is None:
            return statement
        return statement.where(~exists().where(self.same_key(duplicates, source)))

    def _wanted(
        self, is_new: ColumnElement[bool], everything: ColumnElement[bool], flags: Sequence[ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        if self.tables.sync.mode is Mode.CREATE:
            return is_new
        return or_(everything, *flags, *self._moves_partition())

    def _partition_value(self) -> list[SqlValue]:
        return [self.source.c[PARTITION_VALUE]] if self.tables.sync.partition_column else []

    def _moves_partition(self) -> list[ColumnElement[bool]]:
        """A row in another slice than before differs, if only for the snapshot: later it must leave from there."""
        known = self.tables.snapshot.c[PARTITION_VALUE]
        return [value.is_distinct_from(known) for value in self._partition_value()]

    def _differs(self, mapped: MappedField, everything: ColumnElement[bool]) -> ColumnElement[bool]:
        new = self._value(mapped)
        old = self.tables.snapshot.c[mapped.state_column]
        changed = differs(new, old, self.dialect)
        if mapped.nulls is Nulls.CLEAR:
            return or_(changed, and_(everything, new.is_not(None)))
        return and_(new.is_not(None), or_(everything, changed))

    def _value(self, mapped: MappedField) -> SqlValue:
        return self.source.c[mapped.state_column]

    def departed(self, offset: int) -> SqlQuery:
        """Number the synced keys that are nowhere in the source, in any form; seen once."""
        snapshot, source = self.tables.snapshot, self.source
        keys = [snapshot.c[key] for key in self.tables.key_names]
        return (
            select(
                (func.row_number().over(order_by=keys) + cast(literal(offset), BigInteger)).label("sequence"),
                *keys,
                snapshot.c.identity_email,
                snapshot.c.identity_mobile,
            )
            # Not NOT EXISTS: SQLite would read an unindexed source for each key, DuckDB takes twice the time.
            .select_from(snapshot.outerjoin(source, self.same_key(source, snapshot)))
            .where(
                source.c[self.tables.key_names[0]].is_(None),
                snapshot.c.absent_since.is_(None),
                self._in_partition(snapshot),
            )
        )

    def is_present(self, relation: FromClause) -> ColumnElement[bool]:
        """Whether a key is anywhere in the source, in any form."""
        return exists().where(self.same_key(self.source, relation))

    def live_keys(self) -> SqlQuery:
        """How many keys were in the source when they were last looked at."""
        snapshot = self.tables.snapshot
        live = and_(snapshot.c.absent_since.is_(None), self._in_partition(snapshot))
        return select(func.count()).select_from(snapshot).where(live)


def field_counts(changes: FromClause, tables: SyncTables) -> SqlQuery:
    """In how many rows of `changes` each field differs, one column a field."""
    flags = [changes.c[differs_column(m.state_column)] for m in tables.sync.mapped_fields]
    return select(*(func.coalesce(func.sum(case((flag, 1), else_=0)), 0) for flag in flags))
