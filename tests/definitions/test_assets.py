"""A sync as Dagster assets, materialized for real: SQLite, HTTP, an instance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from pydantic import ValidationError
from support.dagster_project import NOUNS, DagsterProject, people_sync

from dagster_dailystory import ConfigurationError, build_contact_sync_assets
from dagster_dailystory.definitions.assets import code_version
from dagster_dailystory.definitions.run_config import PlanConfig, RunScope
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


def spec_of(noun: str, made) -> dg.AssetSpec:
    [found] = [spec for definition in made for spec in definition.specs if spec.key.path[-1] == noun]
    return found


def test_a_run_creates_everybody_and_a_second_one_sends_nothing(project: DagsterProject):
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
    assert len(run.checks) == 6
    assert all(run.checks.values())
    project.sandbox.clear_journal()
    second = project.materialize(assets())
    assert second.success
    assert second.nouns == ["changes"]
    assert project.sandbox.requests() == []


def test_a_dry_run_is_not_sent_by_its_own_run_nor_by_a_re_execution(project: DagsterProject):
    project.put(1, 2)
    dry = project.materialize(assets(), dry_run=True)
    again = project.re_execute(dry, assets(), SENT)
    assert dry.success
    assert again.success
    assert (dry.nouns, again.nouns) == (["changes"], [])
    assert (dry.value("changes", "plan_status"), dry.value("changes", "rows_to_create")) == ("dry", 2)
    assert project.plan_statuses() == ["dry"]
    assert project.sandbox.requests() == []


def test_run_config_limits_a_plan_to_some_keys(project: DagsterProject):
    project.put(1, 2, 3)
    assert project.materialize(assets(), keys=["2"]).value("contacts", "rows_created") == 1
    assert project.materialize(assets(), limit=1).value("contacts", "rows_created") == 1
    assert project.materialize(assets(), scope="all").value("contacts", "rows_updated") == 2


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"scope": "everything"}, "not in enum type RunScope"),
        ({"dry_run": "maybe"}, "dry_run"),
        ({"limit": "ten"}, 'expected type "RowLimit"'),
        ({"limit": 0}, "limit: 0 rows are none"),
        ({"limit": True}, 'expected type "RowLimit"'),
        ({"keys": "1"}, "keys must be list"),
        ({"keys": [1]}, "KeyOf2Columns"),
        ({"keys": ["north"]}, "a key of this sync is written region|id"),
        ({"keys": ["north|"]}, "a key of this sync is written region|id"),
        ({"rows": 1}, "unexpected config entry"),
    ],
)
def test_a_wrong_option_is_refused_before_there_is_a_run(config: dict[str, object], message: str):
    made = assets(people_sync(key=["region", "id"]))
    definitions = dg.Definitions(assets=made, resources={"warehouse": object(), "dailystory": object()})
    job = definitions.resolve_implicit_global_asset_job_def()
    asked = {"ops": {"dailystory__people__changes": {"config": config}}}
    with pytest.raises(dg.DagsterInvalidConfigError, match=message.replace("|", r"\|")):
        dg.validate_run_config(job, asked)
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(dg.DagsterInvalidConfigError):
        instance.create_run_for_job(job, run_config=asked)


def test_the_options_may_be_written_in_python(project: DagsterProject):
    project.put(1, 2)
    options = dg.RunConfig(ops={"dailystory__people__changes": PlanConfig(keys=["2"], limit=5, scope=RunScope.all)})
    asked = options.to_config_dict()["ops"]["dailystory__people__changes"]["config"]
    assert asked == {"scope": "all", "dry_run": False, "limit": 5, "keys": ["2"]}
    assert project.materialize(assets(), **asked).value("contacts", "rows_created") == 1
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        PlanConfig(limit=0)


def test_the_contacts_alone_are_planned_first(project: DagsterProject):
    project.put(1)
    run = project.materialize(assets(), SENT)
    assert run.nouns == list(SENT)
    assert project.plan_statuses() == ["done"]
    assert len(project.sandbox.contacts()) == 1


def test_the_plan_alone_is_not_sent_and_the_next_run_takes_its_place(project: DagsterProject):
    project.put(1)
    project.materialize(assets(), ["changes"])
    assert project.sandbox.requests() == []
    project.materialize(assets(), SENT)
    assert project.plan_statuses() == ["superseded", "done"]


def test_a_guard_that_does_not_pass_stops_the_run_before_it_sends(project: DagsterProject):
    guarded = assets(people_sync(deletes="delete", min_guard_rows=1))
    project.put(*range(1, 11))
    project.materialize(guarded)
    project.scenario.delete(*range(1, 6))
    project.sandbox.clear_journal()
    run = project.materialize(guarded)
    assert not run.success
    assert run.nouns == ["changes"]
    assert run.checks == {
        "source_not_empty": True, "changed_share": True, "deleted_share": False, "rejected_share": True
    }  # fmt: skip
    alone = project.materialize(guarded, SENT)
    message, metadata = alone.failure
    assert "deleted_share" in message
    assert metadata["error"].value == "SafetyError"
    assert (run.retries, alone.retries) == (0, 0)
    assert project.sandbox.writes() == []


def test_a_wrong_token_is_one_request_and_no_retry_and_a_re_execution_sends_the_same_plan(project: DagsterProject):
    project.put(1, 2)
    project.token = "not-the-token-0123456789"
    run = project.materialize(assets())
    message, metadata = run.failure
    assert "401" in message
    assert (metadata["error"].value, metadata["http_status"].value) == ("AuthenticationError", 401)
    assert (run.nouns, run.retries, len(project.sandbox.requests())) == (["changes"], 0, 1)
    project.token = project.sandbox.token
    again = project.re_execute(run, assets(), SENT)
    assert again.success
    assert again.nouns == list(SENT)
    assert project.plan_statuses() == ["done"]


def test_a_run_that_sent_something_says_so_before_it_fails_and_its_retry_goes_on(project: DagsterProject):
    project.put(*range(1, 301))
    project.max_concurrency = 1  # so that exactly the twenty refusals are a streak
    project.sandbox.script([None] * 20 + [400] * 20)
    run = project.materialize(assets())
    assert run.success
    assert run.retries == 1
    first, second = (each.metadata for each in run.materializations if each.asset_key.path[-1] == "contacts")
    assert (first["outcome"].value, second["outcome"].value) == ("stopped", "done")
    assert first["rows_created"].value + second["rows_created"].value == 300
    assert set(project.sandbox.creates_by_identity().values()) == {1}
    assert len(project.sandbox.contacts()) == 300


def test_a_bad_row_is_a_warning_and_nobody_elses_trouble(project: DagsterProject):
    project.put(1, 2)
    project.put(3, email="nobody at home")
    run = project.materialize(assets())
    assert run.success
    assert run.checks["no_rejected_rows"] is False
    assert run.checks["no_unsettled_rows"] is True
    assert run.check_texts["no_rejected_rows"].startswith("rows set aside: 1 (1 invalid_email);")
    assert run.check_texts["no_unsettled_rows"] == "every row that was sent has a lasting answer"
    assert (run.value("contacts", "rows_created"), run.value("contacts", "rows_rejected")) == (2, 1)
    assert run.records("changes", "rejections_by_reason") == [{"reason": "invalid_email", "rows": 1}]
    [rejected] = run.records("changes", "rejected_rows")
    assert (rejected["key"], rejected["reason"]) == ("3", "invalid_email")


def test_no_event_holds_a_contacts_data(project: DagsterProject):
    project.put(1, 2, first_name="Ramona", city="Antwerp")
    project.put(3, email="nobody at home", first_name="Casimir")
    run = project.materialize(assets())
    project.put(1, first_name="Ottoline", city="Bruges")
    texts = run.text + project.materialize(assets()).text + project.materialize(assets(), dry_run=True).text
    for personal in ("@example.com", "nobody at home", "Ramona", "Casimir", "Ottoline", "Antwerp", project.token):
        assert personal not in texts


def test_the_preview_shows_before_and_after_of_the_fields_that_it_may(project: DagsterProject):
    shown = assets(people_sync(deletes="delete", max_deleted_fraction=None), preview_fields=["city"])
    project.put(1, 2)
    project.materialize(shown)
    project.put(1, city="Bergen", first_name="Somebody")
    project.put(3)
    project.scenario.delete(2)
    update, create, delete = project.materialize(shown).records("changes", "preview")
    assert (update["key"], update["operation"]) == ("1", "update")
    assert update["changes"] == "firstName: ••• (6) → ••• (8); city: Oslo → Bergen"
    assert (create["key"], create["operation"]) == ("3", "create")
    assert (delete["key"], delete["operation"], delete["changes"]) == ("2", "delete", "")


def test_slices_come_to_the_same_contacts_as_the_whole(project: DagsterProject):
    project.put(*range(1, 13))
    sliced = assets(people_sync(partitions=HashBuckets(2)))
    for partition in ("bucket_0", "bucket_1"):
        run = project.materialize(sliced, partition=partition)
        assert run.success
        assert {each.partition for each in run.materializations} == {partition}
    assert len(project.sandbox.contacts()) == 12
    assert project.materialize(assets()).value("changes", "rows_to_send") == 0


def range_of(first: str, last: str) -> dict[str, str]:
    """How a backfill tells a run its partitions."""
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def test_a_backfills_range_of_one_is_its_slice_and_a_longer_one_is_refused(project: DagsterProject):
    project.put(*range(1, 13))
    sliced = assets(people_sync(partitions=HashBuckets(3)))
    run = project.materialize(sliced, tags=range_of("bucket_1", "bucket_1"))
    assert run.success
    assert {each.partition for each in run.materializations} == {"bucket_1"}
    assert 0 < len(project.sandbox.contacts()) < 12
    longer = project.materialize(sliced, tags=range_of("bucket_0", "bucket_1"))
    message, _ = longer.failure
    assert "launch one run for each partition" in message
    assert longer.retries == 0


def test_a_slice_without_anything_to_send_is_materialized_for_a_backfill_counts_it(project: DagsterProject):
    project.put(1)
    sliced = assets(people_sync(partitions=HashBuckets(2)))
    slices = [f"bucket_{number}" for number in range(2)]
    runs = [project.materialize(sliced, tags=range_of(name, name)) for name in slices + slices]
    assert sorted(run.value("contacts", "rows_created") for run in runs) == [0, 0, 0, 1]
    assert all(run.success and run.nouns == list(NOUNS) for run in runs)
    assert len(project.sandbox.contacts()) == 1


def test_a_slice_that_fails_is_red_alone_and_is_made_up_for_by_itself(project: DagsterProject):
    by_city = people_sync(
        partitions=ColumnValues("city", ["Oslo", "Rome"]), max_rejected_fraction=0.1, min_guard_rows=1
    )
    sliced, key = assets(by_city), dg.AssetKey(["dailystory", "people", "contacts"])
    project.put(1, 2)
    project.put(3, 4, city="Rome", email="nobody")
    for name, goes_well in (("Rome", False), ("Oslo", True), ("other_values", True)):
        assert project.materialize(sliced, tags=range_of(name, name)).success is goes_well
    assert project.instance.get_materialized_partitions(key) >= {"Oslo", "other_values"}
    assert "Rome" not in project.instance.get_materialized_partitions(key)
    assert len(project.sandbox.contacts()) == 2
    project.put(3, 4, city="Rome")
    assert project.materialize(sliced, tags=range_of("Rome", "Rome")).success
    assert "Rome" in project.instance.get_materialized_partitions(key)
    assert len(project.sandbox.contacts()) == 4


def test_a_terminated_run_is_canceled_at_once_and_not_tried_again_and_the_next_one_sends_the_rest(
    project: DagsterProject,
):
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


def test_progress_is_observed_while_contacts_are_sent(project: DagsterProject):
    project.put(*range(1, 41))
    project.requests_per_second = 20.0
    run = project.materialize(assets(progress_seconds=0))
    assert run.observations
    for observed in run.observations:
        numbers = {name: value.value for name, value in observed.metadata.items()}
        assert numbers["progress/rows_sent"] + numbers["progress/rows_remaining"] == 40
        assert {"progress/percent", "progress/rows_per_second", "progress/expected_end"} <= numbers.keys()


def test_a_warehouse_that_cannot_be_read_fails_with_a_short_message_after_the_retries(project: DagsterProject):
    run = project.materialize(assets(people_sync(source="no_such_table")))
    message, metadata = run.failure
    assert metadata["error"].value == "WarehouseError"
    assert "no_such_table" in message
    assert run.retries == 1
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("source", "tables"),
    [
        ("customers", [["customers"]]),
        ("analytics.customers", [["analytics", "customers"]]),
        ('warehouse."Analytics".customers', [["Analytics", "customers"]]),
        ("select * from analytics.customers", [["analytics", "customers"]]),
        ("select id, email from a.b join c using (id)", [["a", "b"], ["c"]]),
        ("with new as (select * from raw.people) select id, email from new", [["raw", "people"]]),
        ("select id, email from a.b union all select id, email from a.c", [["a", "b"], ["a", "c"]]),
        ("select 1 as id, 'x' as email", []),
        ("this is no sql (", []),
    ],
)
def test_the_tables_of_the_source_are_upstream_as_dbt_keys_them(source: str, tables: list[list[str]]):
    made = assets(people_sync(source=source, fields={"email": "email"}))
    assert {dep.asset_key for dep in spec_of("changes", made).deps} == {dg.AssetKey(table) for table in tables}


def test_the_upstream_assets_may_be_named_instead():
    made = assets(people_sync(source="analytics.customers"), deps=[["dbt", "customers"], "raw"])
    assert {dep.asset_key for dep in spec_of("changes", made).deps} == {
        dg.AssetKey(["dbt", "customers"]), dg.AssetKey("raw")
    }  # fmt: skip


def test_the_specs_say_what_a_team_asks_for():
    fresh = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=6))
    hourly = dg.AutomationCondition.on_cron("0 * * * *")
    made = assets(
        group_name="growth", tags={"domain": "growth"}, owners=["team:growth"], dialect="postgresql",
        freshness_policy=fresh, automation_condition=hourly, pool="other",
    )  # fmt: skip
    for noun in NOUNS:
        spec = spec_of(noun, made)
        assert (spec.group_name, spec.tags["domain"], list(spec.owners)) == ("growth", "growth", ["team:growth"])
        assert spec.automation_condition == hourly
        assert spec.code_version == code_version(people_sync())
        assert "postgres" in spec.kinds
    assert spec_of("changes", made).freshness_policy == fresh
    assert spec_of("contacts", made).freshness_policy is None
    assert "dailystory" in spec_of("contacts", made).kinds
    assert {definition.op.pool for definition in made} == {"other"}
    assert [spec_of(noun, made).skippable for noun in NOUNS] == [False, True, True]


def test_the_guards_block_what_is_downstream_and_the_checks_of_the_contacts_do_not():
    changes, contacts = assets()
    assert {check.name for check in changes.check_specs} == {
        check.name for check in changes.check_specs if check.blocking
    }
    assert not any(check.blocking for check in contacts.check_specs)


def test_the_code_version_moves_with_the_query_and_the_mapping():
    versions = {
        code_version(people_sync(**settings))
        for settings in ({}, {"source": "others"}, {"fields": {"email": "email"}}, {"deletes": "delete"})
    }
    assert len(versions) == 4


def test_a_field_to_preview_that_is_not_mapped_is_refused_with_the_nearest():
    with pytest.raises(ConfigurationError, match="'cty', which is not mapped; did you mean 'city'"):
        assets(preview_fields=["cty"])


def test_resources_may_have_other_keys(project: DagsterProject):
    made = assets(warehouse_key="lake", dailystory_key="marketing")
    keys = {"lake": project.resources["warehouse"], "marketing": project.resources["dailystory"]}
    dg.Definitions.validate_loadable(dg.Definitions(assets=made, resources=keys))
    assert made[0].op.required_resource_keys == {"lake", "marketing"}
