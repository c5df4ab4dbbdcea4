"""A state sends to one account, and asks for nothing else before it knows that the token belongs to it."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from support.scenario import Scenario, customer, customers, sync_of
from support.steps import plan_run, read_state, send_run

from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.engine.upkeep.records.inspection import sync_status
from dagster_dailystory.errors import AuthenticationError, StateError

TOKENS = ("sandbox-token-us-1", "second-token-us-1")


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    scenario.sandbox.configure(tokens=TOKENS)
    scenario.seed(*customers(3))
    return scenario


def requests(scenario: Scenario) -> list[str]:
    """The paths of all requests since the last `clear_journal`."""
    return [request.path.removeprefix("/api/v1") for request in scenario.sandbox.requests()]


@pytest.mark.parametrize("shape", ["2019", "2025", "bare"])
def test_another_account_is_refused_in_each_shape_of_about(scenario: Scenario, shape: str):
    scenario.sandbox.configure(about_shape=shape)
    scenario.run()
    scenario.sandbox.configure(tenant_uid="another0tenant", tenant_name="Another")
    scenario.update(1, city="Rome")
    before, asked = scenario.rows("snapshot"), len(requests(scenario))
    with pytest.raises(StateError, match="belongs to another DailyStory account"):
        scenario.run()
    assert scenario.rows("snapshot") == before
    assert requests(scenario)[asked:] == ["/about"]


def test_another_account_is_asked_for_no_contact_after_a_crash(scenario: Scenario):
    scenario.run()
    scenario.insert(customer(4))
    scenario.execute_state(
        "INSERT INTO dailystory_customers_intents (customer_id, email_as_sent, plan_id, sequence) "
        "VALUES (4, 'p4@example.com', 'killed', 1)"
    )
    scenario.sandbox.configure(tenant_uid="another0tenant")
    asked = len(requests(scenario))
    with pytest.raises(StateError, match="belongs to another DailyStory account"):
        scenario.run()
    assert requests(scenario)[asked:] == ["/about"]
    assert len(scenario.rows("intents")) == 1


def test_the_audit_asks_no_other_account(scenario: Scenario):
    scenario.sandbox.configure(about_shape="2025")
    scenario.run()
    scenario.sandbox.configure(tenant_uid="another0tenant")
    asked = len(requests(scenario))
    with pytest.raises(StateError, match="belongs to another DailyStory account"):
        audit_contacts(sync_of(), scenario.warehouse, scenario.account)
    assert requests(scenario)[asked:] == ["/about"]


def test_a_renamed_account_and_a_new_token_of_it_are_accepted(scenario: Scenario):
    scenario.sandbox.configure(about_shape="2025")
    scenario.run()
    scenario.sandbox.configure(tenant_name="New Name")
    scenario.update(1, city="Rome")
    assert scenario.run(api_token=TOKENS[1]).rows_updated == 1


@pytest.mark.parametrize("shape", ["text", "forbidden", "nameless"])
def test_a_token_that_was_seen_may_send_whatever_about_responds(scenario: Scenario, shape: str):
    scenario.run()
    scenario.sandbox.configure(about_shape=shape)
    scenario.update(1, city="Rome")
    assert scenario.run().rows_updated == 1


@pytest.mark.parametrize("shape", ["text", "forbidden", "nameless"])
def test_a_new_token_needs_an_account_or_a_person_that_accepts_it(scenario: Scenario, shape: str):
    scenario.run()
    scenario.sandbox.configure(about_shape=shape)
    scenario.update(1, city="Rome")
    with pytest.raises(StateError, match="run once with accept_account=True"):
        scenario.run(api_token=TOKENS[1])
    assert scenario.run(api_token=TOKENS[1], accept_account=True).rows_updated == 1
    scenario.update(1, city="Oslo")
    assert scenario.run(api_token=TOKENS[1]).rows_updated == 1


def test_without_a_named_account_another_token_is_named_in_a_warning(
    scenario: Scenario, caplog: pytest.LogCaptureFixture
):
    scenario.sandbox.configure(about_shape="nameless")
    assert scenario.run().rows_created == 3
    assert "only this token is remembered" in caplog.text
    scenario.update(1, city="Rome")
    assert scenario.run(api_token=TOKENS[1]).rows_updated == 1
    assert "the API token is another one than before" in caplog.text
    stored = str(scenario.rows("meta"))
    assert not any(token in caplog.text + stored for token in TOKENS)


def test_an_account_known_by_its_id_is_not_that_of_a_name(scenario: Scenario):
    """As layout version 2 stored it; nothing of it can be compared with a response that has a name only."""
    scenario.run()
    uid = scenario.sandbox.settings.tenant_uid
    scenario.execute_state("UPDATE dailystory_meta SET value = :uid WHERE name = 'account'", uid=uid)
    scenario.sandbox.configure(tenant_uid="", tenant_name="Another")
    scenario.update(1, city="Rome")
    with pytest.raises(StateError, match="run once with accept_account=True"):
        scenario.run(api_token=TOKENS[1])
    assert scenario.run(api_token=TOKENS[0]).rows_updated == 1, "a token that was seen"
    [account] = [row["value"] for row in scenario.rows("meta") if row["name"] == "account"]
    assert account == uid, "the name of another account is not kept"


def test_a_wrong_token_is_refused_even_if_it_was_seen(scenario: Scenario):
    scenario.run()
    scenario.sandbox.configure(tokens=TOKENS[1:])
    scenario.update(1, city="Rome")
    with pytest.raises(AuthenticationError):
        scenario.run(api_token=TOKENS[0])


def statuses(scenario: Scenario) -> list[str]:
    """The statuses of the plans, oldest first."""
    return [str(row["status"]) for row in sorted(scenario.rows("plans"), key=lambda row: int(row["number"]))]


def test_after_a_wrong_token_the_plan_is_ready_and_the_run_with_a_right_one_sends_it(scenario: Scenario):
    plan_run(sync_of(), scenario.warehouse, scenario.account, run_id="run")
    wrong = replace(scenario.account, api_token="another-token-us-1")
    sent = send_run(sync_of(), scenario.warehouse, wrong, ["run"])
    assert isinstance(sent.error, AuthenticationError)
    assert statuses(scenario) == ["ready"]
    assert read_state(sync_status, sync_of(), scenario.warehouse).rows_unsettled == 0, (
        "nothing was sent that could be open"
    )
    sent = send_run(sync_of(), scenario.warehouse, scenario.account, ["run"])
    assert (sent.error, sent.report.rows_created, statuses(scenario)) == (None, 3, ["done"])


@pytest.mark.parametrize("accepted", [0, 2])
def test_a_plan_of_which_something_may_have_been_sent_stays_open_for_resuming(scenario: Scenario, accepted: int):
    """A 401 for a row: its create has an intent, even if it is the first one."""
    plan_run(sync_of(), scenario.warehouse, scenario.account, run_id="run")
    scenario.sandbox.script([None] * accepted + [401])
    sent = send_run(sync_of(), scenario.warehouse, scenario.account, ["run"])
    assert isinstance(sent.error, AuthenticationError)
    assert statuses(scenario) == ["sending"]
    sent = send_run(sync_of(), scenario.warehouse, scenario.account, ["run"])
    assert (sent.error, statuses(scenario), len(scenario.emails())) == (None, ["done"], 3)


def test_a_dry_run_asks_for_the_account_and_nothing_else(scenario: Scenario):
    scenario.run(dry_run=True)
    assert requests(scenario) == ["/about"]
    assert [row["name"] for row in scenario.rows("meta") if row["name"] == "account" or "token" in row["name"]] == []


def test_a_dry_run_with_a_wrong_token_fails_before_anything_is_read(scenario: Scenario):
    with pytest.raises(AuthenticationError, match="does not accept the API token"):
        scenario.run(sync_of(source="nowhere"), dry_run=True, api_token="another-token-us-1")
    assert (requests(scenario), scenario.rows("plans")) == (["/about"], [])


def test_a_dry_run_with_the_token_of_another_account_fails(scenario: Scenario):
    scenario.run()
    scenario.sandbox.configure(tenant_uid="another0tenant", tenant_name="Another")
    with pytest.raises(StateError, match="belongs to another DailyStory account"):
        scenario.run(dry_run=True)


def test_a_dry_run_with_a_new_token_of_an_account_without_a_name_fails_as_its_send_would(scenario: Scenario):
    scenario.run()
    scenario.sandbox.configure(about_shape="nameless")
    with pytest.raises(StateError, match="run once with accept_account=True"):
        scenario.run(dry_run=True, api_token=TOKENS[1])
    assert scenario.run(dry_run=True).outcome == "dry"


@pytest.mark.parametrize(
    ("shape", "warning"),
    [
        ("forbidden", "it could not be checked whether DailyStory accepts the API token"),
        ("text", "/about of base_url does not respond as the API of DailyStory does"),
    ],
)
def test_a_dry_run_shows_its_plan_and_warns_of_what_it_could_not_check(
    scenario: Scenario, caplog: pytest.LogCaptureFixture, shape: str, warning: str
):
    scenario.sandbox.configure(about_shape=shape)
    assert scenario.run(dry_run=True).rows_to_create == 3
    assert warning in caplog.text


def test_a_dry_run_without_a_service_shows_its_plan_and_warns(scenario: Scenario, caplog: pytest.LogCaptureFixture):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        report = scenario.run(dry_run=True, base_url=f"http://127.0.0.1:{unused.getsockname()[1]}/api/v1")
    assert (report.outcome, report.rows_to_create) == ("dry", 3)
    assert "it could not be checked whether DailyStory accepts the API token" in caplog.text
    assert "refused the connection; check base_url" in caplog.text
