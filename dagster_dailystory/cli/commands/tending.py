"""The commands that look into a sync and tend it: `explain`, `undo`, `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import dagster_dailystory
from dagster_dailystory.cli.commands.plans import plan_record
from dagster_dailystory.cli.commands.views import SHOW_VALUES
from dagster_dailystory.cli.exit_codes import ExitCode, code_of_outcome
from dagster_dailystory.cli.output import Output, record_of
from dagster_dailystory.cli.sync_command import sync_command
from dagster_dailystory.cli.terminal import progress_bar
from dagster_dailystory.engine.upkeep.doctor.report import FindingStatus
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import DeletePolicy

if TYPE_CHECKING:
    from dagster_dailystory.cli.target import Target


@sync_command(account=True, answers={"explanation": "`sync_name`, and `keys`: one explanation for each key"})
@click.argument("key", required=False)
@click.option("--email", help="In place of KEY, the address of a contact or of a row of the source.")
@click.option("--dsid", help="In place of KEY, a contact.")
@click.option("--live", is_flag=True, help="Ask DailyStory as well.")
@SHOW_VALUES
def explain(
    target: Target, key: str | None, email: str | None, dsid: str | None, live: bool, show_values: bool
) -> Output:
    """Explain one key: what source and state have of it, what happened, and what the next run does."""
    account = target.account if live else {}
    with target.open() as records:
        found = records.explain(key, email=email, dsid=dsid, show_values=show_values, **account)
    return Output({"explanation": record_of(found)}, str(found))


@sync_command(account=True, answers={"undo": "the run, the plan, the counts by field and by reason, and what was sent"})
@click.argument("run_id")
@click.option(
    "--created",
    type=click.Choice([each.value for each in DeletePolicy]),
    default=DeletePolicy.KEEP.value,
    show_default=True,
    help="What happens to contacts that the run created and whose rows left the source.",
)
@click.option("--yes", is_flag=True, help="Take it back. Without it, what would be taken back is shown.")
def undo(target: Target, run_id: str, created: str, yes: bool) -> Output:
    """Take back what the run RUN_ID wrote, where nothing has happened since."""
    with target.open() as records, progress_bar() as show:
        report = records.undo(run_id, created=created, dry_run=not yes, on_progress=show, **target.account)
    document = {**record_of(report), "plan": plan_record(report.plan)}
    if report.sent is None:
        is_blocked = not all(guard.passed for guard in report.plan.guards)
        text = f"{report}\nNothing was sent." + (" To take it back, add --yes." if report.contacts_undone else "")
        return Output({"undo": document}, text, ExitCode.BLOCKED if is_blocked else ExitCode.DONE)
    return Output({"undo": document}, str(report), code_of_outcome(report.sent.outcome))


@sync_command(
    account=True, answers={"examination": "`findings`, `answers`, `announced`, `remaining`, and `is_healthy`"}
)
@click.option(
    "--probe",
    "probe_email",
    metavar="EMAIL",
    help="Try out how DailyStory behaves, with test contacts at addresses that are derived from this one.",
)
@click.option("--yes", is_flag=True, help="Make the test contacts of --probe. Without it, they are listed.")
def doctor(target: Target, probe_email: str | None, yes: bool) -> Output:
    """Examine whether a run could work, and on request whether DailyStory behaves as assumed."""
    if yes and probe_email is None:
        raise ConfigurationError("--yes confirms --probe: give --probe EMAIL too, or leave it out")
    report = dagster_dailystory.examine_contact_sync(
        target.sync, **target.ends, **target.account, probe_email=probe_email, confirmed=yes
    )
    document = {**record_of(report), "is_healthy": report.is_healthy}
    is_refused = any(each.status is FindingStatus.FAILED for each in report.answers)
    code = ExitCode.UNHEALTHY if is_refused or not report.is_healthy else ExitCode.DONE
    return Output({"examination": document}, str(report), code)
