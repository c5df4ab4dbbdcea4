"""One run of a sync: settle open intents, plan (with the guards), send, report. Only this module knows the order."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.account import check_account, sender_of, try_account
from dagster_dailystory.engine.planning.plan import make_plan
from dagster_dailystory.engine.planning.plan_history import PlanHistory
from dagster_dailystory.engine.presence.last_check import LastCheck
from dagster_dailystory.engine.presence.source_keys import SourceKeys
from dagster_dailystory.engine.sending.open_intents import settle_intents
from dagster_dailystory.engine.sending.outbox import Outbox
from dagster_dailystory.engine.sending.read_back.canary import Canary
from dagster_dailystory.engine.sending.results.sent_plan import SentPlan
from dagster_dailystory.engine.state.incremental import advance
from dagster_dailystory.engine.state.lease import NO_WAIT, Lease, Waiting, open_session
from dagster_dailystory.engine.state.plans.approval import changes_only_in
from dagster_dailystory.engine.state.plans.canary import accept_canary
from dagster_dailystory.engine.state.plans.stored import Plan, Plans
from dagster_dailystory.engine.state.recovery import Intents
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.undo.plan import make_undo_plan
from dagster_dailystory.engine.upkeep.undo.report import UndoReport, UndoSettings
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import BusyError, DailyStoryError, OutageError, SafetyError
from dagster_dailystory.model.runs.approval import Approval
from dagster_dailystory.model.runs.options import PlanOptions, needs_approval
from dagster_dailystory.model.runs.plan import OVERTAKEN, PlanStatus, PlanSummary, planned_counts, raise_if_blocked
from dagster_dailystory.model.runs.report import (
    COMPLETE_OUTCOMES,
    Progress,
    SyncReport,
    planned_report,
    sent_report,
)
from dagster_dailystory.model.sync import ContactSync

_log = logging.getLogger("dagster_dailystory")

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class SendResult:
    """What a send did, and the error that stopped it, if any.

    Attributes:
        report: The counts; the state's run log has them too.
        error: The error that stopped the send, None if it was completed.
        approval: Who approved the plan, and when; empty if it needed no approval.
        note: Why the run made a plan although it had one, or why it sent nothing.
    """

    report: SyncReport
    error: DailyStoryError | None = None
    approval: str = ""
    note: str = ""


class Run:
    """One run of a sync, with the open state and the lease of the sync. Made by `open_run`.

    Args:
        state: The open state.
        lease: The lease of the sync.
        warehouse: The source and the state.
        account: The account to plan for and to send to.
        run_ids: The run itself, then the runs that it re-executes; only their plans may be sent.
        check: Called between batches; raises if the run is to end.
        accepts_canary: Who accepts what a canary found, or would find; empty for the run itself, None without.
    """

    def __init__(
        self,
        state: State,
        lease: Lease,
        warehouse: Warehouse,
        account: AccountSettings,
        run_ids: Sequence[str],
        check: Callable[[], None],
        accepts_canary: str | None = None,
    ) -> None:
        self.state = state
        self.lease = lease
        self._warehouse = warehouse
        self._account = account
        self._run_ids = run_ids
        self._check = check
        self._accepts_canary = accepts_canary
        self._plans = Plans(state)

    def plan(self, options: PlanOptions = PlanOptions()) -> PlanSummary:  # noqa: B008  # frozen
        """Compare source and snapshot, and store the changes as a plan.

        Nothing is written to DailyStory, but open intents of earlier runs are looked up.

        Raises:
            DailyStoryError: See the tree in `errors`; the state is as it was.
        """
        state, options = self.state, self._of_sync(options)
        with state.connection.begin():
            state.check_destination(self._account.base_url)
            tables = state.load_tables()
            approved = self._plans.approved(options) if needs_approval(state.sync, options) else None
        if approved is not None:
            _log.info("sync %s: %s, and goes on", state.sync.name, approved.summary.approval)
            return approved.summary
        if tables is not None and not options.dry_run and Intents(state, tables, self.lease).open():
            self._settle_before_plan(tables)
        warning = try_account(state, self._account) if options.dry_run else ""
        summary = replace(self._make_plan(options), destination_warning=warning)
        name, status = state.sync.name, summary.status.value
        counts = (
            f"{summary.rows_read} rows read, {summary.rows_unchanged} unchanged, {planned_counts(state.sync, summary)}"
        )
        _log.info("sync %s: plan %s is %s: %s", name, summary.plan_id, status, counts)
        for warning in summary.warnings:
            _log.warning("sync %s: %s", state.sync.name, warning)
        return summary

    def send(
        self,
        options: PlanOptions = PlanOptions(),  # noqa: B008  # frozen
        approval: Approval | None = None,
        on_progress: OnProgress | None = None,
    ) -> SendResult:
        """Send the newest plan of this run, or the one that is named.

        Args:
            options: What the run planned; an approved plan of the same options, which was interrupted, goes on.
            approval: Names the plan to send, whatever run made it, and approves it if it waits for that.
            on_progress: Called at most once a second.

        Raises:
            SafetyError: There is no such plan, or it is blocked, a dry run, superseded or sent already, or the source
                changed too much since it was made.
            DailyStoryError: See the tree in `errors`.
        """
        options = self._of_sync(options)
        with self.state.connection.begin():
            plan = self._plan_to_send(options, approval)
        if approval is not None and plan is not None and plan.summary.status is PlanStatus.WAITING:
            self._check_drift(plan, approval.max_drift)
        return self._send(plan, approval, on_progress)

    def _plan_to_send(self, options: PlanOptions, approval: Approval | None) -> Plan | None:
        if approval is not None:
            plan = self._plans.named(approval.plan_id)
            if options.partition not in (None, plan.partition):
                where = "the whole source" if plan.partition is None else f"partition {plan.partition!r}"
                raise SafetyError(
                    f"plan {approval.plan_id} is of {where}, and this run is of {options.partition!r};"
                    " send it in one run with the partitions of the plan"
                )
            return plan
        newest = self._plans.newest_of(self._run_ids, options.partition)
        is_taken_over = newest is None and self.state.sync.require_approval
        return self._plans.approved(options) if is_taken_over else newest

    def _check_drift(self, plan: Plan, max_drift: float) -> None:
        """Compare a plan that is about to be approved with what a plan made now would send.

        Raises:
            SafetyError: More of its changes than `max_drift` are no longer what the source asks for.
        """
        reads_all = plan.selection.since is None  # as a plan of chosen keys does, beside a watermark
        options = PlanOptions(plan.selection.scope, dry_run=True, partition=plan.partition, reads_all=reads_all)
        now = self._make_plan(self._of_sync(options))
        with self.state.connection.begin():
            tables, planned = self.state.load_tables(), plan.summary.rows_to_send
            moved = 0 if tables is None else changes_only_in(self.state, tables, plan.summary.plan_id, now.plan_id)
        if moved > max_drift * planned:
            raise SafetyError(
                f"plan {plan.summary.plan_id} of sync {self.state.sync.name!r} is not sent: {moved:,} of its"
                f" {planned:,} changes are no longer what the source asks for, more than max_drift={max_drift:g}"
                " allows; plan again"
            )

    def _make_plan(self, options: PlanOptions) -> PlanSummary:
        destination = self._account.base_url
        return make_plan(self.state, self.lease, self._warehouse.url, options, self._run_ids[0], destination)

    def _send(self, found: Plan | None, approval: Approval | None, on_progress: OnProgress | None) -> SendResult:
        state = self.state
        approved_by = None if approval is None else approval.approved_by or self._run_ids[0]
        with self.lease.transaction(state):
            state.check_destination(self._account.base_url)
            current = None if found is None else self._plans.named(found.summary.plan_id)
            plan = self._plans.claim(current, approved_by)
            if self._accepts_canary is not None:
                plan = accept_canary(state, plan, self._accepts_canary or self._run_ids[0])
            tables = state.load_tables()
            self._plans.check_complete(plan, tables)
        started_at, started = state.now(), time.perf_counter()
        sent = SentPlan() if tables is None else self._send_all(plan, tables, on_progress)
        results, seconds = (sent.outcomes, sent.rows_open, sent.opt_outs), time.perf_counter() - started
        summary, stopped_by = replace(plan.summary, canary=sent.canary), None if sent.error is None else str(sent.error)
        requests = {**sent.counts.reported, "rows_matched": sent.rows_matched}
        report = sent_report(summary, *results, requests, seconds, stopped_by=stopped_by)
        if not isinstance(sent.error, BusyError):
            with self.lease.transaction(state):
                if sent.error is None:
                    self._plans.check_complete(plan, tables, sent=True)
                self._record(plan, report, tables, started_at)
        return SendResult(report, sent.error, plan.summary.approval)

    def resume_or_run(
        self,
        options: PlanOptions,
        on_progress: OnProgress | None = None,
        approval: Approval | None = None,
        *,
        is_retry: bool = False,
    ) -> SendResult:
        """Send the newest plan of this run. Plan first if it has none, or if another run got ahead of it.

        Runs of one sync that overlap take turns: the plan of the later one supersedes that of the earlier one, which
        then plans what is left, under the same guards. If a run that this one re-executes, or an earlier try of it,
        sent its plan completely, nothing is left; rows that failed are planned again. A sync that requires approval
        plans nothing here: only an approved plan that was interrupted goes on.

        Args:
            options: What to plan, if there is nothing to resume.
            on_progress: Called at most once a second.
            approval: Names a plan, which is sent in place of that of this run.
            is_retry: Whether an earlier try of this run may have sent the plan; its report is then the result.

        Raises:
            SafetyError: The plan is blocked; nothing was sent.
            DailyStoryError: See the tree in `errors`.
        """
        options = self._of_sync(options)
        with self.state.connection.begin():
            newest = self._plans.newest_of(self._run_ids, options.partition)
            plan = newest if approval is None else self._plans.named(approval.plan_id)
            is_sent = plan is not None and plan.summary.status is PlanStatus.DONE
            report = self._plans.report_of(plan) if plan is not None and is_sent else None
        is_complete = report is not None and report.outcome in COMPLETE_OUTCOMES
        is_repeated = is_retry or (approval is None and plan is not None and plan.run_id != self._run_ids[0])
        if plan is not None and report is not None and is_complete and is_repeated:
            note = f"plan {plan.summary.plan_id} was sent already, and nothing of it is left to send"
            return SendResult(report, note=note)
        if approval is not None:
            return self.send(options, approval, on_progress)
        if needs_approval(self.state.sync, options) and (plan is None or plan.summary.status is not PlanStatus.READY):
            return self._resume_approved(options, on_progress)
        summary, note = None if plan is None else plan.summary, ""
        if summary is None or summary.status in OVERTAKEN:
            if summary is not None:
                why = OVERTAKEN[summary.status] if report is None or is_complete else "sent, but rows of it failed"
                note = f"plan {summary.plan_id} is {why}, so this run plans again"
            summary = self.plan(options)
            raise_if_blocked(summary)
        if summary.status is PlanStatus.DRY:
            return SendResult(planned_report(summary, "dry"), note="a dry run sends nothing")
        return replace(self.send(options, on_progress=on_progress), note=note)

    def undo(
        self, source_sync: ContactSync, settings: UndoSettings, on_progress: OnProgress | None = None
    ) -> UndoReport:
        """Plan what takes back a run, and send it unless it is a dry run.

        Args:
            source_sync: The sync as it is; this run's may map more fields, see `sync_to_undo`.
            settings: What is taken back.
            on_progress: Called at most once a second.

        Raises:
            SafetyError: A guard blocks the plan; nothing was sent.
            DailyStoryError: See the tree in `errors`.
        """
        url, account = self._warehouse.url, self._account
        undo = make_undo_plan(self.state, self.lease, source_sync, url, account, settings, self._run_ids[0])
        _log.info("%s", undo)
        if settings.dry_run:
            return undo
        raise_if_blocked(undo.plan)
        result = self.send(approval=Approval(undo.plan.plan_id), on_progress=on_progress)
        if result.error is not None:
            raise result.error
        return replace(undo, sent=result.report)

    def _resume_approved(self, options: PlanOptions, on_progress: OnProgress | None) -> SendResult:
        """Send the rest of an approved plan.

        Raises:
            SafetyError: There is no plan that waits for approval, or it is blocked.
        """
        with self.state.connection.begin():
            approved, waiting = self._plans.approved(options), self._plans.waiting(options)
            newest = self._plans.newest_of(self._run_ids, options.partition)
        if approved is not None:
            return self._send(approved, None, on_progress)
        if waiting is not None:
            note = f"{waiting.summary.approval}: send it by its plan_id"
            return SendResult(planned_report(waiting.summary, "waiting"), note=note)
        if newest is not None:
            raise_if_blocked(newest.summary)
        raise SafetyError(
            f"sync {self.state.sync.name!r} requires approval, and no plan waits for it; materialize its changes first"
        )

    def _of_sync(self, options: PlanOptions) -> PlanOptions:
        return options.of_sync(self.state.sync, self.state.present)

    def _settle_before_plan(self, tables: SyncTables) -> None:
        """Look up what earlier runs left open. A plan can be made without: the rows wait."""
        with sender_of(self.state, self._account) as sender:
            try:
                check_account(self.state, sender, self._account)
            except OutageError as error:
                _log.warning("sync %s: %s; the plan is made all the same", self.state.sync.name, error)
            else:
                settle_intents(self.state, tables, self.lease, sender)

    def _send_all(self, plan: Plan, tables: SyncTables, on_progress: OnProgress | None) -> SentPlan:
        state, lease, plan_id = self.state, self.lease, plan.summary.plan_id
        sender = sender_of(state, self._account)
        check = LastCheck(state, tables, lease, plan_id, SourceKeys(state, tables, self._warehouse.url))
        canary = Canary(state, tables, lease, plan, sender, self._account.look_up_lag_seconds)
        outbox = Outbox(state, tables, lease, plan_id, sender, check, on_progress, self._check, canary)
        error: DailyStoryError | None = None
        try:
            if plan.summary.rows_to_send:
                sender.start(lease.heartbeat.is_safe)
                check_account(state, sender, self._account)
                settle_intents(state, tables, lease, sender)
            outbox.send()
            error = sender.counts.unanswered
        except DailyStoryError as stopped:
            error = stopped
        finally:
            sender.stop()
        done = (outbox.outcomes, sender.counts, outbox.rows_open, outbox.opt_outs)
        return SentPlan(*done, error, canary.found, outbox.rows_matched)

    def _record(self, plan: Plan, report: SyncReport, tables: SyncTables | None, started_at: datetime) -> None:
        """Record the send and what it ends: the first load, and the read up to the plan's checkpoint if complete."""
        is_usual = report.outcome in COMPLETE_OUTCOMES or report.outage  # an outage has a line of its own
        _log.log(logging.INFO if is_usual else logging.WARNING, "%s", report)
        if report.send_advice:
            _log.info("sync %s: %s", report.sync_name, report.send_advice)
        if report.outage and report.outcome != "stopped":
            _log.warning(
                "sync %s: the last requests failed, and the next run goes on: %s", report.sync_name, report.outage
            )
        self._plans.finish(plan, report, started_at)
        if report.outcome != "stopped":
            PlanHistory(self.state).finish_first_load(plan, tables)
        elif tables is not None:
            self._plans.release(plan, tables)
        if report.outcome in COMPLETE_OUTCOMES and plan.summary.next_checkpoint is not None:
            advance(self.state, plan.summary.next_checkpoint)


def new_run_id() -> str:
    """A random id for a run outside Dagster."""
    return f"python-{secrets.token_hex(8)}"


@contextmanager
def open_run(
    sync: ContactSync,
    warehouse: Warehouse,
    account: AccountSettings,
    run_ids: Sequence[str] = (),
    waiting: Waiting = NO_WAIT,
    accepts_canary: str | None = None,
    host: str | None = None,
) -> Iterator[Run]:
    """Open the state with the lease of the sync, for one run.

    Args:
        sync: The sync.
        warehouse: The source and the state.
        account: The account to plan for and to send to.
        run_ids: The run itself, then the runs that it re-executes; without any, a new one.
        waiting: How to wait for other runs of this sync.
        accepts_canary: Who accepts what a canary found; see `Run`.
        host: Where this process runs, if not on this host.

    Raises:
        BusyError: Another run still has the lease of the sync.
        DailyStoryError: The state cannot be opened.
    """
    ids = run_ids or (new_run_id(),)
    with open_session(sync, warehouse.state, waiting, ids[0], host=host) as (state, lease):
        yield Run(state, lease, warehouse, account, ids, waiting.check, accepts_canary)
