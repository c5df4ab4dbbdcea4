"""Interpreter settings while rows are read and sent: held interrupts, a frozen heap, a short switch interval.

Ctrl-C and Dagster's cancellation raise in the main thread at any bytecode: within a database driver, or between
collecting results and keeping them. Held interrupts end a run only where no step is half done.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_FROZEN_AT_START = 1_000
"""More frozen objects than this mean that the heap was frozen before; CPython 3.12 itself starts with 375."""


_SWITCH_SECONDS = 0.0005
"""GIL switch interval while sending: with CPython's 5 ms, slots were empty for 5 % of the time."""


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Exclude all existing objects from garbage collection, until the end of the context.

    Batches of rows trigger dozens of full collections per million rows. Each walks all objects of Dagster and
    SQLAlchemy for 0.1 s, in which no request is sent; together they took 40 % of the time of reading keys and hashes.
    Rows hold no cycles, so they are freed without it.
    """
    if gc.get_freeze_count() > _FROZEN_AT_START:  # an outer context froze it, and will unfreeze it
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def short_switch_interval() -> Iterator[None]:
    """Lower the GIL switch interval, until the end of the context.

    The sender's thread needs the interpreter only briefly for each response, but the thread that writes the state is
    busy for 0.1 s at a time.
    """
    before = sys.getswitchinterval()
    if before <= _SWITCH_SECONDS:
        yield
        return
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts_held() -> Iterator[Callable[[], bool]]:
    """Hold interrupts until the block ends, then raise the first of them again.

    Only signals with a Python handler are held: if SIGTERM ends the process at once, it still does.

    Yields:
        A function that returns whether an interrupt waits; the block should then end soon.
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
