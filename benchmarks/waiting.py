"""A server that responds after a delay: `python -m benchmarks.waiting MILLISECONDS` prints its base URL.

The local DailyStory uses CPU that its client needs, so its latency is higher than configured. This server waits with
`select`, which is precise to microseconds; asyncio's default epoll rounds each wait to milliseconds, so responses leave
in bursts.
"""

from __future__ import annotations

import asyncio
import re
import selectors
import sys
from itertools import count

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class _Waiting(asyncio.Protocol):
    def __init__(self, seconds: float, numbers: count[int]) -> None:
        self._seconds = seconds
        self._numbers = numbers
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and len(body) >= int(length[1] if length else 0):  # one request at a time: no client pipelines
            self._received = b""
            asyncio.get_running_loop().call_later(self._seconds, self._respond)

    def _respond(self) -> None:
        body = b'{"Status":true,"Message":"","Response":{"id":"%d"}}' % next(self._numbers)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


async def _serve(seconds: float) -> None:
    numbers = count(1)
    server = await asyncio.get_running_loop().create_server(lambda: _Waiting(seconds, numbers), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"base URL: http://127.0.0.1:{port}/api/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    loop.run_until_complete(_serve(float(sys.argv[1]) / 1000))
