"""One change of a plan and its result, and the opt-outs that have no result yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

OPT_OUT_PRIORITY, USUAL_PRIORITY, DELETION_PRIORITY = 0, 1, 1_000_000
"""Opt-outs are sent first, then other changes, then changes that wait for others; deletions are last."""


DEPARTURE_IN_DOUBT = "in_doubt"
"""In the snapshot, in place of what was done with a missing key's contact: it was sent and not acknowledged."""


KEPT_FOR_ANOTHER_SYNC = "shared"
"""In the snapshot, in place of what was done with a missing key's contact: its deletion is owed, and decided again."""


class Operation(str, Enum):
    """What one change does. `record` and `depart` only update the snapshot and send nothing."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RECORD = "record"
    """All differences are ones that are never sent, for example an opt-out flag that went back to false."""
    DEPART = "depart"
    """The key is missing from the source and the policy is to keep the contact."""
    OPT_OUT = "opt_out"
    """Set opt-out flags of a known contact and nothing else, ahead of the other changes of its row."""


SENT_OPERATIONS = frozenset({Operation.CREATE, Operation.UPDATE, Operation.DELETE, Operation.OPT_OUT})
"""Operations that send a request. The header of a plan counts them."""


class Outcome(str, Enum):
    """How one change ended."""

    CREATED = "created"
    """A contact was created."""
    UPDATED = "updated"
    """The contact has the values of the row."""
    DELETED = "deleted"
    """The contact was deleted or deactivated, because its key left the source."""
    MAPPED = "mapped"
    """An existing contact was found and added to the contact map, but not written."""
    RECORDED = "recorded"
    """Nothing had to be sent, or a newer plan had decided about the row; the snapshot was updated."""
    OPTED_OUT = "opted_out"
    """The opt-out flags were set, ahead of the other changes of the row."""
    DELETED_IN_DAILYSTORY = "deleted_in_dailystory"
    """The contact was deleted in DailyStory, not by this sync: the row is held."""
    REJECTED = "rejected"
    """DailyStory refused the row: it is held until the row or the mapping changes."""
    FAILED = "failed"
    """A temporary failure: the row still differs and is sent again by the next run."""
    IN_DOUBT = "in_doubt"
    """A change with an intent and without a response: its contact is looked up before anything is sent again."""
    RETURNED = "returned"
    """A deletion that was not sent, because the key is in the source again: its row is as it was."""
    SHARED = "shared"
    """A deletion that was not sent, because another sync holds the contact."""
    WAITING = "waiting"
    """A deletion that was not sent, because the source could not be asked whether the key is still gone."""
    CONFLICTED = "conflicted"
    """The dsid or the identity belongs to the contact of another row."""
    FORGOTTEN = "forgotten"
    """The row was forgotten before the change was sent: it has no key and no values any more."""


UNSETTLED = frozenset({Outcome.FAILED, Outcome.IN_DOUBT, Outcome.WAITING})
"""Outcomes that the next send of a plan takes up again."""


class Reason(str, Enum):
    """Why a row was not sent, or why DailyStory refused it."""

    NULL_KEY = "null_key"
    """The key has a NULL: fill it, or leave the row out of the query."""
    DUPLICATE_KEY = "duplicate_key"
    """Several rows have the key: make it unique in the query."""
    NO_IDENTITY = "no_identity"
    """A new contact needs an email or a mobile number."""
    INVALID_EMAIL = "invalid_email"
    """The email is not an address that can receive mail."""
    INVALID_MOBILE = "invalid_mobile"
    """The mobile number is not valid in its country, or cannot receive text messages."""
    INVALID_VALUE = "invalid_value"
    """The value is not of its field's kind."""
    VALUE_TOO_LONG = "value_too_long"
    """The value is longer than its field."""
    DUPLICATE_IDENTITY = "duplicate_identity"
    """Several rows bring the same email or mobile number: keep one of them."""
    IDENTITY_CYCLE = "identity_cycle"
    """Rows exchange their emails or mobile numbers in a cycle, or with a rejected row."""
    IDENTITY_TAKEN = "identity_taken"
    """DailyStory has another contact with the row's new email or mobile number."""
    SHARED_DSID = "shared_dsid"
    """DailyStory returned the contact of another row."""
    NOT_FOUND = "not_found"
    """DailyStory has no such contact, and the mode `update` does not create it."""
    DELETED_IN_DAILYSTORY = "deleted_in_dailystory"
    """The contact was deleted in DailyStory; see `on_deleted`."""
    FORGOTTEN = "forgotten"
    """The row was forgotten, or has the email or mobile number of one that was: leave it out of the query."""
    REFUSED = "refused"
    """DailyStory refused the row with the message that is shown."""


REMEMBERED_REASONS = frozenset(
    {Reason.REFUSED, Reason.NOT_FOUND, Reason.IDENTITY_TAKEN, Reason.SHARED_DSID, Reason.DELETED_IN_DAILYSTORY}
)
"""Rejections by DailyStory. Such a row is held until the row or the mapping changes."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What DailyStory matches contacts by, normalised; never the value that is sent.

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
        reason: The reason code.
        message: What is wrong and what to do, without personal data.
    """

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """One row of a plan: what to send to DailyStory.

    Attributes:
        sequence: Its number in the plan, from 1.
        key_label: The key in the form that logs may show.
        operation: What to do.
        dsid: The dsid of the key's contact, None if it has none.
        values: State column -> source value as the driver returned it (or its canonical text), for every mapped
            field. None means "leave the field as it is", except for a differing column whose `nulls` is `clear`:
            that field is emptied. A custom field without a source value holds the acknowledged one.
        differing: The state columns that differ.
        identity: The normalised identity of the row.
        new_identity: The parts of the identity that this change gives to an existing contact; empty if none changes.
        look_up_first: Look the contact up by its identity before anything is posted, because a create is in doubt
            or because the mode requires it.
        deactivated_by_us: DailyStory acknowledged that this sync deactivated or deleted the contact while its key was
            missing.
        absent_action: What this sync did with the contact while its key was missing, or `DEPARTURE_IN_DOUBT`; None if
            the key was not missing.
        deleted_in_dailystory: The contact was found deleted in DailyStory before.
        rekeyed: The contact is that of another key, which left the source.
        resend_all: The contact's values are not known: send every mapped field.
        dropped: The state columns of the fields that are not sent, because their value is invalid. Of a custom field,
            `values` has the acknowledged value.
        email_as_sent: The email address that an earlier create sent and that has no result yet.
        mobile_as_sent: The mobile number of that create.
        leave_before: Until when the request may be sent, on the sender's clock; None for any time.
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
    absent_action: str | None = None
    deleted_in_dailystory: bool = False
    rekeyed: bool = False
    resend_all: bool = False
    dropped: frozenset[str] = frozenset()
    email_as_sent: str | None = field(default=None, repr=False)
    mobile_as_sent: str | None = field(default=None, repr=False)
    leave_before: float | None = None

    @property
    def valid_values(self) -> Mapping[str, object]:
        """`values`, with None for the dropped fields."""
        return {name: None if name in self.dropped else value for name, value in self.values.items()}


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one change, to be written to the state.

    Attributes:
        sequence: The change's number in its plan.
        outcome: How the change ended.
        answered_at: When the outcome was known (UTC).
        dsid: The contact that DailyStory returned.
        attempts: Requests made for this change.
        reason: Why it was rejected or conflicted, None otherwise.
        message: DailyStory's message with personal data masked, or the message of this package.
        replaced: Every mapped field was sent, so the whole snapshot row is replaced.
        is_other_contact: The row has another contact than before, which has none of the acknowledged values.
        left: The state columns of the fields of `fill` that were not sent, because DailyStory has a value in them.
    """

    sequence: int
    outcome: Outcome
    answered_at: datetime
    dsid: str | None = None
    attempts: int = 0
    reason: Reason | None = None
    message: str = ""
    replaced: bool = False
    is_other_contact: bool = False
    left: frozenset[str] = frozenset()


SHOWN_KEYS = 10
"""Most keys that a message names."""


@dataclass(frozen=True, slots=True)
class WaitingOptOut:
    """A key whose opt-out DailyStory has not acknowledged, without personal data.

    Attributes:
        key_label: The key as logs may show it.
        reason: The code of the reason to repair the row; empty if the next run sends the opt-out.
        message: What is wrong, or why it was not sent.
        rows: How many rows of the source have this key and this reason.
    """

    key_label: str
    reason: str
    message: str
    rows: int = 1


@dataclass(frozen=True, slots=True)
class WaitingOptOuts:
    """The opt-outs that DailyStory has not acknowledged.

    Attributes:
        to_repair: How many cannot be sent until their rows are repaired in the source. The next run sends the others.
        few: At most ten of all.
    """

    to_repair: int = 0
    few: tuple[WaitingOptOut, ...] = ()

    def joined(self, other: WaitingOptOuts) -> WaitingOptOuts:
        """These and others, first those to repair."""
        few = sorted((*self.few, *other.few), key=lambda each: not each.reason)
        return WaitingOptOuts(self.to_repair + other.to_repair, tuple(few[:SHOWN_KEYS]))

    def described(self, count: int) -> str:
        """Name a few, with the reason of each.

        Args:
            count: How many there are.
        """
        kinds = {
            "cannot be sent until the source is repaired": (self.to_repair, [e for e in self.few if e.reason]),
            "will be sent by the next run": (count - self.to_repair, [e for e in self.few if not e.reason]),
        }
        return "; ".join(f"{rows:,} {kind}{_named(rows, few)}" for kind, (rows, few) in kinds.items() if rows)


def _named(rows: int, few: Sequence[WaitingOptOut]) -> str:
    """The keys of a few of these rows."""
    if not few:
        return ""
    rest = rows - sum(each.rows for each in few)
    keys = [f"key {each.key_label}{f': {each.reason}' if each.reason else ''}" for each in few]
    return f" ({', '.join([*keys, *([f'and {rest:,} more'] if rest > 0 else [])])})"
