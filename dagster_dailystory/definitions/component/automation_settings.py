"""The settings of a component's automation: schedule, retries, alerts, drift check and observed source."""

from typing import ClassVar

import dagster as dg
from pydantic import Field

from dagster_dailystory.definitions.automation.alerts import Alert, Notify, alert_sensors
from dagster_dailystory.definitions.automation.checks import drift_check, flapping_check
from dagster_dailystory.definitions.automation.new_slices import partition_sensor
from dagster_dailystory.definitions.automation.retries import retry_sensor
from dagster_dailystory.definitions.automation.schedules import check_cron, sync_schedule
from dagster_dailystory.definitions.automation.sources import observed_source
from dagster_dailystory.definitions.automation.webhooks import webhook
from dagster_dailystory.definitions.component.credentials import Credential, secret, variable_content
from dagster_dailystory.definitions.component.settings import Settings
from dagster_dailystory.engine.upkeep.records.flapping import FLAPPING_DAYS
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import ColumnValues
from dagster_dailystory.model.sync import ContactSync


class ScheduleSettings(Settings):
    """A schedule of the whole sync."""

    place: ClassVar[str] = "schedule"

    cron: str = Field(description="Cron expression of five fields.", examples=["0 * * * *"])
    timezone: str = Field(
        default="UTC", description="The time zone of the cron expression.", examples=["Europe/Berlin"]
    )
    skip_if_running: bool = Field(
        default=True, description="Skip a tick while a run of the sync is queued or started.", examples=[True]
    )

    schedule_window: str = Field(
        default="all",
        description="newest: only the newest two time windows, for a source to which rows are only added.",
        examples=["newest"],
    )

    def schedule(self, sync: ContactSync) -> dg.ScheduleDefinition:
        """The schedule.

        Raises:
            ConfigurationError: The cron expression or the time zone is not valid.
        """
        check_cron(self.cron, self.timezone, setting="schedule.cron")
        return sync_schedule(
            sync,
            self.cron,
            self.timezone,
            skip_if_running=self.skip_if_running,
            schedule_window=self.schedule_window,
        )


class RetrySettings(Settings):
    """A sensor that runs the sync again for rows that DailyStory refused, or that failed."""

    place: ClassVar[str] = "retry"

    max_runs: int = Field(default=3, description="Largest number of retry runs in a row.", examples=[3])
    minimum_interval_seconds: int = Field(
        default=3_600, description="Shortest time between two evaluations of the sensor.", examples=[3_600]
    )


class AlertSettings(Settings):
    """A sensor that posts to a webhook when a condition begins, and when it ends."""

    place: ClassVar[str] = "alerts"

    webhook: Credential = Field(
        default=None,
        description="The address of the webhook, for example an incoming webhook of Slack, as {{ env.NAME }}. It is a "
        "secret, and never written to a file.",
        examples=["{{ env.OPS_WEBHOOK }}"],
    )
    webhook_variable: Credential = Field(
        default=None,
        description="Environment variable that holds the address of the webhook.",
        examples=["OPS_WEBHOOK"],
    )
    max_rejected_rows: int | None = Field(
        default=None, description="Most rows that may be rejected, by row checks and by DailyStory.", examples=[100]
    )
    max_failed_rows: int | None = Field(
        default=None, description="Most rows that may have failed or be in doubt.", examples=[50]
    )
    max_pending_opt_outs: int | None = Field(default=None, description="Most opt-outs that may wait.", examples=[0])
    max_run_minutes: float | None = Field(
        default=None, description="Most minutes that a run may take to plan and to send.", examples=[120]
    )
    max_rows_to_send_factor: float | None = Field(
        default=None,
        description="How many times more or fewer rows a plan may send than the median of those before it.",
        examples=[5],
    )
    minimum_interval_seconds: int = Field(
        default=60, description="Shortest time between two evaluations of the sensor.", examples=[60]
    )

    def notify(self) -> Notify:
        """A function that posts to the webhook, whose address it reads when it is called.

        Raises:
            ConfigurationError: No variable is named, or what it holds is not the address of a webhook.
        """
        named = secret("alerts.webhook", self.webhook, self.webhook_variable, webhook)
        if named is None:
            raise ConfigurationError("alerts needs webhook or webhook_variable")
        variable = named.env_var_name

        def post(alert: Alert) -> None:
            address = variable_content("alerts.webhook", variable)
            if not address:
                raise ConfigurationError(f"the environment variable {variable} is not set (alerts.webhook)")
            webhook(address, variable)(alert)

        return post


class DriftCheckSettings(Settings):
    """A check that reads contacts back, and warns of drift."""

    place: ClassVar[str] = "drift_check"

    sample: int = Field(default=100, description="How many contacts to read back, chosen at random.", examples=[100])
    repair: bool = Field(default=False, description="Let the next run send the drifted fields again.", examples=[True])
    recreate: bool = Field(
        default=False, description="With repair, let the next run create missing contacts again.", examples=[False]
    )


class FlappingCheckSettings(Settings):
    """A check that looks for values that go back and forth."""

    place: ClassVar[str] = "flapping_check"

    days: float = Field(default=FLAPPING_DAYS, description="How many days of the history it looks at.", examples=[7])


class ObservedSourceSettings(Settings):
    """An asset that watches the table of the source; its data version is the result of a query."""

    place: ClassVar[str] = "observed_source"

    version_query: str = Field(
        description="Returns one row with one value.", examples=["select max(updated_at) from analytics.customers"]
    )
    key: str | None = Field(
        default=None,
        description="The asset key of the table. Default: the table of the source.",
        examples=["analytics/customers"],
    )

    def asset(self, tables: list[list[str]], warehouse_key: str) -> dg.AssetsDefinition:
        """The asset.

        Raises:
            ConfigurationError: The source does not read exactly one table, and no key is given.
        """
        if self.key is None and len(tables) != 1:
            count = "no table that can be found" if not tables else f"{len(tables)} tables"
            raise ConfigurationError(f"observed_source needs key: the source reads {count}")
        key = tables[0] if self.key is None else self.key.split("/")
        return observed_source(key, self.version_query, warehouse_key)


class AutomationFields(Settings):
    """The settings of a component that run and watch its sync."""

    schedule: str | ScheduleSettings | None = Field(
        default=None,
        description="Cron expression of a schedule in UTC, or its settings; switch it on in the UI.",
        examples=["0 * * * *", {"cron": "0 6 * * *", "timezone": "Europe/Berlin"}],
    )
    retry: RetrySettings | None = Field(
        default=None,
        description="A sensor that runs the sync again for refused and failed rows; switch it on in the UI.",
        examples=[{"max_runs": 3}],
    )
    alerts: AlertSettings | None = Field(
        default=None,
        description="A sensor that posts alerts to a webhook; switch it on in the UI.",
        examples=[{"webhook": "{{ env.OPS_WEBHOOK }}", "max_rejected_rows": 100}],
    )
    drift_check: DriftCheckSettings | None = Field(
        default=None,
        description="A check that reads contacts back, and warns of drift. The job of the sync leaves it out.",
        examples=[{"sample": 100}],
    )
    flapping_check: FlappingCheckSettings | None = Field(
        default=None,
        description="A check for values that go back and forth. The job of the sync leaves it out.",
        examples=[{"days": 7}],
    )
    observed_source: ObservedSourceSettings | None = Field(
        default=None,
        description="An asset that watches the table of the source, for an automation_condition.",
        examples=[{"version_query": "select max(updated_at) from analytics.customers"}],
    )

    def automation(
        self, sync: ContactSync, tables: list[list[str]], warehouse_key: str, dailystory_key: str
    ) -> dg.Definitions:
        """The schedule, the sensors, the check and the observed source that are set.

        Raises:
            ConfigurationError: A setting is not valid.
        """
        schedules, sensors = [], list[dg.SensorDefinition]()
        if isinstance(self.schedule, str):
            check_cron(self.schedule, setting="schedule")
            schedules = [sync_schedule(sync, self.schedule)]
        elif self.schedule is not None:
            schedules = [self.schedule.schedule(sync)]
        if self.retry is not None:
            retry = self.retry
            sensors.append(retry_sensor(sync, retry.max_runs, retry.minimum_interval_seconds, warehouse_key))
        if isinstance(sync.partitions, ColumnValues) and sync.partitions.is_dynamic:
            sensors.append(partition_sensor(sync, warehouse_key=warehouse_key))
        if self.alerts is not None:
            limits = self.alerts.model_dump(exclude={"webhook", "webhook_variable"})
            sensors += alert_sensors(sync, self.alerts.notify(), warehouse_key=warehouse_key, **limits)
        checks = []
        if self.drift_check is not None:
            drift = self.drift_check
            checks = [
                drift_check(sync, drift.sample, drift.repair, warehouse_key, dailystory_key, recreate=drift.recreate)
            ]
        if self.flapping_check is not None:
            checks.append(flapping_check(sync, self.flapping_check.days, warehouse_key))
        observed = [] if self.observed_source is None else [self.observed_source.asset(tables, warehouse_key)]
        return dg.Definitions(assets=observed, asset_checks=checks, schedules=schedules, sensors=sensors)
