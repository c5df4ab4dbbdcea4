"""A sync as a task group: plan, check, send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, Param, TaskGroup, task_group

from dagster_dailystory.airflow_provider.operators import CheckPlan, MakePlan, SendPlan
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import ContactSync, Scope

if TYPE_CHECKING:
    from airflow.sdk import XComArg


def contact_assets(sync: ContactSync) -> list[Asset]:
    """The assets of a sync, to schedule a DAG on: the contacts in DailyStory, and the contact map."""
    return [
        Asset(name=f"dailystory/{sync.name}/{noun}", uri=f"dailystory://{sync.name}/{noun}")
        for noun in ("contacts", "contact_map")
    ]


def sync_params() -> dict[str, Param]:
    """The options of a run as parameters of a DAG: `DAG(..., params=sync_params())`. The defaults suit a schedule."""
    scopes = [scope.value for scope in Scope]
    return {
        "scope": Param(None, enum=[None, *scopes], description="The rows to look at. Default: that of the group."),
        "dry_run": Param(False, type="boolean", description="Plan only, as a preview that can never be sent."),
        "limit": Param(None, type=["null", "integer"], minimum=1, description="At most this many creates and updates."),
        "keys": Param(None, type=["null", "array"], description="Only these keys; a|b for a composite one."),
        "plan_id": Param(None, type=["null", "string"], description="Send exactly this plan, and approve it."),
        "accept_canary": Param(False, type="boolean", description="Go on whatever the canary found (canary_rows)."),
    }


def contact_sync_group(
    sync: ContactSync,
    *,
    group_id: str | None = None,
    partition: str | None = None,
    partitions: Sequence[str] | XComArg | None = None,
    **settings: object,
) -> TaskGroup:
    """Make the tasks `plan`, `check` and `send` of a sync, within a DAG.

    Args:
        sync: The sync.
        group_id: The name of the group. Default: the name of the sync.
        partition: Only this slice of a sync with `partitions`; may be a template, such as `{{ ds }}`.
        partitions: These slices, each with a plan of its own, so that they fail apart.
        **settings: The connections and other settings of the tasks (`warehouse_conn_id`, `state_conn_id`, `pool`,
            `retries`), see `SyncOperator`.

    Returns:
        The group, to put tasks before or after it.

    Raises:
        ConfigurationError: The sync reads a frame, or both partition and partitions are given.

    Example:
        ```python
        with DAG("customers", schedule="@hourly", catchup=False, params=sync_params()):
            contact_sync_group(customers, warehouse_conn_id="warehouse")
        ```
    """

    def tasks(partition: str | None) -> None:
        common: dict[str, Any] = {"sync": sync, "partition": partition, **settings}
        plan = MakePlan(task_id="plan", **common)
        check = CheckPlan(task_id="check", plan=plan.output, **common)
        check >> SendPlan(task_id="send", outlets=contact_assets(sync), **common)

    if partition is not None and partitions is not None:
        raise ConfigurationError(f"the task group of sync {sync.name!r} takes partition or partitions, not both")
    made = task_group(group_id=group_id or sync.name)(tasks)
    return made(partition) if partitions is None else made.expand(partition=partitions)
