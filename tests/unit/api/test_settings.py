"""The checks of the client's settings."""

from __future__ import annotations

import math

import pytest

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.errors import ConfigurationError

TOKEN = "k3yk3yk3yk3yk3yk3yk3yk3yk-us-1"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://us-1.dailystory.com", "https://us-1.dailystory.com/api/v1"),
        ("https://us-1.dailystory.com/", "https://us-1.dailystory.com/api/v1"),
        (" https://US-1.dailystory.com/api/v1/ ", "https://us-1.dailystory.com/api/v1"),
        ("https://crm.partner.example/mail/api/v1", "https://crm.partner.example/mail/api/v1"),
        ("http://127.0.0.1:8019/api/v1", "http://127.0.0.1:8019/api/v1"),
        ("http://[::1]:8019", "http://[::1]:8019/api/v1"),
        ("http://localhost:8019", "http://localhost:8019/api/v1"),
    ],
)
def test_the_base_url_always_ends_in_api_v1(given: str, kept: str) -> None:
    assert AccountSettings(given, TOKEN).base_url == kept


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "https://"),
        ("us-1.dailystory.com", "https://"),
        ("ftp://us-1.dailystory.com", "https://"),
        ("https://us-1.dailystory.com/api/v2", "/api/v1"),
        ("https://us-1.dailystory.com/api/v1?x=1", "query"),
        ("https://user:secret@us-1.dailystory.com", "password"),
        ("http://us-1.dailystory.com", "unencrypted"),
        ("http://localhost.example.com", "unencrypted"),
        ("http://127.0.0.1.example.com", "unencrypted"),
        ("https://exa mple:port", "not a valid URL"),
        ("https://us-1..dailystory.com", "name a host"),
        (f"https://{'a' * 64}.dailystory.com", "name a host"),
    ],
)
def test_an_invalid_base_url_is_refused_with_an_example(given: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        AccountSettings(given, TOKEN)
    assert "https://us-1.dailystory.com/api/v1" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\nfeed", "toké"])
def test_an_invalid_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        AccountSettings("https://us-1.dailystory.com", token)
    assert not token.strip() or token not in str(caught.value)


def test_the_token_is_stripped_and_not_in_the_repr() -> None:
    settings = AccountSettings("https://us-1.dailystory.com", TOKEN + "\n")
    assert TOKEN not in repr(settings)
    assert settings.api_token == TOKEN


def test_only_a_loopback_host_is_local() -> None:
    assert AccountSettings("http://127.0.0.1:1", TOKEN).is_local
    assert not AccountSettings("https://us-1.dailystory.com", TOKEN).is_local
    assert AccountSettings("https://us-1.dailystory.com", TOKEN).host == "us-1.dailystory.com"


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.inf, math.nan])
def test_a_timeout_must_be_positive_and_finite(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="timeout_seconds"):
        AccountSettings("https://us-1.dailystory.com", TOKEN, timeout_seconds=seconds)
