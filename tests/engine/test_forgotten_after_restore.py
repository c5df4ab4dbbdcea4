"""Requests to forget that are repeated on a restored backup of the state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.forgetting import JANE, VALUES, forget, found_in_state, records_of, sync
from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customer
from support.steps import plan_run, send_run

from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.errors import BusyError, StateError

PLACEMENTS = INSIDE


def test_requests_are_repeated_on_a_restored_backup(synced: Scenario):
    backup = synced.state_tables()
    forget(synced, 1)
    requests = records_of(synced).export_forgotten()
    assert not any(value in str(requests) for value in VALUES)
    restore(synced, backup)
    assert found_in_state(synced) != []
    assert records_of(synced).apply_forgotten(requests) == 2
    assert found_in_state(synced) == []
    assert synced.run(sync()).rejections_by_reason == {"forgotten": 1}
    with pytest.raises(StateError, match="from another state"):
        records_of(synced).apply_forgotten([replace(requests[0], secret="0" * 16)])


def test_a_key_that_had_the_address_of_a_forgotten_row_at_the_backup_keeps_its_contact(synced: Scenario):
    backup = synced.state_tables()
    synced.update(1, email="new@example.com", mobile="+14155552679", first_name="Ann", city="Oslo")
    synced.run(sync())
    synced.insert(customer(5, **JANE))
    synced.run(sync())
    forget(synced, 5)
    requests, before = records_of(synced).export_forgotten(), synced.contact_map()
    restore(synced, backup)
    assert records_of(synced).apply_forgotten(requests) < 2
    assert found_in_state(synced) == []
    assert "1" in synced.contact_map()
    synced.sent()
    report = synced.run(sync(deletes="delete"))
    assert (report.rows_created, report.rows_updated, report.rejections_by_reason) == (0, 1, {"forgotten": 1})
    assert [name for name, *_ in synced.sent()] == ["new@example.com"]
    assert synced.contact_map() == before
    assert synced.run(sync()).api_requests == 0


@at(Placement("sqlite"), Placement("postgresql"))
def test_a_plan_that_another_sync_made_after_the_restore_does_not_send_the_row(synced: Scenario):
    other, backup = sync(name="newsletter", key="email", mode="upsert"), synced.state_tables()
    forget(synced, 1)
    long_ago = timedelta(days=30)
    requests = [
        replace(each, forgotten_at=each.forgotten_at - long_ago) for each in records_of(synced).export_forgotten()
    ]
    restore(synced, backup)
    synced.execute_state("DELETE FROM dailystory_meta WHERE name LIKE 'forgotten%'")
    plan_run(other, synced.warehouse, synced.account, run_id="newsletter")
    records_of(synced).apply_forgotten(requests)
    report = send_run(other, synced.warehouse, synced.account, ["newsletter"]).report
    assert (report.outcome, report.rows_created) == ("done", 2)
    assert found_in_state(synced) == []


@at(Placement("sqlite"), Placement("postgresql"))
def test_requests_wait_for_every_run_of_the_restored_state(synced: Scenario):
    other = sync(name="newsletter", source="select * from customers where customer_id = 1")
    backup = synced.state_tables()
    forget(synced, 1)
    requests = records_of(synced).export_forgotten()
    restore(synced, backup)
    plan_run(other, synced.warehouse, synced.account, run_id="newsletter")
    with open_session(other, synced.warehouse.state), pytest.raises(BusyError, match="holds sync 'newsletter'"):
        records_of(synced).apply_forgotten(requests)
    assert found_in_state(synced) != []
    assert records_of(synced).apply_forgotten(requests) == 2


def restore(scenario: Scenario, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Give the state tables the rows of a backup; the secret and the leases stay."""
    for name, rows in tables.items():
        if name == "dailystory_meta":
            continue
        scenario.execute_state(f"DELETE FROM {name}")
        for row in rows:
            columns = ", ".join(f'"{each}"' for each in row)
            marks = ", ".join(f":p{number}" for number in range(len(row)))
            values = {f"p{number}": value for number, value in enumerate(row.values())}
            scenario.execute_state(f"INSERT INTO {name} ({columns}) VALUES ({marks})", **values)
