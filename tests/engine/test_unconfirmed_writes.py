"""Writes that were done, or not, and whose answer nobody kept: one run later DailyStory says what the source says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from support.scenario import LetsThrough, PartlyDown, World, crash_at, people, person, sync_of, world_at

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.rate_limiter import RateLimiter
from dagster_dailystory.api.transport import AiohttpConnections
from dagster_dailystory.engine.endpoints import Destination
from dagster_dailystory.engine.run import new_run_id, plan_contact_sync, send_contact_sync
from dagster_dailystory.engine.sending.dispatcher import SenderSettings
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.model.plan import PlanOptions
from dagster_dailystory.model.sync import ContactSync, Scope
from dagster_dailystory.sandbox import Fault


@pytest.fixture
def world(new_database) -> Iterator[World]:
    with world_at(new_database) as world:
        yield world


@dataclass(frozen=True)
class Hasty(Destination):
    """A destination that is asked twice, without waiting in between."""

    lets_through: LetsThrough = lambda _method, _url, _content: True

    def sender(self, sync: ContactSync) -> Sender:
        settings = SenderSettings(max_attempts=2, first_wait_seconds=0.001)
        return Sender(sync, partial(self.client, sync), RateLimiter(math.inf), settings)

    def client(self, sync: ContactSync) -> DailyStoryClient:
        settings = self.client_settings(sync)
        return DailyStoryClient(settings, PartlyDown(AiohttpConnections(settings), self.lets_through))


def hasty(world: World, lets_through: LetsThrough = lambda _method, _url, _content: True) -> Hasty:
    return Hasty(world.sandbox.base_url, world.sandbox.token, lets_through=lets_through)


def is_no_look_up(method: str, url: str, _content: bytes | None) -> bool:
    return method != "GET" or url.endswith("/about")


def asks_who_we_are(_method: str, url: str, _content: bytes | None) -> bool:
    return url.endswith("/about")


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


def test_a_consent_that_the_source_never_changed_is_not_sent_again(world):
    """The row is sent as a whole, and a person who unsubscribed in DailyStory stays out."""
    fields = {"email": "email", "city": "city", "optOutEmail": "opted_out"}
    sync = sync_of(fields=fields, nulls="clear", consent_override=["optOutEmail"])
    world.seed(*people(1, opted_out=False))
    world.run(sync)
    world.edit("p1@example.com", optOutEmail=True)
    world.change(1, city="Rome")
    cut_off_after_a_write(world, sync)
    world.run(sync)
    assert [body.get("optOutEmail") for *_, body in world.sent()] == [None]
    assert world.contact("p1@example.com")["optOutEmail"] is True


def test_a_re_keyed_row_that_emptied_a_field_is_sent_again_as_a_whole(world):
    sync = sync_of(nulls={"city": "clear"}, extended_properties={})
    world.seed(*people(1))
    world.run(sync)
    world.execute("UPDATE customers SET customer_id = 3, city = NULL")
    cut_off_after_a_write(world, sync)
    assert not world.contact("p1@example.com")["city"]
    world.execute("UPDATE customers SET customer_id = 1, city = 'Paris'")
    world.run(sync)
    assert world.contact("p1@example.com")["city"] == "Paris"
    assert world.run(sync).outcome == "empty"


def test_a_custom_field_that_may_have_been_written_travels_with_the_others(world):
    world.sandbox.configure(extended_properties_replace=True)
    sync = sync_of(extended_properties={"plan": "plan", "level": "level"})
    world.seed(*people(1))
    world.run(sync)
    world.change(1, plan="pro")
    cut_off_after_a_write(world, sync)
    world.change(1, plan=None, level=2)
    world.run(sync)
    assert world.contact("p1@example.com")["extendedProperties"] == {"plan": "pro", "level": "2"}


def test_a_field_that_was_left_out_meanwhile_is_not_taken_for_known(world):
    without_city = sync_of(fields={"email": "email", "firstName": "first_name"})
    world.seed(*people(1))
    world.run()
    world.change(1, city="Rome")
    cut_off_after_a_write(world)
    world.change(1, city="Paris")
    world.run(without_city)
    world.run()
    assert world.contact("p1@example.com")["city"] == "Paris"


def test_only_the_part_of_an_identity_that_changes_is_looked_up(world):
    """The other part finds the contact though the change never landed."""
    sync = sync_of(fields={"email": "email", "mobilePhone": "mobile", "city": "city"})
    world.seed(person(5, mobile="+14155552671"))
    world.run(sync)
    world.change(5, email="new@example.com")
    down = hasty(world, asks_who_we_are)
    plan_contact_sync(sync, world.warehouse, down, PlanOptions(scope=Scope.ALL), "down")
    assert send_contact_sync(sync, world.warehouse, down, ["down"]).report.rows_failed == 1
    assert [row["mobile_as_sent"] for row in world.rows("intents")] == [None]
    world.put(person(2, email="p5@example.com"))
    world.run(sync)
    assert world.mapped() == {"2": "p5@example.com", "5": "new@example.com"}


def test_an_update_that_failed_may_have_been_done(world):
    world.seed(*people(1))
    world.run()
    world.change(1, email="new@example.com", city="Rome")
    world.sandbox.script([Fault.SERVER_ERROR_AFTER] * 2)
    run_id, quick = new_run_id(), hasty(world)
    plan_contact_sync(sync_of(), world.warehouse, quick, run_id=run_id)
    assert send_contact_sync(sync_of(), world.warehouse, quick, [run_id]).report.rows_failed == 1
    world.change(1, email="p1@example.com", city="Paris")
    world.run()
    assert world.contact("p1@example.com")["city"] == "Paris"
    assert (world.emails(), world.rows("intents")) == (["p1@example.com"], [])
    assert world.run().outcome == "empty"


def test_a_row_in_doubt_is_sent_again(world):
    world.seed(*people(1))
    world.run()
    world.change(1, email="new@example.com", city="Rome")
    run_id, deaf = new_run_id(), hasty(world, is_no_look_up)
    plan_contact_sync(sync_of(), world.warehouse, world.destination, run_id=run_id)
    posts = world.sandbox.counts.posts
    with crash_at(1, lambda: world.sandbox.counts.posts > posts):
        send_contact_sync(sync_of(), world.warehouse, world.destination, [run_id])
    world.execute_state("UPDATE dailystory_meta SET holder = NULL")
    assert send_contact_sync(sync_of(), world.warehouse, deaf, [run_id]).report.rows_in_doubt == 1
    world.change(1, email="p1@example.com", city="Paris")
    world.run()
    assert (world.emails(), world.contact("p1@example.com")["city"]) == (["p1@example.com"], "Paris")
    assert world.run().outcome == "empty"


def test_a_plan_made_while_nobody_answered_waits_for_what_was_in_doubt(world):
    """The create that was in doubt had landed, its row has another key by then, and the plan knew nothing of it."""
    world.sandbox.configure(duplicates_allowed=True)
    world.seed(*people(2))
    cut_off_after_a_write(world)
    world.drop(1)
    world.put(person(3, email="p1@example.com"))
    run_id, down = new_run_id(), hasty(world, lambda _method, _url, _content: False)
    assert plan_contact_sync(sync_of(), world.warehouse, down, run_id=run_id).rows_to_create == 2
    report = send_contact_sync(sync_of(), world.warehouse, world.destination, [run_id]).report
    assert (report.rows_created, report.rows_failed) == (0, 1)
    world.run()
    assert world.emails() == ["p1@example.com", "p2@example.com"]
    assert world.mapped() == {"2": "p2@example.com", "3": "p1@example.com"}
