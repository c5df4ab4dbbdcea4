"""The validation of one row: the part of the row check that needs no database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.identity import identity_of, is_other_number, region_of
from dagster_dailystory.contacts.values import wire_text
from dagster_dailystory.model.change import Identity, Reason, Rejection
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField, Value
from dagster_dailystory.model.sync import ContactSync

_EMAIL, _MOBILE = FieldKind.EMAIL, FieldKind.MOBILE


@dataclass(frozen=True, slots=True)
class RowCheck:
    """The result of a row check.

    Attributes:
        rejection: Why the row is not sent, and what to do about it, without any value; None for a row that is sent.
        dropped: State column -> why its value is invalid, for the fields that are left out of the row.
    """

    rejection: Rejection | None = None
    dropped: Mapping[str, Reason] = field(default_factory=dict)


def check_row(
    sync: ContactSync,
    values: Mapping[str, object],
    *,
    is_new: bool,
    identity: Identity | None = None,
    differing: Collection[str] | None = None,
) -> RowCheck:
    """Find the first reason to reject a row, and the invalid fields that it can be sent without.

    Args:
        sync: The mapping.
        values: State column -> value, as the driver returned it or as canonical text.
        is_new: The row would create a contact, which needs an email or a mobile number.
        identity: `identity_of` the same values, if the caller has it; saves computing it again.
        differing: The state columns that an update would send, None for all. Acknowledged values are not checked again.
    """
    identity = identity_of(sync, values) if identity is None else identity
    fields = sync.mapped_fields
    if differing is not None:
        fields = tuple(mapped for mapped in fields if mapped.state_column in differing)
    dropped: dict[str, Reason] = {}
    invalid_identity = None
    for mapped in fields:
        rejection = _check_field(sync, mapped, values, identity)
        if rejection is None:
            continue
        if not mapped.drops_invalid:
            return RowCheck(rejection)
        dropped[mapped.state_column] = rejection.reason
        if mapped.kind in (_EMAIL, _MOBILE):
            invalid_identity = invalid_identity or rejection
    if is_new and not identity:
        return RowCheck(_NO_IDENTITY if invalid_identity is None else _needed(invalid_identity))
    return RowCheck(dropped=dropped)


def _needed(rejection: Rejection) -> Rejection:
    """Say why a field is not dropped: a new contact needs it."""
    message = f"{rejection.message}. It is not dropped, because a new contact needs an email or a mobile number"
    return Rejection(rejection.reason, message)


_NO_IDENTITY = Rejection(
    Reason.NO_IDENTITY,
    "a new contact needs an email or a mobile number and the row has neither;"
    " fill one in the source or leave the row out of the query",
)


def _check_field(
    sync: ContactSync, mapped: MappedField, values: Mapping[str, object], identity: Identity
) -> Rejection | None:
    if mapped.kind is FieldKind.REGION:
        return None
    try:
        text = canonical_text(values.get(mapped.state_column))
        if text is None or not text.strip():
            return None
        if mapped.kind is _EMAIL:
            return None if identity.email else _reject_email(mapped, text.strip())
        if mapped.kind is _MOBILE:
            return None if identity.mobile else _reject_mobile(sync, mapped, text.strip(), region_of(sync, values))
        sent = wire_text(mapped, text)
    except UnsupportedValueError as error:
        return Rejection(Reason.INVALID_VALUE, f"{_field_name(mapped)}: {error}")
    return None if sent is None else _check_length(mapped, sent)


def _field_name(mapped: MappedField) -> str:
    return f"{mapped.name} (column {mapped.column!r})"


def _reject_email(mapped: MappedField, text: str) -> Rejection:
    return _check_length(mapped, text) or Rejection(
        Reason.INVALID_EMAIL,
        f"{_field_name(mapped)} is not an address that can receive mail{_about_domain(text)}; correct it in the source,"
        " or make it NULL in the query",
    )


def _about_domain(text: str) -> str:
    is_reserved = text.casefold().endswith((".test", ".invalid", ".local", ".localhost"))
    return " (no mail reaches .test, .invalid and .local)" if is_reserved else ""


def _reject_mobile(sync: ContactSync, mapped: MappedField, text: str, region: str | None) -> Rejection:
    name = _field_name(mapped)
    if is_other_number(text, region):
        message = f"{name} is the number of a land line or a service, which gets no text messages; map it to 'phone'"
        return Rejection(Reason.INVALID_MOBILE, message)
    advice = "write it as text, with + and the country code and without letters"
    if region is not None:
        assumption = f"without + it is read as a number of {region}"
    elif isinstance(sync.default_region, Mapping):
        assumption = f"column {sync.default_region['column']!r} has no ISO country"
        advice += ", or fill the country"
    else:
        assumption = "default_region is not set"
        advice += ", or set default_region to its ISO country"
    return Rejection(Reason.INVALID_MOBILE, f"{name} is not a valid mobile number ({assumption}); {advice}")


def _check_length(mapped: MappedField, sent: Value) -> Rejection | None:
    if not isinstance(sent, str) or len(sent) <= mapped.max_length:
        return None
    remedy = "shorten it in the query" + (" or raise max_value_length" if mapped.is_custom else "")
    length = f"{len(sent)} characters, the maximum is {mapped.max_length}"
    return Rejection(Reason.VALUE_TOO_LONG, f"{_field_name(mapped)} has {length}; {remedy}")
