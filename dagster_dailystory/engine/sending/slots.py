"""The slots of a sender: how many rows may be on their way at once, and which of them gets the next free slot.

How many slots a rate needs follows from the latency: a request that takes 0.2 s is one of 20 at 100 a second.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dagster_dailystory.api.settings import MOST_CONCURRENCY

FIRST_SLOTS = 4
"""Slots at first, where `max_concurrency` is not set."""

_MARGIN = 1.25
"""Slots for each one that the mean latency needs, because some responses take longer."""

_WEIGHT = 0.1
"""Weight of the latest response in the mean latency."""

_AT_ONCE = 0.1
"""A request that waited for the rate for less than this share of the time between two was held up by the slots."""

_FEWEST_REQUESTS = 50
"""With fewer requests nothing is said about the slots."""


@dataclass(slots=True)
class Attempts:
    """The requests of one row or look-up so far, and whether it holds a slot.

    Attributes:
        requests: Requests sent.
        failures: Those of them that count against the row's budget.
        throttled: Responses that asked to wait.
        answers: The answers that all rows together had when this row last failed; None before.
        fails_alone: The row failed again although other rows had answers in between.
        started_at: The time of the first request.
        holds_slot: Whether the row holds a slot.
        in_flight: Whether a request is under way.
        in_doubt: Whether a create without a response may have been applied.
        is_look_up: It belongs to no row.
        is_probe: The row is tried to find out whether DailyStory accepts any row, and has not failed yet.
    """

    requests: int = 0
    failures: int = 0
    throttled: int = 0
    answers: int | None = None
    fails_alone: bool = False
    started_at: float = math.nan
    holds_slot: bool = False
    in_flight: bool = False
    in_doubt: bool = False
    is_look_up: bool = False
    is_probe: bool = False


class Slots:
    """Limits how many rows are on their way.

    Rows that wait for their next attempt come before new ones. Rows that were asked to wait more than once take turns
    with new ones: they would keep all slots to themselves if DailyStory never accepted them.
    """

    def __init__(self, free: int, on_free: Callable[[], None]) -> None:
        self._free = free
        self._on_free = on_free
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._throttled: deque[asyncio.Future[None]] = deque()
        self._is_turn_of_throttled = False

    @property
    def are_taken(self) -> bool:
        """Whether no slot is free."""
        return self._free < 1

    def take(self, attempts: Attempts) -> bool:
        """Give the row a slot; False if none is free."""
        if self._free < 1:
            return False
        self._free -= 1
        attempts.holds_slot = True
        self._is_turn_of_throttled = True
        return True

    async def acquire(self, attempts: Attempts) -> None:
        """Wait until the row has a slot."""
        if attempts.holds_slot or self.take(attempts):
            return
        turn = asyncio.get_running_loop().create_future()
        (self._throttled if attempts.throttled > 1 else self._waiting).append(turn)
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
        """Give a new row the slot of a finished one, unless another row waits for its next attempt."""
        if not done.holds_slot or self._waiting or (self._throttled and self._is_turn_of_throttled):
            return False
        done.holds_slot, new.holds_slot = False, True
        self._is_turn_of_throttled = True
        return True

    def widen(self, more: int) -> None:
        """Add `more` free slots."""
        self._free += more
        while self._free and self._waiting:
            self._wake(self._waiting)
        if self._free and self._throttled and self._is_turn_of_throttled:
            self._wake(self._throttled)
        if self._free:
            self._on_free()
        while self._free and self._throttled:
            self._wake(self._throttled)

    def _wake(self, waiting: deque[asyncio.Future[None]]) -> None:
        turn = waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            self._free -= 1
            self._is_turn_of_throttled = waiting is not self._throttled


class Concurrency:
    """The number of slots. It grows with rate and latency, up to a limit, and knows whether slots were too few.

    Args:
        slots: The slots, of which there is one: the first request is sent alone.
        first: The number of slots from then on.
        most: The number up to which it grows; no further than `first` if it is less.
    """

    def __init__(self, slots: Slots, first: int, most: int) -> None:
        self._slots = slots
        self._first = first
        self._most = max(first, most)
        self._latency_seconds = 0.0
        self._rate = 0.0
        self._requests = self._held_up = 0
        self.size = 1

    @property
    def outage_threshold(self) -> int:
        """Consecutive failed requests after which other rows are tried: if they fail too, DailyStory is down."""
        return 5 * max(self.size, self._first) + 20

    def open(self) -> None:
        """Begin to send rows beside each other."""
        self._grow_to(self._first)

    def note_wait(self, seconds: float, rate: float) -> None:
        """Note how long a request, in its slot, waited for its turn at this rate."""
        self._rate = rate
        self._requests += 1
        self._held_up += self._slots.are_taken and seconds * rate < _AT_ONCE

    def note_response(self, seconds: float) -> None:
        """Note how long a request took, and add slots if the rate needs more."""
        latest = seconds - self._latency_seconds
        self._latency_seconds += latest * (_WEIGHT if self._latency_seconds else 1.0)
        if self._first <= self.size < self._most and self._rate < math.inf:
            self._grow_to(min(self._needed, self._most))

    @property
    def advice(self) -> str:
        """What would help if the slots, and not the rate, limited the send; else empty."""
        reached = self.size / self._latency_seconds if self._latency_seconds else math.inf
        is_rate_known = 0 < self._rate < math.inf
        if self._requests < _FEWEST_REQUESTS or self._held_up * 2 < self._requests or not is_rate_known:
            return ""
        if reached >= self._rate:
            return ""
        chosen = "" if self._first == self._most else " (the most that are chosen automatically)"
        remedy = f"set max_concurrency={self._needed}"
        remedy += ", or leave it out" if not chosen and self._needed <= MOST_CONCURRENCY else ""
        return (
            f"{self.size} requests in flight{chosen}, of {self._latency_seconds * 1000:.0f} ms each, are at most "
            f"{reached:.3g} a second, and {self._rate:.3g} a second are permitted; {remedy}"
        )

    @property
    def _needed(self) -> int:
        return math.ceil(self._rate * self._latency_seconds * _MARGIN)

    def _grow_to(self, size: int) -> None:
        if size > self.size:
            more, self.size = size - self.size, size
            self._slots.widen(more)
