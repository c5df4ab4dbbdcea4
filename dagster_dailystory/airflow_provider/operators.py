"""The three tasks of a sync: make a plan, check it, send it. Each calls the engine and reports what it did."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from dagster_dailystory.airflow_provider.failures import airflow_failures
from dagster_dailystory.airflow_provider.hook import DailyStoryHook
from dagster_dailystory.airflow_provider.progress import ProgressLines
from dagster_dailystory.airflow_provider.warehouse import warehouse_of
from dagster_dailystory.api.settings import POOL
from dagster_dailystory.engine.run import Run, open_run
from dagster_dailystory.engine.state.lease import WAIT_SECONDS, Waiting
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import ConfigurationError, SafetyError
from dagster_dailystory.model.runs.approval import Approval
from dagster_dailystory.model.runs.options import PlanOptions, checked_options
from dagster_dailystory.model.runs.plan import PlanSummary, planned_counts, why_blocked
from dagster_dailystory.model.sync import ContactSync, FrameSource, Scope
from dagster_dailystory.records import SyncRecords

if TYPE_CHECKING:
    from airflow.sdk import Context

DEFAULTS: Mapping[str, object] = {
    "pool": POOL,
    "retries": 2,
    "retry_delay": timedelta(seconds=60),
    "retry_exponential_backoff": 2.0,
    "max_active_tis_per_dag": 1,
}
"""Settings of each task, unless the DAG has others. One run at a time plans or sends a sync: others would only wait."""

_TERMINATED = 143
"""The exit code of a process that SIGTERM ended; Airflow tries such a task again."""

_UNSENT = ("empty", "dry", "waiting")
"""Outcomes of a run that wrote nothing."""


class SyncOperator(BaseOperator):  # type: ignore[misc]  # Airflow is not installed where types are checked
    """What the three tasks of a sync have in common.

    The tasks of a sync in one task group share a plan. `scope`, `dry_run`, `limit`, `keys`, `plan_id` and
    `accept_canary` are read from the parameters of the DAG run, as far as the DAG has them; see `sync_params`.

    Args:
        sync: The sync; it reads a warehouse, not a frame.
        warehouse_conn_id: The connection of the warehouse.
        dailystory_conn_id: The connection of the DailyStory account.
        state_conn_id: The connection of the state database; None keeps the state in the warehouse.
        state_schema: Schema of the state tables.
        partition: Only this slice of a sync with `partitions`; may be a template, such as `{{ ds }}`.
        scope: The rows to look at, if the DAG has no parameter `scope`.
        wait_seconds: How long the task waits for other runs of the sync, in the order in which they came.
        **settings: The settings of any operator.

    Raises:
        ConfigurationError: The sync reads a frame.
    """

    template_fields: Sequence[str] = ("partition",)

    def __init__(
        self,
        *,
        sync: ContactSync,
        warehouse_conn_id: str,
        dailystory_conn_id: str = DailyStoryHook.default_conn_name,
        state_conn_id: str | None = None,
        state_schema: str | None = None,
        partition: str | None = None,
        scope: Scope | str = Scope.CHANGED,
        wait_seconds: float = WAIT_SECONDS,
        **settings: Any,
    ) -> None:
        if isinstance(sync.source, FrameSource):
            raise ConfigurationError(f"sync {sync.name!r} reads a frame; call run_contact_sync(frame=) in a @task")
        given = settings.get("default_args") or {}
        super().__init__(**{**{n: v for n, v in DEFAULTS.items() if n not in given}, **settings})
        self.sync = sync
        self.warehouse_conn_id = warehouse_conn_id
        self.dailystory_conn_id = dailystory_conn_id
        self.state_conn_id = state_conn_id
        self.state_schema = state_schema
        self.partition = partition
        self.scope = scope
        self.wait_seconds = wait_seconds
        self._is_running = False

    def execute(self, context: Context) -> dict[str, object] | None:
        """Do the task; see the operators.

        Raises:
            AirflowException: The error may pass; see `airflow_failures`.
            AirflowSkipException: There was nothing to do.
        """
        self._is_running = True
        try:
            with airflow_failures():
                return self._run(context)
        finally:
            self._is_running = False

    @abstractmethod
    def _run(self, context: Context) -> dict[str, object] | None:
        """Do the task, with the engine's own errors.

        Raises:
            DailyStoryError: See the tree in `errors`.
        """

    def on_kill(self) -> None:
        """End the task: no new request starts, and the answers of those in flight are stored.

        Raises:
            SystemExit: In place of Airflow's signal handler, which would let the task go on.
        """
        if self._is_running:
            self.log.warning("the task is ended; the next one sends the rest of its plan")
            raise SystemExit(_TERMINATED)

    def _warehouse(self) -> Warehouse:
        """Source and state.

        Raises:
            ConfigurationError: A connection cannot be used.
        """
        return warehouse_of(self.sync, self.warehouse_conn_id, self.state_conn_id, self.state_schema)

    def _options(self, context: Context) -> PlanOptions:
        """What the run plans, from the parameters of the DAG run.

        Raises:
            ConfigurationError: A value is of another type, or the template of the partition gives an empty text.
        """
        if self.partition is not None and not self.partition.strip():
            raise ConfigurationError(f"the partition of task {self.task_id!r} is empty; None is the whole source")
        found = context["params"]
        return checked_options(
            found.get("scope") or self.scope,
            dry_run=found.get("dry_run", False),
            limit=found.get("limit"),
            keys=found.get("keys"),
            partition=self.partition,
        )

    def _opened(self, context: Context, accepts_canary: str | None = None) -> AbstractContextManager[Run]:
        """Open the sync for one run, which finds the plan of its task group."""
        task, parent = context["ti"], os.getppid()
        run_id = ":".join(("airflow", task.dag_id, task.run_id, task.task_id.rpartition(".")[0]))  # of all tries
        waiting = Waiting(self.wait_seconds, self.log.info, lambda: os.getppid() != parent)
        account = DailyStoryHook(self.dailystory_conn_id).account_settings()
        return open_run(self.sync, self._warehouse(), account, (run_id,), waiting, accepts_canary)


class MakePlan(SyncOperator):
    """Compare source and snapshot, and store the changes as a plan. Nothing is sent.

    With the parameter `plan_id` no plan is made: the DAG run sends that plan. Its XCom has the counts of the plan.
    """

    def _run(self, context: Context) -> dict[str, object]:
        """Make the plan.

        Raises:
            DailyStoryError: See the tree in `errors`; the state is as it was.
        """
        named = context["params"].get("plan_id")
        if named:
            return _described(self.sync, SyncRecords(self.sync, self._warehouse()).plan_summary(named))
        options = self._options(context)
        with self._opened(context) as run:
            return _described(self.sync, run.plan(options))


class CheckPlan(SyncOperator):
    """Fail if a guard blocks the plan. It reads no database, which another run may have locked.

    Args:
        plan: The output of `MakePlan`.
        **settings: See `SyncOperator`.
    """

    template_fields: Sequence[str] = (*SyncOperator.template_fields, "plan")

    def __init__(self, *, plan: Mapping[str, object], **settings: Any) -> None:
        super().__init__(**settings)
        self.plan = plan

    def _run(self, context: Context) -> None:
        """Check the plan.

        Raises:
            SafetyError: A guard blocks it; the message has the figures, and what to do.
        """
        if self.plan["blocked"]:
            raise SafetyError(str(self.plan["blocked"]))


class SendPlan(SyncOperator):
    """Send the plan of the task group, or the rest of it. The task is skipped if nothing had to be sent.

    If another run got ahead of the plan, or it was sent already, this plans again under the same guards. Its XCom and
    the events of its assets have the counts of the run; if an earlier try sent everything, they have its counts.
    """

    def _run(self, context: Context) -> dict[str, object]:
        """Send the plan.

        Raises:
            AirflowSkipException: Nothing had to be sent, or the plan is a dry run, or it waits for approval.
            SafetyError: The plan is blocked, or must not be sent; nothing was sent.
            DailyStoryError: See the tree in `errors`; a retry goes on where this stopped.
        """
        found, person = context["params"], context["dag_run"].triggering_user_name or ""
        approval = Approval(found["plan_id"], person) if found.get("plan_id") else None
        options, progress = self._options(context), ProgressLines(self.log.info)
        with self._opened(context, person if found.get("accept_canary") else None) as run:
            is_retry = context["ti"].try_number > 1
            result = run.resume_or_run(options, progress, approval, is_retry=is_retry)
        if result.error is not None:
            raise result.error
        if result.report.outcome in _UNSENT:
            raise AirflowSkipException(result.note or str(result.report))
        report = result.report
        described: dict[str, object] = {"plan_id": report.plan_id, "outcome": report.outcome, **report.numbers()}
        for asset in self.outlets:
            context["outlet_events"][asset].extra.update(described)
        return described


def _described(sync: ContactSync, plan: PlanSummary) -> dict[str, object]:
    """A plan without personal data, for XCom."""
    texts = {"summary": planned_counts(sync, plan), "blocked": why_blocked(plan)}
    return {"plan_id": plan.plan_id, "status": plan.status.value, **texts, **plan.counts}
