"""The slots of a sender: how many rows may be on their way at once, and which of them gets the next free slot."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Attempts:
    """The requests of one row or look-up so far, and whether it holds a slot."""

    requests: int = 0
    failures: int = 0
    started_at: float = math.nan
    holds_slot: bool = False
    in_flight: bool = False
    in_doubt: bool = False
    is_look_up: bool = False


class Slots:
    """Limits how many rows are on their way. Rows that wait for their next attempt come before new ones."""

    def __init__(self, free: int, on_free: Callable[[], None]) -> None:
        self._free = free
        self._on_free = on_free
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self, attempts: Attempts) -> bool:
        """Give the row a slot; False if none is free."""
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
        """Give a new row the slot of a finished one, unless another row waits for its next attempt."""
        if not done.holds_slot or self._waiting:
            return False
        done.holds_slot, new.holds_slot = False, True
        return True

    def widen(self, more: int) -> None:
        """Add `more` free slots."""
        while more and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                more -= 1
        if more:
            self._free += more
            self._on_free()
