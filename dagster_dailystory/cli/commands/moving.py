"""The commands that copy, move or end a sync in its state: `copy-state`, `move-state`, `rename`, `drop`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagster_dailystory.cli.output import Output, record_of
from dagster_dailystory.cli.sync_command import sync_command

if TYPE_CHECKING:
    from dagster_dailystory.cli.target import Target


_to = click.option("--to", "url", metavar="URL", required=True, help="SQLAlchemy URL of the other state database.")
_to_schema = click.option("--to-schema", "schema", help="Schema of its state tables.")


@sync_command(answers={"copied": "`sync_name`, and `rows`: table -> rows that were copied and compared"})
@_to
@_to_schema
def copy_state(target: Target, url: str, schema: str | None) -> Output:
    """Copy the sync to another state database, as a backup, and compare each row. The sync goes on here."""
    with target.open() as records:
        report = records.copy_to(state_url=url, state_schema=schema)
    return Output({"copied": record_of(report)}, str(report))


@sync_command(answers={"moved": "`sync_name`, and `rows`: table -> rows that were copied and compared"})
@_to
@_to_schema
def move_state(target: Target, url: str, schema: str | None) -> Output:
    """Copy the sync to another state database, and let no further run use it here. Set its state_url to that one."""
    with target.open() as records:
        report = records.move_to(state_url=url, state_schema=schema)
    advice = "Set state_url to the other database before the next run; a run here is refused now."
    return Output({"moved": record_of(report)}, f"{report}\n{advice}")


@sync_command(answers={"renamed": "the new name"})
@click.argument("new_name")
def rename(target: Target, new_name: str) -> Output:
    """Give the sync the name NEW_NAME in its state. Change its name in your definitions before the next run."""
    with target.open() as records:
        records.rename(new_name)
    return Output({"renamed": new_name}, f"sync {target.sync.name} is {new_name} now; rename it in your definitions")


@sync_command(answers={"keys": "how many keys were mapped to a contact"})
@click.option("--confirm", metavar="NAME", required=True, help="The name of the sync.")
def drop(target: Target, confirm: str) -> Output:
    """Remove the sync's tables, plans and runs from its state. DailyStory's contacts stay as they are."""
    with target.open() as records:
        keys = records.drop(confirm=confirm)
    return Output({"keys": keys}, f"sync {target.sync.name} is removed from its state; {keys:,} keys had a contact")
