"""What can go wrong on the way to the sandbox: seeded random faults, scripted ones, and a rate limit."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from enum import Enum

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import choice


class Fault(str, Enum):
    """One way in which a request fails (U1, U2, U20). Only those named so leave a write behind."""

    THROTTLED = "throttled"
    """429, with the configured Retry-After; not stored."""
    SERVER_ERROR = "server_error"
    """500 with an envelope; not stored."""
    SERVER_ERROR_AFTER = "server_error_after"
    """500 with an envelope although the write is stored."""
    HTML_502 = "html_502"
    """502 with a proxy's HTML page; not stored."""
    HTML_503 = "html_503"
    """503 with a maintenance page and the configured Retry-After; not stored."""
    EMPTY_BODY = "empty_body"
    """200 without a body although the write is stored."""
    REFUSED = "refused"
    """400 with an envelope, POST only; not stored."""
    REFUSED_WITH_200 = "refused_with_200"
    """200 with `Status: false`, POST only; not stored."""
    CUT_BEFORE = "cut_before"
    """The connection breaks and nothing is stored."""
    CUT_AFTER = "cut_after"
    """The connection breaks after the write is stored."""
    SLOW = "slow"
    """The write is stored at once and answered `slow_seconds` later."""


_REFUSALS = frozenset({Fault.REFUSED, Fault.REFUSED_WITH_200})


Step = Fault | str | int | None
"""A scripted answer: a fault or its name, an HTTP status (error envelope, not stored), or None: no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultShares:
    """How often contact requests fail by chance: each a share from 0 to 1, together at most 1.

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
    _ladder: tuple[tuple[float, Fault], ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        ladder: list[tuple[float, Fault]] = []
        total = 0.0
        for fault in Fault:
            share: float = getattr(self, fault.value)
            if not 0 <= share <= 1:
                raise ConfigurationError(f"fault {fault.value}={share!r} must be a share between 0 and 1")
            if share:
                total += share
                ladder.append((total, fault))
        if total > 1 + 1e-9:
            raise ConfigurationError(f"the fault shares add up to {total:g}; at most 1 is possible")
        object.__setattr__(self, "_ladder", tuple(ladder))

    def draw(self, chance: random.Random) -> Fault | None:
        """Choose the fault of one request."""
        if not self._ladder:
            return None
        drawn = chance.random()
        return next((fault for bound, fault in self._ladder if drawn < bound), None)


FAULT_NAMES = tuple(item.name for item in fields(FaultShares) if item.init)
"""The names that `FaultShares` and the command line accept."""


class FaultPlan:
    """Decides which requests fail: first the script, then chance (the same seed fails the same requests)."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._scripts: dict[str, deque[Fault | int | None]] = {}

    def script(self, steps: Iterable[Step], method: str) -> None:
        """Queue the answers of the next contact requests with this HTTP method."""
        queue = self._scripts.setdefault(method.upper(), deque())
        queue.extend(choice(Fault, step, "script") if isinstance(step, str) else step for step in steps)

    def next_fault(self, method: str, shares: FaultShares) -> Fault | int | None:
        """Take the fault of the request that is being answered."""
        if queue := self._scripts.get(method):
            return queue.popleft()
        drawn = shares.draw(self._chance)
        return None if drawn in _REFUSALS and method != "POST" else drawn


class RateLimit(str, Enum):
    """How the service counts requests (U1)."""

    TOKEN_BUCKET = "token_bucket"
    FIXED_WINDOW = "fixed_window"


class RateLimiter:
    """Counts requests by monotonic time and says how long a refused one should wait."""

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
            window_seconds: Length of a window, or how many seconds of unused rate a bucket holds.
            now: Monotonic time.

        Returns:
            0 where the request passes, else the seconds after which one would.
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
