"""Schedules and conditions that run a sync by a cron expression."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import dagster as dg
from dagster._utils.schedules import is_valid_cron_string  # not exported

from dagster_dailystory.definitions.automation.jobs import sync_job, unfinished_run
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.settings import check_value, named_settings
from dagster_dailystory.model.sync import ContactSync


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
def sync_schedule(
    sync: ContactSync, cron: str, timezone: str = "UTC", *, skip_if_running: bool = True
) -> dg.ScheduleDefinition:
    """Run a whole sync, or each of its partitions, by a cron schedule. Switch it on in the UI.

    Args:
        sync: The sync.
        cron: For example `0 * * * *`.
        timezone: The time zone of the cron expression.
        skip_if_running: Skip a tick while a run of the sync is queued or started: it would wait for that run, hold a
            slot, and find nothing to send. The tick says which run.

    Raises:
        ConfigurationError: The cron expression or the time zone is not valid, or `skip_if_running` is not a truth
            value.
    """
    check_cron(cron, timezone)
    check_value("skip_if_running", skip_if_running, bool)
    job = sync_job(sync)
    partitions = sync.partitions.names if sync.partitions else None

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        running = unfinished_run(context.instance, sync) if skip_if_running else ""
        if running:
            yield dg.SkipReason(f"{running} (skip_if_running)")
            return
        if partitions is None:
            yield dg.RunRequest()
        tick = context.scheduled_execution_time.isoformat()
        for partition in partitions or ():
            yield dg.RunRequest(run_key=f"{tick}|{partition}", partition_key=partition)

    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        description=f"Keep DailyStory's contacts equal to the source of the sync {sync.name}.",
        execution_fn=requests,
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
