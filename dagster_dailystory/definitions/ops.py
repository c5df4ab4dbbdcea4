"""What the two ops of a sync do: plan and show the plan, send and show what was sent."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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
from dagster_dailystory.definitions.metadata import Metadata, ProgressLog, plan_metadata, sent_metadata
from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.definitions.run_config import PlanConfig
from dagster_dailystory.engine.endpoints import Warehouse
from dagster_dailystory.engine.run import plan_contact_sync, refuse_blocked, send_contact_sync
from dagster_dailystory.engine.upkeep.inspection import (
    SyncStatus,
    check_shown_fields,
    column_types,
    find_plan,
    preview_changes,
    preview_rejections,
    sync_status,
)
from dagster_dailystory.errors import BusyError, DailyStoryError, OutageError, RetryableError, WarehouseError
from dagster_dailystory.model.plan import PlanOptions, PlanStatus, PlanSummary
from dagster_dailystory.model.report import SyncReport
from dagster_dailystory.model.sync import ContactSync

Events = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]
"""What an op of a sync yields."""


PROGRESS_SECONDS = 10.0
"""Shortest time between two observations of a running send."""


NO_REJECTED_ROWS = "no_rejected_rows"


NO_UNSETTLED_ROWS = "no_unsettled_rows"


CONTACT_CHECKS = {
    NO_REJECTED_ROWS: "No row is set aside: invalid in the source, or refused by DailyStory.",
    NO_UNSETTLED_ROWS: "Every row that the latest run sent has a lasting answer.",
}
"""The checks of `contacts`, which warn and never stop a run, with what each makes sure of."""


WAIT_SECONDS = 3_600.0
"""How long a run waits for another one of its sync: the slices of a backfill, for example, take turns."""


POOL = "dailystory_api"
"""The concurrency pool that all syncs share unless told otherwise."""


_RETRYABLE = (BusyError, OutageError, RetryableError, WarehouseError)


class SyncSteps:
    """The bodies of the two ops of a sync.

    Args:
        sync: What must equal what.
        upstream: What its source reads.
        preview_fields: Fields whose values the plan preview shows.
        progress_seconds: Shortest time between two progress observations.

    Raises:
        ConfigurationError: `preview_fields` names a field that is not mapped.
    """

    def __init__(
        self,
        sync: ContactSync,
        upstream: Upstream,
        preview_fields: Sequence[str] = (),
        progress_seconds: float = PROGRESS_SECONDS,
    ) -> None:
        check_shown_fields(sync, preview_fields)
        self.sync = sync
        self.upstream = upstream
        self._preview_fields = preview_fields
        self._progress_seconds = progress_seconds
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
        """Plan, and show the plan."""
        sync, place = self.sync, warehouse.warehouse()
        with plain_failures():
            options = config.options(_partition(context))
            plan = plan_contact_sync(
                sync, place, dailystory.destination(), options, context.run.run_id, wait_seconds=WAIT_SECONDS
            )
            _log_plan(context, plan)
            changes = preview_changes(sync, place, plan.plan_id, self._preview_fields)
            rejections = preview_rejections(sync, place) if plan.rows_rejected else []
            columns = source_columns(sync, column_types(sync, place))
        shown = plan_metadata(sync, plan, changes, rejections, dailystory.requests_per_second)
        shown |= dict(TableMetadataSet(column_schema=columns, column_lineage=source_lineage(self.upstream)))
        verdicts = [
            dg.AssetCheckResult(passed=guard.passed, check_name=guard.name, description=guard.message)
            for guard in plan.guards
        ]
        yield dg.MaterializeResult(asset_key=self.changes_key, metadata=shown, check_results=verdicts)

    def send(
        self, context: dg.AssetExecutionContext, warehouse: WarehouseResource, dailystory: DailyStoryResource
    ) -> Events:
        """Send the plan of this run, or of the run that it re-executes; without one, plan first."""
        sync, place, destination = self.sync, warehouse.warehouse(), dailystory.destination()
        progress = ProgressLog(context.log_event, self.contacts_key, self._progress_seconds)
        partition, run_ids = _partition(context), _run_ids(context)
        with plain_failures():
            plan = find_plan(sync, place, run_ids, partition)
            if plan is None:
                options = PlanOptions(partition=partition)
                plan = plan_contact_sync(
                    sync, place, destination, options, context.run.run_id, wait_seconds=WAIT_SECONDS
                )
                _log_plan(context, plan)
                refuse_blocked(plan)
            if plan.status is PlanStatus.DRY:
                context.log.info("plan %s is a dry run: nothing is sent", plan.plan_id)
                yield from self._checks(sync_status(sync, place))
                return
            result = send_contact_sync(
                sync, place, destination, run_ids, progress, partition=partition, wait_seconds=WAIT_SECONDS
            )
            _log_report(context, result.report)
            now = sync_status(sync, place)
        shown = sent_metadata(sync, result.report, now, dailystory.base_url, progress.sends)
        yield from self._checks(now)
        sliced = partition is not None and result.error is None  # a backfill counts a slice left out as failed
        if sliced or _wrote_something(result.report):
            yield from self._materializations(shown, result.report.plan_id, now, place)
        with plain_failures(shown):
            if result.error is not None:
                raise result.error

    def _materializations(self, shown: Metadata, plan_id: str, now: SyncStatus, place: Warehouse) -> Events:
        lineage = TableMetadataSet(column_lineage=contact_lineage(self.sync, self.changes_key))
        yield dg.MaterializeResult(asset_key=self.contacts_key, metadata=shown | dict(lineage))
        state = place.state
        name = ".".join(part for part in (state.schema, state.table_name(self.sync.name, "contact_map")) if part)
        table = TableMetadataSet(
            row_count=now.rows_mapped,
            table_name=name,
            column_schema=contact_map_columns(self.sync, column_types(self.sync, place)),
            column_lineage=key_lineage(self.sync, self.changes_key),
        )
        yield dg.MaterializeResult(asset_key=self.contact_map_key, metadata={"plan_id": plan_id, **dict(table)})

    def _checks(self, now: SyncStatus) -> Events:
        reasons = ", ".join(f"{rows} {reason}" for reason, rows in now.rejections_by_reason.items())
        verdicts = {
            NO_REJECTED_ROWS: (
                now.rows_rejected,
                f"rows set aside: {now.rows_rejected} ({reasons}); the metadata of changes names them",
                "no row is set aside",
            ),
            NO_UNSETTLED_ROWS: (
                now.rows_unsettled,
                f"rows that failed, conflicted or are in doubt: {now.rows_unsettled}; the next run goes on",
                "every row that was sent has a lasting answer",
            ),
        }
        for name, (rows, warning, calm) in verdicts.items():
            yield dg.AssetCheckResult(
                asset_key=self.contacts_key,
                check_name=name,
                passed=rows == 0,
                severity=dg.AssetCheckSeverity.WARN,
                description=warning if rows else calm,
                metadata={"rows": rows},
            )


@contextmanager
def plain_failures(metadata: Metadata | None = None) -> Iterator[None]:
    """Turn the engine's errors into Dagster failures, tried again only where time can mend them.

    Raises:
        Failure: Instead of any `DailyStoryError`.
    """
    try:
        yield
    except DailyStoryError as error:
        about: Metadata = {"error": type(error).__name__, **(metadata or {})}
        if error.status is not None:
            about["http_status"] = error.status
        raise dg.Failure(str(error), about, allow_retries=isinstance(error, _RETRYABLE)) from error


@contextmanager
def tried_again(context: dg.AssetExecutionContext, policy: dg.RetryPolicy | None) -> Iterator[None]:
    """Ask Dagster for another attempt where time can mend a failure.

    A retry policy of the op itself would try a cancelled op again too: Terminate would not end the run.

    Raises:
        RetryRequested: Instead of a failure that time can mend.
        Failure: Any other.
    """
    try:
        yield
    except dg.Failure as failure:
        if policy is None or not failure.allow_retries:
            raise
        delay = policy.calculate_delay(context.retry_number + 1)
        raise dg.RetryRequested(max_retries=policy.max_retries, seconds_to_wait=delay) from failure


def _partition(context: dg.AssetExecutionContext) -> str | None:
    """The slice of this run, None where the sync has none. A backfill names it as a range of one."""
    if not (context.has_partition_key or context.has_partition_key_range):
        return None
    names: Sequence[str] = context.partition_keys
    if len(names) > 1:
        advice = "each slice is planned and sent by itself: launch one run for each partition"
        raise dg.Failure(f"this run names {len(names)} partitions; {advice}", allow_retries=False)
    return names[0]


def _run_ids(context: dg.AssetExecutionContext) -> list[str]:
    """This run, and those that it re-executes."""
    ids = (context.run.run_id, context.run.parent_run_id, context.run.root_run_id)
    return list(dict.fromkeys(run_id for run_id in ids if run_id))


def _wrote_something(report: SyncReport) -> bool:
    answered = ("created", "updated", "deleted", "mapped", "refused", "conflicted", "in_doubt")
    return any(getattr(report, f"rows_{outcome}") for outcome in answered)


def _log_plan(context: dg.AssetExecutionContext, plan: PlanSummary) -> None:
    context.log.info(
        "plan %s is %s: %d rows read, %d unchanged, %d to create, %d to update, %d to delete, %d rejected, %d held",
        plan.plan_id, plan.status.value, plan.rows_read, plan.rows_unchanged, plan.rows_to_create,
        plan.rows_to_update, plan.rows_to_delete, plan.rows_rejected, plan.rows_held,
    )  # fmt: skip


def _log_report(context: dg.AssetExecutionContext, report: SyncReport) -> None:
    context.log.info(
        "plan %s is %s: %d created, %d updated, %d deleted, %d refused, %d failed, %d requests in %.1f s",
        report.plan_id, report.outcome, report.rows_created, report.rows_updated, report.rows_deleted,
        report.rows_refused, report.rows_failed, report.api_requests, report.send_seconds,
    )  # fmt: skip
