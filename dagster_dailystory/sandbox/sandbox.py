"""The public interface of the sandbox: start it, inspect it, edit contacts, change its behaviour."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.sandbox.contacts import ContactStore, Write
from dagster_dailystory.sandbox.faults import Step
from dagster_dailystory.sandbox.records import Contact
from dagster_dailystory.sandbox.replies import Counts, RecentRequest
from dagster_dailystory.sandbox.serving.server import SandboxServer
from dagster_dailystory.sandbox.serving.service import API_PATH, HOST, SandboxService
from dagster_dailystory.sandbox.serving.store_file import StoreFile
from dagster_dailystory.sandbox.serving.tokens import new_token
from dagster_dailystory.sandbox.settings import JsonValue, SandboxSettings

DEFAULT_PORT = 8019
"""Port of the command line, if it is not given another one."""


_RECENT_REQUESTS = 200
"""Requests that `Sandbox.requests` returns at most."""


class Sandbox:
    """A local DailyStory for a test or a demo.

    It listens on the loopback interface only, in its own thread. All methods may be called at any time.

        with Sandbox(SandboxSettings(not_found="400")) as sandbox:
            run_contact_sync(customers, base_url=sandbox.base_url, api_token=sandbox.token, ...)
            assert sandbox.counts.creates == 3

    Args:
        settings: Its behaviour; None for the documented behaviour. Without `tokens` it gets a random one.
        port: The TCP port; 0 for a free one.
        seed: Seed of the random faults.
        store: A JSON file that keeps the contacts, the latest requests and alerts between runs; None for memory only.
    """

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        *,
        port: int = 0,
        seed: int = 0,
        store: str | os.PathLike[str] | None = None,
    ) -> None:
        settings = settings or SandboxSettings()
        if not settings.tokens:
            settings = replace(settings, tokens=(new_token(),))
        self._store = ContactStore(settings, seed=seed)
        self._service = SandboxService(self._store, seed=seed)
        self._server = SandboxServer(
            self._service.handle, port=port, file=None if store is None else StoreFile(Path(store), self._service)
        )

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Sandbox(port={self._server.port}, contacts={len(self._store)})"

    def start(self) -> None:
        """Start the server; return when it accepts requests.

        Raises:
            ConfigurationError: The port is in use, or the store file is not valid.
        """
        self._server.start()

    def stop(self) -> None:
        """Stop the server, save the store file, and wait for both."""
        self._server.stop()

    @property
    def url(self) -> str:
        """Address of the web page."""
        return f"http://{HOST}:{self._server.port}/"

    @property
    def base_url(self) -> str:
        """The value for `DAILYSTORY_BASE_URL`."""
        return f"http://{HOST}:{self._server.port}{API_PATH}"

    @property
    def token(self) -> str:
        """A valid API token."""
        return self._store.settings.tokens[0]

    @property
    def settings(self) -> SandboxSettings:
        """The current settings."""
        return self._store.settings

    @property
    def counts(self) -> Counts:
        """A copy of the request counts since the start or the last `clear_journal`."""
        return replace(self._service.api.counts)

    def configure(self, settings: SandboxSettings | None = None, **changes: object) -> None:
        """Change settings from the next request on: `configure(latency_seconds=0.2)`.

        Settings without `tokens` keep the current ones.

        Raises:
            ConfigurationError: A setting or its value does not exist.
        """
        try:
            changed = replace(settings or self.settings, **changes)  # type: ignore[arg-type]  # checked by name in the next line
        except TypeError as error:
            raise ConfigurationError(f"SandboxSettings: {error}") from None
        self._store.settings = changed if changed.tokens else replace(changed, tokens=self.settings.tokens)

    def script(self, steps: Iterable[Step], *, method: str = "POST") -> None:
        """Define the faults of the next contact requests with this method, in order.

        A step is a `Fault` or its name, an HTTP status (an error, nothing stored), or None for no fault. Scripted
        requests have no random faults.
        """
        self._service.faults.script(steps, method)

    def contacts(self) -> list[Contact]:
        """Return copies of all contacts, deleted ones included, as a GET does."""
        return self._store.contacts()

    def find(self, *, dsid: str = "", email: str = "", mobile: str = "") -> Contact | None:
        """Return a copy of a contact by dsid, email or mobile number, deleted or not; None if there is none."""
        return self._store.peek(dsid, email, mobile)

    def requests(self) -> list[RecentRequest]:
        """Return the latest requests (200 at most), oldest first."""
        return self._service.history.latest(_RECENT_REQUESTS)[::-1]

    def writes(self) -> list[Write]:
        """Return the accepted writes since the last `clear_journal`, oldest first."""
        return self._store.journal()

    def writes_by_email(self) -> Counter[str]:
        """Count the accepted writes by the contact's email in lower case."""
        return Counter(write.identity for write in self.writes() if "@" in write.identity)

    def creates_by_identity(self) -> Counter[str]:
        """Count creates by email, else by the digits of the mobile number; a number above 1 means duplicates."""
        return Counter(write.identity for write in self.writes() if write.created)

    def clear_journal(self) -> None:
        """Clear writes, counts and recent requests; the contacts stay."""
        self._store.clear_journal()
        self._service.api.counts = Counts()
        self._service.history.clear()

    def add(self, **fields: JsonValue) -> str:
        """Create a contact as in the product itself, and return its dsid. Not in the journal."""
        return self._store.add(fields)

    def edit(self, dsid: str, **fields: JsonValue) -> None:
        """Change a contact as in the product itself; `extendedProperties` merges. Not in the journal."""
        self._store.edit(dsid, fields)

    def merge(self, kept: str, gone: str) -> None:
        """Merge two contacts as in the product itself (U30); `gone` is removed."""
        self._store.merge(kept, gone)

    def remove(self, dsid: str) -> None:
        """Remove a contact permanently."""
        self._store.remove(dsid)
