"""A canary in Dagster: a send that it stops fails without a retry, and goes on once a person accepts it."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
from support.dagster_project import NOUNS, QUIET, DagsterProject, people_sync

from dagster_dailystory import DailyStoryResource, build_contact_sync_assets
from dagster_dailystory.sandbox import Sandbox, SandboxSettings
from dagster_dailystory.sandbox.settings import LongValue


class WithoutLag(DailyStoryResource):
    """An account whose contacts are read as they were written, so that the canary does not wait."""

    def account(self):
        return replace(super().account(), look_up_lag_seconds=0.0)


def materialize(project: DagsterProject, nouns, config=None) -> dg.ExecuteInProcessResult:
    ends = {"base_url": project.sandbox.base_url, "api_token": project.token, "requests_per_second": 2_000.0}
    return dg.materialize(
        build_contact_sync_assets(people_sync(canary_rows=2), retry_policy=dg.RetryPolicy(max_retries=3)),
        selection=dg.AssetSelection.assets(*(["dailystory", "people", noun] for noun in nouns)),
        instance=project.instance,
        resources={**project.resources, "dailystory": WithoutLag(**ends)},
        run_config={**QUIET, "ops": {"dailystory__people__contacts": {"config": config or {}}}},
        raise_on_error=False,
    )


def test_a_canary_that_fails_ends_the_run_and_is_accepted_in_the_launchpad(tmp_path: Path):
    settings = SandboxSettings(max_value_length=20, long_value=LongValue.CUT)
    with Sandbox(settings) as sandbox, dg.DagsterInstance.ephemeral() as instance:
        project = DagsterProject.in_folder(tmp_path, sandbox, instance)
        project.put(1, 2, 3, 4, first_name="Maximiliane-Charlotte")
        stopped = materialize(project, NOUNS)
        failure = stopped.get_step_failure_events()[0].step_failure_data.user_failure_data
        assert "2 hold another value than was written (firstName in 2)" in failure.description
        assert len(sandbox.contacts()) == 2
        accepted = materialize(project, ["contacts"], {"accept_canary": True, "approved_by": "Ann"})
        assert accepted.success
        assert len(sandbox.contacts()) == 4
        query = "select canary_accepted_by from dailystory_plans order by number desc"
        assert project.scenario.select(query)[0]["canary_accepted_by"] == "Ann"
