"""The heap is frozen and the switch interval is short while rows are read and sent, and only then."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

import pytest
from support.scenario import customers, open_scenario

from dagster_dailystory.engine.interrupts import frozen_heap, short_switch_interval


def is_frozen() -> bool:
    """CPython 3.12 itself freezes 375 objects at its start."""
    return gc.get_freeze_count() > 10_000


def test_the_heap_is_unfrozen_after_an_error():
    with pytest.raises(ValueError, match="a row"), frozen_heap():
        raise ValueError("a row")
    assert not is_frozen()


def test_only_the_outer_context_unfreezes_the_heap():
    with frozen_heap():
        with frozen_heap():
            pass
        assert is_frozen()
    assert not is_frozen()


def test_the_heap_is_frozen_while_changes_are_sent(new_database: Callable[[str], str]):
    """A full collection in a Dagster process takes 0.1 s, in which no request is sent."""
    frozen: list[bool] = []
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(2))
        scenario.sandbox.configure(refuse_if=lambda body: frozen.append(is_frozen()))
        scenario.run()
    assert frozen == [True, True]
    assert not is_frozen()


def test_the_switch_interval_is_restored_after_an_error():
    before = sys.getswitchinterval()
    with pytest.raises(ValueError, match="a row"), short_switch_interval():
        raise ValueError("a row")
    assert sys.getswitchinterval() == before


def test_a_shorter_switch_interval_is_kept():
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    try:
        with short_switch_interval():
            assert sys.getswitchinterval() == pytest.approx(0.0001)
        assert sys.getswitchinterval() == pytest.approx(0.0001)
    finally:
        sys.setswitchinterval(before)


def test_the_switch_interval_is_short_while_changes_are_sent(new_database: Callable[[str], str]):
    """Otherwise a response waits up to 5 ms for the thread that writes the state."""
    before, seen = sys.getswitchinterval(), set[bool]()
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(2))
        scenario.sandbox.configure(refuse_if=lambda body: seen.add(sys.getswitchinterval() < before))
        scenario.run()
    assert seen == {True}
    assert sys.getswitchinterval() == before
