"""The table of row check results, and the changes that a plan stores: rows that passed, and missing keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    MetaData,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
)

from dagster_dailystory.databases.expressions import rows_parameter
from dagster_dailystory.databases.sql_types import BIG_INTEGER, BOOLEAN, TEXT, SqlQuery, SqlType, SqlValue
from dagster_dailystory.engine.presence.departures import Departures
from dagster_dailystory.engine.state.schema import DROPPED, SyncTables, differs_column, is_dropped
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Operation, Reason
from dagster_dailystory.model.mapping import MappedField, Nulls
from dagster_dailystory.model.partitions import PARTITION_VALUE
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import Mode, Scope

_COLUMNS: Mapping[str, SqlType] = {
    "sequence": BIG_INTEGER, "operation": TEXT, "identity_email": TEXT, "identity_mobile": TEXT,
    "identity_changed": BOOLEAN, "reason": TEXT, "message": TEXT, "held": BOOLEAN, "rekeyed": BOOLEAN,
    "reactivates": BOOLEAN, "absent_action": TEXT, "deleted_in_dailystory": BOOLEAN, "dsid": TEXT,
    "waits_for": BIG_INTEGER, "priority": BIG_INTEGER, DROPPED: TEXT,
    "identity_email_hash": TEXT, "identity_mobile_hash": TEXT,
}  # fmt: skip


@dataclass(frozen=True)
class CheckedTable:
    """The temporary table with the results of the row checks: one row for each row that differs.

    Its SQL name is "judged".
    """

    table: Table

    @classmethod
    def create(cls, state: State) -> CheckedTable:
        """Create the table, empty."""
        name = state.location.table_name(state.sync.name, "judged")
        columns = [Column(column, kind) for column, kind in _COLUMNS.items()]
        table = Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])
        table.create(state.connection)
        return cls(table)

    def add(self, state: State, rows: list[dict[str, object]]) -> None:
        """Append results."""
        if not rows:
            return
        given = state.database.json_rows(_COLUMNS)
        state.connection.execute(
            self.table.insert().from_select(list(_COLUMNS), select(*given.c)), rows_parameter(rows)
        )

    def amend(self, state: State, rows: list[dict[str, object]], columns: tuple[str, ...]) -> None:
        """Change some columns of the results, which are found by `sequence`."""
        if not rows:
            return
        given = state.database.json_rows({name: _COLUMNS[name] for name in ("sequence", *columns)})
        amended = self.table.update().where(self.table.c.sequence == given.c.sequence)
        state.connection.execute(amended.values({name: given.c[name] for name in columns}), rows_parameter(rows))


def rejected_row(sequence: int, reason: Reason, message: str) -> dict[str, object]:
    """An amendment that rejects a row."""
    return {"sequence": sequence, "reason": reason.value, "message": message}


_CHECKED_COLUMNS = (
    "operation", "identity_email", "identity_mobile", "identity_changed", "dsid", "rekeyed", "reactivates",
    "absent_action", "deleted_in_dailystory", "priority", "waits_for", DROPPED,
)  # fmt: skip


def fill_rekeyed(state: State, tables: SyncTables, plan_id: str) -> None:
    """Give the re-keyed changes of a plan the acknowledged values of the custom fields that the source does not fill.

    All custom fields are sent together, and the snapshot has these values under the old key until the change is sent.
    """
    changes, snapshot, contact_map = tables.changes, tables.snapshot, tables.contact_map
    mine = and_(changes.c.plan_id == plan_id, changes.c.rekeyed)
    kept = [m for m in tables.sync.mapped_fields if m.is_custom and (m.drops_invalid or m.nulls is Nulls.KEEP)]
    if not kept or state.connection.execute(select(changes.c.sequence).where(mine).limit(1)).first() is None:
        return
    joined = contact_map.join(snapshot, tables.same_key(contact_map, snapshot))
    values: dict[str, SqlValue] = {}
    for mapped in kept:
        value = changes.c[mapped.state_column]
        known = select(snapshot.c[value.name]).select_from(joined).where(contact_map.c.dsid == changes.c.dsid).limit(1)
        stays = true() if mapped.nulls is Nulls.KEEP else is_dropped(changes, value.name)
        values[value.name] = case((and_(value.is_(None), stays), known.scalar_subquery()), else_=value)
    state.connection.execute(changes.update().where(mine).values(**values))


@dataclass(frozen=True)
class PlannedChanges:
    """The statements that select the changes of one plan.

    Attributes:
        plan_id: The plan.
        tables: The sync's state tables.
        options: What the run asks for.
        pending: The rows that differ and the missing keys.
        checked: The results of the row checks, by sequence.
        departures: What becomes of the missing keys.
    """

    plan_id: str
    tables: SyncTables
    options: PlanOptions
    pending: FromClause
    checked: FromClause
    departures: Departures

    def queries(self) -> Iterator[SqlQuery]:
        """Select what goes into `changes`, by its columns."""
        if self.options.scope is Scope.OPT_OUTS:
            return
        yield self._sendable()
        if self.options.plans_deletions:
            yield self.departures.changes(self.plan_id)

    def _sendable(self) -> SqlQuery:
        tables, checked, pending = self.tables, self.checked, self.pending
        query = (
            select(
                literal(self.plan_id, TEXT).label("plan_id"),
                *(pending.c[name] for name in ("sequence", *tables.key_names)),
                *(self._value(m, pending) for m in tables.sync.mapped_fields),
                *(self._differs(m, pending) for m in tables.sync.mapped_fields),
                *([pending.c[PARTITION_VALUE]] if PARTITION_VALUE in pending.c else []),
                pending.c.is_new,
                or_(pending.c.replaces, func.coalesce(checked.c.rekeyed, False)).label("replaces"),
                *(checked.c[name] for name in _CHECKED_COLUMNS),
            )
            .join(checked, checked.c.sequence == pending.c.sequence)
            .where(checked.c.reason.is_(None), not_(checked.c.held), *self._only_new(pending))
        )
        if self.options.limit is None:
            return query
        order = func.row_number().over(order_by=[checked.c.priority, checked.c.sequence])
        is_sent = and_(checked.c.reason.is_(None), not_(checked.c.held), checked.c.operation != Operation.RECORD.value)
        ranked = (
            select(checked.c.sequence, order.label("place")).where(is_sent, checked.c.waits_for.is_(None)).subquery()
        )
        first = select(ranked.c.sequence).where(ranked.c.place <= self.options.limit)
        return query.where(or_(checked.c.operation == Operation.RECORD.value, checked.c.sequence.in_(first)))

    def _value(self, mapped: MappedField, pending: FromClause) -> SqlValue:
        """The value of the source; none, if it is invalid and its field is dropped."""
        value = pending.c[mapped.state_column]
        if not mapped.drops_invalid:
            return value
        dropped = is_dropped(self.checked, mapped.state_column)
        return case((not_(dropped), value), else_=cast(null(), value.type)).label(value.name)

    def _differs(self, mapped: MappedField, pending: FromClause) -> SqlValue:
        flag = pending.c[differs_column(mapped.state_column)]
        if not mapped.drops_invalid:
            return flag
        return and_(flag, not_(is_dropped(self.checked, mapped.state_column))).label(flag.name)

    def _only_new(self, pending: FromClause) -> list[ColumnElement[bool]]:
        """In mode `create`, rows whose contact exists differ by an opt-out only."""
        return [pending.c.is_new] if self.tables.sync.mode is Mode.CREATE else []
