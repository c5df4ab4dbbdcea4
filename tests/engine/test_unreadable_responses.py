"""Responses that cannot be read: the run stops at once with the cause, and what may have been applied is in doubt."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.gateway import gateway
from support.scenario import Scenario, customers, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.run import new_run_id
from dagster_dailystory.engine.sending.breaker.circuit_breaker import PROBES
from dagster_dailystory.errors import ConfigurationError

BROTLI = {"Content-Encoding": "br"}
TOO_LONG = {"X-Trace": "a" * 70_000}
ROWS = 60


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    scenario.seed(*customers(ROWS))
    return scenario


def send_through(scenario: Scenario, base_url: str):
    """Plan and send at this address, one request after the other."""
    run_id = new_run_id()
    account = AccountSettings(base_url, scenario.sandbox.token, max_concurrency=1)
    plan_run(sync_of(), scenario.warehouse, account, run_id=run_id)
    return send_run(sync_of(), scenario.warehouse, account, [run_id])


def state_belongs_to_sandbox(scenario: Scenario) -> None:
    scenario.execute_state(
        "UPDATE dailystory_meta SET value = :url WHERE name = 'destination'", url=scenario.sandbox.base_url
    )


@pytest.mark.parametrize(
    ("added", "cause"),
    [(BROTLI, "the Content-Encoding 'br', which was not asked for"), (TOO_LONG, "a header of more than 64 KB")],
)
def test_the_first_unreadable_response_stops_the_run_with_its_cause(
    scenario: Scenario, added: Mapping[str, str], cause: str
):
    with gateway(scenario.sandbox.base_url, lambda path, body: added) as running:
        sent = send_through(scenario, running.base_url)
    assert isinstance(sent.error, ConfigurationError)
    assert cause in str(sent.error)
    assert [path.removeprefix("/api/v1") for path in running.paths] == ["/about"]
    assert [row["status"] for row in scenario.rows("plans")] == ["ready"]


def test_creates_whose_responses_cannot_be_read_are_looked_up_by_the_next_run(scenario: Scenario):
    def edit(path: str, body: bytes) -> Mapping[str, str]:
        return {} if path.endswith("/about") else BROTLI

    with gateway(scenario.sandbox.base_url, edit) as running:
        sent = send_through(scenario, running.base_url)
    assert isinstance(sent.error, ConfigurationError)
    assert "'br'" in str(sent.error)
    created = len(scenario.emails())
    assert 0 < created <= 2 + PROBES, "the rows on their way, and those from elsewhere"
    assert len(running.paths) == 1 + created, "no request is repeated"
    assert len(scenario.rows("intents")) >= created
    state_belongs_to_sandbox(scenario)
    scenario.run()
    assert scenario.sandbox.creates_by_identity() == {f"p{number}@example.com": 1 for number in range(1, ROWS + 1)}


def test_one_unreadable_response_leaves_its_row_in_doubt_and_stops_no_other(scenario: Scenario):
    def edit(path: str, body: bytes) -> Mapping[str, str]:
        return BROTLI if b"p30@example.com" in body else {}

    with gateway(scenario.sandbox.base_url, edit) as running:
        sent = send_through(scenario, running.base_url)
    assert (sent.error, sent.report.rows_created, sent.report.rows_in_doubt) == (None, ROWS - 1, 1)
    assert len(running.paths) == 1 + ROWS
    state_belongs_to_sandbox(scenario)
    scenario.run()
    assert len(scenario.contact_map()) == ROWS
    assert set(scenario.sandbox.creates_by_identity().values()) == {1}


def test_a_header_of_more_than_8_kb_is_read(scenario: Scenario):
    with gateway(scenario.sandbox.base_url, lambda path, body: {"X-Trace": "a" * 20_000}) as running:
        sent = send_through(scenario, running.base_url)
    assert (sent.error, sent.report.rows_created) == (None, ROWS)
