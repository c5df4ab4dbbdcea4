"""One first load from end to end: `python -m benchmarks.first_load [ROWS] [duckdb|postgresql]`, a million by default.

It prints the throughput, the CPU of each part of the process, and memory while sending. The local DailyStory runs in a
process of its own.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.data import customers_sync, make_customers
from benchmarks.servers import TOKEN, new_database, postgres, sandbox
from dagster_dailystory.functions import run_contact_sync
from dagster_dailystory.model.runs.report import Progress

_SHOWN = 10
_TICKS = os.sysconf("SC_CLK_TCK")


class Watch:
    """Prints progress and memory ten times while the load is sent."""

    def __init__(self, rows: int) -> None:
        self._next = self._step = rows // _SHOWN
        self.plan_seconds = 0.0

    def look(self, progress: Progress) -> None:
        """Print rows, throughput and current memory."""
        self.plan_seconds = self.plan_seconds or time.process_time()
        if progress.rows_sent < self._next:
            return
        self._next += self._step
        print(
            f"{progress.rows_sent:>10,} sent, {progress.rows_per_second:,.0f}/s, {_memory_mb('VmRSS'):.0f} MB",
            flush=True,
        )


@contextmanager
def _new_database(kind: str) -> Iterator[str]:
    if kind == "postgresql":
        with postgres() as server:
            yield new_database(server, "load")
    else:
        with tempfile.TemporaryDirectory() as home:
            yield f"duckdb:///{home}/load.duckdb?memory_limit=200MB"


def main() -> None:
    """Run a first load and print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_load", description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument("database", nargs="?", choices=("duckdb", "postgresql"), default="duckdb")
    asked = parser.parse_args()
    rows = asked.rows
    with _new_database(asked.database) as url, sandbox() as base_url:
        make_customers(url, rows)
        watch, started, cpu = Watch(rows), time.perf_counter(), time.process_time()
        report = run_contact_sync(
            customers_sync(),
            warehouse_url=url,
            base_url=base_url,
            api_token=TOKEN,
            requests_per_second=float("inf"),
            max_concurrency=16,
            on_progress=watch.look,
        )
        seconds, spent = time.perf_counter() - started, time.process_time() - cpu
        # The sender's thread has ended, so its CPU is that of the process minus that of all living threads.
        plan, sender = watch.plan_seconds - cpu, time.process_time() - _living_threads_seconds()
        print(
            f"{report.rows_created:,} contacts in {seconds:.0f} s, {report.rows_created / seconds:,.0f}/s; "
            f"plan {report.diff_seconds:.0f} s, sending {report.send_seconds:.0f} s"
        )
        print(f"{1e3 * spent / rows:.3f} ms of CPU per contact, peak {_memory_mb('VmHWM'):.0f} MB")
        print(
            f"of the CPU: {plan / spent:.0%} read and plan; {sender / spent:.0%} payload and HTTP; "
            f"{max(spent - plan - sender, 0) / spent:.0%} reading the plan, intents and acknowledgements"
        )
        again = run_contact_sync(
            customers_sync(), warehouse_url=url, base_url=base_url, api_token=TOKEN, max_concurrency=16
        )
        print(f"second run: {again.rows_unchanged:,} unchanged, {again.api_requests} requests")


def _memory_mb(name: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def _living_threads_seconds() -> float:
    used = 0
    for task in Path("/proc/self/task").iterdir():
        fields = (task / "stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        used += int(fields[11]) + int(fields[12])
    return used / _TICKS


if __name__ == "__main__":
    main()
