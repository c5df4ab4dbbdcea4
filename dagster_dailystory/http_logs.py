"""Keeps addresses with emails and numbers out of the HTTP libraries' own log lines (promise 11)."""

from __future__ import annotations

import logging
import re

from dagster_dailystory.privacy import mask

_LOGGERS = (
    "httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy",
    "httpcore.socks", "aiohttp", "aiohttp.access", "aiohttp.client", "aiohttp.internal", "aiohttp.server",
    "aiohttp.web", "aiohttp.websocket",
)  # fmt: skip
_QUERY = re.compile(r"\?[^\s'\"<>]*")


class _PrivacyFilter(logging.Filter):
    """Masks a record before any handler sees it. Loggers do not filter for their children, so each one has it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = mask(_QUERY.sub("?[query]", record.getMessage()))
        record.args = ()
        record.exc_info = None
        return True


def silence_http_loggers() -> None:
    """Let httpx, httpcore and aiohttp log no query string, email, number or token. Calling it again changes nothing."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, _PrivacyFilter) for existing in logger.filters):
            logger.addFilter(_PrivacyFilter())
