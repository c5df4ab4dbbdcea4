"""What became of the changes of a plan in one send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dagster_dailystory.engine.sending.dispatcher import SenderCounts
from dagster_dailystory.errors import DailyStoryError
from dagster_dailystory.model.change import Change, Outcome, Result
from dagster_dailystory.model.runs.canary import CanaryReport
from dagster_dailystory.model.runs.report import SentOptOuts


def is_match(change: Change | None, result: Result) -> bool:
    """Whether a new row got a contact that existed already, as a look-up showed."""
    return change is not None and change.dsid is None and result.outcome in (Outcome.UPDATED, Outcome.MAPPED)


@dataclass(frozen=True)
class SentPlan:
    """What became of a plan's changes.

    Attributes:
        outcomes: Outcome -> changes.
        counts: The requests.
        rows_open: Changes without a result.
        opt_outs: What became of the opt-outs.
        error: The error that stopped the send, None if it was completed.
        canary: What the canary of the plan found; None without one.
        rows_matched: New rows whose contact existed already, as a look-up showed.
    """

    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    counts: SenderCounts = field(default_factory=SenderCounts)
    rows_open: int = 0
    opt_outs: SentOptOuts = field(default_factory=SentOptOuts)
    error: DailyStoryError | None = None
    canary: CanaryReport | None = None
    rows_matched: int = 0
