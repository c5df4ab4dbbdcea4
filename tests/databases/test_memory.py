"""A plan fits into DuckDB's memory limit."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.steps import plan_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanSummary
from dagster_dailystory.model.sync import ContactSync, Scope

LONG_TEXT = "A value as long as an address is, number "
WIDE = [f"text_{number}" for number in range(17)]
WIDE_SYNC = ContactSync(
    name="customers",
    source="customers",
    key="customer_id",
    fields={"email": "email"},
    extended_properties={name: name for name in WIDE},
    max_deleted_fraction=None,
)


MEMORY = [
    pytest.param(200, "value ", id="short-texts"),
    pytest.param(400, LONG_TEXT, marks=pytest.mark.elsewhere, id="long-texts"),
]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("megabytes", "value"), MEMORY)
def test_a_limit_is_enough_for_every_kind_of_plan(tmp_path: Path, megabytes: int, value: str):
    """A first load, all rows again, and a third of them changed, as `docs/reference/warehouses.md` promises."""
    rows, url = 300_000, f"duckdb:///{tmp_path / 'warehouse.duckdb'}"
    texts = ", ".join(f"'{value}' || i % 499 AS {name}" for name in WIDE)
    with open_engine(url).begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE customers AS SELECT i AS customer_id, 'p' || i || '@example.com' AS email, {texts}"
            f" FROM range({rows}) AS series(i)"
        )
    warehouse = Warehouse.at(f"{url}?memory_limit={megabytes}MB")
    nowhere = AccountSettings("http://127.0.0.1:9/api/v1", "none")

    def plan(scope: Scope) -> PlanSummary:
        return plan_run(WIDE_SYNC, warehouse, nowhere, PlanOptions(scope=scope))

    assert plan(Scope.CHANGED).rows_to_create == rows
    with open_engine(url).begin() as connection:
        values = ", ".join(["field_email", *(f"custom_{name}" for name in WIDE)])
        connection.exec_driver_sql(
            f"INSERT INTO dailystory_customers_snapshot (customer_id, identity_email, resend_all, {values})"
            f" SELECT customer_id, identity_email, false, {values} FROM dailystory_customers_changes"
        )
        connection.exec_driver_sql(
            "INSERT INTO dailystory_customers_contact_map (customer_id, dsid, first_synced_at, last_synced_at)"
            " SELECT customer_id, customer_id::TEXT, now(), now() FROM customers"
        )
    assert plan(Scope.ALL).rows_to_update == rows
    assert plan(Scope.CHANGED).rows_unchanged == rows
    with open_engine(url).begin() as connection:
        connection.exec_driver_sql("UPDATE customers SET text_3 = 'another' WHERE customer_id % 3 = 0")
    assert plan(Scope.CHANGED).rows_to_update == rows // 3
