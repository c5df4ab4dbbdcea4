"""Runs that share a state in PostgreSQL share the rate of the account: on a real server, by its clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from support.fake_time import most_in_a_second
from support.placements import Placement
from support.scenario import Scenario, customers, sync_of

from dagster_dailystory import adopt_contacts, examine_contact_sync, open_sync
from dagster_dailystory.api.rate.pace import Pace
from dagster_dailystory.api.rate.shared import SharedRateLimiter
from dagster_dailystory.engine.account.permits import StatePermits
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.errors import WarehouseError

RATE = 200.0
in_postgresql = pytest.mark.parametrize("engine_placement", [Placement("sqlite", "postgresql")], ids=str)
in_sqlite = pytest.mark.parametrize("engine_placement", [Placement("sqlite")], ids=str)


@pytest.fixture
def shared(scenario: Scenario) -> Scenario:
    """A state that holds its shared tables only."""
    with open_state(scenario.warehouse.state, sync_of()):
        return scenario


@contextmanager
def limiter_of(scenario: Scenario, rate: float | None = RATE, **settings: Any) -> Iterator[SharedRateLimiter]:
    """The limiter of one process; a process has an event loop and a connection of its own."""
    limiter = SharedRateLimiter(StatePermits(scenario.warehouse.state, "https://a.test/api/v1", rate, **settings), rate)
    try:
        yield limiter
    finally:
        limiter.close()


async def send(limiter: SharedRateLimiter, requests: int, in_flight: int = 16) -> list[float]:
    """Send this many requests; returns when each left."""
    instants: list[float] = []

    async def worker() -> None:
        while len(begun) < requests:
            begun.append(True)
            instants.append(await limiter.wait())

    begun: list[bool] = []
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return instants


def row(scenario: Scenario) -> dict[str, Any]:
    [found] = scenario.rows("rate")
    return found


def change_row(scenario: Scenario, values: str) -> None:
    scenario.execute_state(f"UPDATE dailystory_rate SET {values}")


@in_postgresql
def test_two_processes_send_no_more_together_than_the_rate_permits(shared: Scenario):
    async def scenario() -> list[float]:
        with limiter_of(shared) as one, limiter_of(shared) as other:
            sent = await asyncio.gather(send(one, 150), send(other, 150))
            return sorted([*sent[0], *sent[1]])

    instants = asyncio.run(scenario())
    assert len(instants) == 300
    assert most_in_a_second(instants) <= RATE * 1.1


@in_postgresql
def test_five_requests_beside_a_first_load_leave_at_once(shared: Scenario):
    async def scenario() -> float:
        with limiter_of(shared) as load, limiter_of(shared) as small:
            loading = asyncio.ensure_future(send(load, 100_000, in_flight=32))
            await asyncio.sleep(0.5)
            started = time.monotonic()
            for _ in range(5):
                await small.wait()
            loading.cancel()
            return time.monotonic() - started

    assert asyncio.run(scenario()) < 3.0


@in_postgresql
def test_a_refusal_pauses_and_slows_every_process(shared: Scenario):
    async def scenario() -> tuple[float, float]:
        with limiter_of(shared) as one, limiter_of(shared) as other:
            await asyncio.gather(one.wait(), other.wait())
            one.throttled(1.0)
            refused_at = time.monotonic()
            await asyncio.sleep(0.3)
            return await other.wait() - refused_at, other.requests_per_second

    waited, rate = asyncio.run(scenario())
    assert waited >= 0.95
    assert rate < RATE


@in_postgresql
def test_a_refusal_also_pauses_a_process_that_has_its_permit_already(shared: Scenario):
    async def scenario() -> float:
        with limiter_of(shared, 1.0) as one, limiter_of(shared, 1.0) as other:
            await one.wait()
            waiting = asyncio.ensure_future(other.wait())  # for the next second
            await asyncio.sleep(0.3)
            one.throttled(2.0)
            refused_at = time.monotonic()
            return await waiting - refused_at

    assert asyncio.run(scenario()) >= 1.95


@in_postgresql
def test_a_process_goes_on_with_the_rate_that_another_one_found(shared: Scenario):
    async def scenario() -> float:
        with limiter_of(shared, None) as one:
            await one.wait()
        change_row(shared, "requests_per_second = 77, is_ramping = false")
        with limiter_of(shared, None) as other:
            await other.wait()
            return other.requests_per_second

    assert asyncio.run(scenario()) == 77.0


@in_postgresql
def test_a_clock_that_goes_back_stops_no_process(shared: Scenario):
    async def scenario() -> float:
        with limiter_of(shared) as limiter:
            await limiter.wait()
            an_hour_ahead = "next_at = next_at + 3600, seen_at = seen_at + 3600, paused_until = seen_at + 3600.1"
            change_row(shared, an_hour_ahead)
            started = time.monotonic()
            await limiter.wait()
            return time.monotonic() - started

    assert asyncio.run(scenario()) < 3.0


@in_postgresql
def test_a_lost_connection_is_made_anew(shared: Scenario):
    async def scenario() -> None:
        with limiter_of(shared) as limiter:
            await limiter.wait()
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'UPDATE dailystory_rate%'"
            shared.execute_state(end)
            await limiter.wait()

    asyncio.run(scenario())


@in_postgresql
def test_nothing_is_sent_while_the_row_cannot_be_asked_and_the_loop_goes_on(shared: Scenario):
    async def scenario() -> int:
        with limiter_of(shared, patience_seconds=0.25) as limiter:
            await limiter.wait()
            locked = sa.create_engine(str(shared.state_url), poolclass=sa.NullPool).connect()
            locked.execute(sa.text("UPDATE dailystory_rate SET version = version"))
            waiting = asyncio.ensure_future(limiter.wait())
            turns = 0
            while not waiting.done():
                await asyncio.sleep(0.01)
                turns += 1
            with pytest.raises(WarehouseError, match="dailystory_rate of the state database, which cannot"):
                waiting.result()
            locked.close()
            await limiter.wait()
            return turns

    assert asyncio.run(scenario()) > 10


@in_postgresql
def test_a_table_that_is_gone_ends_the_send_with_a_clear_error(shared: Scenario):
    async def scenario() -> None:
        with limiter_of(shared) as limiter:
            shared.execute_state("DROP TABLE dailystory_rate")
            await limiter.wait()

    with pytest.raises(WarehouseError, match="cannot be asked: relation"):
        asyncio.run(scenario())


@in_postgresql
def test_a_change_of_the_pace_is_made_once(shared: Scenario):
    async def scenario() -> tuple[bool, bool]:
        permits = StatePermits(shared.warehouse.state, "https://a.test/api/v1", RATE)
        seen = await permits.take(1)
        changed = await permits.change(seen, Pace.first(50.0)), await permits.change(seen, Pace.first(70.0))
        permits.close()
        return changed

    assert asyncio.run(scenario()) == (True, False)
    assert row(shared)["requests_per_second"] == 50.0


Places = dict[str, Any]


def run(scenario: Scenario, places: Places) -> None:
    scenario.update(1, city="Rome")
    assert scenario.run(requests_per_second=RATE).rows_updated == 1


def dry_run(scenario: Scenario, places: Places) -> None:
    scenario.run(requests_per_second=RATE, dry_run=True)


def audit(scenario: Scenario, places: Places) -> None:
    audit_contacts(sync_of(), scenario.warehouse, replace(scenario.account, requests_per_second=RATE))


def adopt(scenario: Scenario, places: Places) -> None:
    scenario.insert(*customers(4)[3:])
    adopt_contacts(sync_of(), **places)


def explain(scenario: Scenario, places: Places) -> None:
    with records_of(scenario) as records:
        records.explain(1, **account_in(places))


def undo(scenario: Scenario, places: Places) -> None:
    with records_of(scenario) as records:
        records.undo(records.runs()["run_id"][0], dry_run=True, **account_in(places))


def forget(scenario: Scenario, places: Places) -> None:
    with records_of(scenario) as records:
        records.forget([1], delete_in_dailystory=True, **account_in(places))


def examine(scenario: Scenario, places: Places) -> None:
    examined = examine_contact_sync(sync_of(), **places)
    assert "all syncs of this state share it" in str(examined)


def records_of(scenario: Scenario) -> Any:
    return open_sync(sync_of(), warehouse_url=scenario.warehouse_url, state_url=scenario.state_url)


def account_in(places: Places) -> Places:
    return {name: value for name, value in places.items() if not name.endswith("_url") or name == "base_url"}


ACTIVITIES: list[Callable[[Scenario, Places], None]] = [run, dry_run, audit, adopt, explain, undo, examine, forget]


@in_postgresql
def test_every_activity_draws_from_the_rate_of_the_account(scenario: Scenario):
    scenario.seed(*customers(3))
    scenario.run(requests_per_second=RATE)
    places = {"warehouse_url": scenario.warehouse_url, "state_url": scenario.state_url}
    account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
    for activity in ACTIVITIES:
        asked_at = row(scenario)["seen_at"]
        activity(scenario, {**places, **account, "requests_per_second": RATE})
        assert row(scenario)["seen_at"] > asked_at, activity.__name__


@in_postgresql
def test_the_report_says_that_the_rate_is_shared(scenario: Scenario):
    scenario.seed(*customers(2))
    report = scenario.run(requests_per_second=RATE)
    assert report.rate_limit == "200 requests a second, shared by all syncs of this state"
    assert row(scenario)["destination"] == scenario.sandbox.base_url


@in_sqlite
def test_the_report_says_that_another_database_shares_no_rate(scenario: Scenario):
    scenario.seed(*customers(2))
    report = scenario.run(requests_per_second=RATE)
    assert report.rate_limit == "200 requests a second, of this process alone"
    assert scenario.rows("rate") == []
