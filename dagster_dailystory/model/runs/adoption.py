"""What an adoption found, in counts that add up, and its progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from dagster_dailystory.model.contact_fields import OPT_OUT_FIELDS
from dagster_dailystory.model.runs.plan import counted, some


class Differing(str, Enum):
    """What the snapshot takes where DailyStory has another value than the source."""

    KEEP = "keep"
    """The source's value: DailyStory's stays until the source changes."""
    SEND = "send"
    """DailyStory's value: the next run sends that of the source."""


class AdoptionOutcome(str, Enum):
    """What the look-up of one row found."""

    EXISTING = "existing"
    """DailyStory has one contact with the row's identity: it is mapped."""
    MISSING = "missing"
    """DailyStory has none: the next run creates it."""
    AMBIGUOUS = "ambiguous"
    """Email and mobile number belong to different contacts, or other rows have the same contact: not mapped."""
    DELETED = "deleted"
    """The contact was deleted in DailyStory: it is mapped, and `on_deleted` decides about its row."""


@dataclass(frozen=True, slots=True)
class AdoptionProgress:
    """The progress of an adoption.

    Attributes:
        rows_looked_up: Rows that this call has looked up.
        rows_remaining: Rows that are still to be looked up.
        rows_per_second: Rows per second since the first look-up.
        seconds_remaining: Estimated at this rate.
    """

    rows_looked_up: int
    rows_remaining: int
    rows_per_second: float
    seconds_remaining: float


@dataclass(frozen=True)
class AdoptionReport:
    """What an adoption found, without personal data. The counts of rows add up to `rows_read`.

    Attributes:
        sync_name: The sync.
        differing: What the snapshot took where values differ: `keep` (the source's) or `send` (DailyStory's).
        rows_read: Rows of the source.
        rows_mapped_before: Rows that had a contact before; they were left alone.
        rows_existing: Rows whose contact was found and mapped.
        rows_missing: Rows that DailyStory has no contact for; the next run creates them.
        rows_ambiguous: Rows that are not mapped, because rows share an identity or a contact, or because their email
            and mobile number belong to different contacts.
        rows_deleted_in_dailystory: Rows whose contact was deleted in DailyStory; `on_deleted` decides about them.
        rows_rejected: Rows that have no valid identity, or a key that is NULL or doubled; they were not looked up.
        rows_left: Rows without an answer, and rows that the next run decides about: a new key of a known contact, a
            create in doubt. Another adoption goes on with them.
        rows_differing: Mapped rows with at least one other value in DailyStory.
        opt_outs_to_send: Mapped rows with an opt-out that DailyStory lacks; the next run sends it in any case.
        differing_by_field: Field -> mapped rows in which DailyStory has another value; without the fields of `fill`.
        fields_to_fill: Field of `fill` -> mapped rows in which it is empty in DailyStory; the next run sends it.
        ambiguous_keys: The first ambiguous keys, as logs may show them.
        api_requests: Requests of this call.
    """

    sync_name: str
    differing: Differing
    rows_read: int = 0
    rows_mapped_before: int = 0
    rows_existing: int = 0
    rows_missing: int = 0
    rows_ambiguous: int = 0
    rows_deleted_in_dailystory: int = 0
    rows_rejected: int = 0
    rows_left: int = 0
    rows_differing: int = 0
    opt_outs_to_send: int = 0
    differing_by_field: Mapping[str, int] = field(default_factory=dict)
    fields_to_fill: Mapping[str, int] = field(default_factory=dict)
    ambiguous_keys: tuple[str, ...] = ()
    api_requests: int = 0

    @property
    def differing_values(self) -> int:
        """Values of mapped rows that DailyStory has otherwise."""
        return sum(self.differing_by_field.values())

    def __str__(self) -> str:
        """Some lines for a terminal: the rows, the values that differ, and what the next run does with them."""
        head = f"adoption of sync {self.sync_name}: {some(self.rows_read, 'row', 'rows')} read"
        lines = [head, *(f"  {rows:>9,} {words}" for name, words in _WORDS.items() if (rows := getattr(self, name)))]
        if self.differing_by_field:
            lines.append(f"  values that differ: {counted(self.differing_by_field)}")
            if self.differing_by_field.keys() - OPT_OUT_FIELDS:
                lines.append(f"  {_NEXT[self.differing]}")
        if self.fields_to_fill:
            lines.append(f"  the next run fills fields that are empty in DailyStory: {counted(self.fields_to_fill)}")
        if self.opt_outs_to_send:
            lines.append(f"  the next run sends {some(self.opt_outs_to_send, 'opt-out', 'opt-outs')} in any case")
        if self.ambiguous_keys:
            lines.append(f"  ambiguous keys: {', '.join(self.ambiguous_keys)}{self._more()}")
        return "\n".join(lines)

    def _more(self) -> str:
        more = self.rows_ambiguous - len(self.ambiguous_keys)
        return f" and {more:,} more" if more > 0 else ""


_WORDS = {
    "rows_mapped_before": "had a contact before",
    "rows_existing": "existing: the contact was found and mapped",
    "rows_missing": "missing in DailyStory: the next run creates them",
    "rows_ambiguous": "ambiguous: not mapped",
    "rows_deleted_in_dailystory": "deleted in DailyStory: on_deleted decides",
    "rows_rejected": "rejected: not looked up",
    "rows_left": "left: without an answer, or for the next run",
    "rows_differing": "of the mapped rows differ",
}


_NEXT = {
    Differing.KEEP: "DailyStory's values stay until the source changes (differing='keep')",
    Differing.SEND: "the next run sends the source's values (differing='send')",
}
