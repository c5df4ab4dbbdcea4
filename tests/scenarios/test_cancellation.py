"""Ctrl-C and Dagster's interrupt while a plan is sent: the run ends in three seconds and loses nothing."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
import sqlalchemy as sa
from support.faults import interrupted_when

from dagster_dailystory.functions import run_contact_sync
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Sandbox

ROWS = 300
SYNC = ContactSync(name="customers", source="people", key="id", fields={"email": "email", "city": "city"})


class ExecutionInterrupted(BaseException):
    """Stands for Dagster's, which is a BaseException too."""


@pytest.fixture
def url(warehouse_url: str) -> str:
    rows = ", ".join(f"({number}, 'person{number}@example.com', 'Paris')" for number in range(ROWS))
    query(
        warehouse_url,
        "CREATE TABLE people (id INTEGER, email VARCHAR(99), city VARCHAR(99))",
        f"INSERT INTO people VALUES {rows}",
    )
    return warehouse_url


def query(url: str, *statements: str) -> list[sa.Row[tuple[object, ...]]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement)
        return list(result) if result.returns_rows else []


def run(url: str, sandbox: Sandbox) -> SyncReport:
    return run_contact_sync(
        SYNC,
        warehouse_url=url,
        base_url=sandbox.base_url,
        api_token=sandbox.token,
        requests_per_second=math.inf,
        max_concurrency=8,
    )


@contextmanager
def dagster_like_handler() -> Iterator[None]:
    """Raise in the main thread at SIGTERM, as Dagster does while it executes a step."""

    def raise_interrupt(_number: int, _frame: FrameType | None) -> None:
        raise ExecutionInterrupted

    before = signal.signal(signal.SIGTERM, raise_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, ExecutionInterrupted)]
)
@pytest.mark.parametrize("latency_seconds", [0.05, 20.0])
def test_an_interrupt_ends_a_send_in_three_seconds_and_loses_nothing(
    url: str, sandbox: Sandbox, number: signal.Signals, raised: type[BaseException], latency_seconds: float
) -> None:
    sandbox.configure(latency_seconds=latency_seconds, duplicates_allowed=True)
    enough = 60 if latency_seconds < 1 else 1
    if latency_seconds > 1:
        respond_to_the_first_request(sandbox)
    with dagster_like_handler(), interrupted_when(lambda: sandbox.counts.requests >= enough, number) as sent_at:
        with pytest.raises(raised):
            run(url, sandbox)
        ended_at = time.monotonic()
    assert ended_at - sent_at[0] < 3
    assert not [thread for thread in threading.enumerate() if thread.name == "dailystory-customers"]
    check_what_is_known(url, sandbox)

    sandbox.configure(latency_seconds=0.0)
    assert run(url, sandbox).outcome == "done"
    assert set(sandbox.creates_by_identity().values()) == {1}
    assert len(sandbox.contacts()) == ROWS


def respond_to_the_first_request(sandbox: Sandbox) -> None:
    """Respond to the first request at once: it goes alone, until its response shows that the token is accepted."""
    slow = sandbox.settings
    sandbox.configure(latency_seconds=0.0)

    def slow_down() -> None:
        while sandbox.counts.requests == 0:
            time.sleep(0.001)
        sandbox.configure(slow)

    threading.Thread(target=slow_down, daemon=True).start()


def check_what_is_known(url: str, sandbox: Sandbox) -> None:
    """Each contact that was created is mapped or in doubt: its result was acknowledged, or its intent is there."""
    mapped = {str(row[0]) for row in query(url, "SELECT dsid FROM dailystory_customers_contact_map")}
    doubtful = {row[0] for row in query(url, "SELECT email_as_sent FROM dailystory_customers_intents")}
    for contact in sandbox.contacts():
        assert contact["dsId"] in mapped or contact["email"] in doubtful
    acknowledged = query(url, "SELECT COUNT(*) FROM dailystory_customers_changes WHERE outcome = 'created'")
    assert acknowledged[0][0] == len(mapped)


def test_an_interrupt_between_requests_loses_no_result(url: str, sandbox: Sandbox) -> None:
    enough = ROWS // 2
    sandbox.configure(latency_seconds=0.01)
    with interrupted_when(lambda: sandbox.counts.creates >= enough, signal.SIGINT), pytest.raises(KeyboardInterrupt):
        run(url, sandbox)
    made = len(sandbox.contacts())
    mapped = query(url, "SELECT COUNT(*) FROM dailystory_customers_contact_map")[0][0]
    assert mapped == made >= enough
    posts = sandbox.counts.posts
    assert run(url, sandbox).rows_created == ROWS - made
    assert sandbox.counts.posts == posts + ROWS - made


def test_the_lease_is_free_after_an_interrupt(url: str, sandbox: Sandbox) -> None:
    sandbox.configure(latency_seconds=0.05)
    with interrupted_when(lambda: sandbox.counts.posts >= 9, signal.SIGINT), pytest.raises(KeyboardInterrupt):
        run(url, sandbox)
    assert query(url, "SELECT holder FROM dailystory_meta WHERE name = 'lock:customers'") == [(None,)]
