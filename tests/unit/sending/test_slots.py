"""The number of slots as a function of rate and latency."""

from __future__ import annotations

import math

import pytest

from dagster_dailystory.engine.sending.slots import Attempts, Concurrency, Slots


def opened(first: int = 4, most: int = 32) -> tuple[Slots, Concurrency]:
    slots = Slots(1, lambda: None)
    concurrency = Concurrency(slots, first, most)
    concurrency.open()
    return slots, concurrency


def taken(slots: Slots) -> int:
    """How many rows get a slot."""
    count = 0
    while slots.take(Attempts()):
        count += 1
    return count


@pytest.mark.parametrize(
    ("rate", "latency_seconds", "size"),
    [(100, 0.2, 25), (100, 0.01, 4), (10, 0.2, 4), (2_000, 0.2, 32), (math.inf, 0.2, 4), (5, 3.0, 19)],
)
def test_the_slots_are_a_quarter_more_than_the_rate_needs_and_at_most_32(
    rate: float, latency_seconds: float, size: int
):
    slots, concurrency = opened()
    concurrency.note_wait(0.0, rate)
    concurrency.note_response(latency_seconds)
    assert (concurrency.size, taken(slots)) == (size, size)


def test_before_the_first_answer_there_is_one_slot_and_a_slow_one_adds_none():
    slots = Slots(1, lambda: None)
    concurrency = Concurrency(slots, 4, 32)
    concurrency.note_wait(0.0, 100)
    concurrency.note_response(5.0)
    assert (concurrency.size, taken(slots)) == (1, 1)


def test_a_number_that_is_set_does_not_grow():
    slots, concurrency = opened(first=2, most=0)
    concurrency.note_wait(0.0, 100)
    concurrency.note_response(5.0)
    assert (concurrency.size, taken(slots)) == (2, 2)


def test_an_outage_takes_more_failures_with_more_slots():
    _, concurrency = opened()
    assert concurrency.outage_threshold == 40
    concurrency.note_wait(0.0, 100)
    concurrency.note_response(0.2)
    assert concurrency.outage_threshold == 145


def advice(wait_seconds: float, *, is_full: bool = True, requests: int = 100, rate: float = 100) -> str:
    slots, concurrency = opened(first=4, most=0)
    if is_full:
        taken(slots)
    for _ in range(requests):
        concurrency.note_wait(wait_seconds, rate)
        concurrency.note_response(0.2)
    return concurrency.advice


def test_the_advice_needs_full_slots_a_rate_that_is_not_waited_for_and_some_requests():
    assert advice(0.0) == (
        "4 requests in flight, of 200 ms each, are at most 20 a second, and 100 a second are permitted; "
        "set max_concurrency=25, or leave it out"
    )
    assert advice(0.009) == "", "the rate was waited for"
    assert advice(0.0, is_full=False) == "", "there was no further row"
    assert advice(0.0, requests=20) == ""
    assert advice(0.0, rate=math.inf) == ""
    assert advice(0.0, rate=15) == "", "the slots are enough"
