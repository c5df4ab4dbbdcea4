"""A clock for rate limiters that only sleeping moves."""

from __future__ import annotations

import asyncio


class FakeTime:
    """A clock that only sleeping moves, each sleep late by `late_seconds` in turn."""

    def __init__(self, late_seconds: tuple[float, ...] = (0.0,)) -> None:
        self.now = 1000.0
        self.sleepers = 0
        self.most_sleepers = 0
        self._late_seconds = late_seconds
        self._sleeps = 0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleepers += 1
        self.most_sleepers = max(self.most_sleepers, self.sleepers)
        late = self._late_seconds[self._sleeps % len(self._late_seconds)]
        self._sleeps += 1
        until = self.now + seconds + late
        await asyncio.sleep(0)
        self.now = max(self.now, until)
        self.sleepers -= 1


def most_in_a_second(instants: list[float]) -> int:
    return max(sum(start <= instant < start + 1.0 for instant in instants) for start in instants)
