"""Whether a contact that was read back holds a value of this sync."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.identity import is_same_number, stripped_text
from dagster_dailystory.contacts.values import comparable, wire_value
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField, Value
from dagster_dailystory.model.sync import ContactSync


@dataclass(frozen=True)
class Acknowledged:
    """What DailyStory acknowledged of one key.

    Attributes:
        values: State column -> the acknowledged value.
        identity_mobile: The acknowledged mobile number as it was sent.
    """

    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    identity_mobile: str | None = field(default=None, repr=False)


def held_value(mapped: MappedField, contact: RemoteContact) -> object:
    """The value that DailyStory has in a field, as its JSON has it; None if the contact has none."""
    custom = contact.fields.get("extendedProperties")
    if not mapped.is_custom:
        return contact.fields.get(mapped.name)
    return custom.get(mapped.name) if isinstance(custom, Mapping) else None


def is_held(mapped: MappedField, sent: Value, contact: RemoteContact) -> bool:
    """Whether a contact has what a request would send, perhaps in another spelling (U2, U19 of the notes on the API).

    Args:
        mapped: The field.
        sent: The value as a request has it; an opt-out that is not set is never sent.
        contact: The contact.
    """
    if mapped.kind is FieldKind.OPT_OUT:
        return sent is not True or mapped.name in contact.opted_out
    if mapped.kind is FieldKind.STATUS:
        return sent == contact.status
    return _is_same(mapped, sent, held_value(mapped, contact))


def _is_same(mapped: MappedField, sent: object, held: object) -> bool:
    if comparable(mapped, sent) == comparable(mapped, held):
        return True
    return mapped.kind is FieldKind.MOBILE and is_same_number(str(sent), stripped_text(held))


def holds(
    sync: ContactSync, mapped: MappedField, value: object, acknowledged: Acknowledged, contact: RemoteContact
) -> bool:
    """Whether a contact has a value that was written, in whichever spelling; an emptied field has none.

    Args:
        sync: The mapping.
        mapped: The field.
        value: What was written; None for a field that was emptied.
        acknowledged: What is known of the contact's key.
        contact: The contact.
    """
    if value is None:
        return holds_sent(mapped, "", contact)
    is_number = mapped.kind is FieldKind.MOBILE
    if is_number and text_or_none(acknowledged.values.get(mapped.state_column)) == text_or_none(value):
        sent: object = acknowledged.identity_mobile  # the country of its row may be another one now, or not known
    else:
        sent = value_to_send(sync, mapped, value)
    return sent is not None and holds_sent(mapped, sent, contact)


def holds_sent(mapped: MappedField, sent: object, contact: RemoteContact) -> bool:
    """Whether a contact has a value that a request had, in whichever spelling.

    Args:
        mapped: The field.
        sent: The value in the request; "" if it empties the field.
        contact: The contact.
    """
    found = held_value(mapped, contact)
    return found in (None, "") if sent == "" else _is_same(mapped, sent, found)


def value_to_send(sync: ContactSync, mapped: MappedField, value: object) -> object:
    """A value as it is sent; None if it cannot be, or if the country of a number is not known."""
    region = sync.default_region if isinstance(sync.default_region, str) else None
    try:
        return wire_value(mapped, value, region=region)
    except UnsupportedValueError:
        return None


def text_or_none(value: object) -> str | None:
    """The canonical text of a value; None for NULL and for a value without one."""
    try:
        return canonical_text(value)
    except UnsupportedValueError:
        return None
