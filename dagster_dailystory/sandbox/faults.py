"""The sandbox's simulated failures: random faults with a seed, scripted faults, and a rate limit."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from enum import Enum

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.settings import choice


class Fault(str, Enum):
    """How a request can fail (U1, U2, U20). Each fault says whether the write is stored."""

    THROTTLED = "throttled"
    """429 with the configured Retry-After; not stored."""
    SERVER_ERROR = "server_error"
    """500 with an envelope; not stored."""
    SERVER_ERROR_AFTER = "server_error_after"
    """500 with an envelope; stored."""
    HTML_502 = "html_502"
    """502 with a proxy's HTML page; not stored."""
    HTML_503 = "html_503"
    """503 with a maintenance page and the configured Retry-After; not stored."""
    EMPTY_BODY = "empty_body"
    """200 without a body; stored."""
    REFUSED = "refused"
    """400 with an envelope, POST only; not stored."""
    REFUSED_WITH_200 = "refused_with_200"
    """200 with `Status: false`, POST only; not stored."""
    CUT_BEFORE = "cut_before"
    """The connection is closed without a response; not stored."""
    CUT_AFTER = "cut_after"
    """The connection is closed without a response; stored."""
    SLOW = "slow"
    """Stored at once, with a response after `slow_seconds`."""


_REFUSALS = frozenset({Fault.REFUSED, Fault.REFUSED_WITH_200})


Step = Fault | str | int | None
"""One step of a script: a fault or its name, an HTTP status (error envelope, not stored), or None for no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultShares:
    """Shares of contact requests that fail at random: each from 0 to 1, with a sum of at most 1.

    The attributes are the members of `Fault`.
    """

    throttled: float = 0.0
    server_error: float = 0.0
    server_error_after: float = 0.0
    html_502: float = 0.0
    html_503: float = 0.0
    empty_body: float = 0.0
    refused: float = 0.0
    refused_with_200: float = 0.0
    cut_before: float = 0.0
    cut_after: float = 0.0
    slow: float = 0.0
    _bounds: tuple[tuple[float, Fault], ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        bounds: list[tuple[float, Fault]] = []
        total = 0.0
        for fault in Fault:
            share: float = getattr(self, fault.value)
            if not 0 <= share <= 1:
                raise ConfigurationError(f"fault {fault.value}={share!r} must be a share between 0 and 1")
            if share:
                total += share
                bounds.append((total, fault))
        if total > 1 + 1e-9:
            raise ConfigurationError(f"the fault shares add up to {total:g}; the sum must be at most 1")
        object.__setattr__(self, "_bounds", tuple(bounds))

    def draw(self, generator: random.Random) -> Fault | None:
        """Draw the fault of one request, or None."""
        if not self._bounds:
            return None
        drawn = generator.random()
        return next((fault for bound, fault in self._bounds if drawn < bound), None)


FAULT_NAMES = tuple(item.name for item in fields(FaultShares) if item.init)
"""The fault names that `FaultShares` and the command line accept."""


class FaultPlan:
    """Decides which requests fail: first by script, then at random (repeatable with the same seed)."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._scripts: dict[str, deque[Fault | int | None]] = {}

    def script(self, steps: Iterable[Step], method: str) -> None:
        """Queue faults for the next contact requests with this HTTP method."""
        queue = self._scripts.setdefault(method.upper(), deque())
        queue.extend(choice(Fault, step, "script") if isinstance(step, str) else step for step in steps)

    def next_fault(self, method: str, shares: FaultShares) -> Fault | int | None:
        """Return the fault of the current request, or None."""
        if queue := self._scripts.get(method):
            return queue.popleft()
        drawn = shares.draw(self._random)
        return None if drawn in _REFUSALS and method != "POST" else drawn


class RateLimit(str, Enum):
    """How the service counts requests (U1)."""

    TOKEN_BUCKET = "token_bucket"
    FIXED_WINDOW = "fixed_window"


class RateLimiter:
    """Counts requests and returns how long a refused one should wait."""

    def __init__(self) -> None:
        self._tokens = float("inf")
        self._refilled_at = 0.0
        self._window_start = float("-inf")
        self._window_used = 0

    def wait_seconds(self, kind: RateLimit, requests_per_second: float, window_seconds: float, now: float) -> float:
        """Count one request.

        Args:
            kind: How requests are counted.
            requests_per_second: The permitted rate.
            window_seconds: Length of a window, or of the unused rate that a bucket keeps.
            now: Monotonic time.

        Returns:
            0 if the request is accepted, else the seconds until the next one would be.
        """
        capacity = max(1.0, requests_per_second * window_seconds)
        if kind is RateLimit.FIXED_WINDOW:
            return self._fixed_window(capacity, window_seconds, now)
        refill = (now - self._refilled_at) * requests_per_second
        self._tokens = min(capacity, self._tokens + refill)
        self._refilled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / requests_per_second

    def _fixed_window(self, capacity: float, window_seconds: float, now: float) -> float:
        if now - self._window_start >= window_seconds:
            self._window_start, self._window_used = now, 0
        if self._window_used + 1 <= capacity:
            self._window_used += 1
            return 0.0
        return self._window_start + window_seconds - now
