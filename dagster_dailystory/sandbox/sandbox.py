"""The sandbox as its users hold it: start, look, edit, change how it answers."""

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
from dagster_dailystory.sandbox.server import API_PATH, HOST, SandboxServer, SandboxService, StoreFile
from dagster_dailystory.sandbox.settings import JsonValue, SandboxSettings

DEFAULT_PORT = 8019
"""Where the command line listens if it names no port."""


class Sandbox:
    """Run a DailyStory of your own while a test or a demo needs one.

    It listens on the loopback interface only, in a thread of its own, and every method may be called at any time.

        with Sandbox(SandboxSettings(not_found="400")) as sandbox:
            run_contact_sync(customers, base_url=sandbox.base_url, api_token=sandbox.token, ...)
            assert sandbox.counts.creates == 3

    Args:
        settings: How it answers; None: the documented behaviour.
        port: The TCP port; 0 takes a free one.
        seed: Makes random faults repeatable.
        store: A JSON file that keeps the contacts over restarts; None: memory only.
    """

    def __init__(
        self,
        settings: SandboxSettings | None = None,
        *,
        port: int = 0,
        seed: int = 0,
        store: str | os.PathLike[str] | None = None,
    ) -> None:
        self._store = ContactStore(settings or SandboxSettings(), seed=seed)
        self._service = SandboxService(self._store, seed=seed)
        self._server = SandboxServer(
            self._service.handle, port=port, file=None if store is None else StoreFile(Path(store), self._store)
        )

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Sandbox(port={self._server.port}, contacts={len(self._store)})"

    def start(self) -> None:
        """Listen; returns when requests are answered.

        Raises:
            ConfigurationError: The port is in use, or the store file is not a sandbox's.
        """
        self._server.start()

    def stop(self) -> None:
        """Answer nothing more, save the store file, and wait until the server is gone."""
        self._server.stop()

    @property
    def url(self) -> str:
        """The page for people."""
        return f"http://{HOST}:{self._server.port}/"

    @property
    def base_url(self) -> str:
        """What `DAILYSTORY_BASE_URL` should be."""
        return f"http://{HOST}:{self._server.port}{API_PATH}"

    @property
    def token(self) -> str:
        """A valid API token."""
        return self._store.settings.tokens[0]

    @property
    def settings(self) -> SandboxSettings:
        """How it answers now."""
        return self._store.settings

    @property
    def counts(self) -> Counts:
        """What was asked since the start or the last `clear_journal`: a copy."""
        return replace(self._service.api.counts)

    def configure(self, settings: SandboxSettings | None = None, **changes: object) -> None:
        """Answer differently from the next request on: `configure(latency_seconds=0.2)`.

        Raises:
            ConfigurationError: A setting does not exist or has no such value.
        """
        try:
            self._store.settings = replace(settings or self._store.settings, **changes)  # type: ignore[arg-type]  # checked by name in the next line
        except TypeError as problem:
            raise ConfigurationError(f"SandboxSettings: {problem}") from None

    def script(self, steps: Iterable[Step], *, method: str = "POST") -> None:
        """Give the next contact requests with this method these answers, in order.

        A step is a `Fault` or its name, an HTTP status (an error, nothing stored), or None for no fault. Scripted
        requests take no random fault.
        """
        self._service.faults.script(steps, method)

    def contacts(self) -> list[Contact]:
        """Copy every contact, deleted ones too, as a GET shows it."""
        return self._store.contacts()

    def find(self, *, dsid: str = "", email: str = "", mobile: str = "") -> Contact | None:
        """Copy one contact by dsid, email or number, deleted or not; None where there is none."""
        return self._store.peek(dsid, email, mobile)

    def requests(self) -> list[RecentRequest]:
        """Copy the latest requests (200 at most), oldest first."""
        return list(self._service.recent)

    def writes(self) -> list[Write]:
        """Copy every accepted write since the last `clear_journal`, oldest first."""
        return self._store.journal()

    def writes_by_email(self) -> Counter[str]:
        """Count accepted writes by the contact's email, in lower case."""
        return Counter(write.identity for write in self.writes() if "@" in write.identity)

    def creates_by_identity(self) -> Counter[str]:
        """Count creates by email, else by the digits of the number: all are 1 if every contact was made once."""
        return Counter(write.identity for write in self.writes() if write.created)

    def clear_journal(self) -> None:
        """Forget writes, counts and recent requests; the contacts stay."""
        self._store.clear_journal()
        self._service.api.counts = Counts()
        self._service.recent.clear()

    def add(self, **fields: JsonValue) -> str:
        """Make a contact as a person would in the product; returns its dsid. Not in the journal."""
        return self._store.add(fields)

    def edit(self, dsid: str, **fields: JsonValue) -> None:
        """Change a contact as a marketer would; `extendedProperties` merges. Not in the journal."""
        self._store.edit(dsid, fields)

    def merge(self, kept: str, gone: str) -> None:
        """Merge two contacts as the product does (U30): `gone` is no dsid any more."""
        self._store.merge(kept, gone)

    def remove(self, dsid: str) -> None:
        """Take a contact away for good."""
        self._store.remove(dsid)
