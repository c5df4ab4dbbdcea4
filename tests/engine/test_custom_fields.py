"""Custom fields: a name that was never sent is shown, because DailyStory makes a new field of it."""

from __future__ import annotations

import pytest
from support.placements import Placement
from support.scenario import Scenario, customers, sync_of
from support.steps import plan_run

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanSummary
from dagster_dailystory.model.sync import ContactSync

PLACEMENTS = (Placement("sqlite"), Placement("duckdb"), Placement("postgresql", "sqlite"))


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    scenario.seed(*customers(2))
    return scenario


def plan(scenario: Scenario, sync: ContactSync, *, dry_run: bool = False) -> PlanSummary:
    return plan_run(sync, scenario.warehouse, scenario.account, PlanOptions(dry_run=dry_run), "a run")


def test_a_custom_field_is_new_until_it_is_sent(scenario: Scenario):
    for dry_run in (True, False):
        planned = plan(scenario, sync_of(), dry_run=dry_run)
        assert planned.new_custom_fields == ("plan",)
        assert "custom field 'plan'. DailyStory makes a new field" in " ".join(planned.warnings)
    scenario.run()
    assert plan(scenario, sync_of()).new_custom_fields == ()
    misspelled = sync_of(extended_properties={"paln": "plan", "plan": "plan"})
    assert plan(scenario, misspelled).new_custom_fields == ("paln",)
    standard = plan(scenario, sync_of(extended_properties={"FirstName": "plan"}))
    assert "custom field 'FirstName' (firstName: a contact field, which belongs in fields)" in standard.warnings[0]


def test_a_custom_field_that_another_sync_sent_is_not_new(scenario: Scenario):
    scenario.run()
    assert plan(scenario, sync_of(name="others")).new_custom_fields == ()


def test_only_known_custom_fields_are_accepted(scenario: Scenario):
    known = {"known_custom_fields": ["plan", "tier"]}
    assert plan(scenario, sync_of(**known)).new_custom_fields == ()
    with pytest.raises(ConfigurationError, match="'paln', which is not in known_custom_fields; did you mean 'plan'"):
        sync_of(extended_properties={"paln": "plan"}, **known)


def test_a_custom_field_may_be_named_like_a_column_that_is_rebuilt(scenario: Scenario):
    sync = sync_of(extended_properties={"plan": "plan", "plan_retyped": "city"})
    scenario.run(sync)
    scenario.execute("ALTER TABLE customers DROP COLUMN plan", "ALTER TABLE customers ADD COLUMN plan integer")
    scenario.update(1, plan=7)
    assert scenario.run(sync).rows_updated == 1
    assert scenario.run(sync).rows_unchanged == 2


def test_another_letter_case_is_another_custom_field(scenario: Scenario):
    scenario.run(sync_of(extended_properties={"Plan": "plan"}))
    assert scenario.run(sync_of()).rows_updated == 2
    assert scenario.run(sync_of()).rows_unchanged == 2
