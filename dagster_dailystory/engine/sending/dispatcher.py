"""The dispatcher: every request takes a slot, waits for the rate limiter, and is retried within its row's budget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, stop_after_delay, wait_random_exponential

from dagster_dailystory.api.rate_limiter import RateLimiter
from dagster_dailystory.engine.sending.slots import Attempts, Slots
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
"""Errors that concern all rows: after one of them no further request is sent."""


_HELD_UP_SECONDS = 0.1
"""Time between two questions whether anything may be sent."""


class LostResponseError(Exception):
    """A request that must not simply be repeated may have been applied; its wait before the next attempt is over."""


class LateError(Exception):
    """The request could not be sent in time, and was not sent."""


class StoppedError(Exception):
    """The sender is stopping: this request was not sent."""


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """How hard the sender tries.

    Attributes:
        max_concurrency: Requests in flight at once.
        max_attempts: Failed requests after which this run gives a row up; throttled ones do not count.
        max_seconds_per_row: Time from a row's first request after which this run gives the row up.
        first_wait_seconds: Upper bound of the random wait before the second attempt; it doubles each time.
        longest_wait_seconds: The limit of the doubling.
        breaker_threshold: Number of consecutive rows, refused with the same message, that stops the run.
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
        """Consecutive failed requests after which DailyStory counts as down."""
        return 5 * self.max_concurrency + 20


@dataclass(frozen=True, slots=True)
class SenderCounts:
    """The requests of a sender.

    Attributes:
        api_requests: Requests sent.
        api_retries: Requests among them that repeated a failed one.
        api_throttled: Responses that asked to wait.
        connection_errors: Requests without a response.
    """

    api_requests: int = 0
    api_retries: int = 0
    api_throttled: int = 0
    connection_errors: int = 0


class Dispatcher:
    """Sends the requests of all rows. The first is sent alone: a wrong token costs one request.

    A row that waits for its next attempt holds no slot. A response with Retry-After pauses all requests.

    Args:
        settings: Concurrency and budgets.
        limiter: Spaces the requests.
        on_free: Called when a slot becomes free.
        on_fatal: Called with each error after which nothing may be sent.
        clock: A monotonic clock, in seconds.
        sleep: Waits that many seconds.

    Attributes:
        slots: The slots of the rows.
        may_send: Asked before each request of a row; while it returns False, none is sent.
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
        self.may_send: Callable[[], bool] = lambda: True
        self._settings = settings
        self._limiter = limiter
        self._on_fatal = on_fatal
        self._clock = clock
        self._sleep = sleep
        self._stop = stop_after_attempt(settings.max_attempts) | stop_after_delay(settings.max_seconds_per_row)
        self._wait = wait_random_exponential(settings.first_wait_seconds, settings.longest_wait_seconds)
        self._is_token_accepted = False
        self._is_stopped = False
        self._consecutive_failures = 0
        self._requests = self._retries = self._throttled = self._connection_errors = 0

    @property
    def counts(self) -> SenderCounts:
        """The counts so far; any thread may read them."""
        return SenderCounts(self._requests, self._retries, self._throttled, self._connection_errors)

    def stop(self) -> None:
        """Send no further request."""
        self._is_stopped = True

    async def send(
        self,
        attempts: Attempts,
        request: Callable[[], Awaitable[_T]],
        *,
        is_repeatable: bool = True,
        leave_before: float | None = None,
    ) -> _T:
        """Make a request, and retry it within the row's budget.

        Args:
            attempts: The row's requests so far.
            request: Makes one HTTP request each time it is called.
            is_repeatable: False for a request that must not be repeated if it may have been applied.
            leave_before: Until when the request may be sent, on this clock; None for any time.

        Raises:
            RetryableError: The last failure, when the budget is used up.
            LostResponseError: The request is not repeatable and may have been applied. `attempts.in_doubt` is set.
            LateError: The time is over; this attempt was not sent.
            StoppedError: The sender is stopping.
        """
        while True:
            await self.slots.acquire(attempts)
            try:
                return await self._send_once(attempts, request, leave_before)
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

    async def look_up(self, request: Callable[[], Awaitable[_T]]) -> _T:
        """Make a request that belongs to no row."""
        attempts = Attempts(is_look_up=True)
        try:
            return await self.send(attempts, request)
        finally:
            self.slots.release(attempts)

    async def _send_once(
        self, attempts: Attempts, request: Callable[[], Awaitable[_T]], leave_before: float | None
    ) -> _T:
        if not self._is_stopped:
            await self._limiter.wait()
        while not (self._is_stopped or attempts.is_look_up or self.may_send()):
            await self._sleep(_HELD_UP_SECONDS)
            await self._limiter.wait()
        if self._is_stopped:
            raise StoppedError
        if leave_before is not None and self._clock() > leave_before:
            raise LateError
        if attempts.requests == 0:
            attempts.started_at = self._clock()
        attempts.requests += 1
        self._requests += 1
        attempts.in_flight = True
        try:
            result = await request()
        except RejectedError:
            self._note_response()
            raise
        except FATAL_ERRORS as error:
            self._on_fatal(error)
            raise
        finally:
            attempts.in_flight = False
        self._note_response()
        return result

    def _note_response(self) -> None:
        self._consecutive_failures = 0
        if not self._is_token_accepted:
            self._is_token_accepted = True
            self.slots.widen(self._settings.max_concurrency - 1)

    def _wait_after(self, attempts: Attempts, error: RetryableError) -> float | None:
        """Count a failure; return the seconds until the row's next attempt, None if there is none."""
        self._consecutive_failures += 1
        if isinstance(error, ThrottledError):
            self._throttled += 1
            self._limiter.throttled(error.retry_after_seconds)
        else:
            attempts.failures += 1
            self._connection_errors += error.status is None
        self._stop_if_down(error)
        state = RetryCallState(AsyncRetrying(), None, (), {})
        state.attempt_number = attempts.failures
        state.start_time, state.outcome_timestamp = attempts.started_at, self._clock()
        if self._is_stopped or self._stop(state):
            return None
        self._retries += 1
        is_advised = isinstance(error, ThrottledError) and error.retry_after_seconds is not None
        return 0.0 if is_advised else self._wait(state)  # the limiter waits as Retry-After asks

    def _stop_if_down(self, error: RetryableError) -> None:
        wait_seconds = error.retry_after_seconds if isinstance(error, ThrottledError) else None
        if wait_seconds is not None and wait_seconds > self._settings.max_seconds_per_row:
            self._on_fatal(OutageError(f"DailyStory asks to wait {wait_seconds:.0f} seconds; run again after that"))
        elif self._consecutive_failures >= self._settings.outage_threshold:
            count = self._consecutive_failures
            self._on_fatal(
                OutageError(f"{count} requests in a row failed; run again when DailyStory responds. Last: {error}")
            )
