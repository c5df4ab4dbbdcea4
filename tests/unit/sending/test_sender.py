"""The sender: concurrency, retries, stopping and look-ups."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import httpx
import pytest
from support.fake_api import (
    FIREWALL,
    QUICK,
    SYNC,
    TOKEN,
    FakeApi,
    Reply,
    account_of,
    collect_all,
    collect_until_fatal,
    create,
    creates,
    email_of,
    number_of,
    refusal,
    sender_for,
    update,
    wait_until,
)
from support.fake_time import FakeTime, most_in_a_second

from dagster_dailystory.api.rate.limiter import RateLimiter
from dagster_dailystory.engine.sending.dispatcher import SenderCounts
from dagster_dailystory.engine.sending.sender import MAX_UNWRITTEN, Sender
from dagster_dailystory.errors import (
    AuthenticationError,
    ConfigurationError,
    OutageError,
)
from dagster_dailystory.model.change import Change, Identity, Operation, Outcome, Reason, Result
from dagster_dailystory.sandbox import Sandbox, SandboxSettings

# Handing changes and results over between the threads


def test_every_change_gets_one_result() -> None:
    api = FakeApi()
    with sender_for(api) as sender:
        sender.submit(creates(200))
        assert sender.pending == 200
        results = collect_all(sender)
        assert sender.collect(0.0) == []
    assert sorted(result.sequence for result in results) == list(range(1, 201))
    assert {result.outcome for result in results} == {Outcome.CREATED}
    assert sender.counts == SenderCounts(api_requests=200)


def test_no_further_row_starts_while_too_many_results_are_not_written() -> None:
    api = FakeApi()
    with sender_for(api) as sender:
        sender.submit(creates(MAX_UNWRITTEN + 50))
        results: list[Result] = []
        while len(results) < MAX_UNWRITTEN:
            results += sender.collect(5.0)
        results += sender.collect(0.5)
        assert MAX_UNWRITTEN <= len(results) < MAX_UNWRITTEN + QUICK.max_concurrency
        sender.results_written()
        assert len(results + collect_all(sender)) == MAX_UNWRITTEN + 50


def test_changes_are_sent_in_order_within_the_concurrency() -> None:
    order: list[int] = []
    api = FakeApi(lambda request, number: order.append(number_of(request)))
    api.latency_seconds = 0.002
    with sender_for(api) as sender:
        sender.submit(creates(30))
        sender.submit([create(31)])
        collect_all(sender)
    assert all(abs(place - number) <= 3 for place, number in enumerate(order, 1))
    assert api.most_in_flight == QUICK.max_concurrency


def test_collect_returns_nothing_when_its_time_is_over() -> None:
    with sender_for(FakeApi(lambda request, number: "hang")) as sender:
        sender.submit([create(1)])
        started = time.monotonic()
        assert sender.collect(0.05) == []
        assert time.monotonic() - started < 1


def test_changes_submitted_before_the_start_are_sent() -> None:
    sender = sender_for(FakeApi())
    sender.submit([create(1)])
    with sender:
        assert len(collect_all(sender)) == 1


def test_connections_that_cannot_be_made_are_reported_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:port")
    sender = Sender(SYNC, QUICK)
    with pytest.raises(ConfigurationError):
        sender.start()
    assert sender.stop() == []


@pytest.mark.parametrize("setting", ["max_concurrency", "max_attempts", "breaker_threshold", "max_seconds_per_row"])
def test_settings_that_would_send_nothing_are_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError):
        account_of(**{setting: 0})


# Retries


def test_a_row_that_waits_for_its_next_attempt_does_not_hold_up_the_others() -> None:
    def decide(request: httpx.Request, number: int) -> Reply | None:
        return refusal(500, "") if number_of(request) <= 8 else None

    options = account_of(max_concurrency=2, first_wait_seconds=300.0, longest_wait_seconds=300.0)
    with sender_for(FakeApi(decide), options) as sender:
        sender.submit(creates(28))
        results: list[Result] = []
        while len(results) < 20:
            results += sender.collect(5.0)
        assert {result.sequence for result in results} == set(range(9, 29))
        assert sender.pending == 8


def test_a_row_whose_wait_is_over_goes_before_new_ones() -> None:
    order: list[int] = []

    def decide(request: httpx.Request, number: int) -> Reply | None:
        order.append(int(json.loads(request.content)["dsId"][1:]))
        return refusal(500, "") if order.count(2) == 1 and order[-1] == 2 else None

    api = FakeApi(decide)
    api.latency_seconds = 0.002
    with sender_for(api, account_of(max_concurrency=1, first_wait_seconds=0.004)) as sender:
        sender.submit([update(number) for number in range(1, 101)])
        collect_all(sender)
    assert order.count(2) == 2
    assert order.index(2, 2) < 50


def test_a_row_gives_up_after_its_attempts() -> None:
    api = FakeApi(lambda request, number: refusal(500, ""))
    with sender_for(api) as sender:
        sender.submit([update(1)])
        [result] = collect_all(sender)
    assert (result.outcome, result.attempts) == (Outcome.FAILED, 4)
    assert (sender.counts.api_requests, sender.counts.api_retries) == (4, 3)
    assert str(sender.counts.unanswered) == "DailyStory responded with 500. No request of this run had an answer"


def test_a_row_gives_up_after_its_time() -> None:
    values = {"field_email": email_of(1), "field_city": "Paris"}
    change = Change(1, "1", Operation.UPDATE, "u1", values, frozenset(values), Identity(email_of(1)))
    options = account_of(max_seconds_per_row=0.02, first_wait_seconds=0.02, max_attempts=1000)
    api = FakeApi(lambda request, number: refusal(500, "") if b"person1@" in request.content else None)
    with sender_for(api, options) as sender:
        sender.submit([create(2), change])
        results = {result.sequence: result for result in collect_all(sender)}
    assert results[1].outcome is Outcome.FAILED
    assert 1 <= results[1].attempts < 40


def test_retry_after_pauses_all_requests() -> None:
    throttled = httpx.Response(429, headers={"Retry-After": "0.4"})
    api = FakeApi(lambda request, number: throttled if number == 10 else None)
    with sender_for(api) as sender:
        sender.submit(creates(40))
        results = collect_all(sender)
    assert {result.outcome for result in results} == {Outcome.CREATED}
    gaps = [later - earlier for earlier, later in zip(api.sent_at, api.sent_at[1:], strict=False)]
    assert max(gaps) >= 0.35
    assert sum(gap >= 0.2 for gap in gaps) == 1
    assert sender.counts.api_throttled == 1


class WatchedLimiter(RateLimiter):
    """Notes the instant of every turn."""

    def __init__(self, rate: float, fake: FakeTime) -> None:
        super().__init__(rate, fake.clock, fake.sleep)
        self.instants: list[float] = []

    async def wait(self) -> float:
        self.instants.append(await super().wait())
        return self.instants[-1]


def test_the_sender_reaches_50_requests_a_second_and_never_exceeds_them() -> None:
    """Measured at the instants of the requests, in a fake time that sleeping advances, now and then too late."""
    limiter = WatchedLimiter(50, FakeTime((0.0, 0.003, 0.012, 0.001)))
    api = FakeApi(lambda request, number: httpx.Response(500) if number % 50 == 7 else None)
    with sender_for(api, replace(QUICK, max_concurrency=32), limiter) as sender:
        sender.submit([update(number) for number in range(251)])
        assert len(collect_all(sender)) == 251
    instants = limiter.instants
    assert len(instants) == api.requests > 251, "no request is sent without its turn, not even a retry"
    assert most_in_a_second(instants) <= 50
    assert (len(instants) - 1) / (instants[-1] - instants[0]) >= 0.98 * 50


def test_throttling_does_not_use_up_a_rows_attempts() -> None:
    throttled = httpx.Response(429, headers={"Retry-After": "0"})
    api = FakeApi(lambda request, number: throttled if number <= 12 else None)
    with sender_for(api) as sender:
        sender.submit([create(1)])
        [result] = collect_all(sender)
    assert (result.outcome, result.attempts) == (Outcome.CREATED, 13)


def test_a_wait_longer_than_a_rows_time_ends_the_run() -> None:
    api = FakeApi(lambda request, number: httpx.Response(429, headers={"Retry-After": "86400"}))
    with sender_for(api) as sender:
        sender.submit(creates(10))
        _, error = collect_until_fatal(sender)
    assert isinstance(error, OutageError)
    assert "86400" in str(error)
    assert api.requests == 1


# Stop


def test_stop_ends_within_three_seconds_although_the_service_hangs() -> None:
    api = FakeApi(lambda request, number: "hang" if number > 1 else None)
    sender = sender_for(api)
    sender.start()
    sender.submit(creates(100))
    assert api.hanging.wait(5)
    wait_until(lambda: api.requests == 5)
    started = time.monotonic()
    results = sender.stop(grace_seconds=0.3)
    assert time.monotonic() - started < 3
    assert [result.outcome for result in results] == [Outcome.CREATED]
    assert api.requests == 5
    assert sender.stop() == []


def test_stop_waits_for_requests_in_flight_and_starts_no_others() -> None:
    api = FakeApi()
    sender = sender_for(api)
    sender.start()
    sender.submit([create(1)])
    collect_all(sender)
    api.latency_seconds = 0.2
    sender.submit(creates(100))
    wait_until(lambda: api.in_flight == 4)
    results = sender.stop(grace_seconds=1.0)
    assert len(results) == 4
    assert api.requests == 5


def test_stop_ends_within_three_seconds_over_real_http_too() -> None:
    with Sandbox(SandboxSettings(latency_seconds=4.0)) as sandbox:
        sender = Sender(SYNC, replace(QUICK, base_url=sandbox.base_url, api_token=sandbox.token))
        sender.start()
        sender.submit(creates(20))
        assert sender.collect(0.2) == []
        started = time.monotonic()
        assert sender.stop(0.2) == []
        assert time.monotonic() - started < 3
    assert sender.counts.api_requests == 1


def test_stop_reports_a_waiting_create_without_a_response_as_in_doubt() -> None:
    options = account_of(first_wait_seconds=300.0, longest_wait_seconds=300.0)
    api = FakeApi(lambda request, number: "cut after")
    sender = sender_for(api, options)
    sender.start()
    sender.submit([create(1), update(2)])
    wait_until(lambda: api.requests == 2)
    time.sleep(0.02)
    results = sender.stop()
    assert [(result.sequence, result.outcome) for result in results] == [(1, Outcome.IN_DOUBT)]


def test_stop_hands_out_what_the_breaker_held_back() -> None:
    api = FakeApi(lambda request, number: refusal(400, "no") if number <= 3 else "hang")
    sender = sender_for(api)
    sender.start()
    sender.submit(creates(10))
    assert api.hanging.wait(5)
    assert [result.reason for result in sender.stop(0.0)] == [Reason.REFUSED] * 3


def test_stop_before_start_and_twice_does_nothing() -> None:
    sender = sender_for(FakeApi())
    assert sender.stop() == []
    sender.start()
    assert sender.stop() == []
    assert sender.stop() == []


def test_collect_after_stop_raises_that_the_sender_stopped() -> None:
    sender = sender_for(FakeApi())
    sender.start()
    sender.stop()
    with pytest.raises(OutageError, match="stopped"):
        sender.collect(0.1)


def test_stop_ends_the_thread_and_leaves_no_task_behind() -> None:
    before = threading.active_count()
    sender = sender_for(FakeApi(lambda request, number: "hang"))
    sender.start()
    sender.submit(creates(50))
    sender.stop(0.0)
    assert threading.active_count() == before


# Look-ups


def test_look_ups_return_in_order_with_the_same_retries() -> None:
    api = FakeApi(lambda request, number: refusal(500, "") if number in (2, 3) else None)
    with sender_for(api) as sender:
        sender.submit(creates(3))
        dsids = {result.sequence: result.dsid for result in collect_all(sender)}
        identities = [Identity(email_of(number)) for number in (3, 99, 1)]
        found = sender.find_many(identities)
    assert [each.contact.dsid if each.contact else None for each in found] == [dsids[3], None, dsids[1]]


def test_a_look_up_without_a_response_is_an_outage() -> None:
    with sender_for(FakeApi(lambda request, number: refusal(500, ""))) as sender, pytest.raises(OutageError):
        sender.find_many([Identity(email_of(1)), Identity(email_of(2))])


@pytest.mark.parametrize("reply", [refusal(500, ""), FIREWALL, refusal(403, "Forbidden")], ids=["500", "page", "403"])
def test_a_look_up_without_an_answer_stops_no_other(reply: httpx.Response) -> None:
    def decide(request: httpx.Request, number: int) -> Reply | None:
        return reply if request.url.path.endswith("/contact") and number_of(request) == 1 else None

    with sender_for(FakeApi(decide)) as sender:
        found = sender.find_many([Identity(email_of(number)) for number in (1, 2, 3)])
    assert [each.is_answered for each in found] == [False, True, True]


def test_about_checks_the_token() -> None:
    with sender_for(FakeApi(lambda request, number: httpx.Response(401))) as sender:
        with pytest.raises(AuthenticationError):
            sender.about()
        with pytest.raises(AuthenticationError):
            sender.find_many([Identity(email_of(1))])
    api = FakeApi(lambda request, number: httpx.Response(200, json={"Status": True, "Response": {"tenant": "Acme"}}))
    with sender_for(api) as sender:
        assert sender.about().tenant == "Acme"


# Privacy


def test_no_personal_value_reaches_a_log_or_an_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    replies: Sequence[Reply] = (
        "cut after",
        refusal(400, f"{email_of(2)} of Paris is barred"),
        httpx.Response(502, text="<html>"),
        "cut before",
    )
    api = FakeApi(lambda request, number: replies[number % 4] if number < 40 else httpx.Response(401))
    with sender_for(api) as sender:
        sender.submit(creates(60))
        results, error = collect_until_fatal(sender)
    shown = caplog.text + repr(results) + repr(error) + str(error) + repr(sender)
    for personal in ("person", "example.com", "Paris", TOKEN):
        assert personal not in shown
