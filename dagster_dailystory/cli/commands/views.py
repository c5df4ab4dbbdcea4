"""The commands that show what a sync holds and did: `runs`, `history`, `rejections`, `contact-map`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from dagster_dailystory.cli.output import Output, frame_table, records_of
from dagster_dailystory.cli.sync_command import sync_command

if TYPE_CHECKING:
    import pandas

    from dagster_dailystory.cli.target import Target
    from dagster_dailystory.records import SyncRecords

ROWS = click.option(
    "--rows",
    type=click.IntRange(1),
    metavar="N",
    default=20,
    show_default="20",
    help="At most this many rows of the table.",
)
SHOW_VALUES = click.option(
    "--show-values", is_flag=True, help="Show personal data: the values, and keys that identify a person."
)

_HISTORY = (
    "one record for each field that was written, the oldest first: `plan_id`, `run_id`, the key columns, `dsid`,"
    " `operation`, `outcome`, `field`, `before`, `after`, `acknowledged_at` (UTC)"
)
_REJECTIONS = (
    "one record for each rejected row: the key columns, `reason`, `message`, `source_rows`, `attempts`,"
    " `first_seen_at`, `last_seen_at` (UTC)"
)
_CONTACT_MAP = "one record for each key, with the columns of `dailystory_NAME_contact_map` (times in UTC)"
_RUN_COLUMNS = (
    *("started_at", "outcome", "run_id", "plan_id", "partition_value", "rows_created", "rows_updated", "rows_deleted"),
    *("opt_outs_sent", "rows_refused", "rows_failed", "rows_unsent", "api_requests", "stopped_by"),
)


@sync_command(answers={"runs": "one record for each send, the newest first: a row of `dailystory_runs`"})
@ROWS
def runs(target: Target, rows: int) -> Output:
    """Show the sends of the sync, the newest first."""
    with target.open() as records:
        frame = records.runs()
    return Output({"runs": records_of(frame)}, frame_table(frame, _RUN_COLUMNS, rows))


@sync_command(answers={"history": _HISTORY})
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option(
    "--since", type=click.DateTime(), metavar="TIME", help="Only from this time (UTC) on, such as 2026-01-31."
)
@click.option("--field", help="Only this DailyStory field or custom field.")
@click.option("--email", help="In place of KEY, the address that a contact has, or had at some time of the history.")
@click.option("--dsid", help="In place of KEY, a contact.")
@ROWS
@SHOW_VALUES
def history(
    target: Target,
    keys: Sequence[str],
    since: datetime | None,
    field: str | None,
    email: str | None,
    dsid: str | None,
    rows: int,
    show_values: bool,
) -> Output:
    """Show what was written to the contacts of these keys, or of all, and what it replaced."""
    with target.open() as records:
        found = records.history(list(keys) or None, since, field, email=email, dsid=dsid)
        frame = _shown(records, found, show_values)
    columns = ("acknowledged_at", *target.sync.key_columns, "dsid", "operation", "field", "before", "after", "run_id")
    return Output({"history": records_of(frame)}, frame_table(frame, columns, rows, newest_last=True))


@sync_command(answers={"rejections": _REJECTIONS})
@ROWS
@SHOW_VALUES
def rejections(target: Target, rows: int, show_values: bool) -> Output:
    """Show the rejected rows, with reasons."""
    with target.open() as records:
        frame = _shown(records, records.rejections(), show_values)
    columns = (*target.sync.key_columns, "reason", "last_seen_at", "message")
    return Output({"rejections": records_of(frame)}, frame_table(frame, columns, rows))


@sync_command(answers={"contact_map": _CONTACT_MAP})
@ROWS
@SHOW_VALUES
def contact_map(target: Target, rows: int, show_values: bool) -> Output:
    """Show which contact each key has."""
    with target.open() as records:
        frame = _shown(records, records.contact_map(), show_values)
    return Output({"contact_map": records_of(frame)}, frame_table(frame, list(frame.columns), rows))


def _shown(records: SyncRecords, frame: pandas.DataFrame, show_values: bool) -> pandas.DataFrame:
    return frame if show_values else records.masked(frame)
