"""The circuit breaker: many rows refused with the same message are a fault of the service, not of the rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dagster_dailystory.model.change import Operation, Outcome, Reason, Result

_UNDECIDED = frozenset({Outcome.FAILED, Outcome.IN_DOUBT})
"""Outcomes that do not show whether DailyStory accepts rows."""


@dataclass(slots=True)
class _Streak:
    message: str = ""
    rows: int = 0
    held: list[Result] = field(default_factory=list)


class CircuitBreaker:
    """Holds the refusals of a streak back until the streak ends, or is long enough to trip the breaker.

    Each operation has a streak of its own: a full licence refuses creates and still accepts updates.

    Args:
        threshold: Number of consecutive refusals with the same message that trips the breaker.
    """

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self._streaks = {operation: _Streak() for operation in Operation}
        self._tripped_by: str | None = None

    @property
    def tripped_by(self) -> str | None:
        """The message of the streak that tripped the breaker, None before."""
        return self._tripped_by

    @property
    def held(self) -> int:
        """Refusals held back."""
        return sum(len(streak.held) for streak in self._streaks.values())

    def add(self, operation: Operation, result: Result) -> list[Result]:
        """Take in the next result.

        Returns:
            The results that may be handed out now; a streak that trips the breaker as `failed`, so that its rows still
            differ for the next run.
        """
        if result.outcome in _UNDECIDED:
            return [result]
        streak = self._streaks[operation]
        if result.reason is not Reason.REFUSED:
            self._streaks[operation] = _Streak()
            return [*streak.held, result]
        ready: list[Result] = []
        if result.message != streak.message:
            ready = streak.held
            streak = self._streaks[operation] = _Streak(result.message)
        streak.rows += 1
        streak.held.append(result)
        if streak.rows >= self._threshold:
            self._tripped_by = streak.message
            ready += [replace(held, outcome=Outcome.FAILED, reason=None) for held in streak.held]
            streak.held = []
        return ready

    def release(self) -> list[Result]:
        """Hand out all held refusals as such. The streaks go on."""
        released: list[Result] = []
        for streak in self._streaks.values():
            released += streak.held
            streak.held = []
        return released
