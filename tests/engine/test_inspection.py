"""Previews without personal data, and the status of a sync."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine
from support.dagster_project import PEOPLE, people_sync, person
from support.scenario import Scenario, customer, open_scenario, sync_of
from support.steps import plan_run, read_state, send_run

from dagster_dailystory import WarehouseResource, open_sync
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.upkeep.records.inspection import (
    check_shown_fields,
    column_types,
    preview_changes,
    preview_rejections,
    sync_status,
)
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import ConfigurationError, UnknownPlanError
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import Scope
from dagster_dailystory.sandbox import Sandbox


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    url = f"sqlite:///{tmp_path}/warehouse.sqlite"
    rows = [person(number, email=f"p{number}@example.com") for number in range(1, 31)]
    Scenario(url, None, Sandbox(), PEOPLE).seed(*rows, {**rows[0], "id": 31, "email": "nobody"})
    return Warehouse.at(url)


def test_before_the_first_plan_there_is_nothing_to_see(warehouse: Warehouse):
    now = read_state(sync_status, people_sync(), warehouse)
    assert (now.rows_mapped, now.contacts_live, now.rows_rejected, now.rows_unsettled) == (0, 0, 0, 0)
    assert read_state(preview_rejections, people_sync(), warehouse) == []


@pytest.mark.parametrize("is_planned", [False, True])
def test_a_plan_that_the_state_does_not_have_is_named(warehouse: Warehouse, is_planned: bool):
    sync = people_sync()
    if is_planned:
        with Sandbox() as sandbox:
            plan_run(
                sync, warehouse, AccountSettings(sandbox.base_url, sandbox.token), PlanOptions(dry_run=True), "run"
            )
    resource = WarehouseResource(url=warehouse.url)
    with open_sync(sync, warehouse_url=warehouse.url) as records:
        read = [records.plan, records.preview, records.plan_summary, lambda plan_id: resource.plan(sync, plan_id)]
        for each in read:
            with pytest.raises(UnknownPlanError, match="sync 'people' has no plan 'typed' in this state"):
                each("typed")


def test_a_preview_is_capped_and_masks_what_it_may_not_show(warehouse: Warehouse):
    sync = people_sync()
    with Sandbox() as sandbox:
        account = AccountSettings(sandbox.base_url, sandbox.token, requests_per_second=2_000)
        plan = plan_run(sync, warehouse, account, PlanOptions(), "run")
        seen = read_state(preview_changes, sync, warehouse, plan.plan_id, ["city"], rows=4)
        assert [change.key_label for change in seen] == ["1", "2", "3", "4"]
        assert {field.field: field.after for field in seen[0].fields} == {
            "email": "••• (14)", "firstName": "••• (6)", "city": "Oslo"
        }  # fmt: skip
        [rejected] = read_state(preview_rejections, sync, warehouse)
        assert (rejected.key_label, rejected.reason) == ("31", "invalid_email")
        send_run(sync, warehouse, account, ["run"])
    now = read_state(sync_status, sync, warehouse)
    assert (now.rows_mapped, now.contacts_live, now.rows_rejected, now.rows_unsettled) == (30, 30, 1, 0)


def test_a_value_that_is_sent_again_is_not_shown_as_a_change(new_database: Callable[[str], str]):
    sync = sync_of(fields={"email": "email", "city": "city", "annualRevenue": "level"}, extended_properties={})
    with open_scenario(new_database, "duckdb") as scenario:
        scenario.seed(customer(1, level=7))
        scenario.run(sync)
        scenario.update(1, city="Milan")  # as long as Paris
        plan = plan_run(sync, scenario.warehouse, scenario.account, PlanOptions(scope=Scope.ALL))
        [change] = read_state(preview_changes, sync, scenario.warehouse, plan.plan_id)
    assert list(map(str, change.fields)) == [
        "email: ••• (14) (sent again)", "city: ••• (5) → ••• (5)", "annualRevenue: 7 (sent again)"
    ]  # fmt: skip


def test_a_create_shows_no_opt_out_that_is_not_set(new_database: Callable[[str], str]):
    sync = sync_of(fields={"email": "email", "optOutEmail": "opted_out"}, extended_properties={})
    with open_scenario(new_database, "sqlite") as scenario:
        scenario.seed(customer(1, opted_out=False), customer(2, opted_out=True))
        plan = plan_run(sync, scenario.warehouse, scenario.account, PlanOptions())
        shown = read_state(preview_changes, sync, scenario.warehouse, plan.plan_id)
    assert [[each.field for each in change.fields] for change in shown] == [["email"], ["email", "optOutEmail"]]


def test_the_columns_have_the_types_of_the_warehouse(new_database: Callable[[str], str]):
    warehouse, sync = Warehouse.at(new_database("duckdb")), people_sync()
    engine = create_engine(warehouse.url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE people (id BIGINT, email VARCHAR, first_name VARCHAR, city VARCHAR)")
    assert read_state(column_types, sync, warehouse) == {}, "before the first plan nothing is known"
    with Sandbox() as sandbox:
        plan_run(sync, warehouse, AccountSettings(sandbox.base_url, sandbox.token), run_id="run")
    assert read_state(column_types, sync, warehouse) == {
        "id": "bigint", "email": "varchar", "first_name": "varchar", "city": "varchar"
    }  # fmt: skip


def test_a_personal_key_is_shown_as_an_opaque_id(warehouse: Warehouse):
    sync = people_sync(key="email", name="by_email")
    with Sandbox() as sandbox:
        plan = plan_run(sync, warehouse, AccountSettings(sandbox.base_url, sandbox.token), run_id="run")
    assert all(c.key_label.startswith("id-") for c in read_state(preview_changes, sync, warehouse, plan.plan_id))
    assert "@" not in repr(read_state(preview_changes, sync, warehouse, plan.plan_id))


def test_only_a_mapped_field_can_be_shown():
    with pytest.raises(ConfigurationError, match="did you mean 'firstName'"):
        check_shown_fields(people_sync(), ["firstname"])
