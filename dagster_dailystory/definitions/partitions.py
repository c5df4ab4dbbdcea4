"""The slices of a sync as Dagster partitions."""

from collections.abc import Sequence
from datetime import date

import dagster as dg

from dagster_dailystory.model.partitions import RANGE_SIGN, ColumnValues, TimeWindows
from dagster_dailystory.model.sync import ContactSync


def partitions_definition(sync: ContactSync) -> dg.PartitionsDefinition[str] | None:
    """The partitions of a sync, with the names of its slices; None for a sync without partitions."""
    partitions = sync.partitions
    if isinstance(partitions, TimeWindows):
        return _time_windows(partitions)
    if isinstance(partitions, ColumnValues) and partitions.is_dynamic:
        return dynamic_definition(sync.name)
    return dg.StaticPartitionsDefinition(partitions.names) if partitions else None


def dynamic_definition(sync_name: str) -> dg.DynamicPartitionsDefinition:
    """The partitions of a sync that its source names."""
    return dg.DynamicPartitionsDefinition(name=f"dailystory_{sync_name}")


def all_partitions(sync: ContactSync, instance: dg.DagsterInstance) -> Sequence[str]:
    """All partitions of a sync, in their order; those that its source names as far as Dagster has them."""
    partitions = sync.partitions
    if isinstance(partitions, ColumnValues) and partitions.is_dynamic:
        return instance.get_dynamic_partitions(str(dynamic_definition(sync.name).name))
    return () if partitions is None else partitions.names


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


def partition_of(context: dg.AssetExecutionContext, sync: ContactSync) -> str | None:
    """The slice of a run, or its range of slices (`first...last`); None where the sync has no partitions.

    A backfill names one slice as a range too.
    """
    if not (context.has_partition_key or context.has_partition_key_range):
        return None
    names = context.partition_key_range
    first, last = str(names.start), str(names.end)
    is_dynamic = isinstance(sync.partitions, ColumnValues) and sync.partitions.is_dynamic
    known = all_partitions(sync, context.instance) if is_dynamic else ()
    if first == last:
        return None if list(known) == [first] else first  # the only one so far: the source may have others by now
    if is_dynamic:
        _check_has_all(context, known)
        return None
    return f"{first}{RANGE_SIGN}{last}"


def _check_has_all(context: dg.AssetExecutionContext, known: Sequence[str]) -> None:
    """Check that a run has all partitions that the source named: it is of the whole source.

    Raises:
        Failure: It has some of them, which no plan covers.
    """
    if set(context.partition_keys) < set(known):
        message = f"this run has {len(context.partition_keys)} of {len(known)} partitions that the source named"
        raise dg.Failure(f"{message}; launch one run for each, or one for all", allow_retries=False)
