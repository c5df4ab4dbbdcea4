"""The checks of a sync beside the guards: what a plan, or a run that sent one, leaves for a person to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from dagster_dailystory.engine.upkeep.records.inspection import SyncStatus
from dagster_dailystory.model.change import WaitingOptOuts
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary, counted, planned_counts
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync

_NO_REJECTED_ROWS = "no_rejected_rows"

_NO_NEW_CUSTOM_FIELDS = "no_new_custom_fields"

_NO_UNSETTLED_ROWS = "no_unsettled_rows"

_NO_PENDING_OPT_OUTS = "no_pending_opt_outs"


PLAN_CHECKS: Mapping[str, str] = {
    _NO_PENDING_OPT_OUTS: "Every new opt-out has a contact, and is sent by this plan.",
    _NO_REJECTED_ROWS: "The plan rejects no row.",
    _NO_NEW_CUSTOM_FIELDS: "Each custom field was sent before, or is in known_custom_fields.",
}
"""The checks of a plan beside the guards, with their descriptions. They never stop a run."""


_APPROVED = "approved"


def plan_check_texts(sync: ContactSync) -> Mapping[str, str]:
    """The checks of a sync's plans beside the guards, with their descriptions."""
    approved = {_APPROVED: "No plan waits for an approval."}
    return {**(approved if sync.require_approval else {}), **PLAN_CHECKS}


SEND_CHECKS: Mapping[str, str] = {
    _NO_PENDING_OPT_OUTS: "DailyStory has acknowledged every opt-out of the source.",
    _NO_REJECTED_ROWS: "No row is rejected, neither by a row check nor by DailyStory.",
    _NO_UNSETTLED_ROWS: "Every row that the latest run sent has a final result.",
}
"""The checks of a send with their descriptions. They never stop a run."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a check that never stops a run.

    Attributes:
        name: One of `PLAN_CHECKS` or `SEND_CHECKS`.
        message: What was found, and what to do.
        counts: What was counted, by noun. The check passes if the first count is 0.
        is_error: It is an error if it does not pass, else a warning.
        waiting: Opt-outs to show, each with what it needs.
    """

    name: str
    message: str
    counts: Mapping[str, int]
    is_error: bool = False
    waiting: tuple[Mapping[str, str | int], ...] = field(default=(), repr=False)

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not next(iter(self.counts.values()))


def plan_checks(sync: ContactSync, plan: PlanSummary) -> list[Check]:
    """The checks of a plan."""
    new_fields = {"fields": len(plan.new_custom_fields)}
    return [
        *([_approval_check(sync, plan)] if sync.require_approval else []),
        _opt_out_check(plan.opt_outs_left, plan.opt_outs_waiting, are_blocked=plan.blocks_opt_outs),
        _rejected_check(plan.rows_rejected, plan.rejections_by_reason),
        Check(_NO_NEW_CUSTOM_FIELDS, plan.custom_fields_advice or "no custom field is new", new_fields),
    ]


def send_checks(report: SyncReport, status: SyncStatus) -> list[Check]:
    """The checks of a run that sent a plan, or had nothing to send.

    Args:
        report: The report of the run.
        status: The status of the sync after it.
    """
    is_dry = report.outcome == "dry"
    rejected, reasons = (report.rows_rejected, {}) if is_dry else (status.rows_rejected, status.rejections_by_reason)
    rows = status.rows_unsettled
    unsettled = f"rows that failed, conflicted or are in doubt: {rows}; the next run goes on"
    return [
        _rejected_check(rejected, reasons),
        Check(_NO_UNSETTLED_ROWS, unsettled if rows else "every row that was sent has a final result", {"rows": rows}),
        _opt_out_check(report.opt_outs_pending, report.opt_outs_waiting),
    ]


def _approval_check(sync: ContactSync, plan: PlanSummary) -> Check:
    waits = plan.status is PlanStatus.WAITING
    how = "To send it, materialize contacts with this plan_id in its config"
    found = f"{plan.approval}: {planned_counts(sync, plan)}. {how}"
    message = found if waits else plan.approval or "nothing waits for approval"
    return Check(_APPROVED, message, {"rows": plan.rows_to_send if waits else 0})


def _rejected_check(rows: int, by_reason: Mapping[str, int] = MappingProxyType({})) -> Check:
    shown = f"{rows} ({counted(by_reason)})" if by_reason else str(rows)
    rejected = f"rows rejected: {shown}; the metadata of changes shows a few of each reason"
    return Check(_NO_REJECTED_ROWS, rejected if rows else "no row is rejected", {"rows": rows})


def _opt_out_check(pending: int, waiting: WaitingOptOuts, *, are_blocked: bool = False) -> Check:
    if not pending:
        return Check(_NO_PENDING_OPT_OUTS, "no opt-out waits", {"rows": 0}, is_error=True)
    scope = ". scope='opt_outs' sends those of known contacts, also while a plan is blocked"
    needs = "nothing: the next run sends it"
    if are_blocked:
        scope = ". No scope sends them while max_opted_out_fraction is exceeded"
        needs = "a higher max_opted_out_fraction"
    named = f"opt-outs that DailyStory has not acknowledged: {pending:,}; {waiting.described(pending)}"
    shown: list[Mapping[str, str | int]] = [
        {
            "key": each.key_label,
            "needs": "a repair in the source" if each.reason else needs,
            "reason": each.reason,
            "message": each.message,
            "source_rows": each.rows,
        }
        for each in waiting.few
    ]
    return Check(
        _NO_PENDING_OPT_OUTS,
        f"{named}{scope if pending > waiting.to_repair else ''}",
        {"rows": pending, "rows_to_repair": waiting.to_repair},
        is_error=True,
        waiting=tuple(shown),
    )
