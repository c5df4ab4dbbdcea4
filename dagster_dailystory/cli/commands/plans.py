"""The commands that plan and send: `plan`, `send`, `run`, `show-plan`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

import dagster_dailystory
from dagster_dailystory.cli.commands.views import ROWS, SHOW_VALUES
from dagster_dailystory.cli.exit_codes import ExitCode, code_of_outcome
from dagster_dailystory.cli.output import Output, frame_table, record_of, records_of, table
from dagster_dailystory.cli.sync_command import sync_command
from dagster_dailystory.cli.terminal import progress_bar
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary, planned_counts, some
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import Scope

if TYPE_CHECKING:
    from dagster_dailystory.cli.target import Target
    from dagster_dailystory.engine.upkeep.records.inspection import ChangePreview

_Function = TypeVar("_Function", bound=Callable[..., Output])

_REPORT = {"report": "the counts of the run, as in [names](names.md#counts-of-a-run), with its outcome"}
_PLAN = {
    "plan": "the plan, as in [names](names.md#a-plan), with its `warnings`",
    "send_command": "the command that sends exactly this plan; null if it cannot be sent",
}
_CHANGES = "one record for each field: the key columns, `operation`, `dsid`, `outcome`, `field`, `before`, `after`"

_PRUNED = "Its changes are not kept any more: only the last five plans have theirs. history shows what was written."


def _planning_options(function: _Function) -> _Function:
    """The options that choose which rows are planned."""
    options = (
        click.option("--scope", type=click.Choice([each.value for each in Scope]), default=Scope.CHANGED.value,
                     show_default=True, help="The rows to look at."),
        click.option("--dry-run", is_flag=True, help="Plan only, as a preview that can never be sent."),
        click.option("--limit", type=int, help="At most this many creates and updates."),
        click.option("--key", "keys", multiple=True, help="Only this key; may be repeated. a|b for a composite one."),
        click.option("--partition", help="Only this slice of a sync with partitions, or a range: first...last."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


_ACCEPT_CANARY = click.option(
    "--accept-canary", is_flag=True, help="Go on whatever the canary found (canary_rows); stored with the plan."
)


@sync_command(account=True, answers={**_PLAN, "preview": "the first changes of each operation, with masked values"})
@_planning_options
def plan(target: Target, keys: Sequence[str], **options: Any) -> Output:
    """Compare source and snapshot, and store the changes as a plan. Nothing is sent."""
    made = dagster_dailystory.plan_contact_sync(
        target.sync, **target.ends, **target.account, keys=list(keys) or None, **options
    )
    with target.open() as records:
        preview = records.preview(made.plan_id)
    command = _send_command(target, made)
    changes = table(("key", "operation", "changes"), map(_preview_row, preview)) if preview else ""
    if made.rows_to_send > len(preview):
        rest = some(made.rows_to_send - len(preview), "more change", "more changes")
        changes += f"\n{rest}; to see them:\n  {target.command('show-plan', made.plan_id)}"
    text = "\n\n".join(
        filter(None, (_plan_text(target, made), changes, command and f"To send this plan:\n  {command}"))
    )
    document = {"plan": plan_record(made), "send_command": command, "preview": list(map(_preview_record, preview))}
    is_blocked = not all(guard.passed for guard in made.guards)
    return Output(document, text, ExitCode.BLOCKED if is_blocked else ExitCode.DONE)


@sync_command(account=True, answers=_REPORT)
@click.argument("plan_id")
@click.option("--approved-by", help="Who approves the plan, if it waits for that. Default: the user of the system.")
@click.option("--max-drift", type=float, default=0.1, show_default=True,
              help="Largest share of an approved plan's changes that the source may no longer ask for.")  # fmt: skip
@_ACCEPT_CANARY
def send(target: Target, plan_id: str, **options: Any) -> Output:
    """Send exactly the plan PLAN_ID. A send that was interrupted goes on where it stopped."""
    with progress_bar() as show:
        report = dagster_dailystory.send_contact_sync(
            target.sync, plan_id=plan_id, **target.ends, **target.account, on_progress=show, **options
        )
    return _reported(target, report)


@sync_command(account=True, answers=_REPORT)
@_planning_options
@_ACCEPT_CANARY
def run(target: Target, keys: Sequence[str], **options: Any) -> Output:
    """Plan, and send the plan."""
    with progress_bar() as show:
        report = dagster_dailystory.run_contact_sync(
            target.sync, **target.ends, **target.account, keys=list(keys) or None, on_progress=show, **options
        )
    return _reported(target, report)


@sync_command(answers={**_PLAN, "changes": _CHANGES})
@click.argument("plan_id")
@ROWS
@SHOW_VALUES
def show_plan(target: Target, plan_id: str, rows: int, show_values: bool) -> Output:
    """Show one of the latest plans: its counts, its guards, and each field that differs."""
    with target.open() as records:
        summary, changes = records.plan_summary(plan_id), records.plan(plan_id)
        shown = changes if show_values else records.masked(changes)
    command = _send_command(target, summary)
    columns = (*target.sync.key_columns, "operation", "dsid", "outcome", "field", "before", "after")
    is_pruned = shown.empty and summary.rows_to_send
    fields = _PRUNED if is_pruned else frame_table(shown, columns, rows)
    text = f"{_plan_text(target, summary)}\n\n{fields}"
    document = {"plan": plan_record(summary), "send_command": command, "changes": records_of(shown)}
    return Output(document, text)


def _reported(target: Target, report: SyncReport) -> Output:
    text = f"{report}\nplan {report.plan_id}"
    if report.outcome == PlanStatus.WAITING.value:
        text += f" waits for approval; to approve and send it:\n  {target.command('send', report.plan_id)}"
    return Output({"report": record_of(report)}, text, code_of_outcome(report.outcome))


def _send_command(target: Target, summary: PlanSummary) -> str | None:
    is_open = summary.status in (PlanStatus.READY, PlanStatus.WAITING, PlanStatus.SENDING) and summary.rows_to_send
    return target.command("send", summary.plan_id) if is_open else None


def _plan_text(target: Target, summary: PlanSummary) -> str:
    counts = f"{summary.rows_read:,} rows read, {summary.rows_unchanged:,} unchanged"
    guards = [(each.name, "passed" if each.passed else "BLOCKS", each.message) for each in summary.guards]
    return "\n".join(
        (
            f"plan {summary.plan_id} of sync {summary.sync_name} is {summary.status.value}",
            f"{counts}, {planned_counts(target.sync, summary)}",
            *([summary.approval] if summary.approval else []),
            "",
            table(("guard", "result", "figures"), guards),
        )
    )


def plan_record(summary: PlanSummary) -> dict[str, object]:
    """The plan without the watermark of its last row, which is a value of the source."""
    record = {name: value for name, value in record_of(summary).items() if name != "next_checkpoint"}
    return {**record, "warnings": summary.warnings}


def _preview_row(change: ChangePreview) -> tuple[str, str, str]:
    dropped = (f"{name}: not sent, {reason}" for name, reason in change.dropped.items())
    return change.key_label, change.operation.value, "; ".join([*map(str, change.fields), *dropped])


def _preview_record(change: ChangePreview) -> dict[str, object]:
    fields = [{"field": each.field, "before": each.before, "after": each.after} for each in change.fields]
    return {
        "key": change.key_label,
        "operation": change.operation.value,
        "dsid": change.dsid,
        "fields": fields,
        "dropped": dict(change.dropped),
    }
