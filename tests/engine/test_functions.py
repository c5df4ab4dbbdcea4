"""The functions for a sync without an orchestrator: a plan is stored, and then exactly that plan is sent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.faults import crash_at
from support.scenario import Scenario, customers, open_scenario, sync_of

from dagster_dailystory import SafetyError, plan_contact_sync, send_contact_sync
from dagster_dailystory.api.settings import AccountOptions, AccountSettings
from dagster_dailystory.errors import ConfigurationError, OutageError
from dagster_dailystory.model.runs.plan import PlanStatus


@pytest.fixture
def scenario(new_database: Callable[[str], str]) -> Iterator[Scenario]:
    with open_scenario(new_database) as made:
        made.seed(*customers(3))
        yield made


def ends(scenario: Scenario) -> dict[str, Any]:
    return {
        "warehouse_url": scenario.warehouse_url,
        "state_url": scenario.state_url,
        "base_url": scenario.sandbox.base_url,
        "api_token": scenario.sandbox.token,
        "requests_per_second": math.inf,
    }


def test_a_plan_sends_nothing_and_is_then_sent_as_it_was_made(scenario: Scenario):
    plan = plan_contact_sync(sync_of(), **ends(scenario))
    assert (plan.status, plan.rows_to_create, scenario.sandbox.counts.posts) == (PlanStatus.READY, 3, 0)
    scenario.update(1, city="Rome")
    report = send_contact_sync(sync_of(), plan_id=plan.plan_id, **ends(scenario))
    assert (report.plan_id, report.rows_created, report.outcome) == (plan.plan_id, 3, "done")
    assert {body["city"] for _, _, body in scenario.sent()} == {"Paris"}, "the planned values"


def test_an_older_plan_is_not_sent_when_a_newer_one_looked_at_its_rows(scenario: Scenario):
    older, newer = (plan_contact_sync(sync_of(), **ends(scenario)) for _ in range(2))
    with pytest.raises(SafetyError, match=f"{older.plan_id} of sync 'customers' is superseded"):
        send_contact_sync(sync_of(), plan_id=older.plan_id, **ends(scenario))
    assert send_contact_sync(sync_of(), plan_id=newer.plan_id, **ends(scenario)).rows_created == 3
    with pytest.raises(SafetyError, match="sent already"):
        send_contact_sync(sync_of(), plan_id=newer.plan_id, **ends(scenario))


def test_the_plan_of_another_sync_and_an_unknown_one_are_refused_by_id(scenario: Scenario):
    plan = plan_contact_sync(sync_of(), **ends(scenario))
    for sync, plan_id in ((sync_of(name="others"), plan.plan_id), (sync_of(), "p-none")):
        with pytest.raises(SafetyError, match=f"sync '{sync.name}' has no plan '{plan_id}'"):
            send_contact_sync(sync, plan_id=plan_id, **ends(scenario))
    assert scenario.sandbox.counts.posts == 0


def test_a_dry_run_is_never_sent(scenario: Scenario):
    plan = plan_contact_sync(sync_of(), dry_run=True, **ends(scenario))
    with pytest.raises(SafetyError, match="a dry run"):
        send_contact_sync(sync_of(), plan_id=plan.plan_id, **ends(scenario))


def test_an_interrupted_send_goes_on_under_the_same_id(scenario: Scenario):
    plan = plan_contact_sync(sync_of(), **ends(scenario))
    with crash_at(1, lambda: scenario.sandbox.counts.posts > 0):
        send_contact_sync(sync_of(), plan_id=plan.plan_id, max_concurrency=1, **ends(scenario))
    scenario.execute_state("UPDATE dailystory_meta SET holder = NULL")  # this process goes on
    report = send_contact_sync(sync_of(), plan_id=plan.plan_id, **ends(scenario))
    assert (report.outcome, set(scenario.sandbox.creates_by_identity().values())) == ("done", {1})


def test_a_send_that_an_error_stops_raises_it(scenario: Scenario):
    plan = plan_contact_sync(sync_of(), **ends(scenario))
    nowhere = {**ends(scenario), "base_url": "http://127.0.0.1:9/api/v1"}
    with pytest.raises(OutageError):
        send_contact_sync(sync_of(), plan_id=plan.plan_id, max_attempts=1, max_seconds_per_row=1, **nowhere)


def test_every_option_of_an_account_is_one_of_its_settings():
    defaults = {name: getattr(AccountSettings, name) for name in AccountOptions.__annotations__}
    assert AccountSettings("https://us-1.dailystory.com", "token", **defaults).max_attempts == 9


def test_a_misspelled_option_is_refused_with_the_nearest_name(scenario: Scenario):
    with pytest.raises(ConfigurationError, match="send_contact_sync has no setting 'max_atempts'; did you mean"):
        send_contact_sync(sync_of(), plan_id="p", max_atempts=3, **ends(scenario))  # type: ignore[call-arg]


def test_a_plan_in_place_of_its_id_is_refused(scenario: Scenario):
    plan = plan_contact_sync(sync_of(), **ends(scenario))
    with pytest.raises(ConfigurationError, match="plan_id must be a text, such as the plan_id of a plan"):
        send_contact_sync(sync_of(), plan_id=plan, **ends(scenario))  # type: ignore[arg-type]


def test_a_token_in_another_setting_is_not_repeated(scenario: Scenario):
    with pytest.raises(
        ConfigurationError, match="max_attempts must be a whole number, such as 9; it is a text"
    ) as error:
        send_contact_sync(sync_of(), plan_id="p", max_attempts=scenario.sandbox.token, **ends(scenario))  # type: ignore[arg-type]
    assert scenario.sandbox.token not in str(error.value)
