"""Any bytes as a response, from DailyStory or from a gateway before it, are a result or one of our errors."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.connections import HttpResponse
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.errors import DailyStoryError

TOKEN = "k3yk3yk3yk3yk3yk3yk3yk3yk-us-1"
EMAIL, MOBILE, NAME = "ada+news@example.com", "+15557140059", "Augusta Ada"
BODY = {"email": EMAIL, "mobilePhone": MOBILE, "firstName": NAME, "extendedProperties": {"nick": NAME}}

CALLS: Mapping[str, Callable[[DailyStoryClient], Awaitable[object]]] = {
    "create": lambda client: client.create_or_update(BODY),
    "update": lambda client: client.create_or_update({"dsId": "d1", **BODY}),
    "get": lambda client: client.get("d1"),
    "find by email": lambda client: client.find(email=EMAIL),
    "find by number": lambda client: client.find(mobile=MOBILE),
    "delete": lambda client: client.delete("d1"),
    "about": lambda client: client.about(),
}

SENT: Mapping[str, tuple[str, ...]] = {
    "create": (EMAIL, MOBILE, NAME),
    "update": (EMAIL, MOBILE, NAME),
    "find by email": (EMAIL,),
    "find by number": (MOBILE,),
}
"""The personal values of each request, which a response may repeat."""

_texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "d1", "Deleted", "100", "2026-01-01T00+01:00", "1e999", "\ud800", "a" * 200]),
    st.sampled_from([EMAIL, MOBILE, NAME]).map("contact {} was not found".format),
)
_scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**40), 10**40), st.floats(), _texts)
_names = st.sampled_from(
    [
        "Status", "Message", "Response", "contact", "id", "dsId", "dsid", "status", "tenant", "uid", "dataCenter",
        "TenantUID", "Name", "extendedProperties", "email", "mobilePhone", "optOutEmail", "doNotContact",
    ]
)  # fmt: skip
json_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names | st.text(max_size=5), inner, max_size=5),
    max_leaves=12,
)
_envelopes = st.fixed_dictionaries(
    {"Status": st.booleans() | _scalars, "Message": _texts | json_values},
    optional={
        "Response": st.fixed_dictionaries(
            {}, optional={"contact": st.dictionaries(_names, json_values, max_size=6), "id": _scalars}
        )
        | json_values
    },
)
_bodies = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"", b"null", b"[" * 100_000, b'{"Status":' + b"9" * 5_000 + b"}", b"\xef\xbb\xbf{}", b"<html>"]),
    (_envelopes | json_values).map(lambda value: json.dumps(value).encode()),
)
_header_names = st.sampled_from(["retry-after", "date", "location", "content-type"])
_header_values = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["1", "9" * 40, "-1", "1e5", "Wed, 21 Oct 2015 07:28:00 GMT", "Mon, 31 Dec 9999 23:59:59 -2359", "http://[::1",
         "https://us-2.dailystory.com/x", "//\ud800", "text/html"]
    ),
)  # fmt: skip
responses = st.builds(
    HttpResponse,
    status=st.integers(100, 599) | st.sampled_from([200, 200, 200, 302, 400, 401, 403, 404, 429, 503]),
    headers=st.dictionaries(_header_names, _header_values, max_size=3),
    body=_bodies,
)


@dataclass
class OneResponse:
    """A network that gives the same response to each request."""

    response: HttpResponse

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        return self.response

    async def close(self) -> None:
        pass


def outcome(settings: AccountSettings, call: Callable[[DailyStoryClient], Awaitable[object]]) -> str:
    """What a user may see of one request: its result, or the error of ours that it raised, with its causes."""

    async def run() -> object:
        async with DailyStoryClient(settings) as client:
            return await call(client)

    try:
        return repr(asyncio.run(run()))
    except DailyStoryError as error:
        return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(response=responses)
def test_a_response_is_a_result_or_an_error_without_personal_data(name: str, response: HttpResponse) -> None:
    account = AccountSettings("https://us-1.dailystory.test", TOKEN, connect=lambda *_: OneResponse(response))
    shown = outcome(account, CALLS[name])
    assert not [value for value in (TOKEN, *SENT.get(name, ())) if value in shown]


@contextmanager
def answering(content: bytes) -> Iterator[str]:
    """The address of a server that answers one request with these bytes and closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(content)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


_heads = st.sampled_from(
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200\r\n", b"HTTP/9.9 200 OK\r\n", b"HTTP/1.1 999999 no\r\n"]
)
_lines = st.lists(
    st.sampled_from(
        [b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 5\r\nContent-Length: 6\r\n",
         b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"Content-Encoding: br\r\n",
         b"\x00: \xff\r\n",
         b"Retry-After: \xff\xfe\r\n", b"no colon\r\n", b"Content-Type: application/json; charset=\xff\r\n"]
    ),
    max_size=3,
).map(b"".join)  # fmt: skip
_contents = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"{}", b"5\r\n{}", b"zz\r\n{}\r\n", b"ffffffffffffffffff\r\n", b"\x1f\x8b\x08\x00garbage"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(head=_heads, lines=_lines, content=_contents)
def test_bytes_that_are_not_http_are_one_of_our_errors(head: bytes, lines: bytes, content: bytes) -> None:
    with answering(head + lines + b"\r\n" + content) as base_url:
        shown = outcome(AccountSettings(base_url, TOKEN, timeout_seconds=2.0), CALLS["create"])
    assert not [value for value in (TOKEN, *SENT["create"]) if value in shown]
