"""Every selection that Dagster users write loads and runs, and only what is selected is recorded."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import QUIET, DagsterProject, people_sync

from dagster_dailystory import HashBuckets, build_contact_sync_assets
from dagster_dailystory.sandbox import Sandbox


def key(noun: str) -> dg.AssetKey:
    return dg.AssetKey(["dailystory", "people", noun])


@dg.asset(deps=[key("contact_map")])
def report() -> None:
    """A downstream asset."""


SELECTIONS = {
    "upstream of a report": dg.AssetSelection.assets("report").upstream(),
    "the contact map alone": dg.AssetSelection.assets(key("contact_map")),
    "contacts alone": dg.AssetSelection.assets(key("contacts")),
    "contacts and what is downstream": dg.AssetSelection.assets(key("contacts")).downstream(),
    "a kind": dg.AssetSelection.kind("dailystory"),
    "a group without checks": dg.AssetSelection.groups("dailystory").without_checks(),
    "the plan without checks": dg.AssetSelection.assets(key("changes")).without_checks(),
    "a check of the plan": dg.AssetSelection.checks(dg.AssetCheckKey(key("changes"), "source_not_empty"))
    | dg.AssetSelection.assets(key("changes")).without_checks(),
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        yield DagsterProject.in_folder(tmp_path, sandbox, instance)


@pytest.mark.parametrize("selection", SELECTIONS.values(), ids=SELECTIONS.keys())
def test_a_job_over_any_selection_runs(project: DagsterProject, selection: dg.AssetSelection):
    project.put(1, 2)
    assets = [*build_contact_sync_assets(people_sync(), retry_policy=None), report]
    definitions = dg.Definitions(
        assets=assets, jobs=[dg.define_asset_job("chosen", selection)], resources=project.resources
    )
    dg.Definitions.validate_loadable(definitions)
    result = definitions.resolve_job_def("chosen").execute_in_process(
        run_config=QUIET, instance=project.instance, raise_on_error=False
    )
    assert result.success
    recorded = {event.asset_key for event in result.get_asset_materialization_events()}
    wanted = selection.resolve(assets)
    assert recorded == {each for each in wanted if each.path[0] != "people"}
    sends = wanted & {key("contacts"), key("contact_map")}
    assert len(project.sandbox.contacts()) == (2 if sends else 0)


def test_a_plan_without_its_checks_is_blocked_all_the_same(project: DagsterProject):
    project.put(*range(1, 41))
    assets = build_contact_sync_assets(people_sync(deletes="delete"), retry_policy=None)
    assert project.materialize(assets).success
    project.scenario.delete(*range(1, 31))
    job = dg.define_asset_job("chosen", dg.AssetSelection.all().without_checks())
    definitions = dg.Definitions(assets=assets, jobs=[job], resources=project.resources)
    result = definitions.resolve_job_def("chosen").execute_in_process(
        run_config=QUIET, instance=project.instance, raise_on_error=False
    )
    assert not result.success
    assert sum(contact["status"] == "Deleted" for contact in project.sandbox.contacts()) == 0


def test_what_is_downstream_runs_although_nothing_was_sent(project: DagsterProject):
    project.put(1)
    assets = [*build_contact_sync_assets(people_sync(), retry_policy=None), report]
    definitions = dg.Definitions(assets=assets, resources=project.resources)
    job = definitions.resolve_implicit_global_asset_job_def()
    for _ in range(2):
        result = job.execute_in_process(run_config=QUIET, instance=project.instance)
        assert dg.AssetKey("report") in {event.asset_key for event in result.get_asset_materialization_events()}
    assert project.sandbox.counts.posts == 1


def test_one_asset_of_a_slice_is_materialized(project: DagsterProject):
    project.put(1, 2, 3)
    sliced = build_contact_sync_assets(people_sync(partitions=HashBuckets(2)), retry_policy=None)
    run = project.materialize(sliced, ["contact_map"], partition="bucket_0")
    assert run.success
    assert run.nouns == ["contact_map"]


def executed(project: DagsterProject, noun: str, check: str) -> dg.ExecuteInProcessResult:
    """Execute one check, as its button in the UI does."""
    assets = build_contact_sync_assets(people_sync(), retry_policy=None)
    job = dg.define_asset_job("chosen", dg.AssetSelection.checks(dg.AssetCheckKey(key(noun), check)))
    definitions = dg.Definitions(assets=assets, jobs=[job], resources=project.resources)
    return definitions.resolve_job_def("chosen").execute_in_process(
        run_config=QUIET, instance=project.instance, raise_on_error=False
    )


def test_a_check_of_the_plan_alone_makes_no_plan_that_could_be_sent(project: DagsterProject):
    project.put(1)
    result = executed(project, "changes", "no_rejected_rows")
    assert result.success
    assert [each.passed for each in result.get_asset_check_evaluations()] == [True]
    assert project.plan_statuses() == ["dry"]


def test_a_check_of_contacts_alone_sends_nothing(project: DagsterProject):
    project.put(1)
    result = executed(project, "contacts", "no_rejected_rows")
    [failure] = result.get_step_failure_events()
    assert "materialize contacts to run them" in str(failure.step_failure_data.user_failure_data.description)
    assert project.sandbox.counts.posts == 0
