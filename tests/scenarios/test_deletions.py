"""What happens to the contact of a row that leaves the source, and of one that returns; at every placement."""

from __future__ import annotations

import pytest
from support.scenario import Scenario, customer, customers, sync_of

from dagster_dailystory.errors import SafetyError

STATUSES = {"keep": "Active", "deactivate": "Inactive", "delete": "Deleted"}


@pytest.mark.parametrize("policy", STATUSES)
def test_a_row_that_left_follows_the_policy_once(scenario: Scenario, policy: str) -> None:
    sync = sync_of(deletes=policy)
    scenario.seed(*customers(4))
    scenario.run(sync)
    scenario.sent()
    scenario.delete(1, 2)
    gone = scenario.run(sync)
    assert gone.rows_deleted == gone.rows_to_delete == (0 if policy == "keep" else 2)
    expected = {
        "keep": [],
        "deactivate": [(f"p{n}@example.com", "update", {"status": "Inactive"}) for n in (1, 2)],
        "delete": [(f"p{n}@example.com", "delete", {}) for n in (1, 2)],
    }
    assert scenario.sent() == expected[policy]
    assert scenario.contact("p1@example.com")["status"] == STATUSES[policy]
    assert scenario.run(sync).api_requests == 0


@pytest.mark.parametrize("policy", STATUSES)
def test_a_row_that_returns_keeps_its_contact(scenario: Scenario, policy: str) -> None:
    sync = sync_of(deletes=policy)
    scenario.seed(*customers(4))
    scenario.run(sync)
    before = scenario.rows("contact_map")
    scenario.delete(1, 2)
    scenario.run(sync)
    scenario.sent()
    scenario.edit("p1@example.com", city="Rome", optOutEmail=True)
    scenario.insert(customer(1, first_name="Ada"), customer(2))
    back = scenario.run(sync)
    assert (back.rows_created, back.rows_updated) == (0, 2)
    whole = {"city": "Paris", "extendedProperties": {"plan": "free"}}
    first = {"email": "p1@example.com", "firstName": "Ada", **whole}
    second = {"email": "p2@example.com", "firstName": "Name 2", **whole}
    if policy != "keep":
        second["status"] = "Active"
    assert scenario.sent() == [("p1@example.com", "update", first), ("p2@example.com", "update", second)]
    assert scenario.contact("p1@example.com")["status"] == STATUSES[policy], "it opted out"
    assert [row["dsid"] for row in scenario.rows("contact_map")] == [row["dsid"] for row in before]
    assert all(row["deleted_at"] is row["deactivated_at"] is None for row in scenario.rows("contact_map"))

    scenario.delete(2)
    assert scenario.run(sync).rows_deleted == (0 if policy == "keep" else 1), "it may leave again"


def test_an_empty_source_is_blocked_unless_it_is_allowed(scenario: Scenario):
    careful, careless = sync_of(deletes="delete"), sync_of(deletes="delete", allow_empty_source=True)
    scenario.create()
    with pytest.raises(SafetyError, match="the source has no rows"):
        scenario.run(careful)
    assert scenario.run(careless).outcome == "empty"
    scenario.insert(*customers(2))
    scenario.run(careful)
    scenario.execute("DELETE FROM customers")
    with pytest.raises(SafetyError, match="allow_empty_source=True"):
        scenario.run(careful)
    assert scenario.emails() == ["p1@example.com", "p2@example.com"]
    assert scenario.run(careless).rows_deleted == 2
    assert scenario.emails() == []


def test_a_plan_beyond_a_guard_is_blocked_and_nothing_is_sent(scenario: Scenario):
    guarded = sync_of(deletes="delete", max_changed_fraction=0.3, max_rejected_fraction=0.3, min_guard_rows=2)
    scenario.seed(*customers(10))
    scenario.run(guarded)
    scenario.sandbox.clear_journal()
    snapshot = scenario.rows("snapshot")
    scenario.execute("UPDATE customers SET city = 'Rome' WHERE customer_id <= 4")
    with pytest.raises(SafetyError, match=r"changed_share: 4 of 10 .*40\.0%"):
        scenario.run(guarded)
    scenario.execute("UPDATE customers SET city = 'Paris'")
    scenario.delete(9, 10)
    with pytest.raises(SafetyError, match=r"deleted_share: 2 of 10 .*20\.0%"):
        scenario.run(guarded)
    scenario.insert(customer(9), *(customer(number, email=None) for number in range(11, 17)))
    with pytest.raises(SafetyError, match=r"rejected_share: 6 of 15 .*40\.0%"):
        scenario.run(guarded)
    assert (scenario.rows("snapshot"), scenario.sandbox.counts.requests) == (snapshot, 0)
    scenario.execute("DELETE FROM customers WHERE customer_id > 10")
    assert scenario.run(guarded).rows_deleted == 1, "one row is below min_guard_rows"
