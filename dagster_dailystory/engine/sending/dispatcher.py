"""The dispatcher: every request takes a slot, waits for the rate limiter, and is retried within its row's budget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, stop_after_delay, wait_random_exponential

from dagster_dailystory.api.connections import HeldBackError
from dagster_dailystory.api.rate.limiter import Limiter
from dagster_dailystory.api.rate.pace import DEFAULT_PAUSE_SECONDS
from dagster_dailystory.api.responses import Account, token_refused
from dagster_dailystory.api.settings import MOST_CONCURRENCY, AccountSettings
from dagster_dailystory.engine.sending.breaker.outages import Outages
from dagster_dailystory.engine.sending.slots import FIRST_SLOTS, Attempts, Concurrency, Slots
from dagster_dailystory.errors import (
    AuthenticationError,
    ConfigurationError,
    ConsentError,
    DailyStoryError,
    ForbiddenError,
    OutageError,
    RejectedError,
    RetryableError,
    ThrottledError,
    UnreadableError,
    WarehouseError,
)

_T = TypeVar("_T")

FATAL_ERRORS = (AuthenticationError, ConfigurationError, ConsentError, OutageError, WarehouseError)
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
class SenderCounts:
    """The requests of a sender.

    Attributes:
        api_requests: Requests sent.
        api_retries: Requests among them that repeated a failed one.
        api_throttled: Responses that asked to wait.
        connection_errors: Requests without a response.
        rate_limit: The permitted rate, and which runs keep to it together; empty if nothing was sent.
        slot_advice: What would help if there were too few requests in flight for the permitted rate; else empty.
        outage: The last failure, if the last requests all failed; else empty.
        unanswered: The error of a run without any answer, None if there was one.
    """

    api_requests: int = 0
    api_retries: int = 0
    api_throttled: int = 0
    connection_errors: int = 0
    rate_limit: str = field(default="", compare=False)
    slot_advice: str = ""
    outage: str = ""
    unanswered: OutageError | None = None

    @property
    def reported(self) -> dict[str, Any]:
        """What the report of the run has of it, by the names there."""
        requests = {name: getattr(self, name) for name in ("api_requests", "api_retries", "api_throttled")}
        return {**requests, "rate_limit": self.rate_limit, "send_advice": self.slot_advice, "outage": self.outage}


async def gather(calls: Sequence[Callable[[], Coroutine[None, None, _T]]]) -> list[_T]:
    """Make calls concurrently; the first error cancels the others."""
    tasks = [asyncio.get_running_loop().create_task(call()) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


class Dispatcher:
    """Sends the requests of all rows. The first is sent alone: a wrong token costs one request.

    A row that waits for its next attempt holds no slot. A response with Retry-After pauses all requests, unless the row
    had one before and other rows had answers since: then it costs the row an attempt.

    Args:
        settings: Concurrency and budgets.
        limiter: Spaces the requests.
        ask_account: GET /about.
        on_free: Called when a slot becomes free.
        on_fatal: Called with each error after which nothing may be sent.
        on_suspicion: Called when rows from elsewhere are wanted.
        clock: A monotonic clock, in seconds.
        sleep: Waits that many seconds.

    Attributes:
        slots: The slots of the rows.
        outages: Whether failures concern all rows.
        may_send: Asked before each request of a row; while it returns False, none is sent.
    """

    def __init__(
        self,
        settings: AccountSettings,
        limiter: Limiter,
        ask_account: Callable[[], Awaitable[Account]],
        on_free: Callable[[], None],
        on_fatal: Callable[[DailyStoryError], None],
        on_suspicion: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.slots = Slots(1, on_free)
        self.may_send: Callable[[], bool] = lambda: True
        fixed = settings.max_concurrency
        self._concurrency = Concurrency(self.slots, fixed or FIRST_SLOTS, fixed or MOST_CONCURRENCY)
        self.outages = Outages(self._concurrency, on_free, on_fatal, on_suspicion)
        self._settings = settings
        self._limiter = limiter
        self._ask_account = ask_account
        self._on_fatal = on_fatal
        self._clock = clock
        self._sleep = sleep
        self._stop = stop_after_attempt(settings.max_attempts) | stop_after_delay(settings.max_seconds_per_row)
        self._wait = wait_random_exponential(settings.first_wait_seconds, settings.longest_wait_seconds)
        self._is_token_accepted = False
        self._is_account_forbidden = False
        self._token_check: asyncio.Task[DailyStoryError | None] | None = None
        self._is_stopped = False
        self._requests = self._retries = self._throttled = self._connection_errors = 0

    @property
    def counts(self) -> SenderCounts:
        """The counts so far; any thread may read them."""
        advice = self._concurrency.advice
        numbers = (self._requests, self._retries, self._throttled, self._connection_errors)
        rate_limit = self._limiter.description if self._requests else ""
        return SenderCounts(*numbers, rate_limit, advice, self.outages.ongoing, self.outages.unanswered)

    def stop(self) -> None:
        """Send no further request."""
        self._is_stopped = True
        self.outages.stop()
        self._limiter.close()

    async def send(
        self,
        attempts: Attempts,
        request: Callable[[], Awaitable[_T]],
        *,
        is_repeatable: bool = True,
        is_read: bool = False,
        leave_before: float | None = None,
    ) -> _T:
        """Make a request, and retry it within the row's budget.

        Args:
            attempts: The row's requests so far.
            request: Makes one HTTP request each time it is called.
            is_repeatable: False for a request that must not be repeated if it may have been applied.
            is_read: The request changes nothing.
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
                return await self._send_once(attempts, request, leave_before, is_read=is_read)
            except HeldBackError:
                await self._sleep(_HELD_UP_SECONDS)
                continue
            except RetryableError as error:
                is_lost = error.may_have_landed and not is_repeatable
                attempts.in_doubt = attempts.in_doubt or is_lost
                self.slots.release(attempts)
                wait_seconds = self._wait_after(attempts, error, is_read=is_read)
                if wait_seconds is None:
                    raise
            await self._sleep(wait_seconds)
            if is_lost:
                raise LostResponseError

    async def account(self) -> Account:
        """Read the account of the token.

        Raises:
            ForbiddenError: The token is not accepted, or may not read the account. Rows can still be sent.
        """
        try:
            return await self.look_up(self._ask_account)
        except ForbiddenError:
            self.outages.note_forbidden_account()
            raise

    async def look_up(self, request: Callable[[], Awaitable[_T]], *, is_repeatable: bool = True) -> _T:
        """Make a request that belongs to no row; see `send`."""
        attempts = Attempts(is_look_up=True)
        try:
            return await self.send(attempts, request, is_repeatable=is_repeatable, is_read=True)
        finally:
            self.slots.release(attempts)

    async def _send_once(
        self,
        attempts: Attempts,
        request: Callable[[], Awaitable[_T]],
        leave_before: float | None,
        *,
        is_read: bool,
    ) -> _T:
        await self._wait_to_leave(attempts, leave_before)
        if attempts.requests == 0:
            attempts.started_at = self._clock()
        attempts.requests += 1
        self._requests += 1
        attempts.in_flight, sent_at, number = True, self._clock(), self.outages.note_request()
        try:
            result = await request()
        except HeldBackError:
            attempts.requests -= 1
            self._requests -= 1
            raise
        except ForbiddenError as error:
            if request is self._ask_account:
                self._is_account_forbidden = not self._is_token_accepted
                raise
            meaning = await self._meaning(error)
        except RejectedError:
            self._note_response(number, is_read=is_read)
            raise
        except FATAL_ERRORS as error:
            self._on_fatal(error)
            raise
        else:
            self._note_response(number, self._clock() - sent_at, is_read=is_read)
            return result
        finally:
            attempts.in_flight = False
        if isinstance(meaning, FATAL_ERRORS):
            self._on_fatal(meaning)
        raise meaning

    async def _wait_to_leave(self, attempts: Attempts, leave_before: float | None) -> None:
        """Wait until anything may be sent, and for the rate limiter. A write asks once more when it is sent.

        Raises:
            LateError: The time is over.
            StoppedError: The sender is stopping.
        """
        while not (self._is_stopped or attempts.is_look_up or self.may_send()):
            await self._sleep(_HELD_UP_SECONDS)  # before its turn, which would be lost
        asked_at = self._clock()
        await self._turn()
        self._concurrency.note_wait(self._clock() - asked_at, self._limiter.requests_per_second)
        if leave_before is not None and self._clock() > leave_before:
            raise LateError

    async def _turn(self) -> None:
        """Wait for the rate limiter.

        Raises:
            StoppedError: The sender is stopping.
        """
        if not self._is_stopped:
            try:
                await self._limiter.wait()
            except WarehouseError as error:
                self._on_fatal(error)
                raise
        if self._is_stopped:
            raise StoppedError

    async def _meaning(self, error: ForbiddenError) -> DailyStoryError:
        """Find out whether a 403 is about the row (the same error) or about the token.

        Once a request was accepted, an HTML page is about the row. In any other case /about decides, if the token may
        read it at all.
        """
        if self._is_token_accepted and (error.is_page or self._is_account_forbidden):
            return error
        if not self._is_account_forbidden:
            if self._token_check is None:  # rows that are forbidden at the same time share one request
                self._token_check = asyncio.get_running_loop().create_task(self._check_token())
            failure = await asyncio.shield(self._token_check)
            if not self._is_account_forbidden:
                return error if failure is None else failure
        self.outages.suspect(token_refused(403))
        return RetryableError(str(error), status=403, may_have_landed=False)

    async def _check_token(self) -> DailyStoryError | None:
        """Ask for the account; return an error unless the response shows that the token is accepted."""
        await self._turn()
        self._requests += 1
        number = self.outages.note_request()
        try:
            await self._ask_account()
        except ForbiddenError:
            self._is_account_forbidden = not self._is_token_accepted
            return token_refused(403)
        except RejectedError:
            pass  # another refusal, such as a 404: the token is accepted
        except (AuthenticationError, ConfigurationError) as error:
            return error
        except RetryableError as error:
            return RetryableError(f"forbidden, and /about does not say why: {error}", may_have_landed=False)
        finally:
            self._token_check = None
        self._note_response(number, is_read=True)
        return None

    def _note_response(self, number: int, seconds: float | None = None, *, is_read: bool) -> None:
        self.outages.note_answer(number, is_read=is_read)
        if not self._is_token_accepted:
            self._is_token_accepted = True
            self._concurrency.open()
        if seconds is not None:
            self._concurrency.note_response(seconds)

    def _wait_after(self, attempts: Attempts, error: RetryableError, *, is_read: bool) -> float | None:
        """Count a failure; return the seconds until the row's next attempt, None if there is none."""
        is_own = self.outages.is_of_one_row(attempts)
        advised_seconds = error.retry_after_seconds if isinstance(error, ThrottledError) else None
        is_too_long = advised_seconds is not None and advised_seconds > self._settings.max_seconds_per_row
        if not isinstance(error, ThrottledError):
            attempts.failures += 1
            self._connection_errors += error.status is None
        else:
            self._throttled += 1
            attempts.throttled += 1
            if is_own and attempts.throttled > 1:
                attempts.failures += 1
            elif not is_too_long:
                self._limiter.throttled(advised_seconds)
        too_long_seconds = advised_seconds if is_too_long else None
        self.outages.note_failure(error, is_own=is_own, is_read=is_read, too_long_seconds=too_long_seconds)
        self.outages.end_probe(attempts)
        state = RetryCallState(AsyncRetrying(), None, (), {})
        state.attempt_number = attempts.failures
        state.start_time, state.outcome_timestamp = attempts.started_at, self._clock()
        if self._is_stopped or is_too_long or isinstance(error, UnreadableError) or self._stop(state):
            return None
        self._retries += 1
        wait_seconds = self._wait(state) if advised_seconds is None else 0.0  # the limiter waits as Retry-After asks
        if attempts.throttled < 2:
            return wait_seconds
        # The row was asked before. It waits as long as the limiter, without a slot, so that others go first.
        return max(wait_seconds, DEFAULT_PAUSE_SECONDS if advised_seconds is None else advised_seconds)
