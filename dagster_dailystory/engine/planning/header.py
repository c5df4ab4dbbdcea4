"""The header of a plan: its counts, its guards, and how it was compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from dagster_dailystory.engine.planning.comparison.compare import RowCounts
from dagster_dailystory.engine.planning.guards import DayInputs, GuardInputs, evaluate_guards
from dagster_dailystory.engine.planning.plan_history import PlanHistory
from dagster_dailystory.engine.state.plans.custom_fields import new_custom_fields
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Operation, Reason, WaitingOptOuts
from dagster_dailystory.model.runs.comparison import Comparison, Way
from dagster_dailystory.model.runs.options import PlanOptions, needs_approval
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary, RejectedRow
from dagster_dailystory.model.sync import Mode, Scope
from dagster_dailystory.model.watermark import WatermarkValues


@dataclass(frozen=True)
class PlannedCounts:
    """The counts of a plan. The defaults are those of a source that never had a row.

    Attributes:
        rows: The counts of the comparison.
        by_operation: Operation -> stored changes.
        by_field: Field -> creates and updates in which it differs.
        by_reason: Reason -> rejected rows.
        dropped: Field -> reason -> values that are left out of their rows.
        opt_outs_to_send: Contacts that opt out.
        opt_outs_pending: Rows whose opt-out has no contact to be sent to.
        sync_deletions: Contacts to be deleted or deactivated in the whole sync, whatever the slice, as far as it was
            read.
        shared: Contacts of missing keys that are kept, because another sync holds them.
        few_rejected: A few rejected rows of each reason.
        waiting: A few of the rows whose opt-out has no contact.
        missing: The keys of the whole sync that must be missing, because the source has fewer than the state.
            0 if all rows were read.
        comparison: How the rows were compared.
    """

    rows: RowCounts = RowCounts()  # noqa: RUF009  # frozen
    by_operation: Mapping[str, int] = field(default_factory=dict)
    by_field: Mapping[str, int] = field(default_factory=dict)
    by_reason: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    opt_outs_to_send: int = 0
    opt_outs_pending: int = 0
    sync_deletions: int = 0
    shared: int = 0
    few_rejected: tuple[RejectedRow, ...] = ()
    waiting: WaitingOptOuts = WaitingOptOuts()  # noqa: RUF009  # frozen
    missing: int = 0
    comparison: Comparison = Comparison()  # noqa: RUF009  # frozen

    def changes(self, operation: Operation) -> int:
        """How many changes of this operation are stored."""
        return self.by_operation.get(operation.value, 0)

    @property
    def rejected(self) -> int:
        """How many rows are rejected."""
        return sum(self.by_reason.values())

    @property
    def forgotten(self) -> int:
        """How many of them were forgotten: that says nothing about the quality of the source."""
        return self.by_reason.get(Reason.FORGOTTEN.value, 0)

    @property
    def held(self) -> int:
        """How many rows that differ became neither a change nor a rejection: held rows, and rows beyond `limit`."""
        rejected_by_checks = self.rejected - self.rows.without_key - self.rows.duplicates
        changes = sum(map(self.changes, (Operation.CREATE, Operation.UPDATE, Operation.RECORD)))
        return self.rows.pending - rejected_by_checks - changes


def header(
    plan_id: str,
    state: State,
    options: PlanOptions,
    counts: PlannedCounts,
    watermark: WatermarkValues,
    seconds: float,
    next_checkpoint: str | None,
) -> PlanSummary:
    """Evaluate the guards, and build the header of the plan."""
    inputs = _guard_inputs(state, options, counts)
    guards = evaluate_guards(state.sync, inputs, _day_inputs(state, options, counts, inputs))
    status = PlanStatus.READY if all(guard.passed for guard in guards) else PlanStatus.BLOCKED
    rows_to_write = counts.changes(Operation.CREATE) + counts.changes(Operation.UPDATE)
    summary = PlanSummary(
        plan_id=plan_id,
        sync_name=state.sync.name,
        status=PlanStatus.DRY if options.dry_run else status,
        guards=guards,
        whole_source=options.plans_all_creates(rows_to_write),
        first_load=inputs.first_load,
        changes_by_field=counts.by_field,
        rejections_by_reason={reason: n for reason, n in counts.by_reason.items() if n},
        new_custom_fields=new_custom_fields(state),
        fields_dropped=counts.dropped,
        rejected_rows=counts.few_rejected,
        opt_outs_waiting=counts.waiting,
        diff_seconds=seconds,
        compared=counts.comparison.way.value,
        compared_why=counts.comparison.reason,
        since=None if options.since is None else options.since.isoformat(),
        next_checkpoint=next_checkpoint,
        rows_in_future=watermark.rows_in_future,
        rows_without_watermark=watermark.rows_null,
        is_other_source=Plans(state).is_other_source(),
        expires_at=state.now() + timedelta(hours=state.sync.plan_expires_hours),
        **_numbers(counts, options),
    )
    is_ready = summary.status is PlanStatus.READY
    waits = is_ready and needs_approval(state.sync, options) and summary.rows_to_send > 0
    return replace(summary, status=PlanStatus.WAITING) if waits else summary


def _numbers(counts: PlannedCounts, options: PlanOptions) -> dict[str, Any]:
    """The counts of a plan by their names in its header."""
    rows, creates, updates = counts.rows, counts.changes(Operation.CREATE), counts.changes(Operation.UPDATE)
    held = 0 if options.scope is Scope.OPT_OUTS else counts.held  # it looks at the opt-outs of a row only
    return {
        "rows_read": rows.read,
        "rows_unchanged": rows.read - creates - updates - counts.rejected - held,
        "rows_to_create": creates,
        "rows_to_update": updates,
        "rows_rejected": counts.rejected,
        "rows_held": held,
        "rows_to_delete": counts.changes(Operation.DELETE),
        "rows_delete_skipped_shared": counts.shared,
        "rows_transferred": rows.pending if counts.comparison.way is Way.INSIDE else counts.comparison.rows,
        "keys_transferred": counts.comparison.keys,
        "bytes_read": counts.comparison.bytes,
        "live_keys": rows.sync_live_keys,
        "keys_not_found": rows.keys_not_found,
        "opt_outs_to_send": counts.opt_outs_to_send,
        "opt_outs_ahead": counts.changes(Operation.OPT_OUT),
        "opt_outs_pending": counts.opt_outs_pending,
    }


def _guard_inputs(state: State, options: PlanOptions, counts: PlannedCounts) -> GuardInputs:
    rows = counts.rows
    return GuardInputs(
        source_is_empty=rows.source_is_empty and not options.of_some_rows,
        rows_read=rows.read,
        rows_created=0 if state.sync.mode is Mode.UPDATE else counts.changes(Operation.CREATE),
        rows_updated=counts.changes(Operation.UPDATE),
        rows_deleted=max(counts.sync_deletions, counts.missing),
        rows_opted_out=counts.opt_outs_to_send,
        rows_rejected=0 if options.scope is Scope.OPT_OUTS else counts.rejected - counts.forgotten,
        live_keys=rows.live_keys,
        sync_live_keys=rows.sync_live_keys,
        whole_source=options.plans_deletions,
        first_load=PlanHistory(state).is_first_load(),
    )


def _day_inputs(state: State, options: PlanOptions, counts: PlannedCounts, plan: GuardInputs) -> DayInputs | None:
    """The counts of the sync within a day, for the plan of a slice; None for the whole source."""
    if options.slices is None:
        return None
    day = PlanHistory(state).within_a_day(options.slices)
    creates = state.sync.mode is not Mode.UPDATE
    return DayInputs(
        rows_read=plan.rows_read + day.rows_read,
        rows_created=plan.rows_created + day.rows_created * creates,
        rows_created_after_first_load=plan.rows_created + day.rows_created_after_first_load * creates,
        rows_updated=plan.rows_updated + day.rows_updated,
        rows_opted_out=plan.rows_opted_out + day.rows_opted_out,
        rows_rejected=plan.rows_rejected + day.rows_rejected,
        rows_deleted=max(plan.rows_deleted, counts.changes(Operation.DELETE) + day.rows_deleted),
        live_keys=max(plan.sync_live_keys - day.contacts_added, 0),
    )
