"""The alerts that a webhook posts to the sandbox, and the page that shows them."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass

from dagster_dailystory.sandbox.page.frame import chip, live, moment, nothing
from dagster_dailystory.sandbox.page.markup import Markup, element, joined
from dagster_dailystory.sandbox.replies import decode_json
from dagster_dailystory.sandbox.settings import JsonValue

PATH = "/alerts"
"""Where a webhook posts alerts, and the page with them."""


MOST_BYTES = 16 * 1024
"""Bytes of one alert that the sandbox accepts."""


MOST_ALERTS = 200
"""Alerts that it remembers; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class PostedAlert:
    """One alert.

    Attributes:
        at: When it arrived, in seconds since the epoch.
        text: The alert as one line.
        condition: What it is about; empty if the webhook does not say it.
        has_ended: The condition holds no longer.
    """

    at: float
    text: str
    condition: str = ""
    has_ended: bool = False


class AlertLog:
    """Remembers the latest alerts. All methods are thread-safe.

    Attributes:
        total: Alerts since the start, forgotten ones included.
    """

    def __init__(self) -> None:
        self.total = 0
        self._alerts: deque[PostedAlert] = deque(maxlen=MOST_ALERTS)
        self._lock = threading.Lock()

    def add(self, body: bytes, at: float) -> None:
        """Remember an alert.

        Args:
            body: JSON as `alert_sensors` posts it, or any object with a `text`.
            at: When it arrived.

        Raises:
            ValueError: The body is something else.
        """
        posted = decode_json(body)
        facts = posted if isinstance(posted, dict) else {}
        self._add({**facts, "at": at})

    def latest(self) -> list[PostedAlert]:
        """List the alerts, newest first."""
        with self._lock:
            return list(reversed(self._alerts))

    def dump(self) -> list[JsonValue]:
        """Return the remembered alerts as JSON values, oldest first."""
        return [asdict(each) for each in reversed(self.latest())]

    def load(self, dumped: list[JsonValue]) -> None:
        """Add the alerts of a `dump`.

        Raises:
            ValueError: The values do not come from `dump`.
        """
        for each in dumped:
            self._add(each)

    def _add(self, facts: JsonValue) -> None:
        match facts:
            case {"at": int() | float() as at, "text": str(text), **rest}:
                alert = PostedAlert(at, text, str(rest.get("condition") or ""), rest.get("has_ended") is True)
            case _:
                raise ValueError("an alert is a JSON object with a text")
        with self._lock:
            self.total += 1
            self._alerts.append(alert)


def alert_list(log: AlertLog) -> Markup:
    """Build the list of alerts, newest first."""
    items = [_item(each) for each in log.latest()]
    shown = element("ol", *items, class_="requests")
    if not items:
        shown = nothing("No alert yet. An alert sensor whose webhook is this address posts its alerts here.")
    return joined(
        element("div", element("h2", "Alerts"), element("p", "Newest first."), class_="head"), live("list", shown)
    )


def _item(alert: PostedAlert) -> Markup:
    state = chip("ended", "good") if alert.has_ended else chip("began", "warn")
    line = element("div", state, element("code", alert.condition), moment(alert.at), class_="line")
    return element("li", line, element("p", alert.text))
