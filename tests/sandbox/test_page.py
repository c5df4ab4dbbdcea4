"""The web page of the sandbox."""

from __future__ import annotations

import shutil

import httpx
import pytest
from playwright.sync_api import sync_playwright

ADA = {"email": "ada@example.com", "firstName": "Ada"}
BROWSER = shutil.which("chromium")
HOSTILE = "<img src=x onerror=\"document.title='broken'\">"


def test_the_page_loads_nothing_external_and_its_state_is_json(sandbox, api):
    api.post("/contact", json=ADA)
    page = httpx.get(sandbox.url)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "innerHTML" not in page.text
    state = httpx.get(f"{sandbox.url}_sandbox/state", params={"search": "ADA@"}).json()
    assert (state["contacts_total"], state["contacts"][0]["fullname"], state["counts"]["creates"]) == (1, "Ada", 1)
    assert state["requests"][0]["path"] == "/api/v1/contact"
    assert httpx.get(f"{sandbox.url}_sandbox/state", params={"search": "unknown"}).json()["contacts"] == []
    assert sandbox.counts.requests == 1
    assert httpx.get(f"{sandbox.url}favicon.ico").status_code == 404


def test_the_page_stays_small_with_many_contacts(sandbox):
    for number in range(2000):
        sandbox.add(email=f"p{number}@example.com")
    state = httpx.get(f"{sandbox.url}_sandbox/state")
    assert len(state.json()["contacts"]) == 200
    assert state.json()["contacts"][0]["email"] == "p1999@example.com"
    assert len(state.content) < 200_000


@pytest.mark.ui
@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
def test_the_page_shows_new_contacts_and_escapes_their_values(sandbox, api):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(sandbox.url)
        page.get_by_text("No contact yet.").wait_for()
        api.post("/contact", json=ADA)
        eve = {"email": "eve@example.com", "firstName": HOSTILE, "extendedProperties": {HOSTILE: HOSTILE}}
        api.post("/contact", json=eve)
        page.get_by_text("eve@example.com").wait_for()
        assert page.locator("#contacts tr").count() == 2
        assert page.locator("#contacts img").count() == 0
        page.get_by_label("Search contacts").fill("ADA")
        page.get_by_text("1 found").wait_for()
        assert page.locator("#contacts tr").count() == 1
        assert (page.title(), errors) == ("DailyStory sandbox", [])
        browser.close()
