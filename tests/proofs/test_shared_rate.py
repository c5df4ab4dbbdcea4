"""Four processes share the rate of one account; `python -m benchmarks.shared_rate` measures it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from benchmarks.faults import most_in_a_second
from benchmarks.servers import sandbox
from benchmarks.shared_rate import PERMITTED, Load, Process, loads

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROWS = 400


def test_four_processes_send_at_one_rate_and_a_killed_one_stops_no_other(new_database: Callable[[str], str]):
    url = new_database("postgresql")
    with sandbox(20, PERMITTED) as base_url, loads(url, base_url, ROWS) as running:
        small = Process(Load("small", 5, url, base_url))
        small.wait()
        for each in running:
            each.begin()
        time.sleep(2)
        small.begin()
        of_small = small.sent()
        killed, *others = running
        killed.process.kill()
        sent = [each.sent() for each in others]
    instants = sorted(instant for each in sent for instant in each.instants)
    assert [each.created for each in sent] == [ROWS] * 3
    assert sum(each.throttled for each in (*sent, of_small)) == 0
    assert most_in_a_second(instants) <= 1.1 * PERMITTED
    assert of_small.created == 5
    assert of_small.seconds < 30
    assert {each.limit for each in sent} == {"100 requests a second, shared by all syncs of this state"}
