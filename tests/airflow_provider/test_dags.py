"""A sync as a DAG: the plan is checked and sent, and what Airflow keeps has neither a secret nor personal data."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping

import pytest
from support.airflow_runs import DagRun, World, run_dag

pytestmark = [pytest.mark.airflow, pytest.mark.filterwarnings("default")]  # Airflow warns of itself

DONE = {"plan": "success", "check": "success", "send": "success"}
NOTHING_SENT = {**DONE, "send": "skipped"}


def test_a_first_load_is_sent_and_without_a_change_the_send_is_skipped(world: World):
    world.seed(50)
    assert run_dag("to_dailystory").tasks == DONE
    assert world.each_once(50)
    assert run_dag("to_dailystory").tasks == NOTHING_SENT
    assert world.sandbox.counts.posts == 50


def test_the_counts_of_a_run_are_in_xcom_and_in_the_events_of_its_assets(world: World):
    world.seed(50)
    run = run_dag("to_dailystory")
    of_run = f"where run_id = '{run.run_id}' and key = 'return_value'"
    xcoms = dict(world.metadata(f"select task_id, value from xcom {of_run}"))
    assert json.loads(xcoms["customers.plan"])["rows_to_create"] == 50
    assert json.loads(xcoms["customers.send"])["rows_created"] == 50
    assert created_by_events(world, run) == {
        "dailystory://customers/contacts": 50,
        "dailystory://customers/contact_map": 50,
    }


def created_by_events(world: World, run: DagRun) -> dict[str, int]:
    """Asset -> the created contacts of its event."""
    events = world.metadata(
        "select asset.uri, asset_event.extra from asset_event join asset on asset.id = asset_id"
        f" where source_run_id = '{run.run_id}'"
    )
    return {uri: json.loads(extra)["rows_created"] for uri, extra in events}


def test_a_send_that_is_lost_after_its_plan_ended_has_its_events_by_its_retry(world: World):
    world.seed(20)
    run = run_dag("to_dailystory", lose="raise")
    assert (run.tasks, run.tries["send"]) == (DONE, 2)
    assert world.each_once(20)
    assert set(created_by_events(world, run).values()) == {20}


def test_an_approved_send_that_is_lost_after_its_plan_ended_has_its_events_by_its_retry(world: World):
    world.seed(20)
    run_dag("careful")
    [(plan_id,)] = world.state("select plan_id from dailystory_plans")
    run = run_dag("careful", plan_id=plan_id, lose="raise")
    assert (run.tasks, run.tries["send"]) == (DONE, 2)
    assert world.each_once(20)
    assert created_by_events(world, run)["dailystory://careful/contacts"] == 20


def test_each_lost_slice_has_its_events_by_its_retry(world: World):
    world.seed(40)
    run = run_dag("buckets", lose="raise")
    assert (run.tasks, run.tries["send[3]"]) == (each_slice(DONE), 2)
    assert world.each_once(40)
    events = world.metadata(f"select extra from asset_event where source_run_id = '{run.run_id}'")
    assert sum(json.loads(extra)["rows_created"] for (extra,) in events) == 2 * 40


def test_neither_the_token_nor_an_email_is_in_the_database_or_the_log_of_airflow(
    world: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    world.seed(50)
    world.sandbox.configure(refuse_if=lambda body: f"no {body['email']}" if body["email"] == "p7@example.com" else None)
    assert run_dag("to_dailystory").tasks == DONE
    shown = world.shown() + "".join(capfd.readouterr()) + caplog.text  # Airflow writes to one of them
    assert "50 rows read" in shown
    assert [secret for secret in world.secrets() if secret in shown] == []


def test_a_dry_run_by_a_parameter_sends_nothing(world: World):
    world.seed(20)
    assert run_dag("to_dailystory", dry_run=True).tasks == NOTHING_SENT
    assert world.sandbox.counts.posts == 0
    assert world.state("select status from dailystory_plans") == [("dry",)]


def test_only_the_chosen_keys_are_sent(world: World):
    world.seed(20)
    run_dag("to_dailystory", keys=["3", "4"])
    assert sorted(str(contact["email"]) for contact in world.sandbox.contacts()) == ["p3@example.com", "p4@example.com"]


def test_an_emptied_table_fails_the_check_in_the_words_of_the_guard(world: World, capfd: pytest.CaptureFixture[str]):
    world.seed(20)
    run_dag("to_dailystory")
    world.execute("delete from people")
    run = run_dag("to_dailystory")
    assert run.tasks == {"plan": "success", "check": "failed", "send": "upstream_failed"}
    assert run.tries["check"] == 1
    assert "the source has no rows" in "".join(capfd.readouterr())


def test_a_wrong_token_costs_one_try_and_is_not_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    world.seed(20)
    for name, value in world.connections(password="another-token").items():
        monkeypatch.setenv(name, value)
    run = run_dag("to_dailystory")
    assert run.tasks == {**DONE, "send": "failed"}
    assert run.tries["send"] == 1
    assert world.sandbox.counts.posts == 0
    shown = world.shown() + "".join(capfd.readouterr())
    assert "AuthenticationError" in shown
    assert "another-token" not in shown


def test_an_error_that_may_pass_is_tried_again(world: World):
    world.seed(20)
    world.execute("alter table people rename to moved")
    run = run_dag("to_dailystory")
    assert run.tasks == {"plan": "failed", "check": "upstream_failed", "send": "upstream_failed"}
    assert run.tries["plan"] == 3


def test_a_plan_that_needs_approval_is_sent_by_its_id(world: World):
    world.seed(20)
    assert run_dag("careful").tasks == NOTHING_SENT
    [(plan_id, status)] = world.state("select plan_id, status from dailystory_plans")
    assert (status, world.sandbox.counts.posts) == ("waiting", 0)
    assert run_dag("careful", plan_id=plan_id).tasks == DONE
    assert world.each_once(20)
    assert world.state("select approved_by from dailystory_plans where status = 'done'") == [("dag_test",)]


def test_each_mapped_slice_has_a_plan_and_each_contact_is_sent_once(world: World):
    world.seed(80)
    tasks = run_dag("buckets").tasks
    assert tasks == each_slice(DONE)
    assert world.each_once(80)
    assert run_dag("buckets").tasks == each_slice(NOTHING_SENT)
    assert world.sandbox.counts.posts == 80


def each_slice(states: Mapping[str, str]) -> dict[str, str]:
    return {f"{task}[{number}]": state for task, state in states.items() for number in range(4)}


def test_a_task_that_is_ended_by_sigterm_stops_and_the_next_try_sends_the_rest(world: World):
    world.seed(200)
    bodies: list[object] = []

    def end_once(body: Mapping[str, object]) -> None:
        bodies.append(body)
        if len(bodies) == 20:
            os.kill(os.getpid(), signal.SIGTERM)

    world.sandbox.configure(refuse_if=end_once, latency_seconds=0.02)
    run = run_dag("to_dailystory")
    assert (run.tasks, run.tries["send"]) == (DONE, 2)
    assert world.each_once(200)
    assert world.state("select status from dailystory_plans") == [("done",)]
