"""The slots of a sender: how many rows may be on their way at once, and which of them gets the next free slot."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


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
