"""The conditions of a sync that someone should know about, from its state: what holds now, with number and limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median

from dagster_dailystory.engine.upkeep.alerts.recent_plans import UNFINISHED, PastPlan, PastSend, RecentPlans, current
from dagster_dailystory.model.runs.plan import PlanStatus, counted
from dagster_dailystory.model.settings import check_least, check_value, named_settings
from dagster_dailystory.model.sync import ContactSync, Scope


class ConditionKind(str, Enum):
    """What a condition is about."""

    RUN_FAILED = "run_failed"
    """The latest run of a slice, or of the whole sync, failed, was stopped or never ended."""
    PLAN_BLOCKED = "plan_blocked"
    """A guard blocks the latest plan, so that nothing is sent."""
    ROWS_REJECTED = "rows_rejected"
    """Too many rows are rejected, by row checks or by DailyStory."""
    ROWS_FAILED = "rows_failed"
    """Too many rows failed or are in doubt."""
    OPT_OUTS_PENDING = "opt_outs_pending"
    """Too many opt-outs wait."""
    RUN_TOO_LONG = "run_too_long"
    """A run takes, or took, too long."""
    UNUSUAL_ROWS_TO_SEND = "unusual_rows_to_send"
    """The latest plan sends far more or far fewer rows than the plans before it."""


@named_settings
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLimits:
    """The limits of the conditions that have one; None for no such condition.

    Attributes:
        max_rejected_rows: Most rows that may be rejected, by row checks and by DailyStory.
        max_failed_rows: Most rows that may have failed or be in doubt after the latest runs.
        max_pending_opt_outs: Most opt-outs that may wait.
        max_run_minutes: Most minutes that a run may take to plan and to send, without its wait for other runs.
        max_rows_to_send_factor: How many times more or fewer rows a plan may send than the median of those before it,
            for example 5. It is evaluated from `min_guard_rows` rows and three earlier plans on.

    Raises:
        ConfigurationError: A limit is of another type, or cannot be one.
    """

    max_rejected_rows: int | None = None
    max_failed_rows: int | None = None
    max_pending_opt_outs: int | None = None
    max_run_minutes: float | None = None
    max_rows_to_send_factor: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_rejected_rows", "max_failed_rows", "max_pending_opt_outs"):
            check_value(name, getattr(self, name), int | None)
            check_least(name, getattr(self, name), 0)
        for name, least in (("max_run_minutes", 0), ("max_rows_to_send_factor", 1)):
            check_value(name, getattr(self, name), float | None)
            check_least(name, getattr(self, name), least, is_more=True)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds now and that someone should know about, without personal data.

    Attributes:
        kind: What it is about.
        message: What happened, and what to do.
        run_id: The run that it was found in, None if it is not known.
        partition: The slice, None for the whole sync.
        guard: The guard that blocks a plan.
        number: What was compared with the limit.
        limit: The limit.
    """

    kind: ConditionKind
    message: str
    run_id: str | None = None
    partition: str | None = None
    guard: str | None = None
    number: float | None = None
    limit: float | None = None

    @property
    def name(self) -> str:
        """What distinguishes it from all other conditions of its sync; the same for as long as it holds."""
        return "|".join((self.kind.value, self.guard or "", self.partition or ""))


def find_conditions(sync: ContactSync, recent: RecentPlans, limits: AlertLimits) -> list[Condition]:
    """Find the conditions that hold. Dry runs are not among the plans of a recent, so they cause none.

    Args:
        sync: The sync.
        recent: Its recent plans and sends.
        limits: From which number on there is a condition.
    """
    sends = list(current(recent.sends, recent.slices))
    found = [*_failed_runs(recent, sends), *_blocked_plans(recent)]
    found += _rejected(recent, limits.max_rejected_rows)
    found += _failed_rows(sends, limits.max_failed_rows)
    found += _pending_opt_outs(recent, limits.max_pending_opt_outs)
    found += _long_runs(recent, sends, limits.max_run_minutes)
    found += _unusual(sync, recent.plans, limits.max_rows_to_send_factor)
    return list({condition.name: condition for condition in reversed(found)}.values())[::-1]


def _failed_runs(recent: RecentPlans, sends: Sequence[PastSend]) -> Iterator[Condition]:
    for send in sends:
        what = ""
        if send.outcome == "stopped":
            what = f"an error stopped the run; rows without a result: {send.rows_failed:,}. The next run sends them"
        elif send.outcome == UNFINISHED:
            what = (
                f"the run began to send at {send.at:%Y-%m-%d %H:%M} UTC and ended without a result: it was terminated, "
                "or its process was killed. The next run looks up what is in doubt and sends the rest"
            )
        if what:
            yield Condition(ConditionKind.RUN_FAILED, what, send.run_id, send.partition)
    holder = recent.holder
    if holder is not None and not holder.is_alive:
        since = f" since {holder.taken_at:%Y-%m-%d %H:%M} UTC" if holder.taken_at else ""
        of_run = [plan.partition for plan in recent.plans if plan.run_id == holder.run_id]
        message = f"a run held the sync{since} and its process has ended without a result; run again"
        yield Condition(ConditionKind.RUN_FAILED, message, holder.run_id, of_run[0] if of_run else None)


def _blocked_plans(recent: RecentPlans) -> Iterator[Condition]:
    for plan in current(recent.plans, recent.slices):
        for guard in plan.guards if plan.is_blocked else ():
            yield Condition(
                ConditionKind.PLAN_BLOCKED,
                f"the guard {guard.name} blocks the plan, and nothing is sent: {guard.message}",
                plan.run_id,
                plan.partition,
                guard.name,
                guard.number,
                guard.limit,
            )


def _rejected(recent: RecentPlans, limit: int | None) -> Iterator[Condition]:
    rows = sum(recent.rejections.values())
    if limit is not None and rows > limit:
        message = f"rows rejected: {rows:,} ({counted(recent.rejections)})"
        yield _over(ConditionKind.ROWS_REJECTED, message, rows, limit, "max_rejected_rows", recent.plans)


def _failed_rows(sends: Sequence[PastSend], limit: int | None) -> Iterator[Condition]:
    ended = [send for send in sends if send.outcome != "stopped"]  # what a stopped run left is not a failure of rows
    failed, in_doubt = sum(send.rows_failed for send in ended), sum(send.rows_in_doubt for send in ended)
    if limit is not None and failed + in_doubt > limit:
        message = f"rows that failed: {failed:,}, in doubt: {in_doubt:,}; the next run goes on"
        causes = [send.plan for send in ended if send.rows_failed + send.rows_in_doubt]
        yield _over(ConditionKind.ROWS_FAILED, message, failed + in_doubt, limit, "max_failed_rows", causes)


def _pending_opt_outs(recent: RecentPlans, limit: int | None) -> Iterator[Condition]:
    if limit is None:
        return
    unsent = [plan for plan in recent.plans if plan.status in (PlanStatus.BLOCKED, PlanStatus.WAITING)]
    records: list[PastPlan | PastSend] = [*unsent, *recent.sends]
    seen: set[str | None] = set()
    causes: list[PastPlan | PastSend] = []
    for record in sorted(records, key=lambda each: each.at, reverse=True):
        slices: set[str | None] = set(record.selection.slices) or {None}
        chooses_rows = record.selection.keys or record.selection.scope is Scope.REJECTED
        if chooses_rows or None in seen or slices <= seen:
            continue
        if isinstance(record, PastSend) and record.outcome == UNFINISHED:
            continue  # how many it left is not known; the earlier run is
        seen |= slices
        causes += [record] if record.opt_outs else []
    waiting = sum(record.opt_outs for record in causes)
    if waiting > limit:
        message = (
            f"opt-outs that DailyStory has not acknowledged: {waiting:,}; the check no_pending_opt_outs names some"
        )
        yield _over(ConditionKind.OPT_OUTS_PENDING, message, waiting, limit, "max_pending_opt_outs", causes)


def _long_runs(recent: RecentPlans, sends: Sequence[PastSend], limit: float | None) -> Iterator[Condition]:
    if limit is None:
        return
    durations = [(send.seconds, send.run_id, "took") for send in sends]
    holder = recent.holder
    if holder is not None and holder.is_alive and holder.taken_at is not None:
        durations.append(((recent.now - holder.taken_at).total_seconds(), holder.run_id or "", "has taken"))
    seconds, run_id, verb = max(durations, default=(0.0, "", ""))
    if seconds > 60 * limit:
        message = f"a run {verb} {seconds / 60:,.1f} minutes; the limit is {limit:g} (max_run_minutes)"
        number = round(seconds / 60, 1)
        yield Condition(ConditionKind.RUN_TOO_LONG, message, run_id or None, number=number, limit=limit)


_FEWEST_PLANS = 3
"""The fewest earlier plans whose median is what is usual."""


def _unusual(sync: ContactSync, plans: Sequence[PastPlan], factor: float | None) -> Iterator[Condition]:
    if factor is None:
        return
    by_slice: dict[str | None, list[PastPlan]] = {}
    for plan in plans:
        if plan.selection.scope is Scope.CHANGED and not plan.selection.keys:
            by_slice.setdefault(plan.partition, []).append(plan)
    for partition, (latest, *earlier) in by_slice.items():
        counts = [plan.rows_to_send for plan in earlier if not plan.is_blocked]
        if latest.is_blocked or len(counts) < _FEWEST_PLANS:
            continue
        rows, usual = latest.rows_to_send, median(counts)
        if max(rows, usual) < sync.min_guard_rows or usual / factor <= rows <= usual * factor:
            continue
        limit = usual * factor if rows > usual else usual / factor
        yield Condition(
            ConditionKind.UNUSUAL_ROWS_TO_SEND,
            f"the plan sends {rows:,} rows; the median of the {len(counts)} plans before it is {usual:,g}, and the "
            f"limit is a factor of {factor:g} (max_rows_to_send_factor). Look at the source if this is not meant",
            latest.run_id,
            partition,
            number=rows,
            limit=limit,
        )


def _over(
    kind: ConditionKind, message: str, number: int, limit: int, setting: str, causes: Sequence[PastPlan | PastSend]
) -> Condition:
    """A condition of the whole sync: a number above its limit."""
    run_id = causes[0].run_id if causes else None
    return Condition(kind, f"{message}; the limit is {limit:,} ({setting})", run_id, number=number, limit=limit)
