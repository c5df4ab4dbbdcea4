"""The breaker: rows that are refused with one message, and rows from elsewhere that are tried."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Collection
from dataclasses import replace

import httpx
import pytest
from support.fake_api import (
    QUICK,
    FakeApi,
    Reply,
    account_of,
    collect_all,
    create,
    creates,
    number_of,
    refusal,
    sender_for,
    update,
)

from dagster_dailystory.engine.sending.breaker.circuit_breaker import PROBES, take_spread
from dagster_dailystory.model.change import Change, Operation, Outcome, Result


def test_rows_refused_with_one_message_trip_the_breaker_and_still_differ() -> None:
    api = FakeApi(lambda request, number: refusal(400, "The contact limit of your plan has been reached"))
    with sender_for(api) as sender:
        sender.submit(creates(200))
        results = collect_all(sender)
        [(operation, message)] = sender.refused_operations.items()
    assert operation is Operation.CREATE
    assert "contact limit" in message
    assert {(result.outcome, result.reason) for result in results} == {(Outcome.FAILED, None)}
    assert len(results) == 200
    assert api.requests <= QUICK.breaker_threshold + QUICK.max_concurrency + PROBES


@pytest.mark.parametrize(
    "bad",
    [range(1, 26), range(200, 225), {*range(1, 26), *range(100, 140), *range(200, 240)}, range(250, 301)],
    ids=["first", "middle", "clusters", "last"],
)
def test_neighbours_refused_with_one_message_keep_no_other_row_from_being_sent(bad: Collection[int]) -> None:
    api = FakeApi(lambda request, number: refusal(400, "no") if number_of(request) in bad else None)
    with sender_for(api) as sender:
        sender.submit(creates(300))
        outcomes = {result.sequence: result.outcome for result in collect_all(sender)}
        refused = sender.refused_operations
    assert {number for number, outcome in outcomes.items() if outcome is Outcome.CREATED} == {*range(1, 301)} - {*bad}
    others = {outcomes[number] for number in bad}
    assert others == {Outcome.FAILED} if refused else {Outcome.REJECTED}
    assert bool(refused) == (300 in bad), "no other row was left to be tried"


def test_rows_from_elsewhere_are_taken_before_those_in_the_queue() -> None:
    api = FakeApi(lambda request, number: None if number_of(request) > 1000 else refusal(400, "no"))
    asked: list[Collection[Operation]] = []

    def find_others(operations: Collection[Operation]) -> list[Change]:
        asked.append(operations)
        return [create(1000 + 10 * len(asked) + number) for number in range(3)]

    with sender_for(api) as sender:
        sender.submit(creates(65))
        results: list[Result] = []
        while sender.pending:
            results += sender.collect(5.0, find_others)
    assert asked == [{Operation.CREATE}] * len(asked)
    assert 2 <= len(asked) <= 3
    assert Counter(result.outcome for result in results) == {Outcome.REJECTED: 65, Outcome.CREATED: 3 * len(asked)}


@pytest.mark.parametrize(
    "reply",
    [refusal(500, ""), httpx.Response(429, headers={"Retry-After": "86400"})],
    ids=["500", "long wait"],
)
def test_neighbours_that_always_fail_keep_no_other_row_from_being_sent(reply: httpx.Response) -> None:
    bad = range(30, 130)
    api = FakeApi(lambda request, number: reply if int(json.loads(request.content)["dsId"][1:]) in bad else None)
    with sender_for(api) as sender:
        sender.submit([update(number) for number in range(1, 301)])
        outcomes = {result.sequence: result.outcome for result in collect_all(sender)}
    assert {number for number, outcome in outcomes.items() if outcome is Outcome.FAILED} == {*bad}
    assert Counter(outcomes.values())[Outcome.UPDATED] == 200


@pytest.mark.parametrize("status", [429, 500])
def test_rows_that_fail_alone_are_no_outage_when_only_they_are_left(status: int) -> None:
    """Twelve rows at the end of their attempts fail more often in a row than an outage takes."""
    reply = httpx.Response(status, headers={"Retry-After": "0.05"})
    api = FakeApi(
        lambda request, number: reply if int(json.loads(request.content)["dsId"][1:]) in range(20, 32) else None
    )
    api.latency_seconds = 0.002
    with sender_for(api, account_of(max_attempts=30, first_wait_seconds=0.05, longest_wait_seconds=0.1)) as sender:
        sender.submit([update(number) for number in range(1, 101)])
        outcomes = Counter(result.outcome for result in collect_all(sender))
    assert outcomes == {Outcome.UPDATED: 88, Outcome.FAILED: 12}


@pytest.mark.parametrize("headers", [{"Retry-After": "0.2"}, {}], ids=["stated wait", "no wait"])
@pytest.mark.parametrize("bad", [{20}, range(20, 32)], ids=["one", "neighbours"])
def test_rows_that_are_asked_to_wait_for_ever_give_up_and_pause_no_other_row(
    bad: Collection[int], headers: dict[str, str]
) -> None:
    throttled = httpx.Response(429, headers=headers)
    api = FakeApi(lambda request, number: throttled if int(json.loads(request.content)["dsId"][1:]) in bad else None)
    api.latency_seconds = 0.002
    with sender_for(api, replace(QUICK, max_seconds_per_row=60)) as sender:
        sender.submit([update(number) for number in range(1, 401)])
        started = time.monotonic()
        outcomes = {result.sequence: result.outcome for result in collect_all(sender)}
        seconds = time.monotonic() - started
    assert {number for number, outcome in outcomes.items() if outcome is Outcome.FAILED} == {*bad}
    assert Counter(outcomes.values())[Outcome.UPDATED] == 400 - len(bad)
    assert seconds < 20


def test_a_short_streak_at_the_end_becomes_rejections() -> None:
    api = FakeApi(lambda request, number: refusal(400, "no") if number > 10 else None)
    with sender_for(api) as sender:
        sender.submit(creates(29))
        results = collect_all(sender)
    assert Counter(result.outcome for result in results) == {Outcome.CREATED: 10, Outcome.REJECTED: 19}


def test_a_streak_ended_by_another_result_becomes_rejections() -> None:
    api = FakeApi(lambda request, number: None if number % 15 == 0 else refusal(400, "no"))
    with sender_for(api) as sender:
        sender.submit(creates(150))
        results = collect_all(sender)
    assert Counter(result.outcome for result in results) == {Outcome.CREATED: 10, Outcome.REJECTED: 140}


def test_refusals_with_differing_messages_do_not_trip_the_breaker() -> None:
    api = FakeApi(lambda request, number: refusal(400, "letter " + "abc"[number % 3]))
    with sender_for(api) as sender:
        sender.submit(creates(100))
        assert {result.outcome for result in collect_all(sender)} == {Outcome.REJECTED}


def test_a_full_licence_trips_the_breaker_although_updates_succeed() -> None:
    def decide(request: httpx.Request, number: int) -> Reply | None:
        return None if b"dsId" in request.content else refusal(400, "The contact limit has been reached")

    mixed = [update(number) if number % 2 else create(number) for number in range(1, 201)]
    with sender_for(FakeApi(decide)) as sender:
        sender.submit(mixed)
        results = collect_all(sender)
        assert sender.refused_operations.keys() == {Operation.CREATE}
    assert {result.outcome for result in results if result.sequence % 2 == 0} == {Outcome.FAILED}
    assert {result.outcome for result in results if result.sequence % 2} == {Outcome.UPDATED}
    assert len(results) == 200


def test_a_caller_with_small_batches_trips_the_breaker_too() -> None:
    api = FakeApi(lambda request, number: refusal(400, "full"))
    outcomes: list[Outcome] = []
    with sender_for(api) as sender:
        for number in range(1, 22):
            sender.submit([create(number)])
            outcomes += [result.outcome for result in collect_all(sender)]
    assert Counter(outcomes) == {Outcome.REJECTED: 19, Outcome.FAILED: 2}
    assert api.requests == 20


def test_rows_tried_out_of_turn_come_from_all_over_the_queue() -> None:
    for bad in (range(100), range(100, 200), range(200, 300)):
        for _ in range(50):
            inbox = deque(creates(300))
            taken = take_spread(inbox, {Operation.CREATE}, PROBES)
            assert len({change.sequence for change in taken}) == PROBES
            assert len(inbox) == 300 - PROBES
            assert not any(change in inbox for change in taken)
            assert any(change.sequence - 1 not in bad for change in taken)
    assert take_spread(deque(creates(3)), {Operation.CREATE}, PROBES) == creates(3)
    assert take_spread(deque(creates(3)), {Operation.UPDATE}, PROBES) == []
    assert take_spread(deque(creates(3)), {Operation.CREATE}, -1) == []
