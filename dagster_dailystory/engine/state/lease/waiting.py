"""Runs that wait for the lease of their sync, in the order in which they came.

Each is a row of the meta table with a number and a heartbeat. A waiting run holds no connection between two looks: the
file of DuckDB is then free for others. While another process has that file open, the run cannot enter the queue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import RowMapping, func, select

from dagster_dailystory.engine.state.lease.holders import description, is_alive, let_go, new_holder, this_host
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import BusyError, DailyStoryError

_log = logging.getLogger("dagster_dailystory")

WAIT_SECONDS = 3_600.0
"""How long a run of an orchestrator waits, if not set: the slices of a backfill run one after the other."""

_FORGOTTEN_SECONDS = 30.0
"""Seconds without a heartbeat after which a waiting run loses its place."""


@dataclass(frozen=True)
class Waiting:
    """How a run waits for other runs of its sync.

    Attributes:
        seconds: How long; 0: not at all.
        on_wait: Called with the reason when the wait begins, and every 30 seconds.
        is_abandoned: Asked while the run waits and while it sends; after True the run ends.
    """

    seconds: float = 0.0
    on_wait: Callable[[str], None] = _log.info
    is_abandoned: Callable[[], bool] = lambda: False

    def check(self) -> None:
        """End a run without the process that started it.

        Raises:
            DailyStoryError: The run is abandoned.
        """
        if self.is_abandoned():
            raise DailyStoryError("the process that started this run has ended; the next run sends the rest")


NO_WAIT = Waiting()
"""Fails at once if another run holds the sync."""


class Place:
    """The place of a run in the queue of one sync. Each method is one transaction, or part of the caller's."""

    def __init__(self, sync_name: str, run_id: str | None, host: str | None = None) -> None:
        self._sync_name = sync_name
        self._run_id = run_id
        self._host = host or this_host()
        self._holder = new_holder(self._host)
        self._name = f"{_start(sync_name)}{self._holder}"

    def hold(self, state: State) -> None:
        """Enter the queue, or stay in it; runs that are gone lose their place."""
        meta, execute = state.shared.meta, state.connection.execute
        with state.connection.begin():
            now = state.database_now()
            waiting = _rows(state, self._sync_name)
            for row in waiting:
                if row["name"] != self._name and not self._is_waiting(state, row):
                    execute(meta.delete().where(meta.c.name == row["name"]))
            if any(row["name"] == self._name for row in waiting):
                execute(meta.update().where(meta.c.name == self._name).values(heartbeat_at=now))
                return
            last = select(func.max(meta.c.fence)).where(
                meta.c.name.startswith(_start(self._sync_name), autoescape=True)
            )
            number = int(execute(last).scalar() or 0) + 1
            new = {"holder": self._holder, "fence": number, "heartbeat_at": now, "run_id": self._run_id}
            execute(meta.insert().values(name=self._name, taken_at=now, **new))

    def check_turn(self, state: State) -> None:
        """Make sure that no other run came first, within the caller's transaction.

        Raises:
            BusyError: Another run waits longer than this one.
        """
        for row in _rows(state, self._sync_name):
            if row["name"] == self._name:
                return
            if self._is_waiting(state, row):
                raise BusyError(
                    f"{description(row)} waits for sync {self._sync_name!r} and comes first; run again later"
                )

    def leave(self, state: State) -> None:
        """Leave the queue, within the caller's transaction."""
        meta = state.shared.meta
        state.connection.execute(meta.delete().where(meta.c.name == self._name))

    def _is_waiting(self, state: State, row: RowMapping) -> bool:
        is_fresh = state.database_now() - row["heartbeat_at"] <= timedelta(seconds=_FORGOTTEN_SECONDS)
        return is_fresh and is_alive(row["holder"], self._host)

    def forget(self) -> None:
        """Note in this process that the run waits no more."""
        let_go(self._holder)


def _start(sync_name: str) -> str:
    return f"wait:{sync_name}:"


def _rows(state: State, sync_name: str) -> Sequence[RowMapping]:
    """The rows of the queue in its order."""
    meta = state.shared.meta
    mine = meta.c.name.startswith(_start(sync_name), autoescape=True)
    return state.connection.execute(select(meta).where(mine).order_by(meta.c.fence, meta.c.name)).mappings().all()
