"""HTTP connections to DailyStory. They send a request and return its complete response; the client reads it."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import ssl
import zlib
from collections.abc import AsyncIterable, Mapping
from importlib.metadata import version
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from aiohttp.abc import AbstractStreamWriter

from dagster_dailystory.api.connections import HeldBackError, HttpResponse, MayWrite
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.contacts.masking import mask
from dagster_dailystory.errors import ConfigurationError, UnreadableError

_LOGGERS = (
    "httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy",
    "httpcore.socks", "aiohttp", "aiohttp.access", "aiohttp.client", "aiohttp.internal", "aiohttp.server",
    "aiohttp.web", "aiohttp.websocket",
)  # fmt: skip


_QUERY = re.compile(r"\?[^\s'\"<>]*")


class _PrivacyFilter(logging.Filter):
    """Masks a log record before a handler sees it. Each logger needs it: a filter does not apply to child loggers."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = mask(_QUERY.sub("?[query]", record.getMessage()))
        record.args = ()
        record.exc_info = None
        return True


def silence_http_loggers() -> None:
    """Keep query strings, emails, phone numbers and tokens out of the logs of the HTTP libraries. Idempotent."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, _PrivacyFilter) for existing in logger.filters):
            logger.addFilter(_PrivacyFilter())


TRANSPORT_ERRORS = (aiohttp.ClientError, httpx.RequestError, httpx.StreamError, OSError, asyncio.TimeoutError)
"""What `exchange` raises if there is no response."""


_MAX_RESPONSE_BYTES = 4 * 1024 * 1024
"""A larger response is an error, so that an endless one cannot fill the memory."""


MAX_HEADER_BYTES = 64 * 1024
"""A longer header of a response is an error; gateways before a service add some of more than the usual 8 KB."""


_KEEP_ALIVE_SECONDS = 15.0
"""Unused connections are closed after this time."""


_MAX_CONNECT_SECONDS = 10.0
"""Limit of connecting, within the limit of the whole request."""


class _Body(aiohttp.BytesPayload):
    """The body of a POST or a DELETE, which asks whether it may be sent when it is about to be.

    The request was allowed before its connection was made. Meanwhile the process may have been stopped, or the machine
    may have slept. Without its body the request is not complete, so that the service does not apply it.
    """

    def __init__(self, content: bytes, may_write: MayWrite) -> None:
        super().__init__(content, content_type="application/json")
        self._may_write = may_write
        self.is_held_back = False

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """See `aiohttp.Payload`."""
        if not self._may_write():
            self.is_held_back = True
            raise HeldBackError
        await super().write_with_length(writer, content_length)


class AiohttpConnections:
    """Connections of aiohttp; the pool of httpx needs more CPU with each connection (docs/decisions/004).

    Args:
        settings: Address, token, timeout, connections.
        may_write: Asked right before a POST or a DELETE is sent, when its connection is made.

    Raises:
        ConfigurationError: The environment names a proxy or certificates that cannot be used.
    """

    def __init__(self, settings: AccountSettings, may_write: MayWrite = lambda: True) -> None:
        self._settings = settings
        self._may_write = may_write
        # Sent with each request: a session would also send its default headers to a proxy, unencrypted.
        self._headers = _headers(settings)
        self._proxy = None if settings.is_local else _proxy_for(settings.host)
        self._tls = _tls_context() if settings.base_url.startswith("https://") else None
        self._session: aiohttp.ClientSession | None = None

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        """See `Connections`."""
        if self._session is None:
            self._session = self._open_session()
        body = None if method == "GET" else _Body(content or b"", self._may_write)
        try:
            async with self._session.request(
                method, url, headers=self._headers, data=body, allow_redirects=False, proxy=self._proxy
            ) as response:
                read = await _read_all(response.content.iter_any())
        except aiohttp.ClientConnectionError:
            if body is not None and body.is_held_back:
                raise HeldBackError from None
            raise
        return HttpResponse(response.status, response.headers, _decoded(response.status, response.headers, read))

    async def close(self) -> None:
        """See `Connections`."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        settings = self._settings
        connect = _connect_seconds(settings)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=settings.most_connections,
                keepalive_timeout=_KEEP_ALIVE_SECONDS,
                ssl=self._tls or True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=settings.timeout_seconds, connect=connect, sock_connect=connect),
            auto_decompress=False,  # aiohttp drops a whole response whose encoding it does not know
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )


class HttpxConnections:
    """Connections of an httpx transport: `httpx.MockTransport` in tests, `httpx.AsyncHTTPTransport` on the network.

    Args:
        settings: Address, token, timeout.
        may_write: Asked before a POST or a DELETE is given to the transport.
        transport: Receives each request with all its headers.
    """

    def __init__(
        self, settings: AccountSettings, may_write: MayWrite = lambda: True, *, transport: httpx.AsyncBaseTransport
    ) -> None:
        self._settings = settings
        self._may_write = may_write
        self._transport = transport

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        """See `Connections`."""
        if method != "GET" and not self._may_write():
            raise HeldBackError
        connect = _connect_seconds(self._settings)
        request = httpx.Request(
            method,
            url,
            headers=_headers(self._settings),
            content=content,
            extensions={"timeout": {"connect": connect, "pool": connect}},
        )
        return await asyncio.wait_for(self._send(request), self._settings.timeout_seconds)

    async def _send(self, request: httpx.Request) -> HttpResponse:
        response = await self._transport.handle_async_request(request)
        try:
            return HttpResponse(response.status_code, response.headers, await _read_all(response.aiter_bytes()))
        finally:
            await response.aclose()

    async def close(self) -> None:
        """See `Connections`."""
        await self._transport.aclose()


async def _read_all(chunks: AsyncIterable[bytes]) -> bytes:
    body, size = [], 0
    async for chunk in chunks:
        body.append(chunk)
        size += len(chunk)
        if size > _MAX_RESPONSE_BYTES:
            raise aiohttp.ClientPayloadError("the response is too large")
    return b"".join(body)


def _decoded(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """The content without its encodings. What cannot be read of a refusal is left out: its status says enough."""
    encodings = [each.strip().lower() for each in headers.get("content-encoding", "").split(",")]
    try:
        for encoding in reversed(encodings):
            body = body if encoding in ("", "identity") else _decompressed(encoding, body)
    except (KeyError, zlib.error):
        if status // 100 != 2:
            return b""
        name = mask(" ".join(encodings))[:_LONGEST_ENCODING]
        raise UnreadableError(
            f"a response of DailyStory has the Content-Encoding {name!r}, which was not asked for and cannot be read; "
            "have the proxy or the gateway before DailyStory, which encodes it, leave responses as they are"
        ) from None
    return body


def _decompressed(encoding: str, body: bytes) -> bytes:
    formats = _FORMATS[encoding]
    for number, window_bits in enumerate(formats, start=1):
        inflate = zlib.decompressobj(window_bits)
        try:
            plain = inflate.decompress(body, _MAX_RESPONSE_BYTES)
        except zlib.error:
            if number == len(formats):
                raise
            continue
        if inflate.unconsumed_tail:
            raise aiohttp.ClientPayloadError("the response is too large")
        return plain
    return body


_GZIP, _ZLIB, _DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS

_FORMATS = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _DEFLATE)}
"""The encodings that can be read, as zlib's window bits; services send either format as deflate."""

_LONGEST_ENCODING = 40


def _headers(settings: AccountSettings) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {settings.api_token}",
        "User-Agent": f"dagster-dailystory/{version('dagster-dailystory')}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json; charset=utf-8",
    }


def _connect_seconds(settings: AccountSettings) -> float:
    return min(_MAX_CONNECT_SECONDS, settings.timeout_seconds / 2)


def _proxy_for(host: str) -> str | None:
    address = getproxies().get("https")
    if not address or proxy_bypass(host):
        return None
    address = address if "://" in address else f"http://{address}"
    spelled = [name for name in ("https_proxy", "HTTPS_PROXY") if os.environ.get(name)]
    variable = spelled[0] if spelled else "the HTTPS proxy of the system"
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        raise ConfigurationError(f"{variable} is not a valid URL; expected http://host:port") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(
            f"{variable} names a proxy of the kind {url.scheme}://, and requests to DailyStory can only use an HTTP "
            f"proxy; set it to http://host:port, or add {host} to NO_PROXY"
        )
    return address


def _tls_context() -> ssl.SSLContext:
    """Trust certifi's authorities, or those in SSL_CERT_FILE or SSL_CERT_DIR. Verification cannot be switched off."""
    try:
        return httpx.create_ssl_context()
    except OSError:
        raise ConfigurationError(
            "the certificates in SSL_CERT_FILE or SSL_CERT_DIR cannot be read; correct or unset the variable"
        ) from None
