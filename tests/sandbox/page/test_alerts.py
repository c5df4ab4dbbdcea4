"""Alerts that a webhook posts to the sandbox, over real HTTP."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from dagster_dailystory.definitions.automation.alerts import Alert
from dagster_dailystory.definitions.automation.webhooks import webhook
from dagster_dailystory.sandbox import Sandbox


def alerts_of(sandbox: Sandbox) -> str:
    response = httpx.get(f"{sandbox.url}alerts")
    assert response.status_code == 200
    return response.text


def post(sandbox: Sandbox, content: str, kind: str = "application/json") -> int:
    return httpx.post(f"{sandbox.url}alerts", content=content, headers={"Content-Type": kind}).status_code


def test_an_alert_and_its_end_are_shown_newest_first(sandbox):
    assert "No alert yet." in alerts_of(sandbox)
    notify = webhook(f"{sandbox.url}alerts", "the test")
    for has_ended in (False, True):
        notify(Alert(sync_name="people", condition="rows_rejected", has_ended=has_ended, message="3 rows are rejected"))
    page = alerts_of(sandbox)
    assert page.count("DailyStory sync people: 3 rows are rejected") == 1
    assert page.index(">ended</span>") < page.index(">began</span>")
    assert 'href="/alerts"' in httpx.get(sandbox.url).text
    assert sandbox.counts.requests == 0, "an alert is not a request of the API"


def test_a_text_of_an_alert_is_escaped(sandbox):
    assert post(sandbox, '{"text": "<img src=x>", "condition": "<img src=x>"}') == 204
    assert "<img" not in alerts_of(sandbox)


@pytest.mark.parametrize("content", ["", "null", "[]", "{}", '{"text": 3}', "{", '{"at": 1}'])
def test_what_is_not_an_alert_is_refused(sandbox, content):
    assert post(sandbox, content) == 400
    assert "No alert yet." in alerts_of(sandbox)


def test_another_web_site_cannot_post_an_alert(sandbox):
    alert = '{"text": "from elsewhere"}'
    assert [post(sandbox, alert, kind) for kind in ("text/plain", "application/x-www-form-urlencoded")] == [415, 415]
    headers = {"Host": "evil.example", "Content-Type": "application/json"}
    assert httpx.post(f"{sandbox.url}alerts", content=alert, headers=headers).status_code == 421
    assert httpx.options(f"{sandbox.url}alerts").status_code == 404
    assert "from elsewhere" not in alerts_of(sandbox)


def test_the_sandbox_remembers_the_latest_200_alerts_of_16_kb(sandbox):
    assert post(sandbox, f'{{"text": "{"x" * 16_384}"}}') == 413
    assert [post(sandbox, f'{{"text": "alert {number};"}}') for number in range(201)] == [204] * 201
    page = alerts_of(sandbox)
    assert page.count("<li>") == 200
    assert "alert 0;" not in page


def test_alerts_are_kept_between_runs(tmp_path: Path):
    store = tmp_path / "sandbox.json"
    with Sandbox(store=store) as first:
        post(first, '{"text": "kept", "condition": "run_failed", "has_ended": true}')
    with Sandbox(store=store) as second:
        page = alerts_of(second)
    assert "kept" in page
    assert ">ended</span>" in page


def test_an_open_page_has_a_new_alert(sandbox):
    tag = httpx.get(f"{sandbox.url}alerts").headers["ETag"]
    post(sandbox, '{"text": "new"}')
    assert httpx.get(f"{sandbox.url}alerts", headers={"If-None-Match": tag}).status_code == 200
