"""The shared state tables are created once, even by runs that start together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.scenario import sync_of

from dagster_dailystory.engine.state.schema import StateLocation
from dagster_dailystory.engine.state.store import open_state

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
