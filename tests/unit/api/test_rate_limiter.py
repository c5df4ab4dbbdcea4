"""The rate limiter, mostly on a fake clock."""

from __future__ import annotations

import asyncio
import itertools
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_time import FakeTime, most_in_a_second

from dagster_dailystory.api.rate.limiter import RateLimiter
from dagster_dailystory.errors import ConfigurationError


def limiter_at(rate: float | None, fake: FakeTime) -> RateLimiter:
    return RateLimiter(rate, fake.clock, fake.sleep)


async def send(limiter: RateLimiter, requests: int) -> list[float]:
    return [await limiter.wait() for _ in range(requests)]


def test_requests_are_evenly_spaced_without_a_burst() -> None:
    instants = asyncio.run(send(limiter_at(10, FakeTime()), 25))
    gaps = [later - earlier for earlier, later in itertools.pairwise(instants)]
    assert min(gaps) > 0.0999
    assert instants[-1] - instants[0] == pytest.approx(2.4, abs=0.02)


def test_after_late_wake_ups_98_percent_of_the_rate_is_kept() -> None:
    instants = asyncio.run(send(limiter_at(50, FakeTime((0.0, 0.003, 0.012, 0.001))), 1001))
    assert 1000 / (instants[-1] - instants[0]) >= 0.98 * 50


def test_after_a_long_idle_time_at_most_one_extra_request_is_sent() -> None:
    fake = FakeTime()
    limiter = limiter_at(50, fake)

    async def scenario() -> list[float]:
        await limiter.wait()
        fake.now += 600
        return await send(limiter, 10)

    instants = asyncio.run(scenario())
    assert sum(instant < instants[0] + 0.0199 for instant in instants) <= 2


@settings(max_examples=60, deadline=None)
@given(
    rate=st.floats(0.3, 80),
    late=st.lists(st.floats(0, 0.4), min_size=1, max_size=7),
    idle=st.lists(st.floats(0, 3), min_size=1, max_size=5),
)
def test_no_second_has_more_requests_than_the_rate(rate: float, late: list[float], idle: list[float]) -> None:
    fake = FakeTime(tuple(late))
    limiter = limiter_at(rate, fake)

    async def scenario() -> list[float]:
        instants: list[float] = []
        for pause in idle:
            instants += await send(limiter, 30)
            fake.now += pause
        return instants

    assert most_in_a_second(asyncio.run(scenario())) <= math.ceil(rate)


def test_only_the_first_waiter_sleeps_and_the_order_is_kept() -> None:
    fake = FakeTime()
    limiter = limiter_at(20, fake)
    order: list[int] = []

    async def one(number: int) -> None:
        await limiter.wait()
        order.append(number)

    async def scenario() -> None:
        await asyncio.gather(*(one(number) for number in range(30)))

    asyncio.run(scenario())
    assert order == list(range(30))
    assert fake.most_sleepers == 1


def test_retry_after_pauses_all_requests_including_waiting_ones() -> None:
    fake = FakeTime()
    limiter = limiter_at(10, fake)

    async def scenario() -> list[float]:
        await limiter.wait()
        waiting = [asyncio.ensure_future(limiter.wait()) for _ in range(5)]
        await asyncio.sleep(0)
        limiter.throttled(7.0)
        return list(await asyncio.gather(*waiting))

    assert min(asyncio.run(scenario())) >= 1007.0


def test_an_unlimited_rate_still_honours_a_pause() -> None:
    fake = FakeTime()
    limiter = limiter_at(math.inf, fake)
    limiter.throttled(3.0)
    assert asyncio.run(send(limiter, 3)) == [1003.0] * 3
    assert limiter.requests_per_second == math.inf


def test_simultaneous_refusals_lower_the_rate_once() -> None:
    fake = FakeTime()
    limiter = limiter_at(10, fake)
    for _ in range(5):
        limiter.throttled(None)
    assert limiter.requests_per_second == pytest.approx(8)
    fake.now += 0.31
    limiter.throttled(None)
    assert limiter.requests_per_second == pytest.approx(6.4)


@pytest.mark.parametrize("rate", [100, math.inf])
@pytest.mark.parametrize("wait", [None, 0.0])
def test_few_refusals_without_a_wait_change_nothing(rate: float, wait: float | None) -> None:
    fake = FakeTime()
    limiter = limiter_at(rate, fake)

    async def scenario() -> None:
        for number in range(1, 401):
            await limiter.wait()
            if rate == math.inf:
                fake.now += 0.01
            if number % 20 == 0:
                limiter.throttled(wait)

    asyncio.run(scenario())
    assert fake.now - 1000 == pytest.approx(4, abs=0.05)
    assert limiter.requests_per_second == rate


def test_many_refusals_without_a_wait_pause_all_requests() -> None:
    fake = FakeTime()
    limiter = limiter_at(math.inf, fake)
    asyncio.run(send(limiter, 30))
    for _ in range(6):
        limiter.throttled(None)
    assert asyncio.run(send(limiter, 3)) == [1000.5] * 3


def test_the_rate_recovers_in_steps_up_to_the_configured_rate() -> None:
    fake = FakeTime()
    limiter = limiter_at(10, fake)
    limiter.throttled(0.0)
    seen = [limiter.requests_per_second]

    async def scenario() -> None:
        for _ in range(200):
            await limiter.wait()
            seen.append(limiter.requests_per_second)

    asyncio.run(scenario())
    steps = {round(later - earlier, 6) for earlier, later in itertools.pairwise(seen)}
    assert steps == {0.0, 0.2}
    assert seen[-1] == 10


def test_refusals_do_not_lower_the_rate_below_one_in_two_seconds() -> None:
    fake = FakeTime()
    limiter = limiter_at(10, fake)
    for _ in range(100):
        fake.now += 1
        limiter.throttled(None)
    assert limiter.requests_per_second == 0.5


def test_a_configured_rate_below_one_in_two_seconds_is_kept() -> None:
    fake = FakeTime()
    limiter = limiter_at(0.1, fake)
    limiter.throttled(0.0)
    instants = asyncio.run(send(limiter, 4))
    assert instants[-1] - instants[0] == pytest.approx(30)


async def send_to_service(limiter: RateLimiter, fake: FakeTime, permitted: int, seconds: float) -> tuple[int, int]:
    """Send to a service with a bucket of `permitted` tokens per second; return accepted and refused requests."""
    tokens, filled_at = float(permitted), fake.now
    accepted = refused = 0
    while fake.now < 1000 + seconds:
        now = await limiter.wait()
        tokens = min(permitted, tokens + (now - filled_at) * permitted)
        filled_at = now
        if tokens >= 1:
            tokens -= 1
            accepted += 1
        else:
            refused += 1
            limiter.throttled(0.1)
    return accepted, refused


@pytest.mark.parametrize("permitted", [3, 10, 50])
def test_without_a_configured_rate_the_permitted_one_is_found(permitted: int) -> None:
    fake = FakeTime()
    accepted, refused = asyncio.run(send_to_service(limiter_at(None, fake), fake, permitted, 60))
    assert accepted >= 0.8 * permitted * 60
    assert refused <= 0.07 * accepted


def test_a_configured_rate_that_is_too_high_falls_to_the_permitted_one() -> None:
    fake = FakeTime()
    accepted, refused = asyncio.run(send_to_service(limiter_at(50, fake), fake, 10, 60))
    assert accepted >= 0.75 * 10 * 60
    assert refused <= 0.1 * accepted


def test_an_adaptive_rate_does_not_rise_while_it_is_unused() -> None:
    fake = FakeTime()
    limiter = limiter_at(None, fake)

    async def scenario() -> None:
        for _ in range(60):
            await limiter.wait()
            fake.now += 1.0

    asyncio.run(scenario())
    assert limiter.requests_per_second <= 8


@pytest.mark.parametrize("rate", [0, -1, math.nan])
def test_a_rate_that_is_not_positive_is_refused(rate: float) -> None:
    with pytest.raises(ConfigurationError, match="must be positive"):
        RateLimiter(rate)


def test_a_cancelled_waiter_does_not_block_the_others() -> None:
    async def scenario() -> float:
        limiter = RateLimiter(20)
        await limiter.wait()
        first, second = asyncio.ensure_future(limiter.wait()), asyncio.ensure_future(limiter.wait())
        await asyncio.sleep(0)
        first.cancel()
        return await asyncio.wait_for(second, 2)

    assert asyncio.run(scenario()) > 0


def test_in_real_time_50_a_second_is_reached_and_not_exceeded() -> None:
    async def scenario() -> list[float]:
        limiter = RateLimiter(50)
        await limiter.wait()
        return list(await asyncio.gather(*(limiter.wait() for _ in range(60))))

    instants = asyncio.run(scenario())
    assert most_in_a_second(instants) <= 50
    assert 59 / (instants[-1] - instants[0]) >= 0.9 * 50


def test_an_unlimited_rate_costs_microseconds() -> None:
    limiter = RateLimiter(math.inf)
    started = time.process_time()
    asyncio.run(send(limiter, 20_000))
    assert (time.process_time() - started) / 20_000 < 50e-6
