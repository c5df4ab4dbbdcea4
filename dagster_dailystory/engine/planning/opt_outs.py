"""The opt-outs of a plan: each one whose contact is known leaves first and alone, whatever else is wrong with its row.

An opt-out of a row concerns the contact of the row's key, and each contact with the row's email or mobile number. So it
reaches a contact although its row is rejected or held, has a key that another row has too, or shares its address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Numeric,
    Select,
    TableClause,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
)

from dagster_dailystory.databases.dialect import opts_out
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, SqlQuery, SqlType, SqlValue
from dagster_dailystory.engine.planning.comparison.diff import Diff
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import OPT_OUT_PRIORITY, Operation
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.sync import MappedField, Mode


@dataclass(frozen=True)
class OptOuts:
    """Finds and stores the opt-outs of one plan, after its other changes were stored.

    Attributes:
        plan_id: The plan.
        state: The open state, within a transaction.
        diff: The comparison; its source has the values of rows with a duplicate key.
        pending: The rows that differ; each row with a new opt-out does.
        checked: The results of the row checks, with the identities.
        duplicates: The keys that more than one row has.
    """

    plan_id: str
    state: State
    diff: Diff
    pending: TableClause
    checked: FromClause
    duplicates: TableClause | None

    @property
    def _tables(self) -> SyncTables:
        return self.diff.tables

    @property
    def _fields(self) -> Sequence[MappedField]:
        return [m for m in self._tables.sync.mapped_fields if m.kind is FieldKind.OPT_OUT]

    def store(self) -> None:
        """Store an `opt_out` for each contact with a flag that no other change of this plan sets alone."""
        if not self._fields:
            return
        execute, changes = self.state.connection.execute, self._tables.changes
        last = execute(select(func.max(self.pending.c.sequence))).scalar() or 0
        query = self._changes(self._found(), int(last))
        execute(changes.insert().from_select([each.name for each in query.selected_columns], query))

    def count_pending(self) -> int:
        """Count the rows whose opt-out this plan cannot send: DailyStory has no contact that is known for them."""
        if not self._fields:
            return 0
        return sum(int(self.state.connection.execute(query).scalar() or 0) for query in self._without_contact())

    def _found(self) -> FromClause:
        """For each contact and field, 1 if a row of the source opts the contact out and it is not opted out yet."""
        found = union_all(*self._links()).subquery("found")
        keys = [found.c[key] for key in self._tables.key_names]
        flags = [func.max(found.c[m.state_column]).label(m.state_column) for m in self._fields]
        is_new = or_(*(func.max(found.c[m.state_column]) == 1 for m in self._fields))
        grouped = select(*keys, found.c.dsid, *flags).group_by(*keys, found.c.dsid).having(is_new)
        return grouped.subquery("opt_outs")

    def _links(self) -> Iterator[SqlQuery]:
        """Pair the rows that opt out with contacts: by key, by email and by mobile number."""
        snapshot, contact_map, pending = self._tables.snapshot, self._tables.contact_map, self.pending
        row = not_(pending.c.departed)
        yield self._link(pending, self._tables.same_key(pending, contact_map), row)
        rows = pending.join(self.checked, self.checked.c.sequence == pending.c.sequence)
        for identity in ("identity_email", "identity_mobile"):
            yield self._link(pending, snapshot.c[identity] == self.checked.c[identity], row, rows=rows)
        if self.duplicates is not None:
            source = self.diff.source
            repeated = source.join(self.duplicates, self._tables.same_key(self.duplicates, source))
            yield self._link(source, self._tables.same_key(source, contact_map), true(), rows=repeated)

    def _link(
        self,
        values: FromClause,
        contact: ColumnElement[bool],
        condition: ColumnElement[bool],
        rows: FromClause | None = None,
    ) -> Select[tuple[object, ...]]:
        snapshot, contact_map = self._tables.snapshot, self._tables.contact_map
        flags = {m: opts_out(values.c[m.state_column]) for m in self._fields}
        known = {m: opts_out(snapshot.c[m.state_column]) for m in self._fields}
        new = {m: and_(flags[m], not_(func.coalesce(known[m], false()))) for m in self._fields}
        contacts = snapshot.join(contact_map, self._tables.same_key(snapshot, contact_map))
        return (
            select(
                *(contact_map.c[key] for key in self._tables.key_names),
                contact_map.c.dsid,
                *(case((new[m], 1), else_=0).label(m.state_column) for m in self._fields),
            )
            .select_from((values if rows is None else rows).join(contacts, contact))
            .where(condition, or_(*flags.values()), *self._is_ours(contact_map, snapshot))
        )

    def _is_ours(self, contact_map: FromClause, snapshot: FromClause) -> list[ColumnElement[bool]]:
        """Whether this sync may write to the contact: it exists and, in mode `create`, this sync made it."""
        gone = or_(contact_map.c.deleted_at.is_not(None), contact_map.c.deleted_in_dailystory_at.is_not(None))
        conditions = [not_(gone)]
        if self._tables.sync.mode is Mode.CREATE:
            conditions.append(self.diff.was_made_by_this_sync(snapshot))
        return conditions

    def _changes(self, found: FromClause, last: int) -> SqlQuery:
        changes, keys = self._tables.changes, [found.c[key] for key in self._tables.key_names]
        alone = self._set_alone()
        left = {
            m: and_(found.c[m.state_column] == 1, func.coalesce(alone.c[m.state_column], 0) == 0) for m in self._fields
        }
        values = [case((left[m], _true(changes.c[m.state_column].type))).label(m.state_column) for m in self._fields]
        flags = [left[m].label(differs_column(m.state_column)) for m in self._fields]
        query = select(
            literal(self.plan_id, TEXT).label("plan_id"),
            (func.row_number().over(order_by=keys) + literal(last, BIG_INTEGER)).label("sequence"),
            *keys,
            literal(Operation.OPT_OUT.value, TEXT).label("operation"),
            found.c.dsid,
            literal(OPT_OUT_PRIORITY, BIG_INTEGER).label("priority"),
            *values,
            *flags,
        )
        # Not NOT EXISTS: SQLite would scan the changes once for each contact.
        return query.select_from(found.outerjoin(alone, alone.c.dsid == found.c.dsid)).where(or_(*left.values()))

    def _set_alone(self) -> FromClause:
        """For each contact, 1 for the flags that an update of this plan sets and that is all it sends."""
        changes = self._tables.changes
        flags = [
            func.max(
                case((and_(changes.c[differs_column(m.state_column)], opts_out(changes.c[m.state_column])), 1), else_=0)
            ).label(m.state_column)
            for m in self._fields
        ]
        alone = and_(
            changes.c.plan_id == self.plan_id,
            changes.c.operation == Operation.UPDATE.value,
            changes.c.priority == OPT_OUT_PRIORITY,
        )
        return select(changes.c.dsid, *flags).where(alone).group_by(changes.c.dsid).subquery("alone")

    def _without_contact(self) -> Iterator[SqlQuery]:
        tables, pending, checked = self._tables, self.pending, self.checked
        changes, contact_map, snapshot = tables.changes, tables.contact_map, tables.snapshot
        row_opts_out = or_(
            *(
                and_(pending.c[differs_column(m.state_column)], opts_out(pending.c[m.state_column]))
                for m in self._fields
            )
        )
        created = exists().where(
            changes.c.plan_id == self.plan_id,
            changes.c.sequence == pending.c.sequence,
            changes.c.operation.in_([Operation.CREATE.value, Operation.UPDATE.value]),
        )
        same_identity = [
            exists().where(snapshot.c[name] == checked.c[name]) for name in ("identity_email", "identity_mobile")
        ]
        mapped = exists().where(tables.same_key(contact_map, pending))
        rows = pending.outerjoin(checked, checked.c.sequence == pending.c.sequence)
        unknown = (not_(or_(created, mapped, *same_identity)), not_(pending.c.departed))
        yield select(func.count()).select_from(rows).where(row_opts_out, *unknown)
        if self.duplicates is not None:
            source = self.diff.source
            repeated = source.join(self.duplicates, tables.same_key(self.duplicates, source))
            row_opts_out = or_(*(opts_out(source.c[m.state_column]) for m in self._fields))
            is_mapped = exists().where(tables.same_key(contact_map, source))
            yield select(func.count()).select_from(repeated).where(row_opts_out, not_(is_mapped))


def _true(kind: SqlType) -> SqlValue:
    """A yes, as a column of this type holds it."""
    if isinstance(kind, Boolean):
        return true()
    return literal(1, BIG_INTEGER) if isinstance(kind, (Integer, Numeric)) else literal("true", TEXT)
