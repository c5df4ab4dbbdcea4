"""The guards of creates: after the first load a source that multiplies is stopped, during it nothing is in the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

import pytest
from support.faults import flaky_account
from support.placements import Placement
from support.scenario import Scenario, customer, customers, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.engine.run import new_run_id
from dagster_dailystory.errors import OutageError, SafetyError
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import ContactSync

SYNC = sync_of(min_guard_rows=5)
SLICES = sync_of(min_guard_rows=5, partitions=HashBuckets(2))
PLACEMENTS = (Placement("duckdb"), Placement("postgresql"))


def add(scenario: Scenario, first: int, last: int) -> None:
    scenario.insert(*(customer(number) for number in range(first, last + 1)))


def run_slices(scenario: Scenario, sync: ContactSync) -> int:
    """Run each slice, or the whole source, and count the contacts that they created."""
    return sum(scenario.run(sync, partition=name).rows_created for name in slices_of(sync))


def slices_of(sync: ContactSync) -> Sequence[str | None]:
    return [None] if sync.partitions is None else sync.partitions.names


def test_a_source_that_multiplies_after_the_first_load_is_stopped(scenario: Scenario):
    scenario.seed(*customers(10))
    assert scenario.run(SYNC).rows_created == 10
    add(scenario, 11, 30)
    with pytest.raises(SafetyError, match=r"created_share: 20 contacts would be created beside 10, which is 200\.0%"):
        scenario.run(SYNC)
    assert len(scenario.emails()) == 10
    assert scenario.run(sync_of(min_guard_rows=5, max_created_fraction=2)).rows_created == 20


def test_a_first_load_in_parts_goes_on(scenario: Scenario):
    scenario.seed(*customers(30))
    assert scenario.run(SYNC, limit=6).rows_created == 6
    assert scenario.run(SYNC, keys=["30"]).rows_created == 1
    scenario.sandbox.configure(contact_quota=8)
    with suppress(OutageError):
        assert scenario.run(SYNC).outcome == "incomplete"
    scenario.sandbox.configure(contact_quota=None)
    assert scenario.run(SYNC).rows_created == 22
    add(scenario, 31, 90)
    with pytest.raises(SafetyError, match="created_share"):
        scenario.run(SYNC)


def test_a_first_load_of_limited_runs_is_done_when_no_create_is_left(scenario: Scenario):
    scenario.seed(*customers(10))
    assert [scenario.run(SYNC, limit=6).rows_created for _ in range(2)] == [6, 4]
    add(scenario, 11, 30)
    with pytest.raises(SafetyError, match="created_share"):
        scenario.run(SYNC)


def send_all_but(scenario: Scenario, sync: ContactSync, numbers: Iterable[int], partition: str | None = None) -> str:
    """Plan and send; the creates of these customers get no answer."""
    run_id = new_run_id()
    plan_run(sync, scenario.warehouse, scenario.account, PlanOptions(partition=partition), run_id)
    lost = [f'"p{number}@'.encode() for number in numbers]
    failing = flaky_account(scenario, lambda _method, _url, sent: not any(each in (sent or b"") for each in lost))
    return send_run(sync, scenario.warehouse, failing, [run_id], partition=partition).report.outcome


@pytest.mark.parametrize("sync", [SYNC, SLICES], ids=["whole", "slices"])
def test_a_row_that_always_fails_does_not_keep_the_first_load_open(scenario: Scenario, sync: ContactSync):
    scenario.seed(*customers(10))
    outcomes = [send_all_but(scenario, sync, [7], name) for name in slices_of(sync)]
    assert "incomplete" in outcomes
    assert len(scenario.emails()) == 9
    add(scenario, 11, 50)
    with pytest.raises(SafetyError, match="created_share"):
        run_slices(scenario, sync)
    assert len(scenario.emails()) == 9


def test_a_first_load_of_which_most_failed_goes_on(scenario: Scenario):
    scenario.seed(*customers(12))
    assert send_all_but(scenario, SYNC, range(1, 24, 2)) == "incomplete"
    assert send_all_but(scenario, sync_of(min_guard_rows=5, max_created_fraction=0.2), ()) == "done"
    add(scenario, 13, 50)
    with pytest.raises(SafetyError, match="created_share"):
        scenario.run(SYNC)


def test_slices_of_another_number_of_slices_do_not_count(scenario: Scenario):
    eight = sync_of(min_guard_rows=5, partitions=HashBuckets(8))
    scenario.seed(*customers(100))
    for name in SLICES.partitions.names:
        scenario.run(eight, partition=name)
    assert len(scenario.emails()) < 50
    run_slices(scenario, SLICES)
    assert len(scenario.emails()) == 100
    add(scenario, 101, 400)
    with pytest.raises(SafetyError, match="created_share"):
        run_slices(scenario, SLICES)


def test_a_first_load_in_slices_is_done_with_the_last_slice(scenario: Scenario):
    scenario.seed(*customers(4))
    first, second = SLICES.partitions.names
    scenario.run(SLICES, partition=first)
    add(scenario, 5, 30)
    scenario.run(SLICES, partition=first)
    assert scenario.run(SLICES, partition=second).outcome == "done"
    assert len(scenario.emails()) == 30
    add(scenario, 31, 100)
    with pytest.raises(SafetyError, match="created_share"):
        run_slices(scenario, SLICES)


def test_slices_create_together_no_more_than_the_sync_may(scenario: Scenario):
    sync = sync_of(min_guard_rows=5, partitions=HashBuckets(2), max_created_fraction=0.5)
    scenario.seed(*customers(40))
    run_slices(scenario, sync)
    add(scenario, 41, 50)
    run_slices(scenario, sync)
    add(scenario, 51, 62)
    with pytest.raises(SafetyError, match=r"created_share: \d+ contacts would be created beside 40 in the plans of"):
        run_slices(scenario, sync)


def test_an_empty_source_does_not_end_the_first_load(scenario: Scenario):
    sync = sync_of(min_guard_rows=5, allow_empty_source=True)
    scenario.create()
    scenario.run(sync)
    add(scenario, 1, 30)
    assert scenario.run(sync, limit=6).rows_created == 6
    assert scenario.run(sync).rows_created == 24


def test_more_rows_than_allowed_are_never_created(scenario: Scenario):
    sync = sync_of(max_created_rows=9)
    scenario.seed(*customers(10))
    with pytest.raises(SafetyError, match="created_rows: 10 contacts would be created; the limit is 9"):
        scenario.run(sync)
    assert scenario.run(sync, limit=9).rows_created == 9
