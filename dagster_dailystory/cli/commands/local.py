"""The commands that need no sync: `sandbox`, `demo`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from dagster_dailystory.cli.exit_codes import ExitCode


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False, options_metavar="")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS]")
@click.pass_context
def sandbox(context: click.Context, options: Sequence[str]) -> None:
    """Run a local DailyStory until Ctrl-C. `--help` lists its options."""
    from dagster_dailystory.sandbox.__main__ import main  # a separate program

    context.exit(main(options, program=context.command_path))


@click.command()
@click.pass_context
def demo(context: click.Context) -> None:
    """Run the demo in a temporary folder: two runs of a sync, and a bad day."""
    from dagster_dailystory.demo.__main__ import main  # imports Dagster

    try:
        code = main()
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    context.exit(code)
