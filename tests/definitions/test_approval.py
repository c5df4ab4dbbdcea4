"""A plan that waits for approval in Dagster: it is shown, and a run of `contacts` that names it sends it."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import QUIET, DagsterProject, people_sync

from dagster_dailystory import HashBuckets, build_contact_sync_assets
from dagster_dailystory.sandbox import Sandbox

SYNC = people_sync(require_approval=True)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        made = DagsterProject.in_folder(tmp_path, sandbox, instance)
        made.put(1, 2, 3)
        yield made


def assets(sync=SYNC):
    return build_contact_sync_assets(sync, retry_policy=None)


def approve(project: DagsterProject, config: dict[str, object], tags=None, partition=None, sync=SYNC):
    return dg.materialize(
        assets(sync),
        selection=dg.AssetSelection.assets(*(["dailystory", "people", noun] for noun in ("contacts", "contact_map"))),
        instance=project.instance,
        resources=project.resources,
        run_config={**QUIET, "ops": {"dailystory__people__contacts": {"config": config}}},
        tags=tags,
        partition_key=partition,
        raise_on_error=False,
    )


def contacts_metadata(result: dg.ExecuteInProcessResult):
    events = result.get_asset_materialization_events()
    return next(each.materialization.metadata for each in events if each.asset_key.path[-1] == "contacts")


def test_a_scheduled_run_plans_and_stops(project: DagsterProject):
    run = project.materialize(assets())
    assert run.success
    assert run.nouns == ["changes"]
    assert not run.checks["approved"]
    plan_id = run.value("changes", "plan_id")
    assert f"plan {plan_id} waits for approval until" in run.check_texts["approved"]
    assert "3 to create" in run.check_texts["approved"]
    assert f"plan_id: {plan_id}" in str(run.value("changes", "to_approve"))
    assert len(run.records("changes", "preview")) == 3
    assert project.sandbox.contacts() == []


def test_a_run_that_names_the_plan_sends_it_once(project: DagsterProject):
    plan_id = project.materialize(assets()).value("changes", "plan_id")
    result = approve(project, {"plan_id": plan_id, "approved_by": "Ann"})
    assert result.success
    assert len(project.sandbox.contacts()) == 3
    assert f"plan {plan_id} was approved by Ann at" in contacts_metadata(result)["approval"].value
    second = approve(project, {"plan_id": plan_id})
    assert not second.success
    failure = second.get_step_failure_events()[0].step_failure_data
    assert "sent already" in str(failure.user_failure_data.description)
    run = project.materialize(assets())
    assert run.checks["approved"]


def test_the_approval_names_the_user_of_the_run_or_the_run(project: DagsterProject):
    for tags, expected in (({"user": "ann@dagster"}, "ann@dagster"), (None, None)):
        project.put(1, first_name=f"Other{expected}")
        plan_id = project.materialize(assets()).value("changes", "plan_id")
        result = approve(project, {"plan_id": plan_id}, tags)
        assert f"approved by {expected or result.run_id} at" in contacts_metadata(result)["approval"].value


def test_a_re_execution_does_not_approve(project: DagsterProject):
    run = project.materialize(assets())
    again = project.re_execute(run, assets(), ["contacts", "contact_map"])
    assert again.success
    assert again.nouns == []
    assert project.sandbox.contacts() == []


def test_a_slice_that_waits_is_not_materialized(project: DagsterProject):
    project.put(*range(1, 13))
    sync = people_sync(require_approval=True, partitions=HashBuckets(2))
    run = project.materialize(assets(sync), partition="bucket_0")
    assert run.nouns == ["changes"]
    result = approve(project, {"plan_id": run.value("changes", "plan_id")}, partition="bucket_0", sync=sync)
    assert result.success
    assert contacts_metadata(result)["rows_created"].value == run.value("changes", "rows_to_create")


def test_a_sync_without_approval_has_no_such_check(project: DagsterProject):
    assert "approved" not in project.materialize(build_contact_sync_assets(people_sync())).checks
