"""What a plan and a run come to, in counts that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from dagster_dailystory.model.change import Outcome
from dagster_dailystory.model.plan import PlanSummary


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running send is.

    Attributes:
        rows_sent: Changes with a verdict.
        rows_remaining: Changes without one.
        rows_per_second: Verdicts per second since the start.
        seconds_remaining: At this speed; None before the first verdict.
    """

    rows_sent: int
    rows_remaining: int
    rows_per_second: float
    seconds_remaining: float | None


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one run did, in counts that add up.

    `rows_read = rows_unchanged + rows_to_create + rows_to_update + rows_rejected + rows_held`. Rows that DailyStory
    refuses while sending are counted in `rows_refused`.

    Attributes:
        outcome: `done`, `incomplete` (rows failed and stay differences), `dry`, `blocked` or `empty`.
        diff_seconds: Time to compute and store the plan.
        send_seconds: Time from the first request to the last acknowledgement.
        requests_per_second: API requests by send_seconds.
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
    rows_created: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    rows_mapped: int = 0
    rows_refused: int = 0
    rows_failed: int = 0
    rows_in_doubt: int = 0
    rows_conflicted: int = 0
    api_requests: int = 0
    api_retries: int = 0
    api_throttled: int = 0
    diff_seconds: float = 0.0
    send_seconds: float = 0.0
    requests_per_second: float = 0.0

    def numbers(self) -> dict[str, int | float]:
        """The counts and times, flat: each becomes a plot in Dagster."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, (int, float))}


def planned_report(plan: PlanSummary, outcome: str) -> SyncReport:
    """The report of a plan of which nothing was sent."""
    return SyncReport(
        sync_name=plan.sync_name,
        plan_id=plan.plan_id,
        outcome=outcome,
        rows_read=plan.rows_read,
        rows_unchanged=plan.rows_unchanged,
        rows_to_create=plan.rows_to_create,
        rows_to_update=plan.rows_to_update,
        rows_to_delete=plan.rows_to_delete,
        rows_rejected=plan.rows_rejected,
        rows_held=plan.rows_held,
        diff_seconds=plan.diff_seconds,
    )


def sent_report(
    plan: PlanSummary,
    outcomes: Mapping[Outcome, int],
    rows_open: int,
    *,
    stopped: bool,
    api_requests: int,
    api_retries: int,
    api_throttled: int,
    send_seconds: float,
) -> SyncReport:
    """The report of a send: changes by outcome, and those left without a verdict."""
    by = Counter(outcomes)
    rows_failed = by[Outcome.FAILED] + rows_open
    unsettled = rows_failed + by[Outcome.IN_DOUBT]
    finished = "incomplete" if unsettled else "done" if plan.rows_to_send else "empty"
    return replace(
        planned_report(plan, "stopped" if stopped else finished),
        rows_created=by[Outcome.CREATED],
        rows_updated=by[Outcome.UPDATED],
        rows_deleted=by[Outcome.DELETED],
        rows_mapped=by[Outcome.MAPPED],
        rows_refused=by[Outcome.REJECTED],
        rows_conflicted=by[Outcome.CONFLICTED],
        rows_failed=rows_failed,
        rows_in_doubt=by[Outcome.IN_DOUBT],
        api_requests=api_requests,
        api_retries=api_retries,
        api_throttled=api_throttled,
        send_seconds=send_seconds,
        requests_per_second=api_requests / send_seconds if send_seconds else 0.0,
    )
