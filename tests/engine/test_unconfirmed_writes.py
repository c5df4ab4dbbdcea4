"""Unconfirmed writes: whether they were applied or not, one run later DailyStory equals the source."""

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
class QuickDestination(Destination):
    """A destination that gives a row up after two attempts, without a wait between them."""

    lets_through: LetsThrough = lambda _method, _url, _content: True

    def sender(self, sync: ContactSync) -> Sender:
        settings = SenderSettings(max_attempts=2, first_wait_seconds=0.001)
        return Sender(sync, partial(self.client, sync), RateLimiter(math.inf), settings)

    def client(self, sync: ContactSync) -> DailyStoryClient:
        settings = self.client_settings(sync)
        return DailyStoryClient(settings, PartlyDown(AiohttpConnections(settings), self.lets_through))


def quick_destination(
    world: World, lets_through: LetsThrough = lambda _method, _url, _content: True
) -> QuickDestination:
    return QuickDestination(world.sandbox.base_url, world.sandbox.token, lets_through=lets_through)


def is_not_a_look_up(method: str, url: str, _content: bytes | None) -> bool:
    return method != "GET" or url.endswith("/about")


def is_an_about_request(_method: str, url: str, _content: bytes | None) -> bool:
    return url.endswith("/about")


def cut_off_after_a_write(world: World, sync: ContactSync | None = None) -> None:
    """Run until DailyStory has stored a write, and crash before the response is acknowledged."""
    posts = world.sandbox.counts.posts
    with crash_at(1, lambda: world.sandbox.counts.posts > posts):
        world.run(sync)
    assert world.sandbox.counts.posts > posts
    world.execute_state("UPDATE dailystory_meta SET holder = NULL")  # this process is still alive
    world.sent()


def test_a_value_changed_back_after_an_unconfirmed_write_is_sent_again(everywhere):
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


def test_a_value_emptied_after_an_unconfirmed_write_is_emptied(world):
    sync = sync_of(nulls="clear")
    world.seed(*people(2, city=None))
    world.run(sync)
    world.change(1, city="Rome")
    cut_off_after_a_write(world, sync)
    world.change(1, city=None)
    world.run(sync)
    assert not world.contact("p1@example.com")["city"]
    assert world.run(sync).outcome == "empty"


def test_a_returning_row_is_active_after_an_unconfirmed_deactivation(everywhere):
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


def test_a_re_key_after_an_unconfirmed_new_email_keeps_the_contact(everywhere):
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


def test_a_new_email_that_was_never_applied_is_not_recorded(world):
    """Another row has the old email by then: the first contact still has it, and is updated first."""
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


def test_only_changes_that_may_have_been_sent_are_sent_twice(world):
    """The rest of a plan that was cut off was never sent: its rows that changed back do not differ."""
    world.seed(*people(400))
    world.run()
    world.execute("UPDATE customers SET city = 'Rome'")
    cut_off_after_a_write(world)
    world.execute("UPDATE customers SET city = 'Paris'")
    assert 0 < world.run().rows_updated < 400
    assert {contact["city"] for contact in world.sandbox.contacts()} == {"Paris"}
    assert world.run().outcome == "empty"


def test_an_unchanged_consent_is_not_sent_again(world):
    """The row is sent as a whole, and a contact that unsubscribed in DailyStory stays opted out."""
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


def test_an_unconfirmed_custom_field_is_sent_with_the_others(world):
    world.sandbox.configure(extended_properties_replace=True)
    sync = sync_of(extended_properties={"plan": "plan", "level": "level"})
    world.seed(*people(1))
    world.run(sync)
    world.change(1, plan="pro")
    cut_off_after_a_write(world, sync)
    world.change(1, plan=None, level=2)
    world.run(sync)
    assert world.contact("p1@example.com")["extendedProperties"] == {"plan": "pro", "level": "2"}


def test_an_unconfirmed_field_that_was_unmapped_meanwhile_is_sent_again(world):
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
    """The other part would find the contact although the change was never applied."""
    sync = sync_of(fields={"email": "email", "mobilePhone": "mobile", "city": "city"})
    world.seed(person(5, mobile="+14155552671"))
    world.run(sync)
    world.change(5, email="new@example.com")
    down = quick_destination(world, is_an_about_request)
    plan_contact_sync(sync, world.warehouse, down, PlanOptions(scope=Scope.ALL), "down")
    assert send_contact_sync(sync, world.warehouse, down, ["down"]).report.rows_failed == 1
    assert [row["mobile_as_sent"] for row in world.rows("intents")] == [None]
    world.put(person(2, email="p5@example.com"))
    world.run(sync)
    assert world.mapped() == {"2": "p5@example.com", "5": "new@example.com"}


def test_an_update_that_failed_may_have_been_applied(world):
    world.seed(*people(1))
    world.run()
    world.change(1, email="new@example.com", city="Rome")
    world.sandbox.script([Fault.SERVER_ERROR_AFTER] * 2)
    run_id, quick = new_run_id(), quick_destination(world)
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
    run_id, deaf = new_run_id(), quick_destination(world, is_not_a_look_up)
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


def test_a_plan_made_during_an_outage_waits_for_creates_in_doubt(world):
    """The create in doubt was applied and its row has another key by then; the plan knows neither."""
    world.sandbox.configure(duplicates_allowed=True)
    world.seed(*people(2))
    cut_off_after_a_write(world)
    world.drop(1)
    world.put(person(3, email="p1@example.com"))
    run_id, down = new_run_id(), quick_destination(world, lambda _method, _url, _content: False)
    assert plan_contact_sync(sync_of(), world.warehouse, down, run_id=run_id).rows_to_create == 2
    report = send_contact_sync(sync_of(), world.warehouse, world.destination, [run_id]).report
    assert (report.rows_created, report.rows_failed) == (0, 1)
    world.run()
    assert world.emails() == ["p1@example.com", "p2@example.com"]
    assert world.mapped() == {"2": "p2@example.com", "3": "p1@example.com"}
