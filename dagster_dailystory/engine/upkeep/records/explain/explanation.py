"""The explanation of one key, or of the keys of one contact: what is known, what happened, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from dagster_dailystory.engine.upkeep.records.inspection import NO_VALUE, FieldChange


class NextStep(str, Enum):
    """What the next run does with a key."""

    UNCHANGED = "unchanged"
    """The source gives what DailyStory acknowledged: nothing is sent."""
    SENT = "sent"
    """Its fields differ: the next run sends them."""
    CREATED = "created"
    """It has no contact: the next run creates one, or looks it up."""
    PLANNED = "planned"
    """It is part of a plan that was not sent to its end: one that waits for approval, is blocked or is being sent."""
    REJECTED = "rejected"
    """Its row cannot be sent until it is repaired in the source."""
    HELD = "held"
    """DailyStory refused the row, or its contact was deleted there: it is not sent before it changes."""
    IN_DOUBT = "in_doubt"
    """A create left and has no result: its contact is looked up first."""
    FORGOTTEN = "forgotten"
    """It was forgotten, or has the email or mobile number of a row that was: nothing is ever sent for it."""
    GONE = "gone"
    """The source no longer has it."""
    UNKNOWN = "unknown"
    """Neither the source nor the state has it."""
    NOT_ASKED = "not_asked"
    """The source could not be asked."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a key.

    Attributes:
        at: When (UTC without a zone).
        text: What, without personal data unless it was asked for.
    """

    at: datetime
    text: str


@dataclass(frozen=True)
class KeyExplanation:
    """What is known of one key.

    Attributes:
        key_label: The key as logs may show it.
        next_step: What the next run does.
        why: The reason, as a sentence.
        dsid: The contact; None if none is known.
        differing: The fields that differ from what DailyStory acknowledged, whether the next run sends them or not.
        source: Field -> value of the source, masked unless asked for; None if the source has no row.
        events: What happened, the oldest first.
        live: What DailyStory says, one line each; empty if it was not asked.
    """

    key_label: str
    next_step: NextStep
    why: str
    dsid: str | None = None
    differing: Sequence[FieldChange] = ()
    source: Mapping[str, str] | None = field(default=None, repr=False)
    events: Sequence[Event] = field(default=(), repr=False)
    live: Sequence[str] = field(default=(), repr=False)

    def __str__(self) -> str:
        contact = f", contact {self.dsid}" if self.dsid else ", no contact"
        lines = [f"key {self.key_label}{contact}: {self.next_step.value}. {self.why}"]
        if self.differing:
            is_sent = self.next_step in (NextStep.SENT, NextStep.CREATED)
            lines.append(f"  {'to be sent' if is_sent else 'differs from what DailyStory acknowledged'}:")
        lines += [f"    {change}" for change in self.differing]
        if self.source is not None:
            values = ", ".join(f"{name} {text}" for name, text in self.source.items() if text != NO_VALUE)
            lines.append(f"  source now: {values or 'no values'}")
        lines += [f"  {event.at:%Y-%m-%d %H:%M:%S} {event.text}" for event in self.events]
        lines += [f"  DailyStory now: {line}" for line in self.live]
        return "\n".join(lines)


@dataclass(frozen=True)
class Explanation:
    """The explanation of what was asked for: one key, or each key of an email address or a dsid.

    Attributes:
        sync_name: The sync.
        keys: One explanation for each key.
        has_plans: Whether the state has a plan of the sync; before the first one nothing can be explained.
    """

    sync_name: str
    keys: tuple[KeyExplanation, ...]
    has_plans: bool = True

    def __str__(self) -> str:
        if not self.has_plans:
            return f"sync {self.sync_name} has no plan in this state yet: plan or run it first"
        if not self.keys:
            return f"sync {self.sync_name}: neither the source nor the state has such a key, address or dsid"
        return "\n".join(map(str, self.keys))
