"""A sensor that runs a sync again for rows that DailyStory refused, or that failed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import dagster as dg

from dagster_dailystory.definitions.automation.jobs import (
    location_of,
    range_tags,
    sync_job,
    sync_steps,
    unfinished_run,
)
from dagster_dailystory.definitions.partitions import all_partitions
from dagster_dailystory.definitions.resources import WarehouseResource
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.engine.upkeep.alerts.recent_plans import Unsent, read_unsent
from dagster_dailystory.errors import BusyError
from dagster_dailystory.model.partitions import RANGE_SIGN
from dagster_dailystory.model.runs.plan import some
from dagster_dailystory.model.settings import check_least, check_value, named_settings
from dagster_dailystory.model.sync import ContactSync, Scope

RETRY_TAG = "dailystory/retry"
"""Tag of a run that `retry_sensor` requested: the number of such runs in a row."""


@named_settings
def retry_sensor(
    sync: ContactSync, max_runs: int = 3, minimum_interval_seconds: int = 3_600, warehouse_key: str = "warehouse"
) -> dg.SensorDefinition:
    """Run a sync again for rows that DailyStory refused, or that failed or are in doubt.

    Without this sensor a refused row is held until it changes; but its cause may have been fixed in DailyStory. The
    sensor reads the rows from the state, whatever ran since. It requests one run at a time: while rows failed or are in
    doubt one of all differences, then one of the refused rows. A sync with partitions runs only the partitions that
    have such rows.

    Args:
        sync: The sync.
        max_runs: Largest number of retry runs in a row for failed rows, and for refused rows, for each partition.
            Another refused row begins anew.
        minimum_interval_seconds: Shortest time between two evaluations of the sensor.
        warehouse_key: Key of the `WarehouseResource`.

    Raises:
        ConfigurationError: A number is of another type, or too small.
    """
    check_value("max_runs", max_runs, int)
    check_least("max_runs", max_runs, 1)
    check_value("minimum_interval_seconds", minimum_interval_seconds, int)
    check_least("minimum_interval_seconds", minimum_interval_seconds, 0)

    @dg.sensor(
        name=f"retry_{sync.name}",
        job=sync_job(sync),
        minimum_interval_seconds=minimum_interval_seconds,
        description=f"Run the sync {sync.name} again for rows that were refused or failed.",
        required_resource_keys={warehouse_key},
    )
    def retry(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        running = unfinished_run(context.instance, sync, location_of(context))
        if running:
            return dg.SensorResult(skip_reason=running)
        try:
            unsent = _unsent(sync, getattr(context.resources, warehouse_key))
        except BusyError as busy:
            return dg.SensorResult(skip_reason=str(busy))
        return _requests(sync, unsent, _attempts(context.cursor), max_runs, all_partitions(sync, context.instance))

    return retry


@dataclass(frozen=True)
class _Attempts:
    """The retry runs in a row of a slice.

    Attributes:
        unsettled: Those for rows that failed or are in doubt.
        refused: Those for rows that DailyStory refused.
        refused_since: When the newest refused row of the last one was first refused.
    """

    unsettled: int = 0
    refused: int = 0
    refused_since: str = ""

    def after(self, rows: Unsent) -> "_Attempts":
        """Begin anew where nothing is left, or another row was refused."""
        since = "" if rows.refused_since is None else rows.refused_since.isoformat()
        is_same = rows.refused > 0 and since <= self.refused_since
        return _Attempts(self.unsettled if rows.unsettled else 0, self.refused if is_same else 0, since)


def _unsent(sync: ContactSync, warehouse: WarehouseResource) -> Mapping[str | None, Unsent]:
    with open_state(warehouse.warehouse(sync).state, sync, writes=False) as state:
        return read_unsent(state)


def _attempts(cursor: str | None) -> dict[str, _Attempts]:
    stored: dict[str, Any] = json.loads(cursor) if cursor else {}
    return {name: _Attempts(**each) for name, each in stored.items()}


def _requests(
    sync: ContactSync,
    unsent: Mapping[str | None, Unsent],
    attempts: Mapping[str, _Attempts],
    max_runs: int,
    partitions: Sequence[str],
) -> dg.SensorResult:
    """One run for each slice that has such rows, or the reasons why none is requested."""
    requests: list[dg.RunRequest] = []
    kept: dict[str, _Attempts] = {}
    reasons: dict[str, None] = {}
    for partition, rows in unsent.items():
        made = attempts.get(partition or "", _Attempts()).after(rows)
        if rows.unsettled and made.unsettled < max_runs:
            made = replace(made, unsettled=made.unsettled + 1)
            requests.append(_request(sync, partition, Scope.CHANGED, made.unsettled, partitions))
        elif rows.refused and made.refused < max_runs:
            made = replace(made, refused=made.refused + 1)
            requests.append(_request(sync, partition, Scope.REJECTED, made.refused, partitions))
        elif rows.refused or rows.unsettled:
            left = some(rows.refused + rows.unsettled, "row is", "rows are")
            of_slice = f" in {partition}" if partition else ""
            reasons[f"{left} still refused or failed{of_slice} after {max_runs} retries: look at their reasons"] = None
        if made != _Attempts():
            kept[partition or ""] = made
    skipped = "; ".join(reasons) or "no row is refused, failed or in doubt"
    cursor = json.dumps({name: asdict(each) for name, each in kept.items()})
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else skipped, cursor=cursor)


def _request(
    sync: ContactSync, partition: str | None, scope: Scope, attempt: int, partitions: Sequence[str]
) -> dg.RunRequest:
    changes, _ = sync_steps(sync)
    config = {"ops": {changes: {"config": {"scope": scope.value}}}}
    tags = {RETRY_TAG: str(attempt)}
    if partition is None and partitions:  # a run of the whole source takes all of them
        return dg.RunRequest(run_config=config, tags={**tags, **range_tags(partitions[0], partitions[-1])})
    if partition is None or RANGE_SIGN not in partition:
        return dg.RunRequest(partition_key=partition, run_config=config, tags=tags)
    first, last = partition.split(RANGE_SIGN)
    return dg.RunRequest(run_config=config, tags={**tags, **range_tags(first, last)})
