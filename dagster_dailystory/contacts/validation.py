"""The validation of one row: the part of the row check that needs no database."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.identity import identity_of, is_other_number
from dagster_dailystory.contacts.values import wire_text
from dagster_dailystory.model.change import Identity, Reason, Rejection
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.sync import ContactSync, MappedField, Value

_EMAIL, _MOBILE = FieldKind.EMAIL, FieldKind.MOBILE


def check_row(
    sync: ContactSync,
    values: Mapping[str, object],
    *,
    is_new: bool,
    identity: Identity | None = None,
    differing: Collection[str] | None = None,
) -> Rejection | None:
    """Find the first reason to reject a row.

    Args:
        sync: The mapping.
        values: State column -> value, as the driver returned it or as canonical text.
        is_new: The row would create a contact, which needs an email or a mobile number.
        identity: `identity_of` the same values, if the caller has it; saves computing it again.
        differing: The state columns that an update would send, None for all. Acknowledged values are not checked again.

    Returns:
        The reason and what to do about it, without any value; None for a row that can be sent.
    """
    identity = identity_of(sync, values) if identity is None else identity
    fields = sync.mapped_fields
    if differing is not None:
        fields = tuple(mapped for mapped in fields if mapped.state_column in differing)
    for mapped in fields:
        rejection = _check_field(sync, mapped, values.get(mapped.state_column), identity)
        if rejection is not None:
            return rejection
    if is_new and not identity:
        return Rejection(
            Reason.NO_IDENTITY,
            "a new contact needs an email or a mobile number and the row has neither;"
            " fill one in the source or leave the row out of the query",
        )
    return None


def _check_field(sync: ContactSync, mapped: MappedField, value: object, identity: Identity) -> Rejection | None:
    try:
        text = canonical_text(value)
        if text is None or not text.strip():
            return None
        if mapped.kind is _EMAIL:
            return None if identity.email else _reject_email(mapped, text.strip())
        if mapped.kind is _MOBILE:
            return None if identity.mobile else _reject_mobile(sync, mapped, text.strip())
        sent = wire_text(mapped, text)
    except UnsupportedValueError as error:
        return Rejection(Reason.INVALID_VALUE, f"{_field_name(mapped)}: {error}")
    if sent is None:
        return Rejection(
            Reason.INVALID_VALUE, f"{_field_name(mapped)} contains only control characters; make it NULL in the query"
        )
    return _check_length(mapped, sent)


def _field_name(mapped: MappedField) -> str:
    return f"{mapped.name} (column {mapped.column!r})"


def _reject_email(mapped: MappedField, text: str) -> Rejection:
    return _check_length(mapped, text) or Rejection(
        Reason.INVALID_EMAIL,
        f"{_field_name(mapped)} is not an address that can receive mail (.test, .invalid and .local domains cannot);"
        " correct it in the source or make it NULL in the query",
    )


def _reject_mobile(sync: ContactSync, mapped: MappedField, text: str) -> Rejection:
    region, name = sync.default_region, _field_name(mapped)
    if is_other_number(text, region):
        message = f"{name} is the number of a land line or a service, which gets no text messages; map it to 'phone'"
        return Rejection(Reason.INVALID_MOBILE, message)
    assumption = "default_region is not set" if region is None else f"without + it is read as a number of {region}"
    message = (
        f"{name} is not a valid mobile number ({assumption}); write it as text, with + and the country code and"
        " without letters, or set default_region to its ISO country"
    )
    return Rejection(Reason.INVALID_MOBILE, message)


def _check_length(mapped: MappedField, sent: Value) -> Rejection | None:
    if not isinstance(sent, str) or len(sent) <= mapped.max_length:
        return None
    remedy = "shorten it in the query" + (" or raise max_value_length" if mapped.is_custom else "")
    length = f"{len(sent)} characters, the maximum is {mapped.max_length}"
    return Rejection(Reason.VALUE_TOO_LONG, f"{_field_name(mapped)} has {length}; {remedy}")
