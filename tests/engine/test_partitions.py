"""Partitions lead to the same contacts as one whole run, with the state in the warehouse and elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.placements import Placement
from support.steps import plan_run, send_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.engine.run import new_run_id
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import ConfigurationError, SafetyError
from dagster_dailystory.functions import run_contact_sync
from dagster_dailystory.model.partitions import OTHER_VALUES, ColumnValues, HashBuckets, Partitioning
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Sandbox

REGIONS = ColumnValues("region", ["emea", "amer"])


def sync_with(partitions: Partitioning | None) -> ContactSync:
    return ContactSync(
        name="customers",
        source="customers",
        key="id",
        fields={"email": "email", "city": "city"},
        partitions=partitions,
        deletes="delete",
        max_deleted_fraction=None,
    )


def execute(url: str, *statements: str) -> None:
    with open_engine(url).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def seed(url: str) -> None:
    regions = ("'emea'", "'amer'", "'apac'", "null")
    rows = ", ".join(f"({i}, 'person{i}@example.com', 'Oslo', {regions[i % 4]})" for i in range(1, 41))
    execute(
        url,
        "create table customers (id integer, email varchar(50), city varchar(20), region varchar(10))",
        f"insert into customers values {rows}",
    )


EDITS = (
    "update customers set city = 'Rome' where id in (1, 2, 3)",
    "update customers set region = 'amer' where id in (4, 8)",
    "delete from customers where id in (5, 6, 7)",
    "insert into customers values (50, 'person50@example.com', 'Bern', null)",
)


def run(sync: ContactSync, warehouse: Warehouse, sandbox: Sandbox, partition: str | None = None) -> SyncReport:
    return run_contact_sync(
        sync,
        warehouse_url=warehouse.url,
        state_url=warehouse.state.url,
        base_url=sandbox.base_url,
        api_token=sandbox.token,
        requests_per_second=5000,
        partition=partition,
    )


def contacts(sandbox: Sandbox) -> list[tuple[object, ...]]:
    return sorted((c["email"], c["city"], c["status"]) for c in sandbox.contacts())


PLACEMENTS = (Placement("sqlite"), Placement("postgresql"), Placement("duckdb", "sqlite"))


@pytest.fixture
def warehouse(engine_placement: Placement, new_database: Callable[[str], str]) -> Warehouse:
    url, state = new_database(engine_placement.warehouse), engine_placement.state
    seed(url)
    return Warehouse.at(url, None if state is None else new_database(state))


@pytest.mark.parametrize("partitions", [HashBuckets(4), REGIONS], ids=["buckets", "values"])
def test_partitions_lead_to_the_same_contacts_as_one_whole_run(warehouse: Warehouse, partitions: Partitioning) -> None:
    sync = sync_with(partitions)
    with Sandbox() as sandbox:
        reports = [run(sync, warehouse, sandbox, name) for name in partitions.names]
        assert sum(report.rows_read for report in reports) == sum(report.rows_created for report in reports) == 40
        execute(warehouse.url, *EDITS)
        writes = sandbox.counts.posts + sandbox.counts.deletes
        reports = [run(sync, warehouse, sandbox, name) for name in partitions.names]
        counts = [(report.rows_created, report.rows_updated, report.rows_deleted) for report in reports]
        assert [sum(column) for column in zip(*counts, strict=True)] == [1, 3, 3]
        assert sandbox.counts.posts + sandbox.counts.deletes - writes == 7
        in_slices = contacts(sandbox)
        assert run(sync, warehouse, sandbox).rows_to_update == 0
        assert contacts(sandbox) == in_slices
        assert sum(status == "Deleted" for *_, status in in_slices) == 3


def test_a_key_that_moves_to_another_slice_is_neither_deleted_nor_created(warehouse: Warehouse) -> None:
    sync = sync_with(REGIONS)
    with Sandbox() as sandbox:
        for name in REGIONS.names:
            run(sync, warehouse, sandbox, name)
        execute(warehouse.url, "update customers set region = 'amer', city = 'Lima' where id = 4")
        assert run(sync, warehouse, sandbox, "emea").rows_to_delete == 0
        assert run(sync, warehouse, sandbox, "amer").rows_updated == 1
        execute(warehouse.url, "delete from customers where id = 4")
        assert run(sync, warehouse, sandbox, "emea").rows_to_delete == 0
        assert run(sync, warehouse, sandbox, "amer").rows_deleted == 1


def test_rows_without_a_listed_value_have_a_slice_of_their_own(warehouse: Warehouse) -> None:
    with Sandbox() as sandbox:
        assert run(sync_with(REGIONS), warehouse, sandbox, OTHER_VALUES).rows_created == 20


def test_an_empty_slice_of_a_source_with_rows_is_not_an_empty_source(warehouse: Warehouse) -> None:
    with Sandbox() as sandbox:
        report = run(sync_with(ColumnValues("region", ["antarctica"])), warehouse, sandbox, "antarctica")
        assert (report.rows_read, report.outcome) == (0, "empty")


def test_two_planned_slices_never_send_one_identity_twice(warehouse: Warehouse) -> None:
    sync = sync_with(REGIONS)
    execute(warehouse.url, "insert into customers values (60, 'same@example.com', 'Oslo', 'emea')")
    execute(warehouse.url, "insert into customers values (61, 'same@example.com', 'Oslo', 'amer')")
    with Sandbox() as sandbox:
        account = AccountSettings(sandbox.base_url, sandbox.token, 5000)
        runs = {name: new_run_id() for name in ("emea", "amer")}
        for name, run_id in runs.items():
            plan_run(sync, warehouse, account, PlanOptions(partition=name), run_id)
        sent = [send_run(sync, warehouse, account, [run_id], partition=name).report for name, run_id in runs.items()]
        assert [report.rows_failed for report in sent] == [0, 1]
        assert sandbox.writes_by_email()["same@example.com"] == 1


def test_a_plan_of_one_slice_is_not_sent_as_another(warehouse: Warehouse) -> None:
    sync = sync_with(REGIONS)
    with Sandbox() as sandbox:
        run_id = new_run_id()
        account = AccountSettings(sandbox.base_url, sandbox.token, 5000)
        plan_run(sync, warehouse, account, PlanOptions(partition="emea"), run_id)
        with pytest.raises(SafetyError, match="has made no plan"):
            send_run(sync, warehouse, account, [run_id], partition="amer")


def test_an_unknown_slice_is_refused_with_the_nearest_name(warehouse: Warehouse) -> None:
    with Sandbox() as sandbox, pytest.raises(ConfigurationError, match="did you mean 'emea'"):
        run(sync_with(REGIONS), warehouse, sandbox, "emae")


@pytest.mark.parametrize("make", [lambda: HashBuckets(1), lambda: ColumnValues("region", ["a", "a"])])
def test_partitions_that_cannot_work_are_refused(make: object) -> None:
    with pytest.raises(ConfigurationError):
        make()  # type: ignore[operator]


def test_a_plan_of_one_slice_keeps_the_rejections_of_the_others(warehouse: Warehouse) -> None:
    sync = sync_with(REGIONS)
    execute(
        warehouse.url,
        "update customers set email = 'invalid' where id in (4, 5)",
    )
    with Sandbox() as sandbox:
        sandbox.configure(refuse_if=lambda body: "not today" if body.get("email") == "person8@example.com" else None)
        for name in ("emea", "amer", "emea"):
            run(sync, warehouse, sandbox, name)
        with open_engine(warehouse.state.url).connect() as connection:
            kept = connection.exec_driver_sql("select id, reason from dailystory_customers_rejections order by id")
            assert [tuple(row) for row in kept] == [(4, "invalid_email"), (5, "invalid_email"), (8, "refused")]
        execute(
            warehouse.url, "delete from customers where id in (5, 8)", "update customers set email = null where id = 4"
        )
        for name in ("emea", "amer"):
            run(sync, warehouse, sandbox, name)
        with open_engine(warehouse.state.url).connect() as connection:
            kept = connection.exec_driver_sql("select id, reason from dailystory_customers_rejections order by id")
            assert [tuple(row) for row in kept] == [(4, "no_identity")]
