"""The settings of a DailyStory account: its address, its token, the rate, and how long a failed row is retried."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import TYPE_CHECKING, Any, TypedDict

import httpx

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.settings import Kind, check_types, named_settings

if TYPE_CHECKING:
    from dagster_dailystory.api.connections import Connections, MayWrite

_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")

MOST_CONCURRENCY = 32
"""Most requests in flight at once, where `max_concurrency` is not set."""

POOL = "dailystory_api"
"""The orchestrator's pool in which the runs of an account are counted, if not set."""

_LONGEST_SECONDS = 86_400.0

_SECONDS = Kind((int, float), "a number of seconds, such as 30", is_secret=True)  # none repeats a misplaced token
_TYPES = {
    "base_url": Kind((str,), "the URL of the data centre, such as https://us-1.dailystory.com/api/v1", is_secret=True),
    "api_token": Kind((str,), "the API token, a text from Account Settings > API Tokens", is_secret=True),
    "requests_per_second": Kind((int, float, NoneType), "a number, such as 5, or None to find it", is_secret=True),
    "max_concurrency": Kind((int, NoneType), "a whole number, such as 8, or None", is_secret=True),
    "timeout_seconds": _SECONDS,
    "accept_account": Kind((bool,), "True or False", is_secret=True),
    "max_attempts": Kind((int,), "a whole number, such as 9", is_secret=True),
    "max_seconds_per_row": _SECONDS,
}


@named_settings
@dataclass(frozen=True)
class AccountSettings:
    """A DailyStory account, and how it is used. The one place of these settings and of their defaults.

    Attributes:
        base_url: URL of the data centre, `https://us-1.dailystory.com/api/v1`; `/api/v1` is added to a bare host.
        api_token: API token from Account Settings > API Tokens. It is a secret, sent as a bearer token, never shown.
        requests_per_second: Permitted rate. Default: start at 2 a second and find the rate.
        max_concurrency: Requests in flight at once. Default: as many as rate and latency need, up to 32.
        timeout_seconds: Time limit of one request, from connecting to the last byte of the response.
        accept_account: Send with a token that the state has not seen, although DailyStory does not say which account it
            belongs to. Needed for one run, and only if an error asks for it.
        max_attempts: Failed requests after which a run gives a row up; the next run sends it again. Throttled requests
            do not count.
        max_seconds_per_row: Seconds after a row's first request after which a run gives the row up.
        first_wait_seconds: Upper bound of the random wait before a row's second attempt; it doubles each time.
        longest_wait_seconds: The limit of the doubling.
        breaker_threshold: Number of consecutive rows, refused with the same message, after which other rows are tried.
        look_up_lag_seconds: How long after a write a contact may still be read as it was before.
        connect: Makes the connections in place of aiohttp, for example in tests.

    Raises:
        ConfigurationError: A setting is of another type or cannot work, or the token would be sent unencrypted.
    """

    base_url: str
    api_token: str = field(repr=False)
    requests_per_second: float | None = None
    max_concurrency: int | None = None
    timeout_seconds: float = 30.0
    accept_account: bool = False
    max_attempts: int = 9
    max_seconds_per_row: float = 180.0
    first_wait_seconds: float = 0.25
    longest_wait_seconds: float = 30.0
    breaker_threshold: int = 20
    look_up_lag_seconds: float = 60.0
    connect: Callable[[AccountSettings, MayWrite], Connections] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_types(self, _TYPES)
        object.__setattr__(self, "base_url", normal_base_url(self.base_url))
        object.__setattr__(self, "api_token", self.api_token.strip())
        _check_token(self.api_token)
        for name in ("timeout_seconds", "max_seconds_per_row"):
            if not 0 < getattr(self, name) <= _LONGEST_SECONDS:
                raise ConfigurationError(f"{name}={getattr(self, name)!r} must be positive, and at most a day")
        if self.requests_per_second is not None and not self.requests_per_second > 0:
            raise ConfigurationError(
                f"requests_per_second={self.requests_per_second!r} must be positive; omit it to find it"
            )
        for name in ("max_concurrency", "max_attempts", "breaker_threshold"):
            if (number := getattr(self, name)) is not None and number < 1:
                raise ConfigurationError(f"{name}={number!r} must be at least 1")

    @property
    def most_connections(self) -> int:
        """Connections that may be open at the same time."""
        return MOST_CONCURRENCY if self.max_concurrency is None else self.max_concurrency

    @property
    def host(self) -> str:
        """The host, which the state stores as the destination."""
        return httpx.URL(self.base_url).host

    @property
    def address(self) -> str:
        """The host, with the port if the URL has one."""
        return httpx.URL(self.base_url).netloc.decode("ascii")

    @property
    def is_local(self) -> bool:
        """Whether the host is this machine (the sandbox)."""
        return _LOOPBACK.fullmatch(self.host) is not None


def check_account_options(options: Mapping[str, Any]) -> None:
    """Check the settings that have a default, before address and token are known.

    Raises:
        ConfigurationError: One of them cannot work.
    """
    AccountSettings("https://us-1.dailystory.com", "token", **options)


class AccountOptions(TypedDict, total=False):
    """The settings of an account that have a default, for functions that take them by name.

    Attributes:
        requests_per_second: The permitted rate; None to find it while sending.
        max_concurrency: Requests in flight at once; None for as many as rate and latency need, up to 32.
        timeout_seconds: Of one request.
        accept_account: Bind the state to this token's account although `/about` does not name it.
        max_attempts: Requests for one row, before it is left to the next run.
        max_seconds_per_row: The same as a time.
    """

    requests_per_second: float | None
    max_concurrency: int | None
    timeout_seconds: float
    accept_account: bool
    max_attempts: int
    max_seconds_per_row: float


def _check_token(token: str) -> None:
    where = "the token is under Account Settings > API Tokens"
    if not token:
        raise ConfigurationError(f"api_token is empty; {where}")
    if token.casefold().startswith("bearer "):
        raise ConfigurationError("api_token must be the token alone; leave out 'Bearer '")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigurationError(
            f"api_token has a blank or another character that no token has; copy it again: {where}"
        )


def _is_host(name: str) -> bool:
    try:
        return bool(name.encode("idna"))
    except UnicodeError:  # a label is empty or longer than 63 characters
        return False


def normal_base_url(text: str, setting: str = "base_url") -> str:
    """The address of the API, with its path. No message repeats the address.

    Args:
        text: The address as it was given.
        setting: The setting that it was given in, to name it in errors.

    Raises:
        ConfigurationError: The address cannot be one of DailyStory, or the token would be sent unencrypted.
    """
    example = "for example https://us-1.dailystory.com/api/v1"
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, TypeError):
        raise ConfigurationError(f"{setting} is not a valid URL; {example}") from None
    if url.scheme not in ("http", "https") or not _is_host(url.host):
        raise ConfigurationError(f"{setting} must start with https:// and name a host; {example}")
    if url.userinfo or url.query or url.fragment:
        raise ConfigurationError(f"{setting} must not contain a user, password, query or fragment; {example}")
    if url.scheme == "http" and not _LOOPBACK.fullmatch(url.host):
        raise ConfigurationError(
            f"{setting} must start with https://, or the API token would be sent unencrypted; {example}"
        )
    path = url.path.rstrip("/")
    if path and not path.endswith("/api/v1"):
        raise ConfigurationError(f"{setting} must end in /api/v1; {example}")
    return str(url.copy_with(path=path or "/api/v1"))
