"""Fields of `fill`: sent with a create and where DailyStory's field is empty; what DailyStory has stays."""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customer, sync_of

from dagster_dailystory import AdoptionReport, adopt_contacts, open_sync
from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import ContactSync

PLACEMENTS = INSIDE
FILLS = sync_of(fill=["city"])


def adopted(scenario: Scenario, sync: ContactSync = FILLS, **options: Any) -> AdoptionReport:
    ends = {"warehouse_url": scenario.warehouse_url, "state_url": scenario.state_url}
    account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
    return adopt_contacts(sync, **ends, **account, requests_per_second=math.inf, **options)


def add(scenario: Scenario, number: int, **fields: Any) -> str:
    """A contact that equals the row `number` but for these fields, and has no city."""
    row = {"email": f"p{number}@example.com", "firstName": f"Name {number}"}
    return scenario.sandbox.add(**row, extendedProperties={"plan": "free"}, **fields)


def city(scenario: Scenario, number: int) -> object:
    return scenario.contact(f"p{number}@example.com").get("city")


@pytest.mark.parametrize("differing", ["keep", "send"])
def test_an_adopted_contact_gets_the_value_once_if_its_field_was_empty(scenario: Scenario, differing: str):
    scenario.seed(customer(1), customer(2), customer(3, city=None))
    for number, held in ((1, ""), (2, "Lyon"), (3, "Nice")):
        scenario.sandbox.add(
            email=f"p{number}@example.com", firstName=f"Name {number}", city=held, extendedProperties={"plan": "free"}
        )
    adopted(scenario, differing=differing)
    scenario.run(FILLS)
    assert scenario.sent() == [("p1@example.com", "update", {"city": "Paris"})]
    scenario.execute("UPDATE customers SET city = 'Rome'")
    assert scenario.run(FILLS).outcome == "empty"
    scenario.run(FILLS, scope="all")
    assert [city(scenario, number) for number in (1, 2, 3)] == ["Paris", "Lyon", "Nice"]


def test_a_new_contact_gets_the_value_with_its_create_or_later_if_it_had_none(scenario: Scenario):
    scenario.seed(customer(1), customer(2, city=None))
    scenario.run(FILLS)
    scenario.sent()
    scenario.execute("UPDATE customers SET city = 'Rome'")
    scenario.run(FILLS)
    assert scenario.sent() == [("p2@example.com", "update", {"city": "Rome"})]
    scenario.execute("UPDATE customers SET city = 'Oslo'")
    assert scenario.run(FILLS).outcome == "empty"
    assert audit_contacts(FILLS, scenario.warehouse, scenario.account).is_clean
    history = [row for row in scenario.rows("history") if "Rome" in (row["after"] or "")]
    assert len(history) == 1


def test_a_value_that_a_person_wrote_since_stays(scenario: Scenario):
    scenario.seed(customer(1), customer(2), customer(3, city=None))
    contacts = [add(scenario, number) for number in (1, 2)]
    adopted(scenario)
    scenario.sandbox.edit(contacts[0], city="Lyon")
    report = scenario.run(FILLS)
    assert (report.rows_created, report.rows_updated, report.rows_skipped, report.outcome) == (1, 1, 1, "done")
    scenario.sent()
    made = next(each for each in scenario.sandbox.contacts() if each["email"] == "p3@example.com")
    scenario.sandbox.edit(str(made["dsId"]), city="Nice")
    scenario.execute("UPDATE customers SET city = 'Rome', first_name = 'Anna' WHERE customer_id = 3")
    assert scenario.run(FILLS).rows_updated == 1
    assert scenario.sent() == [("p3@example.com", "update", {"firstName": "Anna"})]
    assert [city(scenario, number) for number in (1, 2, 3)] == ["Lyon", "Paris", "Nice"]
    scenario.execute("UPDATE customers SET city = 'Oslo'")
    assert [scenario.run(FILLS, scope=scope).api_requests > 1 for scope in ("changed", "all")] == [False, True]
    assert [city(scenario, number) for number in (1, 2, 3)] == ["Lyon", "Paris", "Nice"]
    written = [row["after"] or "" for row in scenario.rows("history")]
    assert not any(value in text for text in written for value in ("Lyon", "Rome", "Oslo"))


def test_a_create_fills_a_contact_that_exists_only_where_it_is_empty(scenario: Scenario):
    scenario.seed(customer(1), customer(2), customer(3))
    add(scenario, 1, city="Lyon")
    add(scenario, 2)
    report = scenario.run(FILLS)
    assert (report.rows_created, report.rows_updated, report.rows_matched) == (1, 2, 2)
    assert [city(scenario, number) for number in (1, 2, 3)] == ["Lyon", "Paris", "Paris"]
    assert scenario.run(FILLS).outcome == "empty"


@at(Placement("sqlite"))
@pytest.mark.parametrize(
    ("held", "is_empty"), [("ask Bob", False), (0, False), (False, False), ("0", False), (" \t", True), (None, True)]
)
def test_only_white_space_is_empty(scenario: Scenario, held: Any, is_empty: bool):
    sync = sync_of(fields={"email": "email", "phone": "city"}, fill=["phone"])
    scenario.seed(customer(1, city="+1 415 555 2671"))
    scenario.sandbox.add(email="p1@example.com", phone=held, extendedProperties={"plan": "free"})
    report = adopted(scenario, sync)
    assert dict(report.fields_to_fill) == ({"phone": 1} if is_empty else {})
    assert ("fills fields that are empty in DailyStory: 1 phone" in str(report)) is is_empty
    assert scenario.run(sync).rows_updated == is_empty
    assert scenario.contact("p1@example.com")["phone"] == ("+1 415 555 2671" if is_empty else held)


@at(Placement("sqlite"))
def test_an_undo_takes_back_a_value_of_a_field_that_fill_names_since(scenario: Scenario):
    scenario.seed(customer(1))
    scenario.run()
    scenario.update(1, city="Rome")
    scenario.run()
    scenario.update(1, city="Paris")
    with open_sync(FILLS, warehouse_url=scenario.warehouse_url, state_url=scenario.state_url) as records:
        last = records.runs().iloc[0]["run_id"]
        records.undo(last, base_url=scenario.sandbox.base_url, api_token=scenario.sandbox.token, dry_run=False)
    assert city(scenario, 1) == "Paris"


@at(Placement("sqlite"))
def test_a_fill_that_fails_is_sent_again(scenario: Scenario):
    scenario.seed(customer(1))
    add(scenario, 1)
    adopted(scenario)
    scenario.sandbox.script([400])
    assert (scenario.run(FILLS).rows_refused, city(scenario, 1) or None) == (1, None)
    scenario.run(FILLS, scope="rejected")
    assert city(scenario, 1) == "Paris"


@at(Placement("sqlite"))
def test_a_contact_that_a_look_up_found_keeps_its_value(scenario: Scenario):
    sync = sync_of(fill=["city"], mode="update")
    scenario.seed(customer(1))
    scenario.sandbox.add(email="p1@example.com", city="Lyon")
    scenario.run(sync)
    assert [body for _, _, body in scenario.sent()] == [
        {"email": "p1@example.com", "firstName": "Name 1", "extendedProperties": {"plan": "free"}}
    ]
    scenario.update(1, city="Rome")
    assert (scenario.run(sync).outcome, city(scenario, 1)) == ("empty", "Lyon")


@at(Placement("duckdb", "sqlite"))
def test_a_field_that_fill_no_longer_names_is_sent_where_it_differs(scenario: Scenario):
    scenario.seed(customer(1))
    scenario.run(FILLS)
    scenario.update(1, city="Rome")
    assert [scenario.run(FILLS).outcome for _ in range(2)] == ["empty", "empty"]  # the row hash is remembered
    assert (scenario.run().rows_updated, city(scenario, 1)) == (1, "Rome")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fill": ["citty"]}, "fill names 'citty', which fields does not map"),
        ({"fill": ["plan"]}, "fill names 'plan'"),
        ({"fill": ["email"]}, "fill names 'email': an email, a mobile number or consent is never left out"),
        ({"fill": ["city"], "nulls": "clear"}, "fill names 'city', which nulls would empty"),
    ],
)
def test_a_mistake_is_named(settings: dict[str, Any], message: str):
    with pytest.raises(ConfigurationError, match=message):
        sync_of(**settings)
