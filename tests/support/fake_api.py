"""A contact API in a few lines, and the changes and the sender that the tests send to it."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import httpx

from dagster_dailystory.api.rate.limiter import RateLimiter
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import HttpxConnections
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.errors import (
    DailyStoryError,
)
from dagster_dailystory.model.change import Change, Identity, Operation, Result
from dagster_dailystory.model.sync import ContactSync

TOKEN = "k3yk3yk3yk3yk3yk3yk3yk3yk-us-1"
SYNC = ContactSync(name="customers", source="customers", key="id", fields={"email": "email", "city": "city"})


def account_of(**settings: Any) -> AccountSettings:
    """An account whose rate is not limited, with four requests in flight."""
    usual: dict[str, Any] = {"requests_per_second": math.inf, "max_concurrency": 4, "timeout_seconds": 20.0}
    return AccountSettings("https://us-1.dailystory.test", TOKEN, **{**usual, **settings})


QUICK = account_of(first_wait_seconds=0.001, longest_wait_seconds=0.002, max_attempts=4)


Reply = httpx.Response | str
"""A response, or `cut before`, `cut after`, `hang`."""


class FakeApi(httpx.AsyncBaseTransport):
    """The contact API in a few lines, with a hook that decides the reply to each request."""

    def __init__(self, decide: Callable[[httpx.Request, int], Reply | None] = lambda request, number: None) -> None:
        self.decide = decide
        self.emails: dict[str, str] = {}
        self.creates: Counter[str] = Counter()
        self.requests = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.sent_at: list[float] = []
        self.latency_seconds = 0.0
        self.hanging = threading.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        number = self.requests
        self.sent_at.append(time.monotonic())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.latency_seconds)
            return await self._respond(request, self.decide(request, number))
        finally:
            self.in_flight -= 1

    async def _respond(self, request: httpx.Request, reply: Reply | None) -> httpx.Response:
        if isinstance(reply, httpx.Response):
            return reply
        if reply == "hang":
            self.hanging.set()
            await asyncio.sleep(3600)
        if reply == "cut before":
            raise httpx.ReadError(f"for {request.url}", request=request)
        response = self._store(request)
        if reply == "cut after":
            raise httpx.ReadError(f"for {request.url}", request=request)
        return response

    def _store(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            email = parse_qs(request.url.query.decode()).get("email", [""])[0]
            if email not in self.emails:
                return refusal(404, "no such contact")
            return accepted(self.emails[email], contact={"dsId": self.emails[email], "email": email})
        body = json.loads(request.content)
        dsid = body.get("dsId")
        if dsid is None:
            dsid = f"d{len(self.emails) + 1}"
            self.emails[body["email"]] = dsid
            self.creates[body["email"]] += 1
        return accepted(dsid)


def accepted(dsid: str, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"Status": True, "Message": "", "Response": {"id": dsid, **more}})


def refusal(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"Status": False, "Message": message})


FIREWALL = httpx.Response(403, text="<html>Request blocked</html>")


def email_of(number: int) -> str:
    return f"person{number}@example.com"


def create(number: int) -> Change:
    values = {"field_email": email_of(number), "field_city": "Paris"}
    return Change(number, str(number), Operation.CREATE, None, values, frozenset(values), Identity(email_of(number)))


def update(number: int) -> Change:
    values = {"field_email": email_of(number), "field_city": "Paris"}
    return Change(
        number,
        str(number),
        Operation.UPDATE,
        f"u{number}",
        values,
        frozenset({"field_city"}),
        Identity(email_of(number)),
    )


def creates(count: int) -> list[Change]:
    return [create(number) for number in range(1, count + 1)]


def sender_for(
    api: httpx.AsyncBaseTransport, account: AccountSettings = QUICK, limiter: RateLimiter | None = None
) -> Sender:
    return Sender(SYNC, replace(account, connect=partial(HttpxConnections, transport=api)), limiter)


def collect_all(sender: Sender) -> list[Result]:
    results: list[Result] = []
    while sender.pending:
        results += sender.collect(5.0)
    return results


def collect_until_fatal(sender: Sender) -> tuple[list[Result], DailyStoryError]:
    results: list[Result] = []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            results += sender.collect(5.0)
        except DailyStoryError as error:
            return results, error
    raise AssertionError("nothing stopped the sender")


def number_of(request: httpx.Request) -> int:
    text = request.content.decode() or request.url.query.decode()
    return int(text.split("person")[1].split("@")[0].split("%40")[0])


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)
