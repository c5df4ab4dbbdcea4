"""One run of a sync: settle open intents, plan (with the guards), send, report. Only this module knows the order."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dagster_dailystory.engine.account import check_account, try_destination
from dagster_dailystory.engine.endpoints import Destination, Warehouse
from dagster_dailystory.engine.planning.plan import make_plan
from dagster_dailystory.engine.planning.plan_history import PlanHistory
from dagster_dailystory.engine.presence.last_check import LastCheck
from dagster_dailystory.engine.presence.source_keys import SourceKeys
from dagster_dailystory.engine.sending.dispatcher import SenderCounts
from dagster_dailystory.engine.sending.open_intents import settle_intents
from dagster_dailystory.engine.sending.outbox import Outbox
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.state.incremental import advance
from dagster_dailystory.engine.state.lease import NO_WAIT, Lease, Waiting, open_session
from dagster_dailystory.engine.state.plans.stored import Plan, Plans
from dagster_dailystory.engine.state.recovery import Intents
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import BusyError, DailyStoryError, OutageError
from dagster_dailystory.model.change import Outcome
from dagster_dailystory.model.plan import (
    PlanOptions,
    PlanStatus,
    PlanSummary,
    checked_options,
    planned_counts,
    raise_if_blocked,
)
from dagster_dailystory.model.report import (
    COMPLETE_OUTCOMES,
    Progress,
    SentOptOuts,
    SyncReport,
    planned_report,
    sent_report,
)
from dagster_dailystory.model.settings import named_settings
from dagster_dailystory.model.sync import ContactSync, Scope

_log = logging.getLogger("dagster_dailystory")


@dataclass(frozen=True)
class SendResult:
    """What a send did, and the error that stopped it, if any.

    Attributes:
        report: The counts; the state's run log has them too.
        error: The error that stopped the send, None if it was completed.
    """

    report: SyncReport
    error: DailyStoryError | None = None


@dataclass(frozen=True)
class RunResult(SendResult):
    """What became of a run.

    Attributes:
        new_plan: The plan that this call made, None if it sent the plan that the run had.
        note: Why it made one although the run had a plan, or why it sent nothing.
    """

    new_plan: PlanSummary | None = None
    note: str = ""


def plan_contact_sync(
    sync: ContactSync,
    warehouse: Warehouse,
    destination: Destination,
    options: PlanOptions = PlanOptions(),  # noqa: B008  # frozen
    run_id: str | None = None,
    *,
    waiting: Waiting = NO_WAIT,
) -> PlanSummary:
    """Compare source and snapshot, and store the changes as a plan.

    Args:
        sync: The sync.
        warehouse: The source and the state.
        destination: The account that the plan is for. Nothing is written there, but open intents of
            earlier runs are looked up.
        options: Scope, dry run, limit, keys.
        run_id: The run that may send the plan.
        waiting: How to wait for other runs of this sync.

    Raises:
        BusyError: Another run still has the lease of the sync.
        DailyStoryError: See the tree in `errors`; the state is as it was.
    """
    run_id = run_id or new_run_id()
    with open_session(sync, warehouse.state, waiting, run_id) as (state, lease):
        return _plan(state, lease, warehouse, destination, options, run_id)


def send_contact_sync(
    sync: ContactSync,
    warehouse: Warehouse,
    destination: Destination,
    run_ids: Sequence[str],
    on_progress: Callable[[Progress], None] | None = None,
    *,
    partition: str | None = None,
    waiting: Waiting = NO_WAIT,
) -> SendResult:
    """Send the newest plan of a run.

    Args:
        sync: The sync, with the mapping that was planned.
        warehouse: The source and the state.
        destination: The account that the plan is for.
        run_ids: The run itself, and the runs that it re-executes; only their plans may be sent.
        on_progress: Called at most once a second.
        partition: The slice whose plan is sent, None for a plan of the whole source.
        waiting: How to wait for other runs of this sync.

    Raises:
        BusyError: Another run still has the lease of the sync.
        SafetyError: There is no such plan, or it is blocked, a dry run, superseded or sent already.
        DailyStoryError: See the tree in `errors`.
    """
    with open_session(sync, warehouse.state, waiting, run_ids[0]) as (state, lease):
        return _send(state, lease, warehouse, destination, run_ids, partition, on_progress)


def resume_or_run(
    sync: ContactSync,
    warehouse: Warehouse,
    destination: Destination,
    options: PlanOptions,
    run_ids: Sequence[str],
    on_progress: Callable[[Progress], None] | None = None,
    *,
    waiting: Waiting = NO_WAIT,
) -> RunResult:
    """Send the newest plan of a run. Plan first if it has none, or if another run got ahead of it.

    Runs of one sync that overlap take turns: the plan of the later one supersedes that of the earlier one, which then
    plans what is left, under the same guards.

    Args:
        sync: The sync.
        warehouse: The source and the state.
        destination: The account to send to.
        options: What to plan, if there is nothing to resume.
        run_ids: The run itself, then the runs that it re-executes. If one of those sent its plan completely, nothing is
            left; rows that failed are planned again.
        on_progress: Called at most once a second.
        waiting: How to wait for other runs of this sync.

    Raises:
        BusyError: Another run still has the lease of the sync.
        SafetyError: The plan is blocked; nothing was sent.
        DailyStoryError: See the tree in `errors`.
    """
    with open_session(sync, warehouse.state, waiting, run_ids[0]) as (state, lease):
        plans, partition = Plans(state), options.partition
        with state.connection.begin():
            plan = plans.newest_of(run_ids, partition)
            is_sent = plan is not None and plan.summary.status is PlanStatus.DONE
            report = plans.report_of(plan) if plan is not None and is_sent else None
        is_complete = report is not None and report.outcome in COMPLETE_OUTCOMES
        if plan is not None and report is not None and is_complete and plan.run_id != run_ids[0]:
            note = f"plan {plan.summary.plan_id} was sent already, and nothing of it is left to send"
            return RunResult(report, note=note)
        summary, new_plan, note = None if plan is None else plan.summary, None, ""
        if summary is None or summary.status in _OVERTAKEN:
            if summary is not None:
                why = _OVERTAKEN[summary.status] if report is None or is_complete else "sent, but rows of it failed"
                note = f"plan {summary.plan_id} is {why}, so this run plans again"
            summary = new_plan = _plan(state, lease, warehouse, destination, options, run_ids[0])
            raise_if_blocked(summary)
        if summary.status is PlanStatus.DRY:
            return RunResult(planned_report(summary, "dry"), new_plan=new_plan, note="a dry run sends nothing")
        sent = _send(state, lease, warehouse, destination, run_ids, partition, on_progress, waiting)
        return RunResult(sent.report, sent.error, new_plan, note)


_OVERTAKEN = {
    PlanStatus.SUPERSEDED: "superseded by a newer plan",
    PlanStatus.DONE: "sent already",
    PlanStatus.EXPIRED: "older than plan_expires_hours",
}
"""Why the plan of a run is not sent any more, although no guard forbids it."""


@named_settings
def run_contact_sync(
    sync: ContactSync,
    *,
    warehouse_url: str,
    base_url: str,
    api_token: str,
    state_url: str | None = None,
    state_schema: str | None = None,
    scope: Scope | str = Scope.CHANGED,
    dry_run: bool = False,
    limit: int | None = None,
    keys: Sequence[object] | None = None,
    partition: str | None = None,
    requests_per_second: float | None = None,
    max_concurrency: int | None = None,
    accept_account: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> SyncReport:
    """Make DailyStory's contacts equal to a warehouse query, with the engine that the Dagster assets use.

    Args:
        sync: The sync.
        warehouse_url: SQLAlchemy URL of the warehouse.
        base_url: The data centre's URL, `https://us-1.dailystory.com/api/v1`.
        api_token: From Account Settings > API Tokens.
        state_url: SQLAlchemy URL of the state database; None keeps the state in the warehouse.
        state_schema: Schema of the state tables.
        scope: The rows to look at: `changed`, `all`, `rejected` before (none with a NULL in its key), `opt_outs` alone.
        dry_run: Plan only, as a preview that can never be sent.
        limit: At most this many creates and updates.
        keys: Only these keys; the parts of a composite one are joined by `|`. None for all keys.
        partition: Only this slice of a sync with `partitions`.
        requests_per_second: The permitted rate; None to find it while sending.
        max_concurrency: Requests in flight at once; None to let their number follow rate and latency, up to 32.
        accept_account: Send with a new token, although DailyStory does not say which account it belongs to.
        on_progress: Called at most once a second while sending.

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
    warehouse = Warehouse.at(warehouse_url, state_url, state_schema)
    destination = Destination(base_url, api_token, requests_per_second, max_concurrency, accept_account=accept_account)
    options = checked_options(scope, dry_run=dry_run, limit=limit, keys=keys, partition=partition)
    run_id = new_run_id()
    with open_session(sync, warehouse.state, run_id=run_id) as (state, lease):
        plan = _plan(state, lease, warehouse, destination, options, run_id)
        if plan.status is PlanStatus.DRY:
            return planned_report(plan, "dry")
        raise_if_blocked(plan)
        result = _send(state, lease, warehouse, destination, [run_id], partition, on_progress)
    if result.error is not None:
        raise result.error
    return result.report


def new_run_id() -> str:
    """A random id for a run outside Dagster."""
    return f"python-{secrets.token_hex(8)}"


def _plan(
    state: State, lease: Lease, warehouse: Warehouse, destination: Destination, options: PlanOptions, run_id: str
) -> PlanSummary:
    settings = destination.client_settings(state.sync)
    with state.connection.begin():
        state.check_destination(settings.base_url)
        tables = state.load_tables()
    if tables is not None and not options.dry_run and Intents(state, tables, lease).open():
        _settle_before_plan(state, tables, lease, destination)
    warning = try_destination(state, destination) if options.dry_run else ""
    summary = make_plan(state, lease, warehouse.url, options, run_id, settings.base_url)
    summary = replace(summary, destination_warning=warning)
    _log.info(
        "sync %s: plan %s is %s: %d rows read, %s",
        summary.sync_name, summary.plan_id, summary.status.value, summary.rows_read,
        planned_counts(state.sync, summary),
    )  # fmt: skip
    for warning in summary.warnings:
        _log.warning("sync %s: %s", summary.sync_name, warning)
    return summary


def _settle_before_plan(state: State, tables: SyncTables, lease: Lease, destination: Destination) -> None:
    """Look up what earlier runs left open. A plan can be made without: the rows wait."""
    with destination.sender(state.sync) as sender:
        try:
            check_account(state, sender, destination)
        except OutageError as error:
            _log.warning("sync %s: %s; the plan is made all the same", state.sync.name, error)
        else:
            settle_intents(state, tables, lease, sender)


def _send(
    state: State,
    lease: Lease,
    warehouse: Warehouse,
    destination: Destination,
    run_ids: Sequence[str],
    partition: str | None,
    on_progress: Callable[[Progress], None] | None,
    waiting: Waiting = NO_WAIT,
) -> SendResult:
    plans = Plans(state)
    with lease.transaction(state):
        state.check_destination(destination.client_settings(state.sync).base_url)
        plan = plans.claim(run_ids, partition)
        tables = state.load_tables()
        plans.check_complete(plan, tables)
    started_at, started, sent = state.now(), time.perf_counter(), _Sent()
    if tables is not None:
        sender = destination.sender(state.sync)
        check = LastCheck(state, tables, lease, plan.summary.plan_id, SourceKeys(state, tables, warehouse.url))
        outbox = Outbox(state, tables, lease, plan.summary.plan_id, sender, check, on_progress, waiting.check)
        sent = _send_all(state, tables, lease, plan, destination, sender, outbox)
    results, seconds = (sent.outcomes, sent.rows_open, sent.opt_outs), time.perf_counter() - started
    report = sent_report(plan.summary, *results, sent.counts.reported, seconds, stopped=sent.error is not None)
    if not isinstance(sent.error, BusyError):
        with lease.transaction(state):
            if sent.error is None:
                plans.check_complete(plan, tables, sent=True)
            _record(state, plan, report, tables, started_at)
    return SendResult(report, sent.error)


def _record(state: State, plan: Plan, report: SyncReport, tables: SyncTables | None, started_at: datetime) -> None:
    """Record the send and what it ends: the first load, and the read up to the plan's checkpoint if it is complete."""
    is_usual = report.outcome in COMPLETE_OUTCOMES or report.outage  # an outage has a line of its own
    _log.log(logging.INFO if is_usual else logging.WARNING, "%s", report)
    if report.send_advice:
        _log.info("sync %s: %s", report.sync_name, report.send_advice)
    if report.outage and report.outcome != "stopped":
        _log.warning("sync %s: the last requests failed, and the next run goes on: %s", report.sync_name, report.outage)
    Plans(state).finish(plan, report, started_at)
    if report.outcome != "stopped":
        PlanHistory(state).finish_first_load(plan, tables)
    elif tables is not None:
        Plans(state).release(plan, tables)
    if report.outcome in COMPLETE_OUTCOMES and plan.summary.next_checkpoint is not None:
        advance(state, plan.summary.next_checkpoint)


@dataclass(frozen=True)
class _Sent:
    """What became of a plan's changes: results, requests, changes without a result, and the error that stopped it."""

    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    counts: SenderCounts = field(default_factory=SenderCounts)
    rows_open: int = 0
    opt_outs: SentOptOuts = field(default_factory=SentOptOuts)
    error: DailyStoryError | None = None


def _send_all(
    state: State,
    tables: SyncTables,
    lease: Lease,
    plan: Plan,
    destination: Destination,
    sender: Sender,
    outbox: Outbox,
) -> _Sent:
    error: DailyStoryError | None = None
    try:
        if plan.summary.rows_to_send:
            sender.start(lease.heartbeat.is_safe)
            check_account(state, sender, destination)
            settle_intents(state, tables, lease, sender)
        outbox.send()
        error = sender.counts.unanswered
    except DailyStoryError as stopped:
        error = stopped
    finally:
        sender.stop()
    return _Sent(outbox.outcomes, sender.counts, outbox.rows_open, outbox.opt_outs, error)
