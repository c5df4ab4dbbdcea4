"""What the sandbox answers and remembers of a request: replies, the envelope, counts, recent requests."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from email.utils import formatdate

from dagster_dailystory.sandbox.settings import ErrorBody, JsonValue, RetryAfter, SandboxSettings

Headers = tuple[tuple[str, str], ...]


_PROXY_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it becomes HTTP, with what the recent requests show of it.

    Attributes:
        status: The HTTP status; 0 where the connection was cut.
        body: The bytes of the body.
        headers: Headers besides the content type.
        content_type: The body's type.
        dsid: The contact of an accepted write, else "".
        keys: The top-level keys of the posted body.
        note: The fault, or the words of an error.
    """

    status: int
    body: bytes = field(repr=False)
    headers: Headers = ()
    content_type: str = "application/json"
    dsid: str = ""
    keys: tuple[str, ...] = ()
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RecentRequest:
    """One request as it may be shown: no query values and no body.

    Attributes:
        at: Seconds since the epoch.
        method: The HTTP method.
        path: The path without its query.
        status: The HTTP status; 0 where the connection was cut.
        dsid: The contact of an accepted write, else "".
        keys: The top-level keys of an accepted body.
        note: The fault, or the words of an error.
    """

    at: float
    method: str
    path: str
    status: int
    dsid: str
    keys: tuple[str, ...]
    note: str = field(repr=False)


@dataclass(slots=True)
class Counts:
    """How many requests came and what became of them.

    Attributes:
        requests: Every API request.
        posts: POST to /contact and the paths below it, with those that were refused or failed.
        gets: GET of /contact, by dsid or identity.
        deletes: DELETE of /contact/{dsid}.
        others: Requests to other API paths, for example /about.
        creates: Contacts made.
        updates: Contacts updated.
        deleted: Contacts set to Deleted.
        not_found: GETs and DELETEs of an unknown contact.
        refused: Contacts refused by a rule or a fault.
        throttled: Answers by the rate limit or a throttling fault.
        unauthorized: Requests with a bad token.
        failed: 5xx, empty and scripted answers.
        cut: Connections broken on purpose.
        slow: Late answers.
    """

    requests: int = 0
    posts: int = 0
    gets: int = 0
    deletes: int = 0
    others: int = 0
    creates: int = 0
    updates: int = 0
    deleted: int = 0
    not_found: int = 0
    refused: int = 0
    throttled: int = 0
    unauthorized: int = 0
    failed: int = 0
    cut: int = 0
    slow: int = 0

    @property
    def contact_requests(self) -> int:
        """Requests about contacts: 0 for a sync in which nothing changed."""
        return self.posts + self.gets + self.deletes


def envelope(
    settings: SandboxSettings, response: JsonValue, *, status: int = 200, message: str = "", headers: Headers = ()
) -> Reply:
    """Wrap an answer as the service does; a message makes it an error."""
    wrapped: dict[str, JsonValue] = {"Status": not message, "Message": message}
    if settings.envelope_has_code:
        wrapped["Code"] = status
    wrapped["Response"] = response
    return Reply(status, json.dumps(wrapped).encode(), headers, note=message)


def error(settings: SandboxSettings, status: int, message: str, headers: Headers = ()) -> Reply:
    """Answer an error in the configured form (U20)."""
    if settings.error_body is ErrorBody.HTML:
        return html_page(status, message, headers)
    if settings.error_body is ErrorBody.EMPTY:
        return Reply(status, b"", headers, note=message)
    return envelope(settings, {}, status=status, message=message, headers=headers)


def html_page(status: int, title: str, headers: Headers = ()) -> Reply:
    """Answer as a proxy in front of the service would."""
    body = _PROXY_PAGE.format(f"{status} {title}").encode()
    return Reply(status, body, headers, content_type="text/html", note=title)


def retry_after(settings: SandboxSettings, wait_seconds: int, now: float) -> Headers:
    """Name a wait in the configured form (U1): seconds, an HTTP date, or nothing."""
    if settings.retry_after is RetryAfter.SECONDS:
        return (("Retry-After", str(wait_seconds)),)
    if settings.retry_after is RetryAfter.DATE:
        return (("Retry-After", formatdate(math.ceil(now) + wait_seconds, usegmt=True)),)
    return ()


def _no_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def decode_json(body: bytes) -> JsonValue:
    """Read a posted body.

    Raises:
        ValueError: It is not JSON in UTF-8.
    """
    try:
        decoded: JsonValue = _DECODER.decode(body.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    return decoded
