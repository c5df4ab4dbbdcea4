"""The report and the progress of a run, in counts that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dagster_dailystory.model.change import Outcome, WaitingOptOuts
from dagster_dailystory.model.runs.canary import CanaryReport
from dagster_dailystory.model.runs.counts import PlanCounts, SendCounts, counts_of
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary, rejected_rows, some

OUTCOMES: Mapping[str, str] = {
    "done": "Each change of the plan has a final result.",
    "empty": "Nothing had to be sent.",
    "incomplete": "Rows or opt-outs failed, wait or are in doubt; the next run sends them again.",
    "stopped": "An error ended the send; the next run goes on.",
    "dry": "A dry run: nothing was sent.",
    "blocked": "A guard stopped the plan: nothing was sent.",
    "waiting": "The plan waits for approval: nothing was sent.",
}
"""How a run ends, with the meaning."""


COMPLETE_OUTCOMES = ("done", "empty")
"""Outcomes of a run that sent every change of its plan."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run that is sending.

    Attributes:
        rows_sent: Changes with a result.
        rows_remaining: Changes without a result.
        rows_per_second: Results per second since the start.
        seconds_remaining: Estimated at this rate; None before the first result.
    """

    rows_sent: int
    rows_remaining: int
    rows_per_second: float
    seconds_remaining: float | None


@dataclass(frozen=True)
class SyncReport(SendCounts):
    """What one run did, in counts that add up.

    Attributes:
        sync_name: The sync.
        plan_id: The plan.
        outcome: One of `OUTCOMES`.
        fields_dropped: Invalid values that are left out of rows (`drop_field`).
        diff_seconds: Time to compute and store the plan.
        send_seconds: Time from the first request to the last acknowledgement.
        requests_per_second: API requests divided by `send_seconds`.
        rate_limit: The permitted rate, and which runs keep to it together; empty if nothing was sent.
        send_advice: What would help if there were too few requests in flight for the permitted rate; else empty.
        rejections_by_reason: Reason -> rows that the plan rejects.
        opt_outs_waiting: A few of the opt-outs that are pending, each with its key and why it waits.
        outage: The last failure, if the last requests all failed; else empty.
        stopped_by: The error that ended the send; else empty.
        canary: What the canary of the plan found; None without one.
        canary_accepted_by: Who let the plan be sent without a canary, or whatever its canary found; else empty.
    """

    sync_name: str
    plan_id: str
    outcome: str
    fields_dropped: int = 0
    diff_seconds: float = 0.0
    send_seconds: float = 0.0
    requests_per_second: float = 0.0
    rate_limit: str = ""
    send_advice: str = ""
    rejections_by_reason: Mapping[str, int] = field(default_factory=dict)
    opt_outs_waiting: WaitingOptOuts = WaitingOptOuts()  # noqa: RUF009  # frozen
    outage: str = ""
    stopped_by: str = ""
    canary: CanaryReport | None = None
    canary_accepted_by: str = ""

    def __str__(self) -> str:
        """One line with the counts that are not 0, and why rows are rejected and opt-outs wait."""
        counts = [f"{rows:,} {words}" for name, words in _words(self).items() if (rows := self.shown(name))]
        pending = self.opt_outs_pending
        waiting = some(pending, "opt-out waits", "opt-outs wait")
        opt_outs = f"{waiting}: {self.opt_outs_waiting.described(pending)}" if pending else ""
        sent = f"{some(self.api_requests, 'request', 'requests')} in {self.send_seconds:.1f} s"
        requests = sent if self.api_requests else ""
        outage = f"the last requests failed: {self.outage}" if self.outage else ""
        rejected = rejected_rows(self.rows_rejected, self.rejections_by_reason)
        canary = "" if self.canary is None or self.canary.passed else f"canary: {self.canary}"
        parts = (", ".join(counts), rejected, opt_outs, requests, outage, canary)
        outcome = "nothing to send" if self.outcome == "empty" else self.outcome
        head = f"sync {self.sync_name}: {outcome}, {some(self.rows_read, 'row', 'rows')} read"
        return "; ".join(filter(None, (head, *parts)))

    def numbers(self) -> dict[str, int | float]:
        """The counts and times as a flat mapping; Dagster plots each of them."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, (int, float))}

    @property
    def wrote_something(self) -> bool:
        """Whether the run changed what DailyStory or the contact map holds, or may have."""
        return any(getattr(self, name) for name in _WRITES)


_WRITES = (
    *("rows_created", "rows_updated", "rows_deleted", "rows_mapped", "rows_refused", "rows_conflicted"),
    *("rows_in_doubt", "opt_outs_sent"),
)


_UNSENT = ("dry", "blocked", "waiting")
"""Outcomes of a run that sent nothing."""


def _words(report: SyncReport) -> dict[str, str]:
    """The counts that a line shows -> their words: those of the plan if nothing was sent, else those of the send."""
    planned, sent = (
        {name: each.metadata["words"] for name, each in counts_of(kind).items()} for kind in (PlanCounts, SendCounts)
    )
    shown = planned if report.outcome in _UNSENT else {"rows_unchanged": planned["rows_unchanged"], **sent}
    last = {"rows_held": planned["rows_held"], "fields_dropped": "invalid values left out"}
    return {name: words for name, words in {**shown, **last}.items() if words}


def planned_report(plan: PlanSummary, outcome: str) -> SyncReport:
    """Report a plan that was not sent; the opt-outs of a dry run do not wait for it."""
    unsent = 0 if plan.status is PlanStatus.DRY else plan.opt_outs_to_send
    counts: dict[str, Any] = {**plan.counts, "opt_outs_pending": plan.opt_outs_pending + unsent}
    return SyncReport(
        plan.sync_name,
        plan.plan_id,
        outcome,
        fields_dropped=plan.values_dropped,
        rejections_by_reason=dict(plan.rejections_by_reason),
        opt_outs_waiting=plan.opt_outs_waiting,
        canary=plan.canary,
        canary_accepted_by=plan.canary_accepted_by,
        diff_seconds=plan.diff_seconds,
        **counts,
    )


def with_send(report: SyncReport, log: Mapping[str, Any]) -> SyncReport:
    """Add one send of the plan, from the run log."""
    counts: dict[str, Any] = {
        name: (log[name] or 0) + (0 if each.metadata.get("latest") else getattr(report, name))
        for name, each in counts_of(SendCounts).items()
    }
    seconds = report.send_seconds + (log["send_seconds"] or 0.0)
    return replace(report, outcome=log["outcome"], send_seconds=seconds, **counts)


@dataclass(frozen=True)
class SentOptOuts:
    """How many opt-outs of a plan were sent and how many wait.

    Attributes:
        sent: Contacts that the plan opted out, or created opted out.
        left: Contacts whose opt-out is not acknowledged.
        without_contact: Rows that opt out and whose contact was not created.
        waiting: A few of those that were not sent.
    """

    sent: int = 0
    left: int = 0
    without_contact: int = 0
    waiting: WaitingOptOuts = WaitingOptOuts()  # noqa: RUF009  # frozen


def sent_report(
    plan: PlanSummary,
    outcomes: Mapping[Outcome, int],
    rows_open: int,
    opt_outs: SentOptOuts,
    requests: Mapping[str, Any],
    send_seconds: float,
    *,
    stopped_by: str | None,
) -> SyncReport:
    """Report a sent plan from its changes by outcome.

    Args:
        plan: The plan.
        outcomes: Outcome -> changes.
        rows_open: Changes without a result.
        opt_outs: What became of the opt-outs; without their acknowledgement the plan is not complete.
        requests: What the report has about the requests, by its names.
        send_seconds: How long the send took.
        stopped_by: The error that ended the send; None without one.
    """
    found = Counter(outcomes)
    of_outcomes = {name: each.metadata.get("outcome") for name, each in counts_of(SendCounts).items()}
    counts: dict[str, Any] = {name: found[outcome] for name, outcome in of_outcomes.items() if outcome is not None}
    counts.update(requests)
    counts["rows_failed"] += rows_open
    counts["rows_unsent"] = rows_open
    counts["rows_delete_skipped_shared"] += plan.rows_delete_skipped_shared
    unsettled = counts["rows_failed"] + found[Outcome.IN_DOUBT] + found[Outcome.WAITING] + opt_outs.left
    finished = "incomplete" if unsettled else "done" if plan.rows_to_send else "empty"
    return replace(
        planned_report(plan, finished if stopped_by is None else "stopped"),
        **counts,
        stopped_by=stopped_by or "",
        opt_outs_pending=plan.opt_outs_pending + opt_outs.left + opt_outs.without_contact,
        opt_outs_waiting=plan.opt_outs_waiting.joined(opt_outs.waiting),
        opt_outs_sent=opt_outs.sent,
        send_seconds=send_seconds,
        requests_per_second=requests["api_requests"] / send_seconds if send_seconds else 0.0,
    )
