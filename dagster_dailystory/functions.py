"""A sync without an orchestrator: adopt contacts, plan, send a plan, or both, with the engine of the assets."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

from typing_extensions import Unpack

from dagster_dailystory.api.settings import AccountOptions, AccountSettings
from dagster_dailystory.engine.run import OnProgress, SendResult, open_run
from dagster_dailystory.engine.upkeep.adoption import OnAdoption, adopt
from dagster_dailystory.engine.upkeep.doctor.probe import examine_sync
from dagster_dailystory.engine.upkeep.doctor.report import ExaminationReport
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.engine.warehouse.frames import Frame, with_frame
from dagster_dailystory.model.runs.adoption import AdoptionReport, Differing
from dagster_dailystory.model.runs.approval import Approval
from dagster_dailystory.model.runs.options import checked_options
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary, raise_if_blocked
from dagster_dailystory.model.runs.report import SyncReport, planned_report
from dagster_dailystory.model.settings import check_value, choice, named_settings
from dagster_dailystory.model.sync import ContactSync, Scope


@named_settings
def run_contact_sync(
    sync: ContactSync,
    *,
    warehouse_url: str,
    base_url: str,
    api_token: str,
    state_url: str | None = None,
    state_schema: str | None = None,
    frame: Frame | None = None,
    scope: Scope | str = Scope.CHANGED,
    dry_run: bool = False,
    limit: int | None = None,
    keys: Sequence[object] | None = None,
    partition: str | None = None,
    on_progress: OnProgress | None = None,
    accept_canary: bool = False,
    **account: Unpack[AccountOptions],
) -> SyncReport:
    """Make DailyStory's contacts equal to a warehouse query: plan, and send the plan.

    Args:
        sync: The sync.
        warehouse_url: SQLAlchemy URL of the warehouse.
        base_url: The data centre's URL, `https://us-1.dailystory.com/api/v1`.
        api_token: From Account Settings > API Tokens.
        state_url: SQLAlchemy URL of the state database; None keeps the state in the warehouse.
        state_schema: Schema of the state tables.
        frame: The rows of a sync with `FrameSource`; then the state is at `state_url`, or else at `warehouse_url`.
        scope: The rows to look at: `changed`, `all`, `rejected` before (none with a NULL in its key), `opt_outs` alone.
        dry_run: Plan only, as a preview that can never be sent.
        limit: At most this many creates and updates.
        keys: Only these keys; the parts of a composite one are joined by `|`. None for all keys.
        partition: Only this slice of a sync with `partitions`.
        on_progress: Called at most once a second while sending.
        accept_canary: Go on whatever the canary found (`canary_rows`); logged, and stored with the plan.
        **account: Other settings of the account, such as `requests_per_second`; see `AccountOptions`.

    Returns:
        The counts of the run.

    Raises:
        SafetyError: A guard blocked the plan; nothing was sent.
        DailyStoryError: See the tree in `errors`.

    Example:
        ```python
        report = run_contact_sync(
            customers,
            warehouse_url="postgresql+psycopg://sync@warehouse/analytics",
            base_url="https://us-1.dailystory.com/api/v1",
            api_token=os.environ["DAILYSTORY_API_TOKEN"],
        )
        print(report.rows_created, report.rows_updated)
        ```
    """
    warehouse = Warehouse.at(warehouse_url, state_url, state_schema, sync=sync)
    options = checked_options(scope, dry_run=dry_run, limit=limit, keys=keys, partition=partition)
    accepts_canary = _accepts_canary(accept_canary, None)
    with (
        with_frame(sync, warehouse, frame) as given,
        open_run(sync, given, AccountSettings(base_url, api_token, **account), accepts_canary=accepts_canary) as run,
    ):
        plan = run.plan(options)
        if plan.status in _UNSENT:
            return planned_report(plan, plan.status.value)
        raise_if_blocked(plan)
        return _reported(run.send(options, on_progress=on_progress))


@named_settings
def plan_contact_sync(
    sync: ContactSync,
    *,
    warehouse_url: str,
    base_url: str,
    api_token: str,
    state_url: str | None = None,
    state_schema: str | None = None,
    frame: Frame | None = None,
    scope: Scope | str = Scope.CHANGED,
    dry_run: bool = False,
    limit: int | None = None,
    keys: Sequence[object] | None = None,
    partition: str | None = None,
    **account: Unpack[AccountOptions],
) -> PlanSummary:
    """Compare source and snapshot, and store the changes as a plan. Nothing is written to DailyStory.

    A plan that a guard blocks is returned like any other: look at its `status` and `guards`.

    Args:
        sync: The sync.
        warehouse_url: SQLAlchemy URL of the warehouse.
        base_url: The data centre's URL, `https://us-1.dailystory.com/api/v1`.
        api_token: From Account Settings > API Tokens.
        state_url: SQLAlchemy URL of the state database; None keeps the state in the warehouse.
        state_schema: Schema of the state tables.
        frame: The rows of a sync with `FrameSource`; then the state is at `state_url`, or else at `warehouse_url`.
        scope: The rows to look at; see `run_contact_sync`.
        dry_run: Store the plan as a preview that can never be sent.
        limit: At most this many creates and updates.
        keys: Only these keys; None for all keys.
        partition: Only this slice of a sync with `partitions`.
        **account: Other settings of the account; see `AccountOptions`.

    Returns:
        The header of the plan, with its `plan_id`.

    Raises:
        DailyStoryError: See the tree in `errors`; the state is as it was.

    Example:
        ```python
        ends = {"warehouse_url": warehouse_url, "base_url": base_url, "api_token": os.environ["DAILYSTORY_API_TOKEN"]}
        plan = plan_contact_sync(customers, **ends)
        if plan.rows_to_delete == 0:
            send_contact_sync(customers, plan_id=plan.plan_id, **ends)
        ```
    """
    warehouse = Warehouse.at(warehouse_url, state_url, state_schema, sync=sync)
    options = checked_options(scope, dry_run=dry_run, limit=limit, keys=keys, partition=partition)
    with (
        with_frame(sync, warehouse, frame) as given,
        open_run(sync, given, AccountSettings(base_url, api_token, **account)) as run,
    ):
        return run.plan(options)


@named_settings
def send_contact_sync(
    sync: ContactSync,
    *,
    plan_id: str,
    warehouse_url: str,
    base_url: str,
    api_token: str,
    state_url: str | None = None,
    state_schema: str | None = None,
    frame: Frame | None = None,
    on_progress: OnProgress | None = None,
    approved_by: str | None = None,
    max_drift: float = 0.1,
    accept_canary: bool = False,
    **account: Unpack[AccountOptions],
) -> SyncReport:
    """Send exactly this plan. A plan whose send was interrupted goes on where it stopped.

    A plan that waits for approval is approved by this, unless the source changed too much since it was made.

    Args:
        sync: The sync, with the settings that it was planned with.
        plan_id: The plan, from `plan_contact_sync` or from the metadata of `changes`.
        warehouse_url: SQLAlchemy URL of the warehouse.
        base_url: The data centre's URL, `https://us-1.dailystory.com/api/v1`.
        api_token: From Account Settings > API Tokens.
        state_url: SQLAlchemy URL of the state database; None if the state is in the warehouse.
        state_schema: Schema of the state tables.
        frame: The rows of a sync with `FrameSource`; then the state is at `state_url`, or else at `warehouse_url`.
        on_progress: Called at most once a second while sending.
        approved_by: Who approves the plan; stored with it. None: the user of the operating system.
        max_drift: Largest share of the plan's changes that may no longer be what the source asks for.
        accept_canary: Go on whatever the canary found (`canary_rows`); logged, and stored with the plan.
        **account: Other settings of the account; see `AccountOptions`.

    Returns:
        The counts of the run.

    Raises:
        SafetyError: There is no such plan, or it is blocked, a dry run, superseded, expired or sent already, or more of
            it than `max_drift` is out of date.
        DailyStoryError: See the tree in `errors`.
    """
    approval = Approval(plan_id, _user() if approved_by is None else approved_by, max_drift)
    accepts_canary = _accepts_canary(accept_canary, approval.approved_by)
    warehouse = Warehouse.at(warehouse_url, state_url, state_schema, sync=sync)
    with (
        with_frame(sync, warehouse, frame, is_sending=not sync.require_approval) as given,
        open_run(sync, given, AccountSettings(base_url, api_token, **account), accepts_canary=accepts_canary) as run,
    ):
        return _reported(run.send(approval=approval, on_progress=on_progress))


@named_settings
def examine_contact_sync(
    sync: ContactSync,
    *,
    warehouse_url: str,
    base_url: str,
    api_token: str,
    state_url: str | None = None,
    state_schema: str | None = None,
    probe_email: str | None = None,
    confirmed: bool = False,
    **account: Unpack[AccountOptions],
) -> ExaminationReport:
    """Examine whether a run could work, and on request whether DailyStory behaves as this package assumes.

    Without `probe_email` it writes nothing to DailyStory, except that it deletes the test contacts of an examination
    that was killed; in the state it makes the missing tables that all syncs share. With it, and `confirmed`, it makes a
    few test contacts in the account, tries the open questions of docs/explanation/service.md out on them, and deletes
    them. It never touches another contact.

    Args:
        sync: The sync.
        warehouse_url: SQLAlchemy URL of the warehouse.
        base_url: The data centre's URL, `https://us-1.dailystory.com/api/v1`.
        api_token: From Account Settings > API Tokens.
        state_url: SQLAlchemy URL of the state database; None if the state is in the warehouse.
        state_schema: Schema of the state tables.
        probe_email: An address of yours that no contact has; others are derived from it (`you+probe-1a2b3c4d-1@`).
        confirmed: Make the test contacts; False only lists what would be made.
        **account: Other settings of the account; see `AccountOptions`.

    Returns:
        The findings; `print(report)` shows them, without personal data.

    Raises:
        ConfigurationError: A setting is not valid; what else is wrong is a finding.

    Example:
        ```python
        account = {"base_url": base_url, "api_token": os.environ["DAILYSTORY_API_TOKEN"], "requests_per_second": 10}
        ends = {"warehouse_url": warehouse_url, **account}
        print(examine_contact_sync(customers, probe_email="you+probe@example.com", confirmed=True, **ends))
        ```
    """
    warehouse = Warehouse.at(warehouse_url, state_url, state_schema)
    return examine_sync(
        sync, warehouse, AccountSettings(base_url, api_token, **account), probe_email, confirmed=confirmed
    )


@named_settings
def adopt_contacts(
    sync: ContactSync,
    *,
    warehouse_url: str,
    base_url: str,
    api_token: str,
    state_url: str | None = None,
    state_schema: str | None = None,
    frame: Frame | None = None,
    differing: Differing | str = Differing.KEEP,
    on_progress: OnAdoption | None = None,
    **account: Unpack[AccountOptions],
) -> AdoptionReport:
    """Map the contacts that DailyStory has already, before the first load. Nothing is written to DailyStory.

    Each row without a contact is looked up by its email or mobile number. What was found counts as acknowledged, so
    that the next run sends only what differs. A call that was stopped is made again, and goes on where it stopped.

    Args:
        sync: The sync.
        warehouse_url: SQLAlchemy URL of the warehouse.
        base_url: The data centre's URL, `https://us-1.dailystory.com/api/v1`.
        api_token: From Account Settings > API Tokens.
        state_url: SQLAlchemy URL of the state database; None keeps the state in the warehouse.
        state_schema: Schema of the state tables.
        frame: The rows of a sync with `FrameSource`; then the state is at `state_url`, or else at `warehouse_url`.
        differing: Where DailyStory has another value than the source: `keep` (it stays until the source changes) or
            `send` (the next run sends the source's). Opt-outs that DailyStory lacks are sent in any case.
        on_progress: Called at most once a second.
        **account: Other settings of the account, such as `requests_per_second`; see `AccountOptions`.

    Returns:
        The counts of rows, and the values that differ by field; `print` shows them.

    Raises:
        ConfigurationError: An adoption with another `differing` is not done.
        DailyStoryError: See the tree in `errors`; what was looked up before stays.

    Example:
        ```python
        ends = {"warehouse_url": warehouse_url, "base_url": base_url, "api_token": os.environ["DAILYSTORY_API_TOKEN"]}
        print(adopt_contacts(customers, **ends))
        print(run_contact_sync(customers, **ends))
        ```
    """
    warehouse = Warehouse.at(warehouse_url, state_url, state_schema)
    taken = choice(Differing, differing, "differing")
    with with_frame(sync, warehouse, frame) as given:
        settings = AccountSettings(base_url, api_token, **account)
        return adopt(sync, given, settings, differing=taken, on_progress=on_progress)


_UNSENT = (PlanStatus.DRY, PlanStatus.WAITING)


def _user() -> str:
    """The user of the operating system; empty where it has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def _accepts_canary(accept_canary: bool, person: str | None) -> str | None:
    """Who accepts what a canary found: this person or the user of the operating system; None if it is not accepted.

    Raises:
        ConfigurationError: `accept_canary` is not True or False.
    """
    check_value("accept_canary", accept_canary, bool)
    if not accept_canary:
        return None
    return _user() if person is None else person


def _reported(result: SendResult) -> SyncReport:
    """The report of a send that was not stopped by an error.

    Raises:
        DailyStoryError: The error that stopped it.
    """
    if result.error is not None:
        raise result.error
    return result.report
