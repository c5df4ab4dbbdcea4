"""The pace of requests to DailyStory: one dispatcher that every request of a run passes.

DailyStory publishes no rate (U1 of the project's notes on the API), so the pace is either what the user configured or
found by trying, and a refusal (429, or 503 with Retry-After) slows down everybody at once.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable

from dagster_dailystory.errors import ConfigurationError

_CATCH_UP_SECONDS = 0.05
"""A dispatcher that woke late may send this much of its schedule at once."""


_WINDOW_SECONDS = 1.005
"""No more than the rate leaves in a window of this length: one second and what the network may shift."""


_FIRST_GUESS = 2.0


_SLOWEST = 0.5


_CUT = 0.8


_GOODPUT_SHARE = 0.95


_SECONDS_BETWEEN_CUTS = 0.3


_PAUSE_WITHOUT_ADVICE_SECONDS = 0.5


_FEW, _MANY = 0.1, 0.2
"""Shares of refusals that name no wait: below the one the rate is kept, from the other on all pause."""


_STEP_SECONDS = 1.0


_RECOVERY_SHARE = 0.02


_PROBE_SHARE = 0.015


class RateLimiter:
    """Lets one request pass at a time, at the rate that the service permits.

    A configured rate is a ceiling: it is never exceeded in any second, lowered by a refusal and recovered in steps.
    A few refusals among many requests that name no wait change nothing, for they come at any rate.
    Without a configured rate it starts at 2 requests a second and doubles every second until the first refusal; from
    there it follows what the service accepts.

    Args:
        requests_per_second: The permitted rate; None to find it by trying, `math.inf` for no pacing at all.
        clock: Seconds that never go back.
        sleep: Waits that many seconds.

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
                f"requests_per_second={requests_per_second!r} must be positive; leave it out to find the rate by trying"
            )
        self._ceiling = math.inf if requests_per_second is None else float(requests_per_second)
        self._is_adaptive = requests_per_second is None
        self._is_ramping = self._is_adaptive
        self._rate = _FIRST_GUESS if self._is_adaptive else self._ceiling
        self._clock = clock
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._sent: deque[float] = deque()
        self._refused: deque[float] = deque()
        self._next = -math.inf
        self._paused_until = -math.inf
        self._cut_at = -math.inf
        self._stepped_at = math.nan

    @property
    def requests_per_second(self) -> float:
        """The rate at this moment."""
        return self._rate

    async def wait(self) -> float:
        """Wait for this caller's turn, first come first served.

        Returns:
            The clock's time at which the request may leave.
        """
        if self._rate == math.inf and not self._turn.locked():
            now = self._clock()
            if now >= self._paused_until:
                self._forget(now)
                self._sent.append(now)
                return now
        async with self._turn:
            return await self._dispatch()

    def throttled(self, retry_after_seconds: float | None) -> None:
        """Take note of a refusal: everybody pauses, and the rate is cut at most once in 0.3 s.

        Args:
            retry_after_seconds: What the service asked for; None pauses for half a second, or not at all where
                refusals are few.
        """
        now = self._clock()
        self._forget(now)
        self._refused.append(now)
        share = 1.0 if retry_after_seconds or self._is_adaptive else len(self._refused) / max(len(self._sent), 1)
        if share >= _MANY:
            pause = _PAUSE_WITHOUT_ADVICE_SECONDS if retry_after_seconds is None else retry_after_seconds
            self._paused_until = max(self._paused_until, now + pause)
        if share < _FEW or self._rate == math.inf or now - self._cut_at < _SECONDS_BETWEEN_CUTS:
            return
        # One of the requests counted here is the refused one.
        goodput = _GOODPUT_SHARE * (len(self._sent) - 1)
        self._rate = max(min(_SLOWEST, self._ceiling), min(self._rate, max(self._rate * _CUT, goodput)))
        self._cut_at = self._stepped_at = now
        self._is_ramping = False

    async def _dispatch(self) -> float:
        while True:
            now = self._clock()
            seconds = self._due(now) - now
            if seconds <= 1e-9:
                break
            await self._sleep(seconds)
        if self._rate == math.inf:
            self._sent.append(now)
            return now
        self._recover(now)
        is_idle = now - self._next > _STEP_SECONDS
        self._next = (now if is_idle else max(self._next, now - _CATCH_UP_SECONDS)) + 1 / self._rate
        self._sent.append(now)
        return now

    def _due(self, now: float) -> float:
        if self._rate == math.inf:
            return self._paused_until
        self._forget(now)
        most = math.ceil(self._rate)
        window_opens = self._sent[-most] + _WINDOW_SECONDS if len(self._sent) >= most else -math.inf
        return max(self._next, self._paused_until, window_opens)

    def _forget(self, now: float) -> None:
        for instants in (self._sent, self._refused):
            while instants and now - instants[0] >= _WINDOW_SECONDS:
                instants.popleft()

    def _recover(self, now: float) -> None:
        """Raise the rate one step a second, if the rate was what held requests back."""
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
