"""Creates without a response: looked up before anything is sent, with the state in every place."""

from __future__ import annotations

from support.scenario import Scenario, customers, sync_of
from support.steps import plan_run


def die_while_creating(scenario: Scenario, *customer_ids: int) -> None:
    """Leave the state of a run that was killed after it committed its intents."""
    plan_run(sync_of(), scenario.warehouse, scenario.account)
    columns = "customer_id, email_as_sent, plan_id, sequence, sent_at"
    values = "customer_id, field_email, plan_id, sequence, current_timestamp"
    chosen = ", ".join(map(str, customer_ids))
    scenario.execute_state(
        f"INSERT INTO dailystory_customers_intents ({columns})"
        f" SELECT {values} FROM dailystory_customers_changes WHERE customer_id IN ({chosen})"
    )


def test_a_create_with_an_open_intent_becomes_one_contact(scenario: Scenario):
    sync = sync_of(deletes="delete", max_deleted_fraction=None)
    scenario.seed(*customers(5))
    die_while_creating(scenario, 1, 2, 3, 4)
    applied = {number: scenario.sandbox.add(email=f"P{number}@Example.com") for number in (1, 2, 3)}
    scenario.update(2, email="new@example.com")
    scenario.delete(3)
    report = scenario.run(sync)
    assert (report.rows_created, report.rows_updated, report.rows_deleted) == (2, 2, 1)
    assert scenario.rows("intents") == []
    assert scenario.emails() == ["new@example.com", "p1@example.com", "p4@example.com", "p5@example.com"]
    assert scenario.contact("new@example.com")["dsId"] == applied[2], "found by the email that was sent"
    assert scenario.contact("p3@example.com")["status"] == "Deleted", "its key is missing: the deletion policy applies"
    assert scenario.contact("p1@example.com")["firstName"] == "Name 1"
    assert scenario.run(sync).api_requests == 0


def test_an_open_intent_is_not_linked_to_the_contact_of_another_row(scenario: Scenario):
    scenario.seed(*customers(1))
    scenario.run()
    scenario.insert({"customer_id": 2, "email": "two@example.com"})
    die_while_creating(scenario, 2)
    scenario.execute_state("UPDATE dailystory_customers_intents SET email_as_sent = 'p1@example.com'")
    assert scenario.run().rows_created == 1
    assert scenario.contact_map() == {"1": "p1@example.com", "2": "two@example.com"}


def test_a_dry_run_looks_up_and_settles_nothing(scenario: Scenario):
    scenario.seed(*customers(1))
    die_while_creating(scenario, 1)
    scenario.run(dry_run=True)
    assert len(scenario.rows("intents")) == 1
    assert [request.path for request in scenario.sandbox.requests()] == ["/api/v1/about"]
    assert scenario.run().rows_created == 1
