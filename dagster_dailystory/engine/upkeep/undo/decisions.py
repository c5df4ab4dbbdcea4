"""Decides field by field whether what a run wrote is taken back: by the contact's value, the source's, the earlier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from typing_extensions import Self

from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.engine.sending.read_back.held_values import Acknowledged, holds, text_or_none, value_to_send
from dagster_dailystory.engine.upkeep.undo.written import Written
from dagster_dailystory.model.contact_fields import CONSENT_KINDS, FieldKind
from dagster_dailystory.model.mapping import REGION_COLUMN, MappedField, Nulls
from dagster_dailystory.model.sync import ContactSync


class Kept(str, Enum):
    """Why a field of a contact, or a contact, is left as it is.

    Attributes:
        text: The reason in words.
    """

    text: str

    EDITED = ("edited", "DailyStory has another value than the run wrote: a person or a later run changed it")
    SOURCE_UNCHANGED = (
        "source_unchanged",
        "the source still gives the value that the run wrote; repair the query first",
    )
    NEXT_RUN = ("next_run", "the source gives another value by now, which the next run sends")
    EARLIER_UNKNOWN = ("earlier_unknown", "the value before the run is not known")
    CONSENT = ("consent", "an opt-out and a status are never taken back")
    NOT_MAPPED = ("not_mapped", "the field is no longer mapped, and its name in DailyStory is not known")
    INVALID = ("invalid", "the earlier value can no longer be sent")
    CREATED = ("created", "the run created the contact, and its row left the source; the option created takes it out")
    EXISTED_BEFORE = (
        "existed_before",
        "DailyStory says that the contact was made at another time than the run's; it may be older",
    )
    IN_SOURCE = ("in_source", "the run created the contact, and the source still has its row")
    TAKEN_OUT = ("taken_out", "the run deleted or deactivated the contact; it returns when its row does")
    CONTACT_GONE = ("contact_gone", "DailyStory no longer has the contact, or it was deleted")
    NO_KEY = ("no_key", "no key of the sync has the contact any more")
    DUPLICATE_KEY = ("duplicate_key", "several rows of the source have its key")

    def __new__(cls, value: str, text: str) -> Self:
        """A member whose value is the code of the reason."""
        member = str.__new__(cls, value)
        member._value_, member.text = value, text
        return member


@dataclass(frozen=True)
class Row:
    """What is known of the key that has a contact now.

    Attributes:
        source: State column -> value of the source, canonical text or None; None if the source has no row.
        acknowledged: What DailyStory acknowledged.
    """

    source: Mapping[str, str | None] | None = field(repr=False)
    acknowledged: Acknowledged


@dataclass(frozen=True)
class Decision:
    """What becomes of what a run wrote to one contact.

    Attributes:
        undone: State column -> the earlier value, which is written again.
        recorded: State column -> the source's present value (None for NULL), which the snapshot takes without a
            request, so that the next run leaves the edit of a person alone.
        kept: State column -> why the field is left as it is.
    """

    undone: Mapping[str, object] = field(default_factory=dict, repr=False)
    recorded: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    kept: Mapping[str, Kept] = field(default_factory=dict)


def decide(sync: ContactSync, written: Written, row: Row, contact: RemoteContact, unmapped: frozenset[str]) -> Decision:
    """Decide about each field that a run wrote to a contact.

    Args:
        sync: The sync, with the fields that the run wrote and that are no longer mapped.
        written: What the run wrote.
        row: What source and snapshot have.
        contact: The contact as DailyStory has it now.
        unmapped: The state columns of the fields that are no longer mapped.
    """
    undone: dict[str, object] = {}
    recorded: dict[str, str | None] = {}
    known = {m.state_column for m in sync.sent_fields}
    kept: dict[str, Kept] = dict.fromkeys(sorted(written.fields - known), Kept.NOT_MAPPED)
    for mapped in sync.sent_fields:
        name = mapped.state_column
        if name not in written.fields:
            continue
        why = _why_kept(sync, mapped, written, row, contact, is_mapped=name not in unmapped)
        if why is None:
            undone[name] = written.before[name]
            continue
        kept[name] = why
        is_edit = why is Kept.EDITED and not holds(
            sync, mapped, row.acknowledged.values.get(name), row.acknowledged, contact
        )  # else a later run, or an earlier undo, wrote it: what the source gives since is left to the next run
        if is_edit and _has_opinion(mapped, row, is_mapped=name not in unmapped):
            recorded |= _recorded(mapped, row)
    return Decision(undone, recorded, kept)


def _recorded(mapped: MappedField, row: Row) -> dict[str, str | None]:
    """The source's present value; with a mobile number also its country, which would send the number again."""
    names = (mapped.state_column, *([REGION_COLUMN] if mapped.kind is FieldKind.MOBILE else []))
    source = row.source or {}
    return {name: source[name] for name in names if name in source}


def _why_kept(
    sync: ContactSync, mapped: MappedField, written: Written, row: Row, contact: RemoteContact, *, is_mapped: bool
) -> Kept | None:
    name = mapped.state_column
    if mapped.kind in CONSENT_KINDS:
        return Kept.CONSENT
    wrote, earlier = written.after.get(name), written.before.get(name)
    if not holds(sync, mapped, wrote, row.acknowledged, contact):
        return Kept.EDITED
    if _has_opinion(mapped, row, is_mapped=is_mapped):
        present = None if row.source is None else row.source.get(name)
        if present == text_or_none(wrote):
            return Kept.SOURCE_UNCHANGED
        if earlier is None or present != text_or_none(earlier):
            return Kept.NEXT_RUN
    if earlier is None:
        return Kept.EARLIER_UNKNOWN
    return None if value_to_send(sync, mapped, earlier) is not None else Kept.INVALID


def _has_opinion(mapped: MappedField, row: Row, *, is_mapped: bool) -> bool:
    """Whether the source says which value the field should have."""
    if row.source is None or not is_mapped:
        return False
    return row.source.get(mapped.state_column) is not None or mapped.nulls is Nulls.CLEAR
