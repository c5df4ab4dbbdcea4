"""The network as the client needs it: a request goes out, and its complete response comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete response.

    Attributes:
        status: The status code.
        headers: A mapping that ignores case.
        body: The content, decompressed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


MayWrite = Callable[[], bool]
"""Says whether a request that changes a contact may be sent now."""


class HeldBackError(Exception):
    """A request that changes a contact may not be sent now, and was not sent."""


class Connections(Protocol):
    """The network as the client needs it, replaced in tests. Used in one event loop."""

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        """Send one request with the token; redirects are returned, not followed.

        Raises:
            HeldBackError: The request would change a contact, and may not be sent now.
            One of TRANSPORT_ERRORS: The response was incomplete, late or too large.
            UnreadableError: The response accepts the request, and its content has an encoding that cannot be read.
        """

    async def close(self) -> None:
        """Close all connections."""
