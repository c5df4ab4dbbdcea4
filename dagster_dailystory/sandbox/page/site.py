"""The pages of the sandbox by their paths, with headers that keep other web sites away from them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from types import MappingProxyType
from urllib.parse import unquote

from dagster_dailystory.sandbox.api import SandboxApi
from dagster_dailystory.sandbox.contacts import ContactStore
from dagster_dailystory.sandbox.page import alerts
from dagster_dailystory.sandbox.page.contacts import contact_detail, contact_list
from dagster_dailystory.sandbox.page.frame import Account, counters, document, nothing
from dagster_dailystory.sandbox.page.history import RequestHistory
from dagster_dailystory.sandbox.page.markup import joined
from dagster_dailystory.sandbox.page.requests import request_list

_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)


_FILES: Mapping[str, str] = MappingProxyType({"/page.css": "text/css", "/page.js": "text/javascript"})


@dataclass(frozen=True, slots=True)
class PageReply:
    """A response of the site.

    Attributes:
        body: What is sent, in UTF-8.
        status: The HTTP status.
        content_type: The content type of the body.
        headers: Headers other than the content type.
    """

    body: bytes = field(repr=False)
    status: int = 200
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=lambda: _HEADERS)


class Site:
    """Builds the pages.

    Args:
        store: The contacts.
        api: Has the counts of requests.
        history: The requests.
        alert_log: The alerts.
        now: Seconds since the epoch.
    """

    def __init__(
        self,
        store: ContactStore,
        api: SandboxApi,
        history: RequestHistory,
        alert_log: alerts.AlertLog,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._api = api
        self._history = history
        self._alert_log = alert_log
        self._now = now
        folder = resources.files("dagster_dailystory.sandbox.page")
        self._files = {path: folder.joinpath(path[1:]).read_bytes() for path in _FILES}

    def reply(self, path: str, query: Mapping[str, str], base_url: str, known: str = "") -> PageReply | None:
        """Answer a GET.

        Args:
            path: The percent-encoded path.
            query: Its query.
            base_url: The address of the API, for the header of the page.
            known: The ETag of the page that the browser has.

        Returns:
            The response, or None if there is no page with this path.
        """
        if path in _FILES:
            return PageReply(self._files[path], content_type=_FILES[path])
        if path not in ("/", "/requests", alerts.PATH) and not path.startswith("/contact/"):
            return None
        per_second = self._history.per_second(self._now())
        tag = f'"{self._store.version}-{self._history.total}-{self._alert_log.total}-{per_second}"'
        headers = {**_HEADERS, "ETag": tag}
        if known == tag:
            return PageReply(b"", 304, headers=headers)
        title, here, status, content = self._content(path, query)
        account = Account(self._store.settings.tenant_name, base_url)
        top = counters(self._store.tally(), self._api.counts, per_second)
        text = document(account, title, here, top, content)
        # A text that JSON allows and UTF-8 does not, half of a surrogate pair, is shown as its escape.
        return PageReply(text.encode("utf-8", "backslashreplace"), status, headers=headers)

    def _content(self, path: str, query: Mapping[str, str]) -> tuple[str, str, int, str]:
        """Build what is below the counters: the title, the link of the header, the status, and the content."""
        page = query.get("page", "")
        if path == "/requests":
            only_problems = query.get("only") == "problems"
            return "Requests · DailyStory sandbox", path, 200, request_list(self._history, only_problems, page)
        if path == alerts.PATH:
            return "Alerts · DailyStory sandbox", path, 200, alerts.alert_list(self._alert_log)
        if path == "/":
            return "DailyStory sandbox", path, 200, contact_list(self._store, query.get("search", ""), page)
        dsid = unquote(path[len("/contact/") :])
        contact = self._store.peek(dsid)
        if contact is None:
            gone = joined(nothing("The sandbox has no contact with the dsid ", dsid, "."))
            return "No such contact · DailyStory sandbox", "", 404, gone
        return f"{dsid} · DailyStory sandbox", "", 200, contact_detail(contact, self._history)
