"""Finds the rows from elsewhere in a plan that are tried before refusals or failures are taken for an outage."""

from __future__ import annotations

import math
import random
from collections.abc import Collection

from sqlalchemy import ColumnElement, RowMapping, and_, exists, func, not_, or_, select, true

from dagster_dailystory.engine.sending.breaker.circuit_breaker import PROBES
from dagster_dailystory.engine.state.plans.row_reader import RowReader
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import USUAL_PRIORITY, Operation


class OutOfTurn:
    """The rows of one plan that are sent out of turn.

    Attributes:
        taken: Their sequences.
    """

    def __init__(self, state: State, tables: SyncTables, plan_id: str) -> None:
        self._state = state
        self._tables = tables
        self._plan_id = plan_id
        self._reader = RowReader(state, tables)
        self.taken: set[int] = set()

    def find(
        self,
        is_open: ColumnElement[bool],
        operations: Collection[Operation],
        position: tuple[int, int],
        unstarted: int,
    ) -> list[RowMapping]:
        """At most `PROBES` rows at random, each from another part of what was not submitted yet.

        Args:
            is_open: Condition on the changes: they are open.
            operations: The operations that count.
            position: Priority and sequence of the last submitted change.
            unstarted: How many changes the sender has. If these are most of the rest, fewer rows are returned, because
                the sender adds some of its own.
        """
        changes, (priority, sequence) = self._tables.changes, position
        wanted = and_(
            is_open,
            changes.c.operation.in_([operation.value for operation in operations]),
            changes.c.priority.between(priority, max(priority, USUAL_PRIORITY)),
            or_(changes.c.priority > priority, changes.c.sequence > sequence),
            self._has_no_opt_out() if priority < USUAL_PRIORITY else true(),
        )
        found = sorted(self._spread(wanted, unstarted))
        rows = [row for each in found for row in next(self._reader.chunks(changes, wanted, each, each))]
        return [row for row in rows if row["intent_at"] is None]

    def _has_no_opt_out(self) -> ColumnElement[bool]:
        """Whether no opt-out of the same contact is sent alone, which another change of the contact must not meet."""
        changes, alone = self._tables.changes, self._tables.changes.alias("alone")
        same = or_(self._tables.same_key(alone, changes), alone.c.dsid == changes.c.dsid)
        is_opt_out = and_(alone.c.plan_id == self._plan_id, alone.c.operation == Operation.OPT_OUT.value)
        return or_(changes.c.operation == Operation.OPT_OUT.value, not_(exists().where(is_opt_out, same)))

    def _spread(self, wanted: ColumnElement[bool], unstarted: int) -> set[int]:
        changes, execute = self._tables.changes, self._state.connection.execute
        bounds = select(func.min(changes.c.sequence), func.max(changes.c.sequence)).where(wanted)
        first, last = execute(bounds).one()
        if first is None:
            return set()
        rows = last + 1 - first
        parts = math.ceil(PROBES * rows / (rows + unstarted))
        starts = [first + int(rows * (part + random.random()) / parts) for part in range(parts)]
        near = [select(func.min(changes.c.sequence)).where(wanted, changes.c.sequence >= start) for start in starts]
        return {found for query in near if (found := execute(query).scalar()) is not None}
