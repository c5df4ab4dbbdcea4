"""Interpreter settings while rows are read and sent: held interrupts, a frozen heap.

Ctrl-C, the cancellation of an orchestrator and its time limit raise in the main thread at any bytecode: within a
database driver, or between collecting results and keeping them.
Held interrupts end a run only where no step is half done.
"""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_FROZEN_AT_START = 1_000
"""More frozen objects than this mean that the heap was frozen before; CPython 3.12 itself starts with 375."""


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


_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM") if hasattr(signal, name))
"""Airflow's time limit of a task is the alarm, which Windows does not have."""


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
