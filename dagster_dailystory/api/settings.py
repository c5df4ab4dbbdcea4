"""The settings of the API client: address, token, timeout."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import httpx

from dagster_dailystory.errors import ConfigurationError

_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Address, token and limits of the API client.

    Attributes:
        base_url: The data centre's address, `https://us-1.dailystory.com/api/v1`; `/api/v1` is added to a bare host.
        api_token: From Account Settings > API Tokens. Sent as a bearer token, never shown.
        timeout_seconds: Limit of one request, from connecting to the last byte of the response.
        max_connections: Connections open at the same time; the sender's concurrency.
        consent_override: The sync's `consent_override`.

    Raises:
        ConfigurationError: The address or the token is not valid, or the token would be sent unencrypted.
    """

    base_url: str
    api_token: str = field(repr=False)
    timeout_seconds: float = 30.0
    max_connections: int = 4
    consent_override: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", normal_base_url(self.base_url))
        object.__setattr__(self, "api_token", self.api_token.strip())
        _check_token(self.api_token)
        if not 0 < self.timeout_seconds < math.inf:
            raise ConfigurationError(f"timeout_seconds={self.timeout_seconds!r} must be positive and finite")
        if self.max_connections < 1:
            raise ConfigurationError(f"max_concurrency={self.max_connections!r} must be at least 1")

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
