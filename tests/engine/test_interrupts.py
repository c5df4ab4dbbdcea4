"""While many rows pass by the collector has less to look at and threads change more often, and only for as long."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

import pytest
from support.scenario import customers, open_scenario

from dagster_dailystory.engine.interrupts import settled_heap, short_turns


def is_settled() -> bool:
    """CPython 3.12 itself freezes 375 objects before the first line runs."""
    return gc.get_freeze_count() > 10_000


def test_the_collector_gets_everything_back_after_an_error():
    with pytest.raises(ValueError, match="a row"), settled_heap():
        raise ValueError("a row")
    assert not is_settled()


def test_who_settled_it_first_unsettles_it():
    with settled_heap():
        with settled_heap():
            pass
        assert is_settled()
    assert not is_settled()


def test_the_heap_is_settled_while_changes_are_sent(new_database: Callable[[str], str]):
    """A walk through all of a Dagster process lasts a tenth of a second, in which no request leaves."""
    settled: list[bool] = []
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(2))
        scenario.sandbox.configure(refuse_if=lambda body: settled.append(is_settled()))
        scenario.run()
    assert settled == [True, True]
    assert not is_settled()


def test_turns_are_as_long_as_before_after_an_error():
    before = sys.getswitchinterval()
    with pytest.raises(ValueError, match="a row"), short_turns():
        raise ValueError("a row")
    assert sys.getswitchinterval() == before


def test_whoever_has_set_even_shorter_turns_keeps_them():
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    try:
        with short_turns():
            assert sys.getswitchinterval() == pytest.approx(0.0001)
        assert sys.getswitchinterval() == pytest.approx(0.0001)
    finally:
        sys.setswitchinterval(before)


def test_turns_are_short_while_changes_are_sent(new_database: Callable[[str], str]):
    """Else an answer waits up to five milliseconds for the thread that keeps the state."""
    before, seen = sys.getswitchinterval(), set[bool]()
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(2))
        scenario.sandbox.configure(refuse_if=lambda body: seen.add(sys.getswitchinterval() < before))
        scenario.run()
    assert seen == {True}
    assert sys.getswitchinterval() == before
