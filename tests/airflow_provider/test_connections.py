"""Airflow's connections as settings of the engine, and what Airflow knows of the provider."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support.airflow_runs import World

from dagster_dailystory.errors import ConfigurationError

pytestmark = [pytest.mark.airflow, pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("airflow_home")]

MODULES = ("groups", "hook", "operators", "warehouse", "failures", "provider_info")


@pytest.mark.parametrize(
    ("connection", "settings"),
    [
        (
            json.dumps({"conn_type": "dailystory", "host": "us-1.dailystory.com", "password": "secret"}),
            {"base_url": "https://us-1.dailystory.com/api/v1"},
        ),
        (
            json.dumps(
                {
                    "conn_type": "dailystory",
                    "host": "https://us-1.dailystory.com/api/v1",
                    "password": "secret",
                    "extra": {"requests_per_second": 5, "max_concurrency": 4},
                }
            ),
            {"requests_per_second": 5, "max_concurrency": 4},
        ),
        (
            "dailystory://:secret@us-1.dailystory.com/api/v1?requests_per_second=2.5&accept_account=true",
            {"base_url": "https://us-1.dailystory.com/api/v1", "requests_per_second": 2.5, "accept_account": True},
        ),
        (
            json.dumps({"conn_type": "dailystory", "host": "http://127.0.0.1", "port": 8019, "password": "secret"}),
            {"base_url": "http://127.0.0.1:8019/api/v1"},
        ),
    ],
)
def test_the_fields_of_a_connection_are_the_settings_of_the_account(
    connection: str, settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
):
    from dagster_dailystory.airflow_provider import DailyStoryHook

    monkeypatch.setenv("AIRFLOW_CONN_DAILYSTORY_DEFAULT", connection)
    account = DailyStoryHook().account_settings()
    assert {name: getattr(account, name) for name in settings} == settings
    assert account.api_token == "secret"


def test_an_extra_that_an_account_does_not_have_is_an_error(monkeypatch: pytest.MonkeyPatch):
    from dagster_dailystory.airflow_provider import DailyStoryHook

    monkeypatch.setenv("AIRFLOW_CONN_DAILYSTORY_DEFAULT", "dailystory://:secret@host?request_per_second=5")
    with pytest.raises(ConfigurationError, match="did you mean 'requests_per_second'"):
        DailyStoryHook().account_settings()


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ("postgres://ann:p%40ss@db:5433/analytics?sslmode=require&cursor=x",
         "postgresql+psycopg://ann:p%40ss@db:5433/analytics?sslmode=require"),
        (json.dumps({"conn_type": "generic", "extra": {"sqlalchemy_url": "mysql+pymysql://ann:secret@db/shop"}}),
         "mysql+pymysql://ann:secret@db/shop"),
    ],
)  # fmt: skip
def test_a_connection_of_a_database_is_its_url(connection: str, url: str, monkeypatch: pytest.MonkeyPatch):
    from dagster_dailystory.airflow_provider.warehouse import database_url

    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", connection)
    assert database_url("warehouse") == url


def test_the_password_of_a_url_is_masked_in_logs(monkeypatch: pytest.MonkeyPatch):
    from airflow.sdk._shared.secrets_masker import redact

    from dagster_dailystory.airflow_provider.warehouse import database_url

    connection = {"conn_type": "generic", "extra": {"sqlalchemy_url": "mysql+pymysql://ann:hidden-word@db/shop"}}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
    database_url("warehouse")
    assert redact("hidden-word") == "***"


def test_airflow_lists_the_connection_type(world: World):
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    assert "dagster-dailystory" in manager.providers
    hook = manager.hooks["dailystory"]
    assert hook is not None
    assert hook.hook_name == "DailyStory"


def test_the_provider_loads_no_dagster():
    load = "; ".join(f"import dagster_dailystory.airflow_provider.{name}" for name in MODULES)
    check = "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'dagster')[:1])"
    ran = subprocess.run([sys.executable, "-c", f"import sys; {load}; {check}"], capture_output=True, text=True)
    assert ran.stdout.strip().endswith("[]"), ran.stderr
