"""`make demo`: a made-up warehouse, a local DailyStory, and two runs of a sync through Dagster.

Everything is kept in the folder `.demo`, so that `make dev` shows what the demo did. Running it again starts over.
"""

import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from dagster_dailystory.definitions.resources import DEMO_FOLDER, DEMO_PORT, demo_resources, demo_warehouse_url
from dagster_dailystory.errors import ConfigurationError, DailyStoryError
from dagster_dailystory.sandbox import Sandbox
from demo.data import evolve, seed, spoil

DAGSTER_YAML = """\
telemetry: {enabled: false}
nux: {enabled: false}
concurrency:
  pools: {granularity: run}
run_monitoring: {enabled: true, free_slots_after_run_end_seconds: 30}
"""
"""Settings of the demo's Dagster instance: no telemetry, no newsletter dialog, pools that free their slots."""

_LINE_EVERY = 500  # contacts, where the output is no terminal

_SHOWN = (
    ("rows_read", "read from the warehouse"),
    ("rows_created", "created in DailyStory"),
    ("rows_updated", "updated"),
    ("rows_deleted", "deactivated: their rows left"),
    ("rows_unchanged", "left alone"),
    ("rows_rejected", "set aside, with a reason"),
    ("api_requests", "requests"),
)


def main() -> int:
    """Run the demo; returns the exit code."""
    try:
        run_demo(DEMO_FOLDER, DEMO_PORT)
    except DailyStoryError as error:
        print(f"The demo stopped: {error}", file=sys.stderr)
        return 1
    return 0


def run_demo(folder: Path, port: int) -> list[Mapping[str, float]]:
    """Seed, sync, let a day pass, sync again.

    Args:
        folder: Made anew.
        port: Where the sandbox listens.

    Returns:
        The numbers of both runs.
    """
    shutil.rmtree(folder, ignore_errors=True)
    home = prepare(folder)
    url = demo_warehouse_url(folder)
    seed(url)
    mistakes = spoil(url)
    print(f"A DuckDB warehouse with 2,000 customers, {mistakes} of them with mistakes that every warehouse has.")
    with Sandbox(port=port, store=folder / "sandbox.json") as sandbox, dagster_instance(home) as instance:
        print(f"The sandbox, a local DailyStory, listens at {sandbox.url}\n")
        resources = demo_resources(folder, port)
        first = _materialize("First run: everybody is new", instance, sandbox, resources)
        day = evolve(url)
        print(
            f"A day passes: {day.updated} customers change, {day.deleted} leave, {day.added} sign up; of {day.touched}"
        )
        print("others only a column moves that the sync does not read.\n")
        second = _materialize("Second run: only what differs is sent", instance, sandbox, resources)
        contacts = len(sandbox.contacts())
    print(f"The sandbox holds {contacts:,} contacts. Where to look next:")
    print(f"  make dev                 the Dagster UI with both runs, and the contacts at http://127.0.0.1:{port}")
    print(f"  {folder}/warehouse.duckdb   customers join dailystory_customers_contact_map using (customer_id)")
    print("  definitions.py           the sync itself; sql/customers.sql its query")
    return [first, second]


def prepare(folder: Path) -> Path:
    """Make the folder with a Dagster home in it."""
    home = folder / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    return home


@contextmanager
def dagster_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The demo's own Dagster instance, which `make dev` opens too."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def _materialize(
    title: str, instance: dg.DagsterInstance, sandbox: Sandbox, resources: Mapping[str, object]
) -> Mapping[str, float]:
    from definitions import defs  # the repository's code location: the demo runs what `make dev` shows

    print(title)
    started = time.monotonic()
    job = defs.resolve_implicit_global_asset_job_def()
    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    with _progress(sandbox):
        result = job.execute_in_process(
            instance=instance, run_config=quiet, resources=dict(resources), raise_on_error=False
        )
    if not result.success:
        failures = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
        raise ConfigurationError(
            f"the run failed: {failures[0].message if failures and failures[0] else 'see its log'}"
        )
    numbers = _numbers(result)
    for name, words in _SHOWN:
        print(f"  {int(numbers.get(name, 0)):>6,}  {words}")
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
    """Show how many contacts have arrived while a run goes on."""
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

    shown = threading.Thread(target=show, daemon=True)
    shown.start()
    try:
        yield
    finally:
        over.set()
        shown.join()
        if is_terminal:
            print("\r" + " " * 40, end="\r")


if __name__ == "__main__":
    sys.exit(main())
