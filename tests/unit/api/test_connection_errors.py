"""What a request without a response says: which host, what happened, and what to check."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import httpx
import pytest

from dagster_dailystory.api.connection_errors import connection_error
from dagster_dailystory.api.settings import AccountSettings

SETTINGS = AccountSettings("https://us-1.dailystory.com/api/v1", "k3yk3yk3yk3yk3yk3yk3yk3yk-us-1")
LOCAL = AccountSettings("http://127.0.0.1:8019/api/v1", "k3yk3yk3yk3yk3yk3yk3yk3yk-us-1")
DIRECT = "check base_url, and HTTPS_PROXY if your network needs a proxy"
PROXY = "check the proxy in HTTPS_PROXY, or add us-1.dailystory.com to NO_PROXY"


def at(host: str, port: int) -> Any:
    """A connection key of aiohttp, as far as its errors read it."""
    return SimpleNamespace(host=host, port=port, ssl=True, is_ssl=True)


def failed(number: int) -> OSError:
    return OSError(number, os.strerror(number))


SERVICE, GATEWAY = at("us-1.dailystory.com", 443), at("gate.example", 3128)
UNKNOWN_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
REQUEST = cast(aiohttp.RequestInfo, SimpleNamespace(real_url="http://gate.example/?email=ada@example.com"))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            aiohttp.ClientConnectorError(SERVICE, failed(errno.ECONNREFUSED)),
            f"us-1.dailystory.com refused the connection; {DIRECT}",
        ),
        (
            aiohttp.ClientConnectorDNSError(SERVICE, UNKNOWN_NAME),
            f"the name of us-1.dailystory.com cannot be resolved; {DIRECT}",
        ),
        (
            aiohttp.ClientConnectorError(SERVICE, failed(errno.ENETUNREACH)),
            f"there is no route to us-1.dailystory.com; {DIRECT}",
        ),
        (
            aiohttp.ClientConnectorError(SERVICE, OSError("Multiple exceptions")),
            f"no connection to us-1.dailystory.com could be opened; {DIRECT}",
        ),
        (
            aiohttp.ClientConnectorSSLError(SERVICE, ssl.SSLError(1, "WRONG_VERSION_NUMBER")),
            f"us-1.dailystory.com does not answer with TLS; {DIRECT}",
        ),
        (
            aiohttp.ClientConnectorCertificateError(SERVICE, ssl.SSLCertVerificationError("self-signed")),
            "the certificate of us-1.dailystory.com is not trusted; if your network has an authority of its own, "
            f"name its certificates in SSL_CERT_FILE; {DIRECT}",
        ),
        (
            aiohttp.ClientProxyConnectionError(GATEWAY, failed(errno.ECONNREFUSED)),
            f"the proxy gate.example:3128 refused the connection; {PROXY}",
        ),
        (
            aiohttp.ClientConnectorDNSError(GATEWAY, UNKNOWN_NAME),
            f"the name of the proxy gate.example:3128 cannot be resolved; {PROXY}",
        ),
        (
            aiohttp.ClientHttpProxyError(REQUEST, (), status=407),
            f"the proxy does not connect to us-1.dailystory.com (407: it expects a user name and a password); {PROXY}",
        ),
        (
            aiohttp.ClientHttpProxyError(REQUEST, (), status=503),
            f"the proxy does not connect to us-1.dailystory.com (503); {PROXY}",
        ),
        (
            aiohttp.ConnectionTimeoutError("to https://us-1.dailystory.com/contact?email=ada@example.com"),
            f"us-1.dailystory.com did not accept a connection in time; {DIRECT}",
        ),
        (httpx.ConnectError("x"), f"no connection to us-1.dailystory.com could be opened; {DIRECT}"),
    ],
)
def test_a_request_that_was_not_sent_names_the_host_the_cause_and_the_settings(error: Exception, text: str) -> None:
    translated = connection_error(error, SETTINGS)
    assert str(translated) == f"DailyStory could not be reached: {text}"
    assert not translated.may_have_landed


def test_requests_to_this_machine_name_no_proxy() -> None:
    refused = aiohttp.ClientConnectorError(at("127.0.0.1", 8019), failed(errno.ECONNREFUSED))
    text = "DailyStory could not be reached: 127.0.0.1:8019 refused the connection; check base_url"
    assert str(connection_error(refused, LOCAL)) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TimeoutError(), "DailyStory (us-1.dailystory.com) did not respond within 30 s"),
        (httpx.ReadTimeout("x"), "DailyStory (us-1.dailystory.com) did not respond within 30 s"),
        (
            aiohttp.ServerDisconnectedError(),
            "DailyStory (us-1.dailystory.com) closed the connection without a response",
        ),
        (ConnectionResetError(), "DailyStory (us-1.dailystory.com) closed the connection without a response"),
        (
            aiohttp.ClientPayloadError("not completed"),
            "the response of DailyStory (us-1.dailystory.com) was cut off, or is too large",
        ),
        (
            aiohttp.ClientResponseError(REQUEST, (), status=400, message="Bad status line"),
            "what us-1.dailystory.com sent is not an HTTP response; check base_url",
        ),
    ],
)
def test_a_request_that_may_have_been_applied_names_the_host_and_the_cause(error: Exception, text: str) -> None:
    translated = connection_error(error, SETTINGS)
    assert str(translated) == text
    assert translated.may_have_landed
