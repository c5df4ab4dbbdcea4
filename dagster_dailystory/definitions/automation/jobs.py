"""The job that runs a whole sync, and which of Dagster's runs are runs of a sync."""

from functools import cache

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition  # not exported
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES  # not exported
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG  # not exported

from dagster_dailystory.engine.planning.guards import GUARD_NAMES
from dagster_dailystory.engine.upkeep.checks import SEND_CHECKS, plan_check_texts
from dagster_dailystory.model.sync import ContactSync

RANGE_TAGS = (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
"""Tags of a run of several partitions: the first and the last."""


def sync_job(sync: ContactSync) -> UnresolvedAssetJobDefinition:
    """The job that runs a whole sync: plan, then send. A schedule and a sensor of one sync share it."""
    return _job(sync.name, tuple(plan_check_texts(sync)))


@cache
def _job(sync_name: str, plan_checks: tuple[str, ...]) -> UnresolvedAssetJobDefinition:
    selection = _assets(sync_name, plan_checks)
    return dg.define_asset_job(f"sync_{sync_name}", selection=selection, description=f"Run the sync {sync_name}.")


def _assets(sync_name: str, plan_checks: tuple[str, ...]) -> dg.AssetSelection:
    """The three assets with the checks that their ops run, but without the drift check, which sends requests."""
    changes, contacts, contact_map = (
        dg.AssetKey(["dailystory", sync_name, noun]) for noun in ("changes", "contacts", "contact_map")
    )
    checks = [dg.AssetCheckKey(changes, name) for name in (*GUARD_NAMES, *plan_checks)]
    checks += [dg.AssetCheckKey(contacts, name) for name in SEND_CHECKS]
    assets = dg.AssetSelection.assets(changes, contacts, contact_map).without_checks()
    return assets | dg.AssetSelection.checks(*checks)


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags of a run that takes a range of partitions."""
    return dict(zip(RANGE_TAGS, (first, last), strict=True))


def sync_steps(sync: ContactSync) -> tuple[str, str]:
    """The names of the two ops of a sync, which are its steps in a run of any job."""
    return f"dailystory__{sync.name}__changes", f"dailystory__{sync.name}__contacts"


def has_sync(instance: dg.DagsterInstance, run: dg.DagsterRun, sync: ContactSync, location: str | None) -> bool:
    """Whether a run of Dagster, of whichever job, plans or sends a sync.

    Args:
        instance: Where the run is.
        run: The run.
        sync: The sync.
        location: The code location of the sync, None if it is not known; another one may have a sync of this name.
    """
    origin = run.remote_job_origin
    if location is not None and origin is not None and origin.location_name != location:
        return False
    if run.job_name == sync_job(sync).name:
        return True
    steps = run.step_keys_to_execute
    if steps is None and run.execution_plan_snapshot_id is not None:
        steps = instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id).step_keys_to_execute
    return not set(sync_steps(sync)).isdisjoint(steps or ())


def location_of(context: dg.SensorEvaluationContext) -> str | None:
    """The code location of a sensor, None if it is evaluated outside of one."""
    origin = context.code_location_origin
    return None if origin is None else origin.location_name


def unfinished_run(instance: dg.DagsterInstance, sync: ContactSync, location: str | None = None) -> str:
    """The run of a sync that is queued or started, in words; empty if there is none."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES)):
        run = record.dagster_run
        if has_sync(instance, run, sync, location):
            since = f"{record.create_timestamp:%Y-%m-%d %H:%M} UTC"
            return (
                f"run {run.run_id} of this sync, created at {since}, is {run.status.value.lower()}; if its process has "
                "ended, terminate the run in the UI"
            )
    return ""
