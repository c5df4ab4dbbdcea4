"""The transport on real sockets: headers, proxies, certificates, time limits and sizes."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.connections import Connections, HttpResponse
from dagster_dailystory.api.responses import Account
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import TRANSPORT_ERRORS, AiohttpConnections, HttpxConnections
from dagster_dailystory.errors import AuthenticationError, ConfigurationError, RetryableError, UnreadableError

TOKEN = "k3yk3yk3yk3yk3yk3yk3yk3yk-us-1"
RESPONSE = b"HTTP/1.1 200 OK\r\nSet-Cookie: node=7; Path=/\r\nContent-Length: 2\r\n\r\n{}"
Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server with one thread per connection; yields host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=run, args=(connection,), daemon=True).start()

        def run(connection: socket.socket) -> None:
            try:
                with tls.wrap_socket(connection, server_side=True) if tls else connection as wrapped:
                    serve(wrapped)
            except OSError:
                pass

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def read_request(connection: socket.socket) -> bytes:
    """A complete request; empty if the connection was closed."""
    request = b""
    while True:
        request += (more := connection.recv(65536))
        _, end, body = request.partition(b"\r\n\r\n")
        if not more or (end and len(body) >= int(headers_of(request).get("content-length", 0))):
            return request


def headers_of(request: bytes) -> dict[str, str]:
    _, *lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def responding(seen: list[bytes]) -> Serve:
    """Records each request and responds to it."""

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(RESPONSE)

    return serve


def exchange(
    connections: Connections, url: str, content: bytes | None = b"{}", *, times: int = 1
) -> HttpResponse | Exception:
    """Send a request `times` times; return the last response or the error."""

    async def scenario() -> HttpResponse:
        try:
            for _ in range(times):
                response = await connections.exchange("GET" if content is None else "POST", url, content)
            return response
        finally:
            await connections.close()

    try:
        return asyncio.run(scenario())
    except TRANSPORT_ERRORS as error:
        return error


def settings_for(address: str, scheme: str = "http", timeout_seconds: float = 5.0) -> AccountSettings:
    return AccountSettings(f"{scheme}://{address}", TOKEN, timeout_seconds=timeout_seconds)


def parsed(request: bytes) -> tuple[tuple[str, str, dict[str, list[str]]], dict[str, str], bytes]:
    """Request line, headers and body, independent of URL quoting and of the HTTP/1.1 default `keep-alive`."""
    method, target, _ = request.partition(b"\r\n")[0].decode().split(" ")
    url = urlsplit(target)
    headers = headers_of(request)
    assert headers.pop("connection", "keep-alive") == "keep-alive"
    return (method, url.path, parse_qs(url.query)), headers, request.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("content", [b'{"email":"ada@example.com"}', None])
def test_both_kinds_of_connections_send_the_same_request(content: bytes | None) -> None:
    seen: list[bytes] = []
    with server(responding(seen)) as address:
        settings, url = settings_for(address), f"http://{address}/api/v1/contact?email=ada%2Bnews%40example.com"
        for connections in (
            AiohttpConnections(settings),
            HttpxConnections(settings, transport=httpx.AsyncHTTPTransport()),
        ):
            response = exchange(connections, url, content)
            assert isinstance(response, HttpResponse)
            assert (response.status, response.body, response.headers.get("SET-cookie")) == (
                200,
                b"{}",
                "node=7; Path=/",
            )
    with_aiohttp, with_httpx = map(parsed, seen)
    assert with_aiohttp == with_httpx
    assert with_aiohttp[0][1:] == ("/api/v1/contact", {"email": ["ada+news@example.com"]})
    assert with_aiohttp[2] == (content or b"")


def test_a_connection_is_reused_and_cookies_are_not_sent_back() -> None:
    seen: list[bytes] = []
    connected: list[socket.socket] = []
    respond = responding(seen)

    def serve(connection: socket.socket) -> None:
        connected.append(connection)
        respond(connection)

    with server(serve) as address:
        named = address.replace("127.0.0.1", "localhost")  # clients do not keep cookies of an IP address
        third = exchange(AiohttpConnections(settings_for(named)), f"http://{named}/contact", times=3)
    assert isinstance(third, HttpResponse)
    assert (len(seen), len(connected)) == (3, 1)
    assert not any(b"ookie" in request for request in seen)


def test_an_endless_response_is_an_error() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    with server(serve) as address:
        error = exchange(AiohttpConnections(settings_for(address, timeout_seconds=60)), f"http://{address}/contact")
    assert "too large" in str(error)


def test_the_timeout_includes_the_last_byte_of_the_response() -> None:
    """A server that sends single bytes from time to time does not block a row."""
    stop = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not stop.wait(0.05):
            connection.sendall(b" ")

    with server(serve) as address:
        error = exchange(AiohttpConnections(settings_for(address, timeout_seconds=0.3)), f"http://{address}/contact")
        stop.set()
    assert isinstance(error, asyncio.TimeoutError)
    assert not isinstance(error, aiohttp.ConnectionTimeoutError)


def post_through(settings: AccountSettings) -> RetryableError:
    async def scenario() -> None:
        async with DailyStoryClient(settings) as client:
            await client.create_or_update({"email": "ada@example.com"})

    with pytest.raises(RetryableError) as caught:
        asyncio.run(scenario())
    return caught.value


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("https_proxy", "http_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("user", "credentials"), [("", None), ("user:word@", f"Basic {base64.b64encode(b'user:word').decode()}")]
)
def test_a_proxy_gets_no_token_and_its_refusal_cannot_have_landed(
    no_proxy: pytest.MonkeyPatch, user: str, credentials: str | None
) -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with server(serve) as address:
        no_proxy.setenv("HTTPS_PROXY", f"http://{user}{address}")
        error = post_through(AccountSettings("https://us-1.dailystory.test", TOKEN, timeout_seconds=5.0))
    assert seen[0].startswith(b"CONNECT us-1.dailystory.test:443 HTTP/1.1\r\n")
    assert headers_of(seen[0]).get("proxy-authorization") == credentials
    assert TOKEN.encode() not in seen[0]
    assert not error.may_have_landed


def test_a_loopback_host_is_reached_without_a_proxy(no_proxy: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    with server(responding(seen)) as address:
        no_proxy.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        no_proxy.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        assert isinstance(exchange(AiohttpConnections(settings_for(address)), f"http://{address}/about"), HttpResponse)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTPS_PROXY", "http://proxy:port"),
        ("HTTPS_PROXY", "socks5://user:word@127.0.0.1:1080"),
        ("https_proxy", "socks5h://127.0.0.1:1080"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:21"),
        ("SSL_CERT_FILE", "nowhere.pem"),
    ],
)
def test_an_invalid_environment_variable_is_named_before_any_request(
    no_proxy: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    no_proxy.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable) as caught:
        DailyStoryClient(AccountSettings("https://us-1.dailystory.test", TOKEN))
    assert value not in str(caught.value)


def test_a_host_in_no_proxy_is_reached_whatever_the_proxy_is(no_proxy: pytest.MonkeyPatch) -> None:
    no_proxy.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    no_proxy.setenv("NO_PROXY", "us-1.dailystory.test")
    DailyStoryClient(AccountSettings("https://us-1.dailystory.test", TOKEN))


def encoded(encoding: str, body: bytes, status: str = "200 OK") -> Serve:
    """Responds with a body and its Content-Encoding."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        head = f"HTTP/1.1 {status}\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    return serve


PLAIN = b'{"Status":true}'


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(PLAIN, mtime=0)),
        ("X-GZip", gzip.compress(PLAIN, mtime=0)),
        ("deflate", zlib.compress(PLAIN)),
        ("deflate", zlib.compress(PLAIN)[2:-4]),
        ("identity", PLAIN),
        ("gzip, x-gzip", gzip.compress(gzip.compress(PLAIN, mtime=0), mtime=0)),
    ],
)
def test_a_compressed_response_is_decompressed(encoding: str, body: bytes) -> None:
    with server(encoded(encoding, body)) as address:
        response = exchange(AiohttpConnections(settings_for(address)), f"http://{address}/contact")
    assert isinstance(response, HttpResponse)
    assert response.body == PLAIN


@pytest.mark.parametrize(("encoding", "body"), [("br", b"\x0b\x07"), ("zstd", b"x"), ("gzip", PLAIN)])
def test_an_encoding_that_cannot_be_read_is_named_and_may_have_landed(encoding: str, body: bytes) -> None:
    with server(encoded(encoding, body)) as address:
        error = post_through(settings_for(address))
    assert isinstance(error, UnreadableError)
    assert error.may_have_landed
    assert f"Content-Encoding '{encoding}'" in str(error)


def test_a_refusal_counts_whatever_its_encoding() -> None:
    with server(encoded("br", b"\x0b", "401 Unauthorized")) as address, pytest.raises(AuthenticationError):
        asyncio.run(account_at(settings_for(address)))


def test_a_small_response_that_would_fill_the_memory_is_an_error() -> None:
    with server(encoded("gzip", gzip.compress(b"\0" * 5_000_000))) as address:
        error = exchange(AiohttpConnections(settings_for(address)), f"http://{address}/contact")
    assert "too large" in str(error)


@pytest.mark.parametrize("header", ["X-Trace: " + "a" * 70_000, "\r\n".join(f"X-{n}: a" for n in range(2_000))])
def test_headers_that_are_too_long_are_named_and_may_have_landed(header: str) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(f"HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: 2\r\n\r\n{{}}".encode())

    with server(serve) as address:
        error = post_through(settings_for(address))
    assert isinstance(error, UnreadableError)
    assert error.may_have_landed
    assert "a header of more than 64 KB, or too many headers" in str(error)


async def account_at(settings: AccountSettings) -> Account:
    async with DailyStoryClient(settings) as client:
        return await client.about()


def test_a_redirect_to_an_unreadable_url_is_still_a_redirect() -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: https://h.test/caf\xe9\r\nContent-Length: 0\r\n\r\n")

    with server(serve) as address, pytest.raises(UnreadableError, match="redirects"):
        asyncio.run(account_at(settings_for(address)))


def test_the_repr_of_a_response_has_neither_headers_nor_body() -> None:
    assert repr(HttpResponse(302, {"location": "?email=ada"}, b"ada")) == "HttpResponse(status=302)"


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for 127.0.0.1: its file, and the TLS context of a server."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(minutes=5))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


def test_a_server_with_an_untrusted_certificate_gets_no_token(tmp_path: Path) -> None:
    seen: list[bytes] = []
    _, tls = certificate(tmp_path)
    with server(responding(seen), tls) as address:
        error = post_through(settings_for(address, "https"))
    assert (seen, error.may_have_landed) == ([], False)
    assert "certificate of 127.0.0.1" in str(error)


def test_an_authority_in_ssl_cert_file_is_trusted(tmp_path: Path, monkeypatch) -> None:
    seen: list[bytes] = []
    public, tls = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    with server(responding(seen), tls) as address:
        response = exchange(AiohttpConnections(settings_for(address, "https")), f"https://{address}/contact")
    assert isinstance(response, HttpResponse)
    assert len(seen) == 1
