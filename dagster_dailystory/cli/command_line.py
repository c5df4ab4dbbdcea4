"""The command line: `dagster-dailystory COMMAND`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from dagster_dailystory.cli.commands.local import demo, sandbox
from dagster_dailystory.cli.commands.moving import copy_state, drop, move_state, rename
from dagster_dailystory.cli.commands.persons import adopt, forget, forgotten
from dagster_dailystory.cli.commands.plans import plan, run, send, show_plan
from dagster_dailystory.cli.commands.tending import doctor, explain, undo
from dagster_dailystory.cli.commands.views import contact_map, history, rejections, runs

COMMANDS: Sequence[click.Command] = (
    *(plan, send, run, show_plan, runs),
    *(explain, history, rejections, contact_map),
    *(adopt, forget, forgotten, undo, doctor),
    *(copy_state, move_state, rename, drop),
    *(sandbox, demo),
)
"""The commands, in the order in which the help lists them."""


class _InOrder(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dagster-dailystory")
def command_line() -> None:
    """Keep DailyStory's contacts equal to a warehouse query.

    SYNC is MODULE:ATTRIBUTE of a ContactSync, or the path of a component's defs.yaml. The API token comes from the
    environment variable DAILYSTORY_API_TOKEN.
    """
