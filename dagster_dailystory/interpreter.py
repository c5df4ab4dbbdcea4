"""The interpreter while many rows pass by: what its garbage collector looks at, and how long a thread's turn is."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
