"""Creates without a response: looked up before anything is sent, with the state in every place."""

from __future__ import annotations

from support.scenario import World, people, sync_of

from dagster_dailystory.engine.run import plan_contact_sync


def die_while_creating(world: World, *customer_ids: int) -> None:
    """Leave the state of a run that was killed after it committed its intents."""
    plan_contact_sync(sync_of(), world.warehouse, world.destination)
    columns = "customer_id, email_as_sent, plan_id, sequence, sent_at"
    values = "customer_id, field_email, plan_id, sequence, current_timestamp"
    chosen = ", ".join(map(str, customer_ids))
    world.execute_state(
        f"INSERT INTO dailystory_customers_intents ({columns})"
        f" SELECT {values} FROM dailystory_customers_changes WHERE customer_id IN ({chosen})"
    )


def test_a_create_with_an_open_intent_becomes_one_contact(everywhere):
    sync = sync_of(deletes="delete", max_deleted_fraction=None)
    for world in everywhere:
        world.seed(*people(5))
        die_while_creating(world, 1, 2, 3, 4)
        applied = {number: world.sandbox.add(email=f"P{number}@Example.com") for number in (1, 2, 3)}
        world.change(2, email="new@example.com")
        world.drop(3)
        report = world.run(sync)
        assert (report.rows_created, report.rows_updated, report.rows_deleted) == (2, 2, 1)
        assert world.rows("intents") == []
        assert world.emails() == ["new@example.com", "p1@example.com", "p4@example.com", "p5@example.com"]
        assert world.contact("new@example.com")["dsId"] == applied[2], "found by the email that was sent"
        assert world.contact("p3@example.com")["status"] == "Deleted", "its key is missing: the deletion policy applies"
        assert world.contact("p1@example.com")["firstName"] == "Name 1"
        assert world.run(sync).api_requests == 0


def test_an_open_intent_is_not_linked_to_the_contact_of_another_row(everywhere):
    for world in everywhere:
        world.seed(*people(1))
        world.run()
        world.put({"customer_id": 2, "email": "two@example.com"})
        die_while_creating(world, 2)
        world.execute_state("UPDATE dailystory_customers_intents SET email_as_sent = 'p1@example.com'")
        assert world.run().rows_created == 1
        assert world.mapped() == {"1": "p1@example.com", "2": "two@example.com"}


def test_a_dry_run_looks_up_and_settles_nothing(everywhere):
    for world in everywhere:
        world.seed(*people(1))
        die_while_creating(world, 1)
        world.run(dry_run=True)
        assert (len(world.rows("intents")), world.sandbox.counts.requests) == (1, 0)
        assert world.run().rows_created == 1
