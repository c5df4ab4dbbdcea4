"""The assets of a sync, materialized with SQLite, real HTTP and a Dagster instance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import NOUNS, DagsterProject, people_sync

from dagster_dailystory import ConfigurationError, build_contact_sync_assets
from dagster_dailystory.definitions.run_config import PlanConfig, RunScope
from dagster_dailystory.engine.planning.guards import GUARD_NAMES
from dagster_dailystory.engine.upkeep.checks import PLAN_CHECKS, SEND_CHECKS
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Sandbox

SENT = ("contacts", "contact_map")
AT_ONCE = dg.RetryPolicy(max_retries=1, delay=0)


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox:
        yield DagsterProject.in_folder(tmp_path, sandbox, instance)


def assets(sync: ContactSync | None = None, **settings: object):
    return build_contact_sync_assets(sync or people_sync(), **{"retry_policy": AT_ONCE, **settings})


def test_a_run_creates_every_contact_and_a_second_run_sends_nothing(project: DagsterProject):
    project.put(1, 2, 3)
    run = project.materialize(assets())
    assert run.success
    assert run.nouns == list(NOUNS)
    assert len(project.sandbox.contacts()) == 3
    assert (run.value("changes", "rows_to_create"), run.value("contacts", "rows_created")) == (3, 3)
    assert run.value("changes", "plan_id") == run.value("contacts", "plan_id") == run.value("contact_map", "plan_id")
    assert (run.value("changes", "summary"), run.value("contacts", "summary")) == ("3 to create", "3 created")
    assert run.value("contacts", "outcome") == "done"
    assert run.value("contact_map", "dagster/table_name") == "dailystory_people_contact_map"
    assert run.checks.keys() == {*GUARD_NAMES, *PLAN_CHECKS, *SEND_CHECKS}
    assert all(run.checks.values())
    project.sandbox.clear_journal()
    second = project.materialize(assets())
    assert second.success
    assert second.nouns == ["changes"]
    assert project.sandbox.requests() == []


def test_neither_a_dry_run_nor_its_re_execution_sends_anything(project: DagsterProject):
    project.put(1, 2)
    dry = project.materialize(assets(), dry_run=True)
    again = project.re_execute(dry, assets(), SENT)
    assert dry.success
    assert again.success
    assert (dry.nouns, again.nouns) == (["changes"], [])
    assert (dry.value("changes", "plan_status"), dry.value("changes", "rows_to_create")) == ("dry", 2)
    assert dry.value("changes", "destination_check") == "DailyStory accepts the API token"
    assert project.plan_statuses() == ["dry"]
    assert [request.path for request in project.sandbox.requests()] == ["/api/v1/about"]


def test_a_dry_run_with_a_wrong_token_fails_and_without_a_service_it_warns(project: DagsterProject):
    project.put(1, 2)
    project.token = "not-the-token-0123456789"
    message, metadata = project.materialize(assets(), dry_run=True).failure
    assert "does not accept the API token (401)" in message
    assert metadata["error"].value == "AuthenticationError"
    project.sandbox.stop()
    dry = project.materialize(assets(), dry_run=True)
    assert dry.success
    assert dry.value("changes", "rows_to_create") == 2
    for name in ("destination_check", "summary"):
        assert "could not be checked whether DailyStory accepts the API token" in str(dry.value("changes", name))


def test_run_options_restrict_a_plan(project: DagsterProject):
    project.put(1, 2, 3)
    assert project.materialize(assets(), keys=["2"]).value("contacts", "rows_created") == 1
    assert project.materialize(assets(), limit=1).value("contacts", "rows_created") == 1
    assert project.materialize(assets(), scope="all").value("contacts", "rows_updated") == 2


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"scope": "everything"}, "not in enum type RunScope"),
        ({"dry_run": "maybe"}, "dry_run"),
        ({"limit": "ten"}, 'expected type "limit_whole_number_from_1"'),
        ({"limit": 0}, "limit must be at least 1, not 0"),
        ({"limit": True}, 'expected type "limit_whole_number_from_1"'),
        ({"keys": "1"}, "keys must be list"),
        ({"keys": [1]}, "a key of this sync is written region|id"),
        ({"keys": [True]}, "a key of this sync is written region|id"),
        ({"keys": ["north"]}, "a key of this sync is written region|id"),
        ({"keys": ["north|"]}, "a key of this sync is written region|id"),
        ({"rows": 1}, "unexpected config entry"),
    ],
)
def test_a_wrong_run_option_is_refused_before_a_run_exists(config: dict[str, object], message: str):
    made = assets(people_sync(key=["region", "id"]))
    definitions = dg.Definitions(assets=made, resources={"warehouse": object(), "dailystory": object()})
    job = definitions.resolve_implicit_global_asset_job_def()
    run_config = {"ops": {"dailystory__people__changes": {"config": config}}}
    with pytest.raises(dg.DagsterInvalidConfigError, match=message.replace("|", r"\|")):
        dg.validate_run_config(job, run_config)
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(dg.DagsterInvalidConfigError):
        instance.create_run_for_job(job, run_config=run_config)


def test_a_key_may_be_a_number_and_must_not_be_left_out(project: DagsterProject):
    project.put(1, 2)
    run = project.materialize(assets(), keys=[1, 99])
    assert run.value("contacts", "rows_created") == 1
    assert "the source has no row with the chosen key 99" in str(run.metadata("changes"))
    with pytest.raises(ConfigurationError, match="keys is empty"):
        PlanConfig(keys=[]).options()


def test_run_options_may_be_written_in_python(project: DagsterProject):
    project.put(1, 2)
    options = dg.RunConfig(ops={"dailystory__people__changes": PlanConfig(keys=["2"], limit=5, scope=RunScope.all)})
    config = options.to_config_dict()["ops"]["dailystory__people__changes"]["config"]
    assert config == {"scope": "all", "dry_run": False, "limit": 5, "keys": ["2"]}
    assert project.materialize(assets(), **config).value("contacts", "rows_created") == 1
    with pytest.raises(ConfigurationError, match="greater than or equal to 1"):
        PlanConfig(limit=0)


def test_contacts_materialized_alone_are_planned_first(project: DagsterProject):
    project.put(1)
    run = project.materialize(assets(), SENT)
    assert run.nouns == list(SENT)
    assert project.plan_statuses() == ["done"]
    assert len(project.sandbox.contacts()) == 1


def test_a_plan_materialized_alone_is_not_sent_but_superseded(project: DagsterProject):
    project.put(1)
    project.materialize(assets(), ["changes"])
    assert project.sandbox.requests() == []
    project.materialize(assets(), SENT)
    assert project.plan_statuses() == ["superseded", "done"]


def test_a_failed_guard_stops_the_run_before_it_sends(project: DagsterProject):
    guarded = assets(people_sync(deletes="delete", min_guard_rows=1))
    project.put(*range(1, 11))
    project.materialize(guarded)
    project.scenario.delete(*range(1, 6))
    project.sandbox.clear_journal()
    run = project.materialize(guarded)
    assert not run.success
    assert run.nouns == ["changes"]
    others = {"no_pending_opt_outs": True, "no_rejected_rows": True, "no_new_custom_fields": True}
    assert run.checks == {**dict.fromkeys(GUARD_NAMES, True), **others, "deleted_share": False}
    alone = project.materialize(guarded, SENT)
    message, metadata = alone.failure
    assert "deleted_share" in message
    assert metadata["error"].value == "SafetyError"
    assert (run.retries, alone.retries) == (0, 0)
    assert project.sandbox.writes() == []


def test_a_wrong_token_is_not_retried_and_a_re_execution_sends_the_plan(project: DagsterProject):
    project.put(1, 2)
    project.token = "not-the-token-0123456789"
    run = project.materialize(assets())
    message, metadata = run.failure
    assert "401" in message
    assert (metadata["error"].value, metadata["http_status"].value) == ("AuthenticationError", 401)
    assert (run.nouns, run.retries, len(project.sandbox.requests())) == (["changes"], 0, 1)
    assert project.plan_statuses() == ["ready"]
    project.token = project.sandbox.token
    again = project.re_execute(run, assets(), SENT)
    assert again.success
    assert again.nouns == list(SENT)
    assert project.plan_statuses() == ["done"]


def test_a_run_whose_plan_is_superseded_meanwhile_plans_again(project: DagsterProject):
    project.put(1, 2)
    project.token = "not-the-token-0123456789"
    run = project.materialize(assets())
    project.token = project.sandbox.token
    project.materialize(assets())
    project.put(3)
    again = project.re_execute(run, assets(), SENT)
    assert again.success
    assert again.value("contacts", "rows_created") == 1
    assert project.plan_statuses() == ["superseded", "done", "done"]


def test_a_re_execution_of_a_run_that_sent_everything_succeeds(project: DagsterProject):
    project.put(1, 2)
    run = project.materialize(assets())
    project.sandbox.clear_journal()
    again = project.re_execute(run, assets(), SENT)
    assert again.success
    assert (again.value("contacts", "rows_created"), again.value("contacts", "outcome")) == (2, "done")
    assert project.sandbox.requests() == []


def test_a_failing_run_shows_what_it_sent_and_its_retry_continues(project: DagsterProject):
    project.put(*range(1, 301))
    project.max_concurrency = 1  # so that the twenty refusals are consecutive; then five other rows are tried
    project.sandbox.script([None] * 20 + [400] * 25)
    run = project.materialize(assets())
    assert run.success
    assert run.retries == 1
    first, second = (each.metadata for each in run.materializations if each.asset_key.path[-1] == "contacts")
    assert (first["outcome"].value, second["outcome"].value) == ("stopped", "done")
    assert first["rows_created"].value + second["rows_created"].value == 300
    assert set(project.sandbox.creates_by_identity().values()) == {1}
    assert len(project.sandbox.contacts()) == 300


def test_the_last_retry_fails_with_the_cause(project: DagsterProject):
    project.put(1)
    run = project.materialize(assets(people_sync(source="peple")))
    assert run.retries == 1
    message, metadata = run.failure
    assert "no such table: peple; did you mean 'people'?" in message
    assert metadata["error"].value == "WarehouseError"
    [failed] = [event.step_failure_data for event in run.events if event.is_step_failure]
    assert failed.error is not None
    assert message in failed.error.message
    assert "Exceeded max_retries" not in run.text


@pytest.mark.parametrize("nouns", [NOUNS, SENT])
def test_a_wrong_url_fails_with_its_setting_and_is_not_retried(project: DagsterProject, nouns: tuple[str, ...]):
    project.scenario.warehouse_url += "x"
    run = project.materialize(assets(), nouns)
    message, metadata = run.failure
    assert message.startswith("WarehouseResource.url names the file ")
    assert (run.retries, metadata["error"].value) == (0, "ConfigurationError")


def test_a_rejected_row_warns_and_does_not_affect_other_rows(project: DagsterProject):
    project.put(1, 2)
    project.put(3, email="casimir at home")
    run = project.materialize(assets())
    assert run.success
    assert run.checks["no_rejected_rows"] is False
    assert run.checks["no_unsettled_rows"] is True
    assert run.check_texts["no_rejected_rows"].startswith("rows rejected: 1 (1 invalid_email);")
    assert run.check_texts["no_unsettled_rows"] == "every row that was sent has a final result"
    assert (run.value("contacts", "rows_created"), run.value("contacts", "rows_rejected")) == (2, 1)
    assert run.records("changes", "rejections_by_reason") == [{"reason": "invalid_email", "rows": 1}]
    [rejected] = run.records("changes", "rejected_rows")
    assert (rejected["key"], rejected["reason"]) == ("3", "invalid_email")


def test_a_dry_run_is_judged_on_its_own_plan(project: DagsterProject):
    project.put(*range(1, 30))
    project.put(*range(100, 160), email="casimir at home")
    project.put(200, email=None)
    run = project.materialize(assets(), dry_run=True)
    assert run.checks["no_rejected_rows"] is False
    assert run.check_texts["no_rejected_rows"].startswith("rows rejected: 61")
    shown = [row["reason"] for row in run.records("changes", "rejected_rows")]
    assert shown == ["invalid_email"] * 10 + ["no_identity"]


def test_no_event_contains_personal_data(project: DagsterProject):
    project.put(1, 2, first_name="Ramona", city="Antwerp")
    project.put(3, email="casimir at home", first_name="Casimir")
    run = project.materialize(assets())
    project.put(1, first_name="Ottoline", city="Bruges")
    texts = run.text + project.materialize(assets()).text + project.materialize(assets(), dry_run=True).text
    for personal in ("@example.com", "casimir at home", "Ramona", "Casimir", "Ottoline", "Antwerp", project.token):
        assert personal not in texts


def test_the_preview_shows_the_values_of_permitted_fields_only(project: DagsterProject):
    shown = assets(people_sync(deletes="delete", max_deleted_fraction=None), preview_fields=["city"])
    project.put(1, 2)
    project.materialize(shown)
    project.put(1, city="Bergen", first_name="Winifred")
    project.put(3)
    project.scenario.delete(2)
    update, create, delete = project.materialize(shown).records("changes", "preview")
    assert (update["key"], update["operation"]) == ("1", "update")
    assert update["changes"] == "firstName: ••• (6) → ••• (8); city: Oslo → Bergen"
    assert (create["key"], create["operation"]) == ("3", "create")
    assert (delete["key"], delete["operation"], delete["changes"]) == ("2", "delete", "")


def test_slices_send_the_same_contacts_as_a_whole_sync(project: DagsterProject):
    project.put(*range(1, 13))
    sliced = assets(people_sync(partitions=HashBuckets(2)))
    for partition in ("bucket_0", "bucket_1"):
        run = project.materialize(sliced, partition=partition)
        assert run.success
        assert {each.partition for each in run.materializations} == {partition}
    assert len(project.sandbox.contacts()) == 12
    assert project.materialize(assets()).value("changes", "rows_to_send") == 0


def range_of(first: str, last: str) -> dict[str, str]:
    """The tags that give a run of a backfill its partitions."""
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def test_a_run_of_a_backfill_has_one_partition(project: DagsterProject):
    project.put(*range(1, 13))
    sliced = assets(people_sync(partitions=HashBuckets(3)))
    run = project.materialize(sliced, tags=range_of("bucket_1", "bucket_1"))
    assert run.success
    assert {each.partition for each in run.materializations} == {"bucket_1"}
    assert 0 < len(project.sandbox.contacts()) < 12


def test_a_slice_with_nothing_to_send_is_materialized(project: DagsterProject):
    project.put(1)
    sliced = assets(people_sync(partitions=HashBuckets(2)))
    slices = [f"bucket_{number}" for number in range(2)]
    runs = [project.materialize(sliced, tags=range_of(name, name)) for name in slices + slices]
    assert sorted(run.value("contacts", "rows_created") for run in runs) == [0, 0, 0, 1]
    assert all(run.success and run.nouns == list(NOUNS) for run in runs)
    assert len(project.sandbox.contacts()) == 1


def test_a_failed_slice_is_the_only_one_to_run_again(project: DagsterProject):
    by_city = people_sync(
        partitions=ColumnValues("city", ["Oslo", "Rome"]), max_rejected_fraction=0.1, min_guard_rows=1
    )
    sliced, key = assets(by_city), dg.AssetKey(["dailystory", "people", "contacts"])
    project.put(1, 2)
    project.put(3, 4, city="Rome", email="casimir at home")
    for name, goes_well in (("Rome", False), ("Oslo", True), ("other_values", True)):
        assert project.materialize(sliced, tags=range_of(name, name)).success is goes_well
    assert project.instance.get_materialized_partitions(key) >= {"Oslo", "other_values"}
    assert "Rome" not in project.instance.get_materialized_partitions(key)
    assert len(project.sandbox.contacts()) == 2
    project.put(3, 4, city="Rome")
    assert project.materialize(sliced, tags=range_of("Rome", "Rome")).success
    assert "Rome" in project.instance.get_materialized_partitions(key)
    assert len(project.sandbox.contacts()) == 4


def test_a_terminated_run_is_not_retried_and_the_next_run_sends_the_rest(project: DagsterProject):
    project.put(*range(1, 201))
    project.sandbox.configure(latency_seconds=0.05)
    run, seconds = project.terminate(assets(), when=lambda: project.sandbox.counts.posts >= 20)
    kinds = [event.event_type_value for event in run.events]
    assert seconds < 5
    assert "PIPELINE_CANCELED" in kinds
    assert not {"STEP_UP_FOR_RETRY", "STEP_RESTARTED", "PIPELINE_SUCCESS"} & set(kinds)
    assert 20 <= len(project.sandbox.contacts()) < 200
    project.sandbox.configure(latency_seconds=0.0)
    assert project.materialize(assets()).success
    assert len(project.sandbox.contacts()) == 200
    assert set(project.sandbox.creates_by_identity().values()) == {1}


def test_progress_is_observed_during_a_send(project: DagsterProject):
    project.put(*range(1, 41))
    project.requests_per_second = 20.0
    run = project.materialize(assets(progress_seconds=0))
    assert run.observations
    for observed in run.observations:
        numbers = {name: value.value for name, value in observed.metadata.items()}
        assert numbers["progress/rows_sent"] + numbers["progress/rows_remaining"] == 40
        assert {"progress/percent", "progress/rows_per_second", "progress/expected_end"} <= numbers.keys()


def test_an_unreadable_warehouse_fails_after_the_retries_with_one_line(project: DagsterProject):
    run = project.materialize(assets(people_sync(source="no_such_table")))
    message, metadata = run.failure
    assert metadata["error"].value == "WarehouseError"
    assert "no_such_table" in message
    assert run.retries == 1
    assert len(message.splitlines()) == 1


def test_resources_may_have_other_keys(project: DagsterProject):
    made = assets(warehouse_key="lake", dailystory_key="marketing")
    keys = {"lake": project.resources["warehouse"], "marketing": project.resources["dailystory"]}
    dg.Definitions.validate_loadable(dg.Definitions(assets=made, resources=keys))
    assert made[0].op.required_resource_keys == {"lake", "marketing"}
