"""The shared state tables are created once, even by runs that start together."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from support.scenario import Scenario, customers, open_scenario, sync_of

from dagster_dailystory.engine.state.schema import StateLocation
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.errors import BusyError
from dagster_dailystory.functions import run_contact_sync

RUNS = 4


@pytest.mark.parametrize("engine_name", ["postgresql", "sqlite"])
def test_runs_that_start_together_create_the_state_once(new_database, engine_name):
    location, start = StateLocation(new_database(engine_name)), threading.Barrier(RUNS)

    def open_it(number: int) -> bytes:
        start.wait()
        with open_state(location, sync_of(name=f"sync_{number}")) as state:
            return state.secret

    with ThreadPoolExecutor(RUNS) as pool:
        assert len(set(pool.map(open_it, range(RUNS)))) == 1


def test_syncs_that_start_together_on_an_empty_state_all_run(new_database: Callable[[str], str]):
    """Two runs of one sync among them: tables, destination and account are new to all of them."""
    starts = ["first", "second", "third", "third"]
    with open_scenario(new_database, "postgresql") as scenario:
        scenario.seed(*customers(2))
        for attempt in range(4):
            scenario.execute(f"CREATE SCHEMA attempt_{attempt}")
            start = threading.Barrier(len(starts))
            run = partial(run_in, scenario, f"attempt_{attempt}", start)
            with ThreadPoolExecutor(len(starts)) as pool:
                assert sorted(pool.map(run, starts)) == ["done", "done", "done", "empty"]


def run_in(scenario: Scenario, schema: str, start: threading.Barrier, name: str) -> str:
    start.wait()
    while True:
        try:
            return run_contact_sync(
                sync_of(name=name),
                warehouse_url=scenario.warehouse_url,
                state_schema=schema,
                base_url=scenario.sandbox.base_url,
                api_token=scenario.sandbox.token,
                requests_per_second=math.inf,
            ).outcome
        except BusyError:
            time.sleep(0.05)
