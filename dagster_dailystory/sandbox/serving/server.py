"""The HTTP server of the sandbox, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections.abc import Awaitable, Callable

from aiohttp import web

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.sandbox.serving.service import HOST
from dagster_dailystory.sandbox.serving.store_file import StoreFile

_BACKLOG = 4096
"""Connections that may wait to be accepted."""


_SHUTDOWN_SECONDS = 0.1
"""How long open requests may delay the end of the server."""


class SandboxServer:
    """Runs an HTTP handler in a thread with its own event loop.

    Attributes:
        port: The port on which the started server listens.

    Args:
        handler: Handles each request.
        port: The TCP port; 0 for a free one.
        file: Loaded at the start, saved while running and at the end.
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
        """Start the server; return when it accepts requests.

        Raises:
            ConfigurationError: The port is not available, the store file is not valid, or the server runs already.
        """
        if self._thread is not None:
            raise ConfigurationError("this sandbox runs already; stop it first")
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
        """Stop the server and wait for its end; does nothing if it is not running."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    async def _serve(self, started: threading.Event, failures: list[OSError]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = web.Server(self._handler, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            # Bind by host and port: a site that is given a plain socket may not set TCP_NODELAY.
            await web.TCPSite(runner, HOST, self.port, backlog=_BACKLOG).start()
            self.port = int(runner.addresses[0][1])
        except OSError as exc:
            failures.append(exc)
            await runner.cleanup()
            return
        finally:
            started.set()
        saving = asyncio.create_task(self._file.keep_saving()) if self._file is not None else None
        await self._stop.wait()
        await runner.cleanup()
        if self._file is not None and saving is not None:
            saving.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # of the line above; a failure to save is raised
                await saving
            self._file.save()
