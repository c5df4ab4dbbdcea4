"""The command line of the sandbox: `python -m dagster_dailystory.sandbox`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.sandbox.faults import FAULT_NAMES, FaultShares
from dagster_dailystory.sandbox.sandbox import DEFAULT_PORT, Sandbox
from dagster_dailystory.sandbox.serving.tokens import token_in
from dagster_dailystory.sandbox.settings import RetryAfter, SandboxSettings


def _fault_share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    if name not in FAULT_NAMES:
        raise argparse.ArgumentTypeError(f"unknown fault {name!r}; choose from {', '.join(FAULT_NAMES)}")
    try:
        return name, float(share)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must have the form {name}=0.05") from None


def _retry_after(text: str) -> int | None:
    if text == RetryAfter.NONE.value:
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of whole seconds, or none") from None


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} must be a port number from 0 (any free port) to 65535")


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description="Run a local DailyStory until Ctrl-C.")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="TCP port on 127.0.0.1 (default %(default)s)")
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token", help="the API token to accept (default: a random one, which is printed)")
    token.add_argument(
        "--token-file", type=Path, help="the file that holds it; if it does not exist, a new token is written to it"
    )
    parser.add_argument("--latency-ms", type=float, default=0.0, help="delay of each response")
    parser.add_argument("--requests-per-second", type=float, help="respond with 429 above this rate")
    parser.add_argument(
        "--retry-after", type=_retry_after, default=1, metavar="SECONDS",
        help="whole seconds in Retry-After of a throttling fault, or none (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--fault", type=_fault_share, action="append", default=[], metavar="NAME=SHARE",
        help=f"fail this share of the contact requests; may be repeated. Names: {', '.join(FAULT_NAMES)}",
    )  # fmt: skip
    parser.add_argument(
        "--strict", action="store_true",
        help="each create without a dsid makes a contact, look-ups compare exactly, /about has its older shape",
    )  # fmt: skip
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME",
        help="a name other than localhost under which it may be reached, for example of a container; may be repeated",
    )  # fmt: skip
    parser.add_argument("--store", type=Path, help="a JSON file that keeps contacts, requests and alerts between runs")
    return parser


def main(arguments: Sequence[str] | None = None, *, program: str = "python -m dagster_dailystory.sandbox") -> int:
    """Run the sandbox until Ctrl-C or SIGTERM and return the exit code."""
    parser = _parser(program)
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        given = token_in(options.token_file) if options.token_file else options.token
        settings = SandboxSettings(
            tokens=(given,) if given else (),
            allowed_hosts=tuple(options.allow_host),
            strict=options.strict,
            latency_seconds=options.latency_ms / 1000,
            requests_per_second=options.requests_per_second,
            faults=FaultShares(**dict(options.fault)),
            retry_after=RetryAfter.NONE if options.retry_after is None else RetryAfter.SECONDS,
            retry_after_seconds=options.retry_after or 0,
        )
        with Sandbox(settings, port=options.port, store=options.store) as sandbox:
            hint = f"in {options.token_file}" if options.token_file else "as given" if given else sandbox.token
            print(f"DailyStory sandbox: {sandbox.url}  base URL: {sandbox.base_url}  token: {hint}", flush=True)
            stop.wait()
    except ConfigurationError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
