"""A contact as DailyStory gets it: from a row's values to its identity, its verdict and its JSON body."""

from __future__ import annotations

from dagster_dailystory.contacts.identity import _MOBILE
from dagster_dailystory.contacts.values import wire_value
from dagster_dailystory.model.change import Change, Operation
from dagster_dailystory.model.contact_fields import CONSENT_KINDS, FieldKind
from dagster_dailystory.model.sync import ContactSync, MappedField, Nulls, Value

_OPT_INS = ((FieldKind.OPT_OUT, False), (FieldKind.STATUS, "Active"))


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
