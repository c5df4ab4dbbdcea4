"""Paces requests together with other processes: a source that they share grants permits for the next instants."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from dagster_dailystory.api.rate.limiter import described
from dagster_dailystory.api.rate.pace import Pace
from dagster_dailystory.errors import DailyStoryError

CHUNK_SECONDS = 0.1
"""Permits are granted for this time at once, at most: no more are lost with a process that ends."""


_AHEAD_SECONDS = 0.05
"""More permits are asked for while this time of granted ones is left, so that the next ones are there in time."""


_LATE_SECONDS = 0.075
"""A permit that is not used this long after its time is lost, so that requests of several seconds do not meet."""


_KNOWN_SECONDS = 0.25
"""So long before a permit of a later time is used, the pace is asked for again: another process may have been refused.
Where many processes share a low rate, their permits are for seconds ahead."""


_PRECISION_SECONDS = 1e-9


_MOST_TRIES = 5
"""How often a change of the pace is tried, while other processes change it too."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Permits, and what the processes know together. All times are of the clock that they share, in seconds.

    Attributes:
        now: The time of the grant.
        first_at: When the first permit may be used; the others follow at the rate of `pace`.
        permits: How many there are.
        pace: The pace of the account.
        version: Which change of the pace this is.
        sent: Permits that were granted for the last second, to all processes, without unused ones.
        refused: Requests of the last second that were refused, of all processes.
    """

    now: float
    first_at: float
    permits: int
    pace: Pace
    version: int
    sent: float
    refused: float


class PermitSource(Protocol):
    """Grants permits to all processes that send to one account."""

    async def take(self, permits: int, refusals: int = 0, unused: int = 0) -> Grant:
        """Take permits, first come, first served, and count.

        Args:
            permits: How many; 0 to count only.
            refusals: Requests that were refused since the last call.
            unused: Permits of earlier calls that were lost since then: a rate that is found by trying rises with use.

        Raises:
            DailyStoryError: The source cannot be asked. No request may leave.
        """

    async def change(self, seen: Grant, pace: Pace) -> bool:
        """Change the pace, unless another process has changed it since; whether it was changed.

        Raises:
            DailyStoryError: The source cannot be asked.
        """

    def close(self) -> None:
        """End without waiting."""


class SharedRateLimiter:
    """Spaces requests at a rate that several processes share; see `Limiter` and `Pace`.

    Args:
        source: Grants the permits.
        requests_per_second: The rate that this run is configured with; None to find it by trying.
        clock: Monotonic time in seconds.
        sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        source: PermitSource,
        requests_per_second: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._configured = requests_per_second
        self._pace = Pace.first(requests_per_second)
        self._clock = clock
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._permits: deque[float] = deque()
        self._used: deque[float] = deque()
        self._unused = 0
        self._behind = math.inf  # this process's clock, less the shared one
        self._paused_until = -math.inf
        self._known_at = -math.inf  # when the pace was last learned
        self._refusals: list[float | None] = []
        self._asking: asyncio.Task[None] | None = None
        self._reporting: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def requests_per_second(self) -> float:
        """See `Limiter`."""
        return self._pace.requests_per_second

    @property
    def description(self) -> str:
        """See `Limiter`."""
        return f"{described(self._pace)}, shared by all syncs of this state"

    async def wait(self) -> float:
        """See `Limiter`.

        Raises:
            DailyStoryError: The source cannot be asked.
        """
        self._waiting += 1
        try:
            async with self._lock:
                now = await self._next()
        finally:
            self._waiting -= 1
        if self._waiting > len(self._permits) and (not self._permits or self._permits[-1] - now <= _AHEAD_SECONDS):
            self._ask()
        return now

    def throttled(self, retry_after_seconds: float | None) -> None:
        """See `Limiter`. This process pauses at once if a wait is named, the others when they next take permits."""
        if retry_after_seconds:
            self._paused_until = max(self._paused_until, self._clock() + retry_after_seconds)
        self._refusals.append(retry_after_seconds)
        if self._reporting is None or self._reporting.done():
            self._reporting = self._start(self._report())

    def close(self) -> None:
        """See `Limiter`."""
        self._source.close()

    async def _next(self) -> float:
        while True:
            now = self._clock()
            if now < self._paused_until:
                await self._sleep(self._paused_until - now)
                continue
            while self._permits and self._permits[0] < now - _LATE_SECONDS:
                self._permits.popleft()
                self._unused += 1
            if not self._permits:
                await asyncio.shield(self._ask())
                continue
            seconds = self._permits[0] - now
            if self._permits[0] - self._known_at > _KNOWN_SECONDS:
                if seconds > _KNOWN_SECONDS:
                    seconds -= _KNOWN_SECONDS
                elif self._looking is None or self._looking.done():
                    self._looking = self._start(self._look())
            if seconds > _PRECISION_SECONDS:
                await self._sleep(seconds)
                continue
            self._permits.popleft()
            self._used.append(now)
            return now

    def _ask(self) -> asyncio.Task[None]:
        """Ask for permits, unless that is under way."""
        if self._asking is None or self._asking.done():
            self._asking = self._start(self._take())
        return self._asking

    async def _take(self) -> None:
        asked_at = self._clock()
        unused, self._unused = self._unused, 0
        grant = await self._source.take(self._needed(), unused=unused)
        self._compare_clocks(asked_at, grant.now)
        self._learn(grant)  # before its permits, which are for the time after a pause
        spacing = 1 / grant.pace.requests_per_second
        last, now = grant.first_at + (grant.permits - 1) * spacing, self._clock()
        if last + self._behind < now - _LATE_SECONDS:  # it arrives too late as a whole, as may all further ones
            self._behind = now - grant.now
        first = grant.first_at + self._behind
        self._permits.extend(first + number * spacing for number in range(grant.permits))
        self._start(self._settle(grant, self._with_time))

    async def _look(self) -> None:
        """Learn the pace as it is now. The permit is used although the answer comes late."""
        asked_at = self._clock()
        seen = await self._source.take(0)
        self._compare_clocks(asked_at, seen.now)
        self._learn(seen)

    def _needed(self) -> int:
        """As many permits as requests wait, or as were used in the last tenth of a second, and no more than a chunk."""
        earliest = self._clock() - CHUNK_SECONDS
        while self._used and self._used[0] < earliest:
            self._used.popleft()
        most = max(1, int(self._pace.requests_per_second * CHUNK_SECONDS))
        return min(most, max(1, self._waiting - len(self._permits), len(self._used)))

    def _compare_clocks(self, asked_at: float, shared_now: float) -> None:
        """Correct how far this process's clock is from the shared one.

        The shared clock was read after the question and before the answer. What is known from earlier answers is kept
        if it agrees: an answer that arrives late must not move its permits to the time of those of other processes.
        """
        earliest, latest = asked_at - shared_now, self._clock() - shared_now
        if not earliest <= self._behind <= latest:
            self._behind = latest

    def _with_time(self, seen: Grant) -> Pace:
        return seen.pace.agreed(seen.now, self._configured).raised(seen.now, seen.sent)

    async def _report(self) -> None:
        """Report refusals; those that arrive meanwhile are reported together."""
        while self._refusals:
            refusals, self._refusals = self._refusals, []
            longest = max((seconds for seconds in refusals if seconds is not None), default=None)
            asked_at = self._clock()
            seen = await self._source.take(0, len(refusals))
            self._compare_clocks(asked_at, seen.now)
            await self._settle(seen, partial(_refused, longest))

    async def _settle(self, seen: Grant, changed: Callable[[Grant], Pace]) -> None:
        """Change the pace as it is now, whatever other processes change."""
        for _ in range(_MOST_TRIES):
            pace = changed(seen)
            if pace == seen.pace or await self._source.change(seen, pace):
                return self._learn(replace(seen, pace=pace))
            seen = await self._source.take(0)
        return None

    def _learn(self, grant: Grant) -> None:
        """Take over the pace, and the pause if it is a new one."""
        until, known = grant.pace.paused_until, self._pace.paused_until
        self._pace, self._known_at = grant.pace, self._clock()
        if until not in (known, -math.inf) and until > grant.now:
            self._paused_until = max(self._paused_until, until + self._behind)
            self._unused += len(self._permits)
            self._permits.clear()

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[None]) -> None:
        """Forget a task. The next request asks again, and gets the error."""
        self._tasks.discard(task)
        with contextlib.suppress(asyncio.CancelledError, DailyStoryError):  # read, so that asyncio does not log it
            task.result()


def _refused(wait_seconds: float | None, seen: Grant) -> Pace:
    return seen.pace.refused(seen.now, wait_seconds, seen.sent, seen.refused)
