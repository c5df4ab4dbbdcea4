"""What the state keeps of earlier plans: the changes of the newest ones, and the history of some days."""

from __future__ import annotations

from datetime import datetime, timedelta

from dagster_dailystory.engine.state.plans.canary import open_canary
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State

KEPT_PLANS = 5
"""How many of a sync's newest plans keep their changes (personal data), besides those that may still be sent.

The plan whose canary has not passed keeps them too: later plans read its contacts back.
"""


_BETWEEN_REMOVALS = timedelta(days=1)
"""The history has no index of its times, so that old rows are found by reading all."""


def remove_old_records(state: State, tables: SyncTables) -> None:
    """Remove the changes of old plans and the old history of a sync, within the caller's transaction."""
    kept = [*Plans(state).in_use(KEPT_PLANS), open_canary(state) or ""]
    state.connection.execute(tables.changes.delete().where(tables.changes.c.plan_id.not_in(kept)))
    _remove_old_history(state, tables)


def _remove_old_history(state: State, tables: SyncTables) -> None:
    name, now, days = f"history_removed:{state.sync.name}", state.now(), state.sync.history_days
    last = state.meta(name)
    if days and last and now - datetime.fromisoformat(last) < _BETWEEN_REMOVALS:
        return
    oldest = now - timedelta(days=days)
    state.connection.execute(tables.history.delete().where(tables.history.c.acknowledged_at < oldest))
    state.set_meta(name, now.isoformat())
