"""Writes that were done, or not, and whose answer nobody kept: one run later DailyStory says what the source says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from harness import World, crash_at, people, person, sync_of, world_at

from dagster_dailystory.client import DailyStoryClient
from dagster_dailystory.limiter import RateLimiter
from dagster_dailystory.model import ContactSync
from dagster_dailystory.places import Destination
from dagster_dailystory.sandbox import Fault
from dagster_dailystory.sending import Sender, SenderSettings
from dagster_dailystory.sync import new_run_id, plan_contact_sync, send_contact_sync


@pytest.fixture
def world(new_database) -> Iterator[World]:
    with world_at(new_database) as world:
        yield world


def cut_off_after_a_write(world: World, sync: ContactSync | None = None) -> None:
    """Run until DailyStory has stored something, and die before that is known here."""
    posts = world.sandbox.counts.posts
    with crash_at(1, lambda: world.sandbox.counts.posts > posts):
        world.run(sync)
    assert world.sandbox.counts.posts > posts
    world.execute_state("UPDATE dailystory_meta SET holder = NULL")  # this process lives on
    world.sent()


def test_a_value_that_was_changed_back_is_sent_again(everywhere):
    for world in everywhere:
        world.seed(*people(2))
        world.run()
        world.change(1, city="Rome")
        cut_off_after_a_write(world)
        world.change(1, city="Paris")
        assert world.contact("p1@example.com")["city"] == "Rome"
        world.run()
        assert world.sent() == [("p1@example.com", "update", {"city": "Paris"})]
        assert world.run().outcome == "empty"


def test_a_value_that_was_emptied_again_is_emptied(world):
    sync = sync_of(nulls="clear")
    world.seed(*people(2, city=None))
    world.run(sync)
    world.change(1, city="Rome")
    cut_off_after_a_write(world, sync)
    world.change(1, city=None)
    world.run(sync)
    assert not world.contact("p1@example.com")["city"]
    assert world.run(sync).outcome == "empty"


def test_a_row_that_is_back_is_active_though_nobody_knows_that_it_was_taken_out(everywhere):
    sync = sync_of(deletes="deactivate", max_deleted_fraction=None)
    for world in everywhere:
        world.seed(*people(2))
        world.run(sync)
        world.drop(1)
        cut_off_after_a_write(world, sync)
        assert world.contact("p1@example.com")["status"] == "Inactive"
        world.put(person(1))
        world.run(sync)
        assert world.contact("p1@example.com")["status"] == "Active"
        assert world.run(sync).outcome == "empty"


def test_a_person_whose_new_email_landed_keeps_the_contact_under_a_new_key(everywhere):
    sync = sync_of(deletes="deactivate", max_deleted_fraction=None)
    for world in everywhere:
        world.sandbox.configure(duplicates_allowed=True)
        world.seed(*people(2))
        world.run(sync)
        dsid = world.contact("p1@example.com")["dsId"]
        world.change(1, email="New@Example.com")
        cut_off_after_a_write(world, sync)
        world.drop(1)
        world.put(person(3, email="New@Example.com"))
        world.run(sync)
        assert world.contact("new@example.com")["dsId"] == dsid
        assert world.emails() == ["New@Example.com", "p2@example.com"]
        assert world.contact("new@example.com")["status"] == "Active"
        assert world.rows("intents") == []
        assert world.run(sync).outcome == "empty"


def test_a_new_email_that_never_landed_is_no_contacts_email(world):
    """Someone else has the old email by then: it is still the first contact's, which lets go of it first."""
    world.seed(*people(1))
    world.run()
    world.change(1, email="new@example.com")
    plan_contact_sync(sync_of(), world.warehouse, world.destination, run_id="cut off")
    world.execute_state(
        "INSERT INTO dailystory_customers_intents (customer_id, email_as_sent, dsid, plan_id, sequence)"
        " SELECT customer_id, field_email, dsid, plan_id, sequence FROM dailystory_customers_changes"
        " WHERE identity_changed"
    )
    world.put(person(2, email="p1@example.com"))
    world.run()
    assert world.mapped() == {"1": "new@example.com", "2": "p1@example.com"}
    assert (world.rejections(), world.rows("intents")) == ({}, [])


def test_only_what_may_have_left_is_sent_twice(world):
    """The rest of a plan that was cut off never left; where its rows are as they were there is nothing to send."""
    world.seed(*people(400))
    world.run()
    world.execute("UPDATE customers SET city = 'Rome'")
    cut_off_after_a_write(world)
    world.execute("UPDATE customers SET city = 'Paris'")
    assert 0 < world.run().rows_updated < 400
    assert {contact["city"] for contact in world.sandbox.contacts()} == {"Paris"}
    assert world.run().outcome == "empty"


class Hasty(Destination):
    """A destination that is asked twice, without waiting in between."""

    def sender(self, sync: ContactSync) -> Sender:
        settings = SenderSettings(max_attempts=2, first_wait_seconds=0.001)
        return Sender(sync, partial(self.client, sync), RateLimiter(math.inf), settings)

    def client(self, sync: ContactSync) -> DailyStoryClient:
        return DailyStoryClient(self.client_settings(sync))


class Deaf(Hasty):
    """A destination that is down."""

    def client(self, sync: ContactSync) -> DailyStoryClient:
        down = httpx.MockTransport(lambda request: httpx.Response(500, json={"Status": False}))
        return DailyStoryClient(self.client_settings(sync), down)


def test_an_update_that_failed_may_have_been_done(world):
    world.seed(*people(1))
    world.run()
    world.change(1, email="new@example.com", city="Rome")
    world.sandbox.script([Fault.SERVER_ERROR_AFTER] * 2)
    run_id, hasty = new_run_id(), Hasty(world.sandbox.base_url, world.sandbox.token)
    plan_contact_sync(sync_of(), world.warehouse, hasty, run_id=run_id)
    assert send_contact_sync(sync_of(), world.warehouse, hasty, [run_id]).report.rows_failed == 1
    world.change(1, email="p1@example.com", city="Paris")
    world.run()
    assert world.contact("p1@example.com")["city"] == "Paris"
    assert (world.emails(), world.rows("intents")) == (["p1@example.com"], [])
    assert world.run().outcome == "empty"


def test_a_plan_made_while_nobody_answered_waits_for_what_was_in_doubt(world):
    """The create that was in doubt had landed, its row has another key by then, and the plan knew nothing of it."""
    world.sandbox.configure(duplicates_allowed=True)
    world.seed(*people(2))
    cut_off_after_a_write(world)
    world.drop(1)
    world.put(person(3, email="p1@example.com"))
    run_id, deaf = new_run_id(), Deaf(world.sandbox.base_url, world.sandbox.token)
    assert plan_contact_sync(sync_of(), world.warehouse, deaf, run_id=run_id).rows_to_create == 2
    report = send_contact_sync(sync_of(), world.warehouse, world.destination, [run_id]).report
    assert (report.rows_created, report.rows_failed) == (0, 1)
    world.run()
    assert world.emails() == ["p1@example.com", "p2@example.com"]
    assert world.mapped() == {"2": "p2@example.com", "3": "p1@example.com"}
