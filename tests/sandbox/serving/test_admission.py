"""Which requests the sandbox lets in, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from dagster_dailystory.sandbox import Sandbox

ADA = {"email": "ada@example.com", "firstName": "Ada"}
CAP = 4 * 1024 * 1024


def status_under(sandbox: Sandbox, host: str, path: str = "") -> int:
    return httpx.get(f"{sandbox.url}{path}", headers={"Host": host}).status_code


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8019", "[::1]", "[::1]:8019"])
def test_every_name_of_the_loopback_interface_is_let_in(sandbox, host):
    assert status_under(sandbox, host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8019", "127.0.0.1.evil.example", "localhost.evil.example", "::1", "localhost:x", ""],
)
@pytest.mark.parametrize("path", ["", "requests", "api/v1/contact?email=ada@example.com"])
def test_another_host_name_sees_no_contact(sandbox, api, host, path):
    dsid = api.post("/contact", json=ADA).json()["Response"]["id"]
    headers = {"Host": host, "Authorization": f"Bearer {sandbox.token}"}
    response = httpx.get(f"{sandbox.url}{path}", headers=headers)
    assert (response.status_code, response.json()["Status"]) == (421, False)
    assert ADA["email"] not in response.text
    assert dsid not in response.text
    assert f"Use {sandbox.url}" in response.json()["Message"]
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_name_that_the_user_allows_is_let_in(sandbox):
    assert status_under(sandbox, "sandbox.internal:80") == 421
    sandbox.configure(allowed_hosts=("Sandbox.internal",))
    assert status_under(sandbox, "sandbox.internal:80") == 200
    assert status_under(sandbox, "evil.example") == 421


def body(size: int) -> bytes:
    """A valid contact of this size."""
    start, end = b'{"email": "ada@example.com", "title": "', b'"}'
    return start + b"t" * (size - len(start) - len(end)) + end


def in_chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_more_than_4_mb_is_refused_with_an_envelope(sandbox, api, chunked):
    def post(size: int) -> httpx.Response:
        return api.post("/contact", content=in_chunks(body(size)) if chunked else body(size))

    assert post(CAP).status_code == 200
    refused = post(CAP + 1)
    assert (refused.status_code, refused.json()["Status"], refused.json()["Response"]) == (413, False, {})
    assert "4,194,304 bytes" in refused.json()["Message"]
    assert ("Transfer-Encoding" in refused.request.headers) is chunked
    assert sandbox.counts.creates == 1
    assert api.post("/contact", json=ADA).status_code == 200, "and the sandbox goes on"


def test_a_large_body_without_a_token_is_refused_for_its_token(sandbox):
    assert httpx.post(f"{sandbox.base_url}/contact", content=body(CAP + 1)).status_code == 401
