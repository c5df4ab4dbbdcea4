"""Promise 3: a sync that is killed at any instant loses nothing and duplicates no contact, on DuckDB and PostgreSQL."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support import kill_runner

from dagster_dailystory.engine.sending.sender import MAX_UNWRITTEN
from dagster_dailystory.sandbox import Sandbox, SandboxSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROWS = 10_000
REPEATS_PER_KILL = MAX_UNWRITTEN + kill_runner.CONCURRENCY
EMAIL = (
    "'Person' || i || '@' || case mod(i, 3) when 0 then 'Example.com'"
    " when 1 then 'xn--mller-kva.example' else 'm\u00fcller.example' end"
)
"""Addresses in spellings that an exact look-up tells apart."""

KillPoint = dict[str, object]

NAMED_KILL_POINTS: Sequence[KillPoint] = (
    {"at": "statement", "text": "dailystory_customers_pending"},
    {"at": "statement", "text": "INSERT INTO dailystory_customers_changes"},
    {"at": "commit", "text": "INSERT INTO dailystory_plans"},
    {"at": "committed", "text": "INSERT INTO dailystory_plans"},
    {"at": "committed", "text": "UPDATE dailystory_plans"},
    {"at": "commit", "text": "INSERT INTO dailystory_customers_intents"},
    {"at": "committed", "text": "INSERT INTO dailystory_customers_intents"},
    {"at": "committed", "text": "INSERT INTO dailystory_customers_intents", "number": 3},
    {"at": "request", "number": 2},
    {"at": "response", "number": 2},
    {"at": "request", "number": 40},
    {"at": "response", "number": 400},
    {"at": "commit", "text": "INSERT INTO dailystory_customers_answers"},
    {"at": "committed", "text": "INSERT INTO dailystory_customers_answers"},
    {"at": "commit", "text": "INSERT INTO dailystory_customers_answers", "number": 2},
    {"at": "committed", "text": "INSERT INTO dailystory_customers_answers", "number": 2},
    {"at": "statement", "text": "DELETE FROM dailystory_customers_intents", "number": 2},
    {"at": "statement", "text": "INSERT INTO dailystory_runs"},
)


class Runs:
    """Starts syncs in processes of their own."""

    def __init__(self, url: str, sandbox: Sandbox) -> None:
        self._job = {"url": url, "base_url": sandbox.base_url, "token": sandbox.token}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(kill_runner.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, **kill_point: object) -> bool:
        """Run once; whether it was killed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({**self._job, "kill_point": kill_point}) + "\n")
        self._process.stdin.flush()
        ended: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert ended["killed"] or ended["status"] == 0
        return bool(ended["killed"])

    def close(self) -> None:
        self._process.communicate()


class SourceTable:
    """The table `people`, and what the sandbox must hold because of it."""

    def __init__(self, url: str, sandbox: Sandbox) -> None:
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)
        self._sandbox = sandbox
        self.execute(
            f"CREATE TABLE people AS SELECT i AS id, {EMAIL} AS email,"
            f" 'Name' || i AS first_name, 'Paris' AS city, 'gold' AS plan FROM generate_series(1, {ROWS}) AS t(i)"
        )

    def execute(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def rows(self, query: str) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.exec_driver_sql(query))

    def check(self) -> None:
        """Every row is one contact with its values, mapped by dsid; the contact of a row that left is inactive."""
        contacts = self._sandbox.contacts()
        found = {c["dsId"]: (c["email"], c["firstName"], c["city"], c["extendedProperties"]) for c in contacts}
        mapped = dict(map(tuple, self.rows("SELECT id, dsid FROM dailystory_customers_contact_map")))
        source = {row[0]: (*row[1:4], {"plan": row[4]}) for row in self.rows("SELECT * FROM people")}
        assert {key: found[mapped[key]] for key in source} == source
        active = {c["dsId"] for c in contacts if c["status"] == "Active"}
        assert active == {mapped[key] for key in source}
        assert len(contacts) == len(mapped) == len(set(mapped.values()))
        assert set(self._sandbox.creates_by_identity().values()) == {1}
        assert self.rows("SELECT * FROM dailystory_customers_intents") == []
        assert self.rows("SELECT * FROM dailystory_customers_rejections") == []


@pytest.fixture
def sandbox(strict: bool) -> Iterator[Sandbox]:
    settings = SandboxSettings(duplicates_allowed=True, strict=strict)  # a create sent twice makes two contacts
    with Sandbox(settings) as running:
        yield running


def random_kill_points(seed: int, count: int) -> list[KillPoint]:
    """Instants all over a run: at a time, before a statement of the plan or the send, before and after a request."""
    chance = random.Random(seed)
    kinds: Sequence[Callable[[], KillPoint]] = (
        lambda: {"at": "seconds", "number": round(chance.uniform(0.05, 0.8), 3)},
        lambda: {"at": "statement", "number": chance.randint(1, 70)},
        lambda: {"at": "request", "number": chance.randint(1, 250)},
        lambda: {"at": "response", "number": chance.randint(1, 250)},
    )
    return [kinds[number % len(kinds)]() for number in range(count)]


def run_to_the_end(runs: Runs, sandbox: Sandbox, kill_points: Sequence[KillPoint]) -> tuple[int, int]:
    """Kill one run after the other, then run undisturbed; how many were killed, and how many writes were repeated."""
    before = len(sandbox.writes())
    kills = sum(runs.run(**kill_point) for kill_point in kill_points)
    runs.run(at="never")
    writes = Counter(write.dsid for write in sandbox.writes()[before:])
    return kills, sum(writes.values()) - len(writes)


@pytest.mark.parametrize(
    ("engine_name", "strict", "least_kills"),
    [
        pytest.param("duckdb", False, 50, marks=pytest.mark.elsewhere, id="duckdb"),
        pytest.param("postgresql", False, 50, id="postgresql"),
        pytest.param("postgresql", True, 12, id="postgresql-strict"),
    ],
)
def test_a_sync_killed_anywhere_makes_every_contact_once(
    engine_name: str,
    new_database: Callable[[str], str],
    sandbox: Sandbox,
    strict: bool,
    least_kills: int,
    record_property: Callable[[str, object], None],
) -> None:
    url = new_database(engine_name)
    source, runs = SourceTable(url, sandbox), Runs(url, sandbox)
    total = 0
    try:
        for load, (edits, kill_points) in enumerate(islice(loads(), 1 if strict else None)):
            for edit in edits:
                source.execute(edit)
            kills, repeats = run_to_the_end(runs, sandbox, kill_points)
            source.check()
            assert repeats <= kills * REPEATS_PER_KILL
            record_property(f"load {load}", f"{kills} kills, {repeats} repeated writes")
            total += kills
        requests = sandbox.counts.requests
        runs.run(at="never")
        assert sandbox.counts.requests == requests
    finally:
        runs.close()
    assert total >= least_kills


def loads() -> Iterator[tuple[Sequence[str], Sequence[KillPoint]]]:
    """Edits of the source, and the kill points of the runs that follow."""
    yield (), NAMED_KILL_POINTS
    people = f"INSERT INTO people SELECT i, {EMAIL}, 'Name' || i, 'Oslo', 'free'"
    deletes_changes_and_inserts = (
        "DELETE FROM people WHERE mod(id, 20) = 3",
        "UPDATE people SET city = 'Rome', plan = 'silver' WHERE mod(id, 8) = 0",
        f"{people} FROM generate_series({ROWS + 1}, {ROWS + 400}) AS t(i)",
    )
    yield deletes_changes_and_inserts, random_kill_points(1, 22)
    returns_and_changes = (
        f"{people} FROM (SELECT i * 20 + 3 FROM generate_series(0, {ROWS // 20 - 1}) AS s(i)) AS t(i)",
        "UPDATE people SET first_name = 'New' || id WHERE mod(id, 7) = 0",
    )
    yield returns_and_changes, random_kill_points(2, 22)
    inserts_and_new_keys = (
        f"{people} FROM generate_series({ROWS + 401}, {ROWS + 1000}) AS t(i)",
        "UPDATE people SET id = id + 100000 WHERE mod(id, 16) = 5",
    )
    yield inserts_and_new_keys, random_kill_points(3, 22)
