"""A state that an earlier version wrote goes on with this one; `support/freeze_state.py` writes them down."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from support import freeze_state
from support.placements import Placement, at
from support.scenario import Scenario, customer, customers, sync_of
from support.steps import plan_run, read_state, send_run

from dagster_dailystory import SyncReport, run_contact_sync
from dagster_dailystory.engine.state.layout.migrations import StoredTables, migrate, prepare_leases, sync_names
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import SCHEMA_VERSION, StateLocation
from dagster_dailystory.engine.state.store import connect_state, open_state
from dagster_dailystory.engine.upkeep.records.frames import contact_map_frame
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import BusyError, SafetyError, StateError
from dagster_dailystory.sandbox import Sandbox

STATES = Path(__file__).with_name("states")
FORMER_URL = f"http://127.0.0.1:{freeze_state.PORT}/api/v1"


@dataclass
class EarlierState:
    """A warehouse with its state, and the sandbox with its contacts."""

    url: str
    sandbox: Sandbox

    @property
    def location(self) -> StateLocation:
        return StateLocation(self.url)

    def layout(self) -> dict[str, set[str]]:
        """The columns of each state table."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        tables = [name for name in sa.inspect(engine).get_table_names() if name.startswith("dailystory_")]
        return {name: {column["name"] for column in sa.inspect(engine).get_columns(name)} for name in tables}

    def meta_names(self) -> set[str]:
        """The names of the meta table."""
        with sa.create_engine(self.url, poolclass=sa.NullPool).connect() as connection:
            return set(connection.execute(sa.text("SELECT name FROM dailystory_meta")).scalars())

    def execute(self, statement: str) -> None:
        with sa.create_engine(self.url, poolclass=sa.NullPool).begin() as connection:
            connection.execute(sa.text(statement))

    def run(self, name: str, partition: str | None = None) -> SyncReport:
        return run_contact_sync(
            freeze_state.SYNCS[name],
            warehouse_url=self.url,
            base_url=self.sandbox.base_url,
            api_token=self.sandbox.token,
            requests_per_second=math.inf,
            partition=partition,
        )


PLACEMENTS = (Placement("sqlite"), Placement("duckdb"), Placement("postgresql"))


@pytest.fixture(params=sorted(folder.name for folder in STATES.iterdir() if folder.name.isdigit()))
def version(request: pytest.FixtureRequest) -> str:
    """A version of the state tables."""
    return str(request.param)


@pytest.fixture
def earlier(
    version: str, engine_placement: Placement, new_database: Callable[[str], str], tmp_path: Path
) -> Iterator[EarlierState]:
    url = new_database(engine_placement.warehouse)
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT").execution_options(
        no_parameters=True
    )
    statements = (STATES / version / f"{engine_placement.warehouse}.sql").read_text(encoding="utf-8")
    store = tmp_path / "sandbox.json"
    shutil.copy(STATES / version / f"{engine_placement.warehouse}.json", store)
    with Sandbox(store=store) as sandbox, engine.connect() as connection:
        for statement in statements.split(";\n"):
            if statement.strip() not in ("", "BEGIN TRANSACTION", "COMMIT"):
                connection.exec_driver_sql(statement.replace(FORMER_URL, sandbox.base_url))
        yield EarlierState(url, sandbox)


def test_an_interrupted_run_is_completed_with_each_contact_once(earlier: EarlierState):
    report = earlier.run("customers")
    assert report.outcome == "done"
    assert (report.rows_held, report.rows_rejected, report.rows_to_delete) == (1, 1, 0)
    emails = [contact["email"] for contact in earlier.sandbox.contacts() if contact["email"].startswith("customer")]
    assert sorted(emails) == sorted(f"customer{number}@example.com" for number in range(1, 61) if number not in (3, 4))
    assert earlier.sandbox.find(email="customer5@example.com")["status"] == "Inactive"
    again = earlier.run("customers")
    assert (again.outcome, again.api_requests, again.rows_unchanged) == ("empty", 0, 57)


def test_slices_of_an_earlier_state_send_nothing(earlier: EarlierState):
    reports = [earlier.run("regional", name) for name in ("emea", "amer", "other_values")]
    assert [(report.rows_unchanged, report.api_requests) for report in reports] == [(4, 0)] * 3


@at(Placement("duckdb"))
def test_only_a_plan_of_the_whole_source_ends_a_first_load_of_an_earlier_state(earlier: EarlierState):
    """Layout 2 does not say how many slices a sync has."""
    earlier.execute("UPDATE dailystory_plans SET status = 'done'")
    earlier.run("regional", "emea")
    assert "first_load:customers" in earlier.meta_names()
    assert "first_load:regional" not in earlier.meta_names()
    for name in ("amer", "other_values"):
        earlier.run("regional", name)
    assert "first_load:regional" in earlier.meta_names()


@at(Placement("duckdb"))
def test_row_hashes_that_an_earlier_version_stored_beside_the_source_are_removed(earlier: EarlierState):
    for _ in range(2):  # the first run completes a plan of the earlier version
        earlier.run("customers")
    with sa.create_engine(earlier.url, poolclass=sa.NullPool).connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM dailystory_customers_row_hashes")).scalar_one() == 0


@at(Placement("duckdb"), Placement("postgresql"))
def test_a_checkpoint_of_an_earlier_state_is_used(earlier: EarlierState):
    report = earlier.run("recent")
    assert report.api_requests == 0
    assert report.rows_read < 10, "only rows from the checkpoint on are read"


def new_layout(url: str) -> dict[str, set[str]]:
    """The columns of the tables that this version makes."""
    with Sandbox() as sandbox:
        fresh = EarlierState(url, sandbox)
        freeze_state.seed(sa.create_engine(url, poolclass=sa.NullPool))
        fresh.run("customers")
        return fresh.layout()


def test_upgraded_tables_have_the_columns_of_new_ones(
    earlier: EarlierState, new_database: Callable[[str], str], engine_placement: Placement
):
    earlier.run("regional", "emea")
    upgraded, new = earlier.layout(), new_layout(new_database(engine_placement.warehouse))
    assert {name: upgraded[name] for name in new} == new
    assert "deleted_in_dailystory_at" in upgraded["dailystory_regional_contact_map"]


def test_a_sync_without_plans_is_upgraded(earlier: EarlierState):
    earlier.execute("DELETE FROM dailystory_plans")
    earlier.run("regional", "emea")
    assert "acknowledged_plan" in earlier.layout()["dailystory_customers_snapshot"]


def test_contacts_that_were_found_and_never_written_are_marked_by_the_upgrade(earlier: EarlierState):
    earlier.execute("UPDATE dailystory_customers_snapshot SET field_email = NULL")  # as a repair leaves them
    earlier.execute("UPDATE dailystory_regional_snapshot SET field_email = NULL, resend_all = NULL")
    earlier.run("customers")
    with sa.create_engine(earlier.url, poolclass=sa.NullPool).connect() as connection:
        marked = {
            name: set(connection.execute(sa.text(f"SELECT only_mapped FROM dailystory_{name}_snapshot")).scalars())
            for name in ("customers", "regional")
        }
    assert [set(map(bool, found)) for found in marked.values()] == [{False}, {True}]


def test_an_upgrade_that_was_killed_is_completed(earlier: EarlierState):
    done = False
    for allowed in range(1, 100):
        engine = sa.create_engine(earlier.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            limited = Limited(connection, allowed)
            prepare_leases(StoredTables(connection, earlier.location, connection.begin))
            with contextlib.suppress(KeyboardInterrupt):
                reached = list(migrate(StoredTables(connection, earlier.location, limited.begin), 2))
                done = reached == list(range(3, SCHEMA_VERSION + 1))
        if done:
            break
    assert done
    assert allowed > 4, "each attempt gets further than the one before"
    report = earlier.run("customers")
    assert (report.outcome, report.rows_to_delete) == ("done", 0)
    assert earlier.run("customers").outcome == "empty"


@dataclass
class Limited:
    """A connection whose process dies when it begins one transaction too many."""

    connection: sa.Connection
    allowed: int

    def begin(self) -> AbstractContextManager[object]:
        self.allowed -= 1
        if self.allowed < 0:
            raise KeyboardInterrupt
        return self.connection.begin()


def test_layout_3_is_upgraded_and_its_custom_fields_are_known(scenario: Scenario):
    scenario.seed(*customers(2))
    scenario.run()
    scenario.execute(
        "ALTER TABLE dailystory_plans DROP COLUMN fields_dropped",
        "ALTER TABLE dailystory_plans DROP COLUMN new_custom_fields",
        "ALTER TABLE dailystory_plans DROP COLUMN opt_outs_waiting",
        "ALTER TABLE dailystory_customers_changes DROP COLUMN dropped_fields",
        "ALTER TABLE dailystory_customers_snapshot DROP COLUMN unknown_fields",
        "DELETE FROM dailystory_meta WHERE name = 'custom_fields:customers'",
        "UPDATE dailystory_meta SET value = '3' WHERE name = 'schema_version'",
    )
    scenario.update(1, city="Rome")
    planned = plan_run(sync_of(), scenario.warehouse, scenario.account)
    assert (planned.rows_to_update, planned.new_custom_fields) == (1, ())
    assert scenario.run().rows_updated == 1


def test_layout_3_without_the_countries_of_numbers_goes_on(scenario: Scenario):
    sync = sync_of(fields={"email": "email", "mobilePhone": "mobile", "city": "city"}, default_region="US")
    scenario.seed(*(customer(number, mobile=f"202 555 01{number:02}") for number in (1, 2, 3)))
    scenario.run(sync)
    scenario.update(1, city="Rome")
    plan_run(sync, scenario.warehouse, scenario.account, run_id="killed")
    scenario.execute(
        *(
            f"ALTER TABLE dailystory_customers_{table} DROP COLUMN {column}"
            for table, column in (
                ("snapshot", "field_default_region"),
                ("changes", "field_default_region"),
                ("changes", "differs_field_default_region"),
            )
        ),
    )
    [plan] = scenario.select("SELECT settings FROM dailystory_plans WHERE run_id = 'killed'")
    settings = {name: each for name, each in json.loads(plan["settings"]).items() if name != "version of this package"}
    scenario.execute("UPDATE dailystory_plans SET settings = :settings", settings=json.dumps(settings))
    with pytest.raises(SafetyError, match="was made with another version of this package; plan again"):
        send_run(sync, scenario.warehouse, scenario.account, ["killed"])
    report = scenario.run(sync)
    assert (report.rows_updated, report.rows_unchanged, report.api_requests) == (1, 2, 2)
    assert scenario.run(sync).rows_unchanged == 3
    assert {row["field_default_region"] for row in scenario.rows("snapshot")} == {"US"}


def test_reading_refuses_an_earlier_layout_and_leaves_it_alone(earlier: EarlierState):
    before = earlier.layout()
    with pytest.raises(StateError, match=r"layout version 2.*A run upgrades them"):
        read_state(contact_map_frame, freeze_state.SYNCS["customers"], Warehouse.at(earlier.url))
    assert earlier.layout() == before


def test_an_upgrade_needs_all_syncs_to_be_idle(earlier: EarlierState):
    earlier.execute(
        "UPDATE dailystory_meta SET holder = 'another host:1:1:abc', heartbeat_at = '2999-01-01 00:00:00' "
        "WHERE name = 'lock:customers'"
    )
    with pytest.raises(BusyError, match=r"must be upgraded.*another run holds sync 'customers'"):
        earlier.run("regional", "emea")
    assert "acknowledged_plan" not in earlier.layout()["dailystory_customers_snapshot"]


def test_a_run_that_began_before_an_upgrade_stops_at_its_next_write(earlier: EarlierState):
    with connect_state(earlier.location, freeze_state.SYNCS["customers"]) as state, state.connection.begin():
        meta = state.shared.meta
        found = sa.select(meta.c.name, meta.c.holder, meta.c.fence).where(meta.c.name == "lock:customers")
        former = Lease(*state.connection.execute(found).one())
    earlier.run("regional", "emea")
    with (
        open_state(earlier.location, freeze_state.SYNCS["customers"]) as state,
        pytest.raises(BusyError, match="took sync 'customers' over"),
        state.connection.begin(),
    ):
        former.renew(state)


def test_a_run_that_opened_the_state_before_an_upgrade_does_not_begin(earlier: EarlierState):
    with connect_state(earlier.location, freeze_state.SYNCS["customers"]) as state:
        prepare_leases(StoredTables(state.connection, earlier.location, state.connection.begin))
        with state.connection.begin():
            state.set_meta("schema_version", str(SCHEMA_VERSION))
        with pytest.raises(BusyError, match="has just upgraded"), state.connection.begin():
            Lease.take(state)


def test_a_newer_layout_is_refused_with_the_version_that_wrote_it(earlier: EarlierState):
    earlier.execute("UPDATE dailystory_meta SET value = '99' WHERE name = 'schema_version'")
    earlier.execute("INSERT INTO dailystory_meta (name, value) VALUES ('written_by', '7.1.0')")
    with pytest.raises(StateError, match=r"layout version 99, written by dagster-dailystory 7\.1\.0"):
        earlier.run("regional", "emea")


def test_tables_of_another_prefix_belong_to_another_state():
    with sa.create_engine("sqlite://", poolclass=sa.NullPool).connect() as connection:
        for name in ("dailystory_meta", "dailystory_a_contact_map", "dailystory_x_meta", "dailystory_x_b_contact_map"):
            connection.exec_driver_sql(f"CREATE TABLE {name} (value TEXT)")
        assert sync_names(connection, StateLocation("sqlite://")) == ["a"]


@at(Placement("sqlite"), Placement("duckdb"), Placement("postgresql"))
def test_layout_8_gets_the_columns_that_came_after_it(scenario: Scenario):
    scenario.seed(*customers(3))
    scenario.run()
    scenario.execute_state("ALTER TABLE dailystory_customers_snapshot DROP COLUMN kept_fields")
    for name in ("rows_unsent", "stopped_by"):
        scenario.execute_state(f"ALTER TABLE dailystory_runs DROP COLUMN {name}")
    scenario.execute_state("DROP TABLE dailystory_rate")
    scenario.execute_state("UPDATE dailystory_meta SET value = '8' WHERE name = 'schema_version'")
    scenario.update(2, city="Rome")
    report = scenario.run()
    assert (report.rows_updated, report.rows_unchanged, report.api_requests) == (1, 2, 2)
