"""The component: what a `defs.yaml` defines, the errors of a wrong one, and the commands of `dg`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.remote_representation.external_data import RepositorySnap  # what the UI shows, not exported
from jsonschema import Draft202012Validator
from pydantic import Field
from support.dagster_project import NOUNS, DagsterProject
from support.defs_yaml import PEOPLE, definitions, load_error

from dagster_dailystory import ConfigurationError, DailyStorySyncComponent
from dagster_dailystory.definitions.component.settings import DailyStorySettings, Slices
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets, TimeWindows
from dagster_dailystory.sandbox import Sandbox

pytestmark = [  # raised by Dagster's YAML loader
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
    pytest.mark.filterwarnings("ignore:Class `[A-Za-z]*CodeReference"),
]

TYPE = "dagster_dailystory.DailyStorySyncComponent"
NESTED = (
    *("WarehouseSettings", "DailyStorySettings", "Slices", "ScheduleSettings", "RetrySettings", "AlertSettings"),
    *("DriftCheckSettings", "ObservedSourceSettings"),
)
RESOURCES = dg.Definitions(resources={"warehouse": object(), "dailystory": object()})


class Customized(DailyStorySyncComponent):
    """Changes how a sync looks and runs, as a user's subclass does."""

    def get_asset_spec(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.merge_attributes(tags={"team": "growth"})

    def execute(self, context, steps, warehouse, dailystory):
        for event in super().execute(context, steps, warehouse, dailystory):
            if isinstance(event, dg.MaterializeResult):
                yield event._replace(metadata={**(event.metadata or {}), "team": "growth"})
            else:
                yield event


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        yield DagsterProject.in_folder(tmp_path, sandbox, instance)


def test_a_file_defines_three_assets_a_job_and_a_schedule():
    made = definitions({**PEOPLE, "schedule": "0 6 * * *", "group_name": "growth", "deps": ["raw/people"]})
    made = dg.Definitions.merge(made, RESOURCES)
    keys = {key.to_user_string() for key in made.resolve_asset_graph().get_all_asset_keys()}
    assert keys == {"raw/people", *(f"dailystory/people/{noun}" for noun in NOUNS)}
    [schedule] = made.schedules
    assert (schedule.name, schedule.cron_schedule) == ("sync_people_schedule", "0 6 * * *")
    [changes, *_] = [spec for spec in made.resolve_all_asset_specs() if spec.key.path[-1] == "changes"]
    assert changes.group_name == "growth"


def test_a_sync_with_its_own_resources_runs(project: DagsterProject, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PEOPLE_URL", project.scenario.warehouse_url)
    monkeypatch.setenv("PEOPLE_TOKEN", project.token)
    account = {"base_url": project.sandbox.base_url, "api_token_variable": "PEOPLE_TOKEN", "requests_per_second": 2000}
    made = definitions({**PEOPLE, "warehouse": {"url_variable": "PEOPLE_URL"}, "dailystory": account})
    project.put(1, 2)
    result = made.resolve_job_def("sync_people").execute_in_process(instance=project.instance)
    assert result.success
    assert len(project.sandbox.contacts()) == 2


@pytest.mark.filterwarnings("ignore:Parameter `owners` of initializer")
def test_a_credential_of_the_environment_is_read_in_the_run_and_not_shown(
    project: DagsterProject, monkeypatch: pytest.MonkeyPatch
):
    content = {
        "PEOPLE_URL": project.scenario.warehouse_url, "PEOPLE_TOKEN": project.token,
        "PEOPLE_API": project.sandbox.base_url, "PEOPLE_HOOK": "https://hooks.example/secret",
    }  # fmt: skip
    for name, value in content.items():
        monkeypatch.setenv(name, value)
    warehouse = {"url": "{{ env.PEOPLE_URL }}", "state_url": "{{ env('PEOPLE_URL') }}"}
    account = {"base_url": "{{env.PEOPLE_API}}", "api_token": "{{ env.PEOPLE_TOKEN }}", "requests_per_second": 2000}
    alerts = {"webhook": "{{ env.PEOPLE_HOOK }}"}
    made = definitions({**PEOPLE, "warehouse": warehouse, "dailystory": account, "alerts": alerts})
    shown = dg.serialize_value(RepositorySnap.from_def(made.get_repository_def()))
    assert [value for value in content.values() if value in shown] == []
    assert [name for name in ("PEOPLE_URL", "PEOPLE_API", "PEOPLE_TOKEN") if name not in shown] == []
    project.put(1, 2)
    job = made.resolve_job_def("sync_people")
    assert job.execute_in_process(instance=project.instance).success
    assert len(project.sandbox.contacts()) == 2
    monkeypatch.delenv("PEOPLE_TOKEN")
    with pytest.raises(dg.DagsterInvalidConfigError, match='environment variable "PEOPLE_TOKEN" which is not set'):
        job.execute_in_process(instance=project.instance)


def test_two_files_may_have_two_accounts():
    made = [
        definitions({
            **PEOPLE, "name": name, "warehouse": {"url": "sqlite:///x"}, "dailystory": {"base_url": f"https://{name}"}
        })
        for name in ("one", "two")
    ]  # fmt: skip
    merged = dg.Definitions.merge(*made)
    assert {"one_dailystory", "two_dailystory", "one_warehouse", "two_warehouse"} <= set(merged.resources or {})
    dg.Definitions.validate_loadable(merged)


def test_a_subclass_changes_how_the_assets_look_and_run(project: DagsterProject):
    made = dg.Definitions.merge(definitions(PEOPLE, Customized), RESOURCES)
    assert {spec.tags.get("team") for spec in made.resolve_all_asset_specs() if spec.key.path[0] != "people"} == {
        "growth"
    }
    project.put(1)
    assets = [asset for asset in made.assets or () if isinstance(asset, dg.AssetsDefinition)]
    run = project.materialize(assets)
    assert run.success
    assert run.value("contacts", "team") == "growth"


def test_a_query_may_be_in_a_file_beside_the_yaml(tmp_path: Path):
    (tmp_path / "people.sql").write_text("select id, email, first_name from raw.people")
    component = DailyStorySyncComponent.resolve_from_dict({**PEOPLE, "source": "people.sql"})
    assert component.sync(tmp_path).source == tmp_path / "people.sql"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fields": {"firstNam": "first_name"}}, "no contact field 'firstNam'; did you mean 'firstName'?"),
        ({"mode": "upsrt"}, "mode='upsrt' is not one of upsert, update, create; did you mean 'upsert'?"),
        ({"deletes": "deactivat"}, "did you mean 'deactivate'?"),
        ({"nulls": {"firstnam": "clear"}}, "did you mean 'firstName'?"),
        ({"preview_fields": ["emial"]}, "did you mean 'email'?"),
        ({"name": "People"}, "name='People' must have small letters"),
        ({"max_deleted_fraction": 5}, "max_deleted_fraction=5"),
        ({"partitions": {"buckets": 4, "column": "city"}}, "either buckets, or column and values"),
        ({"warehouse": {"state_schema": "x"}}, "either url or url_variable"),
        ({"schedule": "hourly"}, "schedule='hourly' is not a cron expression of five fields, such as '0 * * * *'"),
        ({"min_guard_rows": "many"}, "min_guard_rows must be a whole number, such as 20; it is a text"),
        ({"fields": "email"}, "fields must be a mapping of texts, such as {'firstName': 'first_name'}; it is a text"),
        ({"keyy": "id"}, "DailyStorySyncComponent has no setting 'keyy'; did you mean 'key'?"),
        ({"dailystory": {"base_ur": "x"}}, "dailystory has no setting 'base_ur'; did you mean 'base_url'?"),
        (
            {"watermark": {"column": "updated_at", "overlap": 5}},
            "'overlap'; did you mean 'overlap_seconds'?",
        ),
        ({"warehouse": {"url": "x.duckdb", "state_ulr_variable": "X"}}, "did you mean 'state_url_variable'?"),
        ({"warehouse": {"url": "postgres://host/db"}}, "warehouse.url starts with 'postgres'"),
        ({"partitions": {"bucket": 4}}, "partitions has no setting 'bucket'; did you mean 'buckets'?"),
    ],
)
def test_a_wrong_value_is_refused_with_the_file_and_the_nearest_value(wrong: Mapping[str, object], message: str):
    text = load_error({**PEOPLE, **wrong})
    assert message in text
    assert "defs.yaml" in text


class Level(Enum):
    GOLD = "gold"


class Extended(DailyStorySyncComponent):
    """Has settings of its own, of types that only pydantic knows."""

    level: Level = Field(default=Level.GOLD, description="A level.", examples=["gold"])
    cities: tuple[str, ...] = Field(default=(), description="Cities.", examples=[["Paris"]])
    share: float = Field(default=1, ge=0, le=1, description="A share.", examples=[0.5])


def test_a_subclass_may_have_settings_of_other_types():
    made = definitions({**PEOPLE, "level": "gold", "cities": ["Paris"], "share": 0.5}, Extended)
    assert made.jobs


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"level": "golden"}, "level: Input should be 'gold'"),
        ({"cities": 5}, "cities must be of the type tuple, such as ['Paris']; it is a whole number"),
        ({"share": 2}, "share: Input should be less than or equal to 1"),
    ],
)
def test_a_setting_of_a_subclass_is_refused_by_name(wrong: Mapping[str, object], message: str):
    assert message in load_error({**PEOPLE, **wrong}, Extended)
    assert list(Draft202012Validator(Extended.model().model_json_schema()).iter_errors({**PEOPLE, **wrong})) == []


def test_a_component_in_python_refuses_a_misspelled_setting_by_name():
    with pytest.raises(ConfigurationError, match="has no setting 'feilds'; did you mean 'fields'"):
        DailyStorySyncComponent(name="people", source="people", key="id", feilds={})
    with pytest.raises(ConfigurationError, match="timeout_seconds must be a number, such as 30; it is a list"):
        DailyStorySettings(base_url="https://us-1.dailystory.com/api/v1", timeout_seconds=[])


def test_slices_become_the_engines_partitions():
    assert Slices(buckets=4).setting() == HashBuckets(4)
    assert Slices(column="region", values=["emea"]).setting() == ColumnValues("region", ["emea"])
    windows = TimeWindows("joined", "monthly", start="2024-01-01", timezone="Europe/Berlin")
    for start in ("2024-01-01", date(2024, 1, 1)):
        assert Slices(column="joined", every="monthly", start=start, timezone="Europe/Berlin").setting() == windows
    with pytest.raises(ConfigurationError, match="either buckets"):
        Slices(column="region", start="2024-01-01").setting()


@pytest.mark.parametrize("in_one_run", [True, False])
def test_a_backfill_in_yaml_takes_one_run_or_one_for_each_partition(in_one_run: bool):
    partitions = {"column": "joined", "every": "monthly", "start": "2024-01-01", "in_one_run": in_one_run}
    made = definitions({**PEOPLE, "partitions": partitions})
    policies = {assets.backfill_policy for assets in made.resolve_all_asset_specs and made.assets}
    assert policies == {dg.BackfillPolicy.single_run() if in_one_run else dg.BackfillPolicy.multi_run()}


def test_every_setting_is_described_with_an_example():
    for name, field in DailyStorySyncComponent.model_fields.items():
        assert field.description, name
        assert field.examples, name


def test_a_condition_may_be_a_template():
    eager = "{{ dg.AutomationCondition.eager() }}"
    made = dg.Definitions.merge(definitions({**PEOPLE, "automation_condition": eager}), RESOURCES)
    given = {spec.automation_condition for spec in made.resolve_all_asset_specs() if "changes" in spec.key.path}
    assert given == {dg.AutomationCondition.eager()}


def test_the_schema_describes_every_setting():
    schema = DailyStorySyncComponent.model().model_json_schema()
    shapes = [
        schema,
        *(schema["$defs"][f"{name}Model"] for name in NESTED),
    ]
    assert set(schema["properties"]) == set(DailyStorySyncComponent.model_fields)
    for shape in shapes:
        for name, setting in shape["properties"].items():
            assert setting["description"], name
            assert setting["examples"], name


AUTOMATION = """\
  schedule: {cron: "0 6 * * *", timezone: Europe/Berlin}
  retry: {max_runs: 2}
  alerts: {webhook: "{{ env.OPS_WEBHOOK }}", max_rejected_rows: 100}
  drift_check: {sample: 50}
  observed_source: {version_query: select max(updated_at) from analytics.customers}
"""


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_dg_lists_scaffolds_and_checks_the_component_in_a_new_project(tmp_path: Path):
    run("create-dagster", tmp_path, "project", "shop", "--no-uv-sync")
    project = tmp_path / "shop"
    listed = json.loads(run("dg", project, "list", "components", "--json"))["items"]
    assert TYPE in {component["key"] for component in listed}
    assert "the contact of a missing key: `keep`, `deactivate`" in run(
        "dg", project, "utils", "inspect-component", TYPE
    )

    run("dg", project, "scaffold", "defs", TYPE, "Customers-EU")
    written = project / "src/shop/defs/Customers-EU/defs.yaml"
    good = written.read_text()
    assert f"type: {TYPE}" in good
    good = good.replace("attributes:\n", f"attributes:\n{AUTOMATION}")
    written.write_text(good)
    assert "name: customers_eu" in good
    assert "loaded successfully" in run("dg", project, "check", "defs")
    defined = run("dg", project, "list", "defs", "--json")
    made = ("dailystory/customers_eu/contacts", "sync_customers_eu_schedule", "retry_customers_eu", "no_drift")
    assert [name for name in (*made, "alerts_customers_eu", "analytics/customers") if name not in defined] == []

    written.write_text(good.replace("  key: ", "  keyy: "))
    refused = run("dg", project, "check", "defs", fails=True)
    assert "DailyStorySyncComponent has no setting 'keyy'; did you mean 'key'?" in refused
    written.write_text(good.replace("{{ env.DAILYSTORY_API_TOKEN }}", "SECRET"))
    refused = run("dg", project, "check", "defs", fails=True)
    assert "dailystory.api_token must be the template of an environment variable" in refused
    assert "SECRET" not in refused
    written.write_text(good.replace("firstName", "firstNme"))
    refused = run("dg", project, "check", "defs", fails=True)
    assert f"{written}: DailyStory has no contact field 'firstNme'; did you mean 'firstName'?" in refused


def run(program: str, folder: Path, *arguments: str, fails: bool = False) -> str:
    """Run one of Dagster's programs beside this Python; returns its output."""
    python = Path(sys.executable)
    environment = {
        **os.environ, "PYTHONPATH": str(folder / "src"), "VIRTUAL_ENV": str(python.parents[1]), "COLUMNS": "400",
        "DAGSTER_DISABLE_TELEMETRY": "1", "DAGSTER_DG_UPDATE_CHECK_ENABLED": "0",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    done = subprocess.run(
        [python.parent / program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert bool(done.returncode) is fails, done.stdout + done.stderr
    return done.stdout if "--json" in arguments else done.stdout + done.stderr


def test_a_frame_in_yaml_is_an_upstream_asset():
    made = definitions({**PEOPLE, "source": {"frame": "analytics/scored", "complete": True}})
    (changes,) = [assets for assets in made.assets if any("changes" in key.path for key in assets.keys)]
    assert dg.AssetKey(["analytics", "scored"]) in changes.keys_by_input_name.values()
    with pytest.raises(Exception, match=r"defs\.yaml"):
        definitions({**PEOPLE, "source": {"complete": True}})


def test_the_settings_of_a_file_survive_being_read_and_written_back():
    given = {
        **PEOPLE,
        "partitions": {"column": "joined", "every": "monthly", "start": "2024-01-01", "in_one_run": True},
        "nulls": {"firstName": "clear"},
        "require_approval": True,
        "schedule": {"cron": "0 6 * * *", "timezone": "Europe/Berlin"},
        "alerts": {"webhook_variable": "OPS_WEBHOOK", "max_rejected_rows": 5},
        "automation_condition": "{{ dg.AutomationCondition.eager() }}",
        "warehouse": {"url": "{{ env.WAREHOUSE_URL }}", "state_url_variable": "STATE_URL"},
    }
    written = yaml.safe_dump(DailyStorySyncComponent.model()(**given).model_dump(mode="json", exclude_unset=True))
    assert yaml.safe_load(written) == given


def test_a_translation_changes_attributes_of_the_assets():
    translation = {"group_name": "marketing", "tags": {"step": "{{ asset }}"}}
    made = dg.Definitions.merge(definitions({**PEOPLE, "translation": translation}), RESOURCES)
    specs = {spec.key.path[-1]: spec for spec in made.resolve_all_asset_specs() if spec.key.path[0] == "dailystory"}
    assert {spec.group_name for spec in specs.values()} == {"marketing"}
    assert {noun: spec.tags["step"] for noun, spec in specs.items()} == {noun: noun for noun in specs}


def test_a_translation_cannot_change_a_key(tmp_path: Path):
    component = DailyStorySyncComponent(**PEOPLE, translation=lambda spec, _: spec.replace_attributes(key="other"))
    with pytest.raises(ConfigurationError, match="gives changes another key; it must stay dailystory/people/changes"):
        component._defs(tmp_path)
