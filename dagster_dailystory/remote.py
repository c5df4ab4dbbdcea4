"""What DailyStory says about a contact and about itself, read leniently: much of it is not documented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_STATUS_NAMES: Mapping[str, str] = {"0": "Active", "100": "Deleted"}


@dataclass(frozen=True, slots=True)
class RemoteContact:
    """A contact as DailyStory holds it.

    Attributes:
        dsid: Its id.
        status: `Active`, `Inactive`, `Spam`, `Deleted`, `Bounced` or a word that is not documented.
        opted_out: The flags that are true, in the service's spelling: `optOutEmail`, `donotcontact`, ...
        fields: The whole contact.
    """

    dsid: str
    status: str
    opted_out: frozenset[str]
    fields: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AboutAnswer:
    """Whom the token belongs to.

    Attributes:
        tenant: The account's name, None where the service does not say.
        tenant_uid: The account's id, None where the service does not say.
        data_center: For example `us-1`.
    """

    tenant: str | None = None
    tenant_uid: str | None = None
    data_center: str | None = None


def remote_contact(answer: Mapping[str, object]) -> RemoteContact | None:
    """Read the envelope of a GET; None where it holds no contact with an id (U12)."""
    response = answer.get("Response")
    contact = response.get("contact") if isinstance(response, Mapping) else None
    if not isinstance(contact, Mapping):
        return None
    dsid = _text(contact.get("dsId")) or _text(contact.get("dsid"))
    if dsid is None:
        return None
    status = _text(contact.get("status")) or ""
    return RemoteContact(dsid, _STATUS_NAMES.get(status, status), _opted_out(contact), MappingProxyType(dict(contact)))


def about_answer(answer: Mapping[str, object]) -> AboutAnswer:
    """Read /about: `tenant` is a name (documentation of 2019) or an object (the present one), enveloped or bare."""
    response = answer.get("Response", answer)
    if not isinstance(response, Mapping):
        return AboutAnswer()
    tenant = response.get("tenant")
    if isinstance(tenant, Mapping):
        uid = _text(tenant.get("TenantUID")) or _text(tenant.get("Id"))
        return AboutAnswer(_text(tenant.get("Name")), uid, _text(tenant.get("DataCenter")))
    return AboutAnswer(_text(tenant), None, _text(response.get("dataCenter")))


def _opted_out(contact: Mapping[str, object]) -> frozenset[str]:
    """A flag counts unless it is plainly false: in doubt a person stays opted out."""
    flags = (name for name in contact if name.lower().startswith(("optout", "donotcontact")))
    return frozenset(name for name in flags if contact[name] not in (False, None, "", 0, "false", "False", "0"))


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        return None
    return str(value)
