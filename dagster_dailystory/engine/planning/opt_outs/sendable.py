"""The opt-outs of a plan: each one whose contact is known leaves first and alone, whatever else is wrong with its row.

An opt-out of a row concerns the contact of the row's key, and each contact with the row's email or mobile number. So it
reaches a contact although its row is rejected or held, has a key that another row has too, or shares its address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

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
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
)

from dagster_dailystory.databases.expressions import opts_out
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, SqlQuery, SqlType, SqlValue
from dagster_dailystory.engine.planning.comparison.compare import Differences
from dagster_dailystory.engine.presence.unchecked import (
    IN_SCOPE,
    Unchecked,
    known_duplicates,
    rows_opting_out,
    unread_rows,
)
from dagster_dailystory.engine.state.plans.dropped_values import identity_columns_in_use
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import OPT_OUT_PRIORITY, Operation
from dagster_dailystory.model.contact_fields import CONSENT_KINDS, FieldKind
from dagster_dailystory.model.mapping import MappedField
from dagster_dailystory.model.sync import Mode, Scope


@dataclass(frozen=True)
class OptOuts:
    """Finds and stores the opt-outs of one plan, after its other changes were stored.

    Attributes:
        plan_id: The plan.
        state: The open state, within a transaction.
        found: What the comparison found; each checked row with a new opt-out is pending.
        checked: The results of the row checks, with the identities.
        rows: The rows of the source, with their mapped columns.
    """

    plan_id: str
    state: State
    found: Differences
    checked: FromClause
    rows: FromClause

    @property
    def tables(self) -> SyncTables:
        """The sync's tables."""
        return self.found.diff.tables

    @property
    def _pending(self) -> TableClause:
        return self.found.pending

    @property
    def _fields(self) -> Sequence[MappedField]:
        return [m for m in self.tables.sync.mapped_fields if m.kind is FieldKind.OPT_OUT]

    @property
    def has_consent(self) -> bool:
        """Whether an opt-out flag or the status is mapped."""
        return bool(self.tables.sync.state_columns(*CONSENT_KINDS))

    def store(self) -> None:
        """Store an `opt_out` for each contact with a flag that no other change of this plan sets alone."""
        if not self._fields:
            return
        execute, changes = self.state.connection.execute, self.tables.changes
        last = execute(select(func.max(self._pending.c.sequence))).scalar() or 0
        query = self._changes(self._contacts(), int(last))
        execute(changes.insert().from_select([each.name for each in query.selected_columns], query))
        if self._takes_back:
            self._keep_what_others_set()

    @cached_property
    def _takes_back(self) -> bool:
        """Whether a row may take an opt-out back."""
        if not self._fields:
            return False
        pending = self._pending
        flags = [(pending.c[m.state_column], pending.c[differs_column(m.state_column)]) for m in self._fields]
        back = [and_(or_(differs, pending.c.replaces), not_(opts_out(flag))) for flag, differs in flags]
        known = and_(not_(pending.c.departed), not_(pending.c.is_new))
        query = select(pending.c.sequence).where(known, or_(*back)).limit(1)
        return self.state.connection.execute(query).first() is not None

    @cached_property
    def unchecked(self) -> FromClause | None:
        """The rows that opt out and have no row check; None if there can be none."""
        if not self.has_consent:
            return None
        tables, diff, counts = self.tables, self.found.diff, self.found.counts
        source, options, parts = diff.source, diff.options, []
        select_rows = partial(rows_opting_out, tables)
        if self.found.duplicates is not None:
            repeated = source.join(self.found.duplicates, tables.same_key(self.found.duplicates, source))
            parts.append(select_rows(source, repeated, true(), in_scope=True))
        if options.since is not None:
            parts.append(select_rows(source, known_duplicates(tables, source), true(), in_scope=True))
        if counts.without_key and not options.keys and options.scope is not Scope.REJECTED:
            keyless = and_(not_(diff.has_key(self.rows)), diff.in_partition(self.rows))
            parts.append(select_rows(self.rows, self.rows, keyless, in_scope=True))
        if self._takes_back and (options.partition or options.keys or options.scope is Scope.REJECTED):
            joined, condition = unread_rows(self.state, tables, self.rows, self._pending)
            parts.append(select_rows(self.rows, joined, condition, in_scope=False))
        return Unchecked(self.state, tables, parts).opting_out()

    def _contacts(self) -> FromClause:
        """For each contact and field, 1 if a row of the source opts the contact out and it is not opted out yet."""
        found = union_all(*self._links()).subquery("found")
        keys = [found.c[key] for key in self.tables.key_names]
        flags = [func.max(found.c[differs_column(m.state_column)]).label(m.state_column) for m in self._fields]
        is_new = or_(*(func.max(found.c[differs_column(m.state_column)]) == 1 for m in self._fields))
        grouped = select(*keys, found.c.dsid, *flags).group_by(*keys, found.c.dsid).having(is_new)
        return grouped.subquery("opt_outs")

    def _keep_what_others_set(self) -> None:
        """Do not record that a flag was taken back while another row still opts the contact out.

        The next run would find the opt-out of that row anew, and send it again. Of a change that sends every field, the
        flag becomes the other row's: it is sent too.
        """
        changes = self.tables.changes
        found = union_all(*self._links()).subquery("found")
        flags = [func.max(found.c[m.state_column]).label(m.state_column) for m in self._fields]
        set_by_others = select(found.c.dsid, *flags).group_by(found.c.dsid).subquery("set_by_others")
        values: dict[str, SqlValue] = {}
        for mapped in self._fields:
            name = mapped.state_column
            flag, differs = changes.c[name], changes.c[differs_column(name)]
            is_kept = and_(set_by_others.c[name] == 1, not_(opts_out(flag)))
            values[differs.name] = case((is_kept, false()), else_=differs)
            values[name] = case((and_(is_kept, changes.c.replaces), _true(flag.type)), else_=flag)
        written = changes.c.operation.in_([Operation.UPDATE.value, Operation.RECORD.value])
        mine = and_(changes.c.plan_id == self.plan_id, written, changes.c.dsid == set_by_others.c.dsid)
        self.state.connection.execute(changes.update().where(mine).values(**values))

    def _links(self) -> Iterator[SqlQuery]:
        """Pair the rows that opt out with contacts: by key, by email and by mobile number."""
        tables, pending, unchecked = self.tables, self._pending, self.unchecked
        row = not_(pending.c.departed)
        yield self._link(pending, tables.same_key(pending, tables.contact_map), row)
        rows = pending.join(self.checked, self.checked.c.sequence == pending.c.sequence)
        for identity in identity_columns_in_use(self.state, tables):
            yield self._link(pending, tables.snapshot.c[identity] == self.checked.c[identity], row, rows=rows)
        if unchecked is not None:
            yield self._link(unchecked, tables.same_key(unchecked, tables.contact_map), unchecked.c[IN_SCOPE] == 1)
            for identity in ("identity_email", "identity_mobile"):
                yield self._link(unchecked, tables.snapshot.c[identity] == unchecked.c[identity], true())

    def _link(
        self,
        values: FromClause,
        contact: ColumnElement[bool],
        condition: ColumnElement[bool],
        rows: FromClause | None = None,
    ) -> Select[tuple[object, ...]]:
        """Select the contacts with 1 for each flag that a row sets, and for each of them that the contact lacks."""
        snapshot, contact_map = self.tables.snapshot, self.tables.contact_map
        flags = {m: opts_out(values.c[m.state_column]) for m in self._fields}
        counts = values.c[IN_SCOPE] == 1 if IN_SCOPE in values.c else true()
        new = {m: and_(flags[m], counts, not_(opts_out(snapshot.c[m.state_column]))) for m in self._fields}
        contacts = snapshot.join(contact_map, self.tables.same_key(snapshot, contact_map))
        return (
            select(
                *(contact_map.c[key] for key in self.tables.key_names),
                contact_map.c.dsid,
                *(case((flags[m], 1), else_=0).label(m.state_column) for m in self._fields),
                *(case((new[m], 1), else_=0).label(differs_column(m.state_column)) for m in self._fields),
            )
            .select_from((values if rows is None else rows).join(contacts, contact))
            .where(condition, or_(*flags.values()), *self._is_ours(contact_map, snapshot))
        )

    def _is_ours(self, contact_map: FromClause, snapshot: FromClause) -> list[ColumnElement[bool]]:
        """Whether this sync may write to the contact: it exists and, in mode `create`, this sync made it."""
        gone = or_(contact_map.c.deleted_at.is_not(None), contact_map.c.deleted_in_dailystory_at.is_not(None))
        conditions = [not_(gone)]
        if self.tables.sync.mode is Mode.CREATE:
            conditions.append(self.found.diff.was_made_by_this_sync(snapshot))
        return conditions

    def _changes(self, found: FromClause, last: int) -> SqlQuery:
        changes, keys = self.tables.changes, [found.c[key] for key in self.tables.key_names]
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
        changes = self.tables.changes
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


def _true(kind: SqlType) -> SqlValue:
    """A yes, as a column of this type holds it."""
    if isinstance(kind, Boolean):
        return true()
    return literal(1, BIG_INTEGER) if isinstance(kind, (Integer, Numeric)) else literal("true", TEXT)
