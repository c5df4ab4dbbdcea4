"""What an HTTP answer of DailyStory means, by how one recovers from it; used by the client.

The envelope is `{"Status": true, "Message": "", "Response": {...}}` (dev.dailystory.com/docs/api-conventions). Neither
error codes nor a list of messages are documented, so errors are told apart by HTTP class; a 2xx whose `Status` is
false is a refusal as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from types import MappingProxyType

import aiohttp
import httpx

from dagster_dailystory.api.transport import HttpResponse
from dagster_dailystory.contacts.masking import mask_values
from dagster_dailystory.errors import (
    AuthenticationError,
    ConfigurationError,
    DailyStoryError,
    NotFoundError,
    RejectedError,
    RetryableError,
    ThrottledError,
)

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
class Account:
    """Whom the token belongs to.

    Attributes:
        tenant: The account's name, None where the service does not say.
        tenant_uid: The account's id, None where the service does not say.
        data_center: For example `us-1`.
    """

    tenant: str | None = None
    tenant_uid: str | None = None
    data_center: str | None = None


def read_contact(answer: Mapping[str, object]) -> RemoteContact | None:
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


def read_account(answer: Mapping[str, object]) -> Account:
    """Read /about: `tenant` is a name (documentation of 2019) or an object (the present one), enveloped or bare."""
    response = answer.get("Response", answer)
    if not isinstance(response, Mapping):
        return Account()
    tenant = response.get("tenant")
    if isinstance(tenant, Mapping):
        uid = _text(tenant.get("TenantUID")) or _text(tenant.get("Id"))
        return Account(_text(tenant.get("Name")), uid, _text(tenant.get("DataCenter")))
    return Account(_text(tenant), None, _text(response.get("dataCenter")))


def _opted_out(contact: Mapping[str, object]) -> frozenset[str]:
    """A flag counts unless it is plainly false: in doubt a person stays opted out."""
    flags = (name for name in contact if name.lower().startswith(("optout", "donotcontact")))
    return frozenset(name for name in flags if contact[name] not in (False, None, "", 0, "false", "False", "0"))


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        return None
    return str(value)


_SECONDS = re.compile(r"\s*\d{1,9}(\.\d{1,9})?\s*")


_NEVER_LEFT = (
    aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError,
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout,
)  # fmt: skip


_UNKNOWN_CONTACT = re.compile(
    r"\b(contact|ds_?id)\b.*\b(not (be )?found|unknown|not exist|doesn't exist|not known)\b"
    r"|\b(unknown|no such|(could not|cannot|can't) find( the| a)?|no) (contact|ds_?id)\b",
    re.IGNORECASE | re.DOTALL,
)


def read_envelope(body: bytes) -> Mapping[str, object] | None:
    """Parse a body.

    Returns:
        The JSON object, or None for an empty body, HTML, or JSON that is no object.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def failure_of(
    answer: HttpResponse, envelope: Mapping[str, object] | None, *, names_dsid: bool, personal: Iterable[object]
) -> DailyStoryError | None:
    """Judge an answer.

    Args:
        answer: The answer.
        envelope: Its body, parsed.
        names_dsid: The request named a contact by its dsid, so that it can be unknown.
        personal: Values that must not appear in a message.

    Returns:
        None where the request was accepted, else the error to raise.
    """
    status = answer.status
    if 200 <= status < 300:
        if envelope is None:
            return RetryableError(f"DailyStory answered {status} without a JSON object", status=status)
        if envelope.get("Status") is False:
            return _refusal(status, envelope, names_dsid, personal)
        return None
    if 300 <= status < 400:
        return _redirect(answer)
    if status in (401, 403):
        return AuthenticationError(
            f"DailyStory does not accept the API token ({status}): check that it was copied whole, was not revoked"
            " (Account Settings > API Tokens) and belongs to base_url's data centre; the token's last part names it",
            status=status,
        )
    wait_seconds = retry_after_seconds(answer.headers)
    if status == 429 or (status == 503 and wait_seconds is not None):
        return ThrottledError(f"DailyStory asks to wait ({status})", status=status, retry_after_seconds=wait_seconds)
    if status in (408, 425) or status >= 500 or status < 200:
        return RetryableError(f"DailyStory answered {status}", status=status)
    return _refusal(status, envelope or {}, names_dsid, personal)


def _refusal(
    status: int, envelope: Mapping[str, object], names_dsid: bool, personal: Iterable[object]
) -> RejectedError:
    message = envelope.get("Message")
    text = message if isinstance(message, str) else ""
    explanation = mask_values(text, personal) or "no explanation"
    if names_dsid and (status == 404 or _UNKNOWN_CONTACT.search(text)):
        return NotFoundError(f"DailyStory does not know this contact ({status}): {explanation}", status=status)
    return RejectedError(f"DailyStory refused the request ({status}): {explanation}", status=status)


def _redirect(answer: HttpResponse) -> ConfigurationError:
    status = answer.status
    try:
        host = httpx.URL(answer.headers.get("location", "")).host
    except (httpx.InvalidURL, UnicodeError):
        host = ""
    target = f"to the host {host}" if host else "elsewhere"
    return ConfigurationError(
        f"DailyStory redirects {target} ({status}), and redirects are not followed with the API token: set base_url to"
        " the data centre host that you see after logging in, for example https://us-1.dailystory.com/api/v1",
        status=status,
    )


def broken(error: Exception) -> RetryableError:
    """Turn a transport's exception into ours; its text may hold an address with an email and is not kept."""
    kind = type(error).__name__
    if isinstance(error, _NEVER_LEFT):
        return RetryableError(f"DailyStory could not be reached ({kind})", may_have_landed=False)
    return RetryableError(f"the connection to DailyStory broke ({kind})", may_have_landed=True)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After, in seconds or as an HTTP date (RFC 9110, section 10.2.3).

    A date counts from the answer's own Date header where there is one, so that clocks may differ.

    Returns:
        Seconds from now, not below 0; None where it is missing or makes no sense.
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
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
