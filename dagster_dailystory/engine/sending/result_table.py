"""The answers of one batch as a temporary table, next to the changes that they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Table, Update, and_, func, select

from dagster_dailystory.databases.bulk import insert_rows
from dagster_dailystory.databases.dialect import uses_indexes
from dagster_dailystory.databases.sql_types import BIG_INTEGER, BOOLEAN, MOMENT, TEXT, SqlQuery, SqlType, SqlValue
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Outcome, Result

_ANSWER_COLUMNS: Mapping[str, SqlType] = {
    "sequence": BIG_INTEGER, "outcome": TEXT, "dsid": TEXT, "reason": TEXT, "message": TEXT, "attempts": BIG_INTEGER,
    "answered_at": MOMENT, "replaced": BOOLEAN,
}  # fmt: skip


class ResultTable:
    """Made once for a send, and filled again for each batch.

    Attributes:
        table: `sequence`, `outcome`, `dsid`, `answered_at`, `replaced` and more of each answer.
    """

    def __init__(self, state: State, tables: SyncTables, plan_id: str) -> None:
        self._state = state
        self._tables = tables
        self._plan_id = plan_id
        # PostgreSQL keeps the rows that a DELETE leaves behind, which would slow each batch down.
        self.table = Table(
            state.location.table_name(tables.sync.name, "answers"),
            MetaData(),
            *(Column(name, kind) for name, kind in _ANSWER_COLUMNS.items()),
            *([PrimaryKeyConstraint("sequence")] if uses_indexes(state.dialect) else []),
            prefixes=["TEMPORARY"],
            postgresql_on_commit="DELETE ROWS" if state.dialect.name == "postgresql" else None,
        )

    def create(self) -> None:
        """Make it in the connection's temporary space."""
        self.table.create(self._state.connection, checkfirst=False)

    def fill(self, answers: Sequence[Result]) -> None:
        """Replace its rows, and write the verdicts to the changes."""
        execute = self._state.connection.execute
        execute(self.table.delete())
        insert_rows(self._state.connection, self.table, [_row(answer) for answer in answers])
        execute(self._verdicts)

    @cached_property
    def _verdicts(self) -> Update:
        changes = self._tables.changes
        mine = and_(changes.c.plan_id == self._plan_id, changes.c.sequence == self.table.c.sequence)
        told = ("outcome", "reason", "message", "attempts", "answered_at")
        values: dict[str, SqlValue] = {name: self.table.c[name] for name in told}
        values["dsid"] = func.coalesce(self.table.c.dsid, changes.c.dsid)
        return changes.update().where(mine).values(**values)

    def answered(self, outcomes: Iterable[Outcome], *extra: SqlValue) -> SqlQuery:
        """Select the keys, and `extra` columns of both tables, of this batch's changes with certain outcomes."""
        changes, answers = self._tables.changes, self.table
        return (
            select(*(changes.c[key] for key in self._tables.key_names), *extra)
            .join(answers, answers.c.sequence == changes.c.sequence)
            .where(
                changes.c.plan_id == self._plan_id,
                changes.c.sequence.in_(select(answers.c.sequence)),
                answers.c.outcome.in_([outcome.value for outcome in outcomes]),
            )
        )


def _row(answer: Result) -> tuple[int | str | None, ...]:
    """An answer's values in the order of the columns."""
    return (
        answer.sequence,
        answer.outcome.value,
        answer.dsid,
        answer.reason.value if answer.reason else None,
        answer.message or None,
        answer.attempts,
        _moment(answer.answered_at),
        answer.replaced,
    )


def _moment(moment: datetime) -> str:
    """A UTC time as every state database reads it from JSON."""
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
