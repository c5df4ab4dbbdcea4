"""Paces the requests of one process.

DailyStory does not document its rate limit (U1 in docs/explanation/service.md), so the rate is configured or found by
trying. A refusal (429, or 503 with Retry-After) slows down all requests.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from dagster_dailystory.api.rate.pace import Pace
from dagster_dailystory.errors import ConfigurationError

_CATCH_UP_SECONDS = 0.05
"""How much of the schedule a late wake-up may send at once: enough for 98 % of the rate on a busy machine."""


_WINDOW_SECONDS = 1.005
"""No window of this length has more requests than the rate allows: one second plus network jitter."""


_IDLE_SECONDS = 1.0
"""After this time without a request the schedule begins anew."""


class Limiter(Protocol):
    """Spaces requests at the rate that the service permits. Used in one event loop."""

    @property
    def requests_per_second(self) -> float:
        """The current rate."""

    @property
    def description(self) -> str:
        """The rate, and which runs keep to it together."""

    async def wait(self) -> float:
        """Wait for this caller's turn, first come, first served.

        Returns:
            The time of the clock at which the request may be sent.
        """

    def throttled(self, retry_after_seconds: float | None) -> None:
        """Record a refusal; see `Pace.refused`.

        Args:
            retry_after_seconds: The wait that the service named; None if it named none.
        """

    def close(self) -> None:
        """End without waiting; no request asks for its turn any more."""


class RateLimiter:
    """Spaces the requests of one process; see `Limiter` and `Pace`. No second exceeds a configured rate.

    Args:
        requests_per_second: The permitted rate; None to find it by trying, `math.inf` for no pacing at all.
        clock: Monotonic time in seconds.
        sleep: Waits for a number of seconds.

    Raises:
        ConfigurationError: The rate is not positive.
    """

    def __init__(
        self,
        requests_per_second: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if requests_per_second is not None and not requests_per_second > 0:
            raise ConfigurationError(
                f"requests_per_second={requests_per_second!r} must be positive; omit it to find the rate by trying"
            )
        self._pace = Pace.first(requests_per_second)
        self._clock = clock
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._sent: deque[float] = deque()
        self._refused: deque[float] = deque()
        self._next_slot = -math.inf

    @property
    def requests_per_second(self) -> float:
        """See `Limiter`."""
        return self._pace.requests_per_second

    @property
    def description(self) -> str:
        """See `Limiter`."""
        return f"{described(self._pace)}, of this process alone"

    async def wait(self) -> float:
        """See `Limiter`."""
        if self._pace.requests_per_second == math.inf and not self._lock.locked():
            now = self._clock()
            if now >= self._pace.paused_until:
                self._drop_old(now)
                self._sent.append(now)
                return now
        async with self._lock:
            return await self._take_slot()

    def throttled(self, retry_after_seconds: float | None) -> None:
        """See `Limiter`."""
        now = self._clock()
        self._drop_old(now)
        self._refused.append(now)
        self._pace = self._pace.refused(now, retry_after_seconds, len(self._sent), len(self._refused))

    def close(self) -> None:
        """See `Limiter`."""

    async def _take_slot(self) -> float:
        while True:
            now = self._clock()
            seconds = self._earliest(now) - now
            if seconds <= 1e-9:
                break
            await self._sleep(seconds)
        if self._pace.requests_per_second == math.inf:
            self._sent.append(now)
            return now
        self._pace = self._pace.raised(now, len(self._sent) + 1)
        is_idle = now - self._next_slot > _IDLE_SECONDS
        schedule = now if is_idle else max(self._next_slot, now - _CATCH_UP_SECONDS)
        self._next_slot = schedule + 1 / self._pace.requests_per_second
        self._sent.append(now)
        return now

    def _earliest(self, now: float) -> float:
        rate, paused_until = self._pace.requests_per_second, self._pace.paused_until
        if rate == math.inf:
            return paused_until
        self._drop_old(now)
        limit = math.ceil(rate)
        window_opens = self._sent[-limit] + _WINDOW_SECONDS if len(self._sent) >= limit else -math.inf
        return max(self._next_slot, paused_until, window_opens)

    def _drop_old(self, now: float) -> None:
        for times in (self._sent, self._refused):
            while times and now - times[0] >= _WINDOW_SECONDS:
                times.popleft()


def described(pace: Pace) -> str:
    """A rate, and where it comes from."""
    rate = pace.requests_per_second
    if rate == math.inf:
        return "as many requests a second as possible"
    if pace.ceiling is None:
        return f"{rate:.3g} requests a second, found by trying"
    lowered = "" if rate >= pace.ceiling else f" of the {pace.ceiling:.3g} that are set, lowered after refusals"
    return f"{rate:.3g}{lowered or ' requests a second'}"
