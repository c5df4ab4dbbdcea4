"""Comparison of a value with what DailyStory has: whether both are one value, however it is written."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.contacts.identity import e164, stripped_text
from dagster_dailystory.contacts.values import comparable
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField, Value


def held_value(mapped: MappedField, contact: RemoteContact) -> object:
    """The value that DailyStory has in a field, as its JSON has it; None if the contact has none."""
    custom = contact.fields.get("extendedProperties")
    held: Mapping[str, object] = custom if mapped.is_custom and isinstance(custom, Mapping) else contact.fields
    return held.get(mapped.name)


def is_held(mapped: MappedField, sent: Value, contact: RemoteContact, region: str | None = None) -> bool:
    """Whether DailyStory has a value, perhaps in another spelling (U2, U19 of the notes on the API).

    Args:
        mapped: The field.
        sent: The value as a request has it.
        contact: The contact.
        region: The ISO country of numbers without a country code.
    """
    if mapped.kind is FieldKind.OPT_OUT:
        return sent is not True or mapped.name in contact.opted_out
    if mapped.kind is FieldKind.STATUS:
        return sent == contact.status
    held = held_value(mapped, contact)
    if comparable(mapped, sent) == comparable(mapped, held):
        return True
    return mapped.kind is FieldKind.MOBILE and e164(stripped_text(held), region) == sent
