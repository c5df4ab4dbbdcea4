"""Posts alerts to a webhook: a chat's incoming webhook, or a service of one's own."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import httpx

from dagster_dailystory.definitions.automation.alerts import Alert, Notify
from dagster_dailystory.errors import ConfigurationError, DailyStoryError

_TIMEOUT_SECONDS = 10.0


def webhook(url: str, setting: str, transport: httpx.BaseTransport | None = None) -> Notify:
    """Make a function that posts an alert as JSON: `text`, which Slack shows, and the attributes of the alert.

    Args:
        url: The address. It is a secret, because it permits to post: no error and no log shows it.
        setting: What the user calls it, for errors.
        transport: Sends the requests.

    Raises:
        ConfigurationError: It is not the address of a webhook.
    """
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        address = httpx.URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise ConfigurationError(f"{setting} must hold the address of a webhook, https://…")

    def post(alert: Alert) -> None:
        try:
            with _unlogged(), httpx.Client(transport=transport, timeout=_TIMEOUT_SECONDS) as client:
                answer = client.post(address, json={"text": alert.text, **asdict(alert)})
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # its text may have the address
            raise DailyStoryError(f"the webhook of {setting} cannot be reached ({type(error).__name__})") from None
        if not answer.is_success:
            raise DailyStoryError(f"the webhook of {setting} answered {answer.status_code}", status=answer.status_code)

    return post


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep the address out of the log: httpx logs each request of this thread with it."""
    logger, thread = logging.getLogger("httpx"), threading.get_ident()

    def is_of_others(record: logging.LogRecord) -> bool:
        return record.thread != thread

    logger.addFilter(is_of_others)
    try:
        yield
    finally:
        logger.removeFilter(is_of_others)
