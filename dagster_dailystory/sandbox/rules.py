"""What an accepted write does to the sandbox's contacts beyond storing what was sent."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_dailystory.fields import IDENTITY_FIELDS, OPT_OUT_FIELDS
from dagster_dailystory.sandbox.body import ContactBody, Refused
from dagster_dailystory.sandbox.records import BLANKS, Contact, ContactRecords, email_key
from dagster_dailystory.sandbox.settings import IdentityTaken, JsonValue, Revival, SandboxSettings

_KEPT_WHEN_ABSENT = frozenset({*IDENTITY_FIELDS, *OPT_OUT_FIELDS, "status"})


def settle_identity(
    records: ContactRecords, settings: SandboxSettings, dsid: str, fields: Mapping[str, JsonValue]
) -> None:
    """Decide what happens to other contacts that have the email or number of an update (U10).

    Raises:
        Refused: The settings do not let it be taken.
    """
    email, mobile = str(fields.get("email") or ""), str(fields.get("mobilePhone") or "")
    taken = [("email", owner) for owner in records.owners(email, "")]
    taken += [("mobilePhone", owner) for owner in records.owners("", mobile)]
    for name, owner in taken:
        if owner == dsid or owner not in records or settings.identity_taken is IdentityTaken.DUPLICATE:
            continue
        if settings.identity_taken is IdentityTaken.REFUSE:
            raise Refused("Another contact has this email or mobilePhone")
        if settings.identity_taken is IdentityTaken.MOVE:
            records.set(owner, {name: ""})
        else:
            records.merge(dsid, owner)


def apply_body(records: ContactRecords, settings: SandboxSettings, dsid: str, body: ContactBody) -> None:
    """Store what was posted, with what follows from it (U5, U7, U17)."""
    fields: Contact = dict(body.fields)
    if settings.absent_clears:
        fields = {**{name: BLANKS[name] for name in BLANKS if name not in _KEPT_WHEN_ABSENT}, **fields}
    if settings.revival is not Revival.NEVER and records.get(dsid, "status") in ("Deleted", "Inactive"):
        email_changes = "email" in fields and email_key(fields["email"]) != email_key(records.get(dsid, "email"))
        if email_changes or settings.revival is Revival.ANY_WRITE:
            fields.setdefault("status", "Active")
    if not OPT_OUT_FIELDS.isdisjoint(fields) or "status" in fields:
        fields.update(_consequences(records, dsid, fields))
    if body.custom is not None:
        _set_custom(records.custom(dsid), body.custom, settings.extended_properties_replace)
    records.set(dsid, fields)


def _consequences(records: ContactRecords, dsid: str, fields: Contact) -> Contact:
    """Opting out of every channel means Inactive and do-not-contact; becoming Active undoes both.

    The vendor's help page on opt-in and opt-out preferences says so of the user interface.
    """
    flags = {name: fields.get(name, records.get(dsid, name)) for name in OPT_OUT_FIELDS}
    if not records.get(dsid, "donotcontact"):
        return {"donotcontact": True, "status": "Inactive"} if all(flags.values()) else {}
    if fields.get("status") == "Active":
        return {"donotcontact": False, **{name: fields.get(name, False) for name in OPT_OUT_FIELDS}}
    return {} if all(flags.values()) else {"donotcontact": False}


def _set_custom(custom: Contact, sent: Contact, replace: bool) -> None:
    if replace:
        custom.clear()
    for name, value in sent.items():
        if value is None:
            custom.pop(name, None)
        else:
            custom[name] = value
