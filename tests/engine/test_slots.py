"""How many requests are in flight: as many as rate and latency need, unless a number is set."""

from __future__ import annotations

from support.gateway import Gateway, gateway
from support.scenario import Scenario, customers

from dagster_dailystory.api.settings import MOST_CONCURRENCY
from dagster_dailystory.engine.sending.slots import FIRST_SLOTS
from dagster_dailystory.model.runs.report import SyncReport


def send(
    scenario: Scenario, rows: int, rate: float | None, latency_seconds: float, max_concurrency: int | None = None
) -> tuple[SyncReport, Gateway]:
    """Create contacts over real HTTP with a latency."""
    scenario.seed(*customers(rows))
    with gateway(scenario.sandbox.base_url, latency_seconds=latency_seconds) as running:
        report = scenario.run(base_url=running.base_url, requests_per_second=rate, max_concurrency=max_concurrency)
    assert report.rows_created == rows
    return report, running


def test_requests_in_flight_follow_rate_and_latency(scenario: Scenario):
    report, running = send(scenario, 250, rate=100, latency_seconds=0.2)
    assert 12 < running.most_in_flight <= MOST_CONCURRENCY, "100 a second of 0.2 seconds are 20 at once"
    assert report.send_advice == ""


def test_a_number_that_is_set_is_kept_and_the_report_says_what_would_help(scenario: Scenario):
    report, running = send(scenario, 80, rate=60, latency_seconds=0.2, max_concurrency=4)
    assert running.most_in_flight == 4
    assert report.send_advice.startswith("4 requests in flight, of 2")
    assert "and 60 a second are permitted; set max_concurrency=" in report.send_advice
    assert report.send_advice.endswith(", or leave it out")


def test_the_number_has_a_limit_and_the_report_names_it(scenario: Scenario):
    report, running = send(scenario, 400, rate=2_000, latency_seconds=0.2)
    assert FIRST_SLOTS < running.most_in_flight <= MOST_CONCURRENCY
    assert "32 requests in flight (the most that are chosen automatically), of " in report.send_advice
    assert "leave it out" not in report.send_advice


def test_a_rate_that_the_first_slots_reach_needs_no_more(scenario: Scenario):
    report, running = send(scenario, 80, rate=40, latency_seconds=0.0)
    assert running.most_in_flight <= FIRST_SLOTS
    assert report.send_advice == ""


def test_the_rate_that_is_found_while_sending_has_its_slots_too(scenario: Scenario):
    _, running = send(scenario, 150, rate=None, latency_seconds=0.4)
    assert FIRST_SLOTS < running.most_in_flight <= MOST_CONCURRENCY
