"""Which requests the sandbox lets in: those with a host name of this machine, and with a body that fits in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aiohttp import web

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The names of this machine's loopback interface, as a Host header has them."""


_CHUNK_BYTES = 65_536


def host_name(header: str) -> str:
    """Reduce a Host header to its name, in lower case and without the port; "" if it is not a host."""
    name, colon, port = header.strip().casefold().rpartition(":")
    if not colon or header.rstrip().endswith("]"):
        name, port = header.strip().casefold(), ""
    return name if not port or port.isdecimal() else ""


def is_allowed_host(request: web.BaseRequest, bound_host: str, names: Sequence[str]) -> bool:
    """Whether a request has one Host header, with the port left open.

    A web page elsewhere can make its own name lead to 127.0.0.1 (DNS rebinding), and would then read the contacts as
    if they were its own. Its name stays in the Host header, so that the sandbox can refuse it.

    Args:
        request: The request.
        bound_host: The address on which the sandbox listens.
        names: Further names that the user allows.
    """
    headers = request.headers.getall("Host", [])
    allowed = {*LOOPBACK_NAMES, bound_host, *(name.casefold() for name in names)}
    return len(headers) == 1 and host_name(headers[0]) in allowed


def host_refusal(request: web.BaseRequest, url: str) -> web.Response:
    """Build the response to a request with another host name."""
    name = host_name(request.headers.get("Host", "")) or "(none)"
    message = (
        f"The sandbox does not answer under the host name {name}, to keep its contacts from other web sites. "
        f"Use {url}, or allow the name: --allow-host {name} on the command line, allowed_hosts in SandboxSettings."
    )
    body = json.dumps({"Status": False, "Message": message, "Response": {}})
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return web.Response(status=421, text=body, content_type="application/json", headers=headers)


async def body_of(request: web.BaseRequest, most_bytes: int | None) -> bytes | None:
    """Read the body of a request; None, with the rest unread, where it has more bytes than permitted."""
    if most_bytes is not None and (request.content_length or 0) > most_bytes:
        return None
    body = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if most_bytes is not None and len(body) > most_bytes:  # a chunked body does not say its length before
            return None
    return bytes(body)
