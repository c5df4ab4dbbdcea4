"""The requests that the sandbox remembers, in order and by contact."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from urllib.parse import parse_qs, unquote

from dagster_dailystory.sandbox.records import email_key, mobile_key
from dagster_dailystory.sandbox.replies import RecentRequest, decode_json
from dagster_dailystory.sandbox.settings import JsonValue

MOST_REQUESTS = 20_000
"""Requests that the sandbox remembers; older ones are forgotten."""


MOST_BYTES = 32 * 1024 * 1024
"""Bytes of bodies that it remembers."""


MOST_BODY_BYTES = 64 * 1024
"""Bytes that it remembers of one body."""


def identities(email: JsonValue, mobile: JsonValue) -> tuple[str, ...]:
    """Build the subjects of an email and a mobile number; empty ones are left out."""
    named = (("email", email_key(email)), ("mobile", mobile_key(mobile)))
    return tuple(f"{name}:{key}" for name, key in named if key)


def subjects_of(path: str, query: str, body: bytes | None) -> tuple[str, ...]:
    """List what identifies the contacts that a request is about, for a request whose response does not say it.

    Args:
        path: The percent-encoded path after /api/v1.
        query: The percent-encoded query.
        body: The body; None where it was not read.
    """
    if path.casefold().startswith("/contact/") and path.count("/") == 2:
        last = unquote(path.rpartition("/")[2])
        if last.casefold() not in ("upsert", "import"):
            return (last,)
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    subjects = list(identities(asked.get("email"), asked.get("mobilephone")))
    try:
        decoded = decode_json(body or b"null")
    except ValueError:
        decoded = None
    for item in decoded if isinstance(decoded, list) else [decoded]:
        if isinstance(item, dict):
            subjects += _subjects_of_record({name.casefold(): value for name, value in item.items()})
    return tuple(dict.fromkeys(subjects))


def _subjects_of_record(record: dict[str, JsonValue]) -> tuple[str, ...]:
    dsid = record.get("dsid")
    return (dsid,) if dsid and isinstance(dsid, str) else identities(record.get("email"), record.get("mobilephone"))


class RequestHistory:
    """Remembers the latest requests. All methods are thread-safe.

    Attributes:
        total: Requests since the start or the last `clear`, forgotten ones included.

    Args:
        most_requests: How many it remembers.
        most_bytes: How many bytes of bodies it remembers.
    """

    def __init__(self, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES) -> None:
        self.total = 0
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._bytes = 0
        self._requests: deque[RecentRequest] = deque()
        self._by_subject: dict[str, deque[RecentRequest]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, request: RecentRequest) -> None:
        """Remember a request."""
        with self._lock:
            self._add(request)

    def latest(self, limit: int, offset: int = 0, *, problems: bool = False) -> list[RecentRequest]:
        """List requests, newest first; with `problems`, only those that were not accepted."""
        with self._lock:
            newest = (each for each in reversed(self._requests) if not problems or not each.is_accepted)
            return list(islice(newest, offset, offset + limit))

    def problems(self) -> int:
        """Count the remembered requests that were not accepted."""
        with self._lock:
            return sum(not each.is_accepted for each in self._requests)

    def about(self, subjects: Iterable[str]) -> list[RecentRequest]:
        """List the remembered requests about a contact, oldest first.

        Args:
            subjects: Its dsid and its `identities`.
        """
        with self._lock:
            numbered = {each.number: each for name in subjects for each in self._by_subject.get(name, ())}
        return [numbered[number] for number in sorted(numbered)]

    def per_second(self, now: float, seconds: float = 5.0) -> int:
        """Compute the rate of the latest seconds."""
        with self._lock:
            count = 0
            for each in reversed(self._requests):
                if each.at < now - seconds:
                    break
                count += 1
        return round(count / seconds)

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._clear()

    def dump(self) -> list[JsonValue]:
        """Return the remembered requests as JSON values, oldest first."""
        with self._lock:
            requests = list(self._requests)
        return [
            [
                each.at, each.method, each.path, each.query, each.status, each.dsid, list(each.keys), each.note,
                each.body.decode("utf-8", "surrogateescape"), each.body_bytes, list(each.subjects),
            ]
            for each in requests
        ]  # fmt: skip

    def load(self, dumped: JsonValue, total: int) -> None:
        """Replace the requests by those of a `dump`.

        Args:
            dumped: The result of `dump`.
            total: How many requests there were.

        Raises:
            ValueError: The values do not come from `dump`.
        """
        if not isinstance(dumped, list):
            raise ValueError("these are not the requests of a sandbox")
        requests = [_loaded(row) for row in dumped]
        with self._lock:
            self._clear()
            self.total = max(0, total - len(requests))
            for each in requests:
                self._add(each)

    def _add(self, request: RecentRequest) -> None:
        self.total += 1
        request = replace(request, number=self.total)
        self._requests.append(request)
        self._bytes += len(request.body)
        for subject in _subjects(request):
            self._by_subject.setdefault(subject, deque()).append(request)
        while len(self._requests) > self._most_requests or self._bytes > self._most_bytes:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = self._requests.popleft()
        self._bytes -= len(oldest.body)
        for subject in _subjects(oldest):
            requests = self._by_subject[subject]
            requests.popleft()
            if not requests:
                del self._by_subject[subject]

    def _clear(self) -> None:
        self.total = self._bytes = 0
        self._requests.clear()
        self._by_subject.clear()


def _subjects(request: RecentRequest) -> tuple[str, ...]:
    return (request.dsid,) if request.dsid else request.subjects


def _loaded(row: JsonValue) -> RecentRequest:
    match row:
        case [
            int() | float() as at, str(method), str(path), str(query), int(status), str(dsid), list(keys), str(note),
            str(body), int(body_bytes), list(subjects),
        ]:  # fmt: skip
            return RecentRequest(
                at, method, path, status, dsid, tuple(map(str, keys)), note, query,
                body.encode("utf-8", "surrogateescape"), body_bytes, tuple(map(str, subjects)),
            )  # fmt: skip
    raise ValueError("this is not a request of a sandbox")
