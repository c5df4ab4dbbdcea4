"""Only the newest ready plan of the run itself is sent; all others are refused without a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from support.scenario import World, people, sync_of, world_at

from dagster_dailystory.engine.planning.plan import KEPT_PLANS
from dagster_dailystory.engine.run import plan_contact_sync, send_contact_sync
from dagster_dailystory.errors import AuthenticationError, SafetyError, StateError
from dagster_dailystory.model.plan import PlanOptions, PlanStatus
from dagster_dailystory.model.sync import ContactSync

GUARDED = sync_of(max_changed_fraction=0.1, min_guard_rows=1)


@pytest.fixture
def world(new_database: Callable[[str], str]) -> Iterator[World]:
    """Three rows were synced and one of them changed."""
    with world_at(new_database) as made:
        made.seed(*people(3))
        made.run()
        made.change(1, city="Rome")
        made.sandbox.clear_journal()
        yield made


def plan(world: World, run_id: str, sync: ContactSync | None = None, **options: object) -> str:
    summary = plan_contact_sync(sync or sync_of(), world.warehouse, world.destination, PlanOptions(**options), run_id)
    return summary.status.value


def send(world: World, *run_ids: str, sync: ContactSync | None = None) -> int:
    return send_contact_sync(sync or sync_of(), world.warehouse, world.destination, run_ids).report.rows_updated


def refused(world: World, match: str, *run_ids: str, sync: ContactSync | None = None) -> None:
    before = world.state_tables()
    with pytest.raises(SafetyError, match=match):
        send(world, *run_ids, sync=sync)
    assert world.state_tables() == before
    assert world.sandbox.counts.requests == 0


def test_a_ready_plan_is_sent_once(world: World):
    assert plan(world, "run") == "ready"
    assert send(world, "run") == 1
    world.sandbox.clear_journal()
    refused(world, "sent already; plan again", "run")


def test_a_blocked_plan_is_not_sent(world: World):
    assert plan(world, "run", GUARDED) == "blocked"
    refused(world, "blocked by a guard", "run", sync=GUARDED)


def test_a_dry_run_is_not_sent_and_supersedes_nothing(world: World):
    plan(world, "ready")
    assert plan(world, "dry", dry_run=True) == "dry"
    refused(world, "is a dry run, which is never sent", "dry")
    assert send(world, "ready") == 1


def test_a_superseded_plan_is_not_sent(world: World):
    plan(world, "old")
    plan(world, "new")
    refused(world, "superseded by a newer plan", "old")
    assert send(world, "new") == 1


def test_a_blocked_plan_supersedes_too(world: World):
    """The newest plan is blocked; an older one must not be sent in its place."""
    plan(world, "old")
    plan(world, "new", GUARDED)
    refused(world, "superseded by a newer plan", "old")


def test_the_newest_plan_of_a_run_counts(world: World):
    for _ in range(3):
        plan(world, "run")
    plan(world, "run", dry_run=True)
    refused(world, "is a dry run", "run")


def test_another_runs_plan_is_not_sent(world: World):
    plan(world, "theirs")
    refused(world, "this run has made no plan for sync 'customers'", "mine")
    assert send(world, "mine", "theirs") == 1, "a run sends what the run that it re-executes planned"


def test_another_destinations_plan_is_not_sent(world: World):
    plan(world, "run")
    elsewhere = replace(world.destination, base_url="https://uk-3.dailystory.com/api/v1")
    with pytest.raises(StateError, match="this state belongs to"):
        send_contact_sync(sync_of(), world.warehouse, elsewhere, ["run"])
    assert world.sandbox.counts.requests == 0


def test_a_plan_of_another_mapping_is_not_sent(world: World):
    plan(world, "run")
    refused(world, "the mapping of sync 'customers' changed", "run", sync=sync_of(fields={"email": "email"}))


def test_a_send_that_stopped_is_resumed_by_the_run_that_re_executes_it(world: World):
    world.execute("UPDATE customers SET city = 'Rome'")
    plan(world, "first")
    lost = send_contact_sync(sync_of(), world.warehouse, replace(world.destination, api_token="wrong"), ["first"])
    assert isinstance(lost.error, AuthenticationError)
    assert (lost.report.outcome, lost.report.rows_failed) == ("stopped", 3)
    assert send(world, "second", "first") == 3
    assert {row["outcome"] for row in world.rows("runs")} == {"done", "stopped"}
    assert world.run().outcome == "empty"


def test_a_dry_run_does_not_bind_the_state_to_its_destination(new_database):
    with world_at(new_database) as world:
        world.seed(*people(1))
        world.run(dry_run=True, base_url="https://us-1.dailystory.com/api/v1")
        assert world.run().rows_created == 1


def test_only_the_newest_plans_keep_their_changes(world: World):
    for number in range(KEPT_PLANS + 3):
        plan(world, f"run{number}")
    plans = [row["plan_id"] for row in world.rows("plans")]
    kept = {row["plan_id"] for row in world.rows("changes")}
    assert len(plans) == KEPT_PLANS + 4
    assert kept == set(sorted(plans)[-KEPT_PLANS:])
    assert {row["status"] for row in world.rows("plans")} == {"done", "superseded", PlanStatus.READY.value}
