"""The sandbox's replies: envelopes and error pages, with request counts and the list of recent requests."""

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
    """A response before it is sent, with the details for the list of recent requests.

    Attributes:
        status: The HTTP status; 0 where the connection was cut.
        body: The bytes of the body.
        headers: Headers other than the content type.
        content_type: The content type of the body.
        dsid: The contact of a write or of a GET, else "".
        keys: The top-level keys of the request body.
        note: The name of the fault, or the error message.
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
    """One request. Its `repr` has no personal data.

    Attributes:
        at: Seconds since the epoch.
        method: The HTTP method.
        path: The path without its query.
        status: The HTTP status; 0 where the connection was cut.
        dsid: The contact of a write or of a GET, else "".
        keys: The top-level keys of an accepted body.
        note: The name of the fault, or the error message.
        query: The query as it was sent, percent-encoded.
        body: The body as it was sent, or the beginning of a long one.
        body_bytes: The length of the whole body; -1 for one that was too large to be read.
        subjects: What identifies the contacts of the request, where a response does not say it.
        number: Its place among all requests.
    """

    at: float
    method: str
    path: str
    status: int
    dsid: str
    keys: tuple[str, ...]
    note: str = field(repr=False)
    query: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)
    body_bytes: int = 0
    subjects: tuple[str, ...] = field(default=(), repr=False)
    number: int = 0

    @property
    def is_accepted(self) -> bool:
        """Whether the sandbox did what was asked, and said so."""
        return 200 <= self.status < 300 and not self.note


@dataclass(slots=True)
class Counts:
    """Numbers of requests, by kind and result.

    Attributes:
        requests: Every API request.
        posts: POST of /contact and the paths below it, including refused and failed ones.
        gets: GET of /contact, by dsid or identity.
        deletes: DELETE of /contact/{dsid}.
        others: Requests to other API paths, for example /about.
        creates: Contacts created.
        updates: Contacts updated.
        deleted: Contacts set to Deleted.
        not_found: GETs and DELETEs of an unknown contact.
        refused: Writes refused by a rule or a fault.
        throttled: Requests refused by the rate limit or a throttling fault.
        unauthorized: Requests without a valid token.
        failed: Responses with a 5xx or scripted status, or an empty body.
        cut: Connections closed without a response.
        slow: Delayed responses.
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
        """Number of requests about contacts; 0 if a sync has no changes."""
        return self.posts + self.gets + self.deletes


def envelope(
    settings: SandboxSettings, response: JsonValue, *, status: int = 200, message: str = "", headers: Headers = ()
) -> Reply:
    """Wrap a response as the service does; with a message it is an error."""
    wrapped: dict[str, JsonValue] = {"Status": not message, "Message": message}
    if settings.envelope_has_code:
        wrapped["Code"] = status
    wrapped["Response"] = response
    return Reply(status, json.dumps(wrapped).encode(), headers, note=message)


def error(settings: SandboxSettings, status: int, message: str, headers: Headers = ()) -> Reply:
    """Build an error in the configured form (U20)."""
    if settings.error_body is ErrorBody.HTML:
        return html_page(status, message, headers)
    if settings.error_body is ErrorBody.EMPTY:
        return Reply(status, b"", headers, note=message)
    return envelope(settings, {}, status=status, message=message, headers=headers)


def html_page(status: int, title: str, headers: Headers = ()) -> Reply:
    """Build the error page of a proxy in front of the service."""
    body = _PROXY_PAGE.format(f"{status} {title}").encode()
    return Reply(status, body, headers, content_type="text/html", note=title)


def retry_after(settings: SandboxSettings, wait_seconds: int, now: float) -> Headers:
    """Build the Retry-After header in the configured form (U1): seconds, an HTTP date, or none."""
    if settings.retry_after is RetryAfter.SECONDS:
        return (("Retry-After", str(wait_seconds)),)
    if settings.retry_after is RetryAfter.DATE:
        return (("Retry-After", formatdate(math.ceil(now) + wait_seconds, usegmt=True)),)
    return ()


def _refuse_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def decode_json(body: bytes) -> JsonValue:
    """Parse a request body.

    Raises:
        ValueError: The body is not JSON in UTF-8.
    """
    try:
        decoded: JsonValue = _DECODER.decode(body.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    return decoded
