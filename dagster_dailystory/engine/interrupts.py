"""Interrupts of the main thread, turned into a flag while a plan is sent.

Ctrl-C and Dagster's cancellation raise in the main thread at any bytecode: within a database driver, or between taking
answers and noting them. Held back, they end a run where nothing is half done.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_OF_PYTHON_ITSELF = 1_000
"""CPython 3.12 starts with a few hundred objects frozen; whoever freezes a heap freezes tens of thousands."""


_TURN_SECONDS = 0.0005


@contextmanager
def settled_heap() -> Iterator[None]:
    """Let the collector look at new objects only, until the end of the context.

    Batches of rows make it walk the whole process dozens of times a million rows, Dagster and SQLAlchemy included: two
    fifths of the time of reading keys and hashes, and a tenth of a second each time, in which no request leaves. Rows
    are freed without it.
    """
    if gc.get_freeze_count() > _OF_PYTHON_ITSELF:  # somebody else has settled it, and would not have it unsettled
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def short_turns() -> Iterator[None]:
    """Let a thread that an answer wakes wait half a millisecond for its turn, not five, until the end of the context.

    The sender's thread has next to nothing to do for each answer, and the one that keeps the state is busy for a tenth
    of a second at a time; with a turn of five milliseconds a slot is empty for a twentieth of its time.
    """
    before = sys.getswitchinterval()
    if before <= _TURN_SECONDS:
        yield
        return
    sys.setswitchinterval(_TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts_held() -> Iterator[Callable[[], bool]]:
    """Hold interrupts back until the block ends, then let the first of them do what it would have done.

    Only signals with a handler of Python's are held: where SIGTERM ends the process at once, it still does.

    Yields:
        Says whether an interrupt waits; the block should end soon where one does.
    """
    waiting: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        waiting.append(number)

    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in _SIGNALS if callable(signal.getsignal(number))}
    try:
        for number in handlers:
            signal.signal(number, hold)
        yield lambda: bool(waiting)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if waiting:
            signal.raise_signal(waiting[0])
