"""docs/reference/command-line.md is made from the commands (`UPDATE_DOCS=1`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from support.documented import members, table

from dagster_dailystory.cli.command_line import COMMANDS, command_line
from dagster_dailystory.cli.exit_codes import ExitCode
from dagster_dailystory.cli.sync_command import SyncCommand

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "command-line.md"
HEAD = """# The command line

`plan` shows what would be sent, and the command that sends it; `history` what was written to the contact of a key.

```console
dagster-dailystory plan syncs:customers
dagster-dailystory run syncs:customers --dry-run
dagster-dailystory history syncs:customers 1001
```

`SYNC` is `MODULE:ATTRIBUTE` of a `ContactSync`, also of a module in the current directory, or the path of a component's
`defs.yaml` in a Dagster project (`FILE:NAME` if it describes several syncs).

Warehouse, state and account are options. Where one is missing, the `defs.yaml` decides, then the environment. A
component that names a resource (`warehouse: warehouse`) leaves it to the environment. The API token comes from the
environment alone.

Tables and JSON documents go to stdout; log lines, errors and the progress bar (on a terminal) go to stderr. With
`--json`, an error is a document too: `{"error": {"kind", "message", "exit_code"}}`. Emails, names, numbers, cities and
keys that identify a person are masked, unless `--show-values` asks for them. A sync whose source is a frame can be
looked at here, and not run.

This page is made from the commands.
"""


def test_the_page_is_that_of_the_commands() -> None:
    page = "\n".join([HEAD, *sections()])
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def sections() -> Iterator[str]:
    texts = members(ExitCode)
    codes = ((f"`{code.value}`", texts[code.name]) for code in ExitCode)
    yield f"## Exit codes\n\n{table(('code', 'meaning'), codes)}"
    shared = (each for each in parameters(COMMANDS[0]) if each.name in SHARED)
    text = "Commands that send, or plan what is sent, take the settings of the account, from `--base-url` on."
    yield f"## Options of all commands\n\n{text}\n\n{table(('option', 'meaning'), map(row, shared))}"
    for command in COMMANDS:
        yield of_command(command, command.name or "")
        for name, part in command.commands.items() if isinstance(command, click.Group) else ():
            yield of_command(part, f"{command.name} {name}")


def of_command(command: click.Command, name: str) -> str:
    usage = " ".join(command.collect_usage_pieces(context(command)))
    own = [row(each) for each in parameters(command) if each.name not in SHARED]
    answers = command.answers.items() if isinstance(command, SyncCommand) else ()
    documents = [(f"`{key}`", text) for key, text in answers]
    parts = [
        f"## {name}",
        f"`dagster-dailystory {name} {usage}`",
        (command.help or "").strip(),
        table(("option", "meaning"), own),
        table(("in JSON", "content"), documents),
    ]
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"


def context(command: click.Command) -> click.Context:
    return click.Context(command, info_name=command.name, parent=click.Context(command_line))


def parameters(command: click.Command) -> Sequence[click.Option]:
    return [each for each in command.get_params(context(command)) if isinstance(each, click.Option)]


SHARED = {each.name for each in parameters(COMMANDS[0])} & {each.name for each in parameters(COMMANDS[1])}
"""The options that `plan` and `send` have in common."""


def row(option: click.Option) -> tuple[str, str]:
    names, text = option.get_help_record(context(COMMANDS[0])) or ("", "")
    return f"`{names}`".replace("|", "\\|"), text.replace("|", "\\|").replace("  [", " [")
