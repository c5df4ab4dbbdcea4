"""Sensors that send alerts about a sync."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dagster as dg

from dagster_dailystory.model.settings import check_value, named_settings
from dagster_dailystory.model.sync import ContactSync


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


def _number(materialization: dg.AssetMaterialization, name: str) -> int:
    value = materialization.metadata.get(name)
    return int(value.value) if isinstance(value, dg.IntMetadataValue) and value.value else 0
