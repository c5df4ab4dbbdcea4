"""Promise 6: by each route that a false flag could take, whoever opted out stays out; on a real sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.scenario import World, person, sync_of, world_at

FIELDS = {"email": "email", "city": "city", "optOutEmail": "opted_out"}
SYNC = sync_of(fields=FIELDS)


@pytest.fixture
def world(new_database: Callable[[str], str]) -> Iterator[World]:
    """Two contacts are known and opted out in DailyStory, by themselves; the source says nothing of it yet."""
    with world_at(new_database) as made:
        made.seed(person(1), person(2))
        made.run(SYNC)
        for email in ("p1@example.com", "p2@example.com"):
            made.edit(email, optOutEmail=True)
        made.sandbox.clear_journal()
        yield made
        assert all(contact["optOutEmail"] for contact in made.sandbox.contacts())
        for write in made.sandbox.writes():
            assert write.payload.get("optOutEmail", True) is True
            assert write.payload.get("status") != "Active"


def test_a_false_in_the_source_opts_nobody_in(world: World):
    world.change(1, opted_out=False, city="Rome")
    world.change(2, opted_out=False)
    report = world.run(SYNC)
    assert report.rows_updated == 1, "a false alone is no difference"
    assert world.contact("p1@example.com")["city"] == "Rome"
    assert world.run(SYNC).api_requests == 0


@pytest.mark.parametrize("nulls", ["keep", "clear"])
def test_a_null_in_the_source_opts_nobody_in(world: World, nulls: str):
    sync = sync_of(fields=FIELDS, nulls=nulls)
    world.change(1, opted_out=True)
    world.run(sync)
    world.change(1, opted_out=None, city="Rome")
    world.change(2, opted_out=None, city=None)
    world.run(sync)
    assert world.contact("p1@example.com")["city"] == "Rome"
    assert world.run(sync).api_requests == 0


def test_a_flag_that_turns_false_is_recorded_and_not_sent(world: World):
    world.change(1, opted_out=True)
    assert world.run(SYNC).rows_updated == 1
    world.change(1, opted_out=False)
    assert world.run(SYNC).api_requests == 0
    world.edit("p1@example.com", optOutEmail=False)  # the person asked support for it
    assert world.run(SYNC).api_requests == 0
    world.change(1, opted_out=True)
    assert world.run(SYNC).rows_updated == 1, "a later true is sent again"


@pytest.mark.parametrize("policy", ["keep", "deactivate", "delete"])
def test_a_row_that_left_and_returns_opts_nobody_in(world: World, policy: str):
    sync = sync_of(fields=FIELDS, deletes=policy)
    world.change(1, opted_out=True)
    world.run(sync)
    world.drop(1)
    world.run(sync)
    status = world.contact("p1@example.com")["status"]
    world.put(person(1, opted_out=False, city="Rome"))
    assert world.run(sync).rows_updated == 1
    assert (world.contact("p1@example.com")["city"], world.contact("p1@example.com")["status"]) == ("Rome", status)


def test_scope_all_opts_nobody_in(world: World):
    world.change(1, opted_out=True)
    world.run(SYNC)
    world.change(1, opted_out=False)
    world.change(2, opted_out=False)
    assert world.run(SYNC, scope="all").rows_updated == 2


def test_a_refused_row_that_is_tried_again_opts_nobody_in(world: World):
    world.sandbox.configure(refuse_if=lambda body: "no such city" if body.get("city") == "Nowhere" else None)
    world.change(1, opted_out=False, city="Nowhere")
    assert world.run(SYNC).rows_refused == 1
    world.sandbox.configure(refuse_if=None)
    assert world.run(SYNC, scope="rejected").rows_updated == 1
    assert world.contact("p1@example.com")["city"] == "Nowhere"


def test_a_flag_that_is_mapped_later_opts_nobody_in(world: World):
    world.execute("UPDATE customers SET opted_out = false")
    assert world.run(sync_of(fields={"email": "email", "city": "city", "optOutSms": "opted_out"})).api_requests == 0
    assert world.run(SYNC).api_requests == 0


def test_a_contact_that_is_found_again_under_another_dsid_is_not_opted_in(world: World):
    heir = world.sandbox.add(email="p1@example.com", optOutEmail=True)
    world.sandbox.merge(heir, world.rows("contact_map")[0]["dsid"])
    world.change(1, opted_out=False, city="Rome")
    assert world.run(SYNC).rows_updated == 1, "with every field, because what the heir holds is not known"
    assert world.contact("p1@example.com")["dsId"] == heir
