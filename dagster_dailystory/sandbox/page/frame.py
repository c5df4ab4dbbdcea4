"""What the pages of the sandbox have in common: the frame, the counters, and the links to other parts of a list."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from dagster_dailystory.sandbox.contacts import Tally
from dagster_dailystory.sandbox.page.markup import Markup, element, joined
from dagster_dailystory.sandbox.records import naive_time
from dagster_dailystory.sandbox.replies import Counts

ROWS = 50
"""Contacts or requests on one page."""


_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' "
    "rx='4' fill='%230f766e'/%3E%3Ccircle cx='8' cy='6' r='2.6' fill='white'/%3E%3Cpath d='M3 13.5a5 4.5 0 0 1 10 0z' "
    "fill='white'/%3E%3C/svg%3E"
)


@dataclass(frozen=True, slots=True)
class Account:
    """What the header of each page names.

    Attributes:
        tenant: The name of the account.
        base_url: The address of the API.
    """

    tenant: str
    base_url: str


def document(account: Account, title: str, here: str, *contents: str) -> str:
    """Build a whole page.

    Args:
        account: For the header.
        title: The title of the window.
        here: The path of the link in the header that leads to this page.
        *contents: What is below the header.
    """
    links = [
        element("a", text, href=path, **({"aria_current": "page"} if path == here else {}))
        for path, text in (("/", "Contacts"), ("/requests", "Requests"), ("/alerts", "Alerts"))
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("link", rel="icon", href=_ICON),
        element("link", rel="stylesheet", href="/page.css"),
        element("script", src="/page.js", defer=True),
    )
    header = element(
        "header",
        element("h1", "DailyStory sandbox"),
        element("p", account.tenant, " · ", element("code", account.base_url)),
        element("span", id="connection", role="status"),
        element("nav", *links),
    )
    return "<!doctype html>\n" + element("html", head, element("body", header, element("main", *contents)), lang="en")


def live(name: str, *contents: str) -> Markup:
    """Build a part of a page that the script renews while the page is open."""
    return element("div", *contents, id=name, data_live=True)


def counters(tally: Tally, counts: Counts, per_second: int) -> Markup:
    """Build the counters: what the store holds, and what the requests did."""
    other = tally.contacts - tally.statuses.get("Active", 0) - tally.statuses.get("Deleted", 0)
    held = [
        ("contacts", tally.contacts, ""),
        ("active", tally.statuses.get("Active", 0), ""),
        *([("inactive", other, "")] if other else []),
        ("deleted", tally.statuses.get("Deleted", 0), ""),
        ("opted out", tally.opted_out, ""),
        ("created", tally.created, ""),
        ("updated", tally.updated, ""),
    ]
    rare = (("failed", counts.failed), ("cut off", counts.cut), ("bad token", counts.unauthorized))
    problems = [("refused", counts.refused), ("throttled", counts.throttled), *(each for each in rare if each[1])]
    sent = [
        ("requests", counts.requests, ""),
        ("per second", per_second, ""),
        ("writes", counts.posts + counts.deletes, ""),
        ("look-ups", counts.gets, ""),
        *((name, count, "warn" if count else "") for name, count in problems),
    ]
    return live(
        "counters", _group("Contacts, and changes so far", held, "held"), _group("Requests so far", sent, "sent")
    )


def _group(title: str, cards: list[tuple[str, int, str]], kind: str) -> Markup:
    shown = [
        element("div", element("dt", name), element("dd", f"{count:,}"), class_=f"card {kind}".strip())
        for name, count, kind in cards
    ]
    return element("section", element("h2", title), element("dl", *shown), class_=f"counters {kind}")


def pager(path: str, query: dict[str, str], page: int, total: int) -> Markup:
    """Build the line that says which part of a list is shown, with links to its other parts."""
    last = last_page(total)
    if not total:
        return joined()

    def link(text: str, to: int) -> Markup:
        if to == page or not 1 <= to <= last:
            return element("span", text, class_="off")
        return element("a", text, href=f"{path}?{urlencode({**query, 'page': str(to)}, errors='replace')}")

    first_row = (page - 1) * ROWS + 1
    shown = f"{first_row:,} to {min(page * ROWS, total):,} of {total:,}"
    links = [link("first", 1), link("previous", page - 1), link("next", page + 1), link("last", last)]
    return element("nav", element("span", shown), *(links if last > 1 else []), class_="pager", aria_label="Parts")


def last_page(total: int) -> int:
    """Compute the number of the last page of a list; 1 if the list is empty."""
    return max(1, -(-total // ROWS))


def page_number(text: str, total: int) -> int:
    """Read the number of a page from a query; one that does not exist becomes the nearest that does."""
    asked = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 1
    return min(max(1, asked), last_page(total))


def moment(seconds: float) -> Markup:
    """Build a time in UTC, to the millisecond."""
    text = naive_time(seconds)
    return element("time", text.replace("T", " "), " UTC", datetime=f"{text}Z")


def chip(text: str, kind: str = "") -> Markup:
    """Build a short label: plain, or `good`, `warn` or `bad`."""
    return element("span", text, class_=f"chip {kind}".strip())


def nothing(*text: str) -> Markup:
    """Build the note that stands in place of an empty list."""
    return element("p", joined(*text), class_="nothing")
