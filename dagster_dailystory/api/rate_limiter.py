"""Paces requests to DailyStory: every request of a run passes one rate limiter.

DailyStory does not document its rate limit (U1 in docs/explanation/service.md), so the rate is configured or found by
trying. A refusal (429, or 503 with Retry-After) slows down all requests.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable

from dagster_dailystory.errors import ConfigurationError

_CATCH_UP_SECONDS = 0.05
"""How much of the schedule a late wake-up may send at once: enough for 98 % of the rate on a busy machine."""


_WINDOW_SECONDS = 1.005
"""No window of this length has more requests than the rate allows: one second plus network jitter."""


_INITIAL_RATE = 2.0
"""Requests per second at the start, where no rate is configured."""


_MIN_RATE = 0.5
"""Refusals do not lower the rate below this number of requests per second."""


_CUT_FACTOR = 0.8
"""One refusal lowers the rate by a fifth at most."""


_GOODPUT_SHARE = 0.95
"""A refusal lowers the rate to this share of the requests that were accepted in the last second."""


_SECONDS_BETWEEN_CUTS = 0.3
"""Refusals within this time count as one: they are responses to requests that were already under way."""


DEFAULT_PAUSE_SECONDS = 0.5
"""Pause after refusals that name no wait."""


_KEEP_RATE_BELOW, _PAUSE_FROM = 0.1, 0.2
"""Shares of requests refused without a wait: below the first the rate is kept, from the second all requests pause."""


_STEP_SECONDS = 1.0
"""The rate rises at most once in this time."""


_RECOVERY_SHARE = 0.02
"""Step of a configured rate on its way back, as a share of that rate."""


_PROBE_SHARE = 0.015
"""Step of an adaptive rate above what the service accepted, as a share of the current rate."""


class RateLimiter:
    """Spaces requests at the rate that the service permits.

    A configured rate is a ceiling: no second exceeds it. A refusal lowers the rate, and it recovers in steps. A few
    refusals that name no wait change nothing, because they occur at any rate. Without a configured rate, sending starts
    at 2 requests per second and doubles every second until the first refusal; from then on the rate follows what the
    service accepts.

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
        self._ceiling = math.inf if requests_per_second is None else float(requests_per_second)
        self._is_adaptive = requests_per_second is None
        self._is_ramping = self._is_adaptive
        self._rate = _INITIAL_RATE if self._is_adaptive else self._ceiling
        self._clock = clock
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._sent: deque[float] = deque()
        self._refused: deque[float] = deque()
        self._next_slot = -math.inf
        self._paused_until = -math.inf
        self._cut_at = -math.inf
        self._stepped_at = math.nan

    @property
    def requests_per_second(self) -> float:
        """The current rate."""
        return self._rate

    async def wait(self) -> float:
        """Wait for this caller's turn, first come, first served.

        Returns:
            The time of the clock at which the request may be sent.
        """
        if self._rate == math.inf and not self._lock.locked():
            now = self._clock()
            if now >= self._paused_until:
                self._drop_old(now)
                self._sent.append(now)
                return now
        async with self._lock:
            return await self._take_slot()

    def throttled(self, retry_after_seconds: float | None) -> None:
        """Record a refusal: all requests pause, and the rate is lowered at most once in 0.3 s.

        Args:
            retry_after_seconds: The wait that the service named; None pauses for half a second, or not at all if few
                requests are refused.
        """
        now = self._clock()
        self._drop_old(now)
        self._refused.append(now)
        share = 1.0 if retry_after_seconds or self._is_adaptive else len(self._refused) / max(len(self._sent), 1)
        if share >= _PAUSE_FROM:
            pause = DEFAULT_PAUSE_SECONDS if retry_after_seconds is None else retry_after_seconds
            self._paused_until = max(self._paused_until, now + pause)
        if share < _KEEP_RATE_BELOW or self._rate == math.inf or now - self._cut_at < _SECONDS_BETWEEN_CUTS:
            return
        # The refused request is one of those counted here.
        goodput = _GOODPUT_SHARE * (len(self._sent) - 1)
        self._rate = max(min(_MIN_RATE, self._ceiling), min(self._rate, max(self._rate * _CUT_FACTOR, goodput)))
        self._cut_at = self._stepped_at = now
        self._is_ramping = False

    async def _take_slot(self) -> float:
        while True:
            now = self._clock()
            seconds = self._earliest(now) - now
            if seconds <= 1e-9:
                break
            await self._sleep(seconds)
        if self._rate == math.inf:
            self._sent.append(now)
            return now
        self._raise_rate(now)
        is_idle = now - self._next_slot > _STEP_SECONDS
        self._next_slot = (now if is_idle else max(self._next_slot, now - _CATCH_UP_SECONDS)) + 1 / self._rate
        self._sent.append(now)
        return now

    def _earliest(self, now: float) -> float:
        if self._rate == math.inf:
            return self._paused_until
        self._drop_old(now)
        limit = math.ceil(self._rate)
        window_opens = self._sent[-limit] + _WINDOW_SECONDS if len(self._sent) >= limit else -math.inf
        return max(self._next_slot, self._paused_until, window_opens)

    def _drop_old(self, now: float) -> None:
        for times in (self._sent, self._refused):
            while times and now - times[0] >= _WINDOW_SECONDS:
                times.popleft()

    def _raise_rate(self, now: float) -> None:
        """Raise the rate by one step per second; an adaptive rate rises only while at least half of it is used."""
        if math.isnan(self._stepped_at):
            self._stepped_at = now
        if now - self._stepped_at < _STEP_SECONDS or self._rate >= self._ceiling:
            return
        self._stepped_at = now
        if self._is_adaptive and len(self._sent) + 1 < self._rate / 2:
            return
        if self._is_ramping:
            self._rate *= 2
        else:
            step = self._rate * _PROBE_SHARE if self._is_adaptive else self._ceiling * _RECOVERY_SHARE
            self._rate = min(self._ceiling, self._rate + step)
