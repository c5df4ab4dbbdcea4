"""The alert sensor of a sync, evaluated as the daemon does."""

from __future__ import annotations

from dataclasses import dataclass, field

import dagster as dg
from support.dagster_project import DagsterProject, people_sync

from dagster_dailystory import Alert, alert_sensors

SYNC = people_sync(deletes="deactivate")


@dataclass
class Watch:
    """The alert sensor of a sync, evaluated again and again as the daemon does."""

    project: DagsterProject
    sensor: dg.SensorDefinition
    alerts: list[Alert]
    cursor: str | None = None
    resources: dict[str, object] = field(default_factory=dict)
    skipped: str = ""

    def tick(self) -> list[str]:
        """Evaluate the sensor; returns the alerts as `began` or `ended`, with their conditions."""
        self.alerts.clear()
        context = dg.build_sensor_context(
            instance=self.project.instance, cursor=self.cursor, resources=self.resources or self.project.resources
        )
        result = self.sensor.evaluate_tick(context)
        self.cursor, self.skipped = result.cursor, result.skip_message or ""
        return [f"{'ended' if each.has_ended else 'began'} {each.condition}" for each in self.alerts]


def watch(project: DagsterProject, sync=SYNC, **limits: object) -> Watch:
    alerts: list[Alert] = []
    [sensor] = alert_sensors(sync, alerts.append, **limits)
    return Watch(project, sensor, alerts)
