"""The report and the progress of a run, in counts that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dagster_dailystory.model.change import Outcome, WaitingOptOuts
from dagster_dailystory.model.plan import PlanStatus, PlanSummary, rejected_rows, some

OUTCOMES: Mapping[str, str] = {
    "done": "Each change of the plan has a final result.",
    "empty": "Nothing had to be sent.",
    "incomplete": "Rows or opt-outs failed, wait or are in doubt; the next run sends them again.",
    "stopped": "An error ended the send; the next run goes on.",
    "dry": "A dry run: nothing was sent.",
    "blocked": "A guard stopped the plan: nothing was sent.",
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


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one run did, in counts that add up.

    `rows_read = rows_unchanged + rows_to_create + rows_to_update + rows_rejected + rows_held`. Rows that DailyStory
    refuses during sending are counted in `rows_refused`.

    Attributes:
        sync_name: The sync.
        plan_id: The plan.
        outcome: One of `OUTCOMES`.
        rows_read: Source rows in scope.
        rows_unchanged: Rows without a difference that would be sent.
        rows_to_create: Contacts that the plan creates; in mode `update` contacts to look up, and none is created.
        rows_to_update: Contacts that the plan updates.
        rows_to_delete: Contacts that the plan deletes or deactivates.
        rows_rejected: Rows that the plan rejects.
        rows_held: Rows that DailyStory refused before and that have not changed since, and rows beyond `limit`.
        fields_dropped: Invalid values that are left out of rows (`drop_field`).
        opt_outs_ahead: Opt-outs that the plan sends before the other changes of their rows.
        opt_outs_pending: Rows and contacts whose opt-out DailyStory has not acknowledged.
        opt_outs_sent: Contacts that this run opted out, or created opted out; not part of the sums of rows.
        rows_created: Contacts that were created, or found and overwritten by a create.
        rows_updated: Contacts that were updated.
        rows_deleted: Contacts that were deleted or deactivated.
        rows_mapped: Contacts that were found and not written (mode `create`).
        rows_refused: Rows that DailyStory refused; they are held until they change.
        rows_failed: Changes without a final result; the next run sends them again.
        rows_in_doubt: Changes without a response; their contacts are looked up before anything is sent again.
        rows_conflicted: Rows whose contact or new identity belongs to another row.
        rows_deleted_in_dailystory: Rows whose contact this run found deleted in DailyStory; they are held from then on.
        rows_skipped: Changes that needed no request any more: a newer plan had decided about the row, or another row of
            the sync holds the contact.
        rows_delete_waiting: Deletions that wait for the next run, because the source could not be asked.
        rows_delete_returned: Deletions that were not sent, because the key is in the source again.
        rows_delete_skipped_shared: Contacts of missing keys that are kept, because another sync holds them.
        api_requests: Requests that were sent.
        api_retries: Requests that repeated another one.
        api_throttled: Responses that asked to wait.
        diff_seconds: Time to compute and store the plan.
        send_seconds: Time from the first request to the last acknowledgement.
        requests_per_second: API requests divided by `send_seconds`.
        send_advice: What would help if there were too few requests in flight for the permitted rate; else empty.
        rejections_by_reason: Reason -> rows that the plan rejects.
        opt_outs_waiting: A few of the opt-outs that are pending, each with its key and why it waits.
        outage: The last failure, if the last requests all failed; else empty.
    """

    sync_name: str
    plan_id: str
    outcome: str
    rows_read: int = 0
    rows_unchanged: int = 0
    rows_to_create: int = 0
    rows_to_update: int = 0
    rows_to_delete: int = 0
    rows_rejected: int = 0
    rows_held: int = 0
    fields_dropped: int = 0
    opt_outs_ahead: int = 0
    opt_outs_pending: int = 0
    opt_outs_sent: int = 0
    rows_created: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    rows_mapped: int = 0
    rows_refused: int = 0
    rows_failed: int = 0
    rows_in_doubt: int = 0
    rows_conflicted: int = 0
    rows_deleted_in_dailystory: int = 0
    rows_skipped: int = 0
    rows_delete_waiting: int = 0
    rows_delete_returned: int = 0
    rows_delete_skipped_shared: int = 0
    api_requests: int = 0
    api_retries: int = 0
    api_throttled: int = 0
    diff_seconds: float = 0.0
    send_seconds: float = 0.0
    requests_per_second: float = 0.0
    send_advice: str = ""
    rejections_by_reason: Mapping[str, int] = field(default_factory=dict)
    opt_outs_waiting: WaitingOptOuts = WaitingOptOuts()  # noqa: RUF009  # frozen
    outage: str = ""

    def __str__(self) -> str:
        """One line with the counts that are not 0, and why rows are rejected and opt-outs wait."""
        names = _PLANNED if self.outcome in _UNSENT else _SENT
        counts = [f"{rows:,} {words}" for name, words in names.items() if (rows := getattr(self, name))]
        pending = self.opt_outs_pending
        waiting = some(pending, "opt-out waits", "opt-outs wait")
        opt_outs = f"{waiting}: {self.opt_outs_waiting.described(pending)}" if pending else ""
        sent = f"{some(self.api_requests, 'request', 'requests')} in {self.send_seconds:.1f} s"
        requests = sent if self.api_requests else ""
        outage = f"the last requests failed: {self.outage}" if self.outage else ""
        rejected = rejected_rows(self.rows_rejected, self.rejections_by_reason)
        parts = (", ".join(counts), rejected, opt_outs, requests, outage)
        outcome = "nothing to send" if self.outcome == "empty" else self.outcome
        head = f"sync {self.sync_name}: {outcome}, {some(self.rows_read, 'row', 'rows')} read"
        return "; ".join(filter(None, (head, *parts)))

    def numbers(self) -> dict[str, int | float]:
        """The counts and times as a flat mapping; Dagster plots each of them."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, (int, float))}


_UNSENT = ("dry", "blocked")
"""Outcomes of a run that sent nothing."""


_UNCHANGED = {"rows_unchanged": "unchanged"}


_LEFT = {"rows_held": "held back", "fields_dropped": "invalid values left out"}


_PLANNED = {
    **_UNCHANGED,
    "rows_to_create": "to create or look up",
    "rows_to_update": "to update",
    "rows_to_delete": "to delete or deactivate",
    "opt_outs_ahead": "to opt out",
    **_LEFT,
}
"""Count of an unsent plan -> its words in a line."""


_SENT = {
    **_UNCHANGED,
    "rows_created": "created",
    "rows_updated": "updated",
    "rows_deleted": "deleted or deactivated",
    "rows_mapped": "found and not written",
    "opt_outs_sent": "opted out",
    "rows_refused": "refused by DailyStory",
    "rows_failed": "failed",
    "rows_in_doubt": "in doubt",
    "rows_conflicted": "conflicted",
    "rows_deleted_in_dailystory": "deleted in DailyStory",
    "rows_skipped": "not needed any more",
    "rows_delete_waiting": "deletions wait",
    "rows_delete_returned": "deletions not sent",
    "rows_delete_skipped_shared": "kept for another sync",
    **_LEFT,
}
"""Count of a sent plan -> its words in a line."""


def planned_report(plan: PlanSummary, outcome: str) -> SyncReport:
    """Report a plan that was not sent; the opt-outs of a dry run do not wait for it."""
    unsent = 0 if plan.status is PlanStatus.DRY else plan.opt_outs_to_send
    return SyncReport(
        sync_name=plan.sync_name,
        plan_id=plan.plan_id,
        outcome=outcome,
        rows_read=plan.rows_read,
        rows_unchanged=plan.rows_unchanged,
        rows_to_create=plan.rows_to_create,
        rows_to_update=plan.rows_to_update,
        rows_to_delete=plan.rows_to_delete,
        rows_delete_skipped_shared=plan.rows_delete_skipped_shared,
        rows_rejected=plan.rows_rejected,
        rows_held=plan.rows_held,
        fields_dropped=plan.values_dropped,
        opt_outs_ahead=plan.opt_outs_ahead,
        rejections_by_reason=dict(plan.rejections_by_reason),
        opt_outs_pending=plan.opt_outs_pending + unsent,
        opt_outs_waiting=plan.opt_outs_waiting,
        diff_seconds=plan.diff_seconds,
    )


_LATEST = ("rows_failed", "rows_in_doubt", "opt_outs_pending", "opt_outs_sent")
"""Counts of changes that a later send of the same plan takes up again, and counts of all sends of the plan."""


def with_send(report: SyncReport, log: Mapping[str, Any]) -> SyncReport:
    """Add one send of the plan, from the run log."""
    counts: dict[str, Any] = {}
    for name, before in report.numbers().items():
        if name in log:
            counts[name] = (log[name] or 0) + (0 if name in _LATEST else before)
    return replace(report, outcome=log["outcome"], **counts)


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


_COUNTS = {
    "rows_created": Outcome.CREATED,
    "rows_updated": Outcome.UPDATED,
    "rows_deleted": Outcome.DELETED,
    "rows_mapped": Outcome.MAPPED,
    "rows_refused": Outcome.REJECTED,
    "rows_conflicted": Outcome.CONFLICTED,
    "rows_deleted_in_dailystory": Outcome.DELETED_IN_DAILYSTORY,
    "rows_in_doubt": Outcome.IN_DOUBT,
    "rows_skipped": Outcome.RECORDED,
    "rows_delete_waiting": Outcome.WAITING,
    "rows_delete_returned": Outcome.RETURNED,
}
"""Count of the report -> the outcome that it counts."""


def sent_report(
    plan: PlanSummary,
    outcomes: Mapping[Outcome, int],
    rows_open: int,
    opt_outs: SentOptOuts,
    requests: Mapping[str, Any],
    send_seconds: float,
    *,
    stopped: bool,
) -> SyncReport:
    """Report a sent plan from its changes by outcome.

    Args:
        plan: The plan.
        outcomes: Outcome -> changes.
        rows_open: Changes without a result.
        opt_outs: What became of the opt-outs; without their acknowledgement the plan is not complete.
        requests: What the report has about the requests, by its names.
        send_seconds: How long the send took.
        stopped: An error ended the send.
    """
    count = Counter(outcomes)
    counts: dict[str, Any] = {name: count[outcome] for name, outcome in _COUNTS.items()}
    rows_failed = count[Outcome.FAILED] + rows_open
    unsettled = rows_failed + count[Outcome.IN_DOUBT] + count[Outcome.WAITING] + opt_outs.left
    finished = "incomplete" if unsettled else "done" if plan.rows_to_send else "empty"
    return replace(
        planned_report(plan, "stopped" if stopped else finished),
        **counts,
        opt_outs_pending=plan.opt_outs_pending + opt_outs.left + opt_outs.without_contact,
        opt_outs_waiting=plan.opt_outs_waiting.joined(opt_outs.waiting),
        opt_outs_sent=opt_outs.sent,
        rows_failed=rows_failed,
        rows_delete_skipped_shared=plan.rows_delete_skipped_shared + count[Outcome.SHARED],
        **requests,
        send_seconds=send_seconds,
        requests_per_second=requests["api_requests"] / send_seconds if send_seconds else 0.0,
    )
