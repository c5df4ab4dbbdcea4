"""The slices of a sync as Dagster partitions."""

from datetime import date

import dagster as dg

from dagster_dailystory.model.partitions import RANGE_SIGN, TimeWindows
from dagster_dailystory.model.sync import ContactSync


def partitions_definition(sync: ContactSync) -> dg.PartitionsDefinition[str] | None:
    """The partitions of a sync, with the names of its slices; None for a sync without partitions."""
    partitions = sync.partitions
    if isinstance(partitions, TimeWindows):
        return _time_windows(partitions)
    return dg.StaticPartitionsDefinition(partitions.names) if partitions else None


def _time_windows(windows: TimeWindows) -> dg.PartitionsDefinition[str]:
    """Windows of Dagster's with the same names, up to the one that is open."""
    start = date.fromisoformat(str(windows.start))
    weekday = start.isoweekday() % 7
    cron, name = {
        "hourly": ("0 * * * *", "%Y-%m-%d-%H:%M"),
        "daily": ("0 0 * * *", "%Y-%m-%d"),
        "weekly": (f"0 0 * * {weekday}", "%Y-%m-%d"),
        "monthly": ("0 0 1 * *", "%Y-%m-%d"),
    }[windows.every]
    return dg.TimeWindowPartitionsDefinition(
        start=start.strftime(name),
        end=windows.closes and windows.closes.strftime(name),
        fmt=name,
        cron_schedule=cron,
        timezone=windows.timezone,
        end_offset=1,
    )


def partition_of(context: dg.AssetExecutionContext) -> str | None:
    """The slice of a run, or its range of slices (`first...last`); None where the sync has no partitions.

    A backfill names one slice as a range too.
    """
    if not (context.has_partition_key or context.has_partition_key_range):
        return None
    names = context.partition_key_range
    return names.start if names.start == names.end else f"{names.start}{RANGE_SIGN}{names.end}"
