"""What the state keeps, and how long: the changes of the newest plans, the history, the values of missing keys."""

from __future__ import annotations

from datetime import datetime, timedelta

from dagster_dailystory.engine.state.plans.canary import open_canary
from dagster_dailystory.engine.state.plans.dropped_values import drop_absent_values, drop_unmapped_values
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State

KEPT_PLANS = 5
"""How many of a sync's newest plans keep their changes (personal data), besides those that may still be sent.

The plan whose canary has not passed keeps them too: later plans read its contacts back.
"""


_BETWEEN_REMOVALS = timedelta(days=1)
"""The tables have no index of the times, so that old rows are found by reading all."""


def remove_old_records(state: State, tables: SyncTables, *, is_dry: bool) -> None:
    """Remove what is older than it may be, within the caller's transaction.

    Args:
        state: The sync's state.
        tables: The sync's tables.
        is_dry: The run only shows a plan, perhaps for another mapping: values of the snapshot stay.
    """
    kept = [*Plans(state).in_use(KEPT_PLANS), open_canary(state) or ""]
    state.connection.execute(tables.changes.delete().where(tables.changes.c.plan_id.not_in(kept)))
    _remove_old_history(state, tables)
    if not is_dry:
        _drop_old_values(state, tables)


def _remove_old_history(state: State, tables: SyncTables) -> None:
    name, days = f"history_removed:{state.sync.name}", state.sync.history_days
    if days and not _is_due(state, name):
        return
    oldest = state.now() - timedelta(days=days)
    state.connection.execute(tables.history.delete().where(tables.history.c.acknowledged_at < oldest))
    state.set_meta(name, state.now().isoformat())


def _drop_old_values(state: State, tables: SyncTables) -> None:
    name, days = f"values_dropped:{state.sync.name}", state.sync.retain_absent_days
    if not _is_due(state, name):
        return
    tables = state.load_tables() or tables  # with the fields that are no longer mapped
    if days is not None:
        drop_absent_values(state, tables, state.now() - timedelta(days=days))
    drop_unmapped_values(state, tables)
    state.set_meta(name, state.now().isoformat())


def _is_due(state: State, name: str) -> bool:
    last = state.meta(name)
    return not last or state.now() - datetime.fromisoformat(last) >= _BETWEEN_REMOVALS
