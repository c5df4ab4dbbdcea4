"""Several processes that share the rate of one account: `python -m benchmarks.shared_rate --help` lists the settings.

Each process first loads a sync of its own; all syncs have one state in PostgreSQL. The most requests in a second are
counted over all processes, by the instants at which they leave: the monotonic clock is one for all of them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from benchmarks.faults import Watched, most_in_a_second
from benchmarks.servers import TOKEN, postgres, sandbox
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import AiohttpConnections
from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.sync import ContactSync

PROCESSES, PERMITTED = 4, 100.0


@dataclass(frozen=True)
class Load:
    """The first load of one process; a sync with five rows is a small one.

    Attributes:
        rate: `requests_per_second`; None to find it by trying.
    """

    name: str
    rows: int
    url: str
    base_url: str
    rate: float | None = PERMITTED

    @property
    def sync(self) -> ContactSync:
        """The sync that is loaded; its rows come from no table."""
        email = f"'{self.name}' || n || '@example.com'"
        query = f"select n as id, {email} as email, 'Paris' as city from generate_series(1, {self.rows}) as n"
        return ContactSync(
            name=self.name, source=query, key="id", fields={"email": "email", "city": "city"}, canary_rows=0
        )


@dataclass(frozen=True)
class Sent:
    """What one process sent.

    Attributes:
        instants: When each request left.
        seconds: From the begin of the send to its end.
        created: Contacts.
        throttled: Requests that DailyStory refused.
        limit: What the report says about the rate.
    """

    instants: Sequence[float]
    seconds: float
    created: int
    throttled: int
    limit: str


class Process:
    """A process that has planned and waits for `begin`."""

    def __init__(self, load: Load) -> None:
        command = [sys.executable, "-m", "benchmarks.shared_rate", "--load", json.dumps(asdict(load))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait(self) -> None:
        """Wait until it has planned."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "planned"

    def begin(self) -> None:
        """Let it send."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def sent(self) -> Sent:
        """Wait for its end."""
        output, _ = self.process.communicate(timeout=600)
        return Sent(**json.loads(output))


def send(load: Load) -> None:
    """Plan, wait for a line of input, send, and print what was sent."""
    instants: list[float] = []
    watched = AccountSettings(
        load.base_url, TOKEN, load.rate, connect=lambda *seams: Watched(AiohttpConnections(*seams), instants)
    )
    with open_run(load.sync, Warehouse.at(load.url), watched) as run:
        run.plan()
        print("planned", flush=True)
        sys.stdin.readline()
        started = time.monotonic()
        result = run.send()
        seconds = time.monotonic() - started
    assert result.error is None, result.error
    report = result.report
    print(json.dumps(asdict(Sent(instants, seconds, report.rows_created, report.api_throttled, report.rate_limit))))


@contextmanager
def loads(url: str, base_url: str, rows: int, processes: int = PROCESSES) -> Iterator[list[Process]]:
    """Processes that load a sync each, and have planned."""
    running = [Process(Load(f"load{number}", rows, url, base_url)) for number in range(processes)]
    try:
        for each in running:
            each.wait()
        yield running
    finally:
        for each in running:
            with each.process:  # closes its pipes
                each.process.kill()


def mean_in_between(sent: Sequence[Sent]) -> float:
    """Requests a second while all processes send: from the last one's fiftieth request to the first one's last."""
    begin, end = max(each.instants[50] for each in sent), min(each.instants[-1] for each in sent)
    return sum(begin <= instant < end for each in sent for instant in each.instants) / (end - begin)


def use_of_a_shared_rate(postgres_url: str, rows: int) -> tuple[float, str]:
    """The share of a permitted rate that several processes use together, and a note about it and a small sync."""
    with (
        sandbox(20, PERMITTED) as base_url,
        loads(postgres_url, base_url, rows) as running,
    ):
        small = Process(Load("small", 5, postgres_url, base_url))
        small.wait()
        for each in running:
            each.begin()
        time.sleep(3)
        small.begin()
        seconds = small.sent().seconds
        sent = [each.sent() for each in running]
    mean = mean_in_between(sent)
    most = most_in_a_second(sorted(instant for each in sent for instant in each.instants))
    refused = sum(each.throttled for each in sent)
    return mean / PERMITTED, (
        f"{len(sent)} processes with one state in PostgreSQL, {PERMITTED:g}/s permitted: {mean:.1f}/s together, at "
        f"most {most} in any second, {refused} refused; a sync of five rows beside them took {seconds:.1f} s."
    )


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shared_rate", description=__doc__)
    parser.add_argument("--rows", type=int, default=500, help="contacts of each process")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.load is not None:
        return send(Load(**json.loads(asked.load)))
    with postgres() as url:
        print(use_of_a_shared_rate(url, asked.rows)[1])
    return None


if __name__ == "__main__":
    main()
