"""Runs that wait for the lease get it in the order in which they came."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from support.scenario import customers, open_scenario, sync_of
from support.steps import resume_or_run

from dagster_dailystory.engine.state.lease import Waiting, open_session
from dagster_dailystory.engine.state.lease.waiting import Place
from dagster_dailystory.engine.state.schema import StateLocation
from dagster_dailystory.engine.state.store import open_state, utc_now
from dagster_dailystory.errors import BusyError, DailyStoryError
from dagster_dailystory.model.runs.options import PlanOptions


def test_a_second_run_waits_for_the_first_one_if_asked(new_database: Callable[[str], str]):
    place = StateLocation(new_database("sqlite"))

    def wait_for_it() -> int:
        with open_session(sync_of(), place, Waiting(30)) as (_, lease):
            return lease.fence

    with ThreadPoolExecutor(1) as pool:
        with open_session(sync_of(), place) as (_, first):
            second = pool.submit(wait_for_it)
            time.sleep(0.1)
            assert not second.done()
        assert second.result() == first.fence + 1


def test_waiting_runs_get_the_lease_in_the_order_in_which_they_came(new_database: Callable[[str], str]):
    location, order = StateLocation(new_database("postgresql")), ["a", "b", "c"]
    served: list[str] = []

    def wait(run_id: str) -> None:
        with open_session(sync_of(), location, Waiting(60), run_id):
            served.append(run_id)

    with ThreadPoolExecutor(3) as pool:
        with open_session(sync_of(), location):
            waiting = [start_waiting(pool.submit, wait, location, run_id) for run_id in order]
        for each in waiting:
            each.result()
    assert served == order
    assert queue_of(location) == []


def start_waiting(
    submit: Callable[..., Future[None]], wait: Callable[[str], None], location: StateLocation, run_id: str
) -> Future[None]:
    """Start a run, and return when it waits."""
    run = submit(wait, run_id)
    deadline = time.monotonic() + 30
    while run_id not in queue_of(location):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return run


def queue_of(location: StateLocation) -> list[str]:
    with open_state(location, sync_of()) as state, state.connection.begin():
        meta = state.shared.meta
        waiting = sa.select(meta.c.run_id).where(meta.c.name.startswith("wait:")).order_by(meta.c.fence)
        return list(state.connection.execute(waiting).scalars())


def test_a_run_does_not_overtake_one_that_waits(warehouse_url):
    location, place = StateLocation(warehouse_url), Place("customers", "patient")
    with open_state(location, sync_of()) as state:
        place.hold(state)
    with pytest.raises(BusyError, match=r"run patient on .* since .* waits for sync 'customers' and comes first"):
        open_session(sync_of(), location).__enter__()
    place.forget()
    with open_session(sync_of(), location, run_id="next"):
        pass


def test_a_waiting_run_of_another_host_loses_its_place_without_a_heartbeat(new_database: Callable[[str], str]):
    location = StateLocation(new_database("sqlite"))
    with open_state(location, sync_of()) as state:
        Place("customers", "gone").hold(replace(state, clock=lambda: utc_now() - timedelta(seconds=40)))
        Place("customers", "here").hold(state)
    assert queue_of(location) == ["here"]


def test_a_wait_is_reported_with_the_run_that_holds_the_sync(new_database: Callable[[str], str]):
    location = StateLocation(new_database("sqlite"))
    messages: list[str] = []
    holder = rf"run holder on {socket.gethostname()} \(process {os.getpid()}\) since 20"
    with open_session(sync_of(), location, run_id="holder"), pytest.raises(BusyError, match=holder):
        open_session(sync_of(), location, Waiting(1.5, messages.append), "other").__enter__()
    assert len(messages) == 1
    assert "another run holds sync 'customers': run holder on" in messages[0]
    assert queue_of(location) == []


def test_an_abandoned_run_neither_waits_nor_sends(new_database: Callable[[str], str]):
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(40))
        location, account = scenario.warehouse.state, scenario.account
        abandoned = Waiting(60, is_abandoned=lambda: True)
        with (
            open_session(sync_of(), location),
            pytest.raises(DailyStoryError, match="the process that started this run"),
        ):
            open_session(sync_of(), location, abandoned).__enter__()
        result = resume_or_run(sync_of(), scenario.warehouse, account, PlanOptions(), ["run"], waiting=abandoned)
        assert "the process that started this run has ended" in str(result.error)
        assert scenario.run().outcome == "done"
        assert set(scenario.sandbox.creates_by_identity().values()) == {1}
