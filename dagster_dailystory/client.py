"""DailyStory's contact API: one method a call, one HTTP request a method; the sender decides about retries."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
from collections.abc import AsyncIterable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from types import TracebackType
from urllib.parse import quote
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from dagster_dailystory.consent import check_consent
from dagster_dailystory.errors import ConfigurationError, NotFoundError, RejectedError, RetryableError
from dagster_dailystory.http_logs import silence_http_loggers
from dagster_dailystory.remote import AboutAnswer, RemoteContact, about_answer, remote_contact
from dagster_dailystory.verdict import broken, failure_of, read_envelope

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    from async_timeout import timeout  # type: ignore[import-not-found]  # aiohttp brings it along on 3.10 alone

__all__ = ["AboutAnswer", "ClientSettings", "DailyStoryClient", "RemoteContact"]

_LARGEST_ANSWER_BYTES = 4 * 1024 * 1024
_KEEP_ALIVE_SECONDS = 15.0
_LONGEST_CONNECT_SECONDS = 10.0
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
_TRANSPORT_ERRORS = (httpx.TransportError, httpx.StreamError, aiohttp.ClientError, OSError, asyncio.TimeoutError)
_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Where DailyStory is and how to enter.

    Attributes:
        base_url: The data centre's address, `https://us-1.dailystory.com/api/v1`; a bare host gets `/api/v1`.
        api_token: From Account Settings > API Tokens. Sent as Bearer, shown nowhere.
        timeout_seconds: Longest time for one request, from the connection to the last byte of the answer.
        max_connections: Connections that are open at once; the sender's concurrency.
        consent_override: The sync's `consent_override`.

    Raises:
        ConfigurationError: The address or the token cannot work, or the token would travel unencrypted.
    """

    base_url: str
    api_token: str = field(repr=False)
    timeout_seconds: float = 30.0
    max_connections: int = 4
    consent_override: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", _normal_base_url(self.base_url))
        object.__setattr__(self, "api_token", self.api_token.strip())
        if not re.fullmatch(r"[\x21-\x7e]+", self.api_token):
            raise ConfigurationError("api_token is empty or has a character that no token has; copy it again")
        if not self.timeout_seconds > 0 or self.max_connections < 1:
            raise ConfigurationError("timeout_seconds and max_connections must be positive")

    @property
    def host(self) -> str:
        """The host alone: what state remembers as the destination."""
        return httpx.URL(self.base_url).host

    @property
    def is_local(self) -> bool:
        """Whether the host is this machine (the sandbox)."""
        return _LOOPBACK.fullmatch(self.host) is not None


def _normal_base_url(text: str) -> str:
    example = "for example https://us-1.dailystory.com/api/v1"
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, TypeError):
        raise ConfigurationError(f"base_url is not an address; {example}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(f"base_url must start with https:// and name a host; {example}")
    if url.userinfo or url.query or url.fragment:
        raise ConfigurationError(f"base_url must not hold a user, a password, a query or a fragment; {example}")
    if url.scheme == "http" and not _LOOPBACK.fullmatch(url.host):
        raise ConfigurationError(
            f"base_url must start with https://: the API token would travel unencrypted; {example}"
        )
    path = url.path.rstrip("/")
    if path and not path.endswith("/api/v1"):
        raise ConfigurationError(f"base_url must end in /api/v1, not in {path!r}; {example}")
    return str(url.copy_with(path=path or "/api/v1"))


class DailyStoryClient:
    """The contact API over one pool of connections. Use it as `async with`, inside one event loop.

    No method retries, follows a redirect or logs; each raises the errors of `dagster_dailystory.errors` by how one
    recovers: AuthenticationError, ConfigurationError (redirect), RejectedError, NotFoundError, RetryableError and
    ThrottledError.

    Args:
        settings: Address, token, time-out.
        transport: Replaces the network, in tests.
    """

    def __init__(self, settings: ClientSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        silence_http_loggers()
        self._settings = settings
        self._transport = transport or _default_transport(settings)
        self._base = httpx.URL(settings.base_url)
        self._contact = httpx.URL(settings.base_url + "/contact")
        connect = min(_LONGEST_CONNECT_SECONDS, settings.timeout_seconds / 2)
        self._extensions = {"timeout": {"connect": connect, "pool": connect}}  # `_request` bounds the whole
        self._headers = httpx.Headers(
            {
                "Host": self._base.netloc.decode("ascii"),
                "Authorization": f"Bearer {settings.api_token}",
                "User-Agent": f"dagster-dailystory/{version('dagster-dailystory')}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json; charset=utf-8",
            }
        )

    async def __aenter__(self) -> DailyStoryClient:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def create_or_update(self, body: Mapping[str, object], *, allowed: Collection[str] = ()) -> str:
        """POST one contact: with `dsId` an update, without one a create.

        Args:
            body: The JSON object.
            allowed: Consent fields that this one request may set, besides `consent_override`.

        Returns:
            The dsid that the service answered; it may differ from the one sent.

        Raises:
            ConsentError: The body would undo an opt-out; nothing was sent.
        """
        check_consent(body, self._settings.consent_override | frozenset(allowed))
        content = _encoded(body)
        answer = await self._request(
            "POST", self._contact, content, names_dsid="dsId" in body, personal=_personal_values(body)
        )
        response = answer.get("Response", answer)
        dsid = response.get("id") if isinstance(response, Mapping) else None
        if isinstance(dsid, bool) or not isinstance(dsid, (str, int)) or dsid == "":
            raise RetryableError("DailyStory answered a POST without a contact id")
        return str(dsid)

    async def get(self, dsid: str) -> RemoteContact | None:
        """GET a contact by its id; None if the service does not know it."""
        return await self._look_up(self._url_of(dsid), ())

    async def find(self, *, email: str | None = None, mobile: str | None = None) -> RemoteContact | None:
        """GET the first contact with this email or this mobile number; exactly one of them is given."""
        if (email is None) == (mobile is None):
            raise ValueError("find() takes an email or a mobile number")
        query = f"email={_quoted(email)}" if email is not None else f"mobilephone={_quoted(mobile or '')}"
        return await self._look_up(httpx.URL(f"{self._contact}?{query}"), (email, mobile))

    async def delete(self, dsid: str) -> None:
        """DELETE a contact; the service keeps it with the status Deleted.

        Raises:
            NotFoundError: There is none.
        """
        await self._request("DELETE", self._url_of(dsid), names_dsid=True)

    async def about(self) -> AboutAnswer:
        """GET /about: checks the token and names the account, as far as the service tells."""
        try:
            answer = await self._request("GET", httpx.URL(self._settings.base_url + "/about"))
        except RejectedError:
            return AboutAnswer()
        return about_answer(answer)

    def _url_of(self, dsid: str) -> httpx.URL:
        if not dsid.strip() or set(dsid) <= {"."}:
            raise NotFoundError("the contact's dsid is empty")
        return httpx.URL(f"{self._contact}/{_quoted(dsid)}")

    async def _look_up(self, url: httpx.URL, personal: Iterable[object]) -> RemoteContact | None:
        """How a missing contact is answered is not documented (U12): 404, 400, `Status: false` and no contact count."""
        try:
            answer = await self._request("GET", url, personal=personal)
        except RejectedError as error:
            if error.status in (200, 400, 404):
                return None
            raise
        return remote_contact(answer)

    async def _request(
        self,
        method: str,
        url: httpx.URL,
        content: bytes | None = None,
        *,
        names_dsid: bool = False,
        personal: Iterable[object] = (),
    ) -> Mapping[str, object]:
        request = self._built(method, url, content)
        failure: Exception | None = None
        try:
            async with timeout(self._settings.timeout_seconds):
                response, body = await self._exchange(request)
        except _TRANSPORT_ERRORS as error:
            failure = broken(error)
        if failure is None:
            envelope = read_envelope(body)
            failure = failure_of(response, envelope, names_dsid=names_dsid, personal=personal)
        if failure is not None:
            raise failure  # outside the handlers: the transport's exception, with the address, is no context of it
        return envelope or {}

    def _built(self, method: str, url: httpx.URL, content: bytes | None) -> httpx.Request:
        """A request made without httpx's guesses at the encoding of the headers and the kind of the content."""
        stream = httpx.ByteStream(content or b"")
        request = httpx.Request(method, url, headers=self._headers, stream=stream, extensions=self._extensions)
        request.headers.encoding = "ascii"
        if content is not None:
            request.headers["Content-Length"] = str(len(content))
        request.read()
        return request

    async def _exchange(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """Send through the transport itself: httpx.AsyncClient adds a third of the time and logs each address."""
        response = await self._transport.handle_async_request(request)
        chunks, size = [], 0
        # A body as it came is read without httpx's decoders: a tenth of the time for a request.
        stream: AsyncIterable[bytes] = response.aiter_bytes()
        if "content-encoding" not in response.headers and isinstance(response.stream, httpx.AsyncByteStream):
            stream = response.stream
        try:
            async for chunk in stream:
                chunks.append(chunk)
                size += len(chunk)
                if size > _LARGEST_ANSWER_BYTES:
                    raise httpx.ReadError("the answer is too large")
        finally:
            await response.aclose()
        return response, b"".join(chunks)


def _default_transport(settings: ClientSettings) -> httpx.AsyncBaseTransport:
    """The aiohttp transport: httpx's own pool is quadratic in the connections. It verifies TLS, without a switch."""
    limits = httpx.Limits(max_connections=settings.max_connections, keepalive_expiry=_KEEP_ALIVE_SECONDS)
    if settings.is_local and settings.base_url.startswith("http://"):
        # Without the authorities that nobody asks: reading them takes 30 ms. It trusts no server.
        return AiohttpTransport(limits=limits, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    return AiohttpTransport(limits=limits, proxy=None if settings.is_local else _proxy_for(settings.host))


def _proxy_for(host: str) -> httpx.Proxy | None:
    address = getproxies().get("https")
    if not address or proxy_bypass(host):
        return None
    return httpx.Proxy(address if "://" in address else f"http://{address}")


def _encoded(body: Mapping[str, object]) -> bytes:
    try:
        return _json.encode(body).encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        pass
    raise RejectedError("a value of this row cannot be written as JSON: numbers must be finite and text valid Unicode")


def _personal_values(body: Mapping[str, object]) -> Iterator[object]:
    """The values that a message of the service could repeat; the id is not personal."""
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from value.values()
        elif name not in ("dsId", "status"):
            yield value


def _quoted(text: str) -> str:
    return quote(text, safe="")
