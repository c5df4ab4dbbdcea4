"""The requests on the pages of the sandbox: method, path, time, status and body, as they were sent."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from dagster_dailystory.sandbox.page.frame import ROWS, chip, live, moment, nothing, page_number, pager
from dagster_dailystory.sandbox.page.history import MOST_REQUESTS, RequestHistory
from dagster_dailystory.sandbox.page.markup import Markup, element, joined
from dagster_dailystory.sandbox.replies import RecentRequest

PATH = "/requests"


_SHOWN_IN_LIST = 4096
"""Bytes of a body in the list of all requests; the page of the contact has the rest."""


def request_list(history: RequestHistory, only_problems: bool, page: str) -> Markup:
    """Build the list of all requests, newest first.

    Args:
        history: The requests.
        only_problems: Leave out those that succeeded.
        page: The number of the page, as it was asked for.
    """
    problems = history.problems()
    total = problems if only_problems else len(history)
    number = page_number(page, total)
    offset = (number - 1) * ROWS
    found = history.latest(ROWS, offset, problems=only_problems)
    parts = pager(PATH, {"only": "problems"} if only_problems else {}, number, total)
    choices = element(
        "p",
        _choice(f"all ({len(history):,})", PATH, not only_problems),
        _choice(f"without success ({problems:,})", f"{PATH}?only=problems", only_problems),
        class_="choices",
    )
    items = [_item(each, folded=True) for each in found]
    shown = element("ol", *items, class_="requests")
    if not found:
        shown = nothing("All requests succeeded." if len(history) else "No request yet. Run a sync to send some.")
    forgotten = history.total - len(history)
    note = f" {forgotten:,} older ones are forgotten: the sandbox remembers {MOST_REQUESTS:,}." if forgotten else ""
    return joined(
        element("div", element("h2", "Requests"), element("p", "Newest first.", note), class_="head"),
        live("list", choices, parts, shown, parts if total > ROWS else ""),
    )


def _choice(text: str, path: str, is_chosen: bool) -> Markup:
    return element("strong", text) if is_chosen else element("a", text, href=path)


def contact_requests(requests: Sequence[RecentRequest], history: RequestHistory) -> Markup:
    """Build the list of one contact's requests, oldest first."""
    note = ""
    if history.total > len(history):
        note = f"The sandbox remembers the latest {MOST_REQUESTS:,} requests; older ones are not shown."
    if not requests:
        return joined(nothing("The sandbox remembers no request for this contact."), element("p", note))
    shown, left_out = requests[-ROWS:], max(0, len(requests) - ROWS)
    if left_out:
        note += f" {left_out:,} requests before these are left out."
    return joined(
        element("p", note.strip(), class_="note") if note else "",
        element("ol", *(_item(each, folded=False) for each in shown), class_="requests"),
    )


def _item(request: RecentRequest, *, folded: bool) -> Markup:
    """Build one request; `folded` hides its body behind a line, and links to its contact."""
    target = request.path + (f"?{request.query}" if request.query else "")
    link = element("a", request.dsid, href=contact_path(request.dsid), class_="code") if folded and request.dsid else ""
    return element(
        "li",
        element(
            "div",
            chip(str(request.status) if request.status else "cut off", _kind(request)),
            element("code", element("b", request.method), " ", target),
            moment(request.at),
            class_="line",
        ),
        element("p", request.note, class_="note") if request.note else "",
        element("p", "contact ", link) if link else "",
        _body(request, folded=folded),
    )


def _kind(request: RecentRequest) -> str:
    if request.is_accepted:
        return "good"
    return "bad" if request.status == 0 or request.status >= 500 else "warn"


def _body(request: RecentRequest, *, folded: bool) -> str:
    if request.body_bytes < 0:
        return element("p", "The body is larger than the sandbox reads.", class_="note")
    if not request.body_bytes:
        return ""
    sent = request.body[:_SHOWN_IN_LIST] if folded else request.body
    size = f"{request.body_bytes:,} bytes"
    if len(sent) < request.body_bytes:
        size = f"the first {len(sent):,} of {size}"
    text = element("pre", sent.decode("utf-8", "replace"))
    if not folded:
        return text if len(sent) == request.body_bytes else joined(text, element("p", size, class_="note"))
    return element("details", element("summary", f"body, {size}"), text, id=f"request-{request.number}")


def contact_path(dsid: str) -> str:
    """Build the path of a contact's page."""
    return f"/contact/{quote(dsid, safe='', errors='replace')}"
