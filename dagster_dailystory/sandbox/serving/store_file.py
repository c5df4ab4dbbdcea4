"""The file that keeps the sandbox's contacts, requests and alerts between runs."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from pathlib import Path

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.sandbox.serving.service import SandboxService

_SAVE_SECONDS = 1.0
"""Time between two saves of the store file."""


class StoreFile:
    """A JSON file that keeps the contacts, the counts, the latest requests and alerts, readable only by its owner."""

    def __init__(self, path: Path, service: SandboxService) -> None:
        self._path = path
        self._service = service
        self._saved_version = (-1, -1, -1)
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load the file, if it exists.

        Raises:
            ConfigurationError: The file was not written by a sandbox.
        """
        try:
            self._service.load(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as exc:
            raise ConfigurationError(
                f"{self._path.name} cannot be read as a store file of the sandbox; remove it or name another file"
            ) from exc
        self._saved_version = self._service.version

    def save(self) -> None:
        """Write the file atomically, if something has changed since the last save."""
        with self._lock:
            version = self._service.version
            if version == self._saved_version:
                return
            text = json.dumps(self._service.dump())
            draft = self._path.with_name(f"{self._path.name}.{os.getpid()}.draft")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            draft.replace(self._path)
            self._saved_version = version

    async def keep_saving(self) -> None:
        """Save changes once a second, or less often if a save takes more than a tenth of the time."""
        while True:
            started = time.monotonic()
            await asyncio.to_thread(self.save)
            await asyncio.sleep(max(_SAVE_SECONDS, 10 * (time.monotonic() - started)))
