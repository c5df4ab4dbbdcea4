"""`python -m benchmarks [--quick] [--part PART]`: run the contests, write `benchmarks/results/<date>.md` and a plot."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks import budget, drt, report
from benchmarks.budget import Line
from benchmarks.contenders import Task
from benchmarks.data import change_customers, customers_sync, make_customers, scatter_customers
from benchmarks.elsewhere import Elsewhere, warehouses
from benchmarks.faults import cost_of_faults, use_of_a_permitted_rate
from benchmarks.rounds import Contest, Measured, in_a_process
from benchmarks.seed import acknowledge_everything
from benchmarks.servers import new_database, postgres, sandbox, waiting
from benchmarks.shared_rate import use_of_a_shared_rate
from dagster_dailystory.engine.warehouse import Warehouse

MEGABYTES = 200
"""The recommended memory limit of DuckDB, for this package only."""

MEMORY = f"?memory_limit={MEGABYTES}MB"

BY_HAND = "SQL by hand, same answer"

ONLY_WAITS = "a server that only waits"

OURS = "dagster_dailystory"

PARTS = ("plans", "elsewhere", "sending", "history", "latency", "faults")

_SENT_ROWS = 10_000
"""With fewer rows, sending measures the start only."""

_PAIRS = 7
"""Rounds of two contenders that differ by a few hundredths."""

Runs = Mapping[str, Callable[[], Measured]]


@dataclass(frozen=True)
class Size:
    """Rows and rounds of one run of the benchmarks."""

    rounds: int
    duckdb_rows: tuple[int, ...]
    postgres_rows: tuple[int, ...]
    read_only_rows: tuple[int, ...]
    summed_rows: tuple[int, ...]
    send_rows: int
    slow_rows: int


QUICK = Size(2, (20_000, 100_000), (20_000, 60_000), (20_000,), (), 1_000, 30)
FULL = Size(
    rounds=3,
    duckdb_rows=(1_000_000, budget.LARGE),
    postgres_rows=(1_000_000, budget.LARGE),
    read_only_rows=(1_000_000,),
    summed_rows=(budget.LARGE,),
    send_rows=10_000,
    slow_rows=500,
)


class Bench:
    """One run of the benchmarks."""

    def __init__(self, home: Path, postgres_url: str, size: Size) -> None:
        self._home = home
        self._postgres = postgres_url
        self._size = size
        self._numbers = count()
        self.contests: list[Contest] = []
        self.notes: list[str] = []
        self.lines: list[budget.Line] = []

    def run(self, parts: Sequence[str]) -> None:
        """Run the contests of some `PARTS`."""
        runners = {
            "plans": self._plans, "elsewhere": self._elsewhere, "sending": self._first_loads,
            "history": self._history, "latency": self._latency, "faults": self._faults,
        }  # fmt: skip
        for part in parts:
            runners[part]()
        self._imports()

    def _plans(self) -> None:
        self._diffs("DuckDB", self._size.duckdb_rows)
        self._diffs("PostgreSQL", self._size.postgres_rows)
        self._read_only()

    def _elsewhere(self) -> None:
        """Plan from each warehouse that is only read and runs here."""
        for rows in self._size.read_only_rows:
            with warehouses(self._home, self._postgres, rows) as found:
                for name, url in found:
                    elsewhere = Elsewhere(name, url, self._home, rows)
                    self.contests += elsewhere.contests(self._size.rounds)
                    self.lines += elsewhere.lines
        for rows in self._size.summed_rows:
            url = new_database(self._postgres, f"summed{rows}")
            make_customers(url, rows)
            elsewhere = Elsewhere("PostgreSQL", url, self._home, rows)
            self.contests += elsewhere.sums(self._size.rounds)
            self.lines += elsewhere.lines

    def _contest(self, title: str, contenders: Runs) -> Contest:
        contest = Contest(title, self._size.rounds).run(contenders)
        self.contests.append(contest)
        return contest

    def _diffs(self, database: str, sizes: Sequence[int]) -> None:
        """Plan without a change, with 1 % changed, and after the customers were rewritten in random key order."""
        for rows in sizes:
            url = self._new_diff(database, rows)
            make_customers(url, rows)
            acknowledge_everything(customers_sync(), Warehouse.at(url))
            title = f"{database}, {rows:,} rows"
            self._diff(f"{title}, no change", database, url, rows)
            change_customers(url, 0.01)
            self._diff(f"{title}, 1 % changed", database, url, rows)
            scatter_customers(url)
            self._diff(f"{title} in random key order, 1 % changed", database, url, rows)

    def _diff(self, title: str, database: str, url: str, rows: int) -> None:
        limit = MEGABYTES if database == "DuckDB" else 0
        contenders = {
            BY_HAND: partial(in_a_process, "whole_sql", Task(url=url)),
            OURS: partial(in_a_process, "ours_plan", Task(url=url + MEMORY * bool(limit))),
        }
        contest = self._contest(title, contenders)
        self.lines += budget.of_plan(
            title,
            database,
            rows=rows,
            changed=contest.median(OURS, "changes"),
            by_hand=contest.median(BY_HAND, "seconds"),
            seconds=contest.median(OURS, "seconds"),
            peak=contest.median(OURS, "peak_mb"),
            limit=limit,
        )

    def _new_diff(self, database: str, rows: int) -> str:
        if database == "PostgreSQL":
            new_database(self._postgres, f"diff{rows}")
        return self._diff_url(database, rows)

    def _diff_url(self, database: str, rows: int) -> str:
        if database == "PostgreSQL":
            return self._postgres.replace("/postgres?", f"/diff{rows}?")
        return f"duckdb:///{self._home}/diff{rows}.duckdb"

    def _read_only(self) -> None:
        """Plan from PostgreSQL with the state elsewhere, on the tables of the diffs."""
        for rows in self._size.read_only_rows:
            url = self._diff_url("PostgreSQL", rows)
            contenders: dict[str, Callable[[], Measured]] = {
                "pandas, both sides": partial(in_a_process, "pandas_diff", Task(url=url))
            }
            for name, option in (("DuckDB", MEMORY), ("SQLite", "")):
                state = f"{name.lower()}:///{self._home}/elsewhere{rows}.{name.lower()}"
                acknowledge_everything(customers_sync(), Warehouse.at(url, state))
                # The run after a first load reads all rows and stores their hashes.
                in_a_process("ours_plan", Task(url=url, state_url=state + option))
                contenders[f"{OURS}, state in {name}"] = partial(_on_a_copy, url, state, option)
            change_customers(url, 0.02)
            self._contest(f"PostgreSQL read only, {rows:,} rows, 2 % changed", contenders)

    def _first_loads(self) -> None:
        rows = self._size.send_rows
        source = self._to_send()
        with sandbox() as base_url:
            bare = Task(url=source, base_url=base_url, rows=rows)
            contenders = {
                "bare aiohttp loop": lambda: in_a_process("bare_send", bare),
                f"{OURS}, DuckDB": lambda: in_a_process("ours_send", replace(bare, url=self._copy())),
                f"{OURS}, SQLite state": lambda: in_a_process("ours_send", replace(bare, state_url=self._new_sqlite())),
                f"{OURS}, PostgreSQL": lambda: in_a_process("ours_send", replace(bare, url=self._new_postgres())),
                "requests in a loop": lambda: in_a_process("naive_send", bare),
            }
            self._add_drt(contenders, base_url, rows)
            contest = self._contest(f"First load of {rows:,} rows, no latency", contenders)
        for name in (each for each in contest.results if each.startswith(OURS)):
            plan, send = contest.median(name, "diff_seconds"), contest.median(name, "send_seconds")
            self.notes.append(f"First load, {name}: {plan:.1f} s for the plan, {send:.1f} s for sending.")
            if rows >= _SENT_ROWS:
                per_second, cpu_ms = contest.contacts_per_second(name), 1e3 * contest.median(name, "cpu_seconds") / rows
                self.lines += [
                    Line(f"First load, {name}, contacts/s", per_second, budget.CONTACTS_PER_SECOND, is_least=True),
                    Line(f"First load, {name}, CPU ms per contact", cpu_ms, budget.CPU_MS_PER_CONTACT),
                ]

    def _history(self) -> None:
        """First loads with and without the history, in turn."""
        source = self._to_send()
        with sandbox() as base_url:
            bare = Task(url=source, base_url=base_url, rows=self._size.send_rows)
            states: dict[str, Callable[[], Task]] = {
                "DuckDB": lambda: replace(bare, url=self._copy()),
                "SQLite state": lambda: replace(bare, state_url=self._new_sqlite()),
                "PostgreSQL": lambda: replace(bare, url=self._new_postgres()),
            }
            for name, made in states.items():
                contenders = {
                    f"history_days={days}": lambda made=made, days=days: in_a_process(
                        "ours_send", replace(made(), history_days=days)
                    )
                    for days in (0, 90)
                }
                title = f"First load of {self._size.send_rows:,} rows, {name}, without and with history"
                contest = Contest(title, _PAIRS).run(contenders)
                self.contests.append(contest)
                ratios = {
                    fact: contest.ratio("history_days=90", "history_days=0", fact)
                    for fact in ("seconds", "cpu_seconds")
                }
                self.notes += [f"{title}: {ratio:.2f} times the {fact}." for fact, ratio in ratios.items()]
                if self._size.send_rows >= _SENT_ROWS:
                    self.lines += [Line(f"{title}, {fact}", ratio, budget.HISTORY) for fact, ratio in ratios.items()]

    def _add_drt(self, contenders: dict[str, Callable[[], Measured]], base_url: str, rows: int) -> None:
        command = drt.install(self._home / "drt-venv")
        if command is None:
            self.notes.append("drt-core could not be installed and was left out.")
            return

        def send() -> Measured:
            folder = self._home / f"drt{next(self._numbers)}"
            return {**drt.send(command, folder, self._home / "send.duckdb", base_url), "contacts": rows}

        contenders[f"drt-core {drt.VERSION}"] = send

    def _latency(self) -> None:
        rows, slow = self._size.send_rows, self._size.slow_rows
        source = self._to_send()
        for server, name in ((waiting(20), ONLY_WAITS), (sandbox(20), "the local DailyStory")):
            with server as base_url:
                bare = Task(url=source, base_url=base_url, rows=rows, concurrency=32)
                contest = self._contest(
                    f"{rows:,} rows, 20 ms latency, 32 in flight, {name}",
                    {
                        "bare aiohttp loop": partial(in_a_process, "bare_send", bare),
                        f"{OURS}, DuckDB": lambda bare=bare: in_a_process("ours_send", replace(bare, url=self._copy())),
                        f"{OURS}, SQLite state": lambda bare=bare: in_a_process(
                            "ours_send", replace(bare, state_url=self._new_sqlite())
                        ),
                        f"requests in a loop, {slow} rows": partial(
                            in_a_process, "naive_send", replace(bare, rows=slow)
                        ),
                    },
                )
            loop = contest.contacts_per_second("bare aiohttp loop") / 1600
            self.notes.append(
                f"20 ms latency, 32 in flight, {name}: the bare loop {loop:.0%} of the permitted 1,600/s."
            )
            for ours in (each for each in contest.results if each.startswith(OURS)):
                share = rows / contest.median(ours, "send_seconds") / 1600
                title = f"20 ms latency, 32 in flight, {name}: {ours}"
                self.notes.append(f"{title} {share:.0%}, while sending.")
                if rows >= _SENT_ROWS and name == ONLY_WAITS:
                    self.lines.append(Line(f"{title}, share", share, budget.SHARE_OF_LATENCY, is_least=True))

    def _faults(self) -> None:
        rows = min(self._size.send_rows, 6_000)
        self.notes += cost_of_faults(self._home, rows, self._size.rounds, latency_ms=20)
        share, note = use_of_a_permitted_rate(self._home, 1_000 if self._size is FULL else 500)
        self.notes.append(note)
        self.lines.append(Line("Share of a permitted rate", share, budget.SHARE_OF_RATE, is_least=True))
        url = new_database(self._postgres, "shared")
        share, note = use_of_a_shared_rate(url, 500)
        self.notes.append(note)
        self.lines.append(Line("Share of a permitted rate, shared", share, budget.SHARE_OF_RATE, is_least=True))

    def _imports(self) -> None:
        others = "import sqlalchemy, httpx, aiohttp, tenacity, phonenumbers, email_validator"
        own = _seconds_of("import dagster_dailystory.engine.run", after=others)
        self.notes.append(f"Import of the package without Dagster and after its dependencies: {own:.2f} s.")

    def _to_send(self) -> str:
        path = self._home / "send.duckdb"
        if not path.exists():
            make_customers(f"duckdb:///{path}", self._size.send_rows)
        return f"duckdb:///{path}"

    def _copy(self) -> str:
        path = self._home / f"copy{next(self._numbers)}.duckdb"
        shutil.copy(self._home / "send.duckdb", path)
        return f"duckdb:///{path}{MEMORY}"

    def _new_postgres(self) -> str:
        url = new_database(self._postgres, f"send{next(self._numbers)}")
        make_customers(url, self._size.send_rows)
        return url

    def _new_sqlite(self) -> str:
        return f"sqlite:///{self._home}/state{next(self._numbers)}.sqlite"


def _on_a_copy(url: str, state: str, option: str) -> Measured:
    """Plan on a copy of the state's file, because a plan removes the hashes of rows that differ."""
    path = Path(state.split(":///")[1])
    copy = path.with_stem(f"{path.stem}-copy")
    shutil.copy(path, copy)
    with copy.open("rb") as written:  # otherwise the contender's first fsync would write the whole file
        os.fsync(written.fileno())
    try:
        return in_a_process("ours_plan", Task(url=url, state_url=state.replace(str(path), str(copy)) + option))
    finally:
        copy.unlink()


def _seconds_of(statement: str, after: str) -> float:
    code = f"{after}; import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True) for _ in range(5)]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> None:
    """Run the benchmarks, print where the results are and whether they keep the budget; if not, exit with 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about three minutes")
    parser.add_argument("--part", choices=PARTS, action="append", help="what to measure; may be repeated")
    asked = parser.parse_args()
    size = QUICK if asked.quick else FULL
    with tempfile.TemporaryDirectory(prefix="bench") as home, postgres() as url:
        bench = Bench(Path(home), url, size)
        try:
            bench.run(asked.part or PARTS)
        finally:  # keep the results so far
            results = Path(__file__).parent / "results"
            print(report.write(results, bench.contests, [*bench.notes, *map(str, bench.lines)], quick=asked.quick))
    print(*bench.lines, sep="\n")
    sys.exit(not all(line.passes for line in bench.lines))


if __name__ == "__main__":
    main()
