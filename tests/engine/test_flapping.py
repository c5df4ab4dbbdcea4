"""Fields that go back and forth, and columns that differ in most rows of each plan."""

from __future__ import annotations

from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customers, sync_of
from support.steps import read_state

from dagster_dailystory.engine.upkeep.records.flapping import Flapping, find_flapping

PLACEMENTS = INSIDE


def found_in(scenario: Scenario) -> Flapping:
    return read_state(find_flapping, sync_of(), scenario.warehouse)


def test_a_field_that_returns_again_and_again_is_named_with_its_key(scenario: Scenario):
    scenario.seed(*customers(3, city="Oslo"))
    for city in ("Oslo", "Rome", "Oslo", "Rome"):
        scenario.update(1, city=city)
        scenario.update(2, city="Bergen", first_name=city)
        scenario.update(3, city={"Oslo": "A", "Rome": "B"}[city] + str(len(scenario.story)))
        scenario.run()
    found = found_in(scenario)
    assert (found.fields, found.keys, found.contacts_read) == ({"city": 1, "firstName": 1}, ("1", "2"), 3)


@at(Placement("sqlite"))
def test_a_column_that_differs_in_most_rows_of_each_plan_is_volatile(scenario: Scenario):
    scenario.seed(*customers(20))
    scenario.run()
    for number in range(5):
        assert found_in(scenario).is_stable
        scenario.execute(f"UPDATE customers SET plan = 'loaded {number}'")
        scenario.update(number + 1, city=f"City {number}")
        scenario.run()
    assert (found_in(scenario).fields, found_in(scenario).volatile) == ({}, ("plan",))
