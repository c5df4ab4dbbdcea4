"""A sync in another state database, under another name, or removed: nothing is sent again because of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customers, sync_of

from dagster_dailystory.errors import ConfigurationError, StateError
from dagster_dailystory.functions import run_contact_sync
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.records import SyncRecords, open_sync

PLACEMENTS = INSIDE
TARGETS = {"sqlite": "duckdb", "duckdb": "postgresql", "postgresql": "sqlite"}


def records_of(scenario: Scenario, sync: ContactSync | None = None) -> SyncRecords:
    ends = {"warehouse_url": scenario.warehouse_url, "state_url": scenario.state_url}
    with open_sync(sync or sync_of(), **ends) as records:
        return records


def run_at(scenario: Scenario, state_url: str, sync: ContactSync | None = None) -> SyncReport:
    account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
    ends = {"warehouse_url": scenario.warehouse_url, "state_url": state_url}
    return run_contact_sync(sync or sync_of(), **ends, **account, requests_per_second=math.inf)


@pytest.fixture
def synced(scenario: Scenario) -> Scenario:
    """Ten customers with values of several types: one is rejected, one has changed twice, one has left."""
    sync = sync_of(extended_properties={"plan": "plan", "level": "level"})
    scenario.seed(*customers(10, city="Oslo", level=7, opted_out=False))
    scenario.update(4, email="nobody")
    scenario.run(sync)
    scenario.update(1, city="Rome", level=8)
    scenario.delete(10)
    scenario.run(sync)
    scenario.sent()
    return scenario


def test_after_a_copy_to_another_database_nothing_is_sent(synced: Scenario, new_database: Callable[[str], str]):
    sync = sync_of(extended_properties={"plan": "plan", "level": "level"})
    url = new_database(TARGETS[synced.dialect])
    report = records_of(synced, sync).copy_to(state_url=url)
    assert {name: report.rows[name] for name in ("snapshot", "contact_map", "history", "rejections", "runs")} == {
        "snapshot": 9, "contact_map": 9, "history": 10, "rejections": 1, "runs": 2,
    }  # fmt: skip
    again = run_at(synced, url, sync)
    assert (again.outcome, again.rows_unchanged, again.rows_rejected) == ("empty", 8, 1)
    assert synced.sent() == []
    synced.update(2, city="Bergen")
    assert run_at(synced, url, sync).rows_updated == 1
    with open_sync(sync, warehouse_url=synced.warehouse_url, state_url=url) as copied:
        assert set(map(str, copied.history(1)["after"].tolist()[-2:])) == {"8", "Rome"}
        assert len(copied.runs()) == 4


@at(Placement("duckdb"))
def test_texts_that_are_keys_stay_texts_in_a_copy(scenario: Scenario, new_database: Callable[[str], str]):
    scenario.create(customer_id="varchar(20)", email="varchar(200)", first_name="varchar(9)", city="varchar(9)")
    scenario.insert({"customer_id": "a|1", "email": "p1@example.com", "first_name": "Ann", "city": "Oslo"})
    sync = sync_of(extended_properties={})
    scenario.run(sync)
    scenario.sent()
    for kind in ("sqlite", "duckdb"):
        url = new_database(kind)
        records_of(scenario, sync).copy_to(state_url=url)
        assert run_at(scenario, url, sync).outcome == "empty"
    assert scenario.sent() == []


@at(Placement("sqlite"))
def test_a_copy_is_refused_where_the_sync_or_another_destination_is(
    synced: Scenario, new_database: Callable[[str], str]
):
    url = new_database("sqlite")
    records_of(synced).copy_to(state_url=url)
    with pytest.raises(StateError, match="the target has a sync 'customers' already; drop it there"):
        records_of(synced).copy_to(state_url=url)


@at(Placement("sqlite"))
def test_a_copy_that_is_read_back_otherwise_leaves_the_target_empty(
    synced: Scenario, new_database: Callable[[str], str]
):
    url = new_database("sqlite")
    copied = Scenario(synced.warehouse_url, url, synced.sandbox)
    records_of(synced).copy_to(state_url=url)
    records_of(copied).drop(confirm="customers")
    with sa.create_engine(url).begin() as connection:
        spoil = (
            "CREATE TRIGGER spoil AFTER INSERT ON dailystory_runs"
            " BEGIN UPDATE dailystory_runs SET outcome = 'other' WHERE run_id = new.run_id; END"
        )
        connection.execute(sa.text(spoil))
    with pytest.raises(StateError, match=r"table dailystory_runs was read back otherwise than it was written"):
        records_of(synced).copy_to(state_url=url)
    assert "dailystory_customers_snapshot" not in sa.inspect(sa.create_engine(url)).get_table_names()


def test_a_renamed_sync_goes_on_and_its_old_name_is_refused(synced: Scenario):
    sync = sync_of(extended_properties={"plan": "plan", "level": "level"})
    records_of(synced, sync).forget(["9"])
    records_of(synced, sync).rename("people")
    renamed = sync_of(name="people", extended_properties={"plan": "plan", "level": "level"})
    assert synced.run(renamed).outcome == "empty"
    rejections = records_of(synced, renamed).rejections()
    assert "forgotten" in rejections["reason"].tolist()
    assert synced.sent() == []
    assert len(records_of(synced, renamed).runs()) == 3
    with pytest.raises(StateError, match="sync 'customers' of this state was renamed to 'people'"):
        synced.run(sync)
    assert synced.sent() == []
    records_of(synced, renamed).rename("customers")
    assert synced.run(sync).outcome == "empty"


@at(Placement("sqlite"), Placement("postgresql"))
def test_a_name_that_became_free_can_be_used_again(scenario: Scenario, new_database: Callable[[str], str]):
    scenario.seed(*customers(2))
    first, second, last = (sync_of(name=name) for name in ("first", "second", "last"))
    scenario.run(first)
    records_of(scenario, first).rename("second")
    records_of(scenario, second).rename("last")
    url = new_database("sqlite")
    records_of(scenario, last).copy_to(state_url=url)
    with pytest.raises(StateError, match="sync 'first' of this state was renamed to 'last'"):
        run_at(scenario, url, first)
    other = sync_of(name="other")
    scenario.run(other)
    records_of(scenario, other).rename("first")
    records_of(scenario, first).drop(confirm="first")
    assert scenario.run(first).rows_created == 2
    assert scenario.run(last).outcome == "empty"


@at(Placement("sqlite"), Placement("postgresql"))
def test_a_dropped_sync_no_longer_holds_the_contacts_of_others(scenario: Scenario):
    both = {"source": "customers", "key": "customer_id", "deletes": "deactivate", "max_deleted_fraction": None}
    first, second = sync_of(name="customers", **both), sync_of(name="second", **both)
    scenario.seed(*customers(3))
    scenario.run(first)
    scenario.run(second)
    scenario.delete(3)
    with pytest.raises(ConfigurationError, match="confirm it by that name"):
        records_of(scenario, second).drop(confirm="customers")
    assert records_of(scenario, second).drop(confirm="second") == 3
    assert scenario.run(first).rows_deleted == 1
    assert scenario.contact("p3@example.com")["status"] == "Inactive"
    assert not [name for name in scenario.state_tables() if "second" in name]


_KEYS = {
    "uuid": "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
    "timestamp": "2026-01-31 12:00:00.5",
    "timestamptz": "2026-01-31 12:00:00+02",
    "date": "2026-01-31",
    "decimal(12,2)": "7.50",
    "bigint": "9007199254740993",
}


@pytest.mark.parametrize("kind", _KEYS)
@at(Placement("postgresql", "sqlite"), Placement("duckdb", "sqlite"))
def test_a_state_that_moves_into_the_warehouse_has_the_types_of_the_source(scenario: Scenario, kind: str):
    values = {"amount": "decimal(12,3)", "seen_at": "timestamptz", "tags": "text[]", "profile": "json"}
    scenario.create(customer_id=kind, email="varchar(200)", first_name="varchar(9)", city="varchar(9)", **values)
    tags = "['a', 'b']" if scenario.dialect == "duckdb" else "'{a,b}'"
    given = f"""1.500, '2026-01-31 12:00:00+02', {tags}, '{{"a": "x", "b": [1.5, null]}}'"""
    row = f"CAST('{_KEYS[kind]}' AS {kind}), 'p1@example.com', 'Ann', 'Oslo', {given}"
    scenario.execute_own(f"INSERT INTO customers VALUES ({row})")
    for source in ("customers", "select * from customers where city <> ''"):
        sync = sync_of(
            name="of_table" if source == "customers" else "of_query",
            source=source,
            extended_properties={each: each for each in values},
        )
        assert scenario.run(sync).rows_created == 1
        scenario.sent()
        records_of(scenario, sync).move_to(state_url=scenario.warehouse_url)
        again = run_at(scenario, scenario.warehouse_url, sync)
        assert (again.outcome, again.rows_unchanged) == ("empty", 1)
        assert scenario.sent() == []


@at(Placement("sqlite", "duckdb"))
def test_numbers_stay_numbers_in_a_warehouse_whose_columns_have_no_types(scenario: Scenario):
    sync = sync_of(extended_properties={"plan": "plan", "level": "level", "paid": "opted_out"})
    scenario.seed(*customers(3, level=7, plan="007", opted_out=False))
    scenario.run(sync)
    scenario.sent()
    records_of(scenario, sync).move_to(state_url=scenario.warehouse_url)
    assert run_at(scenario, scenario.warehouse_url, sync).outcome == "empty"
    scenario.update(2, level=8)
    assert run_at(scenario, scenario.warehouse_url, sync).rows_updated == 1
    assert [body for _, _, body in scenario.sent()] == [
        {"extendedProperties": {"level": "8", "paid": "0", "plan": "007"}}
    ]


@at(Placement("sqlite"), Placement("postgresql"))
def test_no_run_uses_a_sync_where_it_was_moved_from(synced: Scenario, new_database: Callable[[str], str]):
    url, old = new_database("sqlite"), records_of(synced)
    old.move_to(state_url=url)
    for use in (synced.run, lambda: old.forget([1]), lambda: old.copy_to(state_url=new_database("sqlite"))):
        with pytest.raises(StateError, match="sync 'customers' was moved from this state to sqlite database /"):
            use()
    assert len(old.contact_map()) == 9
    assert run_at(synced, url).outcome == "empty"
    old.drop(confirm="customers")
    moved = Scenario(synced.warehouse_url, url, synced.sandbox)
    records_of(moved).move_to(state_url=synced.state_url or synced.warehouse_url)
    assert synced.run(sync_of()).outcome == "empty"
    assert synced.sent() == []


@at(Placement("sqlite"))
def test_a_dropped_sync_leaves_its_former_name_free(synced: Scenario):
    records_of(synced).rename("people")
    records_of(synced, sync_of(name="people")).drop(confirm="people")
    assert synced.run(sync_of(), dry_run=True).rows_to_create == 8


@at(Placement("postgresql"), Placement("duckdb"))
def test_the_history_of_a_copy_has_the_values_as_the_copy_would_write_them(
    scenario: Scenario, new_database: Callable[[str], str]
):
    names = {"amount": "decimal(12,3)", "seen_at": "timestamptz"}
    scenario.create(customer_id="integer", email="varchar(200)", first_name="varchar(9)", city="varchar(9)", **names)
    scenario.execute("INSERT INTO customers VALUES (1, 'p1@example.com', 'Ann', 'Oslo', 1.5, '2026-01-31 12:00:00+00')")
    sync, url = sync_of(extended_properties={name: name for name in names}), new_database("sqlite")
    scenario.run(sync)
    scenario.execute("UPDATE customers SET amount = 7.25, seen_at = '2026-02-01 12:00:00+00'")
    scenario.run(sync)
    run_id = records_of(scenario, sync).runs().sort_values("started_at")["run_id"].tolist()[-1]
    records_of(scenario, sync).move_to(state_url=url)
    copied = records_of(Scenario(scenario.warehouse_url, url, scenario.sandbox), sync)
    account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
    assert copied.undo(run_id, **account).fields_kept == {name: {"source_unchanged": 1} for name in names}
    records_of(scenario, sync).drop(confirm="customers")
    copied.move_to(state_url=scenario.warehouse_url)
    back = records_of(scenario, sync)
    assert back.undo(run_id, **account).fields_kept == {name: {"source_unchanged": 1} for name in names}
