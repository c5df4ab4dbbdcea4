"""The conditions of a sync, read from its state in each database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from support.placements import Placement, at
from support.scenario import Scenario, customer, customers, sync_of

from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.engine.upkeep.alerts.conditions import AlertLimits, Condition, ConditionKind, find_conditions
from dagster_dailystory.engine.upkeep.alerts.recent_plans import read_recent_plans, read_unsent
from dagster_dailystory.errors import AuthenticationError, SafetyError
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets
from dagster_dailystory.model.sync import ContactSync

PLACEMENTS = (
    Placement("sqlite"), Placement("duckdb"), Placement("postgresql"), Placement("postgresql", "sqlite"),
)  # fmt: skip
STRICT = AlertLimits(max_rejected_rows=0, max_failed_rows=0, max_pending_opt_outs=0, max_run_minutes=60)
SYNC = sync_of(deletes="deactivate")


def conditions(scenario: Scenario, sync: ContactSync = SYNC, limits: AlertLimits = STRICT) -> list[Condition]:
    with open_state(scenario.warehouse.state, sync, writes=False) as state:
        return find_conditions(sync, read_recent_plans(state), limits)


def names(scenario: Scenario, sync: ContactSync = SYNC, limits: AlertLimits = STRICT) -> list[str]:
    return [condition.name for condition in conditions(scenario, sync, limits)]


def test_nothing_holds_before_the_first_run_and_after_a_good_one(scenario: Scenario):
    scenario.seed(*customers(3))
    assert names(scenario) == []
    scenario.run(SYNC)
    assert names(scenario) == []


def test_a_blocked_plan_holds_until_a_plan_of_the_same_rows_passes(scenario: Scenario):
    scenario.seed(*customers(40))
    scenario.run(SYNC)
    scenario.delete(*range(1, 31))
    with pytest.raises(SafetyError):
        scenario.run(SYNC)
    scenario.run(SYNC, keys=[31])
    scenario.run(SYNC, scope="opt_outs")
    scenario.run(SYNC, dry_run=True)
    [blocked] = conditions(scenario)
    assert (blocked.kind, blocked.guard, blocked.number, blocked.limit) == (
        ConditionKind.PLAN_BLOCKED, "deleted_share", 0.75, 0.1
    )  # fmt: skip
    scenario.run(sync_of(deletes="keep"))
    assert names(scenario) == []


def test_a_stopped_run_holds_until_the_next_one_ends(scenario: Scenario):
    scenario.seed(*customers(3))
    with pytest.raises(AuthenticationError):
        scenario.run(SYNC, api_token="not-the-token-0123456789")
    [failed] = conditions(scenario)
    assert failed.kind is ConditionKind.RUN_FAILED
    assert "rows without a result: 3" in failed.message
    scenario.run(SYNC)
    assert names(scenario) == []


def test_rejected_and_refused_rows_are_counted_together(scenario: Scenario):
    scenario.seed(*customers(3), customer(4, email="not an address"))
    scenario.sandbox.script([400, 400])
    scenario.run(SYNC)
    scenario.run(SYNC)
    [rejected] = conditions(scenario)
    assert (rejected.kind, rejected.number, rejected.limit) == (ConditionKind.ROWS_REJECTED, 3, 0)
    assert "2 refused, 1 invalid_email" in rejected.message


@pytest.mark.parametrize(
    "partitions", [HashBuckets(3), ColumnValues("city", ["Paris", "Lima"])], ids=["buckets", "values"]
)
def test_refused_rows_are_found_by_slice(scenario: Scenario, partitions: HashBuckets | ColumnValues):
    sync = sync_of(partitions=partitions)
    scenario.seed(*customers(36), *(customer(number, city="Lima") for number in range(37, 40)))
    refused = partitions.names[1]
    for name in partitions.names:
        scenario.sandbox.script([400, 400] if name == refused else [])
        scenario.run(sync, partition=name)
    with open_state(scenario.warehouse.state, sync, writes=False) as state:
        unsent = read_unsent(state)
    assert {name: each.refused for name, each in unsent.items()} == {
        name: 2 if name == refused else 0 for name in partitions.names
    }
    assert {name: each.refused_since is not None for name, each in unsent.items()} == {
        name: name == refused for name in partitions.names
    }


@at(Placement("sqlite"))
def test_the_latest_run_of_each_slice_counts(scenario: Scenario):
    sync = sync_of(partitions=HashBuckets(3))
    scenario.seed(*customers(12))
    for name in ("bucket_0", "bucket_1"):
        with pytest.raises(AuthenticationError):
            scenario.run(sync, partition=name, api_token="not-the-token-0123456789")
    scenario.run(sync, partition="bucket_2")
    assert sorted(names(scenario, sync)) == ["run_failed||bucket_0", "run_failed||bucket_1"]
    scenario.run(sync, partition="bucket_0")
    assert names(scenario, sync) == ["run_failed||bucket_1"]
    scenario.run(sync)
    assert names(scenario, sync) == [], "a run of the whole source has the rows of all slices"


@at(Placement("sqlite"))
def test_a_range_of_slices_holds_until_each_of_them_ran_again(scenario: Scenario):
    sync = sync_of(partitions=HashBuckets(4))
    scenario.seed(*customers(12))
    with pytest.raises(AuthenticationError):
        scenario.run(sync, partition="bucket_0...bucket_2", api_token="not-the-token-0123456789")
    assert names(scenario, sync) == ["run_failed||bucket_0...bucket_2"]
    with open_state(scenario.warehouse.state, sync, writes=False) as state:
        assert read_unsent(state)["bucket_0...bucket_2"].unsettled > 0
    scenario.run(sync, partition="bucket_0")
    scenario.run(sync, partition="bucket_1")
    assert names(scenario, sync) == ["run_failed||bucket_0...bucket_2"]
    scenario.run(sync, partition="bucket_2...bucket_3")
    assert names(scenario, sync) == []


@at(Placement("sqlite"))
def test_a_run_of_the_whole_source_holds_until_each_slice_ran_again(scenario: Scenario):
    sync = sync_of(partitions=HashBuckets(2))
    scenario.seed(*customers(12))
    with pytest.raises(AuthenticationError):
        scenario.run(sync, api_token="not-the-token-0123456789")
    scenario.run(sync, partition="bucket_0")
    assert names(scenario, sync) == ["run_failed||"]
    with open_state(scenario.warehouse.state, sync, writes=False) as state:
        assert read_unsent(state)[None].unsettled > 0
    scenario.run(sync, partition="bucket_1")
    assert names(scenario, sync) == []


@at(Placement("sqlite"))
def test_slices_of_another_partitioning_are_not_looked_at(scenario: Scenario):
    eight, three = (sync_of(partitions=HashBuckets(count)) for count in (8, 3))
    scenario.seed(*customers(12))
    with pytest.raises(AuthenticationError):
        scenario.run(eight, partition="bucket_7", api_token="not-the-token-0123456789")
    assert names(scenario, eight) == ["run_failed||bucket_7"]
    scenario.run(three, partition="bucket_0")
    assert names(scenario, three) == []


@at(Placement("sqlite"))
def test_a_run_that_is_at_work_is_too_long_but_has_not_failed(scenario: Scenario):
    scenario.seed(*customers(3))
    limits = AlertLimits(max_run_minutes=1)
    found: list[list[str]] = []

    def look(progress: object) -> None:
        with open_state(scenario.warehouse.state, SYNC, writes=False) as state:
            now = read_recent_plans(state)
        for history in (now, replace(now, now=now.now + timedelta(minutes=2))):
            found.append([each.name for each in find_conditions(SYNC, history, limits)])

    scenario.sandbox.configure(latency_seconds=0.6)
    scenario.run(SYNC, on_progress=look, max_concurrency=1)
    assert found[:2] == [[], ["run_too_long||"]]


@at(Placement("sqlite"))
def test_a_run_that_is_killed_while_it_sends_has_failed(scenario: Scenario):
    scenario.seed(*customers(40))
    scenario.sandbox.configure(latency_seconds=0.3)
    code = (
        "import sys; from dagster_dailystory import ContactSync, run_contact_sync; "
        "sync = ContactSync(name='customers', source='customers', key='customer_id', fields={'email': 'email',"
        " 'firstName': 'first_name', 'city': 'city'}, extended_properties={'plan': 'plan'}, deletes='deactivate'); "
        "run_contact_sync(sync, warehouse_url=sys.argv[1], base_url=sys.argv[2], api_token=sys.argv[3])"
    )
    arguments = [scenario.warehouse_url, scenario.sandbox.base_url, scenario.sandbox.token]
    process = subprocess.Popen([sys.executable, "-c", code, *arguments])
    deadline = time.monotonic() + 60
    while not scenario.sandbox.contacts() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert names(scenario) == [], "it is at work"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert names(scenario) == ["run_failed||"]
    scenario.sandbox.configure(latency_seconds=0)
    scenario.run(SYNC)
    assert names(scenario) == []
