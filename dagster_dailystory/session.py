"""A session: the state of one sync, open and leased, for as long as a run works on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from dagster_dailystory.errors import BusyError
from dagster_dailystory.lease import Lease
from dagster_dailystory.model import ContactSync
from dagster_dailystory.state import State, open_state
from dagster_dailystory.tables import StateLocation

_BUSY_SECONDS = 1.0


@contextmanager
def held(sync: ContactSync, location: StateLocation, wait_seconds: float = 0.0) -> Iterator[tuple[State, Lease]]:
    """Open the state with the sync's lease, waiting for another run to end where that is wished.

    Raises:
        BusyError: Another run still holds the sync.
        DailyStoryError: The state cannot be opened; see `open_state`.
    """
    deadline = time.monotonic() + wait_seconds
    with ExitStack() as opened:
        while True:
            try:
                session = opened.enter_context(_leased(sync, location))
                break
            except BusyError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(min(_BUSY_SECONDS, wait_seconds))
        yield session


@contextmanager
def _leased(sync: ContactSync, location: StateLocation) -> Iterator[tuple[State, Lease]]:
    with open_state(location, sync) as state:
        with state.connection.begin():
            lease = Lease.take(state)
        try:
            yield state, lease
        finally:
            with state.connection.begin():
                lease.give_back(state)
