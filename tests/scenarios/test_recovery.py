"""Facts that `docs/reliability.md` tells and that one world is enough for."""

from __future__ import annotations

import pytest
from support.scenario import World, people, person, sync_of, world_at

from dagster_dailystory.errors import SafetyError


def dsids(world: World) -> dict[str, str]:
    """Key -> dsid."""
    return {str(row["customer_id"]): row["dsid"] for row in world.rows("contact_map")}


def test_two_rows_that_swap_their_emails_are_set_aside_until_one_lets_go(new_database):
    with world_at(new_database) as world:
        world.seed(*people(3))
        world.run()
        before = dsids(world)
        world.change(1, email="p2@example.com")
        world.change(2, email="p1@example.com")
        swapped = world.run()
        assert (swapped.rows_rejected, swapped.api_requests) == (2, 0)
        assert world.rejections() == {"1": "identity_cycle", "2": "identity_cycle"}
        world.change(2, email="between@example.com")
        assert world.run().rows_updated == 2
        world.change(2, email="p1@example.com")
        assert world.run().rows_updated == 1
        assert (dsids(world), world.rejections()) == (before, {})
        assert world.mapped() == {"1": "p2@example.com", "2": "p1@example.com", "3": "p3@example.com"}


def test_a_contact_is_not_deactivated_while_another_sync_holds_it(new_database):
    sync, leads = sync_of(deletes="deactivate"), sync_of(name="leads", source="leads")
    with world_at(new_database) as world:
        world.seed(*people(2))
        world.seed(person(71, email="p1@example.com"), table="leads")
        world.run(sync)
        world.run(leads)
        world.drop(1, 2)
        assert world.run(sync_of(deletes="deactivate", allow_empty_source=True)).rows_deleted == 1
        assert [world.contact(f"p{number}@example.com")["status"] for number in (1, 2)] == ["Active", "Inactive"]


def test_a_contact_that_somebody_else_deleted_is_made_again_once(new_database):
    with world_at(new_database) as world:
        world.seed(*people(2))
        world.run()
        before = dsids(world)
        world.sandbox.remove(before["1"])
        assert world.run().api_requests == 0, "without a difference nobody looks"
        world.change(1, city="Rome")
        assert world.run().rows_created == 1
        assert world.contact("p1@example.com")["firstName"] == "Name 1", "every field is sent, not only the city"
        assert dsids(world) == {"1": world.contact("p1@example.com")["dsId"], "2": before["2"]}
        assert world.run().api_requests == 0


def test_rows_without_a_key_of_their_own_are_set_aside_up_to_the_limit(new_database):
    """NULL and duplicate keys count as rejected rows; beyond the limit the plan is blocked."""
    guarded = sync_of(max_rejected_fraction=0.3, min_guard_rows=1)
    with world_at(new_database) as world:
        world.seed(*people(7), person(None), person(8), person(8, city="Rome"))
        assert (world.run(guarded).rows_created, world.rejections()) == (7, {"None": "null_key", "8": "duplicate_key"})
        world.put(person(None))
        world.sandbox.clear_journal()
        with pytest.raises(SafetyError, match=r"rejected_share: 4 of 11 "):
            world.run(guarded)
        assert world.sandbox.counts.requests == 0
