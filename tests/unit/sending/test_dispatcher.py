"""The dispatcher with the rate limiter, without a sender around it."""

from __future__ import annotations

import asyncio
import math
from typing import NoReturn

import pytest
from support.fake_api import account_of

from dagster_dailystory.api.rate.limiter import RateLimiter
from dagster_dailystory.engine.sending.dispatcher import Dispatcher, StoppedError
from dagster_dailystory.engine.sending.slots import Attempts


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
