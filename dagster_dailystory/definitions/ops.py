"""The bodies of the two ops of a sync: one plans, the other sends; both describe what they did as metadata."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import dagster as dg
from dagster._core.definitions.metadata import TableMetadataSet  # not exported; sibling integrations import it so

from dagster_dailystory.definitions.lineage import (
    Upstream,
    contact_lineage,
    contact_map_columns,
    key_lineage,
    source_columns,
    source_lineage,
)
from dagster_dailystory.definitions.metadata import Metadata, ProgressLog, plan_metadata, sent_metadata, waiting_table
from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.definitions.run_config import PlanConfig
from dagster_dailystory.engine.endpoints import Warehouse
from dagster_dailystory.engine.run import plan_contact_sync, resume_or_run
from dagster_dailystory.engine.sending.breaker.outages import OUTAGE_LOG
from dagster_dailystory.engine.state.lease import Waiting
from dagster_dailystory.engine.state.lease.holders import parent_has_ended
from dagster_dailystory.engine.upkeep.inspection import (
    SyncStatus,
    check_shown_fields,
    column_types,
    preview_changes,
    sync_status,
)
from dagster_dailystory.errors import BusyError, DailyStoryError, OutageError, RetryableError, WarehouseError
from dagster_dailystory.model.change import WaitingOptOuts
from dagster_dailystory.model.plan import PlanOptions, PlanSummary, counted, planned_counts
from dagster_dailystory.model.report import SyncReport
from dagster_dailystory.model.settings import check_value
from dagster_dailystory.model.sync import ContactSync

Events = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]
"""The events that an op of a sync yields."""


PROGRESS_SECONDS = 10.0
"""Shortest time between two progress observations."""


NO_REJECTED_ROWS = "no_rejected_rows"


NO_NEW_CUSTOM_FIELDS = "no_new_custom_fields"


NO_UNSETTLED_ROWS = "no_unsettled_rows"


NO_PENDING_OPT_OUTS = "no_pending_opt_outs"


CHANGES_CHECKS = {
    NO_PENDING_OPT_OUTS: "Every new opt-out has a contact, and is sent by this plan.",
    NO_REJECTED_ROWS: "The plan rejects no row.",
    NO_NEW_CUSTOM_FIELDS: "Each custom field was sent before, or is in known_custom_fields.",
}
"""The checks of `changes` beside the guards, with their descriptions. They never stop a run."""


CONTACT_CHECKS = {
    NO_PENDING_OPT_OUTS: "DailyStory has acknowledged every opt-out of the source.",
    NO_REJECTED_ROWS: "No row is rejected, neither by a row check nor by DailyStory.",
    NO_UNSETTLED_ROWS: "Every row that the latest run sent has a final result.",
}
"""The checks of `contacts` with their descriptions. They never stop a run."""


WAIT_SECONDS = 3_600.0
"""How long a run waits for other runs of its sync, if not set: the slices of a backfill run one after the other."""


POOL = "dailystory_api"
"""The default concurrency pool, shared by all syncs."""


_RETRYABLE = (BusyError, OutageError, RetryableError, WarehouseError)


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
        self.changes_key, self.contacts_key, self.contact_map_key = (
            dg.AssetKey(["dailystory", sync.name, noun]) for noun in ("changes", "contacts", "contact_map")
        )

    def plan(
        self,
        context: dg.AssetExecutionContext,
        config: PlanConfig,
        warehouse: WarehouseResource,
        dailystory: DailyStoryResource,
    ) -> Events:
        """Plan, and describe the plan."""
        sync = self.sync
        with dagster_failures(), outages_shown(context.log):
            endpoint = warehouse.warehouse()
            options = config.options(_partition(context))
            plan = plan_contact_sync(
                sync, endpoint, dailystory.destination(), options, context.run.run_id, waiting=self._waiting(context)
            )
            _log_plan(context, sync, plan)
            changes = preview_changes(sync, endpoint, plan.plan_id, self._preview_fields)
            columns = source_columns(sync, column_types(sync, endpoint))
        metadata = plan_metadata(sync, plan, changes, dailystory.requests_per_second)
        metadata |= dict(TableMetadataSet(column_schema=columns, column_lineage=source_lineage(self.upstream)))
        results = [
            dg.AssetCheckResult(passed=guard.passed, check_name=guard.name, description=guard.message)
            for guard in plan.guards
        ]
        results += [
            _opt_out_check(
                self.changes_key, plan.opt_outs_left, plan.opt_outs_waiting, are_blocked=plan.blocks_opt_outs
            ),
            _rejected_check(self.changes_key, plan.rows_rejected, plan.rejections_by_reason),
            _custom_fields_check(self.changes_key, plan),
        ]
        yield dg.MaterializeResult(asset_key=self.changes_key, metadata=metadata, check_results=results)

    def send(
        self, context: dg.AssetExecutionContext, warehouse: WarehouseResource, dailystory: DailyStoryResource
    ) -> Events:
        """Send the plan of this run, or of the run that it re-executes; see `resume_or_run`."""
        sync, destination = self.sync, dailystory.destination()
        progress = ProgressLog(context.log_event, self.contacts_key, self._progress_seconds)
        with dagster_failures(), outages_shown(context.log):
            endpoint = warehouse.warehouse()
            result = resume_or_run(
                sync, endpoint, destination, self._options(context), _run_ids(context), progress,
                waiting=self._waiting(context),
            )  # fmt: skip
            if result.note:
                context.log.info(result.note)
            if result.new_plan is not None:
                _log_plan(context, sync, result.new_plan)
            _log_report(context, result.report)
            status = sync_status(sync, endpoint)
        metadata = sent_metadata(sync, result.report, status, dailystory.base_url, progress.sends)
        if result.report.outcome == "dry":
            yield _rejected_check(self.contacts_key, result.report.rows_rejected)
        else:
            yield _rejected_check(self.contacts_key, status.rows_rejected, status.rejections_by_reason)
        yield _unsettled_check(self.contacts_key, status.rows_unsettled)
        yield _opt_out_check(self.contacts_key, result.report.opt_outs_pending, result.report.opt_outs_waiting)
        # A backfill counts a slice without a materialization as failed.
        is_slice = _partition(context) is not None
        slice_done = is_slice and result.error is None and result.report.outcome != "dry"
        if slice_done or _wrote_something(result.report):
            yield from self._materializations(metadata, result.report.plan_id, status, endpoint)
        with dagster_failures(metadata):
            if result.error is not None:
                raise result.error

    def _waiting(self, context: dg.AssetExecutionContext) -> Waiting:
        return Waiting(self._wait_seconds, context.log.info, _is_abandoned(context))

    def _options(self, context: dg.AssetExecutionContext) -> PlanOptions:
        """The options with which this run was launched, if it was launched with `changes`; else the usual ones."""
        ops: Any = context.run.run_config.get("ops", {})
        config = ops.get("__".join(self.changes_key.path), {}).get("config", {})
        return PlanConfig(**config).options(_partition(context))

    def _materializations(self, metadata: Metadata, plan_id: str, status: SyncStatus, endpoint: Warehouse) -> Events:
        lineage = TableMetadataSet(column_lineage=contact_lineage(self.sync, self.changes_key))
        yield dg.MaterializeResult(asset_key=self.contacts_key, metadata=metadata | dict(lineage))
        state = endpoint.state
        name = ".".join(part for part in (state.schema, state.table_name(self.sync.name, "contact_map")) if part)
        table = TableMetadataSet(
            row_count=status.rows_mapped,
            table_name=name,
            column_schema=contact_map_columns(self.sync, column_types(self.sync, endpoint)),
            column_lineage=key_lineage(self.sync, self.changes_key),
        )
        yield dg.MaterializeResult(asset_key=self.contact_map_key, metadata={"plan_id": plan_id, **dict(table)})


def _rejected_check(
    asset_key: dg.AssetKey, rows: int, by_reason: Mapping[str, int] = MappingProxyType({})
) -> dg.AssetCheckResult:
    shown = f"{rows} ({counted(by_reason)})" if by_reason else str(rows)
    warning = f"rows rejected: {shown}; the metadata of changes shows a few of each reason"
    return _warning(asset_key, NO_REJECTED_ROWS, rows, warning, "no row is rejected")


def _custom_fields_check(asset_key: dg.AssetKey, plan: PlanSummary) -> dg.AssetCheckResult:
    new, success = len(plan.new_custom_fields), "no custom field is new"
    return _warning(asset_key, NO_NEW_CUSTOM_FIELDS, new, plan.custom_fields_advice, success, "fields")


def _unsettled_check(asset_key: dg.AssetKey, rows: int) -> dg.AssetCheckResult:
    warning = f"rows that failed, conflicted or are in doubt: {rows}; the next run goes on"
    return _warning(asset_key, NO_UNSETTLED_ROWS, rows, warning, "every row that was sent has a final result")


def _warning(
    asset_key: dg.AssetKey, name: str, count: int, warning: str, success: str, noun: str = "rows"
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=asset_key,
        check_name=name,
        passed=count == 0,
        severity=dg.AssetCheckSeverity.WARN,
        description=warning if count else success,
        metadata={noun: count},
    )


def _opt_out_check(
    asset_key: dg.AssetKey, pending: int, waiting: WaitingOptOuts, *, are_blocked: bool = False
) -> dg.AssetCheckResult:
    metadata: Metadata = {"rows": pending}
    if pending:
        metadata |= {"rows_to_repair": waiting.to_repair}
    if waiting.few:
        metadata["waiting"] = waiting_table(waiting.few, are_blocked=are_blocked)
    named = f"opt-outs that DailyStory has not acknowledged: {pending:,}; {waiting.described(pending)}"
    scope = ". scope='opt_outs' sends those of known contacts, also while a plan is blocked"
    if are_blocked:
        scope = ". No scope sends them while max_opted_out_fraction is exceeded"
    return dg.AssetCheckResult(
        asset_key=asset_key,
        check_name=NO_PENDING_OPT_OUTS,
        passed=pending == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{named}{scope if pending > waiting.to_repair else ''}" if pending else "no opt-out waits",
        metadata=metadata,
    )


@contextmanager
def dagster_failures(metadata: Metadata | None = None) -> Iterator[None]:
    """Turn the engine's errors into Dagster failures that allow a retry only if the error may pass.

    Raises:
        Failure: Instead of any `DailyStoryError`.
    """
    try:
        yield
    except DailyStoryError as error:
        described: Metadata = {"error": type(error).__name__, **(metadata or {})}
        if error.status is not None:
            described["http_status"] = error.status
        raise dg.Failure(str(error), described, allow_retries=isinstance(error, _RETRYABLE)) from error


class _RunLog(logging.Handler):
    """Writes the records of a Python logger to the log of a run."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, record.getMessage())


@contextmanager
def outages_shown(log: logging.Logger) -> Iterator[None]:
    """Show in the log of a run, while it waits, that requests to DailyStory fail."""
    logger, handler = logging.getLogger(OUTAGE_LOG), _RunLog(log)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextmanager
def retry_requests(context: dg.AssetExecutionContext, policy: dg.RetryPolicy | None) -> Iterator[None]:
    """Ask Dagster for a retry after a failure that allows one.

    A retry policy of the op itself would also retry a cancelled op, so that Terminate would not end the run.

    Raises:
        RetryRequested: Instead of a failure that allows a retry.
        Failure: Any other failure, and the last one: Dagster would describe a request too many by "Exceeded
            max_retries", without the cause.
    """
    try:
        yield
    except dg.Failure as failure:
        if policy is None or not failure.allow_retries or context.retry_number >= policy.max_retries:
            raise
        delay = policy.calculate_delay(context.retry_number + 1)
        raise dg.RetryRequested(max_retries=policy.max_retries, seconds_to_wait=delay) from failure


def _partition(context: dg.AssetExecutionContext) -> str | None:
    """The slice of this run, None where the sync has no partitions. A backfill names it as a range of one."""
    if not (context.has_partition_key or context.has_partition_key_range):
        return None
    names: Sequence[str] = context.partition_keys
    if len(names) > 1:
        message = f"this run has {len(names)} partitions, but a run plans and sends one"
        raise dg.Failure(f"{message}; launch one run for each partition", allow_retries=False)
    return names[0]


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


def _wrote_something(report: SyncReport) -> bool:
    outcomes = ("created", "updated", "deleted", "mapped", "refused", "conflicted", "in_doubt")
    return bool(report.opt_outs_sent) or any(getattr(report, f"rows_{outcome}") for outcome in outcomes)


def _log_plan(context: dg.AssetExecutionContext, sync: ContactSync, plan: PlanSummary) -> None:
    context.log.info(
        "plan %s is %s: %d rows read, %d unchanged, %s",
        plan.plan_id, plan.status.value, plan.rows_read, plan.rows_unchanged, planned_counts(sync, plan),
    )  # fmt: skip
    for guard in plan.guards:
        if not guard.passed:
            context.log.warning("%s: %s", guard.name, guard.message)
    for warning in plan.warnings:
        context.log.warning(warning)


def _log_report(context: dg.AssetExecutionContext, report: SyncReport) -> None:
    context.log.info(str(report))
    if report.outage and report.outcome != "stopped":
        context.log.warning("the last requests failed, and the next run goes on: %s", report.outage)
