"""The order in which changes are sent, and what is written if a send ends early."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from support.scenario import PartlyDown, World, people, person, sync_of, world_at

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.rate_limiter import RateLimiter
from dagster_dailystory.api.transport import AiohttpConnections
from dagster_dailystory.engine.endpoints import Destination
from dagster_dailystory.engine.run import plan_contact_sync, send_contact_sync
from dagster_dailystory.engine.sending.dispatcher import SenderSettings
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.errors import BusyError, OutageError
from dagster_dailystory.model.sync import ContactSync


@pytest.fixture
def world(new_database: Callable[[str], str]) -> Iterator[World]:
    with world_at(new_database) as made:
        yield made


def test_opt_outs_go_first_and_deletions_last(world: World):
    sync = sync_of(fields={"email": "email", "city": "city", "optOutEmail": "opted_out"}, deletes="delete")
    world.seed(*people(4))
    world.run(sync)
    world.sent()
    world.drop(1)
    world.change(2, city="Rome")
    world.put(person(5))
    world.change(4, opted_out=True)
    world.run(sync, max_concurrency=1)
    written = [(world.who(write.dsid)[:2], write.operation) for write in world.sandbox.writes()]
    assert written == [("p4", "update"), ("p2", "update"), ("p5", "create"), ("p1", "delete")]


def test_a_run_whose_sync_was_taken_over_writes_nothing_more(world: World):
    """The next run finds the contacts that it had created, and does not create them again."""
    stolen = "UPDATE dailystory_meta SET holder = 'elsewhere:1:1:word', fence = fence + 1 WHERE name LIKE 'lock:%'"

    def steal(body: dict[str, object]) -> None:
        if body.get("email") == "p3@example.com":
            world.execute_state(stolen)

    world.seed(*people(4))
    world.sandbox.configure(refuse_if=steal)
    with pytest.raises(BusyError, match="took sync 'customers' over"):
        world.run()
    assert (world.rows("snapshot"), world.rows("contact_map"), world.rows("runs")) == ([], [], [])
    assert world.emails() == [f"p{number}@example.com" for number in (1, 2, 3, 4)]
    assert len(world.rows("intents")) == 4
    world.sandbox.configure(refuse_if=None)
    world.execute_state("UPDATE dailystory_meta SET holder = NULL WHERE name LIKE 'lock:%'")
    report = world.run()
    assert (report.rows_created, report.rows_updated) == (0, 4)
    assert all(count == 1 for count in world.sandbox.creates_by_identity().values())
    assert world.run().api_requests == 0


def test_refusals_with_one_message_stop_the_run_without_rejections(world: World):
    world.seed(*people(40))
    world.sandbox.configure(contact_quota=5)
    with pytest.raises(OutageError, match="contact limit"):
        world.run()
    assert (len(world.rows("contact_map")), world.rejections()) == (5, {})
    world.sandbox.configure(contact_quota=None)
    assert world.run().rows_created == 35


def test_a_lost_response_is_looked_up_in_the_same_run(world: World):
    world.seed(*people(2))
    world.sandbox.script(["cut_after", "cut_before"])
    report = world.run(max_concurrency=1)
    assert (report.rows_created + report.rows_updated, report.api_retries) == (2, 2)
    assert all(count == 1 for count in world.sandbox.creates_by_identity().values())
    assert world.run().api_requests == 0


@dataclass(frozen=True)
class StubbornDestination(Destination):
    """A destination that fails the updates of some contacts until all others are written."""

    dsids: frozenset[str] = frozenset()
    others: int = 0

    def sender(self, sync: ContactSync) -> Sender:
        settings = self.client_settings(sync)
        written: set[str] = set()

        def lets_through(_method: str, _url: str, content: bytes | None) -> bool:
            if content is None:
                return True
            dsid = json.loads(content)["dsId"]
            if dsid in self.dsids and len(written) < self.others:
                return False
            written.add(dsid)
            return True

        connections = PartlyDown(AiohttpConnections(settings), lets_through)
        options = SenderSettings(32, first_wait_seconds=1.0, longest_wait_seconds=2.0)
        return Sender(sync, lambda: DailyStoryClient(settings, connections), RateLimiter(math.inf), options)


def test_rows_that_wait_for_a_retry_do_not_hold_up_others(world: World):
    """Three of four rows wait, more than one batch; they are let through when all others are written."""
    world.seed(*people(400))
    world.run()
    world.execute("UPDATE customers SET city = 'Rome'")
    stubborn = frozenset(row["dsid"] for row in world.rows("contact_map") if row["customer_id"] % 4)
    destination = StubbornDestination(world.sandbox.base_url, world.sandbox.token, dsids=stubborn, others=100)
    plan_contact_sync(sync_of(), world.warehouse, destination, run_id="run")
    report = send_contact_sync(sync_of(), world.warehouse, destination, ["run"]).report
    assert (report.rows_updated, report.rows_failed, report.outcome) == (400, 0, "done")


def test_throttling_loses_no_row_and_uses_up_no_attempts(world: World):
    world.seed(*people(60))
    world.sandbox.configure(retry_after_seconds=0)
    world.sandbox.script([None, *(["throttled"] * 12 + [None]) * 15])
    report = world.run(max_concurrency=8)
    assert (report.rows_created, report.rows_failed, report.outcome) == (60, 0, "done")
    assert report.api_throttled == 180
    assert set(world.sandbox.creates_by_identity().values()) == {1}
