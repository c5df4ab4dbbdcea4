"""The circuit breaker: many rows refused with one message are a fault of the service, or of one place in the plan."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from dagster_dailystory.model.change import SENT_OPERATIONS, Change, Operation, Outcome, Reason, Result

PROBES = 5
"""How many rows from elsewhere in the plan are tried before refusals or failures are taken for an outage."""


_UNDECIDED = frozenset({Outcome.FAILED, Outcome.IN_DOUBT})
"""Outcomes that do not show whether DailyStory accepts rows."""


@dataclass(slots=True)
class _Streak:
    message: str = ""
    rows: int = 0
    held: list[Result] = field(default_factory=list)
    has_tripped: bool = False
    probes: set[int] | None = None


class CircuitBreaker:
    """Holds the refusals of a streak back until it is known what they mean.

    A streak that another result ends is a number of rejections. One that is long enough trips the breaker: rows from
    elsewhere in the plan are tried. If one of them is accepted, the streak was about its own rows, which are rejected.
    If none is, DailyStory refuses this operation: its rows fail, so that they still differ, and no other one is sent.

    Each operation has a streak of its own: a full licence refuses creates and still accepts updates.

    Args:
        threshold: Number of consecutive refusals with the same message that trips the breaker.
    """

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self._streaks = {operation: _Streak() for operation in SENT_OPERATIONS}
        self._closed: dict[Operation, str] = {}

    @property
    def closed(self) -> dict[Operation, str]:
        """The operations that DailyStory refuses, with its message."""
        return dict(self._closed)

    @property
    def held(self) -> int:
        """Refusals held back."""
        return sum(len(streak.held) for streak in self._streaks.values())

    @property
    def is_open(self) -> bool:
        """Whether a streak has tripped the breaker and is not explained yet."""
        return any(streak.has_tripped for streak in self._streaks.values())

    @property
    def wanted(self) -> frozenset[Operation]:
        """The operations of which rows from elsewhere are wanted."""
        return frozenset(o for o, streak in self._streaks.items() if streak.has_tripped and streak.probes is None)

    def probe(self, operation: Operation, sequences: Collection[int]) -> list[Result]:
        """Expect the results of these rows from elsewhere; return the streak if there are none."""
        self._streaks[operation].probes = set(sequences)
        return self._close_if_refused(operation)

    def add(self, operation: Operation, result: Result) -> list[Result]:
        """Take in the next result.

        Returns:
            The results that may be handed out now.
        """
        streak = self._streaks[operation]
        if streak.probes is not None:
            streak.probes.discard(result.sequence)
        if result.reason is not Reason.REFUSED:
            return [*self._explained_by(operation, result), result, *self._close_if_refused(operation)]
        if operation in self._closed and result.message == self._closed[operation]:
            return [_undecided(result)]
        ready: list[Result] = []
        if result.message != streak.message:
            if streak.has_tripped:
                return [result, *self._close_if_refused(operation)]
            ready = streak.held
            streak = self._streaks[operation] = _Streak(result.message)
        streak.rows += 1
        streak.held.append(result)
        streak.has_tripped = streak.has_tripped or streak.rows >= self._threshold
        return ready + self._close_if_refused(operation)

    def release(self) -> list[Result]:
        """Hand out all held refusals; those of a streak that has tripped the breaker as failed. The streaks go on."""
        released: list[Result] = []
        for streak in self._streaks.values():
            released += map(_undecided, streak.held) if streak.has_tripped else streak.held
            streak.held = []
        return released

    def _explained_by(self, operation: Operation, result: Result) -> list[Result]:
        """The streak, if the result shows that DailyStory accepts this operation."""
        if result.outcome in _UNDECIDED or result.outcome is Outcome.REJECTED:
            return []
        streak, self._streaks[operation] = self._streaks[operation], _Streak()
        return streak.held

    def _close_if_refused(self, operation: Operation) -> list[Result]:
        """The streak as failed, if none of the rows from elsewhere was accepted."""
        streak = self._streaks[operation]
        if not streak.has_tripped or streak.probes is None or streak.probes:
            return []
        self._closed[operation] = streak.message
        self._streaks[operation] = _Streak()
        return list(map(_undecided, streak.held))


def unsent(change: Change, refusal: str) -> Result:
    """The result of a change that is not sent, because DailyStory refuses its operation whatever the row."""
    message = unsent_message(change.operation, refusal)
    return Result(change.sequence, Outcome.FAILED, datetime.now(timezone.utc), dsid=change.dsid, message=message)


def unsent_message(operation: Operation, refusal: str) -> str:
    """Why a change of an operation that DailyStory refuses was not sent."""
    return f"not sent, because DailyStory refuses every {operation.value} of this run: {refusal}"


def take_spread(inbox: deque[Change], operations: Collection[Operation], count: int) -> list[Change]:
    """Take at most `count` changes of these operations out of the inbox, each at random from another part of it.

    Neighbours with one fault in common are then never the only ones that are taken while most of the inbox is fine.
    """
    places = [place for place, each in enumerate(inbox) if each.operation in operations]
    parts = min(len(places), max(count, 0))
    chosen = [
        random.choice(places[len(places) * part // parts : len(places) * (part + 1) // parts]) for part in range(parts)
    ]
    taken = [inbox[place] for place in chosen]
    for place in reversed(chosen):
        del inbox[place]
    return taken


def _undecided(refusal: Result) -> Result:
    return replace(refusal, outcome=Outcome.FAILED, reason=None)
