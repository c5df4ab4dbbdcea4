"""Commands in processes that have the package imported already: each takes a tenth of a second, not two seconds."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from pathlib import Path

PRELOADED = ("support.command_runner", "dagster_dailystory.cli.command_line", "dagster_dailystory.databases.connect")


def run_command(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], output: Path) -> int:
    """Run `dagster-dailystory` in a folder; stdout and stderr go to a file.

    Returns:
        The exit code.
    """
    context = multiprocessing.get_context("forkserver")
    assert isinstance(context, ForkServerContext)
    context.set_forkserver_preload([*PRELOADED])
    process = context.Process(target=_command, args=([*arguments], str(folder), dict(environment), str(output)))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _command(arguments: list[str], folder: str, environment: dict[str, str], output: str) -> None:
    from dagster_dailystory.cli.command_line import command_line  # this process has it

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with open(output, "w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.path[0:0] = [folder]
        command_line.main(arguments, prog_name="dagster-dailystory")
