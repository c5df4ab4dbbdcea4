"""The cost of faults, and the use of a permitted rate. `python -m benchmarks.faults --help` lists the settings.

Throughput with 5 % 429 and 5 % 500 is compared with throughput without faults at the same latency. Retry-After pauses
every request by design: with `Retry-After: 0` a 429 costs one repeated request, with `Retry-After: 1` and 32 in
flight, requests pause for a second every few dozen requests, whatever the client does.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import customers_sync, make_customers
from benchmarks.servers import TOKEN, sandbox
from dagster_dailystory.api.connections import Connections, HttpResponse
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import AiohttpConnections
from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.runs.report import SyncReport

MIXED = {"throttled": 0.05, "server_error": 0.05}
IN_FLIGHT, PERMITTED = 32, 50


@dataclass(frozen=True)
class Watched:
    """Connections that record when each request is sent; see `Connections`."""

    inner: Connections
    instants: list[float]

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        """Record the instant, and send."""
        self.instants.append(time.monotonic())
        return await self.inner.exchange(method, url, content)

    async def close(self) -> None:
        """Close the connections."""
        await self.inner.close()


def send(home: Path, rows: int, base_url: str, rate: float = math.inf) -> tuple[SyncReport, list[float]]:
    """Create contacts; return the report and the instants at which requests were sent."""
    url = f"duckdb:///{home}/faults{time.monotonic_ns()}.duckdb"
    make_customers(url, rows)
    warehouse = Warehouse.at(url)
    instants: list[float] = []
    watched = AccountSettings(
        base_url, TOKEN, rate, IN_FLIGHT, connect=lambda *seams: Watched(AiohttpConnections(*seams), instants)
    )
    with open_run(customers_sync(), warehouse, watched) as run:
        run.plan()
        result = run.send()
    assert result.error is None
    assert result.report.rows_created == rows
    return result.report, instants


def cost_of_faults(home: Path, rows: int, rounds: int, latency_ms: float) -> list[str]:
    """Compare contacts per second with and without faults, in alternating rounds."""
    rates: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name in ("no faults", "Retry-After: 0", "no Retry-After"):
            faults = {} if name == "no faults" else MIXED
            retry_after = "none" if name == "no Retry-After" else "0"
            with sandbox(latency_ms, faults=faults, retry_after=retry_after) as base_url:
                report, _ = send(home, rows, base_url)
            rates.setdefault(name, []).append(rows / report.send_seconds)
    medians = {name: statistics.median(each) for name, each in rates.items()}
    undisturbed = medians.pop("no faults")
    return [
        f"{rows:,} rows, {latency_ms:g} ms, {IN_FLIGHT} in flight, 5 % 429 and 5 % 500, {name}: {rate:,.0f}/s against"
        f" {undisturbed:,.0f}/s without faults, {1 - rate / undisturbed:.0%} less."
        for name, rate in medians.items()
    ]


def use_of_a_permitted_rate(home: Path, rows: int) -> tuple[float, str]:
    """The share of a permitted rate that is used; a note also has the most requests sent in any second."""
    with sandbox(20) as base_url:
        _, instants = send(home, rows, base_url, PERMITTED)
    share = (len(instants) - 1) / (instants[-1] - instants[0]) / PERMITTED
    most = most_in_a_second(instants)
    return share, f"Permitted {PERMITTED}/s: {share:.1%} of it by the send instants, at most {most} in any second."


def most_in_a_second(instants: Sequence[float]) -> int:
    """The most instants in any window of one second."""
    first = most = 0
    for last, instant in enumerate(instants):
        while instant - instants[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--rows", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=20, help="use more if the CPU is busy with other work")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench") as home:
        for note in cost_of_faults(Path(home), asked.rows, asked.rounds, asked.latency_ms):
            print(note, flush=True)
        print(use_of_a_permitted_rate(Path(home), asked.rows // 12)[1], flush=True)


if __name__ == "__main__":
    main()
