"""How the rate of requests follows what DailyStory accepts; the same rules for one process and for several."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

_INITIAL_RATE = 2.0
"""Requests per second at the start, where no rate is configured."""


_MIN_RATE = 0.5
"""Refusals do not lower the rate below this number of requests per second."""


_CUT_FACTOR = 0.8
"""One refusal lowers the rate by a fifth at most."""


_GOODPUT_SHARE = 0.95
"""A refusal lowers the rate to this share of the requests that were accepted in the last second."""


_SECONDS_BETWEEN_CUTS = 0.3
"""Refusals within this time count as one: they are responses to requests that were already under way."""


DEFAULT_PAUSE_SECONDS = 0.5
"""Pause after refusals that name no wait."""


_KEEP_RATE_BELOW, _PAUSE_FROM = 0.1, 0.2
"""Shares of requests refused without a wait: below the first the rate is kept, from the second all requests pause."""


_STEP_SECONDS = 1.0
"""The rate rises at most once in this time."""


_RECOVERY_SHARE = 0.02
"""Step of a configured rate on its way back, as a share of that rate."""


_PROBE_SHARE = 0.015
"""Step of an adaptive rate above what the service accepted, as a share of the current rate."""


CONFIRMED_SECONDS = 60.0
"""How long a configured rate binds runs with a higher one, after a run with it last asked for permits."""


_CONFIRM_SECONDS = CONFIRMED_SECONDS / 3
"""Time after which a run confirms the configured rate again."""


_OUTDATED_SECONDS = 600.0
"""So long after its last use, a rate that was found by trying is found anew: it may be that of a bad day."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A rate, and what made it so. All times are of one clock, in seconds; None for never.

    A configured rate is a ceiling. A refusal lowers the rate, and it recovers in steps. A few refusals that name no
    wait change nothing, because they occur at any rate. Without a configured rate, sending starts at 2 requests per
    second and doubles every second until the first refusal; from then on the rate follows what the service accepts.

    Attributes:
        requests_per_second: The current rate.
        ceiling: The configured rate; None to find it by trying.
        is_ramping: Nothing was refused yet, so that a rate which is found by trying doubles.
        paused_until: No request leaves before.
        lowered_at: When a refusal last lowered the rate.
        stepped_at: When the rate last rose, or might have.
        confirmed_at: When a run with this ceiling last confirmed it, where several runs share the rate.
    """

    requests_per_second: float
    ceiling: float | None
    is_ramping: bool = False
    paused_until: float = -math.inf
    lowered_at: float | None = None
    stepped_at: float | None = None
    confirmed_at: float | None = None

    @classmethod
    def first(cls, configured: float | None) -> Pace:
        """The pace before the first request."""
        if configured is None:
            return cls(_INITIAL_RATE, None, is_ramping=True)
        return cls(float(configured), float(configured))

    @property
    def is_adaptive(self) -> bool:
        """Whether the rate is found by trying."""
        return self.ceiling is None

    def refused(self, now: float, wait_seconds: float | None, sent: float, refused: float) -> Pace:
        """The pace after a refusal: all requests pause, and the rate is lowered at most once in 0.3 s.

        Args:
            now: The time.
            wait_seconds: The wait that the service named; None pauses for half a second, or not at all if few
                requests are refused.
            sent: Requests of the last second, with the refused ones.
            refused: Those of them that were refused.
        """
        share = 1.0 if wait_seconds or self.is_adaptive else refused / max(sent, 1)
        pace = self
        if share >= _PAUSE_FROM:
            pause = DEFAULT_PAUSE_SECONDS if wait_seconds is None else wait_seconds
            pace = replace(self, paused_until=max(self.paused_until, now + pause))
        rate, is_cut = self.requests_per_second, _is_within(self.lowered_at, now, _SECONDS_BETWEEN_CUTS)
        if share < _KEEP_RATE_BELOW or rate == math.inf or is_cut:
            return pace
        goodput = _GOODPUT_SHARE * (sent - 1)  # the refused request is one of them
        lowest = _MIN_RATE if self.ceiling is None else min(_MIN_RATE, self.ceiling)
        lowered = max(lowest, min(rate, max(rate * _CUT_FACTOR, goodput)))
        return replace(pace, requests_per_second=lowered, is_ramping=False, lowered_at=now, stepped_at=now)

    def raised(self, now: float, sent: float) -> Pace:
        """The pace after a request: one step up each second; an adaptive rate rises if at least half of it is used.

        Args:
            now: The time.
            sent: Requests of the last second.
        """
        if self.stepped_at is None:
            return replace(self, stepped_at=now)
        rate = self.requests_per_second
        if _is_within(self.stepped_at, now, _STEP_SECONDS) or (self.ceiling is not None and rate >= self.ceiling):
            return self
        if self.ceiling is not None:
            rate = min(self.ceiling, rate + self.ceiling * _RECOVERY_SHARE)
        elif sent >= rate / 2:
            rate *= 2 if self.is_ramping else 1 + _PROBE_SHARE
        return replace(self, requests_per_second=rate, stepped_at=now)

    def agreed(self, now: float, configured: float | None) -> Pace:
        """The pace when a run asks for permits whose own rate may be another one.

        The lowest rate that a running sync is configured with binds all; a run without a rate keeps to that of others.
        A run is taken for running until a minute after it last asked. A rate that was found is kept for ten minutes.

        Args:
            now: The time.
            configured: The rate of the run that asks; None to find it by trying.
        """
        is_bound = self.ceiling is not None and _is_within(self.confirmed_at, now, CONFIRMED_SECONDS)
        if configured is None and self.ceiling is None:
            is_outdated = self.stepped_at is not None and now - self.stepped_at > _OUTDATED_SECONDS
            return replace(Pace.first(None), paused_until=self.paused_until) if is_outdated else self
        if configured == self.ceiling:
            return self if _is_within(self.confirmed_at, now, _CONFIRM_SECONDS) else replace(self, confirmed_at=now)
        if configured is None:
            return self if is_bound else replace(self, ceiling=None, is_ramping=False, confirmed_at=None)
        if is_bound and self.ceiling is not None and configured > self.ceiling:
            return self
        is_lower = self.ceiling is not None and configured < self.ceiling
        rate = min(self.requests_per_second, configured) if is_lower else configured
        return replace(self, requests_per_second=rate, ceiling=configured, is_ramping=False, confirmed_at=now)


def _is_within(since: float | None, now: float, seconds: float) -> bool:
    """Whether less time has passed; not if the clock went back, or the time would count until it catches up."""
    return since is not None and 0 <= now - since < seconds
