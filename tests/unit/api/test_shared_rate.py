"""The limiter that takes its permits from a source, on a fake clock; `engine/test_shared_rate.py` has a real source."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from support.fake_time import FakeTime

from dagster_dailystory.api.rate.pace import Pace
from dagster_dailystory.api.rate.shared import Grant, SharedRateLimiter
from dagster_dailystory.errors import WarehouseError


@dataclass
class Source:
    """Grants permits from a clock of its own, which is `ahead` of that of the process.

    Attributes:
        taken: The permits of each call, and the refusals that it reported.
        late_seconds: How long each answer is on its way.
        catch_up_seconds: How old the first permit may be where nothing was asked for in time.
    """

    time: FakeTime
    pace: Pace
    ahead: float = 5_000.0
    next_at: float = 0.0
    version: int = 0
    sent: float = 0
    refused: int = 0
    taken: list[tuple[int, int]] = field(default_factory=list)
    late_seconds: float = 0.0
    catch_up_seconds: float = 0.0
    is_lost: bool = False
    is_closed: bool = False

    async def take(self, permits: int, refusals: int = 0, unused: int = 0) -> Grant:
        await asyncio.sleep(0)
        if self.is_lost:
            raise WarehouseError("the database is gone")
        self.taken.append((permits, refusals))
        self.sent += permits - unused
        self.refused += refusals
        now = self.time.clock() + self.ahead
        first = max(self.next_at, self.pace.paused_until, now - self.catch_up_seconds)
        self.next_at = first + permits / self.pace.requests_per_second
        self.time.now += self.late_seconds
        return Grant(now, first, permits, self.pace, self.version, self.sent, self.refused)

    async def change(self, seen: Grant, pace: Pace) -> bool:
        await asyncio.sleep(0)
        if seen.version != self.version:
            return False
        self.pace, self.version = pace, self.version + 1
        return True

    def close(self) -> None:
        self.is_closed = True


def shared(rate: float | None) -> tuple[SharedRateLimiter, Source, FakeTime]:
    time = FakeTime()
    source = Source(time, Pace.first(rate))
    return SharedRateLimiter(source, rate, time.clock, time.sleep), source, time


def test_requests_leave_at_the_times_of_their_permits():
    limiter, source, time = shared(10.0)
    source.next_at = time.clock() + source.ahead + 3.0  # others have what comes before

    async def scenario() -> list[float]:
        return [await limiter.wait() for _ in range(3)]

    assert asyncio.run(scenario()) == pytest.approx([1003.0, 1003.1, 1003.2])


def test_an_answer_that_arrives_late_does_not_move_its_permits():
    limiter, source, time = shared(10.0)

    async def scenario() -> float:
        await limiter.wait()
        source.next_at, source.late_seconds = time.clock() + source.ahead + 3.0, 0.5
        return await limiter.wait()

    assert asyncio.run(scenario()) == pytest.approx(1003.0)


def test_many_requests_take_permits_for_a_tenth_of_a_second_together():
    limiter, source, _ = shared(100.0)

    async def scenario() -> None:
        await asyncio.gather(*(limiter.wait() for _ in range(40)))

    asyncio.run(scenario())
    assert [permits for permits, _ in source.taken if permits] == [10] * 4


def test_a_request_alone_takes_one_permit():
    limiter, source, _ = shared(100.0)
    asyncio.run(limiter.wait())
    assert [permits for permits, _ in source.taken if permits] == [1]


def test_permits_whose_time_is_long_over_are_lost():
    limiter, source, time = shared(100.0)

    async def scenario() -> None:
        await asyncio.gather(*(limiter.wait() for _ in range(8)))
        limiter._permits.extend([time.now] * 5)  # those of requests that were cancelled
        time.now += 10.0  # the process was suspended
        source.taken.clear()
        await limiter.wait()

    asyncio.run(scenario())
    assert sum(permits for permits, _ in source.taken) == 1
    assert source.sent == 9 - 5, "what is not used counts as if it had not been granted"


def test_refusals_pause_this_process_at_once_and_are_reported_together():
    limiter, source, _ = shared(100.0)

    async def scenario() -> float:
        await limiter.wait()
        for seconds in (2.0, None, 7.0):
            limiter.throttled(seconds)
        return await limiter.wait()

    assert asyncio.run(scenario()) >= 1007.0
    assert (0, 3) in source.taken
    assert source.pace.paused_until >= 1007.0 + source.ahead
    assert source.pace.requests_per_second < 100.0


def test_a_pause_that_another_process_began_is_kept():
    limiter, source, time = shared(100.0)

    async def scenario() -> float:
        await asyncio.gather(*(limiter.wait() for _ in range(3)))
        source.pace = replace(source.pace, paused_until=time.now + source.ahead + 30.0)
        return await limiter.wait()

    assert asyncio.run(scenario()) == pytest.approx(1030.0, abs=0.1)


def test_a_refusal_counts_although_another_process_changes_the_pace():
    limiter, source, time = shared(100.0)

    async def scenario() -> None:
        await limiter.wait()
        limiter.throttled(1.0)
        await asyncio.sleep(0)
        source.version += 1  # between the report and the change
        await time.sleep(3.0)
        for _ in range(20):
            await asyncio.sleep(0)

    asyncio.run(scenario())
    assert source.pace.requests_per_second == pytest.approx(80.0)


def test_nothing_leaves_while_the_source_cannot_be_asked():
    limiter, source, _ = shared(100.0)

    async def scenario() -> float:
        source.is_lost = True
        for _ in range(2):
            with pytest.raises(WarehouseError):
                await limiter.wait()
        source.is_lost = False
        return await limiter.wait()

    assert asyncio.run(scenario()) == 1000.0


def test_a_cancelled_wait_keeps_no_other_waiting():
    async def scenario() -> float:
        limiter, source, _ = shared(100.0)
        source.ahead = 0.0
        first, second = asyncio.ensure_future(limiter.wait()), asyncio.ensure_future(limiter.wait())
        await asyncio.sleep(0)
        first.cancel()
        return await asyncio.wait_for(second, 1.0)

    assert asyncio.run(scenario()) < 1001.0


def test_the_description_names_the_rate_and_who_shares_it():
    limiter, _, _ = shared(100.0)
    assert limiter.description == "100 requests a second, shared by all syncs of this state"


def test_answers_that_became_slower_stop_nothing():
    limiter, source, time = shared(10.0)
    source.catch_up_seconds = 0.05

    async def scenario() -> float:
        for _ in range(3):
            await limiter.wait()
        source.late_seconds = 0.3
        for _ in range(20):
            await limiter.wait()
        return time.clock()

    assert asyncio.run(asyncio.wait_for(scenario(), 20)) < 1020.0
    assert len(source.taken) < 60
