"""Calls that may block, made one after another in a daemon thread: one that never returns keeps no process alive."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


class Calls:
    """The calls of one thread, which starts with the first of them.

    Args:
        name: The name of the thread.
        on_end: Called in the thread when it ends.

    Attributes:
        is_over: No further call is made.
    """

    def __init__(self, name: str, on_end: Callable[[], None]) -> None:
        self.is_over = False
        self._name = name
        self._on_end = on_end
        self._thread: threading.Thread | None = None
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def add(self, call: Callable[[], _T]) -> Future[_T]:
        """Queue a call; its future is cancelled if calls are over."""
        future: Future[_T] = Future()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._calls.put(lambda: self._make(call, future))
        if self.is_over:
            future.cancel()
        return future

    def end(self) -> None:
        """End the thread after the call that it makes, without waiting for it."""
        self.is_over = True
        self._calls.put(None)

    def _make(self, call: Callable[[], _T], future: Future[_T]) -> None:
        if self.is_over:
            future.cancel()
        elif future.set_running_or_notify_cancel():
            try:
                result = call()
            except BaseException as error:  # the caller's matter, as the result is
                future.set_exception(error)
            else:
                future.set_result(result)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
        self._on_end()
