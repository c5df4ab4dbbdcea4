"""The demo's third act: an opt-out in a bad row, a source that lost rows, a dry run, and the bad row when repaired.

It uses the engine from plain Python. Everything that it prints comes from the sync's reports, plans and errors.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dagster_dailystory.demo.data import evolve, opt_out_with_a_broken_number, repair_number, without_every_third
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.engine.upkeep.records.inspection import ChangePreview, preview_changes, preview_rejections
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import SafetyError
from dagster_dailystory.functions import plan_contact_sync, run_contact_sync
from dagster_dailystory.model.change import Operation
from dagster_dailystory.model.runs.plan import PlanSummary, counted, planned_counts
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Sandbox

_WIDTH = 100

_INDENT = "   "

_SHOWN_FIELDS = ("city", "region", "plan", "lifetime_value")
"""Fields of the dry run whose values are shown; all others are masked, except flags and numbers."""

_EXAMPLES = 3
"""Updates of the dry run that are shown."""


@dataclass(frozen=True, slots=True)
class BadDay:
    """What happened.

    Attributes:
        opt_out: The report of the run with the opt-out.
        refusal: Why the plan without a third of the rows was blocked.
        dry_run: The plan that was only shown.
        repaired: The report of the run with the repaired row.
    """

    opt_out: SyncReport
    refusal: str
    dry_run: PlanSummary
    repaired: SyncReport


def run_bad_day(sync: ContactSync, url: str, sandbox: Sandbox) -> BadDay:
    """Show the four cases. At the end, the source has a day of changes that are not sent, and nothing blocks them.

    Args:
        sync: A sync of the table `customers` that was sent before.
        url: SQLAlchemy URL of its warehouse, which has its state too.
        sandbox: Its DailyStory.
    """
    print("Third act: a bad day, with the same engine from plain Python")
    key = opt_out_with_a_broken_number(url)
    opt_out = _opt_out(sync, url, sandbox, key)
    refusal = _lose_rows(sync, url, sandbox)
    dry_run = _dry_run(sync, url, sandbox)
    repaired = _repair(sync, url, sandbox, key)
    print()
    return BadDay(opt_out, refusal, dry_run, repaired)


def _opt_out(sync: ContactSync, url: str, sandbox: Sandbox, key: int) -> SyncReport:
    print(f"a. Customer {key} opts out, in a row whose mobile number is broken. A run:")
    since = _latest(sandbox)
    report = _run(sync, url, sandbox)
    with open_state(Warehouse.at(url).state, sync) as state:
        rejections = preview_rejections(state)
    for row in rejections:
        if row.key_label == str(key):
            _say(f"the row is rejected, {row.reason}: {row.message.partition('; ')[0]}")
    _say_sent("sent all the same", sandbox, since)
    waiting, rejected = report.opt_outs_pending or "none", report.rows_rejected
    _say(f"{report.opt_outs_sent} opt-out sent, {waiting} waits; {rejected} rows rejected, {rejected - 1} as before")
    return report


def _lose_rows(sync: ContactSync, url: str, sandbox: Sandbox) -> str:
    print("b. The source loses every third row. A run:")
    posts, refusal = sandbox.counts.posts, "no guard of this sync blocks that"
    with without_every_third(url):
        try:
            _run(sync, url, sandbox)
        except SafetyError as error:
            refusal = str(error)
    _say(refusal)
    _say(f"writes that DailyStory got: {sandbox.counts.posts - posts}")
    back = _run(sync, url, sandbox)
    _say(
        f"the rows are back, and a run reads all {back.rows_read:,}: {back.rows_created} created, "
        f"{back.rows_updated} updated, {back.rows_deleted} deactivated"
    )
    return refusal


def _dry_run(sync: ContactSync, url: str, sandbox: Sandbox) -> PlanSummary:
    print("c. Another day passes. A dry run shows what would be sent, with personal values masked:")
    evolve(url)
    plan = _plan(sync, url, sandbox)
    _say(planned_counts(sync, plan))
    with open_state(Warehouse.at(url).state, sync) as state:
        changes = preview_changes(state, plan.plan_id, _SHOWN_FIELDS, rows=plan.rows_to_update)
    for change in _examples(changes):
        _say(_described(change))
    lenient = _plan(replace(sync, invalid="drop_field"), url, sandbox)
    dropped = [f"{name} ({counted(reasons)})" for name, reasons in lenient.fields_dropped.items()]
    _say(f'with invalid="drop_field", {lenient.rows_rejected} rejected; values left out: {", ".join(dropped) or 0}')
    return plan


def _repair(sync: ContactSync, url: str, sandbox: Sandbox, key: int) -> SyncReport:
    print(f"d. The mobile number of customer {key} is repaired. A run of that row alone:")
    since = _latest(sandbox)
    repair_number(url, key)
    report = _run(sync, url, sandbox, keys=[str(key)])
    _say_sent("sent", sandbox, since)
    _say(f"{report.rows_updated} updated, {report.rows_rejected or 'none'} rejected")
    return report


def _run(sync: ContactSync, url: str, sandbox: Sandbox, keys: Sequence[str] | None = None) -> SyncReport:
    return run_contact_sync(sync, warehouse_url=url, base_url=sandbox.base_url, api_token=sandbox.token, keys=keys)


def _plan(sync: ContactSync, url: str, sandbox: Sandbox) -> PlanSummary:
    return plan_contact_sync(sync, warehouse_url=url, base_url=sandbox.base_url, api_token=sandbox.token, dry_run=True)


def _examples(changes: Sequence[ChangePreview]) -> list[ChangePreview]:
    """A few updates, each of other fields, and a create."""
    updates: dict[tuple[str, ...], ChangePreview] = {}
    for change in changes:
        if change.operation is Operation.UPDATE:
            updates.setdefault(tuple(each.field for each in change.fields), change)
    creates = [change for change in changes if change.operation is Operation.CREATE]
    return [*updates.values()][:_EXAMPLES] + creates[:1]


def _described(change: ChangePreview) -> str:
    text = f"{change.operation.value} {change.key_label}: {'; '.join(map(str, change.fields))}"
    return textwrap.shorten(text, _WIDTH - len(_INDENT), placeholder=" …")


def _latest(sandbox: Sandbox) -> int:
    """The number of the latest request."""
    return max((each.number for each in sandbox.requests()), default=0)


def _say_sent(what: str, sandbox: Sandbox, since: int) -> None:
    """Name the writes after a request, by the names of their fields."""
    for each in sandbox.requests():
        if each.number > since and each.method == "POST":
            *names, last = each.keys
            _say(f"{what}, status {each.status}: {each.method} {each.path} with {', '.join(names)} and {last}")


def _say(text: str) -> None:
    print(textwrap.fill(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT))
