"""The client on real sockets, against the sandbox and against servers that break off."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import httpx
import pytest

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import HttpxConnections
from dagster_dailystory.errors import AuthenticationError, RetryableError, UnreadableError
from dagster_dailystory.sandbox import Sandbox, SandboxSettings

T = TypeVar("T")
TOKEN = "k3yk3yk3yk3yk3yk3yk3yk3yk-us-1"
EMAIL = "ada+news@example.com"
MOBILE = "+15557140059"


def run_at(base_url: str, call: Callable[[DailyStoryClient], Awaitable[T]], *, token: str = TOKEN) -> T:
    async def scenario() -> T:
        async with DailyStoryClient(AccountSettings(base_url, token, timeout_seconds=1.0)) as client:
            return await call(client)

    return asyncio.run(scenario())


def post(client: DailyStoryClient) -> Awaitable[str]:
    return client.create_or_update({"email": EMAIL, "firstName": "Grace"})


def test_a_contact_is_created_found_and_deleted_over_real_http() -> None:
    async def scenario(client: DailyStoryClient) -> None:
        dsid = await client.create_or_update({"email": EMAIL, "mobilePhone": MOBILE, "city": "Zürich"})
        for found in (await client.get(dsid), await client.find(email=EMAIL), await client.find(mobile=MOBILE)):
            assert found is not None
            assert (found.dsid, found.fields["city"]) == (dsid, "Zürich")
        await client.delete(dsid)
        assert await client.find(email="unknown@example.com") is None
        assert (await client.about()).tenant == "Sandbox Account"

    with Sandbox() as sandbox:
        run_at(sandbox.base_url, scenario, token=sandbox.token)


def test_a_wrong_token_is_an_authentication_error_over_real_http() -> None:
    with Sandbox() as sandbox, pytest.raises(AuthenticationError):
        run_at(sandbox.base_url, post)


def test_a_redirect_is_not_followed_over_real_http() -> None:
    with Sandbox(SandboxSettings(wrong_host="302")) as sandbox, pytest.raises(UnreadableError, match="uk-3"):
        run_at(sandbox.base_url, post, token=sandbox.token)


@contextmanager
def listener(*, response: bytes | None) -> Iterator[str]:
    """A server that reads a request, then sends `response` and closes, or never responds if it is None."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connections: list[socket.socket] = []

        def serve() -> None:
            connection, _ = server.accept()
            connections.append(connection)
            connection.recv(65536)
            if response is not None:
                connection.sendall(response)
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()
        for connection in connections:
            connection.close()


@pytest.mark.parametrize(
    "response",
    [
        None,
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"what is this?\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
    ],
)
def test_a_connection_that_breaks_after_the_request_may_have_landed(response: bytes | None) -> None:
    with listener(response=response) as base_url, pytest.raises(RetryableError) as caught:
        run_at(base_url, lambda client: client.create_or_update({"email": EMAIL}))
    assert caught.value.may_have_landed
    assert caught.value.__context__ is None


def test_a_refused_connection_cannot_have_landed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(RetryableError) as caught:
        run_at(f"http://127.0.0.1:{port}", post)
    assert not caught.value.may_have_landed


def test_no_query_email_or_token_is_logged_at_debug_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpcore.http11").setLevel(logging.DEBUG)

    async def through_httpx(base_url: str, token: str) -> None:
        over_httpx = partial(HttpxConnections, transport=httpx.AsyncHTTPTransport())
        async with DailyStoryClient(AccountSettings(base_url, token, connect=over_httpx)) as client:
            await client.create_or_update({"email": EMAIL})
            await client.find(email=EMAIL)
        async with httpx.AsyncClient() as other:
            await other.get(f"{base_url}/contact", params={"email": EMAIL})

    with Sandbox() as sandbox:
        asyncio.run(through_httpx(sandbox.base_url, sandbox.token))
        run_at(sandbox.base_url, lambda client: client.find(email=EMAIL), token=sandbox.token)
    assert any(record.name.startswith("httpcore") for record in caplog.records)
    assert any(record.name == "httpx" for record in caplog.records)
    for secret in ("ada", "example.com", "%40", sandbox.token):
        assert secret not in caplog.text
