"""Values that DailyStory keeps although the snapshot has another one: an adoption or an undo left them there."""

from __future__ import annotations

import json
import math
from contextlib import AbstractContextManager
from typing import Any

from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customer, customers, sync_of

from dagster_dailystory import adopt_contacts, open_sync
from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.records import SyncRecords

PLACEMENTS = INSIDE
SQLITE = at(Placement("sqlite"))


def adopted(scenario: Scenario, sync: ContactSync | None = None) -> None:
    ends = {"warehouse_url": scenario.warehouse_url, "state_url": scenario.state_url}
    account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
    adopt_contacts(sync or sync_of(), **ends, **account, requests_per_second=math.inf)


def add(scenario: Scenario, number: int, **fields: Any) -> str:
    """A contact that equals the row `number` but for these fields."""
    row = {"email": f"p{number}@example.com", "firstName": f"Name {number}", "city": "Paris"}
    return scenario.sandbox.add(**{**row, "extendedProperties": {"plan": "free"}, **fields})


def records_of(scenario: Scenario) -> AbstractContextManager[SyncRecords]:
    return open_sync(sync_of(), warehouse_url=scenario.warehouse_url, state_url=scenario.state_url)


def test_a_value_that_is_kept_is_neither_drift_nor_the_value_before(scenario: Scenario):
    scenario.seed(*customers(2))
    add(scenario, 1, city="Lyon")
    add(scenario, 2)
    adopted(scenario)
    with records_of(scenario) as records:
        ends = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
        explained = str(records.explain("1", **ends))
        assert "DailyStory has another value in city, which stays until the source changes" in explained
        assert "DailyStory now: values of its own that stay: city" in explained
        assert "other values than acknowledged" not in explained
    assert audit_contacts(sync_of(), scenario.warehouse, scenario.account, repair=True).is_clean
    assert scenario.run().outcome == "empty"
    scenario.update(1, city="Rome")
    scenario.run()
    [line] = scenario.rows("history")
    assert (json.loads(line["before"] or "{}"), json.loads(line["after"])) == ({}, {"field_city": "Rome"})
    scenario.update(1, city="Paris")  # DailyStory never had it
    with records_of(scenario) as records:
        undo = records.undo(
            records.runs().iloc[0]["run_id"], base_url=scenario.sandbox.base_url, api_token=scenario.sandbox.token
        )
    assert dict(undo.fields_kept) == {"city": {"next_run": 1}}
    scenario.run()
    assert audit_contacts(sync_of(), scenario.warehouse, scenario.account).is_clean
    scenario.sandbox.edit(scenario.rows("contact_map")[0]["dsid"], city="Nice")
    assert not audit_contacts(sync_of(), scenario.warehouse, scenario.account).is_clean


def test_a_value_that_an_undo_leaves_is_no_drift(scenario: Scenario):
    scenario.seed(*customers(1))
    scenario.run()
    scenario.update(1, city="Rome")
    scenario.run()
    scenario.sandbox.edit(scenario.rows("contact_map")[0]["dsid"], city="Nice")
    with records_of(scenario) as records:
        ends = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
        records.undo(records.runs().iloc[0]["run_id"], dry_run=False, **ends)
    assert audit_contacts(sync_of(), scenario.warehouse, scenario.account, repair=True).is_clean
    assert (scenario.run().outcome, scenario.contact("p1@example.com")["city"]) == ("empty", "Nice")


@SQLITE
def test_a_null_empties_no_adopted_value_even_if_the_whole_row_is_sent(scenario: Scenario):
    sync = sync_of(nulls="clear", on_deleted="reactivate")
    scenario.seed(customer(1, city=None, plan=None), customer(2, city=None))
    add(scenario, 1, city="Lyon")
    add(scenario, 2, city="Nice", status="Deleted")
    adopted(scenario, sync)
    for scope in ("changed", "all", "all"):
        scenario.run(sync, scope=scope)
    contacts = [scenario.contact(f"p{number}@example.com") for number in (1, 2)]
    assert [(each["city"], each["status"]) for each in contacts] == [("Lyon", "Active"), ("Nice", "Active")]
    assert contacts[0]["extendedProperties"] == {"plan": "free"}
    for city in ("Oslo", None):
        scenario.update(1, city=city)
        scenario.run(sync)
        assert (scenario.contact("p1@example.com")["city"] or None) == city
