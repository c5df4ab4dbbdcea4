"""Connections to DailyStory: a request leaves, its whole answer comes back. The client knows what both mean."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Protocol
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx

from dagster_dailystory.api.settings import ClientSettings
from dagster_dailystory.contacts.masking import mask
from dagster_dailystory.errors import ConfigurationError

_LOGGERS = (
    "httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy",
    "httpcore.socks", "aiohttp", "aiohttp.access", "aiohttp.client", "aiohttp.internal", "aiohttp.server",
    "aiohttp.web", "aiohttp.websocket",
)  # fmt: skip


_QUERY = re.compile(r"\?[^\s'\"<>]*")


class _PrivacyFilter(logging.Filter):
    """Masks a record before any handler sees it. Loggers do not filter for their children, so each one has it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = mask(_QUERY.sub("?[query]", record.getMessage()))
        record.args = ()
        record.exc_info = None
        return True


def silence_http_loggers() -> None:
    """Let httpx, httpcore and aiohttp log no query string, email, number or token. Calling it again changes nothing."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, _PrivacyFilter) for existing in logger.filters):
            logger.addFilter(_PrivacyFilter())


TRANSPORT_ERRORS = (aiohttp.ClientError, httpx.RequestError, httpx.StreamError, OSError, asyncio.TimeoutError)
"""What `exchange` raises where there is no answer."""


_LARGEST_ANSWER_BYTES = 4 * 1024 * 1024


_KEEP_ALIVE_SECONDS = 15.0


_LONGEST_CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class HttpResponse:
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

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
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

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        """See `Connections`."""
        if self._session is None:
            self._session = self._opened()
        async with self._session.request(
            method, url, headers=self._headers, data=content, allow_redirects=False, proxy=self._proxy
        ) as answer:
            body = await _whole(answer.content.iter_any())
            return HttpResponse(answer.status, answer.headers, body)

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

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
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

    async def _sent(self, request: httpx.Request) -> HttpResponse:
        answer = await self._transport.handle_async_request(request)
        try:
            return HttpResponse(answer.status_code, answer.headers, await _whole(answer.aiter_bytes()))
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
