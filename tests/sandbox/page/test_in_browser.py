"""The pages of the sandbox in a real browser, wide and narrow. `make test-ui` runs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from support.ui_driver import browser_page

from dagster_dailystory.sandbox import Sandbox

pytestmark = [pytest.mark.ui, pytest.mark.timeout(120)]

ADA = {"email": "ada@example.com", "firstName": "Ada"}
HOSTILE = "<img src=x onerror=\"document.title='broken'\">"
LONG_EMAIL = f"{'customer.of.many.names' * 5}@{'a-rather-long-domain.' * 4}example.com"
WIDTHS = (1200, 400)

CUT_OFF = """() => [...document.querySelectorAll("body *")].filter((node) => {
    const style = getComputedStyle(node), box = node.getBoundingClientRect();
    const hidden = style.overflowX !== "visible" && node.scrollWidth > node.clientWidth && node.tagName !== "INPUT";
    return hidden || style.textOverflow === "ellipsis" || box.right > innerWidth + 0.5 || box.left < 0;
}).map((node) => `${node.tagName} ${node.textContent.slice(0, 60)}`)"""
"""The elements whose text is cut off, or that are wider than the window."""


LINES = """(text) => {
    const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (texts.nextNode() && texts.currentNode.data !== text);
    const range = document.createRange();
    range.selectNode(texts.currentNode);
    return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
}"""
"""On how many lines a text is."""


@pytest.fixture
def page(sandbox: Sandbox) -> Iterator[Page]:
    """A browser on the sandbox. Its scripts run without an error, and it asks for nothing from elsewhere."""
    outside: list[str] = []
    errors: list[str] = []
    with browser_page(sandbox.url.rstrip("/"), outside) as opened:
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on("console", lambda message: errors.append(message.text) if "Policy" in message.text else None)
        yield opened
    assert (outside, errors) == ([], [])


def test_the_page_shows_new_contacts_and_escapes_their_values(sandbox, api, page):
    page.goto(sandbox.url)
    expect(page.get_by_text("No contact yet.")).to_be_visible()
    api.post("/contact", json=ADA)
    api.post("/contact", json={"email": "eve@example.com", "firstName": HOSTILE, "extendedProperties": {HOSTILE: "1"}})
    expect(page.get_by_text("eve@example.com")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator(".card", has_text="contacts")).to_contain_text("2")
    expect(page.get_by_role("status")).to_have_text("live")
    assert page.locator("img").count() == 0
    page.get_by_label("Search contacts").press_sequentially("ADA")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.url.endswith("?search=ADA")
    assert page.title() == "DailyStory sandbox"


def test_a_click_anywhere_in_a_row_opens_the_contact(sandbox, api, page):
    dsid = api.post("/contact", json=ADA).json()["Response"]["id"]
    page.goto(sandbox.url)
    box = page.locator("tbody tr td").last.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 5, box["y"] + 5)
    page.wait_for_url(f"**/contact/{dsid}")
    expect(page.locator("dd", has_text=dsid)).to_be_visible()
    expect(page.locator("pre")).to_have_text('{"email":"ada@example.com","firstName":"Ada"}')
    api.post("/contact", json={"dsId": dsid, "city": "London"})
    expect(page.locator("pre")).to_have_count(2)


def test_a_body_that_is_open_stays_open_while_requests_arrive(sandbox, api, page):
    api.post("/contact", json=ADA)
    page.goto(f"{sandbox.url}requests")
    page.locator("summary").click()
    api.post("/contact", json={"email": "bob@example.com"})
    expect(page.locator("summary")).to_have_count(2)
    expect(page.locator("details[open] pre")).to_have_text('{"email":"ada@example.com","firstName":"Ada"}')


@pytest.mark.parametrize("width", WIDTHS)
def test_no_text_is_cut_off(sandbox, api, page, width):
    values = {"email": LONG_EMAIL, "firstName": "W" * 300, "city": "x" * 200, "optOutEmail": True, "optOutSms": True}
    custom = {"n" * 90: "v" * 2000, "plan": "gold", **{f"field_{number}": "value" for number in range(12)}}
    api.post("/contact", json=ADA | {"mobilePhone": "+15557140059", "extendedProperties": {"plan": "gold"}})
    api.post("/contact", json={**values, "extendedProperties": custom})
    sandbox.script(["server_error", "throttled", "cut_before"], method="GET")
    api.get("/contact", params={"email": LONG_EMAIL, "mobilephone": "1" * 300})
    dsid = sandbox.find(email=LONG_EMAIL)["dsId"]
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("", "?search=gold", "requests", f"contact/{dsid}", "contact/unknown" + "u" * 300):
        page.goto(f"{sandbox.url}{path}")
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate(CUT_OFF) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if path in ("", f"contact/{dsid}"):
            assert LONG_EMAIL in page.locator("body").inner_text()
            assert dsid in page.locator("body").inner_text()


@pytest.mark.parametrize("width", WIDTHS)
def test_an_email_a_dsid_and_an_opt_out_are_on_one_line_each(sandbox, api, page, width):
    email = "maximilian2022@home.example.net"
    dsid = api.post("/contact", json={"email": email, "firstName": "Ada", "optOutEmail": True}).json()["Response"]["id"]
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("", f"contact/{dsid}"):
        page.goto(f"{sandbox.url}{path}")
        assert [page.evaluate(LINES, text) for text in (email, dsid, "opt-out: email")] == [1, 1, 1]


@pytest.mark.parametrize("width", WIDTHS)
def test_search_parts_and_contacts_work_without_a_script(sandbox, page, width):
    for number in range(60):
        sandbox.add(email=f"p{number}@example.com", firstName="Ada")
    page.context.route("**/page.js", lambda route: route.abort())
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(sandbox.url)
    page.get_by_role("link", name="next").first.click()
    expect(page.locator("tbody tr")).to_have_count(10)
    page.get_by_label("Search contacts").fill("p7@")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Ada").click()
    expect(page.get_by_text("Fields with a value")).to_be_visible()
