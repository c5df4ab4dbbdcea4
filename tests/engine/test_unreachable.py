"""A DailyStory that cannot be reached fails the run, in words that name the host and the settings to check."""

from __future__ import annotations

import logging
import math
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from support.faults import flaky_account
from support.scenario import Scenario, customer, customers, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.errors import OutageError
from dagster_dailystory.model.runs.options import PlanOptions


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    scenario.seed(*customers(3))
    return scenario


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nothing listens, and that no other process gets."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield int(unused.getsockname()[1])


def impatient(base_url: str, attempts: int = 1) -> AccountSettings:
    return AccountSettings(base_url, "a-token-us-1", math.inf, max_attempts=attempts)


def statuses(scenario: Scenario) -> list[str]:
    return [str(row["status"]) for row in scenario.rows("plans")]


def test_a_closed_port_fails_the_run_and_leaves_its_plan_to_a_retry(
    scenario: Scenario, closed_port: int, caplog: pytest.LogCaptureFixture
):
    nowhere = impatient(f"http://127.0.0.1:{closed_port}/api/v1", attempts=6)
    plan_run(sync_of(), scenario.warehouse, nowhere, run_id="run")
    caplog.clear()
    sent = send_run(sync_of(), scenario.warehouse, nowhere, ["run"])
    assert isinstance(sent.error, OutageError)
    assert str(sent.error) == (
        f"DailyStory could not be reached: 127.0.0.1:{closed_port} refused the connection; check base_url. "
        "No request of this run had an answer"
    )
    assert (sent.report.outcome, sent.report.rows_failed, sent.report.api_requests) == ("stopped", 3, 6)
    warnings = [(each.name, each.getMessage()) for each in caplog.records if each.levelno >= logging.WARNING]
    assert len(warnings) == 1, "nothing about the account"
    assert f"127.0.0.1:{closed_port} refused the connection" in warnings[0][1]
    assert statuses(scenario) == ["ready"]
    assert not any("token" in row["name"] for row in scenario.rows("meta")), "it is not known to be accepted"


def test_a_name_that_does_not_resolve_is_named_with_the_settings_to_check(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_PROXY", "*")
    nowhere = impatient("https://us-1.dailystory.invalid/api/v1")
    plan_run(sync_of(), scenario.warehouse, nowhere, run_id="run")
    sent = send_run(sync_of(), scenario.warehouse, nowhere, ["run"])
    assert isinstance(sent.error, OutageError)
    assert "the name of us-1.dailystory.invalid cannot be resolved; check base_url, and HTTPS_PROXY" in str(sent.error)


def test_a_proxy_that_refuses_is_named(scenario: Scenario, closed_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    nowhere = impatient("https://us-1.dailystory.invalid/api/v1")
    plan_run(sync_of(), scenario.warehouse, nowhere, run_id="run")
    sent = send_run(sync_of(), scenario.warehouse, nowhere, ["run"])
    assert isinstance(sent.error, OutageError)
    assert f"the proxy 127.0.0.1:{closed_port} refused the connection; check the proxy in HTTPS_PROXY" in str(
        sent.error
    )


def test_a_service_that_only_fails_fails_the_run_however_few_rows_there_are(scenario: Scenario):
    scenario.run()
    scenario.update(1, city="Rome")
    down = flaky_account(scenario, lambda _method, _url, _content: False)
    plan_run(sync_of(), scenario.warehouse, down, run_id="run")
    sent = send_run(sync_of(), scenario.warehouse, down, ["run"])
    assert str(sent.error) == "DailyStory responded with 500. No request of this run had an answer"
    assert (sent.report.outcome, statuses(scenario)) == ("stopped", ["done", "sending"])
    again = send_run(sync_of(), scenario.warehouse, scenario.account, ["run"])
    assert (again.error, again.report.rows_updated) == (None, 1)


def test_an_outage_after_some_answers_is_a_warning_and_no_error(scenario: Scenario, caplog: pytest.LogCaptureFixture):
    scenario.run()
    scenario.execute("UPDATE customers SET city = 'Rome'")
    is_first = iter([True, True])  # /about and a row
    failing = flaky_account(scenario, lambda _method, _url, _content: next(is_first, False))
    plan_run(sync_of(), scenario.warehouse, failing, run_id="run")
    caplog.clear()
    sent = send_run(sync_of(), scenario.warehouse, replace(failing, max_attempts=5, max_concurrency=1), ["run"])
    assert (sent.error, sent.report.outcome) == (None, "incomplete")
    assert (sent.report.rows_updated, sent.report.rows_failed) == (1, 2)
    assert sent.report.outage == "DailyStory responded with 500"
    warnings = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert warnings == [
        "5 requests in a row failed, and are sent again. Last: DailyStory responded with 500",
        "sync customers: the last requests failed, and the next run goes on: DailyStory responded with 500",
    ]


def test_it_is_logged_when_dailystory_responds_again(scenario: Scenario, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "dagster_dailystory")
    replies = iter([True, *[False] * 5])
    failing = flaky_account(scenario, lambda _method, _url, _content: next(replies, True))
    plan_run(sync_of(), scenario.warehouse, failing, run_id="run")
    sent = send_run(sync_of(), scenario.warehouse, replace(failing, max_attempts=9), ["run"])
    assert (sent.report.rows_created, sent.report.outage) == (3, "")
    messages = [each.getMessage() for each in caplog.records]
    assert (
        messages[
            messages.index("5 requests in a row failed, and are sent again. Last: DailyStory responded with 500") + 1
        ]
        == "DailyStory responds again"
    )


def test_another_token_is_not_said_to_be_of_another_account_while_dailystory_is_down(scenario: Scenario):
    scenario.run()
    scenario.insert(customer(4))
    down = replace(flaky_account(scenario, lambda _method, _url, _content: False), api_token="another-token-us-1")
    plan_run(sync_of(), scenario.warehouse, down, run_id="run")
    sent = send_run(sync_of(), scenario.warehouse, down, ["run"])
    assert isinstance(sent.error, OutageError)


def test_a_plan_is_made_while_creates_in_doubt_cannot_be_looked_up(
    scenario: Scenario, closed_port: int, caplog: pytest.LogCaptureFixture
):
    scenario.run()
    scenario.execute_state(
        "INSERT INTO dailystory_customers_intents (customer_id, email_as_sent, plan_id, sequence) "
        "VALUES (4, 'p4@example.com', 'killed', 1)"
    )
    scenario.insert(customer(5))
    nowhere = impatient(f"http://127.0.0.1:{closed_port}/api/v1")
    scenario.execute_state("UPDATE dailystory_meta SET value = :url WHERE name = 'destination'", url=nowhere.base_url)
    assert plan_run(sync_of(), scenario.warehouse, nowhere, PlanOptions(), "run").rows_to_create == 1
    assert f"127.0.0.1:{closed_port} refused the connection" in caplog.text
