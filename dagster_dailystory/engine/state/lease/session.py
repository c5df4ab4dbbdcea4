"""Sessions: the open state with the lease of its sync, so that one run at a time plans or sends it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from dagster_dailystory.engine.state.layout.migrations import StoredTables, migrate, prepare_leases, sync_names
from dagster_dailystory.engine.state.lease.holders import let_go
from dagster_dailystory.engine.state.lease.lease import Lease
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION, StateLocation
from dagster_dailystory.engine.state.store import State, connect_state
from dagster_dailystory.errors import BusyError, WarehouseError
from dagster_dailystory.model.sync import ContactSync

_log = logging.getLogger("dagster_dailystory")

_BUSY_SECONDS = 1.0


_RECONNECT_SECONDS = 15.0
"""How long a run whose connection was lost tries to give its lease back: a database server restarts in seconds."""


@contextmanager
def open_session(
    sync: ContactSync, location: StateLocation, wait_seconds: float = 0.0
) -> Iterator[tuple[State, Lease]]:
    """Open the state with the sync's lease; wait up to `wait_seconds` for another run to end.

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
    with connect_state(location, sync) as state:
        _upgrade(state)
        with _taken(state, state.sync.name) as lease:
            yield state, lease


@contextmanager
def _taken(state: State, sync_name: str) -> Iterator[Lease]:
    """Take a lease and give it back, through another connection if this one is lost."""
    lease = None
    try:
        with state.connection.begin():
            lease = Lease.take(state, sync_name)
        yield lease
    finally:
        if lease is not None:
            let_go(lease.holder)
            _give_back(state, lease)


def _give_back(state: State, lease: Lease) -> None:
    if not state.connection.invalidated:
        with state.connection.begin():
            return lease.give_back(state)
    deadline = time.monotonic() + _RECONNECT_SECONDS
    while True:
        try:
            with connect_state(state.location, state.sync) as again, again.connection.begin():
                return lease.give_back(again)
        except WarehouseError:
            if time.monotonic() >= deadline:
                return None  # this process knows; for others the lease expires, or ends with the process
            time.sleep(_BUSY_SECONDS)


def _upgrade(state: State) -> None:
    """Bring the tables to the layout of this version, while no sync of the state runs.

    Raises:
        BusyError: A run holds one of the syncs, or another process upgrades the state.
    """
    if state.layout == SCHEMA_VERSION:
        return
    prepare_leases(StoredTables(state.connection, state.location, state.connection.begin))
    with state.connection.begin():
        names = (_ALL_SYNCS, *sync_names(state.connection, state.location))
    with ExitStack() as held:
        leases = [held.enter_context(_reserved(state, name)) for name in names]

        @contextmanager
        def transaction() -> Iterator[None]:
            with state.connection.begin():
                for lease in leases:
                    lease.renew(state)
                yield

        with transaction():
            state.layout = int(state.meta("schema_version") or 0)  # of another process that upgraded it meanwhile
        for layout in migrate(StoredTables(state.connection, state.location, transaction), state.layout):
            with transaction():
                state.record_layout(layout)
            state.layout = layout
            _log.info("the state tables have been upgraded to layout version %d", layout)


@contextmanager
def _reserved(state: State, sync_name: str) -> Iterator[Lease]:
    with ExitStack() as held:
        try:
            lease = held.enter_context(_taken(state, sync_name))
        except BusyError as error:
            raise BusyError(
                f"the state tables have layout version {state.layout} and must be upgraded to {SCHEMA_VERSION}, "
                f"which needs all syncs of this state to be idle: {error}"
            ) from None
        yield lease


_ALL_SYNCS = "*"
"""The name of the lease that one process takes to upgrade the state; a sync cannot have it."""
