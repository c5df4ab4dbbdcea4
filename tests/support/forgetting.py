"""A sync of which rows are forgotten, and what its state still has of them."""

from __future__ import annotations

from typing import Any

from support.scenario import Scenario, customer, sync_of

from dagster_dailystory import ContactSync
from dagster_dailystory.engine.upkeep.forgetting.receipt import ForgetReceipt
from dagster_dailystory.records import SyncRecords, open_sync

JANE = {"email": "Jane.Doe@example.com", "first_name": "Janeth", "city": "Zwolle", "mobile": "+14155552671"}
VALUES = ("jane.doe@", "Janeth", "Zwolle", "4155552671")
FIELDS = {
    "email": "email", "mobilePhone": "mobile", "firstName": "first_name", "city": "city", "optOutEmail": "opted_out",
}  # fmt: skip


def sync(**settings: Any) -> ContactSync:
    return sync_of(**{"fields": FIELDS, "min_guard_rows": 99, **settings})


def records_of(scenario: Scenario, **settings: Any) -> SyncRecords:
    with open_sync(sync(**settings), warehouse_url=scenario.warehouse_url, state_url=scenario.state_url) as records:
        return records


def forget(scenario: Scenario, *keys: object, delete: bool = False, **settings: Any) -> ForgetReceipt:
    account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token} if delete else {}
    return records_of(scenario, **settings).forget(keys, delete_in_dailystory=delete, **account)


def found_in_state(scenario: Scenario) -> list[tuple[str, str]]:
    """The tables with a value of Jane's."""
    return [
        (table, value)
        for table, rows in scenario.state_tables().items()
        for value in VALUES
        if value.lower() in str(rows).lower()
    ]


def seed_jane(scenario: Scenario) -> None:
    """Sync Jane, whose key was 9 before it was 1, and two others."""
    scenario.seed(customer(9, **JANE), customer(2, mobile=None), customer(3, mobile=None))
    scenario.run(sync())
    scenario.delete(9)
    scenario.insert(customer(1, **JANE))
    scenario.run(sync())
    scenario.update(1, first_name="Janeth II")
    scenario.run(sync())
    scenario.sandbox.clear_journal()
