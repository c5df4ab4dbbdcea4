"""A gateway before the sandbox, as a proxy or a firewall is: it forwards requests and changes responses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Edit = Callable[[str, bytes], Mapping[str, str]]
"""Path and body of a request -> headers that the gateway adds to the response."""


@dataclass
class Gateway:
    """A gateway that is running.

    Attributes:
        base_url: Where it listens.
        paths: The paths of the requests that it has forwarded.
        in_flight: Requests that have no response yet.
        most_in_flight: The most that there were at once.
    """

    base_url: str
    paths: list[str] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, more: int) -> None:
        """Note a request that has arrived, or that is answered."""
        with self.lock:
            self.in_flight += more
            self.most_in_flight = max(self.most_in_flight, self.in_flight)


@contextmanager
def gateway(base_url: str, edit: Edit = lambda path, body: {}, latency_seconds: float = 0.0) -> Iterator[Gateway]:
    """Forward each request to `base_url` after a time, and add headers to its response."""
    target = urlsplit(base_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            pass

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            running.paths.append(self.path)
            running.count(+1)
            time.sleep(latency_seconds)
            connection = HTTPConnection(target.hostname or "", target.port)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            response = connection.getresponse()
            content = response.read()
            connection.close()
            running.count(-1)
            self.send_response(response.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in edit(self.path, body).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _forward  # noqa: N815  # the names that http.server calls

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Gateway(f"http://127.0.0.1:{server.server_port}{target.path}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield running
        server.shutdown()
