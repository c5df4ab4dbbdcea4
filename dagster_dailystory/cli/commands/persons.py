"""The commands about the persons behind the rows: `adopt` those that DailyStory knows, `forget` one for good."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

import click

import dagster_dailystory
from dagster_dailystory.cli.exit_codes import ExitCode
from dagster_dailystory.cli.output import Output, record_of
from dagster_dailystory.cli.sync_command import sync_command
from dagster_dailystory.cli.terminal import progress_bar
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.runs.adoption import Differing
from dagster_dailystory.model.runs.plan import some

if TYPE_CHECKING:
    from dagster_dailystory.cli.target import Target


@sync_command(account=True, answers={"adoption": "the rows by what was found, and the values that differ by field"})
@click.option(
    "--differing",
    type=click.Choice([each.value for each in Differing]),
    default=Differing.KEEP.value,
    show_default=True,
    help="What the snapshot takes where DailyStory has another value: `keep` leaves it there, `send` overwrites it.",
)
def adopt(target: Target, differing: str) -> Output:
    """Map the contacts that DailyStory has already, before the first load. Nothing is written to DailyStory."""
    with progress_bar("looking up") as show:
        report = dagster_dailystory.adopt_contacts(
            target.sync, **target.ends, **target.account, differing=differing, on_progress=show
        )
    code = ExitCode.INCOMPLETE if report.rows_left else ExitCode.DONE
    return Output({"adoption": record_of(report)}, str(report), code)


@sync_command(
    account=True,
    answers={
        "receipt": "with `--yes`: what was removed from which table, and what is left to do",
        "keys": "without it: what is known of each key",
    },
)
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
@click.option("--delete-in-dailystory", is_flag=True, help="Delete the contacts in DailyStory too.")
@click.option("--yes", is_flag=True, help="Forget them. It cannot be undone.")
def forget(target: Target, keys: tuple[str, ...], delete_in_dailystory: bool, yes: bool) -> Output:
    """Remove the rows with these keys from every table of the state, and keep them out."""
    account = target.account if delete_in_dailystory else {}
    with target.open() as records:
        if not yes:
            known = [each for key in keys for each in records.explain(key).keys]
            lines = [str(each).splitlines()[0] for each in known]
            advice = "Nothing was forgotten. Add --yes to forget these keys and to keep them out; it cannot be undone."
            return Output({"keys": [record_of(each) for each in known]}, "\n".join([*lines, advice]))
        receipt = records.forget(keys, delete_in_dailystory=delete_in_dailystory, **account)
    return Output({"receipt": record_of(receipt)}, str(receipt))


@click.group()
def forgotten() -> None:
    """Show the requests to forget rows, as hashes: to repeat them on a restored backup of the state."""


@sync_command(answers={"requests": "the keyed hashes, for `forgotten apply`"})
def export(target: Target) -> Output:
    """Print the requests of all syncs of the state. The hashes are still personal data: keep them apart."""
    with target.open() as records:
        rows = [asdict(each) for each in records.export_forgotten()]
    text = json.dumps(rows, default=str, indent=2)
    return Output({"requests": rows}, text)


@sync_command(answers={"removed": "how many keys were removed from the sync's tables"})
@click.argument("file", type=click.File("rb"))
def apply(target: Target, file: BinaryIO) -> Output:
    """Repeat the requests of FILE, from `forgotten export`, on a restored backup; once for each sync."""
    requests = _requests(file)
    with target.open() as records:
        removed = records.apply_forgotten(requests)
    were = some(removed, "key was", "keys were")
    return Output({"removed": removed}, f"sync {target.sync.name}: {were} removed from its tables")


def _requests(file: BinaryIO) -> list[dagster_dailystory.ForgottenHash]:
    try:
        found = json.load(file)
        rows = found["requests"] if isinstance(found, dict) else found
        return [
            dagster_dailystory.ForgottenHash(
                **{**each, "forgotten_at": datetime.fromisoformat(str(each["forgotten_at"]))}
            )
            for each in rows
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{file.name!r} has no requests: give the file that `forgotten export` printed, as it is"
        ) from error


forgotten.add_command(export)
forgotten.add_command(apply)
