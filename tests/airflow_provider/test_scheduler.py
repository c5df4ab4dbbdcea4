"""The real scheduler: a task that is killed while it sends goes on, with each contact once."""

from __future__ import annotations

import os
import signal

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
