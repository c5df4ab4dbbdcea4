"""Plans from a warehouse that is only read: rows streamed or hashes compared, whole or in slices."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.budget import BYTES_OF_SUMS, CPU_IN_SLICES, CPU_SAVED, CPU_SECONDS_OF_SUMS, TIME_OF_SUMS, Line
from benchmarks.contenders import Task
from benchmarks.data import SLICES, change_customers, customers_sync, fill_customers, make_customers
from benchmarks.rounds import Contest, Measured, in_a_process
from benchmarks.seed import acknowledge_everything
from benchmarks.servers import new_database
from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.partitions import HashBuckets

STREAMED, HASHES, SUMS = "rows streamed", "hashes compared", "sums compared first"
WHOLE, IN_SLICES = "one run", f"{SLICES} runs, one for each bucket"

_LARGE = 1_000_000
"""With fewer rows, what does not depend on them counts most."""


class Elsewhere:
    """The contests on one warehouse, with the state in SQLite.

    Args:
        name: What the warehouse is.
        url: Where its customers are.
        home: A folder for the states.
        rows: How many customers there are.
    """

    def __init__(self, name: str, url: str, home: Path, rows: int) -> None:
        self._name = name
        self._url = url
        self._home = home
        self._rows = rows
        self.lines: list[Line] = []

    def contests(self, rounds: int) -> Iterator[Contest]:
        """Prepare the states, change 1 % of the rows, and measure."""
        hashed, sliced = self._state("hashed", 0), self._state("sliced", SLICES)
        streamed = self._copy(hashed, "streamed")
        with open_engine(f"sqlite:///{streamed}").begin() as state:
            state.exec_driver_sql("DELETE FROM dailystory_meta WHERE name LIKE 'row_hashes:%'")
        unchanged = {HASHES: self._plan(hashed), IN_SLICES: self._plan(sliced, buckets=SLICES)}
        title = f"{self._name} read only, {self._rows:,} rows"
        yield self._measured(Contest(f"{title}, no change", rounds), unchanged, changes=0)
        changes = change_customers(self._url, 0.01)
        changed = {STREAMED: self._plan(streamed), HASHES: self._plan(hashed)}
        contest = self._measured(Contest(f"{title}, 1 % changed", rounds), changed, changes)
        yield contest
        saved = contest.median(STREAMED, "cpu_seconds") / contest.median(HASHES, "cpu_seconds")
        self._add(Line(f"{contest.title}: CPU saved by hashes, times", saved, CPU_SAVED, is_least=True))
        slices = {WHOLE: self._plan(hashed), IN_SLICES: self._plan(sliced, buckets=SLICES)}
        contest = self._measured(Contest(f"{title}, 1 % changed, in slices", rounds), slices, changes)
        yield contest
        cost = contest.median(IN_SLICES, "cpu_seconds") / contest.median(WHOLE, "cpu_seconds")
        self._add(Line(f"{contest.title}: CPU of {SLICES} runs, times one", cost, CPU_IN_SLICES))

    def sums(self, rounds: int) -> Iterator[Contest]:
        """Compare sums of hashes with all hashes, without a change and with one row of 10,000 changed."""
        state, title = self._state("summed", 0), f"{self._name} read only, {self._rows:,} rows"
        ways = {SUMS: self._plan(state), HASHES: self._plan(state, adds_hashes_up=False)}
        yield self._measured(Contest(f"{title}, sums, no change", rounds), ways, changes=0)
        changes = change_customers(self._url, 0.0001)
        contest = self._measured(Contest(f"{title}, sums, 0.01 % changed", rounds), ways, changes)
        yield contest
        share = {fact: contest.median(SUMS, fact) / contest.median(HASHES, fact) for fact in ("bytes_read", "seconds")}
        self.lines += [
            Line(f"{contest.title}: bytes, share of those of hashes", share["bytes_read"], BYTES_OF_SUMS),
            Line(f"{contest.title}: time, share of that of hashes", share["seconds"], TIME_OF_SUMS),
            Line(f"{contest.title}: seconds of CPU", contest.median(SUMS, "cpu_seconds"), CPU_SECONDS_OF_SUMS),
        ]

    def _add(self, line: Line) -> None:
        if self._rows >= _LARGE:
            self.lines.append(line)

    def _measured(self, contest: Contest, contenders: Mapping[str, Callable[[], Measured]], changes: int) -> Contest:
        """Run a contest; each contender must find all changes, and read no row that did not change."""
        contest.run(contenders)
        for name, rounds in contest.results.items():
            for measured in rounds:
                assert measured["changes"] == changes, f"{contest.title}: {name} found {measured['changes']}"
                assert name == STREAMED or measured["rows_transferred"] == changes, f"{contest.title}: {name}"
        return contest

    def _state(self, name: str, buckets: int) -> Path:
        """A state after a first load and one more run."""
        path = self._home / f"{self._name}-{name}.sqlite"
        sync = replace(customers_sync(), partitions=HashBuckets(buckets) if buckets else None)
        acknowledge_everything(sync, Warehouse.at(self._url, f"sqlite:///{path}"))
        for _ in range(2):  # the first run stores the slices, and each the hashes
            in_a_process("ours_plan", Task(url=self._url, state_url=f"sqlite:///{path}", buckets=buckets))
        return path

    def _plan(self, state: Path, buckets: int = 0, *, adds_hashes_up: bool = True) -> Callable[[], Measured]:
        return partial(self._plan_on_a_copy, state, buckets, adds_hashes_up)

    def _plan_on_a_copy(self, state: Path, buckets: int, adds_hashes_up: bool) -> Measured:
        """Plan on a copy of the state, because a plan removes the hashes of rows that differ."""
        copy = self._copy(state, "plan")
        try:
            task = Task(url=self._url, state_url=f"sqlite:///{copy}", buckets=buckets, adds_hashes_up=adds_hashes_up)
            return in_a_process("ours_plan", task)
        finally:
            copy.unlink()

    def _copy(self, state: Path, purpose: str) -> Path:
        copy = state.with_stem(f"{state.stem}-{purpose}")
        shutil.copy(state, copy)
        with copy.open("rb") as written:  # otherwise the contender's first fsync would write the whole file
            os.fsync(written.fileno())
        return copy


@contextmanager
def warehouses(home: Path, postgres_url: str, rows: int) -> Iterator[Iterator[tuple[str, str]]]:
    """Yield names and URLs of warehouses with this number of customers; a server lives as long as the context."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.databases import create_database, mariadb_server  # type: ignore[import-not-found]

    def made(server: str) -> Iterator[tuple[str, str]]:
        postgres = new_database(postgres_url, f"elsewhere{rows}")
        duckdb = f"duckdb:///{home}/elsewhere.duckdb"
        for name, url in (("PostgreSQL", postgres), ("DuckDB", duckdb)):
            make_customers(url, rows)
            yield name, url
        mariadb = create_database(server, f"elsewhere{rows}", "mysql")
        clickhouse = f"clickhousedb:///default?interface=chdb&path={home}/clickhouse"
        for name, url in (("MariaDB", mariadb), ("ClickHouse", clickhouse)):
            fill_customers(url, duckdb)
            yield name, url

    with mariadb_server() as server, closing(made(server)) as found:
        yield found
