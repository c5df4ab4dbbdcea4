"""The second try of a send: the first may have been killed after its plan was sent, and before Airflow stored that."""

from __future__ import annotations

from sqlalchemy import select

from dagster_dailystory.engine.run import OnProgress, Run, SendResult
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.runs.approval import Approval
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanStatus
from dagster_dailystory.model.runs.report import SyncReport


def send_again(
    run: Run, run_id: str, options: PlanOptions, on_progress: OnProgress, approval: Approval | None
) -> SendResult:
    """Send what is left. If nothing is, report what an earlier try sent, so that its assets have their events.

    Args:
        run: The open run.
        run_id: Its id, which is that of the earlier tries.
        options: What to plan, if there is nothing to resume.
        on_progress: Called at most once a second.
        approval: Names a plan, which is sent in place of that of this run.

    Raises:
        DailyStoryError: As `Run.resume_or_run`.
    """
    if approval is not None:
        earlier = _sent_by_name(run.state, approval.plan_id, options.partition)
        return _reported(earlier) if earlier is not None else run.resume_or_run(options, on_progress, approval)
    result = run.resume_or_run(options, on_progress)
    earlier = _sent_by_run(run.state, run_id, options.partition) if result.report.outcome == "empty" else None
    return result if earlier is None else _reported(earlier)


def _reported(earlier: SyncReport) -> SendResult:
    return SendResult(earlier, note=f"plan {earlier.plan_id} was sent by an earlier try, and nothing is left to send")


def _sent_by_name(state: State, plan_id: str, partition: str | None) -> SyncReport | None:
    plans = Plans(state)
    with state.connection.begin():
        plan = plans.named(plan_id)
        is_sent = plan.summary.status is PlanStatus.DONE and partition in (None, plan.partition)
        return plans.report_of(plan) if is_sent else None


def _sent_by_run(state: State, run_id: str, partition: str | None) -> SyncReport | None:
    """The report of the newest plan of a run that wrote something."""
    plans, runs = Plans(state), state.shared.runs
    mine = select(runs.c.plan_id).where(
        runs.c.sync_name == state.sync.name,
        runs.c.run_id == run_id,
        runs.c.partition_value.is_not_distinct_from(partition),
    )
    with state.connection.begin():
        ids = state.connection.execute(mine.order_by(runs.c.finished_at.desc())).scalars().all()
        reports = (plans.report_of(plans.named(plan_id)) for plan_id in dict.fromkeys(ids))
        return next((report for report in reports if report.wrote_something), None)
