"""The circuit breaker: a refusal that hits every row alike says something about the service, not about the rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dagster_dailystory.model.change import Operation, Outcome, Reason, Result

_UNDECIDED = frozenset({Outcome.FAILED, Outcome.IN_DOUBT})
"""Outcomes that say nothing about whether the service accepts rows."""


@dataclass(slots=True)
class _Streak:
    message: str = ""
    rows: int = 0
    held: list[Result] = field(default_factory=list)


class CircuitBreaker:
    """Holds the refusals of a streak back until it is known what they mean.

    A full licence refuses creates and still takes updates, so each operation has a streak of its own.

    Args:
        threshold: So many refusals in a row with one same message are a fault of the service.
    """

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self._streaks = {operation: _Streak() for operation in Operation}
        self._verdict: str | None = None

    @property
    def verdict(self) -> str | None:
        """What the service says to all rows, once the breaker has tripped."""
        return self._verdict

    @property
    def held(self) -> int:
        """Refusals held back."""
        return sum(len(streak.held) for streak in self._streaks.values())

    def judge(self, operation: Operation, answer: Result) -> list[Result]:
        """Take an answer in.

        Returns:
            The answers that may be handed out now: a tripped streak as `failed`, so that its rows stay differences.
        """
        if answer.outcome in _UNDECIDED:
            return [answer]
        streak = self._streaks[operation]
        if answer.reason is not Reason.REFUSED:
            self._streaks[operation] = _Streak()
            return [*streak.held, answer]
        ready: list[Result] = []
        if answer.message != streak.message:
            ready = streak.held
            streak = self._streaks[operation] = _Streak(answer.message)
        streak.rows += 1
        streak.held.append(answer)
        if streak.rows >= self._threshold:
            self._verdict = streak.message
            ready += [replace(held, outcome=Outcome.FAILED, reason=None) for held in streak.held]
            streak.held = []
        return ready

    def release(self) -> list[Result]:
        """Hand out all that is held, as the refusals they are. The streaks go on."""
        released: list[Result] = []
        for streak in self._streaks.values():
            released += streak.held
            streak.held = []
        return released
