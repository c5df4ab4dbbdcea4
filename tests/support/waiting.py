"""A free port, and waiting for what another process does."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(seen: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Ask again and again, until the answer is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := seen():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")
