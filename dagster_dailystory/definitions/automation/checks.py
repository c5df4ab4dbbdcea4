"""Checks beside those of a run: of contacts that are read back, and of values that go back and forth."""

import dagster as dg

from dagster_dailystory.api.settings import POOL
from dagster_dailystory.definitions.events.failures import dagster_failures
from dagster_dailystory.engine.state.lease import WAIT_SECONDS, Waiting
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.engine.upkeep.audit import AuditReport, audit_contacts
from dagster_dailystory.engine.upkeep.records.flapping import FLAPPING_DAYS, Flapping, find_flapping
from dagster_dailystory.model.runs.plan import counted
from dagster_dailystory.model.settings import check_least, check_value, named_settings
from dagster_dailystory.model.sync import ContactSync


@named_settings
def drift_check(
    sync: ContactSync,
    sample: int = 100,
    repair: bool = False,
    warehouse_key: str = "warehouse",
    dailystory_key: str = "dailystory",
    recreate: bool = False,
) -> dg.AssetChecksDefinition:
    """Read a sample of contacts back, and warn of drift: fields that differ from what the sync last wrote.

    A check of `contacts` with its own op, which sends one request for each contact. The job and the schedule of a sync
    leave it out; **Materialize all** in the UI runs it too. Pass it to `Definitions(asset_checks=)`.

    Args:
        sync: The sync.
        sample: How many contacts to read back, chosen at random.
        repair: Let the next run send the drifted fields again. Contacts that are missing or deleted in DailyStory are
            recorded in the contact map, and named once: their rows are held, and the check passes from then on.
        warehouse_key: Key of the `WarehouseResource`.
        dailystory_key: Key of the `DailyStoryResource`.
        recreate: With `repair`, let the next run create missing contacts again, although people may have removed them.
            For contacts with the status Deleted, the sync's `on_deleted` decides.

    Raises:
        ConfigurationError: `sample`, `repair` or `recreate` is of another type, or `sample` is not at least 1.
    """
    check_value("sample", sample, int)
    check_least("sample", sample, 1)
    for setting, value in (("repair", repair), ("recreate", recreate)):
        check_value(setting, value, bool)

    @dg.asset_check(
        name="no_drift",
        asset=dg.AssetKey(["dailystory", sync.name, "contacts"]),
        description=f"{sample} contacts, chosen at random, have the values that the sync last wrote.",
        required_resource_keys={warehouse_key, dailystory_key},
        pool=POOL,
    )
    def no_drift(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        account = getattr(context.resources, dailystory_key).account()
        with dagster_failures():
            endpoint = getattr(context.resources, warehouse_key).warehouse(sync)
            waiting = Waiting(WAIT_SECONDS, context.log.info)
            audit = audit_contacts(
                sync, endpoint, account, sample=sample, repair=repair, recreate=recreate, waiting=waiting
            )
        return _drift_result(audit)

    return no_drift


def _drift_result(audit: AuditReport) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=audit.is_clean,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            f"{audit.contacts_drifted} drifted, {audit.contacts_missing} missing,"
            f" {audit.contacts_deleted} deleted of {audit.contacts_read}"
        ),
        metadata={
            "contacts_read": audit.contacts_read,
            "contacts_drifted": audit.contacts_drifted,
            "contacts_missing": audit.contacts_missing,
            "contacts_deleted": audit.contacts_deleted,
            "keys": ", ".join(audit.keys),
            **{f"drifted/{name}": contacts for name, contacts in audit.drift_by_field.items()},
        },
    )


@named_settings
def flapping_check(
    sync: ContactSync, days: float = FLAPPING_DAYS, warehouse_key: str = "warehouse"
) -> dg.AssetChecksDefinition:
    """Warn of fields that return to an earlier value again and again, and of columns that differ in most rows.

    Both are usually faults of a query: two sources that disagree, or a time of loading that is mapped. A check of
    `contacts` with its own op, which reads the history. The job and the schedule of a sync leave it out. Pass it to
    `Definitions(asset_checks=)`.

    Args:
        sync: The sync.
        days: How many days of the history are looked at.
        warehouse_key: Key of the `WarehouseResource`.

    Raises:
        ConfigurationError: `days` is not a number of at least 1.
    """
    check_value("days", days, float)
    check_least("days", days, 1)

    @dg.asset_check(
        name="no_flapping",
        asset=dg.AssetKey(["dailystory", sync.name, "contacts"]),
        description=f"No field went back and forth within {days:g} days, and none differs in most rows of each plan.",
        required_resource_keys={warehouse_key},
    )
    def no_flapping(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        with dagster_failures():
            location = getattr(context.resources, warehouse_key).warehouse(sync).state
            with open_state(location, sync, writes=False) as state:
                return _flapping_result(find_flapping(state, days))

    return no_flapping


def _flapping_result(found: Flapping) -> dg.AssetCheckResult:
    parts = [
        f"fields that went back and forth: {counted(found.fields)} contacts" if found.fields else "",
        f"fields that differ in most rows of each plan: {', '.join(found.volatile)}" if found.volatile else "",
    ]
    return dg.AssetCheckResult(
        passed=found.is_stable,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(filter(None, parts)) or "no field went back and forth",
        metadata={
            "contacts_read": found.contacts_read,
            "keys": ", ".join(found.keys),
            **{f"flapping/{name}": contacts for name, contacts in found.fields.items()},
        },
    )
