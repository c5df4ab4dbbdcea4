"""The order in which changes leave, and what is written when a send ends before its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from harness import World, people, person, sync_of, world_at

from dagster_dailystory.errors import BusyError, OutageError


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
    """What it had sent is found by the next run, and not sent as a second contact."""
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


def test_many_refusals_with_one_message_stop_the_run_and_are_no_rejections(world: World):
    world.seed(*people(40))
    world.sandbox.configure(contact_quota=5)
    with pytest.raises(OutageError, match="contact limit"):
        world.run()
    assert (len(world.rows("contact_map")), world.rejections()) == (5, {})
    world.sandbox.configure(contact_quota=None)
    assert world.run().rows_created == 35


def test_a_lost_answer_is_looked_up_in_the_same_run(world: World):
    world.seed(*people(2))
    world.sandbox.script(["cut_after", "cut_before"])
    report = world.run(max_concurrency=1)
    assert (report.rows_created + report.rows_updated, report.api_retries) == (2, 2)
    assert all(count == 1 for count in world.sandbox.creates_by_identity().values())
    assert world.run().api_requests == 0
