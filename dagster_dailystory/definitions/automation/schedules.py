"""Schedules and conditions that run a sync by a cron expression."""

from collections.abc import Iterator, Sequence
from enum import Enum

import dagster as dg
from dagster._utils.schedules import is_valid_cron_string  # not exported

from dagster_dailystory.definitions.automation.jobs import range_tags, sync_job, unfinished_run
from dagster_dailystory.definitions.partitions import all_partitions
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.partitions import ColumnValues, TimeWindows
from dagster_dailystory.model.settings import check_timezone, check_value, choice, named_settings
from dagster_dailystory.model.sync import ContactSync


@named_settings
def every(cron: str, timezone: str = "UTC") -> dg.AutomationCondition[dg.AssetKey]:
    """Run a whole sync at each tick of a cron schedule, whether its upstream assets have run or not.

    `AutomationCondition.on_cron` waits for all upstream assets, and so never runs a sync of a table that Dagster does
    not materialize. Like all conditions it requests the newest time window only: use `sync_schedule` with time windows.

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
    sync: ContactSync,
    cron: str,
    timezone: str = "UTC",
    *,
    skip_if_running: bool = True,
    schedule_window: str = "all",
) -> dg.ScheduleDefinition:
    """Run a whole sync by a cron schedule. Switch it on in the UI.

    Hash buckets and the listed values of a column are a run each. Time windows, and slices that the source names, are
    one run, with one plan of the whole source.

    Args:
        sync: The sync.
        cron: For example `0 * * * *`.
        timezone: The time zone of the cron expression.
        skip_if_running: Skip a tick while a run of the sync is queued or started: it would wait for that run, hold a
            slot, and find nothing to send. The tick says which run.
        schedule_window: `all`, or `newest` for the newest two time windows only. That suits a source to which rows are
            only added: a row of an older window that changes or leaves is never sent.

    Raises:
        ConfigurationError: The cron expression or the time zone is not valid, `skip_if_running` is not a truth value,
            or `schedule_window` is not one of the two, or the sync has no time windows.
    """
    check_cron(cron, timezone)
    check_value("skip_if_running", skip_if_running, bool)
    newest = choice(_ScheduleWindow, schedule_window, "schedule_window") is _ScheduleWindow.NEWEST
    if newest and not isinstance(sync.partitions, TimeWindows):
        raise ConfigurationError("schedule_window='newest' needs a sync with TimeWindows as its partitions")
    job = sync_job(sync)

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        running = unfinished_run(context.instance, sync) if skip_if_running else ""
        if running:
            yield dg.SkipReason(f"{running} (skip_if_running)")
            return
        yield from _requests(context, sync, newest=newest)

    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=timezone,
        description=f"Keep DailyStory's contacts equal to the source of the sync {sync.name}.",
        execution_fn=requests,
    )


def _requests(
    context: dg.ScheduleEvaluationContext, sync: ContactSync, *, newest: bool
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """The runs of one tick."""
    tick, partitions = context.scheduled_execution_time.isoformat(), sync.partitions
    if partitions is None:
        yield dg.RunRequest()
        return
    if isinstance(partitions, TimeWindows):
        names: Sequence[str] = partitions.names[-_NEWEST_WINDOWS:] if newest else partitions.names
    elif isinstance(partitions, ColumnValues) and partitions.is_dynamic:
        names = all_partitions(sync, context.instance)
        if not names:
            yield dg.SkipReason(f"the sync has no partition yet: switch the sensor partitions_{sync.name} on")
            return
    else:
        for partition in partitions.names:
            yield dg.RunRequest(run_key=f"{tick}|{partition}", partition_key=partition)
        return
    yield dg.RunRequest(run_key=tick, tags=range_tags(names[0], names[-1]))


_NEWEST_WINDOWS = 2
"""A run just after midnight takes the day that has ended too."""


class _ScheduleWindow(str, Enum):
    ALL = "all"
    NEWEST = "newest"


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
    check_timezone(timezone)
