"""Sessions: the open state with the lease of its sync, so that one run at a time plans or sends it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial

from dagster_dailystory.databases.connect import connect, open_engine
from dagster_dailystory.engine.state.layout.migrations import StoredTables, migrate, prepare_leases, sync_names
from dagster_dailystory.engine.state.lease.heartbeat import renewed_meanwhile
from dagster_dailystory.engine.state.lease.holders import let_go
from dagster_dailystory.engine.state.lease.lease import Lease
from dagster_dailystory.engine.state.lease.waiting import NO_WAIT, Place, Waiting
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION, StateLocation
from dagster_dailystory.engine.state.store import State, connect_state
from dagster_dailystory.errors import BusyError, DailyStoryError, WarehouseError
from dagster_dailystory.model.sync import ContactSync

_log = logging.getLogger("dagster_dailystory")

_BUSY_SECONDS = 1.0


_RECONNECT_SECONDS = 15.0
"""How long a run whose connection was lost tries to give its lease back: a database server restarts in seconds."""


_REMIND_SECONDS = 30.0
"""Time between two messages about a wait."""


@contextmanager
def open_session(
    sync: ContactSync,
    location: StateLocation,
    waiting: Waiting = NO_WAIT,
    run_id: str | None = None,
    *,
    host: str | None = None,
    drops: bool = False,
) -> Iterator[tuple[State, Lease]]:
    """Open the state with the sync's lease; runs that wait for it get it in the order in which they came.

    The lease is renewed until the session ends, whatever the run waits for.

    Args:
        sync: The sync.
        location: Where the state is.
        waiting: How long to wait for other runs of the sync.
        run_id: Shown to the runs that wait for this one.
        host: Where this process runs, if not on this host.
        drops: The sync is removed from the state, so that it may have been moved from there.

    Raises:
        BusyError: Another run still holds the sync.
        StateError: The sync was moved to another state.
        DailyStoryError: The state cannot be opened; see `open_state`.
    """
    place, started, remind_at = Place(sync.name, run_id, host), time.monotonic(), 0.0
    is_queued = False
    with ExitStack() as opened:
        opened.callback(place.forget)
        while True:
            try:
                session = opened.enter_context(_leased(sync, location, run_id, place, host, is_queued=is_queued))
                break
            except BusyError as busy:
                waited = time.monotonic() - started
                if waited >= waiting.seconds:
                    _leave(sync, location, place, is_queued=is_queued)
                    raise
                if waited >= remind_at:
                    waiting.on_wait(f"waiting for {waited:.0f} s, at most {waiting.seconds:.0f} s: {busy}")
                    remind_at = waited + _REMIND_SECONDS
            waiting.check()
            is_queued = True
            time.sleep(min(_BUSY_SECONDS, waiting.seconds))
        state, lease = session
        if not drops:
            with state.connection.begin():
                state.check_moved()
        yield state, lease


def _leave(sync: ContactSync, location: StateLocation, place: Place, *, is_queued: bool) -> None:
    """Leave the queue, so that it does not wait for this run's heartbeat to age."""
    if is_queued:
        # the error of the wait is raised; a place that is not given back expires
        with suppress(DailyStoryError), connect_state(location, sync) as state, state.connection.begin():
            place.leave(state)


@contextmanager
def _leased(
    sync: ContactSync, location: StateLocation, run_id: str | None, place: Place, host: str | None, *, is_queued: bool
) -> Iterator[tuple[State, Lease]]:
    with connect_state(location, sync) as state:
        _upgrade(state)
        if is_queued:
            place.hold(state)
        with (
            _taken(state, state.sync.name, run_id, place, host) as lease,
            kept_alive(state, lease),
        ):
            yield state, lease


def kept_alive(state: State, lease: Lease) -> AbstractContextManager[None]:
    """Renew a lease in a thread of its own, whatever the thread of the block waits for."""
    name = f"dailystory-{lease.sync_name}-lease"
    return renewed_meanwhile(lease.heartbeat, partial(_renew, state, lease), name)


def _renew(state: State, lease: Lease) -> None:
    """Write a heartbeat through another connection than the run's, which is that of another thread."""
    location = state.location
    engine = open_engine(location.url, location.setting)
    with (  # connected first: the run itself waits for the rest
        connect(engine, location.role, setting=location.setting, writes=True, is_private=True) as connection,
        lease.heartbeat.alone(),
    ):
        if lease.heartbeat.is_due():
            with lease.transaction(replace(state, connection=connection)):
                pass


@contextmanager
def _taken(
    state: State, sync_name: str, run_id: str | None = None, place: Place | None = None, host: str | None = None
) -> Iterator[Lease]:
    """Take a lease and give it back, through another connection if this one is lost."""
    lease = None
    try:
        with state.connection.begin():
            if place is not None:
                place.check_turn(state)
            lease = Lease.take(state, sync_name, run_id, host=host)
            if place is not None:
                place.leave(state)
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

        for layout in migrate(StoredTables(state.connection, state.location, transaction), state.layout):
            with transaction():
                state.record_layout(layout)
            state.layout = layout
            _log.info("the state tables have been upgraded to layout version %d", layout)


@contextmanager
def hold_syncs(state: State, sync_names: Iterable[str]) -> Iterator[list[Lease]]:
    """Take the leases of other syncs of an open state too, and renew them until the block ends.

    Raises:
        BusyError: A run holds one of them.
    """
    with ExitStack() as held:
        leases = [held.enter_context(_taken(state, name)) for name in sync_names]
        for lease in leases:
            held.enter_context(kept_alive(state, lease))
        yield leases


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
