"""What the demo shows: a first run, a day in the warehouse, a second run, and a bad day, printed as they happen."""

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from dagster_dailystory.demo.bad_day import run_bad_day
from dagster_dailystory.demo.data import CUSTOMERS, evolve, seed, spoil
from dagster_dailystory.demo.resources import demo_resources, demo_token_file, demo_warehouse_url
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Sandbox, SandboxSettings
from dagster_dailystory.sandbox.serving.tokens import token_in

_LINE_EVERY = 500  # contacts, where the output is not a terminal

_NOUNS = ("changes", "contacts", "contact_map")

_COUNTS = (
    ("rows_read", "read from the warehouse"),
    ("rows_created", "created in DailyStory"),
    ("rows_updated", "updated"),
    ("rows_deleted", "deactivated: their rows left the source"),
    ("rows_unchanged", "unchanged"),
    ("rows_rejected", "rejected, with a reason"),
    ("api_requests", "requests"),
)


@dataclass(frozen=True, slots=True)
class Story:
    """What happened.

    Attributes:
        runs: The numbers of the first and of the second run.
        contacts: How many contacts the sandbox holds at the end.
    """

    runs: list[Mapping[str, float]]
    contacts: int


def run_story(sync: ContactSync, defs: dg.Definitions, instance: dg.DagsterInstance, folder: Path, port: int) -> Story:
    """Fill a warehouse, sync it, let a day pass, sync again, and show a bad day.

    At the end, the warehouse has a day of changes that the next run sends.

    Args:
        sync: A sync of the table `customers`.
        defs: Definitions with its assets. They run with the demo's resources, not their own.
        instance: Keeps the two runs.
        folder: An existing folder for the warehouse, the sandbox's contacts and its token.
        port: Where the sandbox listens.

    Raises:
        DailyStoryError: The port is in use, or a run failed.
    """
    url = demo_warehouse_url(folder)
    seed(url)
    mistakes = spoil(url)
    print(
        f"A DuckDB warehouse with {CUSTOMERS:,} customers, {mistakes} of them with mistakes that every warehouse has."
    )
    settings = SandboxSettings(tokens=(token_in(demo_token_file(folder)),))
    with Sandbox(settings, port=port, store=folder / "sandbox.json") as sandbox:
        print(f"The sandbox, a local DailyStory, listens at {sandbox.url}\n")
        dagster = _Dagster(sync, _with_resources(defs, demo_resources(folder, port)), instance)
        first = _run("First run: every row is new", dagster, sandbox)
        day = evolve(url)
        print(f"A day passes: {day.updated} customers change, {day.deleted} leave and {day.added} sign up.")
        print(f"In {day.touched} other rows, only a column changes that the sync does not read.\n")
        second = _run("Second run: only what differs is sent", dagster, sandbox)
        run_bad_day(sync, url, sandbox)
        return Story([first, second], len(sandbox.contacts()))


@dataclass(frozen=True, slots=True)
class _Dagster:
    """What materializes the assets of the sync."""

    sync: ContactSync
    defs: dg.Definitions
    instance: dg.DagsterInstance

    def materialize(self) -> dg.ExecuteInProcessResult:
        return self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
            raise_on_error=False,
            # Without a selection, the UI does not show what a run materialized.
            asset_selection=[dg.AssetKey(["dailystory", self.sync.name, noun]) for noun in _NOUNS],
        )


def _with_resources(defs: dg.Definitions, resources: Mapping[str, object]) -> dg.Definitions:
    """The same assets with other resources: Dagster does not replace those of a run with a selection of assets."""
    return dg.Definitions(assets=defs.assets, resources={**(defs.resources or {}), **resources})


def _run(title: str, dagster: _Dagster, sandbox: Sandbox) -> Mapping[str, float]:
    print(title)
    started = time.monotonic()
    with _progress(sandbox):
        result = dagster.materialize()
    if not result.success:
        failures = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
        raise ConfigurationError(
            f"the run failed: {failures[0].message if failures and failures[0] else 'see its log'}"
        )
    numbers = _numbers(result)
    for name, meaning in _COUNTS:
        print(f"  {int(numbers.get(name, 0)):>6,}  {meaning}")
    print(f"  {time.monotonic() - started:>6.1f}  seconds\n")
    return numbers


def _numbers(result: dg.ExecuteInProcessResult) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for event in result.get_asset_materialization_events():
        for name, value in event.materialization.metadata.items():
            if isinstance(value.value, (int, float)):
                numbers[name] = value.value
    return numbers


@contextmanager
def _progress(sandbox: Sandbox) -> Iterator[None]:
    """Print during a run how many contacts have arrived."""
    over = threading.Event()
    before = sandbox.counts.posts
    is_terminal = sys.stdout.isatty()

    def show() -> None:
        shown = 0
        while not over.wait(0.5):
            sent = sandbox.counts.posts - before
            if is_terminal:
                print(f"\r  {sent:>6,}  contacts sent ...", end="", flush=True)
            elif sent - shown >= _LINE_EVERY:
                print(f"  {sent:>6,}  contacts sent ...", flush=True)
                shown = sent

    printer = threading.Thread(target=show, daemon=True)
    printer.start()
    try:
        yield
    finally:
        over.set()
        printer.join()
        if is_terminal:
            print("\r" + " " * 40, end="\r")
