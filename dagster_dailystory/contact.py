"""A contact as DailyStory gets it: from a row's values to its identity, its verdict and its JSON body."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from dagster_dailystory.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.change import Change, Identity, Operation, Reason, Rejection
from dagster_dailystory.consent import check_consent
from dagster_dailystory.fields import CONSENT_KINDS, FieldKind
from dagster_dailystory.model import ContactSync, MappedField, Nulls, Value
from dagster_dailystory.privacy import key_label, mapping_version, mask, mask_values, row_fingerprint
from dagster_dailystory.wire import FALSE_TEXTS, TRUE_TEXTS, e164, wire_text, wire_value

__all__ = [
    "FALSE_TEXTS",
    "TRUE_TEXTS",
    "check_consent",
    "check_row",
    "identity_of",
    "key_label",
    "mapping_version",
    "mask",
    "mask_values",
    "payload",
    "row_fingerprint",
    "sends_nothing",
    "wire_value",
]
_PLAIN_LOCAL_PART = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_EMAIL, _MOBILE = FieldKind.EMAIL, FieldKind.MOBILE
_OPT_INS = ((FieldKind.OPT_OUT, False), (FieldKind.STATUS, "Active"))


def identity_of(sync: ContactSync, values: Mapping[str, object]) -> Identity:
    """Normalise what DailyStory recognises this row's person by.

    Args:
        sync: The mapping, and the region of numbers without a country code.
        values: State column -> value, as a driver gives it or as canonical text.

    Returns:
        The identity; a part that is missing, blank or invalid is None.
    """
    email = mobile = None
    for mapped in sync.mapped_fields:
        if mapped.kind is _EMAIL:
            email = _normal_email(_readable(values.get(mapped.state_column)), mapped.max_length)
        elif mapped.kind is _MOBILE:
            mobile = e164(_readable(values.get(mapped.state_column)), sync.default_region)
    return Identity(email=email, mobile=mobile)


def _readable(value: object) -> str:
    try:
        return (canonical_text(value) or "").strip()
    except UnsupportedValueError:
        return ""


def _normal_email(text: str, max_length: int) -> str | None:
    """The address for matching. Domains that cannot receive mail (`.test`, `.invalid`, `.local`) are invalid."""
    if not text or len(text) > max_length:
        return None
    local, _, domain = text.rpartition("@")
    if _PLAIN_LOCAL_PART.fullmatch(local) and _takes_mail(domain.lower()):
        return text.lower()
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


@lru_cache(maxsize=10_000)
def _takes_mail(domain: str) -> bool:
    """Whether a plain local part at this domain is an address as it stands: most rows share a few domains."""
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).normalized == f"a@{domain}"
    except EmailNotValidError:
        return False


def check_row(
    sync: ContactSync,
    values: Mapping[str, object],
    *,
    is_new: bool,
    identity: Identity | None = None,
    differing: Collection[str] | None = None,
) -> Rejection | None:
    """Find the first reason not to send a row.

    Args:
        sync: The mapping.
        values: State column -> value, as a driver gives it or as canonical text.
        is_new: The row would become a new contact, which needs an email or a mobile number.
        identity: `identity_of` the same values, where the caller has it: saves the second validation.
        differing: The state columns that an update would send, None for all. What DailyStory took is not checked again.

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
            return None if identity.email else _refuse_email(mapped, text.strip())
        if mapped.kind is _MOBILE:
            return None if identity.mobile else Rejection(Reason.INVALID_MOBILE, _mobile_advice(sync, mapped))
        sent = wire_text(mapped, text)
    except UnsupportedValueError as error:
        return Rejection(Reason.INVALID_VALUE, f"{_named(mapped)}: {error}")
    if sent is None:
        return Rejection(
            Reason.INVALID_VALUE, f"{_named(mapped)} holds nothing but control characters; make it NULL in the query"
        )
    return _check_length(mapped, sent)


def _named(mapped: MappedField) -> str:
    return f"{mapped.name} (column {mapped.column!r})"


def _refuse_email(mapped: MappedField, text: str) -> Rejection:
    return _check_length(mapped, text) or Rejection(
        Reason.INVALID_EMAIL,
        f"{_named(mapped)} is not an address that can receive mail (nor can the domains .test, .invalid and .local);"
        " correct it in the source or make it NULL in the query",
    )


def _mobile_advice(sync: ContactSync, mapped: MappedField) -> str:
    region = sync.default_region
    reading = "without a country code no region is assumed" if region is None else f"read as a number of {region}"
    return (
        f"{_named(mapped)} is not a valid mobile number ({reading});"
        " write it as + and country code, or set default_region to an ISO country"
    )


def _check_length(mapped: MappedField, sent: Value) -> Rejection | None:
    if not isinstance(sent, str) or len(sent) <= mapped.max_length:
        return None
    remedy = "shorten it in the query" + (" or raise max_value_length" if mapped.is_custom else "")
    most = f"{len(sent)} characters, at most {mapped.max_length} are sent"
    return Rejection(Reason.VALUE_TOO_LONG, f"{_named(mapped)} has {most}; {remedy}")


def payload(sync: ContactSync, change: Change, *, everything: bool = False) -> dict[str, object]:
    """Build the JSON body of a create or an update, without the dsId.

    An update holds the fields that differ; if a custom field differs, every custom field with a value travels, for
    whether DailyStory merges or replaces them is not documented. Where nothing is known of the contact (a create,
    `change.resend_all`), all fields with a value travel. An opt-out is never taken back and no contact set to Active,
    unless `consent_override` names the field and an update changes it.

    Args:
        sync: The mapping.
        change: The row; see `Change.values`.
        everything: Send every mapped field: the contact is new, was re-linked, or returns.

    Raises:
        UnsupportedValueError: A value that `check_row` rejects.
    """
    everything = everything or change.resend_all or change.operation is Operation.CREATE
    body: dict[str, object] = {}
    custom: dict[str, object] = {}
    custom_differs = everything
    for mapped in sync.mapped_fields:
        differs = everything or mapped.state_column in change.differing
        if not differs and not mapped.is_custom:
            continue
        value = _outgoing(sync, mapped, change, differs=differs)
        if value is None:
            continue
        (custom if mapped.is_custom else body)[mapped.name] = value
        custom_differs = custom_differs or (mapped.is_custom and differs)
    if custom and custom_differs:
        body["extendedProperties"] = custom
    return body


def _outgoing(sync: ContactSync, mapped: MappedField, change: Change, *, differs: bool) -> Value | None:
    raw, kind = change.values.get(mapped.state_column), mapped.kind
    if kind is _MOBILE and raw is not None and change.identity.mobile is not None:
        return change.identity.mobile  # made from this value when the row was judged
    value = wire_value(mapped, raw, region=sync.default_region)
    if value is None:
        clears = differs and mapped.nulls is Nulls.CLEAR and change.operation is Operation.UPDATE
        return "" if clears else None
    if kind not in CONSENT_KINDS or (kind, value) not in _OPT_INS:
        return value
    changes = change.operation is Operation.UPDATE and mapped.state_column in change.differing
    return value if changes and mapped.name in sync.consent_override else None


def sends_nothing(sync: ContactSync, change: Change) -> bool:
    """Whether a change only moves the snapshot: an opt-out taken back, a status Active, a blank text."""
    everything = change.resend_all or change.operation is Operation.CREATE
    sent = (m for m in sync.mapped_fields if everything or m.state_column in change.differing)
    return all(_outgoing(sync, mapped, change, differs=True) is None for mapped in sent)
