"""The shape of a command about a sync: what all of them take, and how they answer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import click

from dagster_dailystory.cli.exit_codes import ExitCode
from dagster_dailystory.cli.output import Output
from dagster_dailystory.cli.terminal import Manner, answer, print_error

_ENDS = {
    "warehouse_url": "SQLAlchemy URL of the warehouse.",
    "state_url": "SQLAlchemy URL of the state database. Default: the warehouse itself.",
    "state_schema": "Schema of the state tables. Default: the connection's default schema.",
}

_MANNER = {
    "as_json": click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON document."),
    "verbose": click.Option(["--verbose"], is_flag=True, help="Show the log of the engine, not only warnings."),
    "debug": click.Option(["--debug"], is_flag=True, help="Show a traceback with an error."),
}


class SyncCommand(click.Command):
    """A command about a sync. Its function takes the `Target`, then its own parameters, and returns an `Output`.

    Attributes:
        needs_account: It sends requests to DailyStory, and takes the settings of the account.
        answers: The keys of its JSON document -> what they hold.
    """

    def __init__(
        self, *names: Any, needs_account: bool = False, answers: Mapping[str, str] | None = None, **settings: Any
    ) -> None:
        super().__init__(*names, **settings)
        self.needs_account = needs_account
        self.answers = answers or {}

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The sync, the command's own parameters, and those that all commands share."""
        own = super().get_params(ctx)
        shared = [*_end_options(), *(_account_options() if self.needs_account else ()), *_MANNER.values()]
        names = {each.name for each in own}
        last = [each for each in own if each not in self.params]  # --help
        return [
            click.Argument(["sync"], metavar="SYNC"),
            *self.params,
            *(each for each in shared if each.name not in names),
            *last,
        ]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line; with `--json`, an error in it is a document too, before click prints its usage."""
        is_json = "--json" in args
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if is_json:
                print_error(error, ExitCode.USAGE, error.format_message())
            raise

    def invoke(self, ctx: click.Context) -> None:
        """Find the sync, call the function, and print what it answers."""
        values = dict(ctx.params)
        name = values.pop("sync")
        manner = Manner(**{each: values.pop(each) for each in _MANNER})
        shared = [each.name or "" for each in (*_end_options(), *_account_options())]
        given = {each: values.pop(each) for each in shared if each in values}

        def call() -> Output:
            from dagster_dailystory.cli.target import find_target  # slow to load, and --help does without it

            target = find_target(name, {each: value for each, value in given.items() if value is not None})
            output: Output = ctx.invoke(cast(Callable[..., Output], self.callback), target, **values)
            return output

        ctx.exit(answer(call, manner))


_Function = TypeVar("_Function", bound=Callable[..., Output])


def sync_command(*, answers: Mapping[str, str], account: bool = False) -> Callable[[_Function], SyncCommand]:
    """Make a function a command about a sync, named as the function.

    Args:
        answers: The keys of its JSON document -> what they hold.
        account: It sends requests to DailyStory.
    """
    return click.command(cls=SyncCommand, needs_account=account, answers=answers)


def _variable(setting: str) -> str:
    from dagster_dailystory.api.environment import OPTIONAL, REQUIRED

    named = {each: variable for variable, each in {**REQUIRED, **OPTIONAL}.items()}
    return f" Environment: {named[setting]}." if setting in named else ""


@functools.cache
def _end_options() -> Sequence[click.Parameter]:
    return [click.Option([_flag(name)], help=f"{text}{_variable(name)}") for name, text in _ENDS.items()]


@functools.cache
def _account_options() -> Sequence[click.Parameter]:
    """The settings of the account, from those of the functions. The token comes from the environment alone."""
    from dagster_dailystory.api.environment import ACCOUNT_TYPES
    from dagster_dailystory.api.settings import AccountSettings
    from dagster_dailystory.model.settings import attribute_texts, fits

    texts, kinds = attribute_texts(AccountSettings), {"base_url": str, **ACCOUNT_TYPES}
    found = []
    for name, kind in kinds.items():
        is_flag = kind is bool
        scalar = next((each for each in (bool, str, float, int) if fits(_SAMPLES[each], kind)), str)
        help_text = f"{texts.get(name, '')}{_variable(name)}".replace("`", "")
        found.append(
            click.Option([_flag(name)], is_flag=is_flag, default=None, type=None if is_flag else scalar, help=help_text)
        )
    return found


_SAMPLES: Mapping[type, object] = {bool: True, str: "", float: 1.5, int: 1}


def _flag(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"
