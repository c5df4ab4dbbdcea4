"""The JSON body of a create or an update."""

from __future__ import annotations

from contextlib import suppress

from dagster_dailystory.contacts.canonical import UnsupportedValueError
from dagster_dailystory.contacts.identity import region_of
from dagster_dailystory.contacts.values import wire_value
from dagster_dailystory.model.change import Change, Identity, Operation
from dagster_dailystory.model.contact_fields import CONSENT_KINDS, FieldKind
from dagster_dailystory.model.mapping import MappedField, Nulls, Value
from dagster_dailystory.model.sync import ContactSync

_MOBILE = FieldKind.MOBILE


_OPT_INS = ((FieldKind.OPT_OUT, False), (FieldKind.STATUS, "Active"))


def payload(
    sync: ContactSync, change: Change, *, everything: bool = False, makes_contact: bool = False
) -> dict[str, object]:
    """Build the JSON body of a create or an update, without the dsId.

    An update contains the fields that differ. If a custom field differs, all custom fields with a value are sent,
    because it is not documented whether DailyStory merges or replaces them. A create, or a change with `resend_all`,
    contains all fields with a value. An opt-out is never taken back and a contact is never set to Active, unless
    `consent_override` names the field and an update changes it. A field of `fill` is sent with a new contact, and
    else only where it differs because it is empty.

    Args:
        sync: The mapping.
        change: The row; see `Change.values`.
        everything: Send every mapped field: the contact is new, has another dsid, or belongs to a returning key.
        makes_contact: The request makes the contact.

    Raises:
        UnsupportedValueError: A value is one that `check_row` rejects.
    """
    everything = everything or change.resend_all or change.operation is Operation.CREATE
    body: dict[str, object] = {}
    custom: dict[str, object] = {}
    custom_differs = everything
    for mapped in sync.mapped_fields:
        differs = everything or mapped.state_column in change.differing
        if mapped.fills and not makes_contact and mapped.state_column not in change.differing:
            continue
        if not differs and not mapped.is_custom:
            continue
        value = _value_to_send(sync, mapped, change, differs=differs)
        if value is None:
            continue
        (custom if mapped.is_custom else body)[mapped.name] = value
        custom_differs = custom_differs or (mapped.is_custom and differs)
    if custom and custom_differs:
        body["extendedProperties"] = custom
    return body


def opts_in(mapped: MappedField, raw: object) -> bool:
    """Whether a value would take an opt-out back, or set a contact to Active: no create has it."""
    if mapped.kind not in CONSENT_KINDS:
        return False
    with suppress(UnsupportedValueError):  # the row check rejects it
        return (mapped.kind, wire_value(mapped, raw)) in _OPT_INS
    return False


def _value_to_send(sync: ContactSync, mapped: MappedField, change: Change, *, differs: bool) -> Value | None:
    raw, kind = change.values.get(mapped.state_column), mapped.kind
    is_dropped = mapped.state_column in change.dropped
    if is_dropped and not mapped.is_custom:
        return None
    if kind is _MOBILE and raw is not None and change.identity.mobile is not None:
        return change.identity.mobile  # the row check computed it from this value
    value = wire_value(mapped, raw, region=region_of(sync, change.values) if kind is _MOBILE else None)
    if value is None:
        clears = differs and not is_dropped and mapped.nulls is Nulls.CLEAR and change.operation is Operation.UPDATE
        return "" if clears else None
    if kind not in CONSENT_KINDS or (kind, value) not in _OPT_INS:
        return value
    changes = change.operation is Operation.UPDATE and mapped.state_column in change.differing
    return value if changes and mapped.name in sync.consent_override else None


def identity_as_sent(sync: ContactSync, change: Change) -> Identity:
    """The email and mobile number as the row's request has them. An identity is normalised, a request is not."""
    columns = [m for m in sync.mapped_fields if m.kind is FieldKind.EMAIL and change.identity.email is not None]
    emails = [wire_value(m, change.values.get(m.state_column)) for m in columns]
    sent = (str(email) for email in emails if email is not None)
    return Identity(next(sent, change.identity.email), change.identity.mobile)


def sends_nothing(sync: ContactSync, change: Change) -> bool:
    """Whether a change only updates the snapshot: an opt-out taken back, a status Active, a blank text."""
    everything = change.resend_all or change.operation is Operation.CREATE
    sent = (m for m in sync.mapped_fields if (everything and not m.fills) or m.state_column in change.differing)
    return all(_value_to_send(sync, mapped, change, differs=True) is None for mapped in sent)


def only_opts_out(sync: ContactSync, change: Change) -> bool:
    """Whether a change of a known contact sends opt-outs and nothing else."""
    if change.dsid is None or change.resend_all or not change.differing:
        return False
    kinds = {m.kind for m in sync.mapped_fields if m.state_column in change.differing}
    return kinds - {FieldKind.REGION} == {FieldKind.OPT_OUT} and not sends_nothing(sync, change)
