"""The sender with any sequence of faults: each change has one result, and each contact is created once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fake_api import (
    SYNC,
    FakeApi,
    Reply,
    account_of,
    collect_all,
    creates,
    email_of,
    refusal,
    sender_for,
)

from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.errors import (
    OutageError,
)
from dagster_dailystory.model.change import Outcome, Result
from dagster_dailystory.sandbox import FaultShares, Sandbox, SandboxSettings

FAULTS = ("ok", "cut before", "cut after", "500", "502 html", "empty after", "429", "refused", "refused 200")


def faulty(script: Sequence[str], api: FakeApi) -> Callable[[httpx.Request, int], Reply | None]:
    def decide(request: httpx.Request, number: int) -> Reply | None:
        fault = script[number % len(script)]
        if fault.startswith("cut"):
            return fault
        if fault == "empty after" and request.method == "POST":
            api._store(request)
        canned = {
            "500": httpx.Response(500, json={"Status": False}),
            "502 html": httpx.Response(502, text="<html>"),
            "empty after": httpx.Response(200),
            "429": httpx.Response(429, headers={"Retry-After": "0"}),
            "refused": refusal(400, "no"),
            "refused 200": refusal(200, "never"),
        }
        if fault.startswith("refused") and request.method == "GET":
            return None
        return canned.get(fault)

    return decide


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    script=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=23),
    rows=st.integers(1, 30),
    concurrency=st.integers(1, 9),
    stop_after=st.one_of(st.none(), st.integers(0, 25)),
)
def test_with_any_faults_each_change_has_one_result_and_is_created_once(
    script: list[str], rows: int, concurrency: int, stop_after: int | None
) -> None:
    api = FakeApi()
    api.decide = faulty(script, api)
    options = account_of(
        max_concurrency=concurrency, max_attempts=5, first_wait_seconds=0.0005, longest_wait_seconds=0.001
    )
    sender = sender_for(api, options)
    results: list[Result] = []
    is_fatal = False
    with sender:
        sender.submit(creates(rows))
        while sender.pending and not is_fatal and (stop_after is None or len(results) < stop_after):
            try:
                results += sender.collect(5.0)
            except OutageError:
                is_fatal = True
        results += sender.stop()
    counted = Counter(result.sequence for result in results)
    assert set(counted.values()) <= {1}
    assert max(api.creates.values(), default=0) <= 1
    assert is_fatal or stop_after is not None or len(results) == rows
    for result in results:
        if result.outcome in (Outcome.CREATED, Outcome.UPDATED):
            assert result.dsid == api.emails[email_of(result.sequence)]
        if result.outcome in (Outcome.REJECTED, Outcome.FAILED):
            assert email_of(result.sequence) not in api.emails


def test_over_real_http_with_every_fault_no_contact_is_created_twice() -> None:
    faults = FaultShares(
        throttled=0.03, server_error=0.04, server_error_after=0.04, html_502=0.04, empty_body=0.04, cut_before=0.04,
        cut_after=0.04,
    )  # fmt: skip
    with Sandbox(SandboxSettings(faults=faults, duplicates_allowed=True, retry_after_seconds=0), seed=7) as sandbox:
        options = account_of(max_concurrency=8, max_attempts=40, first_wait_seconds=0.002, longest_wait_seconds=0.01)
        account = replace(options, base_url=sandbox.base_url, api_token=sandbox.token, timeout_seconds=5.0)
        with Sender(SYNC, account) as sender:
            sender.submit(creates(300))
            results = collect_all(sender)
        made = sandbox.creates_by_identity()
    assert {result.outcome for result in results} <= {Outcome.CREATED, Outcome.UPDATED}
    assert len(results) == len(made) == 300
    assert set(made.values()) == {1}
    assert sender.counts.api_retries > 50
