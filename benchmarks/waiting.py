"""A server that does nothing but wait: `python -m benchmarks.waiting MILLISECONDS`. It prints its base URL.

The local DailyStory checks and stores what it gets, on the cores that its client needs: with it, a latency is more than
was asked for. This server waits with `select`, which counts microseconds; asyncio's usual epoll rounds a wait up to the
next millisecond, and what is due within it is answered at once.
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
        if end and len(body) >= int(length[1] if length else 0):  # one request at a time: nobody pipelines
            self._received = b""
            asyncio.get_running_loop().call_later(self._seconds, self._answer)

    def _answer(self) -> None:
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
