"""Two runs of one sync: never both at once, and the run that lost the lease writes nothing more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.steps import plan_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.planning.plan import make_plan
from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.sending.results.acknowledgements import Acknowledgements
from dagster_dailystory.engine.state.lease import LEASE_SECONDS, Lease, Waiting, open_session
from dagster_dailystory.engine.state.recovery import Intents
from dagster_dailystory.engine.state.store import utc_now
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import BusyError
from dagster_dailystory.functions import run_contact_sync
from dagster_dailystory.model.change import Outcome, Result
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SYNC = ContactSync(name="customers", source="people", key="id", fields={"email": "email", "city": "city"})
OTHER_PROCESS = """
import json, sys
from dagster_dailystory import ContactSync, errors, run_contact_sync
job = json.loads(sys.argv[1])
try:
    customers = ContactSync(name="customers", source="people", key="id", fields=job["fields"])
    report = run_contact_sync(customers, **job["places"], requests_per_second=float("inf"))
    print(json.dumps({"outcome": report.outcome, "created": report.rows_created}))
except errors.DailyStoryError as error:
    print(json.dumps({"error": type(error).__name__, "message": str(error)}))
"""

OTHER_HOST = """
import json, sys
from dagster_dailystory import ContactSync, errors
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.runs.options import PlanOptions
job = json.loads(sys.argv[1])
places = job["places"]
customers = ContactSync(name="customers", source="people", key="id", fields=job["fields"])
account = AccountSettings(places["base_url"], places["api_token"], requests_per_second=float("inf"))
with open_run(customers, Warehouse.at(places["warehouse_url"]), account, host="another-host") as run:
    result = run.resume_or_run(PlanOptions())
print(json.dumps({"error": type(result.error).__name__, "message": str(result.error)}))
"""


@pytest.fixture
def url(warehouse_url: str) -> str:
    execute(warehouse_url, "CREATE TABLE people (id INTEGER, email VARCHAR(99), city VARCHAR(99))")
    rows = ", ".join(f"({number}, 'person{number}@example.com', 'Paris')" for number in range(40))
    execute(warehouse_url, f"INSERT INTO people VALUES {rows}")
    return warehouse_url


def execute(url: str, statement: str) -> list[sa.Row[tuple[object, ...]]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(statement)
        return list(result) if result.returns_rows else []


class OtherRun:
    """A run of the same sync in a process of its own."""

    def __init__(self, url: str, sandbox: Sandbox, code: str = OTHER_PROCESS) -> None:
        places = {"warehouse_url": url, "base_url": sandbox.base_url, "api_token": sandbox.token}
        job = json.dumps({"fields": dict(SYNC.fields), "places": places})
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, job], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )

    def result(self) -> dict[str, object]:
        output, _ = self.process.communicate(timeout=60)
        result: dict[str, object] = json.loads(output)
        return result

    def kill(self) -> None:
        """End it, asleep or not; harmless when it is over."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def start(url: str, sandbox: Sandbox) -> Iterator[Callable[[], OtherRun]]:
    """Starts another run of the sync."""
    runs: list[OtherRun] = []

    def start_one() -> OtherRun:
        runs.append(OtherRun(url, sandbox))
        return runs[-1]

    yield start_one
    for run in runs:
        run.kill()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("engine_name", ["duckdb", "postgresql", "sqlite"])
def test_a_second_run_stops_while_the_first_one_sends(
    engine_name: str, url: str, sandbox: Sandbox, start: Callable[[], OtherRun]
) -> None:
    sandbox.configure(latency_seconds=2.0)
    first = start()
    wait_for(lambda: sandbox.counts.posts >= 1)
    second = start().result()
    sandbox.configure(latency_seconds=0.0)
    assert second["error"] == "BusyError"
    expected = "another process has the DuckDB file open" if engine_name == "duckdb" else "another run holds sync"
    assert expected in str(second["message"])
    assert first.result() == {"outcome": "done", "created": 40}
    assert set(sandbox.creates_by_identity().values()) == {1}


@pytest.mark.parametrize("engine_name", ["duckdb", "postgresql", "sqlite"])
def test_runs_that_start_together_on_an_empty_state_send_each_row_once(
    engine_name: str, url: str, sandbox: Sandbox, start: Callable[[], OtherRun]
) -> None:
    results = [run.result() for run in [start() for _ in range(3)]]
    assert {str(result.get("error", "none")) for result in results} <= {"none", "BusyError"}
    assert sum(int(str(result.get("created", 0))) for result in results) == 40
    assert set(sandbox.creates_by_identity().values()) == {1}


@pytest.mark.parametrize("engine_name", ["duckdb", "postgresql", "sqlite"])
def test_the_lease_of_a_dead_process_is_taken_over_at_once(
    engine_name: str, url: str, sandbox: Sandbox, start: Callable[[], OtherRun]
) -> None:
    sandbox.configure(latency_seconds=1.0)
    first = start()
    wait_for(lambda: sandbox.counts.posts >= 5)
    first.kill()
    sandbox.configure(latency_seconds=0.0)
    report = run_contact_sync(
        SYNC, warehouse_url=url, base_url=sandbox.base_url, api_token=sandbox.token, requests_per_second=float("inf")
    )
    assert report.outcome == "done"
    assert set(sandbox.creates_by_identity().values()) == {1}
    assert len(sandbox.contacts()) == 40


@pytest.mark.parametrize("engine_name", ["postgresql", "sqlite"])
def test_a_run_that_slept_through_a_takeover_writes_nothing_more(
    engine_name: str, url: str, sandbox: Sandbox, start: Callable[[], OtherRun]
) -> None:
    sandbox.configure(latency_seconds=1.0)
    sleeper = start()
    wait_for(lambda: sandbox.counts.posts >= 5)
    put_to_sleep(sleeper, url)
    try:
        sandbox.configure(latency_seconds=0.0)
        report = run_contact_sync(
            SYNC, warehouse_url=url, base_url=sandbox.base_url, api_token=sandbox.token, requests_per_second=1000.0
        )
        assert report.outcome == "done"
        before = state_of(url)
    finally:
        sleeper.process.send_signal(signal.SIGCONT)
    result = sleeper.result()
    assert result["error"] == "BusyError"
    assert "took sync 'customers' over" in str(result["message"])
    assert state_of(url) == before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_another_host_finishes_the_sync_within_a_minute(
    engine_name: str, how: signal.Signals, url: str, sandbox: Sandbox
) -> None:
    sandbox.configure(latency_seconds=1.0)
    lost = OtherRun(url, sandbox, OTHER_HOST)
    messages: list[str] = []
    try:
        wait_for(lambda: sandbox.counts.posts >= 5)
        stop_between_transactions(lost, url, how)
        since = time.monotonic()
        sandbox.configure(latency_seconds=0.0)
        account = AccountSettings(sandbox.base_url, sandbox.token, requests_per_second=float("inf"))
        with open_run(SYNC, Warehouse.at(url), account, waiting=Waiting(100, messages.append)) as run:
            result = run.resume_or_run(PlanOptions())
        assert result.error is None
        assert 30 < time.monotonic() - since < 60
        assert f"on another-host (process {lost.process.pid})" in messages[0]
        assert set(sandbox.creates_by_identity().values()) == {1}
        assert len(sandbox.contacts()) == 40
        before, posts = state_of(url), sandbox.counts.posts
        if how is signal.SIGSTOP:
            lost.process.send_signal(signal.SIGCONT)
            assert lost.result()["error"] == "BusyError"
        assert state_of(url) == before
        assert sandbox.counts.posts == posts
    finally:
        lost.kill()


def stop_between_transactions(run: OtherRun, url: str, how: signal.Signals) -> None:
    """Stop or kill a process while it has nothing locked: what is stopped in a transaction keeps its locks."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    locked = "SELECT count(*) FROM pg_locks WHERE relation = 'dailystory_meta'::regclass AND mode = 'RowExclusiveLock'"
    while True:
        run.process.send_signal(signal.SIGSTOP)
        with engine.begin() as connection:
            if not connection.exec_driver_sql(locked).scalar():
                run.process.send_signal(how)
                return
        run.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_run_that_is_busy_for_long_keeps_its_lease(engine_name: str, url: str, sandbox: Sandbox) -> None:
    warehouse, account = Warehouse.at(url), AccountSettings(sandbox.base_url, sandbox.token)
    with open_session(SYNC, warehouse.state, host="another-host") as (state, lease):
        until = time.monotonic() + LEASE_SECONDS + 10
        while time.monotonic() < until:  # busy with Python code
            sum(number * number for number in range(100_000))
        with pytest.raises(BusyError, match="another run holds"):
            plan_run(SYNC, warehouse, account)
        with state.connection.begin():
            lease.check(state)


def put_to_sleep(run: OtherRun, url: str) -> None:
    """Stop a process between two transactions, and date its last heartbeat years back."""
    long_ago = "UPDATE dailystory_meta SET heartbeat_at = '2001-01-01 00:00:00.000000' WHERE name = 'lock:customers'"
    patience = {"timeout": 0.2} if url.startswith("sqlite") else {"options": "-c lock_timeout=200"}
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=patience)
    while True:
        run.process.send_signal(signal.SIGSTOP)
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql(long_ago)
            return
        except sa.exc.OperationalError:
            run.process.send_signal(signal.SIGCONT)


def state_of(url: str) -> dict[str, list[str]]:
    """The tables of the state."""
    names = ("snapshot", "contact_map", "intents", "rejections")
    tables = [*(f"dailystory_customers_{name}" for name in names), "dailystory_runs", "dailystory_plans"]
    return {name: sorted(map(str, execute(url, f"SELECT * FROM {name}"))) for name in tables}


def test_the_fence_refuses_every_kind_of_late_write(url: str, sandbox: Sandbox) -> None:
    warehouse, account = Warehouse.at(url), AccountSettings(sandbox.base_url, sandbox.token)
    plan = plan_run(SYNC, warehouse, account)
    with open_session(SYNC, warehouse.state) as (state, lease):
        with state.connection.begin():
            tables = state.load_tables()
        assert tables is not None
        journal, intents = Acknowledgements(state, tables, lease, plan.plan_id), Intents(state, tables, lease)
        with state.connection.begin():
            state.connection.execute(sa.update(state.shared.meta).values(holder=None))
            Lease.take(state)
        before = None if url.startswith("duckdb") else state_of(url)
        for late_write in (
            lambda: journal.acknowledge([Result(1, Outcome.FAILED, utc_now())], {}),
            journal.record_without_request,
            lambda: intents.settle([]),
            lambda: make_plan(state, lease, url, PlanOptions(), "run", account.base_url),
        ):
            with pytest.raises(BusyError, match="took sync 'customers' over"):
                late_write()
        assert before is None or state_of(url) == before


def test_a_process_id_used_again_is_another_process(url: str, sandbox: Sandbox) -> None:
    warehouse, account = Warehouse.at(url), AccountSettings(sandbox.base_url, sandbox.token)
    plan_run(SYNC, warehouse, account)
    with open_session(SYNC, warehouse.state) as (_, lease):
        host, pid, started, word = lease.holder.rsplit(":", 3)
    assert int(pid) == os.getpid()
    for holder, is_dead in ((f"{host}:{pid}:1{started}:{word}", True), (f"elsewhere:{pid}:{started}:{word}", False)):
        execute(url, f"UPDATE dailystory_meta SET holder = '{holder}' WHERE name = 'lock:customers'")
        if is_dead:
            plan_run(SYNC, warehouse, account)
            continue
        with pytest.raises(BusyError, match="another run holds sync 'customers'"):
            plan_run(SYNC, warehouse, account)
