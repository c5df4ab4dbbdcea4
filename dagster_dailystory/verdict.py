"""What an HTTP answer of DailyStory means, by how one recovers from it; used by the client.

The envelope is `{"Status": true, "Message": "", "Response": {...}}` (dev.dailystory.com/docs/api-conventions). Neither
error codes nor a list of messages are documented, so errors are told apart by HTTP class; a 2xx whose `Status` is
false is a refusal as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import aiohttp
import httpx

from dagster_dailystory.connections import HttpAnswer
from dagster_dailystory.errors import (
    AuthenticationError,
    ConfigurationError,
    DailyStoryError,
    NotFoundError,
    RejectedError,
    RetryableError,
    ThrottledError,
)
from dagster_dailystory.privacy import mask_values

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
    answer: HttpAnswer, envelope: Mapping[str, object] | None, *, names_dsid: bool, personal: Iterable[object]
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
    said = mask_values(text, personal) or "no explanation"
    if names_dsid and (status == 404 or _UNKNOWN_CONTACT.search(text)):
        return NotFoundError(f"DailyStory does not know this contact ({status}): {said}", status=status)
    return RejectedError(f"DailyStory refused the request ({status}): {said}", status=status)


def _redirect(answer: HttpAnswer) -> ConfigurationError:
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
