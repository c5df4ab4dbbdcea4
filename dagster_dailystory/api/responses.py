"""Reads and classifies the HTTP responses of DailyStory for the client.

The envelope is `{"Status": true, "Message": "", "Response": {...}}` (dev.dailystory.com/docs/api-conventions). Error
codes and messages are not documented, so responses are classified by HTTP status. A 2xx with `Status: false` is a
refusal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from types import MappingProxyType

import httpx

from dagster_dailystory.api.connections import HttpResponse
from dagster_dailystory.contacts.masking import mask_values
from dagster_dailystory.errors import (
    AuthenticationError,
    DailyStoryError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
    RetryableError,
    ThrottledError,
    UnreadableError,
)

_STATUS_NAMES: Mapping[str, str] = {"0": "Active", "100": "Deleted"}


_ID = re.compile(r"[!-?A-~]{1,128}")


@dataclass(frozen=True, slots=True)
class RemoteContact:
    """A contact as DailyStory returns it.

    Attributes:
        dsid: DailyStory's id of the contact.
        status: `Active`, `Inactive`, `Spam`, `Deleted`, `Bounced` or an undocumented status.
        opted_out: The opt-out flags that are true, as the service spells them: `optOutEmail`, `donotcontact`, ...
        fields: All fields of the contact.
    """

    dsid: str
    status: str
    opted_out: frozenset[str]
    fields: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """The account of the token, as /about returns it; a missing value is None.

    Attributes:
        tenant: The account's name.
        tenant_uid: The account's id.
        data_center: For example `us-1`.
        is_answered: Whether /about responded with JSON at all.
    """

    tenant: str | None = None
    tenant_uid: str | None = None
    data_center: str | None = None
    is_answered: bool = True


def read_contact(envelope: Mapping[str, object]) -> RemoteContact | None:
    """Read the envelope of a GET; None if it has no contact with a dsid (U12).

    Raises:
        RetryableError: There is a contact, but its id is not usable.
    """
    response = envelope.get("Response")
    contact = response.get("contact") if isinstance(response, Mapping) else None
    if not isinstance(contact, Mapping):
        return None
    dsid = read_dsid(contact.get("dsId")) or read_dsid(contact.get("dsid"))
    if dsid is None:
        return None
    status = _text(contact.get("status")) or ""
    return RemoteContact(dsid, _STATUS_NAMES.get(status, status), _opted_out(contact), MappingProxyType(dict(contact)))


def read_account(envelope: Mapping[str, object]) -> Account:
    """Read /about, with or without an envelope: `tenant` is a name (2019 documentation) or an object (2025)."""
    response = envelope.get("Response", envelope)
    if not isinstance(response, Mapping):
        return Account()
    tenant = response.get("tenant")
    if isinstance(tenant, Mapping):
        uid = _text(tenant.get("TenantUID")) or _text(tenant.get("Id"))
        return Account(_text(tenant.get("Name")), uid, _text(tenant.get("DataCenter")))
    return Account(_text(tenant), _text(response.get("uid")), _text(response.get("dataCenter")))


def read_dsid(value: object) -> str | None:
    """Read a contact id; None if there is none.

    Raises:
        RetryableError: It is not one word of printable ASCII, of at most 128 characters, without an @. Not every
            database can store other texts, so that one such id would fail the acknowledgement of every row beside it.
            Logs and tables show ids, so a message that quotes the contact must not pass for one.
    """
    dsid = _text(value)
    if dsid is None:
        return None
    if not _ID.fullmatch(dsid):
        raise RetryableError("DailyStory returned a contact id that is not one word of printable ASCII without @")
    return dsid


def _opted_out(contact: Mapping[str, object]) -> frozenset[str]:
    """A flag counts unless it is clearly false: in doubt, the contact stays opted out."""
    flags = (name for name in contact if name.lower().startswith(("optout", "donotcontact")))
    return frozenset(name for name in flags if contact[name] not in (False, None, "", 0, "false", "False", "0"))


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        return None
    return str(value)


_SECONDS = re.compile(r"\s*\d{1,9}(\.\d{1,9})?\s*")


_UNKNOWN_CONTACT = re.compile(
    r"\b(contact|ds_?id)\b.*\b(not (be )?found|unknown|not exist|doesn't exist|not known)\b"
    r"|\b(unknown|no such|(could not|cannot|can't) find( the| a)?|no) (contact|ds_?id)\b",
    re.IGNORECASE | re.DOTALL,
)


def read_envelope(body: bytes) -> Mapping[str, object] | None:
    """Parse a body; None if it is not a JSON object."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def classify_response(
    response: HttpResponse, envelope: Mapping[str, object] | None, *, names_dsid: bool, personal: Iterable[object]
) -> DailyStoryError | None:
    """Classify a response by the error that it means.

    Args:
        response: The response.
        envelope: Its parsed body.
        names_dsid: Whether the request names a contact by dsid, so that the contact may be unknown.
        personal: Values to mask in the message.

    Returns:
        The error to raise; None if the request was accepted.
    """
    status = response.status
    if 200 <= status < 300:
        if envelope is None:
            return RetryableError(f"DailyStory responded with {status} and no JSON object", status=status)
        if envelope.get("Status") is False:
            return _refusal(status, envelope, names_dsid, personal)
        return None
    if 300 <= status < 400:
        return _redirect(response)
    if status == 401:
        return token_refused(status)
    if status == 403:
        return _forbidden(response, envelope or {}, personal)
    wait_seconds = retry_after_seconds(response.headers)
    if status == 429 or (status == 503 and wait_seconds is not None):
        return ThrottledError(f"DailyStory asks to wait ({status})", status=status, retry_after_seconds=wait_seconds)
    if status in (408, 425) or status >= 500 or status < 200:
        return RetryableError(f"DailyStory responded with {status}", status=status)
    return _refusal(status, envelope or {}, names_dsid, personal)


def token_refused(status: int) -> AuthenticationError:
    """The error of a token that is not accepted."""
    return AuthenticationError(
        f"DailyStory does not accept the API token ({status}): check that it is complete, is not revoked (Account"
        " Settings > API Tokens) and belongs to the data centre of base_url (the token ends in its name)",
        status=status,
    )


def _forbidden(response: HttpResponse, envelope: Mapping[str, object], personal: Iterable[object]) -> ForbiddenError:
    if response.body.lstrip()[:1] == b"<" or "html" in response.headers.get("content-type", ""):
        message = "a firewall before DailyStory forbids this request (403, an HTML page): look for markup in its values"
        return ForbiddenError(message, is_page=True)
    message = f"DailyStory forbids this request (403): {_explanation(envelope, personal)}"
    return ForbiddenError(message, is_page=False)


def _explanation(envelope: Mapping[str, object], personal: Iterable[object]) -> str:
    message = envelope.get("Message")
    return mask_values(message if isinstance(message, str) else "", personal) or "no explanation"


def _refusal(
    status: int, envelope: Mapping[str, object], names_dsid: bool, personal: Iterable[object]
) -> RejectedError:
    message = envelope.get("Message")
    text = message if isinstance(message, str) else ""
    explanation = _explanation(envelope, personal)
    if names_dsid and (status == 404 or _UNKNOWN_CONTACT.search(text)):
        return NotFoundError(f"DailyStory does not know this contact ({status}): {explanation}", status=status)
    return RejectedError(f"DailyStory refused the request ({status}): {explanation}", status=status)


def _redirect(response: HttpResponse) -> UnreadableError:
    status = response.status
    try:
        host = httpx.URL(response.headers.get("location", "")).host
    except (httpx.InvalidURL, UnicodeError):
        host = ""
    target = f"to the host {host}" if host else "elsewhere"
    return UnreadableError(
        f"DailyStory redirects {target} ({status}). Redirects are not followed, to protect the API token: set base_url"
        " to the host that you see after logging in, for example https://us-1.dailystory.com/api/v1",
        status=status,
        may_have_landed=False,
    )


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After, in seconds or as an HTTP date (RFC 9110, section 10.2.3).

    A date is compared with the response's own Date header if there is one, because clocks may differ.

    Returns:
        Seconds from now, at least 0; None if the header is missing or not valid.
    """
    text = headers.get("retry-after", "")
    if _SECONDS.fullmatch(text):
        return float(text)
    until = _http_date(text)
    if until is None:
        return None
    now = _http_date(headers.get("date", "")) or datetime.now(timezone.utc)
    return max(0.0, (until - now).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)
