"""The way of every request to DailyStory: a free slot, its turn at the limiter, and the retries of its row."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, stop_after_delay, wait_random_exponential

from dagster_dailystory.api.rate_limiter import RateLimiter
from dagster_dailystory.errors import (
    AuthenticationError,
    ConfigurationError,
    ConsentError,
    DailyStoryError,
    OutageError,
    RejectedError,
    RetryableError,
    ThrottledError,
)

_T = TypeVar("_T")


FATAL_ERRORS = (AuthenticationError, ConfigurationError, ConsentError, OutageError)
"""Errors after which no further request leaves."""


class LostResponseError(Exception):
    """A request that must not be repeated blindly may have been stored; the time to wait has passed."""


class StoppedError(Exception):
    """The sender is stopping: this request did not leave."""


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """How hard the sender tries.

    Attributes:
        max_concurrency: Requests in flight at once.
        max_attempts: Failed requests after which a row is given up for this run; a throttled one does not count.
        max_seconds_per_row: Time from a row's first request after which it is given up for this run.
        first_wait_seconds: Upper bound of the random wait before the second attempt; it doubles each time.
        longest_wait_seconds: Where the doubling ends.
        breaker_threshold: So many rows refused in a row with one same message stop the run.
    """

    max_concurrency: int = 4
    max_attempts: int = 9
    max_seconds_per_row: float = 180.0
    first_wait_seconds: float = 0.25
    longest_wait_seconds: float = 30.0
    breaker_threshold: int = 20

    def __post_init__(self) -> None:
        if min(self.max_concurrency, self.max_attempts, self.breaker_threshold) < 1 or self.max_seconds_per_row <= 0:
            raise ConfigurationError("max_concurrency, max_attempts, max_seconds_per_row: each must be positive")

    @property
    def outage_threshold(self) -> int:
        """Failed requests in a row, without one answer between them, after which the service counts as down."""
        return 5 * self.max_concurrency + 20


@dataclass(frozen=True, slots=True)
class SenderCounts:
    """What the sender asked of the service.

    Attributes:
        api_requests: Requests that left.
        api_retries: Those among them that repeated a failed one.
        api_throttled: Answers that asked to wait.
        connection_errors: Requests without an answer.
    """

    api_requests: int = 0
    api_retries: int = 0
    api_throttled: int = 0
    connection_errors: int = 0


@dataclass(slots=True)
class Attempts:
    """What one row has cost so far, and whether it holds a slot."""

    requests: int = 0
    failures: int = 0
    started_at: float = math.nan
    holds_slot: bool = False
    in_flight: bool = False
    in_doubt: bool = False


class Slots:
    """Counts rows on their way. Those that wait for their next attempt come before new ones."""

    def __init__(self, free: int, on_free: Callable[[], None]) -> None:
        self._free = free
        self._on_free = on_free
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self, attempts: Attempts) -> bool:
        """Give the row a slot if one is free."""
        if self._free < 1:
            return False
        self._free -= 1
        attempts.holds_slot = True
        return True

    async def acquire(self, attempts: Attempts) -> None:
        """Wait until the row has a slot."""
        if attempts.holds_slot or self.take(attempts):
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.widen(1)
            raise
        attempts.holds_slot = True

    def release(self, attempts: Attempts) -> None:
        """Take the row's slot back, if it has one."""
        if attempts.holds_slot:
            attempts.holds_slot = False
            self.widen(1)

    def pass_on(self, done: Attempts, new: Attempts) -> bool:
        """Give a new row the slot that a finished one has, unless a row that waits for its next attempt comes first."""
        if not done.holds_slot or self._waiting:
            return False
        done.holds_slot, new.holds_slot = False, True
        return True

    def widen(self, more: int) -> None:
        """Free so many slots."""
        while more and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                more -= 1
        if more:
            self._free += more
            self._on_free()


class Dispatcher:
    """Sends the requests of all rows. The first one goes alone, until an answer shows that the token is accepted.

    A row that waits for its next attempt holds no slot; a refusal with Retry-After pauses everybody.

    Args:
        settings: Concurrency and budgets.
        limiter: The pace.
        on_free: Called when a slot becomes free.
        on_fatal: Called with each error after which nothing may leave.
        clock: Seconds that never go back.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        settings: SenderSettings,
        limiter: RateLimiter,
        on_free: Callable[[], None],
        on_fatal: Callable[[DailyStoryError], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.slots = Slots(1, on_free)
        self._settings = settings
        self._limiter = limiter
        self._on_fatal = on_fatal
        self._clock = clock
        self._sleep = sleep
        self._stop = stop_after_attempt(settings.max_attempts) | stop_after_delay(settings.max_seconds_per_row)
        self._wait = wait_random_exponential(settings.first_wait_seconds, settings.longest_wait_seconds)
        self._is_proven = False
        self._is_stopped = False
        self._failures_in_a_row = 0
        self._requests = self._retries = self._throttled = self._connection_errors = 0

    @property
    def counts(self) -> SenderCounts:
        """So far; may be read from another thread."""
        return SenderCounts(self._requests, self._retries, self._throttled, self._connection_errors)

    def stop(self) -> None:
        """Let no further request leave."""
        self._is_stopped = True

    async def send(self, attempts: Attempts, request: Callable[[], Awaitable[_T]], *, is_repeatable: bool = True) -> _T:
        """Make a request, again and again within the row's budget.

        Args:
            attempts: The row's account.
            request: Makes one HTTP request each time it is called.
            is_repeatable: False for a request that must not be repeated if it may have been stored.

        Raises:
            RetryableError: The budget is used up; the last failure.
            LostAnswerError: The request is not repeatable and may have been stored. `attempts.in_doubt` is set.
            StoppedError: The sender is stopping.
        """
        while True:
            await self.slots.acquire(attempts)
            try:
                return await self._send_once(attempts, request)
            except RetryableError as error:
                is_lost = error.may_have_landed and not is_repeatable
                attempts.in_doubt = attempts.in_doubt or is_lost
                self.slots.release(attempts)
                wait_seconds = self._wait_after(attempts, error)
                if wait_seconds is None:
                    raise
            await self._sleep(wait_seconds)
            if is_lost:
                raise LostResponseError

    async def ask(self, request: Callable[[], Awaitable[_T]]) -> _T:
        """Make a request that belongs to no row."""
        attempts = Attempts()
        try:
            return await self.send(attempts, request)
        finally:
            self.slots.release(attempts)

    async def _send_once(self, attempts: Attempts, request: Callable[[], Awaitable[_T]]) -> _T:
        if not self._is_stopped:
            await self._limiter.wait()
        if self._is_stopped:
            raise StoppedError
        if attempts.requests == 0:
            attempts.started_at = self._clock()
        attempts.requests += 1
        self._requests += 1
        attempts.in_flight = True
        try:
            result = await request()
        except RejectedError:
            self._service_answered()
            raise
        except FATAL_ERRORS as error:
            self._on_fatal(error)
            raise
        finally:
            attempts.in_flight = False
        self._service_answered()
        return result

    def _service_answered(self) -> None:
        self._failures_in_a_row = 0
        if not self._is_proven:
            self._is_proven = True
            self.slots.widen(self._settings.max_concurrency - 1)

    def _wait_after(self, attempts: Attempts, error: RetryableError) -> float | None:
        """Account for a failure; seconds until the row's next attempt, None if there is none."""
        self._failures_in_a_row += 1
        if isinstance(error, ThrottledError):
            self._throttled += 1
            self._limiter.throttled(error.retry_after_seconds)
        else:
            attempts.failures += 1
            self._connection_errors += error.status is None
        self._stop_in_an_outage(error)
        state = RetryCallState(AsyncRetrying(), None, (), {})
        state.attempt_number = attempts.failures
        state.start_time, state.outcome_timestamp = attempts.started_at, self._clock()
        if self._is_stopped or self._stop(state):
            return None
        self._retries += 1
        is_advised = isinstance(error, ThrottledError) and error.retry_after_seconds is not None
        return 0.0 if is_advised else self._wait(state)  # the limiter waits as advised

    def _stop_in_an_outage(self, error: RetryableError) -> None:
        wait_seconds = error.retry_after_seconds if isinstance(error, ThrottledError) else None
        if wait_seconds is not None and wait_seconds > self._settings.max_seconds_per_row:
            self._on_fatal(OutageError(f"DailyStory asks to wait {wait_seconds:.0f} seconds; run again after that"))
        elif self._failures_in_a_row >= self._settings.outage_threshold:
            count = self._failures_in_a_row
            self._on_fatal(
                OutageError(f"{count} requests in a row failed, the last one so: {error}; run again when it is over")
            )
