"""What goes wrong on purpose: a crash, an interrupt, a service that answers some requests with 500."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from support.scenario import Scenario

from dagster_dailystory.api.connections import Connections, HttpResponse
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import AiohttpConnections
from dagster_dailystory.model.sync import ContactSync

LetsThrough = Callable[[str, str, bytes | None], bool]
"""Method, URL and body of a request -> whether it reaches the service."""


class Crash(BaseException):
    """Stands for the end of the process, as far as a thread can imitate it."""


@contextmanager
def crash_at(statement_number: int, is_counted: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """From the n-th counted statement on, let no statement and no commit of this process through."""
    left = [statement_number]

    def count(*_event: Any) -> None:
        left[0] -= left[0] > 0 and is_counted()
        if left[0] <= 0:
            raise Crash

    def commit(*_event: Any) -> None:
        if left[0] <= 0:
            raise Crash

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    sa.event.listen(sa.Engine, "commit", commit)
    try:
        yield
    except Crash:
        pass
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)
        sa.event.remove(sa.Engine, "commit", commit)


def crash_after_a_write(scenario: Scenario, sync: ContactSync | None = None) -> None:
    """Run until DailyStory has stored a write, and crash before its result is known here."""
    posts = scenario.sandbox.counts.posts
    with crash_at(1, lambda: scenario.sandbox.counts.posts > posts):
        scenario.run(sync)
    assert scenario.sandbox.counts.posts > posts
    scenario.execute_state("UPDATE dailystory_meta SET holder = NULL")  # this process goes on
    scenario.sent()


@contextmanager
def interrupted_when(condition: Callable[[], bool], number: signal.Signals) -> Iterator[list[float]]:
    """Send this process a signal as soon as the condition holds; yields a list that gets the time of sending."""
    sent_at: list[float] = []
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.002):
            if condition():
                sent_at.append(time.monotonic())
                signal.pthread_kill(threading.main_thread().ident or 0, number)
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield sent_at
    finally:
        is_over.set()
        watcher.join()


@dataclass
class FlakyConnections:
    """Lets some requests through and answers the others with one status."""

    inner: Connections
    lets_through: LetsThrough
    status: int = 500

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        if not self.lets_through(method, url, content):
            return HttpResponse(self.status, {}, b'{"Status": false}')
        return await self.inner.exchange(method, url, content)

    async def close(self) -> None:
        await self.inner.close()


def flaky_account(
    scenario: Scenario, lets_through: LetsThrough = lambda _method, _url, _content: True, status: int = 500
) -> AccountSettings:
    """An account that gives a row up after two attempts, without a wait between them."""
    return replace(
        scenario.account,
        max_attempts=2,
        first_wait_seconds=0.001,
        connect=lambda *seams: FlakyConnections(AiohttpConnections(*seams), lets_through, status),
    )
