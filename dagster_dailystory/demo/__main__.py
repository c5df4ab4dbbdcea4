"""`python -m dagster_dailystory.demo`: the demo in a temporary folder, from what pip installs alone."""

import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import dagster as dg

from dagster_dailystory.demo import definitions
from dagster_dailystory.demo.resources import DEMO_PORT, demo_resources
from dagster_dailystory.demo.story import run_story
from dagster_dailystory.errors import DailyStoryError


def main() -> int:
    """Run the demo; returns the exit code."""
    settings = {"telemetry": {"enabled": False}}
    try:
        with (
            tempfile.TemporaryDirectory(prefix="dailystory-demo-") as name,
            dg.DagsterInstance.ephemeral(tempdir=name, settings=settings) as instance,
        ):
            folder, port = Path(name), free_port(DEMO_PORT)
            defs = definitions.demo_definitions(demo_resources(folder, port))
            story = run_story(definitions.customers, defs, instance, folder, port)
    except DailyStoryError as error:
        print(f"The demo stopped: {error}", file=sys.stderr)
        return 1
    print(f"The sandbox held {story.contacts:,} contacts. It has stopped, and the demo's temporary folder is removed.")
    print("Where to go next:")
    print(f"  {definitions.__file__}")
    print("      the sync itself, to copy and change; customers.sql beside it is its query")
    print("  python -m dagster_dailystory.sandbox")
    print("      a local DailyStory, to try a sync of your own on")
    print("  pip install 'dagster-dailystory[ui]', then dg dev -f FILE")
    print("      the Dagster UI on the definitions in your FILE; the package's README has an example of one")
    return 0


def free_port(usual: int) -> int:
    """The usual port, or any free one where it is in use."""
    for port in (usual, 0):
        # the port is in use
        with suppress(OSError), socket.create_server(("127.0.0.1", port)) as listener:
            return int(listener.getsockname()[1])
    return usual


if __name__ == "__main__":
    sys.exit(main())
