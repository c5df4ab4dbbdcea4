"""When a lease was last renewed, and a thread that renews it while the run does something else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dagster_dailystory.engine.state.lease.holders import boot_seconds
from dagster_dailystory.errors import DailyStoryError

LEASE_SECONDS = 50
"""Seconds without a heartbeat after which a lease expires; on the same host it ends with the holder's process."""


HEARTBEAT_SECONDS = 5.0
"""Longest time between two heartbeats of a living run, outside of transactions that write."""


_SAFE_SECONDS = LEASE_SECONDS - 30.0
"""So long after a heartbeat a request may be sent: it has ended, within the default `timeout_seconds`, before another
run has the lease."""


_TICK_SECONDS = 1.0

_JOIN_SECONDS = 10.0

_log = logging.getLogger("dagster_dailystory")


class Heartbeat:
    """When a lease was last renewed, as this process knows it; any thread may ask.

    Args:
        clock: Seconds, with the time in which the machine or the process slept.
    """

    def __init__(self, clock: Callable[[], float] = boot_seconds) -> None:
        self._clock = clock
        self._last = clock()
        self._writing = threading.RLock()

    @contextmanager
    def committed(self) -> Iterator[None]:
        """Count a heartbeat that the block writes, from the begin of the block on and only if it is committed."""
        with self.alone():
            began = self._clock()
            yield
            self._last = began

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other threads of this process from writing a heartbeat: of two transactions, one would fail."""
        with self._writing:
            yield

    def is_being_written(self) -> bool:
        """Whether another thread of this process writes a heartbeat now."""
        is_free = self._writing.acquire(blocking=False)
        if is_free:
            self._writing.release()
        return not is_free

    def is_due(self) -> bool:
        """Whether it is time for the next one."""
        return self._clock() - self._last >= HEARTBEAT_SECONDS

    def is_safe(self) -> bool:
        """Whether no other run can take the lease over while a request that is sent now lasts."""
        return self._clock() - self._last < _SAFE_SECONDS


@contextmanager
def renewed_meanwhile(heartbeat: Heartbeat, renew: Callable[[], None], name: str) -> Iterator[None]:
    """Renew a lease in a thread of its own whenever that is due, whatever the thread of the block waits for.

    Args:
        heartbeat: Says when.
        renew: Writes a heartbeat, if it is still due, through a connection of its own.
        name: Of the thread.
    """
    over = threading.Event()

    def keep_renewing() -> None:
        is_known = False
        while not over.wait(_TICK_SECONDS):
            if heartbeat.is_due() and not heartbeat.is_being_written():
                why = _why_not(renew)
                if why and not heartbeat.is_safe() and not is_known:
                    _log.warning("the lease cannot be renewed, so nothing is sent: %s", why)
                is_known = bool(why) and (is_known or not heartbeat.is_safe())

    thread = threading.Thread(target=keep_renewing, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_JOIN_SECONDS)


def _why_not(renew: Callable[[], None]) -> str:
    """Why no heartbeat could be written; empty if one was. The run itself finds out, and sends nothing meanwhile."""
    try:
        renew()
    except DailyStoryError as error:
        return str(error)
    except Exception as error:  # of a driver or of the file system; the thread goes on, because it may pass
        return type(error).__name__
    return ""
