"""Fields of `fill`: sent with a create and where DailyStory's field is empty; what DailyStory has stays."""

from __future__ import annotations

import math
from typing import Any

import pytest
from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customer, sync_of

from dagster_dailystory import adopt_contacts
from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.errors import ConfigurationError

PLACEMENTS = INSIDE
FILLS = sync_of(fill=["city"])


def adopted(scenario: Scenario, **options: Any) -> None:
    ends = {"warehouse_url": scenario.warehouse_url, "state_url": scenario.state_url}
    account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
    adopt_contacts(FILLS, **ends, **account, requests_per_second=math.inf, **options)


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


@at(Placement("sqlite"))
def test_a_fill_that_fails_is_sent_again_and_a_run_of_all_rows_does_not_lose_it(scenario: Scenario):
    scenario.seed(customer(1))
    scenario.sandbox.add(email="p1@example.com", firstName="Name 1", extendedProperties={"plan": "free"})
    adopted(scenario)
    scenario.run(FILLS, scope="all")
    assert city(scenario, 1) in (None, "")
    scenario.sandbox.script([400])
    assert (scenario.run(FILLS).rows_refused, city(scenario, 1) or None) == (1, None)
    scenario.run(FILLS, scope="rejected")
    assert city(scenario, 1) == "Paris"


@at(Placement("sqlite"))
def test_a_contact_that_a_look_up_found_is_not_filled(scenario: Scenario):
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
