"""What the responses of DailyStory show beyond their content: the raw form of the last one, and its clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timezone
from email.utils import parsedate_to_datetime

from dagster_dailystory.api.connections import Connections, HttpResponse
from dagster_dailystory.api.responses import read_envelope
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import AiohttpConnections

_Clock = Callable[[], float]


@dataclass
class Observations:
    """Notes what passes through the connections of an account. An examination has one request in flight at a time.

    Attributes:
        now: Seconds since the epoch.
        last: The last response.
        clock_offset: Seconds by which the clock of DailyStory is ahead of ours, None without a Date header.
    """

    now: _Clock = time.time
    last: HttpResponse | None = None
    clock_offset: float | None = None

    def of(self, account: AccountSettings) -> AccountSettings:
        """The same account, with its connections observed."""
        connect = account.connect or AiohttpConnections
        return replace(account, connect=lambda *seams: _ObservedConnections(connect(*seams), self))

    @property
    def status(self) -> int:
        """The HTTP status of the last response."""
        return 0 if self.last is None else self.last.status

    @property
    def envelope(self) -> Mapping[str, object] | None:
        """The last response as a JSON object, None if it is none."""
        return None if self.last is None else read_envelope(self.last.body)

    @property
    def body_form(self) -> str:
        """The form of the body of the last response."""
        if self.envelope is not None:
            return "envelope"
        body = b"" if self.last is None else self.last.body.strip()
        return "html" if body[:1] == b"<" else "text" if body else "empty"

    def note(self, response: HttpResponse, sent_at: float) -> None:
        """Note a response to a request that was sent at this time."""
        self.last = response
        try:
            date = parsedate_to_datetime(response.headers.get("date", ""))
        except (ValueError, TypeError, IndexError):
            return
        stamp = date.replace(tzinfo=date.tzinfo or timezone.utc).timestamp()
        # The header has whole seconds, and was written between the request and now.
        self.clock_offset = stamp + 0.5 - (sent_at + self.now()) / 2


class _ObservedConnections:
    """See `Connections`."""

    def __init__(self, connections: Connections, observations: Observations) -> None:
        self._connections = connections
        self._observations = observations

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        sent_at = self._observations.now()
        response = await self._connections.exchange(method, url, content)
        self._observations.note(response, sent_at)
        return response

    async def close(self) -> None:
        await self._connections.close()
