"""Schedules, conditions, sensors and checks that run a sync, watch it, and send alerts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition  # not exported
from dagster._utils.schedules import is_valid_cron_string  # not exported
from sqlalchemy import Connection, text

from dagster_dailystory.databases.connect import connect, open_engine
from dagster_dailystory.definitions.events.failures import dagster_failures
from dagster_dailystory.definitions.ops import POOL, WAIT_SECONDS
from dagster_dailystory.definitions.resources import WarehouseResource
from dagster_dailystory.engine.planning.guards import GUARD_NAMES
from dagster_dailystory.engine.state.lease import Waiting
from dagster_dailystory.engine.upkeep.audit import AuditReport, audit_contacts
from dagster_dailystory.engine.upkeep.checks import PLAN_CHECKS, SEND_CHECKS
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.settings import check_value, named_settings
from dagster_dailystory.model.sync import ContactSync, Scope

RETRY_TAG = "dailystory/retry"
"""Tag of a run that `retry_sensor` requested: the number of such runs in a row."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A failed run, or a run that rejected too many rows.

    Attributes:
        sync_name: The sync.
        run_id: The run.
        message: What happened, and what to do. It names no contact.
        rows_rejected: The rejected rows of an alert about them, else 0.
    """

    sync_name: str
    run_id: str
    message: str
    rows_rejected: int = 0


@named_settings
def every(cron: str, timezone: str = "UTC") -> dg.AutomationCondition[dg.AssetKey]:
    """Run a whole sync at each tick of a cron schedule, whether its upstream assets have run or not.

    `AutomationCondition.on_cron` waits for all upstream assets, and so never runs a sync of a table that Dagster does
    not materialize.

    Raises:
        ConfigurationError: The cron expression or the time zone is not valid.

    Example:
        ```python
        build_contact_sync_assets(customers, automation_condition=every("0 * * * *"))
        ```
    """
    check_cron(cron, timezone)
    waits_for_upstream = dg.AutomationCondition.all_deps_updated_since_cron(cron, timezone)
    return dg.AutomationCondition.on_cron(cron, timezone).without(waits_for_upstream)


@named_settings
def sync_schedule(sync: ContactSync, cron: str, timezone: str = "UTC") -> dg.ScheduleDefinition:
    """Run a whole sync, or each of its partitions, by a cron schedule. Switch it on in the UI.

    Args:
        sync: The sync.
        cron: For example `0 * * * *`.
        timezone: The time zone of the cron expression.

    Raises:
        ConfigurationError: The cron expression or the time zone is not valid.
    """
    check_cron(cron, timezone)
    job = sync_job(sync)
    partitions = sync.partitions.names if sync.partitions else None

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        tick = context.scheduled_execution_time.isoformat()
        for partition in partitions or ():
            yield dg.RunRequest(run_key=f"{tick}|{partition}", partition_key=partition)

    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        description=f"Keep DailyStory's contacts equal to the source of the sync {sync.name}.",
        execution_fn=requests if partitions else None,
    )


_NAMED_TIMES = ("@hourly", "@daily", "@weekly", "@monthly")


def check_cron(cron: object, timezone: str = "UTC", setting: str = "cron") -> None:
    """Check the times of a schedule.

    Args:
        cron: A cron expression of five fields.
        timezone: The name of a time zone.
        setting: The setting that has the cron expression, to name it in the error.

    Raises:
        ConfigurationError: The cron expression or the time zone is not valid.
    """
    if not isinstance(cron, str) or not is_valid_cron_string(cron):
        hint = nearest(str(cron), _NAMED_TIMES)
        raise ConfigurationError(
            f"{setting}={cron!r} is not a cron expression of five fields, such as '0 * * * *' for each hour{hint}"
        )
    try:
        ZoneInfo(timezone)
    except (TypeError, ValueError, OSError, ZoneInfoNotFoundError):
        hint = nearest(str(timezone), available_timezones())
        raise ConfigurationError(
            f"timezone={timezone!r} is not the name of a time zone, such as 'Europe/Berlin'{hint}"
        ) from None


def sync_job(sync: ContactSync) -> UnresolvedAssetJobDefinition:
    """The job that runs a whole sync: plan, then send. A schedule and a sensor of one sync share it."""
    return _job(sync.name)


@cache
def _job(sync_name: str) -> UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        f"sync_{sync_name}", selection=_assets(sync_name), description=f"Run the sync {sync_name}."
    )


@named_settings
def observed_source(
    key: dg.AssetKey | Sequence[str] | str, version_query: str, warehouse_key: str = "warehouse"
) -> dg.AssetsDefinition:
    """Watch a table: the result of a query is its data version, so that a sync runs only when the table changed.

    Give the sync `AutomationCondition.eager()`, and the observation its own schedule or condition.
    `multi_observable_source_asset` is beta in Dagster 1.13.

    Args:
        key: The asset key of the table, as in the sync's `deps`.
        version_query: Returns one row with one value, for example `select max(updated_at) from analytics.customers`.
        warehouse_key: Key of the `WarehouseResource`.
    """
    spec = dg.AssetSpec(dg.AssetKey.from_coercible(key), description=f"A table, watched with: {version_query}")

    watches = dg.multi_observable_source_asset(
        name="__".join((*spec.key.path, "observation")), specs=[spec], required_resource_keys={warehouse_key}
    )

    def observed(context: dg.AssetExecutionContext) -> dg.ObserveResult:
        with dagster_failures(), _connection(getattr(context.resources, warehouse_key)) as connection:
            row = connection.execute(text(version_query.replace(":", "\\:"))).first()
        if row is None or row[0] is None:
            raise dg.Failure("the version query returned no value", {"query": version_query}, allow_retries=False)
        return dg.ObserveResult(asset_key=spec.key, data_version=dg.DataVersion(str(row[0])))

    definition: dg.AssetsDefinition = watches(observed)
    return definition


def _connection(warehouse: WarehouseResource) -> AbstractContextManager[Connection]:
    url = warehouse.warehouse().url
    return connect(open_engine(url), "warehouse", setting=f"{type(warehouse).__name__}.url")


@named_settings
def drift_check(
    sync: ContactSync,
    sample: int = 100,
    repair: bool = False,
    warehouse_key: str = "warehouse",
    dailystory_key: str = "dailystory",
    recreate: bool = False,
) -> dg.AssetChecksDefinition:
    """Read a sample of contacts back, and warn of drift: fields that differ from what the sync last wrote.

    A check of `contacts` with its own op, which sends one request for each contact. The job and the schedule of a sync
    leave it out; **Materialize all** in the UI runs it too. Pass it to `Definitions(asset_checks=)`.

    Args:
        sync: The sync.
        sample: How many contacts to read back, chosen at random.
        repair: Let the next run send the drifted fields again. Contacts that are missing or deleted in DailyStory are
            recorded in the contact map, and named once: their rows are held, and the check passes from then on.
        warehouse_key: Key of the `WarehouseResource`.
        dailystory_key: Key of the `DailyStoryResource`.
        recreate: With `repair`, let the next run create missing contacts again, although people may have removed them.
            For contacts with the status Deleted, the sync's `on_deleted` decides.

    Raises:
        ConfigurationError: `sample`, `repair` or `recreate` is of another type.
    """
    check_value("sample", sample, int)
    for setting, value in (("repair", repair), ("recreate", recreate)):
        check_value(setting, value, bool)

    @dg.asset_check(
        name="no_drift",
        asset=dg.AssetKey(["dailystory", sync.name, "contacts"]),
        description=f"{sample} contacts, chosen at random, have the values that the sync last wrote.",
        required_resource_keys={warehouse_key, dailystory_key},
        pool=POOL,
    )
    def no_drift(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        account = getattr(context.resources, dailystory_key).account()
        with dagster_failures():
            endpoint = getattr(context.resources, warehouse_key).warehouse()
            waiting = Waiting(WAIT_SECONDS, context.log.info)
            audit = audit_contacts(
                sync, endpoint, account, sample=sample, repair=repair, recreate=recreate, waiting=waiting
            )
        return _drift_result(audit)

    return no_drift


def _drift_result(audit: AuditReport) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=audit.is_clean,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            f"{audit.contacts_drifted} drifted, {audit.contacts_missing} missing,"
            f" {audit.contacts_deleted} deleted of {audit.contacts_read}"
        ),
        metadata={
            "contacts_read": audit.contacts_read,
            "contacts_drifted": audit.contacts_drifted,
            "contacts_missing": audit.contacts_missing,
            "contacts_deleted": audit.contacts_deleted,
            "keys": ", ".join(audit.keys),
            **{f"drifted/{name}": contacts for name, contacts in audit.drift_by_field.items()},
        },
    )


@named_settings
def retry_sensor(sync: ContactSync, max_runs: int = 3, minimum_interval_seconds: int = 3_600) -> dg.SensorDefinition:
    """Run a sync again for rows that DailyStory refused, or that failed, in its latest run.

    Without this sensor a refused row is held until it changes; but its cause may have been fixed in DailyStory. A sync
    with partitions runs only the partitions whose latest run left such rows.

    Args:
        sync: The sync.
        max_runs: Largest number of retry runs in a row, for each partition.
        minimum_interval_seconds: Shortest time between two evaluations of the sensor.

    Raises:
        ConfigurationError: A number is of another type.
    """
    check_value("max_runs", max_runs, int)
    check_value("minimum_interval_seconds", minimum_interval_seconds, int)
    partitions: Sequence[str | None] = sync.partitions.names if sync.partitions else [None]

    @dg.sensor(
        name=f"retry_{sync.name}",
        job=sync_job(sync),
        minimum_interval_seconds=minimum_interval_seconds,
        description=f"Run the sync {sync.name} again for rows that were refused or failed.",
    )
    def retry(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        results = [_retry_runs(context.instance, sync, partition, max_runs) for partition in partitions]
        requests = [request for each in results if not isinstance(each, str) for request in each]
        reasons = dict.fromkeys(each for each in results if isinstance(each, str))
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else "; ".join(reasons))

    return retry


def _retry_runs(
    instance: dg.DagsterInstance, sync: ContactSync, partition: str | None, max_runs: int
) -> list[dg.RunRequest] | str:
    """The runs that retry failed and refused rows of a sync or a slice, or the reason why none is requested."""
    of_slice = f" in {partition}" if partition else ""
    records = dg.AssetRecordsFilter(
        dg.AssetKey(["dailystory", sync.name, "contacts"]), asset_partitions=[partition] if partition else None
    )
    latest = instance.fetch_materializations(records, limit=1).records
    materialization = latest[0].asset_materialization if latest else None
    if materialization is None:
        return "the sync has sent nothing yet"
    refused = _number(materialization, "rows_refused")
    unsettled = _number(materialization, "rows_failed") + _number(materialization, "rows_in_doubt")
    if not refused and not unsettled:
        return "no row was refused or failed in the latest run"
    run = instance.get_run_by_id(latest[0].run_id)
    attempt = 1 + int(run.tags.get(RETRY_TAG, "0") if run else 0)
    if attempt > max_runs:
        rows = refused + unsettled
        return f"{rows} rows are still refused or failed{of_slice} after {max_runs} retries: look at their reasons"
    scopes = [scope for scope, rows in ((Scope.CHANGED, unsettled), (Scope.REJECTED, refused)) if rows]
    return [
        dg.RunRequest(
            run_key=f"{latest[0].run_id}|{scope.value}",
            partition_key=partition,
            run_config={"ops": {f"dailystory__{sync.name}__changes": {"config": {"scope": scope.value}}}},
            tags={RETRY_TAG: str(attempt)},
        )
        for scope in scopes
    ]


@named_settings
def alert_sensors(
    sync: ContactSync, notify: Callable[[Alert], None], max_rejected_rows: int | None = None
) -> Sequence[dg.SensorDefinition]:
    """Call `notify` when a run of a sync fails, or when it rejects too many rows.

    Args:
        sync: The sync.
        notify: Called once for each alert.
        max_rejected_rows: Largest number of rejected rows without an alert. None: no alert about rejected rows.

    Raises:
        ConfigurationError: `max_rejected_rows` is not a whole number.
    """
    check_value("max_rejected_rows", max_rejected_rows, int | None)
    steps = f"dailystory__{sync.name}__"

    @dg.run_failure_sensor(name=f"{sync.name}_failed", monitor_all_code_locations=False)
    def failed(context: dg.RunFailureSensorContext) -> None:
        failures = [event for event in context.get_step_failure_events() if (event.step_key or "").startswith(steps)]
        if failures:
            error = failures[-1].step_failure_data.user_failure_data
            message = (error.description if error else None) or failures[-1].message or "the run failed"
            notify(Alert(sync.name, context.dagster_run.run_id, message))

    if max_rejected_rows is None:
        return [failed]

    @dg.asset_sensor(asset_key=dg.AssetKey(["dailystory", sync.name, "changes"]), name=f"{sync.name}_rejected")
    def rejected(context: dg.SensorEvaluationContext, event: dg.EventLogEntry) -> dg.SkipReason:
        rows = _number(event.asset_materialization, "rows_rejected") if event.asset_materialization else 0
        if rows <= max_rejected_rows:
            return dg.SkipReason(f"{rows} rows were rejected; the limit is {max_rejected_rows}")
        message = f"{rows} rows were rejected; the limit is {max_rejected_rows} (max_rejected_rows)"
        notify(Alert(sync.name, event.run_id, message, rows))
        return dg.SkipReason("notified")

    return [failed, rejected]


def _assets(sync_name: str) -> dg.AssetSelection:
    """The three assets with the checks that their ops run, but without the drift check, which sends requests."""
    changes, contacts, contact_map = (
        dg.AssetKey(["dailystory", sync_name, noun]) for noun in ("changes", "contacts", "contact_map")
    )
    checks = [dg.AssetCheckKey(changes, name) for name in (*GUARD_NAMES, *PLAN_CHECKS)]
    checks += [dg.AssetCheckKey(contacts, name) for name in SEND_CHECKS]
    assets = dg.AssetSelection.assets(changes, contacts, contact_map).without_checks()
    return assets | dg.AssetSelection.checks(*checks)


def _number(materialization: dg.AssetMaterialization, name: str) -> int:
    value = materialization.metadata.get(name)
    return int(value.value) if isinstance(value, dg.IntMetadataValue) and value.value else 0
