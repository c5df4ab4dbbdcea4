"""The resources: what they show and hide, and the engine's endpoints that they become."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from support.dagster_project import PEOPLE, people_sync, person
from support.scenario import Scenario

from dagster_dailystory import (
    ConfigurationError,
    DailyStoryResource,
    PlanConfig,
    WarehouseResource,
    resources_from_environment,
    run_contact_sync,
)
from dagster_dailystory.api.environment import REQUIRED
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.sandbox import Sandbox

TOKEN = "a-secret-token-0123456789"
URL = "postgresql+psycopg://sync:hidden-password@warehouse/analytics"


def test_a_repr_contains_no_secret():
    account = DailyStoryResource(base_url="https://us-1.dailystory.com/api/v1", api_token=TOKEN)
    warehouse = WarehouseResource(url=URL, state_url=URL)
    shown = f"{account!r} {account} {warehouse!r} {warehouse} {account.account()!r} {warehouse.warehouse()!r}"
    assert TOKEN not in shown
    assert "hidden-password" not in shown


def test_they_become_the_engines_endpoints():
    account = DailyStoryResource(
        base_url="https://x/api/v1", api_token=TOKEN, requests_per_second=5, max_concurrency=2, timeout_seconds=9
    )
    assert account.account() == AccountSettings("https://x/api/v1", TOKEN, 5.0, 2, 9.0)
    assert WarehouseResource(url=URL).warehouse() == Warehouse.at(URL)
    assert WarehouseResource(url=URL, state_url="sqlite:///s", state_schema="etl").warehouse() == Warehouse.at(
        URL, "sqlite:///s", "etl"
    )


def test_variables_are_read_when_a_run_starts(monkeypatch: pytest.MonkeyPatch):
    warehouse = WarehouseResource(url=dg.EnvVar("SOME_WAREHOUSE_URL"))
    monkeypatch.setenv("SOME_WAREHOUSE_URL", URL)

    @dg.op(required_resource_keys={"warehouse"})
    def look(context: dg.OpExecutionContext) -> str:
        return str(context.resources.warehouse.warehouse().url)

    with dg.DagsterInstance.ephemeral() as instance:
        graph = dg.GraphDefinition("graph", node_defs=[look])
        job = graph.to_job(resource_defs={"warehouse": warehouse, "io_manager": dg.mem_io_manager})
        assert job.execute_in_process(instance=instance).output_for_node("look") == URL


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (WarehouseResource, {"url": URL, "state_ulr": URL}, "has no setting 'state_ulr'; did you mean 'state_url'?"),
        (
            WarehouseResource,
            {"url": URL, "x": URL},
            "has no setting 'x'; its settings are url, state_url, state_schema",
        ),
        (WarehouseResource, {"state_url": URL}, "WarehouseResource needs url"),
        (WarehouseResource, {"url": [URL]}, "WarehouseResource.url must be a text, such as postgresql+psycopg://"),
        (DailyStoryResource, {"base_ulr": "x", "api_token": TOKEN}, "'base_ulr'; did you mean 'base_url'?"),
        (DailyStoryResource, {"base_url": "x", "api_token": TOKEN, "max_concurency": 2}, "mean 'max_concurrency'?"),
        (PlanConfig, {"dry_rnu": True}, "PlanConfig has no setting 'dry_rnu'; did you mean 'dry_run'?"),
        (PlanConfig, {"chosen_keys": ["1"]}, "no setting 'chosen_keys'; its settings are scope, dry_run, limit, keys"),
    ],
)
def test_an_unknown_or_wrong_setting_is_refused_with_the_nearest_name(
    kind: type[dg.Config], given: dict[str, object], message: str
):
    with pytest.raises(ConfigurationError) as caught:
        kind(**given)
    assert message in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("hidden-password", TOKEN))


def test_a_resource_may_be_configured_at_launch():
    @dg.op(required_resource_keys={"warehouse"})
    def look(context: dg.OpExecutionContext) -> str:
        return str(context.resources.warehouse.warehouse().state.schema)

    job = dg.GraphDefinition("graph", node_defs=[look]).to_job(
        resource_defs={
            "warehouse": WarehouseResource.configure_at_launch(state_schema="etl"),
            "io_manager": dg.mem_io_manager,
        }
    )
    with dg.DagsterInstance.ephemeral() as instance:
        config = {"resources": {"warehouse": {"config": {"url": URL}}}}
        assert job.execute_in_process(run_config=config, instance=instance).output_for_node("look") == "etl"
        wrong = {"resources": {"warehouse": {"config": {"url": URL, "state_ulr": URL}}}}
        with pytest.raises(dg.DagsterInvalidConfigError, match="state_ulr"):
            job.execute_in_process(run_config=wrong, instance=instance)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"url": "postgres://me:hidden-password@host/db"}, "WarehouseResource.url starts with 'postgres'"),
     ({"url": "duckdb://", "state_url": ""}, "WarehouseResource.state_url is empty")],
)  # fmt: skip
def test_a_bad_url_is_refused_by_the_name_of_the_setting(given: dict[str, str], message: str):
    with pytest.raises(ConfigurationError, match=message) as caught:
        WarehouseResource(**given).warehouse()
    assert "hidden-password" not in str(caught.value)


def test_every_setting_is_described():
    for resource in (WarehouseResource, DailyStoryResource):
        assert resource.__doc__
        for name, field in resource.model_fields.items():
            assert field.description, name


def test_the_frames_of_a_sync_have_the_key_columns_of_the_source(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/warehouse.sqlite"
    rows = [person(1), person(2), person(3, email="not an address", first_name=None)]
    Scenario(url, None, Sandbox(), PEOPLE).seed(*rows)
    warehouse, sync = WarehouseResource(url=url), people_sync()
    assert warehouse.contact_map(sync).empty
    with Sandbox() as sandbox:
        report = run_contact_sync(sync, warehouse_url=url, base_url=sandbox.base_url, api_token=sandbox.token)
    contacts = warehouse.contact_map(sync)
    assert contacts["id"].tolist() == [1, 2]
    assert str(contacts["id"].dtype) == "Int64"
    assert contacts["dsid"].notna().all()
    rejections = warehouse.rejections(sync)
    assert rejections[["id", "reason"]].to_numpy().tolist() == [[3, "invalid_email"]]
    plan = warehouse.plan(sync, report.plan_id)
    assert plan[plan["field"] == "firstName"]["after"].tolist() == ["Given1", "Given2"]
    assert plan["before"].isna().all()
    assert set(plan["outcome"]) == {"created"}


def test_importing_the_resources_registers_the_library():
    code = (
        "import dagster_dailystory.definitions.resources; "
        "from dagster_shared.libraries import DagsterLibraryRegistry as R; "
        "print(R.get()['dagster-dailystory'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout[:1].isdigit()


def test_run_contact_sync_does_not_import_dagster():
    code = (
        "import sys; from dagster_dailystory import ContactSync, SyncReport, run_contact_sync; "
        "print('dagster' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_variables_there_are_no_resources() -> None:
    assert resources_from_environment({}) == {}
    assert resources_from_environment(dict.fromkeys(REQUIRED, "")) == {}


def test_half_of_a_real_configuration_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="DAILYSTORY_API_TOKEN is missing"):
        resources_from_environment(
            {"WAREHOUSE_URL": "sqlite:///x", "DAILYSTORY_BASE_URL": "https://us-1.dailystory.com"}
        )


def test_a_rate_that_is_not_a_number_is_refused_by_name() -> None:
    given = dict.fromkeys(REQUIRED, "x") | {"DAILYSTORY_REQUESTS_PER_SECOND": "many"}
    with pytest.raises(ConfigurationError, match="DAILYSTORY_REQUESTS_PER_SECOND"):
        resources_from_environment(given)


def test_every_setting_of_an_account_is_read_from_the_environment() -> None:
    given = {"REQUESTS_PER_SECOND": "2.5", "MAX_CONCURRENCY": "3", "TIMEOUT_SECONDS": "9", "ACCEPT_ACCOUNT": "true"}
    given |= {"MAX_ATTEMPTS": "4", "MAX_SECONDS_PER_ROW": "60"}
    made = resources_from_environment(GIVEN | {f"DAILYSTORY_{name}": text for name, text in given.items()})
    account = made["dailystory"]
    assert isinstance(account, DailyStoryResource)
    assert account.account_options() == {
        "requests_per_second": 2.5, "max_concurrency": 3, "timeout_seconds": 9.0, "accept_account": True,
        "max_attempts": 4, "max_seconds_per_row": 60.0,
    }  # fmt: skip


GIVEN = {
    "WAREHOUSE_URL": "duckdb://",
    "DAILYSTORY_BASE_URL": "https://us-1.dailystory.com",
    "DAILYSTORY_API_TOKEN": "x",
}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"DAILYSTORY_STATE_ULR": "x"}, "has DAILYSTORY_STATE_ULR, .* did you mean 'DAILYSTORY_STATE_URL'"),
        ({"DAILYSTORY_MAX_CONCURENCY": "9"}, "did you mean 'DAILYSTORY_MAX_CONCURRENCY'"),
        ({"DAILYSTORY_MAX_CONCURRENCY": "0"}, "DAILYSTORY_MAX_CONCURRENCY='0' must be a positive whole number"),
        ({"DAILYSTORY_MAX_CONCURRENCY": "2.5"}, "DAILYSTORY_MAX_CONCURRENCY='2.5' must be a positive whole number"),
        ({"DAILYSTORY_MAX_ATTEMPTS": "1.5"}, "DAILYSTORY_MAX_ATTEMPTS='1.5' must be a positive whole number"),
        ({"DAILYSTORY_ACCEPT_ACCOUNT": "yes"}, "DAILYSTORY_ACCEPT_ACCOUNT must be true or false"),
        ({"DAILYSTORY_REQUESTS_PER_SECOND": "nan"}, "DAILYSTORY_REQUESTS_PER_SECOND='nan' must be a positive number"),
        ({"WAREHOUSE_URL": "postgres://me:hush@host/db"}, "WAREHOUSE_URL starts with 'postgres'"),
        ({"DAILYSTORY_STATE_URL": "state.db"}, "DAILYSTORY_STATE_URL is not a database URL"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(variables: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        resources_from_environment(GIVEN | variables)


def test_a_misspelled_variable_is_not_taken_for_the_demo() -> None:
    with pytest.raises(ConfigurationError, match=r"has WAREHOSE_URL, .* did you mean 'WAREHOUSE_URL'"):
        resources_from_environment({"WAREHOSE_URL": "duckdb://"})


def test_other_variables_of_a_user_are_left_alone() -> None:
    others = {"DAILYSTORY_API_TOKEN_EU": "x", "DAILYSTORY_STATE_URL_OF_TESTS": "x", "OTHER_WAREHOUSE_URL": "x"}
    assert set(resources_from_environment(GIVEN | others)) == {"warehouse", "dailystory"}
    assert resources_from_environment(others) == {}
