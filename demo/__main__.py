"""`make demo`: the package's demo with the sync of `definitions.py`.

Everything is kept in the folder `.demo`, so that `make dev` shows both runs. Running it again starts over.
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME  # not exported
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

from dagster_dailystory.api.settings import POOL
from dagster_dailystory.demo.resources import DEMO_PORT, demo_warehouse_url
from dagster_dailystory.demo.showcase.data import seed_showcase
from dagster_dailystory.demo.story import run_story
from dagster_dailystory.errors import DailyStoryError

FOLDER = Path(".demo")
"""Where `make demo` keeps the warehouse, the contacts and Dagster's history; `definitions.py` looks there too."""

LOCATION = "dailystory"
"""The name of the code location of `definitions.py`, in workspace.yaml and pyproject.toml."""

DAGSTER_YAML = """\
telemetry: {enabled: false}
nux: {enabled: false}
concurrency:
  pools: {granularity: run}
run_monitoring: {enabled: true, free_slots_after_run_end_seconds: 30}
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config: {dequeue_interval_seconds: 1}
"""
"""Settings of the demo's Dagster instance: no telemetry, no newsletter dialog, pools that free their slots, and a queue
that starts the next run after a second, not after five.
"""


def main(port: int = DEMO_PORT) -> int:
    """Run the demo; returns the exit code."""
    try:
        run_demo(FOLDER, port)
    except DailyStoryError as error:
        print(f"The demo stopped: {error}", file=sys.stderr)
        return 1
    return 0


def run_demo(folder: Path, port: int) -> list[Mapping[str, float]]:
    """Run the demo in a folder, and print where to look next.

    Args:
        folder: Deleted first, then created.
        port: Where the sandbox listens.

    Returns:
        The numbers of both runs.
    """
    from definitions import customers, defs  # here, so that `main` reports settings that are incomplete

    shutil.rmtree(folder, ignore_errors=True)
    with dg.DagsterInstance.from_config(str(make_dagster_home(folder))) as instance:
        story = run_story(customers, defs, instance, folder, port)
        put_runs_into_location(instance, LOCATION)
        # One run at a time: only one process can open a DuckDB file.
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
    seed_showcase(demo_warehouse_url(folder))
    print(f"The sandbox holds {story.contacts:,} contacts. Where to look next:")
    print("  make dev                 starts both pages, until Ctrl-C:")
    print("    http://127.0.0.1:3000  the Dagster UI with both runs")
    print(f"    http://127.0.0.1:3000/locations/{LOCATION}/asset-groups/dailystory")
    print("                           the sync; Materialize all sends what the dry run showed")
    print(f"    http://127.0.0.1:{port}  the sandbox: its contacts, last changed first, and their requests")
    print(f"  {folder}/warehouse.duckdb   customers join dailystory_customers_contact_map using (customer_id)")
    print("  definitions.py           the sync itself; sql/customers.sql its query")
    return story.runs


def put_runs_into_location(instance: dg.DagsterInstance, location: str) -> None:
    """Note for each run which code location it is of, as runs that the UI launches have it.

    Dagster notes none for a run in this process, and the timeline on the UI's first page leaves such runs out.
    """
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), SINGLETON_REPOSITORY_NAME)
    for run in instance.get_runs():
        instance.add_run_tags(run.run_id, {REPOSITORY_LABEL_TAG: repository.get_label()})
        instance.run_storage.replace_job_origin(run, repository.get_job_origin(run.job_name))


def make_dagster_home(folder: Path) -> Path:
    """Create the Dagster home, which `make dev` opens too, in the demo's folder."""
    home = folder / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    return home


if __name__ == "__main__":
    sys.exit(main())
