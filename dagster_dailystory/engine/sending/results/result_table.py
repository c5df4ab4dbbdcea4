"""The results of one batch as a temporary table, to be joined with their changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from sqlalchemy import Column, PrimaryKeyConstraint, Update, and_, func, select

from dagster_dailystory.databases.sql_types import BIG_INTEGER, BOOLEAN, MOMENT, TEXT, SqlQuery, SqlType, SqlValue
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Outcome, Result

_COLUMNS: Mapping[str, SqlType] = {
    "sequence": BIG_INTEGER, "outcome": TEXT, "dsid": TEXT, "reason": TEXT, "message": TEXT, "attempts": BIG_INTEGER,
    "answered_at": MOMENT, "replaced": BOOLEAN, "is_other_contact": BOOLEAN,
}  # fmt: skip


class ResultTable:
    """A temporary table, created once for a send and refilled for each batch.

    Attributes:
        table: One row a result: `sequence`, `outcome`, `dsid`, `answered_at`, `replaced` and more.
    """

    def __init__(self, state: State, tables: SyncTables, plan_id: str) -> None:
        self._state = state
        self._tables = tables
        self._plan_id = plan_id
        self.table = state.database.refilled_table(
            state.location.table_name(tables.sync.name, "answers"),
            *(Column(name, kind) for name, kind in _COLUMNS.items()),
            *([PrimaryKeyConstraint("sequence")] if state.database.uses_indexes else []),
        )

    def create(self) -> None:
        """Create the table on the state's connection."""
        self.table.create(self._state.connection, checkfirst=False)

    def fill(self, results: Sequence[Result]) -> None:
        """Replace the table's rows, and write the results to the changes."""
        execute = self._state.connection.execute
        execute(self.table.delete())
        self._state.database.insert_rows(self._state.connection, self.table, [_row(result) for result in results])
        execute(self._result_update)

    @cached_property
    def _result_update(self) -> Update:
        changes = self._tables.changes
        mine = and_(changes.c.plan_id == self._plan_id, changes.c.sequence == self.table.c.sequence)
        copied = ("outcome", "reason", "message", "attempts", "answered_at")
        values: dict[str, SqlValue] = {name: self.table.c[name] for name in copied}
        values["dsid"] = func.coalesce(self.table.c.dsid, changes.c.dsid)
        return changes.update().where(mine).values(**values)

    def changes_with(self, outcomes: Iterable[Outcome], *extra: SqlValue) -> SqlQuery:
        """Select this batch's changes with these outcomes: their keys, and `extra` columns of both tables."""
        changes, results = self._tables.changes, self.table
        return (
            select(*(changes.c[key] for key in self._tables.key_names), *extra)
            .join(results, results.c.sequence == changes.c.sequence)
            .where(
                changes.c.plan_id == self._plan_id,
                changes.c.sequence.in_(select(results.c.sequence)),
                results.c.outcome.in_([outcome.value for outcome in outcomes]),
            )
        )


def _row(result: Result) -> tuple[int | str | None, ...]:
    """A result's values in the order of the columns."""
    return (
        result.sequence,
        result.outcome.value,
        result.dsid,
        result.reason.value if result.reason else None,
        result.message or None,
        result.attempts,
        _moment(result.answered_at),
        result.replaced,
        result.is_other_contact,
    )


def _moment(moment: datetime) -> str:
    """Format a UTC time as every state database reads it from JSON."""
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
