"""The steps of a run, each with a session of its own, as the ops of one run take them in two processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.run import OnProgress, SendResult, open_run
from dagster_dailystory.engine.state.lease import NO_WAIT, Waiting
from dagster_dailystory.engine.state.store import State, open_state
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanSummary
from dagster_dailystory.model.sync import ContactSync

P = ParamSpec("P")
T = TypeVar("T")


def plan_run(
    sync: ContactSync,
    warehouse: Warehouse,
    account: AccountSettings,
    options: PlanOptions = PlanOptions(),  # noqa: B008  # frozen
    run_id: str | None = None,
    *,
    waiting: Waiting = NO_WAIT,
) -> PlanSummary:
    """Plan in a run."""
    with open_run(sync, warehouse, account, [run_id] if run_id else (), waiting) as run:
        return run.plan(options)


def send_run(
    sync: ContactSync,
    warehouse: Warehouse,
    account: AccountSettings,
    run_ids: Sequence[str],
    on_progress: OnProgress | None = None,
    *,
    partition: str | None = None,
    waiting: Waiting = NO_WAIT,
) -> SendResult:
    """Send the newest plan of a run."""
    with open_run(sync, warehouse, account, run_ids, waiting) as run:
        return run.send(PlanOptions(partition=partition), on_progress=on_progress)


def resume_or_run(
    sync: ContactSync,
    warehouse: Warehouse,
    account: AccountSettings,
    options: PlanOptions,
    run_ids: Sequence[str],
    *,
    waiting: Waiting = NO_WAIT,
    is_retry: bool = False,
) -> SendResult:
    """Send the newest plan of a run, or plan first."""
    with open_run(sync, warehouse, account, run_ids, waiting) as run:
        return run.resume_or_run(options, is_retry=is_retry)


def read_state(
    view: Callable[Concatenate[State, P], T],
    sync: ContactSync,
    warehouse: Warehouse,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """What a view shows of the state, opened for it alone."""
    with open_state(warehouse.state, sync) as state:
        return view(state, *args, **kwargs)
