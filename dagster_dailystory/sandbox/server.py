"""The thread that serves the sandbox's HTTP, and the file that keeps its contacts over restarts."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.sandbox.contacts import ContactStore

HOST = "127.0.0.1"
"""The sandbox is for this machine only."""
_BACKLOG = 4096
_GRACE_SECONDS = 0.1
_SAVE_SECONDS = 1.0


class StoreFile:
    """Keeps a store in a JSON file, readable by its owner only."""

    def __init__(self, path: Path, store: ContactStore) -> None:
        self._path = path
        self._store = store
        self._saved_version = -1
        self._lock = threading.Lock()

    def load(self) -> None:
        """Fill the store, if the file exists.

        Raises:
            ConfigurationError: The file cannot be read as a sandbox's.
        """
        try:
            self._store.load(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as problem:
            raise ConfigurationError(
                f"the store file {self._path.name} is not one of a sandbox; remove it or name another"
            ) from problem
        self._saved_version = self._store.version

    def save(self) -> None:
        """Write what changed since the last time, as a whole or not at all."""
        with self._lock:
            version = self._store.version
            if version == self._saved_version:
                return
            text = json.dumps(self._store.dump())
            draft = self._path.with_name(f"{self._path.name}.{os.getpid()}.draft")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            draft.replace(self._path)
            self._saved_version = version

    async def keep_saving(self) -> None:
        """Save once a second while there are changes; a large store takes at most a tenth of the time."""
        while True:
            started = time.monotonic()
            await asyncio.to_thread(self.save)
            await asyncio.sleep(max(_SAVE_SECONDS, 10 * (time.monotonic() - started)))


class SandboxServer:
    """Runs one HTTP handler in a thread with an event loop of its own.

    Attributes:
        port: Where it listens, once started.

    Args:
        handler: Answers each request.
        port: The TCP port; 0 takes a free one.
        file: Loaded before the start, saved while running and at the end.
    """

    def __init__(
        self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], *, port: int, file: StoreFile | None
    ) -> None:
        self.port = port
        self._handler = handler
        self._file = file
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self) -> None:
        """Listen; returns when requests are answered.

        Raises:
            ConfigurationError: The port cannot be had, the file is not a sandbox's, or it runs already.
        """
        if self._thread is not None:
            raise ConfigurationError("this sandbox runs already")
        if self._file is not None:
            self._file.load()
        started = threading.Event()
        failures: list[OSError] = []
        thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started, failures)), name="dailystory-sandbox", daemon=True
        )
        thread.start()
        started.wait()
        if not failures:
            self._thread = thread
            return
        thread.join()
        reason = "is in use; choose another" if failures[0].errno == errno.EADDRINUSE else "cannot be opened"
        raise ConfigurationError(f"port {self.port} {reason}") from failures[0]

    def stop(self) -> None:
        """Stop listening and wait for the end; does nothing if it does not run."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    async def _serve(self, started: threading.Event, failures: list[OSError]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = web.Server(self._handler, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=_GRACE_SECONDS)
        await runner.setup()
        try:
            # A site that binds by host and port gets TCP_NODELAY; one that is handed a plain socket may not.
            await web.TCPSite(runner, HOST, self.port, backlog=_BACKLOG).start()
            self.port = int(runner.addresses[0][1])
        except OSError as problem:
            failures.append(problem)
            await runner.cleanup()
            return
        finally:
            started.set()
        saving = asyncio.create_task(self._file.keep_saving()) if self._file is not None else None
        await self._stop.wait()
        await runner.cleanup()
        if self._file is not None and saving is not None:
            saving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await saving
            self._file.save()
