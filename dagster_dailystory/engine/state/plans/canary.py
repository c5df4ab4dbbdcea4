"""The stored part of a canary: whether one is due, what it found, and which changes belong to it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, and_, func, not_, or_, select

from dagster_dailystory.engine.state.plans.stored import Plan, Plans
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import SafetyError
from dagster_dailystory.model.change import SENT_OPERATIONS, USUAL_PRIORITY, Operation, Outcome
from dagster_dailystory.model.runs.canary import FIRST_SEND_ROWS, CanaryReport

_log = logging.getLogger("dagster_dailystory")

_SENT = sorted(operation.value for operation in SENT_OPERATIONS)
_WRITES = (Operation.CREATE.value, Operation.UPDATE.value)
_WRITTEN = (Outcome.CREATED.value, Outcome.UPDATED.value)
_PASSED = "passed"


def open_canary(state: State) -> str | None:
    """The id of the plan whose canary has begun and has not passed, within the caller's transaction."""
    marker = state.meta(_name(state))
    return None if marker == _PASSED else marker


def accept_canary(state: State, plan: Plan, accepted_by: str) -> Plan:
    """End the canary that has not passed, because a person accepts what it found, within the caller's transaction."""
    plans, plan_id, name = state.shared.plans, plan.summary.plan_id, state.sync.name
    state.connection.execute(plans.update().where(plans.c.plan_id == plan_id).values(canary_accepted_by=accepted_by))
    state.set_meta(_name(state), _PASSED)
    _log.warning("sync %s: plan %s is sent without a canary, as accepted by %s", name, plan_id, accepted_by)
    return replace(plan, summary=replace(plan.summary, canary_accepted_by=accepted_by))


def _name(state: State) -> str:
    return f"canary:{state.sync.name}"


class StoredCanary:
    """Reads and writes the canary of one plan, within the caller's transaction.

    The meta value `canary:NAME` is the id of the plan whose canary has begun and has not passed, or `passed`.

    Args:
        state: The open state.
        tables: The sync's tables.
        plan: The plan.
    """

    def __init__(self, state: State, tables: SyncTables, plan: Plan) -> None:
        self._state = state
        self._tables = tables
        self._plan = plan
        self._plan_id = plan.summary.plan_id
        self._name = _name(state)

    def rows_due(self) -> int:
        """How many changes of this plan have to be sent and read back before the others; 0 without a canary."""
        rows, summary, marker = self._state.sync.canary_rows, self._plan.summary, self._state.meta(self._name)
        is_over = summary.canary is not None and summary.canary.passed
        if rows == 0 or summary.canary_accepted_by or is_over or not summary.rows_to_send:
            return 0
        if rows is not None:
            return rows
        return 0 if marker == _PASSED or (marker is None and self._has_written()) else FIRST_SEND_ROWS

    def _has_written(self) -> bool:
        """Whether a run of the sync wrote a contact."""
        runs = self._state.shared.runs
        wrote = or_(runs.c.rows_created > 0, runs.c.rows_updated > 0)
        mine = select(runs.c.run_id).where(runs.c.sync_name == self._state.sync.name, wrote).limit(1)
        return self._state.connection.execute(mine).first() is not None

    def begin(self) -> None:
        """Note that the canary of this plan begins: until one has passed, each plan has one."""
        self._state.set_meta(self._name, self._plan_id)

    def record(self, found: CanaryReport, *, passes: bool) -> None:
        """Store what was found with the plan.

        Args:
            found: What was found.
            passes: The canary of this plan is over.
        """
        plans = self._state.shared.plans
        mine = plans.update().where(plans.c.plan_id == self._plan_id)
        self._state.connection.execute(mine.values(canary_found=found.to_json()))
        if passes:
            self._state.set_meta(self._name, _PASSED)

    def earlier(self) -> str | None:
        """The id of an earlier plan whose canary has not passed; None if it was made with other settings."""
        marker = open_canary(self._state)
        if marker in (None, self._plan_id):
            return None
        plans = Plans(self._state)
        try:
            return None if plans.changed_settings(plans.named(marker)) else marker
        except SafetyError:  # its header is gone
            return None

    def next_last(self, rows: int) -> int | None:
        """The sequence of the last of the next changes that can be sent; None if there are none."""
        changes = self._tables.changes
        open_changes = select(changes.c.sequence).where(self._usual(self._plan_id), changes.c.outcome.is_(None))
        few = open_changes.order_by(changes.c.sequence).limit(rows).subquery("few")
        last: int | None = self._state.connection.execute(select(func.max(few.c.sequence))).scalar()
        return last

    def written(self, plan_id: str, rows: int) -> Sequence[int]:
        """The sequences of the first changes of a plan that were written.

        Of an earlier plan without those whose row this plan sends again.
        """
        changes = self._tables.changes
        is_known = changes.c[self._tables.key_names[0]].is_not(None)  # a forgotten change has no key
        wanted = [self._usual(plan_id), changes.c.outcome.in_(_WRITTEN), is_known]
        if plan_id != self._plan_id:
            again = changes.alias("again")
            mine = and_(again.c.plan_id == self._plan_id, again.c.operation.in_(_SENT))
            wanted.append(not_(select(again.c.sequence).where(mine, self._tables.same_key(again, changes)).exists()))
        query = select(changes.c.sequence).where(*wanted).order_by(changes.c.sequence).limit(rows)
        return self._state.connection.execute(query).scalars().all()

    def _usual(self, plan_id: str) -> ColumnElement[bool]:
        """The creates and updates of a plan that neither go before others nor wait for them."""
        changes = self._tables.changes
        is_write = changes.c.operation.in_(_WRITES)
        return and_(changes.c.plan_id == plan_id, changes.c.priority == USUAL_PRIORITY, is_write)
