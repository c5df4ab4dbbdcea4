"""Unconfirmed writes: whether they were applied or not, one run later DailyStory equals the source."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest
from support.faults import crash_after_a_write, crash_at, flaky_account, interrupted_when
from support.scenario import customer, customers, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.engine.run import new_run_id
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import Scope
from dagster_dailystory.sandbox import Fault


def is_not_a_look_up(method: str, url: str, _content: bytes | None) -> bool:
    return method != "GET" or url.endswith("/about")


def is_an_about_request(_method: str, url: str, _content: bytes | None) -> bool:
    return url.endswith("/about")


def test_a_value_emptied_after_an_unconfirmed_write_is_emptied(scenario):
    sync = sync_of(nulls="clear")
    scenario.seed(*customers(2, city=None))
    scenario.run(sync)
    scenario.update(1, city="Rome")
    crash_after_a_write(scenario, sync)
    scenario.update(1, city=None)
    scenario.run(sync)
    assert not scenario.contact("p1@example.com")["city"]
    assert scenario.run(sync).outcome == "empty"


def test_a_new_email_that_was_never_applied_is_not_recorded(scenario):
    """Another row has the old email by then: the first contact still has it, and is updated first."""
    scenario.seed(*customers(1))
    scenario.run()
    scenario.update(1, email="new@example.com")
    plan_run(sync_of(), scenario.warehouse, scenario.account, run_id="cut off")
    scenario.execute_state(
        "INSERT INTO dailystory_customers_intents (customer_id, email_as_sent, dsid, plan_id, sequence)"
        " SELECT customer_id, field_email, dsid, plan_id, sequence FROM dailystory_customers_changes"
        " WHERE identity_changed"
    )
    scenario.insert(customer(2, email="p1@example.com"))
    scenario.run()
    assert scenario.contact_map() == {"1": "new@example.com", "2": "p1@example.com"}
    assert (scenario.rejections(), scenario.rows("intents")) == ({}, [])


def test_only_changes_that_may_have_been_sent_are_sent_twice(scenario):
    """The rest of a plan that was cut off was never sent: its rows that changed back do not differ."""
    scenario.seed(*customers(400))
    scenario.run()
    scenario.execute("UPDATE customers SET city = 'Rome'")
    crash_after_a_write(scenario)
    scenario.execute("UPDATE customers SET city = 'Paris'")
    assert 0 < scenario.run().rows_updated < 400
    assert {contact["city"] for contact in scenario.sandbox.contacts()} == {"Paris"}
    assert scenario.run().outcome == "empty"


def test_an_unchanged_consent_is_not_sent_again(scenario):
    """The row is sent as a whole, and a contact that unsubscribed in DailyStory stays opted out."""
    fields = {"email": "email", "city": "city", "optOutEmail": "opted_out"}
    sync = sync_of(fields=fields, nulls="clear", consent_override=["optOutEmail"])
    scenario.seed(*customers(1, opted_out=False))
    scenario.run(sync)
    scenario.edit("p1@example.com", optOutEmail=True)
    scenario.update(1, city="Rome")
    crash_after_a_write(scenario, sync)
    scenario.run(sync)
    assert [body.get("optOutEmail") for *_, body in scenario.sent()] == [None]
    assert scenario.contact("p1@example.com")["optOutEmail"] is True


def test_a_re_keyed_row_that_emptied_a_field_is_sent_again_as_a_whole(scenario):
    sync = sync_of(nulls={"city": "clear"}, extended_properties={})
    scenario.seed(*customers(1))
    scenario.run(sync)
    scenario.execute("UPDATE customers SET customer_id = 3, city = NULL")
    crash_after_a_write(scenario, sync)
    assert not scenario.contact("p1@example.com")["city"]
    scenario.execute("UPDATE customers SET customer_id = 1, city = 'Paris'")
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["city"] == "Paris"
    assert scenario.run(sync).outcome == "empty"


def test_an_unconfirmed_custom_field_is_sent_with_the_others(scenario):
    scenario.sandbox.configure(extended_properties_replace=True)
    sync = sync_of(extended_properties={"plan": "plan", "level": "level"})
    scenario.seed(*customers(1))
    scenario.run(sync)
    scenario.update(1, plan="pro")
    crash_after_a_write(scenario, sync)
    scenario.update(1, plan=None, level=2)
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["extendedProperties"] == {"plan": "pro", "level": "2"}


def test_an_unconfirmed_field_that_was_unmapped_meanwhile_is_sent_again(scenario):
    without_city = sync_of(fields={"email": "email", "firstName": "first_name"})
    scenario.seed(*customers(1))
    scenario.run()
    scenario.update(1, city="Rome")
    crash_after_a_write(scenario)
    scenario.update(1, city="Paris")
    scenario.run(without_city)
    scenario.run()
    assert scenario.contact("p1@example.com")["city"] == "Paris"


def test_only_the_part_of_an_identity_that_changes_is_looked_up(scenario):
    """The other part would find the contact although the change was never applied."""
    sync = sync_of(fields={"email": "email", "mobilePhone": "mobile", "city": "city"})
    scenario.seed(customer(5, mobile="+14155552671"))
    scenario.run(sync)
    scenario.update(5, email="new@example.com")
    down = flaky_account(scenario, is_an_about_request)
    plan_run(sync, scenario.warehouse, down, PlanOptions(scope=Scope.ALL), "down")
    assert send_run(sync, scenario.warehouse, down, ["down"]).report.rows_failed == 1
    assert [row["mobile_as_sent"] for row in scenario.rows("intents")] == [None]
    scenario.insert(customer(2, email="p5@example.com"))
    scenario.run(sync)
    assert scenario.contact_map() == {"2": "p5@example.com", "5": "new@example.com"}


def test_an_update_that_failed_may_have_been_applied(scenario):
    scenario.seed(*customers(1))
    scenario.run()
    scenario.update(1, email="new@example.com", city="Rome")
    scenario.sandbox.script([Fault.SERVER_ERROR_AFTER] * 2)
    run_id, quick = new_run_id(), flaky_account(scenario)
    plan_run(sync_of(), scenario.warehouse, quick, run_id=run_id)
    assert send_run(sync_of(), scenario.warehouse, quick, [run_id]).report.rows_failed == 1
    scenario.update(1, email="p1@example.com", city="Paris")
    scenario.run()
    assert scenario.contact("p1@example.com")["city"] == "Paris"
    assert (scenario.emails(), scenario.rows("intents")) == (["p1@example.com"], [])
    assert scenario.run().outcome == "empty"


def test_a_row_in_doubt_is_sent_again(scenario):
    scenario.seed(*customers(1))
    scenario.run()
    scenario.update(1, email="new@example.com", city="Rome")
    run_id, deaf = new_run_id(), flaky_account(scenario, is_not_a_look_up)
    plan_run(sync_of(), scenario.warehouse, scenario.account, run_id=run_id)
    posts = scenario.sandbox.counts.posts
    with crash_at(1, lambda: scenario.sandbox.counts.posts > posts):
        send_run(sync_of(), scenario.warehouse, scenario.account, [run_id])
    scenario.execute_state("UPDATE dailystory_meta SET holder = NULL")
    assert send_run(sync_of(), scenario.warehouse, deaf, [run_id]).report.rows_in_doubt == 1
    scenario.update(1, email="p1@example.com", city="Paris")
    scenario.run()
    assert (scenario.emails(), scenario.contact("p1@example.com")["city"]) == (["p1@example.com"], "Paris")
    assert scenario.run().outcome == "empty"


def test_a_plan_made_during_an_outage_waits_for_creates_in_doubt(scenario):
    """The create in doubt was applied and its row has another key by then; the plan knows neither."""
    scenario.sandbox.configure(duplicates_allowed=True)
    scenario.seed(*customers(2))
    crash_after_a_write(scenario)
    scenario.delete(1)
    scenario.insert(customer(3, email="p1@example.com"))
    run_id, down = new_run_id(), flaky_account(scenario, lambda _method, _url, _content: False)
    assert plan_run(sync_of(), scenario.warehouse, down, run_id=run_id).rows_to_create == 2
    report = send_run(sync_of(), scenario.warehouse, scenario.account, [run_id]).report
    assert (report.rows_created, report.rows_failed) == (0, 1)
    scenario.run()
    assert scenario.emails() == ["p1@example.com", "p2@example.com"]
    assert scenario.contact_map() == {"2": "p2@example.com", "3": "p1@example.com"}


def test_a_run_that_is_stopped_while_it_looks_up_keeps_what_it_found(scenario):
    scenario.seed(*customers(60))
    plan_run(sync_of(), scenario.warehouse, scenario.account, run_id="cut off")
    scenario.execute_state(
        "INSERT INTO dailystory_customers_intents (customer_id, email_as_sent, plan_id, sequence, sent_at)"
        " SELECT customer_id, field_email, plan_id, sequence, current_timestamp FROM dailystory_customers_changes"
    )
    scenario.sandbox.configure(latency_seconds=0.05)
    account = replace(scenario.account, max_concurrency=1)
    with interrupted_when(lambda: scenario.sandbox.counts.gets >= 15, signal.SIGINT), pytest.raises(KeyboardInterrupt):
        plan_run(sync_of(), scenario.warehouse, account)
    assert 0 < len(scenario.rows("intents")) <= 50
    scenario.sandbox.configure(latency_seconds=0.0)
    assert scenario.run().rows_created == 60
    assert set(scenario.sandbox.creates_by_identity().values()) == {1}
