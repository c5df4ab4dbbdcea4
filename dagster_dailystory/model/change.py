"""One row of a plan on its way: what is to be done, for whom, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

OPT_OUT_PRIORITY, USUAL_PRIORITY = 0, 1
"""Opt-outs go first. Changes that wait for others come after these, deletions last."""


class Operation(str, Enum):
    """What one change does. The last two move the snapshot and send nothing."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RECORD = "record"
    """Only differences that are never sent, for example an opt-out flag that went back to false."""
    DEPART = "depart"
    """The key left the source and the policy is to keep the contact."""


class Outcome(str, Enum):
    """What became of one change."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    MAPPED = "mapped"
    """An existing contact was found and mapped, not written."""
    RECORDED = "recorded"
    REJECTED = "rejected"
    FAILED = "failed"
    """No lasting verdict; the row stays a difference."""
    IN_DOUBT = "in_doubt"
    """A create whose answer was lost; it is looked up before it is sent again."""
    CONFLICTED = "conflicted"
    """The dsid or the identity belongs to somebody else now."""


class Reason(str, Enum):
    """Why a row was not sent, or refused."""

    NULL_KEY = "null_key"
    DUPLICATE_KEY = "duplicate_key"
    NO_IDENTITY = "no_identity"
    INVALID_EMAIL = "invalid_email"
    INVALID_MOBILE = "invalid_mobile"
    INVALID_VALUE = "invalid_value"
    VALUE_TOO_LONG = "value_too_long"
    DUPLICATE_IDENTITY = "duplicate_identity"
    IDENTITY_CYCLE = "identity_cycle"
    IDENTITY_TAKEN = "identity_taken"
    SHARED_DSID = "shared_dsid"
    NOT_FOUND = "not_found"
    REFUSED = "refused"


REMEMBERED_REASONS = frozenset({Reason.REFUSED, Reason.NOT_FOUND, Reason.IDENTITY_TAKEN, Reason.SHARED_DSID})
"""Verdicts of the service. They are not asked for again until the row or the mapping changes."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How DailyStory recognises a person, normalised for matching; never the value that is sent.

    Attributes:
        email: Trimmed and lower-cased, or None.
        mobile: E.164, or None.
    """

    email: str | None = field(default=None, repr=False)
    mobile: str | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return self.email is not None or self.mobile is not None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row is not sent.

    Attributes:
        reason: The code.
        message: What is wrong and what to do, without personal data.
    """

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a plan on its way to DailyStory.

    Attributes:
        sequence: Its number in the plan, from 1.
        key_label: The key as it may be shown in logs.
        operation: What to do.
        dsid: The contact, where the key has one.
        values: State column -> source value as the driver gave it (or its canonical text), for every mapped field.
            None is "no opinion", except for a differing column whose `nulls` is `clear`: that field is emptied.
            A custom field without a source value holds the acknowledged one.
        differing: The state columns that differ.
        identity: The normalised identity of the row.
        new_identity: What of the identity an existing contact gets anew; empty where it keeps its own.
        look_up_first: Find the contact by its identity before anything is posted: a create is in doubt, or the
            mode asks for it.
        deactivated_by_us: This sync deactivated or deleted the contact when its key left.
        resend_all: Nothing is known of the contact's values: send every mapped field.
    """

    sequence: int
    key_label: str
    operation: Operation
    dsid: str | None
    values: Mapping[str, object] = field(repr=False)
    differing: frozenset[str]
    identity: Identity
    new_identity: Identity = Identity()
    look_up_first: bool = False
    deactivated_by_us: bool = False
    resend_all: bool = False
    email_as_sent: str | None = field(default=None, repr=False)
    mobile_as_sent: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one change, to be written to the state.

    Attributes:
        sequence: The change's number in its plan.
        outcome: The verdict.
        dsid: The contact that DailyStory named.
        attempts: Requests made for this change.
        reason: Why it was rejected or conflicted, None otherwise.
        message: The service's words with personal data masked, or ours.
        replaced: Every mapped field was sent, so the snapshot row is replaced as a whole.
        answered_at: When the verdict was known (UTC).
    """

    sequence: int
    outcome: Outcome
    answered_at: datetime
    dsid: str | None = None
    attempts: int = 0
    reason: Reason | None = None
    message: str = ""
    replaced: bool = False
