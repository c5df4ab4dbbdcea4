"""The changes of a plan as they are stored: the rows that may be sent, and what happens to the keys that left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    FromClause,
    MetaData,
    Table,
    and_,
    case,
    func,
    literal,
    not_,
    null,
    or_,
    select,
)

from dagster_dailystory.databases.bulk import json_rows, rows_parameter
from dagster_dailystory.databases.sql_types import BIG_INTEGER, BOOLEAN, TEXT, SqlQuery, SqlType
from dagster_dailystory.engine.planning.key_ranges import KeyRange, each_range
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Operation, Reason
from dagster_dailystory.model.partitions import PARTITION_VALUE
from dagster_dailystory.model.plan import PlanOptions
from dagster_dailystory.model.sync import Deletes, Mode

_COLUMNS: Mapping[str, SqlType] = {
    "sequence": BIG_INTEGER, "operation": TEXT, "identity_email": TEXT, "identity_mobile": TEXT,
    "identity_changed": BOOLEAN, "reason": TEXT, "message": TEXT, "held": BOOLEAN, "rekeyed": BOOLEAN,
    "reactivates": BOOLEAN, "dsid": TEXT, "waits_for": BIG_INTEGER, "priority": BIG_INTEGER,
}  # fmt: skip


@dataclass(frozen=True)
class CheckedTable:
    """The temporary table with one verdict for each pending row."""

    table: Table

    @classmethod
    def create(cls, state: State) -> CheckedTable:
        """Make it in the connection's temporary space."""
        name = state.location.table_name(state.sync.name, "judged")
        columns = [Column(column, kind) for column, kind in _COLUMNS.items()]
        table = Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])
        table.create(state.connection)
        return cls(table)

    def add(self, state: State, rows: list[dict[str, object]]) -> None:
        """Append verdicts."""
        if not rows:
            return
        given = json_rows(state.dialect, _COLUMNS)
        state.connection.execute(
            self.table.insert().from_select(list(_COLUMNS), select(*given.c)), rows_parameter(rows)
        )

    def amend(self, state: State, rows: list[dict[str, object]], columns: tuple[str, ...]) -> None:
        """Change some columns of verdicts, found by their sequence."""
        if not rows:
            return
        given = json_rows(state.dialect, {name: _COLUMNS[name] for name in ("sequence", *columns)})
        amended = self.table.update().where(self.table.c.sequence == given.c.sequence)
        state.connection.execute(amended.values({name: given.c[name] for name in columns}), rows_parameter(rows))


def rejected_row(sequence: int, reason: Reason, message: str) -> dict[str, object]:
    """A verdict's amendment that rejects a row."""
    return {"sequence": sequence, "reason": reason.value, "message": message}


DELETION_PRIORITY = 1_000_000
"""Deletions are sent when everything else has been."""


_JUDGED = (
    "operation", "identity_email", "identity_mobile", "identity_changed", "dsid", "rekeyed", "reactivates",
    "priority", "waits_for",
)  # fmt: skip


@dataclass(frozen=True)
class PlannedChanges:
    """The rows of one plan.

    Attributes:
        plan_id: The plan.
        tables: The sync's state tables.
        options: What the run asks for.
        pending: The rows that differ and the keys that left.
        judged: The verdicts on the rows, by sequence.
    """

    plan_id: str
    tables: SyncTables
    options: PlanOptions
    pending: FromClause
    judged: FromClause

    def parts(self, sequences: Sequence[KeyRange]) -> Iterator[tuple[SqlQuery, Mapping[str, object]]]:
        """What goes into `changes`, under the names of its columns: statements and their parameters.

        Args:
            sequences: Spans of the rows' numbers, which together are all of them.
        """
        yield from each_range(sequences, self._sendable)
        if self.options.plans_deletions:
            yield self._missing_keys(), {}

    def _sendable(self, span: KeyRange) -> SqlQuery:
        tables, judged = self.tables, self.judged
        pending = span.of(self.pending, "sequence", "pending")
        values = [m.state_column for m in tables.sync.mapped_fields]
        query = (
            select(
                literal(self.plan_id, TEXT).label("plan_id"),
                *(pending.c[name] for name in ("sequence", *tables.key_names, *values, *map(differs_column, values))),
                *([pending.c[PARTITION_VALUE]] if tables.sync.partition_column else []),
                pending.c.is_new,
                or_(pending.c.replaces, func.coalesce(judged.c.rekeyed, False)).label("replaces"),
                *(judged.c[name] for name in _JUDGED),
            )
            .join(judged, judged.c.sequence == pending.c.sequence)
            .where(judged.c.reason.is_(None), not_(judged.c.held))
        )
        if self.options.limit is None:
            return query
        order = func.row_number().over(order_by=[judged.c.priority, judged.c.sequence])
        sent = and_(judged.c.reason.is_(None), not_(judged.c.held), judged.c.operation != Operation.RECORD.value)
        ranked = select(judged.c.sequence, order.label("place")).where(sent, judged.c.waits_for.is_(None)).subquery()
        first = select(ranked.c.sequence).where(ranked.c.place <= self.options.limit)
        return query.where(or_(judged.c.operation == Operation.RECORD.value, judged.c.sequence.in_(first)))

    def _missing_keys(self) -> SqlQuery:
        """What happens to keys that left. A person who is in the source under a new key is not deleted."""
        tables, pending, judged = self.tables, self.pending, self.judged
        contact_map, sync = tables.contact_map, tables.sync
        departed = select(pending).where(pending.c.departed).subquery("departed")
        operation = Operation.DEPART if sync.deletes is Deletes.KEEP else Operation.DELETE
        same = tables.same_key(departed, contact_map)
        person = or_(
            judged.c.identity_email == departed.c.old_email,
            judged.c.identity_mobile == departed.c.old_mobile,
        )
        new_row = select(judged.c.sequence).join(pending, pending.c.sequence == judged.c.sequence)
        is_claimed = new_row.where(pending.c.is_new, person).exists()
        # The mode `create` takes the contact over by a look-up, which needs the old key to be out of the way.
        claimed = literal(Operation.DEPART.value, TEXT) if sync.mode is Mode.CREATE else null()
        told = case((is_claimed, claimed), else_=literal(operation.value, TEXT)).label("operation")
        departures = (
            select(
                departed.c.sequence,
                *(departed.c[key] for key in tables.key_names),
                told,
                contact_map.c.dsid,
            )
            .join(contact_map, same)
            .subquery("departures")
        )
        return select(
            literal(self.plan_id, TEXT).label("plan_id"),
            *departures.c,
            literal(DELETION_PRIORITY, BIG_INTEGER).label("priority"),
        ).where(departures.c.operation.is_not(None))
