"""The bodies of the two ops of a sync: one plans, the other sends; both describe what they did as events."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import dagster as dg
from dagster._core.definitions.metadata import TableMetadataSet  # not exported; sibling integrations import it so

from dagster_dailystory.definitions.events.failures import dagster_failures, engine_log_shown
from dagster_dailystory.definitions.events.metadata import (
    Metadata,
    ProgressLog,
    check_result,
    plan_metadata,
    sent_metadata,
)
from dagster_dailystory.definitions.events.selection import Events, selected
from dagster_dailystory.definitions.lineage import (
    Upstream,
    contact_lineage,
    contact_map_columns,
    key_lineage,
    source_columns,
    source_lineage,
)
from dagster_dailystory.definitions.partitions import partition_of
from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.definitions.run_config import PlanConfig, SendConfig
from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.state.lease import WAIT_SECONDS, Waiting
from dagster_dailystory.engine.state.lease.holders import parent_has_ended
from dagster_dailystory.engine.upkeep.checks import plan_checks, send_checks
from dagster_dailystory.engine.upkeep.records.inspection import (
    check_shown_fields,
    column_types,
    preview_changes,
    sync_status,
)
from dagster_dailystory.engine.warehouse.frames import Frame, with_frame
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.settings import check_value
from dagster_dailystory.model.sync import ContactSync

PROGRESS_SECONDS = 10.0
"""Shortest time between two progress observations."""


class SyncSteps:
    """The bodies of the two ops of a sync.

    Args:
        sync: The sync.
        upstream: The tables and columns that its source reads.
        preview_fields: Fields whose values the plan preview shows.
        progress_seconds: Shortest time between two progress observations.
        wait_seconds: How long a run waits for other runs of the sync.

    Raises:
        ConfigurationError: `preview_fields` names a field that is not mapped, or `wait_seconds` is not a number.
    """

    def __init__(
        self,
        sync: ContactSync,
        upstream: Upstream,
        preview_fields: Sequence[str] = (),
        progress_seconds: float = PROGRESS_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        check_shown_fields(sync, preview_fields)
        check_value("progress_seconds", progress_seconds, float)
        check_value("wait_seconds", wait_seconds, float)
        self.sync = sync
        self.upstream = upstream
        self._preview_fields = preview_fields
        self._progress_seconds = progress_seconds
        self._wait_seconds = wait_seconds
        self._frame: Frame | None = None
        self._send_config = SendConfig()
        self.changes_key, self.contacts_key, self.contact_map_key = (
            dg.AssetKey(["dailystory", sync.name, noun]) for noun in ("changes", "contacts", "contact_map")
        )

    def for_run(self, frame: Frame | None, config: SendConfig | None = None) -> "SyncSteps":
        """The same steps for one run: with the frame that it reads, and the plan that it is to send, if any."""
        steps = copy(self)
        steps._frame, steps._send_config = frame, config or SendConfig()
        return steps

    def plan(
        self,
        context: dg.AssetExecutionContext,
        config: PlanConfig,
        warehouse: WarehouseResource,
        dailystory: DailyStoryResource,
    ) -> Events:
        """Plan, and describe the plan."""
        sync, ids, waiting = self.sync, [context.run.run_id], self._waiting(context)
        options = config.options(partition_of(context, self.sync))
        if not context.selected_asset_keys:  # a check alone: no plan is stored that could be sent
            options = replace(options, dry_run=True)
        with (
            dagster_failures(),
            engine_log_shown(context.log),
            with_frame(sync, warehouse.warehouse(sync), self._frame) as source,
            open_run(sync, source, dailystory.account(), ids, waiting) as run,
        ):
            plan = run.plan(options)
            changes = preview_changes(run.state, plan.plan_id, self._preview_fields)
            columns = source_columns(sync, column_types(run.state))
        metadata = plan_metadata(sync, plan, changes, dailystory.requests_per_second)
        metadata |= dict(TableMetadataSet(column_schema=columns, column_lineage=source_lineage(self.upstream)))
        for guard in plan.guards:
            if not guard.passed:
                context.log.warning(f"{guard.name}: {guard.message}")
        checks = [
            dg.AssetCheckResult(
                asset_key=self.changes_key, passed=guard.passed, check_name=guard.name, description=guard.message
            )
            for guard in plan.guards
        ]
        checks += [check_result(self.changes_key, check) for check in plan_checks(sync, plan)]
        yield from selected(context, dg.MaterializeResult(asset_key=self.changes_key, metadata=metadata), *checks)

    def send(
        self, context: dg.AssetExecutionContext, warehouse: WarehouseResource, dailystory: DailyStoryResource
    ) -> Events:
        """Send the plan that the config names, or that of this run or the one it re-executes: `Run.resume_or_run`."""
        _refuse_checks_alone(context)
        sync, ids, waiting = self.sync, _run_ids(context), self._waiting(context)
        accepts_canary = self._send_config.accepts_canary(context.run.tags)
        progress = ProgressLog(context.log_event, self.contacts_key, self._progress_seconds)
        with dagster_failures(), engine_log_shown(context.log):
            endpoint = warehouse.warehouse(sync)
            with (
                with_frame(sync, endpoint, self._frame) as source,
                open_run(sync, source, dailystory.account(), ids, waiting, accepts_canary) as run,
            ):
                approval = self._send_config.approval(context.run.tags)
                is_retry = context.retry_number > 0
                result = run.resume_or_run(self._options(context), progress, approval, is_retry=is_retry)
                status, types = sync_status(run.state), column_types(run.state)
            if result.note:
                context.log.info(result.note)
        metadata = sent_metadata(sync, result.report, status, dailystory.base_url, progress.sends)
        metadata |= {"approval": result.approval} if result.approval else {}
        checks = [check_result(self.contacts_key, check) for check in send_checks(result.report, status)]
        yield from selected(context, *checks)
        # A backfill counts a slice without a materialization as failed, and a run skips what is downstream of it.
        is_awaited = partition_of(context, self.sync) is not None or self._has_downstream(context)
        is_done = result.error is None and result.report.outcome not in ("dry", "waiting")
        if (is_awaited and is_done) or result.report.wrote_something:
            lineage = TableMetadataSet(column_lineage=contact_lineage(sync, self.changes_key))
            contacts: dg.MaterializeResult[None] = dg.MaterializeResult(
                asset_key=self.contacts_key, metadata=metadata | dict(lineage)
            )
            table = endpoint.state.full_name(sync.name, "contact_map")
            shown = self._contact_map(result.report.plan_id, table, status.rows_mapped, types)
            yield from selected(context, contacts, dg.MaterializeResult(asset_key=self.contact_map_key, metadata=shown))
        with dagster_failures(metadata):
            if result.error is not None:
                raise result.error

    def _waiting(self, context: dg.AssetExecutionContext) -> Waiting:
        return Waiting(self._wait_seconds, context.log.info, _is_abandoned(context))

    def _has_downstream(self, context: dg.AssetExecutionContext) -> bool:
        """Whether the run has an asset of the user's that depends on `contacts` or `contact_map`."""
        layer = context.job_def.asset_layer
        children = {key for sent in (self.contacts_key, self.contact_map_key) for key in layer.get(sent).child_keys}
        return bool((children - {self.contact_map_key}) & layer.selected_asset_keys)

    def _options(self, context: dg.AssetExecutionContext) -> PlanOptions:
        """The options with which this run was launched, if it was launched with `changes`; else the usual ones."""
        ops: Any = context.run.run_config.get("ops", {})
        config = ops.get("__".join(self.changes_key.path), {}).get("config", {})
        return PlanConfig(**config).options(partition_of(context, self.sync))

    def _contact_map(self, plan_id: str, table: str, rows: int, types: dict[str, str]) -> Metadata:
        described = TableMetadataSet(
            row_count=rows,
            table_name=table,
            column_schema=contact_map_columns(self.sync, types),
            column_lineage=key_lineage(self.sync, self.changes_key),
        )
        history = {"history_table": table.removesuffix("contact_map") + "history"} if self.sync.history_days else {}
        return {"plan_id": plan_id, **history, **dict(described)}


def _refuse_checks_alone(context: dg.AssetExecutionContext) -> None:
    """Send nothing for a check that is executed alone: the checks of `contacts` are results of a run that sends.

    Raises:
        Failure: The run selects no asset.
    """
    if not context.selected_asset_keys:
        message = "the checks of contacts are results of a run that sends; materialize contacts to run them"
        raise dg.Failure(message, allow_retries=False)


def _is_abandoned(context: dg.AssetExecutionContext) -> Callable[[], bool]:
    """In a step process of the multiprocess executor: whether the run worker, which started it, has ended.

    Dagster has then failed the run. A run worker itself outlives the code server that started it.
    """
    execution: Any = context.run.run_config.get("execution") or {}
    executor = context.op_execution_context.job_def.executor_def.name
    in_process = executor == "in_process" or "in_process" in (execution.get("config") or {})
    return (lambda: False) if in_process else parent_has_ended


def _run_ids(context: dg.AssetExecutionContext) -> list[str]:
    """The ids of this run and of the runs that it re-executes."""
    ids = (context.run.run_id, context.run.parent_run_id, context.run.root_run_id)
    return list(dict.fromkeys(run_id for run_id in ids if run_id))
