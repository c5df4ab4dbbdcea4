"""Interrupts are held, and the heap is frozen, while rows are read and sent, and only then."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator

import pytest
from support.scenario import customers, open_scenario

from dagster_dailystory.engine.interrupts import frozen_heap, interrupts_held


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    """The tests' own objects are frozen; see `pytest_collection_finish`."""
    gc.unfreeze()
    yield
    gc.freeze()


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
def test_an_interrupt_or_a_time_limit_is_held_until_the_block_ends(number: signal.Signals):
    """Airflow's `execution_timeout` raises from the alarm."""
    seen: list[str] = []
    before = signal.signal(number, lambda *_: seen.append("handled"))
    try:
        with interrupts_held() as is_interrupted:
            signal.raise_signal(number)
            seen.append("held" if is_interrupted() else "missed")
    finally:
        signal.signal(number, before)
    assert seen == ["held", "handled"]
