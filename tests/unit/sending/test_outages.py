"""The sender when the service fails: errors that stop the run, forbidden rows, and the circuit breaker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from functools import partial

import httpx
import pytest
from support.fake_api import (
    FIREWALL,
    QUICK,
    SYNC,
    FakeApi,
    Reply,
    accepted,
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
)

from dagster_dailystory.api.connections import HttpResponse
from dagster_dailystory.api.transport import HttpxConnections
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.errors import (
    AuthenticationError,
    ConfigurationError,
    ConsentError,
    ForbiddenError,
    OutageError,
)
from dagster_dailystory.model.change import Outcome

# Errors that stop the run


def test_a_bad_token_costs_one_request() -> None:
    api = FakeApi(lambda request, number: httpx.Response(401))
    api.latency_seconds = 0.02
    with sender_for(api, account_of(max_concurrency=32)) as sender:
        sender.submit(creates(100))
        results, error = collect_until_fatal(sender)
    assert isinstance(error, AuthenticationError)
    assert results == []
    assert api.requests == 1


@pytest.mark.parametrize("asks_first", [True, False])
def test_a_token_that_is_forbidden_everything_stops_the_run_after_five_other_rows(asks_first: bool) -> None:
    api = FakeApi(lambda request, number: refusal(403, "Forbidden"))
    with sender_for(api, account_of(max_concurrency=32)) as sender:
        if asks_first:
            with pytest.raises(ForbiddenError):
                sender.about()
        sender.submit(creates(100))
        results, error = collect_until_fatal(sender)
    assert isinstance(error, AuthenticationError)
    assert "(403)" in str(error)
    assert {result.outcome for result in results} == {Outcome.FAILED}
    assert 7 <= api.requests < 12, "a row, /about, five other rows, and a few that were under way"


def test_a_token_that_is_forbidden_everything_from_now_on_stops_the_run() -> None:
    api = FakeApi(lambda request, number: refusal(403, "Forbidden") if number > 50 else None)
    with sender_for(api) as sender:
        sender.submit(creates(200))
        results, error = collect_until_fatal(sender)
    assert isinstance(error, AuthenticationError)
    assert Counter(result.outcome for result in results) == {Outcome.CREATED: 50}
    assert api.requests <= 50 + QUICK.max_concurrency + 1, "the rows that were under way share one /about"


# Rows that are forbidden


def forbidding(rows: Collection[int], reply: httpx.Response, about: httpx.Response) -> FakeApi:
    """An API that forbids some rows."""

    def decide(request: httpx.Request, number: int) -> Reply | None:
        if request.url.path.endswith("/about"):
            return about
        return reply if number_of(request) in rows else None

    return FakeApi(decide)


@pytest.mark.parametrize("reply", [FIREWALL, refusal(403, "Forbidden")], ids=["page", "json"])
@pytest.mark.parametrize("about", [accepted("x"), FIREWALL, httpx.Response(200, text="ok")], ids=["json", "403", "ok"])
@pytest.mark.parametrize("rows", [{1}, {30}, {1, 2, 3, 30, 60}], ids=["first", "one", "some"])
def test_a_forbidden_row_is_rejected_and_the_others_are_sent(
    rows: set[int], reply: httpx.Response, about: httpx.Response
) -> None:
    api = forbidding(rows, reply, about)
    patient = replace(QUICK, max_attempts=100)  # until other rows are tried, which takes a busy machine a while
    with sender_for(api, patient) as sender:
        with contextlib.suppress(ForbiddenError):
            sender.about()
        sender.submit(creates(60))
        results = collect_all(sender)
    outcomes = {result.sequence: result.outcome for result in results}
    assert {number for number, outcome in outcomes.items() if outcome is Outcome.REJECTED} == rows
    assert len(api.creates) == 60 - len(rows)


def test_a_forbidden_row_costs_one_look_at_the_account_and_a_page_none() -> None:
    for reply, looks in ((refusal(403, "Forbidden"), 1), (FIREWALL, 0)):
        api = forbidding({30}, reply, accepted("x"))
        with sender_for(api) as sender:
            sender.submit(creates(60))
            collect_all(sender)
        assert api.requests == 60 + looks


def test_a_forbidden_row_is_not_rejected_while_the_account_does_not_answer() -> None:
    api = forbidding({30}, refusal(403, "Forbidden"), httpx.Response(500))
    with sender_for(api) as sender:
        sender.submit(creates(60))
        results = collect_all(sender)
    assert Counter(result.outcome for result in results) == {Outcome.CREATED: 59, Outcome.FAILED: 1}


def test_a_token_revoked_during_a_run_stops_it_and_keeps_its_results() -> None:
    api = FakeApi(lambda request, number: httpx.Response(401) if number > 50 else None)
    with sender_for(api) as sender:
        sender.submit(creates(200))
        results, error = collect_until_fatal(sender)
        with pytest.raises(AuthenticationError):
            sender.collect(0.1)
    assert isinstance(error, AuthenticationError)
    assert len(results) == 50
    assert api.requests < 60


def test_a_redirect_stops_the_run() -> None:
    api = FakeApi(lambda request, number: httpx.Response(302, headers={"Location": "https://uk-3.dailystory.test/"}))
    with sender_for(api) as sender:
        sender.submit(creates(10))
        results, error = collect_until_fatal(sender)
    assert isinstance(error, ConfigurationError)
    assert {result.outcome for result in results} == {Outcome.FAILED}
    assert api.requests == 1


@pytest.mark.parametrize("status", [302, 308])
def test_a_redirect_of_some_rows_keeps_no_other_row_from_being_sent(status: int) -> None:
    bad = range(30, 80)
    moved = httpx.Response(status, headers={"Location": "https://uk-3.dailystory.test/"})
    api = FakeApi(lambda request, number: moved if int(json.loads(request.content)["dsId"][1:]) in bad else None)
    with sender_for(api) as sender:
        sender.submit([update(number) for number in range(1, 201)])
        outcomes = {result.sequence: result.outcome for result in collect_all(sender)}
    assert {number for number, outcome in outcomes.items() if outcome is Outcome.FAILED} == {*bad}
    assert Counter(outcomes.values())[Outcome.UPDATED] == 150


def test_a_redirect_of_all_rows_from_one_on_stops_the_run() -> None:
    moved = httpx.Response(302, headers={"Location": "https://uk-3.dailystory.test/"})
    api = FakeApi(lambda request, number: moved if number > 100 else None)
    with sender_for(api) as sender:
        sender.submit(creates(400))
        _, error = collect_until_fatal(sender)
    assert isinstance(error, ConfigurationError)
    assert api.requests < 130
    assert "redirects to the host uk-3" in str(error)


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, text="<html>Blocked</html>"),
        httpx.Response(302, headers={"Location": "https://uk-3.dailystory.test/"}),
        httpx.Response(429, headers={"Retry-After": "3600"}),
        httpx.Response(500),
    ],
    ids=["page", "redirect", "long wait", "500"],
)
def test_an_outage_of_writes_stops_the_run_although_reads_are_answered(reply: httpx.Response) -> None:
    posts = iter(range(1, 10_000))
    api = FakeApi(lambda request, number: reply if request.method == "POST" and next(posts) > 60 else None)
    api.latency_seconds = 0.001
    with sender_for(api) as sender:
        sender.submit(creates(400))
        _, error = collect_until_fatal(sender)
    assert isinstance(error, (OutageError, ConfigurationError))
    assert api.requests < 250


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(302, headers={"Location": "https://uk-3.dailystory.test/"}),
        httpx.Response(429, headers={"Retry-After": "86400"}),
    ],
    ids=["redirect", "long wait"],
)
@pytest.mark.parametrize("bad", [{50}, {48, 49, 50}], ids=["one", "three"])
def test_the_last_rows_alone_are_no_outage(reply: httpx.Response, bad: Collection[int]) -> None:
    api = FakeApi(lambda request, number: reply if int(json.loads(request.content)["dsId"][1:]) in bad else None)
    api.latency_seconds = 0.002
    with sender_for(api) as sender:
        sender.submit([update(number) for number in range(1, 51)])
        outcomes = {result.sequence: result.outcome for result in collect_all(sender)}
    assert {number for number, outcome in outcomes.items() if outcome is Outcome.FAILED} == {*bad}


def test_a_payload_that_would_opt_in_stops_the_run() -> None:
    class Firewall(HttpxConnections):
        async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
            raise ConsentError("the payload would undo an opt-out")

    api = FakeApi()
    with Sender(SYNC, replace(QUICK, connect=partial(Firewall, transport=api))) as sender:
        sender.submit([create(1)])
        results, error = collect_until_fatal(sender)
    assert isinstance(error, ConsentError)
    assert (results, api.requests) == ([], 0)


def test_a_service_that_only_fails_is_an_outage() -> None:
    api = FakeApi(lambda request, number: refusal(500, ""))
    with sender_for(api) as sender:
        sender.submit(creates(500))
        results, error = collect_until_fatal(sender)
    assert isinstance(error, OutageError)
    threshold = 5 * QUICK.max_concurrency + 20
    assert threshold <= api.requests <= threshold + 30
    assert {result.outcome for result in results} <= {Outcome.FAILED, Outcome.IN_DOUBT}


def test_failures_with_successes_between_them_are_not_an_outage() -> None:
    coin = random.Random(7)  # every second request would always hit the same row
    api = FakeApi(lambda request, number: refusal(500, "") if coin.random() < 0.5 else None)
    with sender_for(api, account_of(first_wait_seconds=0.001, longest_wait_seconds=0.002, max_attempts=50)) as sender:
        sender.submit([update(number) for number in range(1, 101)])
        results = collect_all(sender)
    assert {result.outcome for result in results} == {Outcome.UPDATED}


@pytest.mark.parametrize("raised", [ZeroDivisionError, asyncio.CancelledError])
def test_an_unexpected_error_stops_the_run_and_names_only_the_row(raised: type[BaseException]) -> None:
    def decide(request: httpx.Request, number: int) -> Reply | None:
        if number == 3:
            raise raised(email_of(3))
        return None

    with sender_for(FakeApi(decide), account_of(max_concurrency=1)) as sender:
        sender.submit(creates(5))
        results, error = collect_until_fatal(sender)
    assert [result.sequence for result in results] == [1, 2]
    assert "row 3" in str(error)
    assert "person3" not in str(error)
