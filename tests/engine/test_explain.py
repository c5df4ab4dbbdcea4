"""Explain: why a key was or was not sent, in one timeline, read-only and without personal data."""

from __future__ import annotations

from typing import Any

import pytest
from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customer, customers, sync_of
from support.steps import plan_run

from dagster_dailystory.engine.upkeep.records.explain.explanation import Explanation, KeyExplanation, NextStep
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.records import open_sync
from dagster_dailystory.sandbox import Sandbox

PLACEMENTS = (*INSIDE, Placement("postgresql", "duckdb"))


def explained(scenario: Scenario, sync: ContactSync | None = None, *key: object, **options: Any) -> Explanation:
    ends = {"warehouse_url": scenario.warehouse_url, "state_url": scenario.state_url}
    with open_sync(sync or sync_of(), **ends) as records:
        return records.explain(*key, **options)


def explain(scenario: Scenario, key: object, sync: ContactSync | None = None, **options: Any) -> KeyExplanation:
    [found] = explained(scenario, sync, key, **options).keys
    return found


@pytest.fixture
def synced(scenario: Scenario) -> Scenario:
    scenario.seed(*customers(3, city="Oslo"))
    scenario.run()
    return scenario


def test_each_state_of_a_key_has_its_next_step(synced: Scenario):
    synced.update(2, city="Rome")
    synced.insert(*customers(4)[3:])
    assert [explain(synced, key).next_step for key in (1, 2, 4, 9)] == [
        NextStep.UNCHANGED, NextStep.SENT, NextStep.CREATED, NextStep.UNKNOWN,
    ]  # fmt: skip
    assert [str(change) for change in explain(synced, 2).differing] == ["city: ••• (4) → ••• (4)"]
    synced.update(1, email="nobody")
    synced.delete(3)
    assert [explain(synced, key).next_step for key in (1, 3)] == [NextStep.REJECTED, NextStep.GONE]
    synced.run()
    assert explain(synced, 3).why.startswith("It left the source; noticed at ")
    assert "invalid_email" in str(explain(synced, 1))


def test_fields_of_a_row_that_is_not_sent_are_not_listed_as_to_be_sent(synced: Scenario):
    synced.update(1, email="not an address")
    synced.update(2, city="Rome")
    rejected, sent = (str(explain(synced, key)).splitlines()[1:3] for key in (1, 2))
    assert rejected[0] == "  differs from what DailyStory acknowledged:"
    assert sent == ["  to be sent:", "    city: ••• (4) → ••• (4)"]


@at(Placement("sqlite"))
def test_before_the_first_plan_an_explanation_says_so(scenario: Scenario):
    scenario.seed(customer(1))
    assert str(explained(scenario, None, 1)) == ("sync customers has no plan in this state yet: plan or run it first")


@at(Placement("sqlite", "postgresql"))
def test_a_key_of_a_source_whose_columns_have_no_type_is_found_by_its_text(scenario: Scenario):
    scenario.execute("create table people (id, email text, city text)")
    values = ["'a1'", "7", "1.5", "'007'"]
    rows = ", ".join(f"({value}, 'p{place}@example.com', 'Oslo')" for place, value in enumerate(values))
    scenario.execute(f"insert into people values {rows}")
    sync = sync_of(source="people", key="id", fields={"email": "email", "city": "city"}, extended_properties={})
    scenario.run(sync)
    found = [explain(scenario, key, sync).next_step for key in ("a1", "7", "1.5", "007", "70")]
    assert found == [*[NextStep.UNCHANGED] * 4, NextStep.UNKNOWN]


def test_a_timeline_has_what_was_sent_and_what_it_replaced_masked_unless_asked_for(synced: Scenario):
    synced.update(1, city="Rome")
    synced.run()
    seen, shown = str(explain(synced, "1")), str(explain(synced, 1, show_values=True))
    assert "city: Oslo → Rome" in shown
    assert "source now: email p1@example.com, firstName Name 1" in shown
    assert "city: ••• (4) → ••• (4)" in seen
    assert not [word for word in ("Oslo", "Rome", "example.com", "Name 1") if word in seen]
    assert [event.text.split(" by run")[0] for event in explain(synced, 1).events if "by run" in event.text] == [
        f"contact {explain(synced, 1).dsid} created",
        f"contact {explain(synced, 1).dsid} updated",
    ]


@at(Placement("sqlite"), Placement("postgresql", "duckdb"))
def test_a_row_that_was_refused_is_held_with_the_message(synced: Scenario):
    synced.update(1, city="Rome")
    synced.sandbox.script([400])
    synced.run()
    found = explain(synced, 1)
    assert (found.next_step, "DailyStory refused it (refused:" in found.why) == (NextStep.HELD, True)
    synced.update(1, city="Bergen")
    assert explain(synced, 1).next_step is NextStep.SENT


@at(Placement("sqlite"))
def test_a_plan_that_waits_for_approval_is_named(synced: Scenario):
    sync = sync_of(require_approval=True)
    synced.update(1, city="Rome")
    plan = plan_run(sync, synced.warehouse, synced.account)
    found = explain(synced, 1, sync)
    assert (found.next_step, found.why) == (
        NextStep.PLANNED,
        f"It is part of plan {plan.plan_id}, which waits for approval.",
    )


@at(Placement("sqlite"), Placement("duckdb"))
def test_an_email_and_a_dsid_find_their_keys(synced: Scenario):
    dsid = str(synced.contact("p2@example.com")["dsId"])
    assert [each.key_label for each in explained(synced, dsid=dsid).keys] == ["2"]
    assert [each.key_label for each in explained(synced, email="P2@example.com").keys] == ["2"]
    synced.insert(*customers(4)[3:])
    assert [each.key_label for each in explained(synced, email="p4@example.com").keys] == ["4"]
    assert "neither the source nor the state" in str(explained(synced, email="p9@example.com"))


@at(Placement("sqlite"))
def test_dailystory_is_asked_only_with_an_account_and_its_values_are_not_shown(synced: Scenario):
    synced.edit("p1@example.com", city="Bergen", optOutEmail=True)
    account = {"base_url": synced.sandbox.base_url, "api_token": synced.sandbox.token}
    assert explain(synced, 1).live == ()
    found = explain(synced, 1, **account)
    assert list(found.live) == ["status Active; opt-outs: optOutEmail", "other values than acknowledged: city"]


@at(Placement("sqlite"))
def test_another_account_is_not_asked(synced: Scenario):
    with Sandbox() as other:
        found = explain(synced, 1, base_url=other.base_url, api_token=other.token)
        assert found.live[0].startswith("cannot be asked: ")
        assert list(other.requests()) == []


@at(Placement("sqlite"))
def test_an_outage_of_dailystory_hides_nothing_of_the_state(synced: Scenario):
    account = {"base_url": synced.sandbox.base_url, "api_token": synced.sandbox.token}
    synced.sandbox.stop()
    found = explain(synced, 1, max_attempts=1, **account)
    assert (found.next_step, found.live[0][:17]) == (NextStep.UNCHANGED, "cannot be asked: ")


@at(Placement("sqlite"))
def test_a_forgotten_row_is_named_as_such_under_any_key(synced: Scenario):
    with open_sync(sync_of(), warehouse_url=synced.warehouse_url) as records:
        records.forget([1])
    assert explain(synced, 1).next_step is NextStep.FORGOTTEN
    synced.insert({**customers(1)[0], "customer_id": 9})
    assert explain(synced, 9).next_step is NextStep.FORGOTTEN
    synced.delete(1)
    assert explain(synced, 1).next_step is NextStep.FORGOTTEN


@at(Placement("sqlite"))
def test_an_explanation_writes_nothing(synced: Scenario):
    before = synced.state_tables()
    explain(synced, 1)
    assert synced.state_tables() == before


@at(Placement("sqlite"))
def test_one_question_is_asked_at_a_time(synced: Scenario):
    with pytest.raises(ConfigurationError, match="explain takes one of key, email and dsid"):
        explained(synced, None, 1, email="p1@example.com")
