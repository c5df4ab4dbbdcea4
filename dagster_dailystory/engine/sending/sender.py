"""The concurrent sender: an event loop in its own thread, which takes changes and returns results.

The main thread uses the database and receives Dagster's interrupts. The threads meet in `submit`, `collect` and `stop`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TypeVar

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.rate.limiter import Limiter, RateLimiter
from dagster_dailystory.api.responses import Account, RemoteContact
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.sending.breaker.circuit_breaker import PROBES, CircuitBreaker, take_spread, unsent
from dagster_dailystory.engine.sending.delivery import Delivery, LookUp, LookUps, no_answer
from dagster_dailystory.engine.sending.dispatcher import (
    FATAL_ERRORS,
    Dispatcher,
    LostResponseError,
    SenderCounts,
    StoppedError,
    gather,
)
from dagster_dailystory.engine.sending.slots import Attempts
from dagster_dailystory.errors import DailyStoryError, OutageError, RetryableError
from dagster_dailystory.model.change import SENT_OPERATIONS, Change, Identity, Operation, Result
from dagster_dailystory.model.sync import ContactSync

_T = TypeVar("_T")

_HAND_OVER_SECONDS = 0.01
"""Results within this time are handed over together: waking the thread for each costs more than sending a row."""

_CLEAN_UP_SECONDS = 0.5
MAX_UNWRITTEN = 2_000
"""Most results that are not written yet; then no further row starts. After a crash these rows are sent twice."""

FindOthers = Callable[[frozenset[Operation]], Sequence[Change]]


class Sender:
    """Sends changes concurrently, in the order of submission. A context manager, to be used from one thread.

    Args:
        sync: Mode, deletion policy, consent.
        account: Where to send to, and how.
        limiter: Spaces all requests; None for one of this sender, at the account's rate.
    """

    def __init__(self, sync: ContactSync, account: AccountSettings, limiter: Limiter | None = None) -> None:
        self._sync = sync
        self._account = account
        calls = (lambda: self._client.about(), self._pump, self._fail, self._want_probes)
        self._dispatcher = Dispatcher(account, limiter or RateLimiter(account.requests_per_second), *calls)
        self._thread: threading.Thread | None = None
        # Shared by both threads, under the condition.
        self._changed = threading.Condition()
        self._results: list[Result] = []
        self._breaker = CircuitBreaker(account.breaker_threshold)
        self._fatal: DailyStoryError | None = None
        self._is_over = self._is_looking_up = False
        self._wanted: frozenset[Operation] = frozenset()
        self._inbox: deque[Change] = deque()
        # Only the main thread's.
        self._submitted = self._handed_out = 0
        # The main thread writes it, the loop reads it.
        self._written = 0
        # Only the loop's.
        self._finished = 0
        self._probes: deque[Change] = deque()
        self._rows: dict[asyncio.Task[None], Delivery] = {}
        self._fresh: list[Result] = []
        self._hand_over_is_due = False
        self._is_stopping = self._ends_early = False
        self._may_end = asyncio.Event()

    def __enter__(self) -> Sender:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pending(self) -> int:
        """Submitted changes whose result `collect` has not returned yet."""
        return self._submitted - self._handed_out

    @property
    def unstarted(self) -> int:
        """Pending changes that have not had a slot yet."""
        return len(self._inbox)

    @property
    def counts(self) -> SenderCounts:
        """The requests so far."""
        return self._dispatcher.counts

    @property
    def refused_operations(self) -> Mapping[Operation, str]:
        """The operations that DailyStory refuses whatever the row, with its message. Their changes fail unsent."""
        with self._changed:
            return self._breaker.closed

    def start(self, may_send: Callable[[], bool] = lambda: True) -> None:
        """Make the client and start the thread.

        `may_send` is asked before each request of a row, last when its connection is made; if False, it is not sent.
        """
        self._client = DailyStoryClient(self._account, self._sync.consent_override, may_send)
        self._dispatcher.may_send = may_send
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"dailystory-{self._sync.name}", daemon=True)
        self._thread.start()

    def submit(self, changes: Sequence[Change]) -> None:
        """Queue changes and return at once; the caller bounds `unstarted` and `pending`."""
        self._submitted += len(changes)
        with self._changed:
            self._inbox.extend(changes)
        self._call(self._pump)

    def collect(self, timeout_seconds: float, find_others: FindOthers = lambda operations: ()) -> list[Result]:
        """Wait for results.

        Refusals with the same message are held back until another result comes, or until no other change is pending.
        After many of them, or many failures, rows from elsewhere in the plan are tried before anything else is sent.

        Args:
            timeout_seconds: How long to wait.
            find_others: Takes further changes of these operations from elsewhere in the plan.

        Returns:
            All results so far; an empty list when the time is over.

        Raises:
            DailyStoryError: One of `FATAL_ERRORS`; all results have been returned.
        """
        with self._changed:
            wanted, self._wanted = self._wanted, frozenset()
        if wanted:
            self._submitted += len(others := find_others(wanted))
            self._call(partial(self._send_probes, wanted, others))
        with self._changed:
            self._changed.wait_for(self._has_news, timeout_seconds)
            if not self._results and (self._is_over or self._only_refusals_left()):
                self._results = self._breaker.release()
            results, self._results = self._results, []
            self._handed_out += len(results)
            if not results and self._is_over:
                raise self._fatal or OutageError("the sender has been stopped")
            return results

    def results_written(self) -> None:
        """Note that every result that `collect` returned is written; without it, sending ends at `MAX_UNWRITTEN`."""
        self._written = self._handed_out
        self._call(self._pump)

    def find_many(self, identities: Sequence[Identity]) -> list[LookUp]:
        """Look contacts up by the email or mobile number that was sent.

        Raises:
            OutageError: Not one look-up was answered.
        """
        return self._look_up(partial(LookUps(self._client, self._dispatcher).find_many, identities))

    def get_many(self, dsids: Sequence[str]) -> list[RemoteContact | None]:
        """Read contacts back; None for each that DailyStory does not have.

        Raises:
            OutageError: A read got no response within its budget.
        """
        reads = [partial(self._dispatcher.look_up, partial(self._client.get, dsid)) for dsid in dsids]
        return self._look_up(partial(gather, reads))

    def request(self, call: Callable[[DailyStoryClient], Awaitable[_T]], *, is_repeatable: bool = True) -> _T:
        """Make a request that belongs to no row, within the budget of one; if it must not be repeated, once.

        Raises:
            OutageError: No response; the request may have been applied.
        """
        ask = partial(call, self._client)
        return self._look_up(partial(self._dispatcher.look_up, ask, is_repeatable=is_repeatable))

    def about(self) -> Account:
        """Read the account that the token belongs to.

        Raises:
            AuthenticationError: The token is not accepted.
            ForbiddenError: The token is not accepted, or may not read the account. Rows can still be sent.
            OutageError: No response within the budget.
        """
        return self._look_up(self._dispatcher.account)

    def stop(self, grace_seconds: float = 1.0) -> list[Result]:
        """Start no new request, wait `grace_seconds` for those in flight, and end the thread. May be called again.

        Returns:
            The results that `collect` has not returned.
        """
        if self._thread is not None:
            self._call(partial(self._begin_stop, grace_seconds))
            self._thread.join(grace_seconds + 3 * _CLEAN_UP_SECONDS)
        with self._changed:
            results, self._results = self._results + self._breaker.release(), []
            self._handed_out += len(results)
            return results

    def _has_news(self) -> bool:
        return bool(self._results) or self._is_over or bool(self._wanted) or self._only_refusals_left()

    def _is_full(self) -> bool:
        return self._finished - self._written >= MAX_UNWRITTEN

    def _only_refusals_left(self) -> bool:
        held = self._breaker.held
        return held > 0 and held + len(self._results) == self.pending and not self._breaker.is_open

    def _call(self, action: Callable[[], None]) -> None:
        if self._thread is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nothing is left to do
                self._loop.call_soon_threadsafe(action)

    def _look_up(self, call: Callable[[], Coroutine[None, None, _T]]) -> _T:
        if self._thread is None or self._is_over:
            raise self._fatal or OutageError("the sender is not running")
        self._is_looking_up = True
        try:
            return asyncio.run_coroutine_threadsafe(call(), self._loop).result()
        except RetryableError as error:
            failure = no_answer(str(error), error.status)
        except LostResponseError:
            failure = no_answer("a request had no response, and may have been applied")
        except (StoppedError, concurrent.futures.CancelledError):
            failure = no_answer("the sender stopped")
        finally:
            self._is_looking_up = False
        raise self._fatal or self.counts.unanswered or failure

    # Everything below runs in the loop's thread.

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda loop, context: None)  # its contexts hold URLs with emails
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.close()
            self._hand_over(is_over=True)

    async def _main(self) -> None:
        self._pump()
        await self._may_end.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=_CLEAN_UP_SECONDS)
        await asyncio.wait(
            {self._loop.create_task(self._client.__aexit__(None, None, None))}, timeout=_CLEAN_UP_SECONDS
        )

    def _pump(self) -> None:
        """Start as many rows as there are slots."""
        while self._has_next():
            attempts = Attempts()
            if not self._dispatcher.slots.take(attempts):
                return
            task = self._loop.create_task(self._deliver_rows())
            self._rows[task] = self._next(attempts)
            task.add_done_callback(self._task_done)

    def _has_next(self) -> bool:
        """Whether a change may be sent now. Changes that DailyStory refuses whatever the row get their result here."""
        if self._is_stopping or self._is_full():
            return False
        if self._probes or self._breaker.is_open or self._dispatcher.outages.suspicion is not None:
            return bool(self._probes)
        refused = self._breaker.closed
        while self._inbox and self._inbox[0].operation in refused:
            change = self._inbox.popleft()
            self._take(change, unsent(change, refused[change.operation]))
        return bool(self._inbox)

    def _next(self, attempts: Attempts) -> Delivery:
        attempts.is_probe = bool(self._probes)
        change = (self._probes or self._inbox).popleft()
        return Delivery(self._sync, change, self._client, self._dispatcher, attempts)

    async def _deliver_rows(self) -> None:
        """Deliver a row, and further rows in the same slot: starting a task for each would take longer."""
        task = asyncio.current_task()
        assert task is not None
        while True:
            delivery = self._rows[task]
            result = await delivery.deliver()
            self._dispatcher.outages.end_probe(delivery.attempts)
            self._take(delivery.change, result)
            attempts = Attempts()
            if not (self._has_next() and self._dispatcher.slots.pass_on(delivery.attempts, attempts)):
                return
            self._rows[task] = self._next(attempts)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        delivery = self._rows.pop(task)
        change, attempts = delivery.change, delivery.attempts
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None and attempts.in_doubt:
            self._take(change, delivery.in_doubt())
        if error is not None and not isinstance(error, (*FATAL_ERRORS, StoppedError)):
            kind = type(error).__name__
            self._fail(  # without effect while the sender stops, which cancels tasks
                DailyStoryError(f"row {change.key_label} could not be sent ({kind}); please report this as a bug")
            )
        self._dispatcher.slots.release(attempts)
        if self._is_stopping and not self._rows:
            self._end()

    def _take(self, change: Change, result: Result) -> None:
        self._finished += 1
        was_open = self._breaker.is_open
        with self._changed:
            self._fresh += self._breaker.add(change.operation, result)
        self._after_results(was_open)

    def _after_results(self, was_open: bool) -> None:
        if not self._hand_over_is_due:
            self._hand_over_is_due = True
            self._loop.call_later(_HAND_OVER_SECONDS, self._hand_over)
        if self._breaker.is_open and not was_open:
            self._want_probes()
        elif was_open and not self._breaker.is_open:
            self._loop.call_soon(self._pump)

    def _want_probes(self) -> None:
        if self._is_looking_up:  # the look-ups of many rows have failed already
            self._loop.call_soon(self._dispatcher.outages.probe, 0)
        with self._changed:
            suspects = self._dispatcher.outages.suspicion is not None
            self._wanted = SENT_OPERATIONS if suspects and not self._breaker.wanted else self._breaker.wanted
            self._changed.notify_all()

    def _send_probes(self, operations: Collection[Operation], others: Sequence[Change]) -> None:
        """Send changes from elsewhere in the plan next, and some from the inbox if there are too few."""
        was_open = self._breaker.is_open
        with self._changed:
            operations = frozenset(operations) - self._breaker.closed.keys()
            probes = [*others, *take_spread(self._inbox, operations, PROBES - len(others))]
            self._probes.extend(probes)
            for operation in self._breaker.wanted & operations:
                mine = [each.sequence for each in probes if each.operation is operation]
                self._fresh += self._breaker.probe(operation, mine)
        self._dispatcher.outages.probe(len(probes))
        self._after_results(was_open)
        self._pump()

    def _hand_over(self, *, is_over: bool = False) -> None:
        self._hand_over_is_due = False
        with self._changed:
            self._results += self._fresh
            self._fresh = []
            self._is_over = self._is_over or is_over
            self._changed.notify_all()

    def _fail(self, error: DailyStoryError) -> None:
        """Stop after an error that concerns all rows. Requests in flight are waited for."""
        if self._fatal is None and not self._is_stopping:
            self._fatal = error
            self._wind_down()

    def _begin_stop(self, grace_seconds: float) -> None:
        self._wind_down()
        self._loop.call_later(grace_seconds if self._rows else 0, self._may_end.set)
        self._ends_early = True

    def _wind_down(self) -> None:
        """Start nothing more, and cancel the rows that only wait."""
        self._is_stopping = True
        self._dispatcher.stop()
        current = asyncio.current_task()
        for task, delivery in self._rows.items():
            if not delivery.attempts.in_flight and task is not current:
                task.cancel()
        if not self._rows:
            self._end()

    def _end(self) -> None:
        self._hand_over(is_over=True)
        if self._ends_early:
            self._may_end.set()
