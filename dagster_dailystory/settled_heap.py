"""The garbage collector, kept off what is there already while many rows pass by."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OF_PYTHON_ITSELF = 1_000
"""CPython 3.12 starts with a few hundred objects frozen; whoever freezes a heap freezes tens of thousands."""


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
