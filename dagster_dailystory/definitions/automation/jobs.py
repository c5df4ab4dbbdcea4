"""The job that runs a whole sync."""

from functools import cache

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition  # not exported

from dagster_dailystory.engine.planning.guards import GUARD_NAMES
from dagster_dailystory.engine.upkeep.checks import PLAN_CHECKS, SEND_CHECKS
from dagster_dailystory.model.sync import ContactSync


def sync_job(sync: ContactSync) -> UnresolvedAssetJobDefinition:
    """The job that runs a whole sync: plan, then send. A schedule and a sensor of one sync share it."""
    return _job(sync.name)


@cache
def _job(sync_name: str) -> UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        f"sync_{sync_name}", selection=_assets(sync_name), description=f"Run the sync {sync_name}."
    )


def _assets(sync_name: str) -> dg.AssetSelection:
    """The three assets with the checks that their ops run, but without the drift check, which sends requests."""
    changes, contacts, contact_map = (
        dg.AssetKey(["dailystory", sync_name, noun]) for noun in ("changes", "contacts", "contact_map")
    )
    checks = [dg.AssetCheckKey(changes, name) for name in (*GUARD_NAMES, *PLAN_CHECKS)]
    checks += [dg.AssetCheckKey(contacts, name) for name in SEND_CHECKS]
    assets = dg.AssetSelection.assets(changes, contacts, contact_map).without_checks()
    return assets | dg.AssetSelection.checks(*checks)
