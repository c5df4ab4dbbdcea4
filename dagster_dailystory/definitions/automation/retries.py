"""A sensor that runs a sync again for rows that DailyStory refused, or that failed."""

from collections.abc import Sequence

import dagster as dg

from dagster_dailystory.definitions.automation.jobs import sync_job
from dagster_dailystory.model.settings import check_value, named_settings
from dagster_dailystory.model.sync import ContactSync, Scope

RETRY_TAG = "dailystory/retry"
"""Tag of a run that `retry_sensor` requested: the number of such runs in a row."""


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


def _number(materialization: dg.AssetMaterialization, name: str) -> int:
    value = materialization.metadata.get(name)
    return int(value.value) if isinstance(value, dg.IntMetadataValue) and value.value else 0
