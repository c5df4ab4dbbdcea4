"""Interrupts of the main thread, turned into a flag while a plan is sent.

Ctrl-C and Dagster's cancellation raise in the main thread at any bytecode: within a database driver, or between taking
answers and noting them. Held back, they end a run where nothing is half done.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

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
