"""The answers of the sandbox to HTTP requests, for its API and its page."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import asdict, fields, replace

from aiohttp import web

from dagster_dailystory.sandbox.api import SandboxApi, is_authorized, normal_path
from dagster_dailystory.sandbox.contacts import ContactStore
from dagster_dailystory.sandbox.faults import Fault, FaultPlan, RateLimiter
from dagster_dailystory.sandbox.page import alerts
from dagster_dailystory.sandbox.page.history import MOST_BODY_BYTES, RequestHistory, subjects_of
from dagster_dailystory.sandbox.page.site import Site
from dagster_dailystory.sandbox.replies import Counts, RecentRequest, Reply, error, html_page, retry_after
from dagster_dailystory.sandbox.serving.admission import body_of, host_refusal, is_allowed_host
from dagster_dailystory.sandbox.settings import JsonValue, SandboxSettings, WrongHost

HOST = "127.0.0.1"
"""The sandbox is reachable from this machine only."""


API_PATH = "/api/v1"


class _ConnectionCut(Exception):  # noqa: N818
    """The connection must be closed without a response."""


class SandboxService:
    """Handles the HTTP requests of the API and of the page. Runs in one event loop.

    Attributes:
        store: The contacts and the settings.
        api: The documented paths and the request counts.
        faults: The scripted and random faults.
        history: The latest requests.
        alert_log: The latest alerts.
    """

    def __init__(self, store: ContactStore, *, seed: int = 0) -> None:
        self.store = store
        self.api = SandboxApi(store)
        self.faults = FaultPlan(seed)
        self.history = RequestHistory()
        self._limiter = RateLimiter()
        self.alert_log = alerts.AlertLog()
        self._site = Site(store, self.api, self.history, self.alert_log)

    @property
    def version(self) -> tuple[int, int, int]:
        """Changes with every change of a contact, with every request and with every alert."""
        return self.store.version, self.history.total, self.alert_log.total

    def dump(self) -> dict[str, JsonValue]:
        """Return the contacts, the counts, the latest requests and the latest alerts as JSON values."""
        requests: dict[str, JsonValue] = {"total": self.history.total, "requests": self.history.dump()}
        counts: dict[str, JsonValue] = dict(asdict(self.api.counts))
        return {**self.store.dump(), "counts": counts, **requests, "alerts": self.alert_log.dump()}

    def load(self, dumped: JsonValue) -> None:
        """Add the contacts and alerts of a `dump`, and replace the counts and the requests by its own.

        Raises:
            ValueError: The values do not come from `dump`.
        """
        self.store.load(dumped)
        match dumped:
            case {"counts": dict(counts), "total": int(total), "requests": list(requests)}:
                kept = {each.name: counts.get(each.name, 0) for each in fields(Counts)}
                self.api.counts = Counts(**{name: int(n) for name, n in kept.items() if isinstance(n, int)})
                self.history.load(requests, total)
        match dumped:
            case {"alerts": list(posted)}:
                self.alert_log.load(posted)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one HTTP request."""
        settings = self.store.settings
        if not is_allowed_host(request, HOST, settings.allowed_hosts):
            return host_refusal(request, f"http://{HOST}:{self._port_of(request)}/")
        path = request.rel_url.raw_path
        if path[: len(API_PATH)] != API_PATH and (
            settings.strict_paths or path[: len(API_PATH)].casefold() != API_PATH
        ):
            if path == alerts.PATH and request.method == "POST":
                return await self._take_alert(request)
            return self._page_response(request, path)
        self.api.counts.requests += 1
        arrived = time.time()
        body: bytes | None = b""
        try:
            body = await body_of(request, settings.max_body_bytes)
            reply = await self._reply(request, path[len(API_PATH) :], body)
        except _ConnectionCut as cut:
            self.api.counts.cut += 1
            self._remember(request, Reply(0, b"", note=str(cut)), body, arrived)
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        self._remember(request, reply, body, arrived)
        return web.Response(
            status=reply.status, body=reply.body, content_type=reply.content_type, headers=reply.headers or None
        )

    @staticmethod
    def _port_of(request: web.BaseRequest) -> int:
        """The port on which a request came in."""
        address = None if request.transport is None else request.transport.get_extra_info("sockname")
        return int(address[1]) if address else 0

    def _remember(self, request: web.BaseRequest, reply: Reply, body: bytes | None, arrived: float) -> None:
        path, query = request.rel_url.raw_path, request.rel_url.raw_query_string
        subjects = () if reply.dsid else subjects_of(path[len(API_PATH) :], query, body)
        sent, length = (b"", -1) if body is None else (body[:MOST_BODY_BYTES], len(body))
        self.history.add(
            RecentRequest(
                arrived, request.method, path, reply.status, reply.dsid, reply.keys, reply.note, query, sent, length,
                subjects,
            )
        )  # fmt: skip

    async def _reply(self, request: web.BaseRequest, path: str, body: bytes | None) -> Reply:
        settings, counts, method = self.store.settings, self.api.counts, request.method
        if settings.latency_seconds:
            await asyncio.sleep(settings.latency_seconds)
        if not settings.strict_paths:
            path = normal_path(path)
        is_contact_request = path == "/contact" or path.startswith("/contact/")
        if not is_contact_request:
            counts.others += 1
        elif method == "POST":
            counts.posts += 1
        elif method == "GET":
            counts.gets += 1
        elif method == "DELETE":
            counts.deletes += 1
        if (early := self._early_error(request, settings)) is not None:
            return early
        if body is None:
            return error(settings, 413, f"The request is too large: more than {settings.max_body_bytes:,} bytes")
        fault = self.faults.next_fault(method, settings.faults) if is_contact_request else None
        if fault is None:
            return self.api.handle(method, path, request.rel_url.query, body)
        return await self._fail(fault, lambda: self.api.handle(method, path, request.rel_url.query, body))

    def _early_error(self, request: web.BaseRequest, settings: SandboxSettings) -> Reply | None:
        """Return the error for a wrong host, a bad token or too many requests, on any path."""
        if settings.wrong_host in (WrongHost.MOVED_301, WrongHost.FOUND_302):
            location = settings.redirect_to + request.rel_url.raw_path_qs[len(API_PATH) :]
            return Reply(int(settings.wrong_host.value), b"", (("Location", location),), note="wrong host")
        authorized = is_authorized(request.headers.get("Authorization", ""), settings.tokens)
        if not authorized or settings.wrong_host is WrongHost.UNAUTHORIZED:
            self.api.counts.unauthorized += 1
            return error(settings, settings.unauthorized_status, "The API token is missing or not valid")
        if settings.requests_per_second is not None:
            wait = self._limiter.wait_seconds(
                settings.rate_limit, settings.requests_per_second, settings.rate_window_seconds, time.monotonic()
            )
            if wait > 0:
                return self._throttled(settings, math.ceil(wait))
        return None

    def _throttled(self, settings: SandboxSettings, wait_seconds: int) -> Reply:
        self.api.counts.throttled += 1
        headers = retry_after(settings, wait_seconds, time.time())
        return error(settings, settings.throttle_status, "Too many requests", headers)

    async def _fail(self, fault: Fault | int, serve: Callable[[], Reply]) -> Reply:
        """Reply to one request with a fault; `serve` executes the request."""
        settings, counts = self.store.settings, self.api.counts
        if fault is Fault.SLOW:
            counts.slow += 1
            reply = serve()
            await asyncio.sleep(settings.slow_seconds)
            return replace(reply, note=fault.value)
        if fault in (Fault.CUT_AFTER, Fault.EMPTY_BODY, Fault.SERVER_ERROR_AFTER):
            serve()
        if isinstance(fault, Fault) and fault in (Fault.CUT_BEFORE, Fault.CUT_AFTER):
            raise _ConnectionCut(fault.value)
        if fault is Fault.THROTTLED:
            return self._throttled(settings, settings.retry_after_seconds)
        if fault in (Fault.REFUSED, Fault.REFUSED_WITH_200):
            counts.refused += 1
            return error(settings, 400 if fault is Fault.REFUSED else 200, "The sandbox refused this contact")
        counts.failed += 1
        if fault is Fault.EMPTY_BODY:
            return Reply(200, b"", note=fault.value)
        if fault is Fault.HTML_502:
            return html_page(502, "Bad Gateway")
        if fault is Fault.HTML_503:
            headers = retry_after(settings, settings.retry_after_seconds, time.time())
            return html_page(503, "Service Unavailable", headers)
        return error(settings, 500 if isinstance(fault, Fault) else fault, "An error has occurred")

    async def _take_alert(self, request: web.BaseRequest) -> web.Response:
        """Accept an alert of a webhook.

        It must be declared as JSON: a page of another web site cannot send that here without asking first (CORS).
        """
        if request.content_type != "application/json":
            return self._page_error(415, "An alert must have the content type application/json")
        body = await body_of(request, alerts.MOST_BYTES)
        if body is None:
            return self._page_error(413, f"An alert has at most {alerts.MOST_BYTES:,} bytes")
        try:
            self.alert_log.add(body, time.time())
        except ValueError:
            return self._page_error(400, "An alert is a JSON object with a text")
        return web.Response(status=204)

    def _page_error(self, status: int, message: str) -> web.Response:
        reply = error(self.store.settings, status, message)
        return web.Response(status=status, body=reply.body, content_type=reply.content_type)

    def _page_response(self, request: web.BaseRequest, path: str) -> web.Response:
        """Serve the pages to GET requests."""
        url = f"http://{request.headers['Host']}{API_PATH}"
        known = request.headers.get("If-None-Match", "")
        page = self._site.reply(path, request.rel_url.query, url, known) if request.method in ("GET", "HEAD") else None
        if page is None:
            return self._page_error(404, f"No such resource; the API is below {API_PATH}")
        return web.Response(
            status=page.status, body=page.body, content_type=page.content_type, charset="utf-8", headers=page.headers
        )
