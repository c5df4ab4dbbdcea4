"""Connections to DailyStory: a request leaves, its whole answer comes back. The client knows what both mean."""

from __future__ import annotations

import asyncio
import math
import re
import ssl
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Protocol
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx

from dagster_dailystory.errors import ConfigurationError

TRANSPORT_ERRORS = (aiohttp.ClientError, httpx.RequestError, httpx.StreamError, OSError, asyncio.TimeoutError)
"""What `exchange` raises where there is no answer."""

_LARGEST_ANSWER_BYTES = 4 * 1024 * 1024
_KEEP_ALIVE_SECONDS = 15.0
_LONGEST_CONNECT_SECONDS = 10.0
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")


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
        if not 0 < self.timeout_seconds < math.inf or self.max_connections < 1:
            raise ConfigurationError("timeout_seconds and max_connections must be positive, and no infinity")

    @property
    def host(self) -> str:
        """The host alone: what state remembers as the destination."""
        return httpx.URL(self.base_url).host

    @property
    def is_local(self) -> bool:
        """Whether the host is this machine (the sandbox)."""
        return _LOOPBACK.fullmatch(self.host) is not None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer that has arrived as a whole.

    Attributes:
        status: The status code.
        headers: Found by their names in any case.
        body: The content, decoded where it was compressed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Connections(Protocol):
    """What the client needs of the network, and tests replace. Used inside one event loop."""

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpAnswer:
        """Make one request with the token; redirects are answers.

        Raises:
            One of TRANSPORT_ERRORS: The answer did not come whole, in time, or was too large.
        """

    async def close(self) -> None:
        """Close all connections."""


class AiohttpConnections:
    """Real ones. httpx's own pool costs CPU that grows with the connections; see docs/decisions/004.

    Raises:
        ConfigurationError: The environment names a proxy or authorities that cannot be used.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        # With each request: what a session says by default it says to a proxy as well, before anything is encrypted.
        self._headers = _headers(settings)
        self._proxy = None if settings.is_local else _proxy_for(settings.host)
        self._tls = _authorities() if settings.base_url.startswith("https://") else None
        self._session: aiohttp.ClientSession | None = None

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpAnswer:
        """See `Connections`."""
        if self._session is None:
            self._session = self._opened()
        async with self._session.request(
            method, url, headers=self._headers, data=content, allow_redirects=False, proxy=self._proxy
        ) as answer:
            body = await _whole(answer.content.iter_any())
            return HttpAnswer(answer.status, answer.headers, body)

    async def close(self) -> None:
        """See `Connections`."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        settings = self._settings
        connect = _connect_seconds(settings)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=settings.max_connections,
                keepalive_timeout=_KEEP_ALIVE_SECONDS,
                ssl=self._tls or True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=settings.timeout_seconds, connect=connect, sock_connect=connect),
        )


class HttpxConnections:
    """Those of an httpx transport: `httpx.MockTransport` in tests, `httpx.AsyncHTTPTransport` on the network.

    Args:
        settings: Address, token, time-out.
        transport: Gets each request with all its headers.
    """

    def __init__(self, settings: ClientSettings, transport: httpx.AsyncBaseTransport) -> None:
        self._settings = settings
        self._transport = transport

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpAnswer:
        """See `Connections`."""
        connect = _connect_seconds(self._settings)
        request = httpx.Request(
            method,
            url,
            headers=_headers(self._settings),
            content=content,
            extensions={"timeout": {"connect": connect, "pool": connect}},
        )
        return await asyncio.wait_for(self._sent(request), self._settings.timeout_seconds)

    async def _sent(self, request: httpx.Request) -> HttpAnswer:
        answer = await self._transport.handle_async_request(request)
        try:
            return HttpAnswer(answer.status_code, answer.headers, await _whole(answer.aiter_bytes()))
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """See `Connections`."""
        await self._transport.aclose()


async def _whole(chunks: AsyncIterable[bytes]) -> bytes:
    body, size = [], 0
    async for chunk in chunks:
        body.append(chunk)
        size += len(chunk)
        if size > _LARGEST_ANSWER_BYTES:
            raise aiohttp.ClientPayloadError("the answer is too large")
    return b"".join(body)


def _headers(settings: ClientSettings) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {settings.api_token}",
        "User-Agent": f"dagster-dailystory/{version('dagster-dailystory')}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json; charset=utf-8",
    }


def _connect_seconds(settings: ClientSettings) -> float:
    return min(_LONGEST_CONNECT_SECONDS, settings.timeout_seconds / 2)


def _proxy_for(host: str) -> str | None:
    address = getproxies().get("https")
    if not address or proxy_bypass(host):
        return None
    address = address if "://" in address else f"http://{address}"
    try:
        httpx.URL(address)
    except httpx.InvalidURL:
        raise ConfigurationError("HTTPS_PROXY of the environment is no address; http://host:port is one") from None
    return address


def _authorities() -> ssl.SSLContext:
    """Those of certifi, or the ones that SSL_CERT_FILE or SSL_CERT_DIR names. There is no switch to trust everybody."""
    try:
        return httpx.create_ssl_context()
    except OSError:
        raise ConfigurationError(
            "SSL_CERT_FILE or SSL_CERT_DIR names no certificates that can be read; correct or unset it"
        ) from None


def _is_host(name: str) -> bool:
    try:
        return bool(name.encode("idna"))
    except UnicodeError:  # a part of it is empty, or longer than 63 characters
        return False


def _normal_base_url(text: str) -> str:
    example = "for example https://us-1.dailystory.com/api/v1"
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, TypeError):
        raise ConfigurationError(f"base_url is not an address; {example}") from None
    if url.scheme not in ("http", "https") or not _is_host(url.host):
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
