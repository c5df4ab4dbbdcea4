"""The real scheduler: a task that is killed while it sends goes on, with each contact once."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest
from support.airflow_runs import Deployment, World, deployed, holder_pid, wait_until

pytestmark = [pytest.mark.airflow, pytest.mark.filterwarnings("default"), pytest.mark.timeout(600)]

DAG = "to_dailystory"


def test_killed_ended_cleared_and_parallel_runs_send_each_contact_once(world: World):
    world.seed(300)
    world.sandbox.configure(latency_seconds=0.1)
    with deployed(world) as airflow:
        survives_sigkill(world, airflow)
        survives_being_marked_as_failed(world, airflow)
        plans_again_when_cleared(world, airflow)
        takes_turns(world, airflow)
        loses_no_event(world, airflow)
        asks_for_the_account(world, airflow)
        survives_stops_side_by_side(world, airflow)
    shown = world.shown()
    assert [secret for secret in world.secrets() if secret in shown] == []


def survives_sigkill(world: World, airflow: Deployment) -> None:
    run_id = airflow.trigger(DAG)
    wait_until(lambda: world.sandbox.counts.posts > 100, 120, "nothing is sent")
    os.kill(holder_pid(world), signal.SIGKILL)
    run = airflow.ended(DAG, run_id)
    assert (run.state, run.tries["send"]) == ("success", 2)
    assert world.each_once(300)


def survives_being_marked_as_failed(world: World, airflow: Deployment) -> None:
    """Airflow ends the task with SIGTERM; cleared, it sends the rest of the same plan."""
    world.execute("update people set first_name = 'Other'")
    before = world.sandbox.counts.posts
    run_id = airflow.trigger(DAG)
    wait_until(lambda: world.sandbox.counts.posts > before + 100, 120, "nothing is sent")
    airflow.call("PATCH", f"dags/{DAG}/dagRuns/{run_id}/taskInstances/customers.send", new_state="failed")
    wait_until(lambda: holder_pid(world) is None, 60, "the task goes on")
    assert airflow.ended(DAG, run_id).tasks["send"] == "failed"
    sent = world.sandbox.counts.posts
    assert sent < before + 300
    airflow.clear(DAG, run_id, "customers.send")
    assert airflow.ended(DAG, run_id).state == "success"
    assert world.sandbox.counts.posts <= before + 300 + 8  # those in flight
    assert {contact["firstName"] for contact in world.sandbox.contacts()} == {"Other"}


def plans_again_when_cleared(world: World, airflow: Deployment) -> None:
    """A send of a plan that was sent already sends what is new, or reports again what it sent."""
    [(run_id,)] = world.metadata(f"select run_id from dag_run where dag_id = '{DAG}' order by id desc limit 1")
    before = world.sandbox.counts.posts
    airflow.clear(DAG, run_id, "customers.send")
    assert airflow.ended(DAG, run_id).tasks["send"] == "success"
    assert world.sandbox.counts.posts == before


def takes_turns(world: World, airflow: Deployment) -> None:
    """Two runs of a DAG at once: the later plan supersedes the earlier one."""
    world.execute("update people set first_name = 'Third'")
    before = world.sandbox.counts.posts
    runs = [airflow.trigger(DAG), airflow.trigger(DAG)]
    assert {airflow.ended(DAG, run_id).state for run_id in runs} == {"success"}
    assert world.sandbox.counts.posts == before + 300


def loses_no_event(world: World, airflow: Deployment) -> None:
    """A task that is killed after its plan was sent has its events by its retry."""
    world.execute("update people set first_name = 'Fourth'")
    before = world.sandbox.counts.posts
    run_id = airflow.trigger(DAG, lose="kill")
    run = airflow.ended(DAG, run_id)
    assert (run.state, run.tries["send"]) == ("success", 2)
    assert world.sandbox.counts.posts == before + 300
    events = world.metadata(f"select extra from asset_event where source_run_id = '{run_id}'")
    assert [json.loads(extra)["rows_updated"] for (extra,) in events] == [300, 300]


def asks_for_the_account(world: World, airflow: Deployment) -> None:
    """The button of the form, which sends what is typed there."""
    form = {"connection_id": "typed", "conn_type": "dailystory", "host": world.sandbox.base_url}
    extra = json.dumps({"requests_per_second": 5, "timeout_seconds": None})
    found = airflow.call("POST", "connections/test", **form, password=world.sandbox.token, extra=extra)
    assert found["status"] is True
    assert "the token belongs to the account" in found["message"]
    found = airflow.call("POST", "connections/test", **form, password="another-token")
    assert found["status"] is False
    assert "does not accept the API token" in found["message"]
    assert "another-token" not in found["message"]


def survives_stops_side_by_side(world: World, airflow: Deployment) -> None:
    """At once, a slice is killed while it sends, a time limit of a send passes, and a task is killed while it plans."""
    dags = ("read_slowly", "timed", "sliced")
    for dag_id in dags:
        world.seed(100, dag_id)
    world.sandbox.configure(latency_seconds=0.3)
    before = len(world.sandbox.contacts())
    runs = {dag_id: airflow.trigger(dag_id) for dag_id in dags}
    os.kill(holder_at(world, "read_slowly", lambda: True), signal.SIGKILL)
    assert world.state("select * from dailystory_plans where sync_name = 'read_slowly'") == []
    slices = "select 1 from dailystory_plans where sync_name = 'sliced' and status = 'sending'"
    os.kill(holder_at(world, "sliced", lambda: world.state(slices)), signal.SIGKILL)
    ended = {dag_id: airflow.ended(dag_id, run_id) for dag_id, run_id in runs.items()}
    assert {run.state for run in ended.values()} == {"success"}
    assert ended["read_slowly"].tries["plan"] > 1
    assert ended["timed"].tries["send"] > 1
    assert max(ended["sliced"].tries[f"send[{number}]"] for number in range(2)) > 1
    created = world.sandbox.creates_by_identity()
    assert (len(world.sandbox.contacts()), len(created)) == (before + 300, before + 300)
    assert set(created.values()) == {1}
    shown = world.shown()
    assert [letter for letter in "rts" if f"{letter}7@example.com" in shown] == []


def holder_at(world: World, sync: str, is_time: Callable[[], object]) -> int:
    """The process that has the lease of a sync, once it is time."""
    pids: list[int] = []

    def is_found() -> bool:
        pid = holder_pid(world, sync) if is_time() else None
        pids.extend([] if pid is None else [pid])
        return bool(pids)

    wait_until(is_found, 120, f"nothing holds {sync}")
    return pids[0]
