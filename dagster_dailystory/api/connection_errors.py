"""Requests without a response, in words: what happened, to which host, and which settings to check."""

from __future__ import annotations

import asyncio
import errno

import aiohttp
import httpx

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import MAX_HEADER_BYTES
from dagster_dailystory.errors import RetryableError, UnreadableError

_NOT_SENT = (
    aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError,
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout,
)  # fmt: skip
"""Errors before the request was sent, so that it cannot have been applied."""


_TIMEOUTS = (asyncio.TimeoutError, TimeoutError, httpx.TimeoutException)


_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)


_TOO_LONG = ("Got more than", "Too many headers")
"""How aiohttp's messages about the headers of a response start."""


_PROXY_NEEDS_LOGIN = 407


def connection_error(error: Exception, settings: AccountSettings) -> RetryableError:
    """Translate a transport's exception; its text is dropped because it may contain a URL with an email."""
    if isinstance(error, aiohttp.ClientResponseError) and error.message.startswith(_TOO_LONG):
        return UnreadableError(
            f"a response of DailyStory has a header of more than {MAX_HEADER_BYTES // 1024} KB, or too many headers; "
            "have the proxy or the gateway before DailyStory, which adds them, leave them out"
        )
    if isinstance(error, _NOT_SENT):
        text = f"DailyStory could not be reached: {_not_sent(error, settings)}"
        return RetryableError(text, may_have_landed=False)
    return RetryableError(_broken(error, settings), may_have_landed=True)


def _not_sent(error: Exception, settings: AccountSettings) -> str:
    host = settings.address
    if isinstance(error, aiohttp.ClientHttpProxyError):
        needs_login = ": it expects a user name and a password" if error.status == _PROXY_NEEDS_LOGIN else ""
        return f"the proxy does not connect to {host} ({error.status}{needs_login}); {_proxy_advice(settings)}"
    if isinstance(error, _TIMEOUTS):
        return f"{host} did not accept a connection in time; {_advice(settings)}"
    if not isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to {host} could be opened; {_advice(settings)}"
    is_proxy = error.host != settings.host
    peer = f"the proxy {error.host}:{error.port}" if is_proxy else host
    return f"{_unconnected(error, peer)}; {_proxy_advice(settings) if is_proxy else _advice(settings)}"


def _unconnected(error: aiohttp.ClientConnectorError, peer: str) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name of {peer} cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return (
            f"the certificate of {peer} is not trusted; if your network has an authority of its own, "
            "name its certificates in SSL_CERT_FILE"
        )
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"{peer} does not answer with TLS"
    number = error.os_error.errno
    if number == errno.ECONNREFUSED:
        return f"{peer} refused the connection"
    return f"there is no route to {peer}" if number in _NO_ROUTE else f"no connection to {peer} could be opened"


def _advice(settings: AccountSettings) -> str:
    """The settings to check; requests to this machine use no proxy."""
    proxy = "" if settings.is_local else ", and HTTPS_PROXY if your network needs a proxy"
    return f"check base_url{proxy}"


def _proxy_advice(settings: AccountSettings) -> str:
    return f"check the proxy in HTTPS_PROXY, or add {settings.host} to NO_PROXY"


def _broken(error: Exception, settings: AccountSettings) -> str:
    host = settings.address
    if isinstance(error, _TIMEOUTS):
        return f"DailyStory ({host}) did not respond within {settings.timeout_seconds:g} s"
    if isinstance(error, aiohttp.ClientPayloadError):
        return f"the response of DailyStory ({host}) was cut off, or is too large"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"what {host} sent is not an HTTP response; check base_url"
    return f"DailyStory ({host}) closed the connection without a response"
