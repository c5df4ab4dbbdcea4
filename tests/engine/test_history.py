"""The history: each acknowledged change with the values that it replaced."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customer, customers, sync_of

from dagster_dailystory.engine.state.store import open_state, utc_now
from dagster_dailystory.engine.upkeep.records.history import HistoryEntry, read_history
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.records import SyncRecords, open_sync

PLACEMENTS = INSIDE


def records_of(scenario: Scenario, **settings: Any) -> SyncRecords:
    with open_sync(sync_of(**settings), warehouse_url=scenario.warehouse_url, state_url=scenario.state_url) as records:
        return records


def history_of(scenario: Scenario, key: object = None, **settings: Any) -> list[tuple[Any, ...]]:
    frame = records_of(scenario, **settings).history(key)
    columns = ["customer_id", "operation", "outcome", "field", "before", "after"]
    found = frame[columns].astype(object).where(frame[columns].notna(), None)
    return sorted((tuple(row) for row in found.to_numpy()), key=str)


def flag(value: object) -> object:
    """A flag as true or false, whatever the database has in its place."""
    return {0: False, 1: True, "true": True}.get(value, value)


@pytest.fixture
def synced(scenario: Scenario) -> Scenario:
    scenario.seed(*customers(3, city="Oslo"))
    scenario.run()
    return scenario


def test_a_create_an_update_and_an_emptied_field_are_kept_with_what_they_replaced(synced: Scenario):
    clear = {"nulls": {"city": "clear"}}
    synced.update(1, city="Rome")
    synced.run(sync_of(**clear))
    synced.update(1, city=None)
    synced.run(sync_of(**clear))
    first = history_of(synced, 1)
    assert [row for row in first if row[1] == "create"] == [
        (1, "create", "created", "city", None, "Oslo"),
        (1, "create", "created", "email", None, "p1@example.com"),
        (1, "create", "created", "firstName", None, "Name 1"),
        (1, "create", "created", "plan", None, "free"),
    ]
    assert [row for row in first if row[1] == "update"] == [
        (1, "update", "updated", "city", "Oslo", "Rome"),
        (1, "update", "updated", "city", "Rome", None),
    ]


def test_an_opt_out_and_a_deactivation_are_kept(scenario: Scenario):
    sync = sync_of(
        fields={"email": "email", "city": "city", "optOutEmail": "opted_out"}, deletes="deactivate", min_guard_rows=99
    )
    scenario.seed(*customers(2, city="Oslo", opted_out=False))
    scenario.run(sync)
    scenario.update(1, opted_out=True, city="Rome")
    scenario.delete(2)
    scenario.run(sync)
    found = history_of(scenario, fields=sync.fields, deletes="deactivate")
    assert [(*row[:4], *map(flag, row[4:])) for row in found if row[1] != "create"] == [
        (1, "opt_out", "opted_out", "optOutEmail", False, True),
        (1, "update", "updated", "city", "Oslo", "Rome"),
        (2, "deactivate", "deleted", None, None, None),
    ]


def test_a_failed_and_a_rejected_row_leave_no_trace(synced: Scenario):
    synced.update(1, email="nobody")
    synced.update(2, city="Rome")
    synced.sandbox.script([400])
    synced.run()
    assert [row for row in history_of(synced) if row[1] == "update"] == []


def test_values_that_are_sent_again_because_they_are_unknown_replace_none(synced: Scenario):
    synced.execute_state("UPDATE dailystory_customers_snapshot SET resend_all = TRUE WHERE customer_id = 1")
    synced.run()
    updates = [row[3:] for row in history_of(synced, 1) if row[1] == "update"]
    assert updates == [
        ("city", None, "Oslo"),
        ("email", None, "p1@example.com"),
        ("firstName", None, "Name 1"),
        ("plan", None, "free"),
    ]


def test_each_type_comes_back_as_it_is_in_the_snapshot(scenario: Scenario):
    columns = {"n": "n", "d": "d", "f": "f", "b": "b", "day": "day", "at": "at_time"}
    sync = sync_of(fields={"email": "email"}, extended_properties=columns)
    scenario.execute(
        "CREATE TABLE customers (customer_id INTEGER, email TEXT, n BIGINT, d NUMERIC(20, 4), f DOUBLE PRECISION,"
        " b BOOLEAN, day DATE, at_time TIMESTAMP)",
        "INSERT INTO customers VALUES (1, 'p1@example.com', 9007199254740993, 1234567890123456.7891, 0.1, true,"
        " '2024-02-29', '2024-02-29 12:30:00.5')",
    )
    scenario.run(sync)
    with open_state(scenario.warehouse.state, sync) as state, state.connection.begin():
        tables = state.load_tables()
        assert tables is not None
        [entry] = read_history(state, tables)
        [row] = state.connection.execute(tables.snapshot.select()).mappings()
    assert {name: entry.after.get(name) for name in tables.value_names} == {
        name: row[name] for name in tables.value_names
    }


def test_a_repr_has_no_values(synced: Scenario):
    with open_state(synced.warehouse.state, sync_of()) as state, state.connection.begin():
        tables = state.load_tables()
        assert tables is not None
        found: list[HistoryEntry] = list(read_history(state, tables))
    assert "example.com" not in repr(found)
    assert "Oslo" not in repr(found)


@at(Placement("sqlite"))
def test_the_history_is_read_by_key_time_and_field(synced: Scenario):
    records = records_of(synced)
    assert set(records.history([1, "2"])["customer_id"]) == {1, 2}
    assert set(records.history(field="city")["field"]) == {"city"}
    assert records.history(since=utc_now() + timedelta(hours=1)).empty
    assert len(records.runs()) == 1
    assert records.history()["run_id"].unique().tolist() == records.runs()["run_id"].tolist()
    with pytest.raises(ConfigurationError, match="field names 'cityy', which is not mapped; did you mean 'city'"):
        records.history(field="cityy")
    with pytest.raises(ConfigurationError, match="since must be of the type datetime"):
        records.history(since="2026-01-01")  # type: ignore[arg-type]


def test_the_history_is_read_by_dsid_and_by_an_address_of_any_time(synced: Scenario):
    synced.update(1, email="New.One@example.com")
    synced.run()
    records, dsid = records_of(synced), synced.contact("new.one@example.com")["dsId"]
    of_dsid = records.history(dsid=str(dsid))
    assert (set(of_dsid["customer_id"]), len(of_dsid)) == ({1}, 5)
    for email in ("new.one@example.com", " P1@example.com"):
        assert records.history(email=email).equals(of_dsid)
    assert records.history(email="1@example.com").empty, "it is the end of another address"
    synced.update(2, city="p1@example.com")
    synced.run()
    assert set(records.history(email="p1@example.com")["customer_id"]) == {1}, "another field of another person has it"
    with pytest.raises(ConfigurationError, match="one of key, email and dsid"):
        records.history(1, dsid="x")


@at(Placement("sqlite"))
def test_a_number_of_the_history_is_as_it_was_sent(scenario: Scenario):
    fields = {"email": "email", "mobilePhone": "first_name"}
    scenario.seed(customer(1, first_name="(415) 555-2671"))
    scenario.run(sync_of(fields=fields, extended_properties={}, default_region="US"))
    records = records_of(scenario, fields=fields, extended_properties={}, default_region="US")
    assert records.history(field="mobilePhone")["after"].tolist() == ["+14155552671"]
    assert "+14155552671" in str(records.explain(1, show_values=True).keys[0].events)


@at(Placement("sqlite"))
def test_the_history_is_removed_after_history_days(synced: Scenario):
    synced.execute_state("UPDATE dailystory_customers_history SET acknowledged_at = '2020-01-01 00:00:00.000000'")
    synced.run()
    assert len(synced.rows("history")) == 3  # old history is looked for once a day
    synced.execute_state("DELETE FROM dailystory_meta WHERE name LIKE 'history_removed%'")
    synced.run()
    assert synced.rows("history") == []


@at(Placement("sqlite"))
def test_without_history_days_none_is_written_and_none_is_kept(synced: Scenario):
    synced.update(1, city="Rome")
    synced.run(sync_of(history_days=0))
    assert synced.rows("history") == []
