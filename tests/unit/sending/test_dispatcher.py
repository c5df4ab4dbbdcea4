"""The dispatcher with the rate limiter, without a sender around it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NoReturn

import httpx
import pytest
from support.fake_api import SYNC, account_of, collect_all, create, update

from dagster_dailystory.api.connections import Connections, MayWrite
from dagster_dailystory.api.rate.limiter import RateLimiter
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import HttpxConnections
from dagster_dailystory.engine.sending.dispatcher import Dispatcher, StoppedError
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.sending.slots import Attempts
from dagster_dailystory.model.change import Change, Operation
from dagster_dailystory.sandbox import Sandbox


async def nothing() -> NoReturn:
    raise AssertionError("this request must not be sent")


def test_after_a_stop_no_request_waits_for_the_end_of_a_pause():
    async def scenario() -> None:
        limiter = RateLimiter(math.inf)
        limiter.throttled(retry_after_seconds=120.0)
        ignore = lambda *_: None  # noqa: E731
        dispatcher = Dispatcher(account_of(), limiter, nothing, ignore, ignore, ignore)
        dispatcher.stop()
        await asyncio.wait_for(dispatcher.send(Attempts(), nothing), 1.0)

    with pytest.raises(StoppedError):
        asyncio.run(scenario())


@pytest.mark.parametrize("connect", [None, partial(HttpxConnections, transport=httpx.AsyncHTTPTransport())])
@pytest.mark.parametrize("change", [create(1), replace(update(1), operation=Operation.DELETE)])
def test_what_was_allowed_before_its_connection_was_made_is_held_back(
    change: Change, connect: Callable[[AccountSettings, MayWrite], Connections] | None
) -> None:
    answers = iter([True, False, False, False])  # before its turn, and when the connection is made
    with Sandbox() as sandbox:
        sender = Sender(SYNC, AccountSettings(sandbox.base_url, sandbox.token, math.inf, connect=connect))
        sent: list[int] = []

        def may_send() -> bool:
            sent.append(sandbox.counts.posts + sandbox.counts.deletes)
            return next(answers, True)

        sender.start(may_send)
        sender.submit([change])
        (result,) = collect_all(sender)
        counts = sandbox.counts
        sender.stop()
    assert len(sent) > 4
    assert set(sent) == {0}
    assert (counts.posts + counts.deletes, result.attempts, sender.counts.api_requests) == (1, 1, 1)
    assert sender.counts.api_retries == 0
