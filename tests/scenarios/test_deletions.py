"""What happens to the contact of a row that leaves the source, and of one that returns; at every placement."""

from __future__ import annotations

import pytest
from support.scenario import people, person, sync_of

from dagster_dailystory.errors import SafetyError


@pytest.mark.parametrize("policy", ["keep", "deactivate", "delete"])
def test_a_row_that_left_follows_the_policy_once_and_returns_to_its_contact(everywhere, policy):
    sync = sync_of(deletes=policy)
    for world in everywhere:
        world.seed(*people(4))
        world.run(sync)
        before = world.rows("contact_map")
        world.sent()
        world.drop(1, 2)
        gone = world.run(sync)
        assert gone.rows_deleted == gone.rows_to_delete == (0 if policy == "keep" else 2)
        expected = {
            "keep": [],
            "deactivate": [(f"p{n}@example.com", "update", {"status": "Inactive"}) for n in (1, 2)],
            "delete": [(f"p{n}@example.com", "delete", {}) for n in (1, 2)],
        }
        assert world.sent() == expected[policy]
        status = {"keep": "Active", "deactivate": "Inactive", "delete": "Deleted"}[policy]
        assert world.contact("p1@example.com")["status"] == status
        assert world.run(sync).api_requests == 0, "it is seen once"

        world.edit("p1@example.com", city="Rome", optOutEmail=True)
        world.put(person(1, first_name="Ada"), person(2))
        back = world.run(sync)
        assert (back.rows_created, back.rows_updated) == (0, 2)
        whole = {"city": "Paris", "extendedProperties": {"plan": "free"}}
        first = {"email": "p1@example.com", "firstName": "Ada", **whole}
        second = {"email": "p2@example.com", "firstName": "Name 2", **whole}
        if policy != "keep":
            second["status"] = "Active"
        assert world.sent() == [("p1@example.com", "update", first), ("p2@example.com", "update", second)]
        assert world.contact("p1@example.com")["status"] == status, "nobody who opted out is made active"
        assert [row["dsid"] for row in world.rows("contact_map")] == [row["dsid"] for row in before]
        assert all(row["deleted_at"] is row["deactivated_at"] is None for row in world.rows("contact_map"))

        world.drop(2)
        assert world.run(sync).rows_deleted == (0 if policy == "keep" else 1), "it may leave again"


def test_an_empty_source_is_blocked_unless_it_is_allowed(everywhere):
    careful, careless = sync_of(deletes="delete"), sync_of(deletes="delete", allow_empty_source=True)
    for world in everywhere:
        world.create()
        with pytest.raises(SafetyError, match="the source has no rows"):
            world.run(careful)
        assert world.run(careless).outcome == "empty"
        world.put(*people(2))
        world.run(careful)
        world.execute("DELETE FROM customers")
        with pytest.raises(SafetyError, match="allow_empty_source=True"):
            world.run(careful)
        assert world.emails() == ["p1@example.com", "p2@example.com"]
        assert world.run(careless).rows_deleted == 2
        assert world.emails() == []


def test_a_plan_beyond_a_guard_is_blocked_and_nothing_is_sent(everywhere):
    guarded = sync_of(deletes="delete", max_changed_fraction=0.3, max_rejected_fraction=0.3, min_guard_rows=2)
    for world in everywhere:
        world.seed(*people(10))
        world.run(guarded)
        world.sandbox.clear_journal()
        snapshot = world.rows("snapshot")
        world.execute("UPDATE customers SET city = 'Rome' WHERE customer_id <= 4")
        with pytest.raises(SafetyError, match=r"changed_share: 4 of 10 .*40\.0%"):
            world.run(guarded)
        world.execute("UPDATE customers SET city = 'Paris'")
        world.drop(9, 10)
        with pytest.raises(SafetyError, match=r"deleted_share: 2 of 10 .*20\.0%"):
            world.run(guarded)
        world.put(person(9), *(person(number, email=None) for number in range(11, 17)))
        with pytest.raises(SafetyError, match=r"rejected_share: 6 of 15 .*40\.0%"):
            world.run(guarded)
        assert (world.rows("snapshot"), world.sandbox.counts.requests) == (snapshot, 0)
        world.execute("DELETE FROM customers WHERE customer_id > 10")
        assert world.run(guarded).rows_deleted == 1, "one row is below min_guard_rows"
