"""The events of an op, as far as the run selects their assets and checks."""

from collections.abc import Iterator
from typing import TypeAlias

import dagster as dg

Event: TypeAlias = dg.MaterializeResult[None] | dg.AssetCheckResult

Events: TypeAlias = Iterator[Event]
"""The events that an op of a sync yields."""


def selected(context: dg.AssetExecutionContext, *events: Event) -> Events:
    """The events of the assets and checks that the run selects; Dagster refuses all others.

    A run with several partitions records each materialization once for each of them, so only an observation of the
    asset has all of the metadata then: its numbers are those of the whole range.
    """
    is_range = context.has_partition_key_range and len(context.partition_keys) > 1
    checks = {(key.asset_key, key.name) for key in context.selected_asset_check_keys}
    for event in events:
        if isinstance(event, dg.AssetCheckResult):
            if (event.asset_key, event.check_name) in checks:
                yield event
        elif event.asset_key in context.selected_asset_keys:
            yield _for_each_partition(context, event) if is_range else event


def _for_each_partition(
    context: dg.AssetExecutionContext, event: dg.MaterializeResult[None]
) -> dg.MaterializeResult[None]:
    """A materialization that names the plan only, after an observation with all of its metadata."""
    if event.asset_key is None or not event.metadata:
        return event
    context.log_event(dg.AssetObservation(event.asset_key, metadata=event.metadata))
    return dg.MaterializeResult(asset_key=event.asset_key, metadata={"plan_id": event.metadata["plan_id"]})
