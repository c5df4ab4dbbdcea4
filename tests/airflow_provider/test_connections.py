"""Airflow's connections as settings of the engine, and what Airflow knows of the provider."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from support.airflow_runs import World, run_dag

from dagster_dailystory.errors import ConfigurationError

pytestmark = [pytest.mark.airflow, pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("airflow_home")]

MODULES = ("groups", "hook", "operators", "warehouse", "failures", "provider_info", "connections")


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
        (
            json.dumps(
                {
                    "conn_type": "dailystory",
                    "host": "us-1.dailystory.com",
                    "password": "secret",
                    "extra": {
                        "requests_per_second": None,
                        "timeout_seconds": None,
                        "max_attempts": "",
                        "max_concurrency": 4,
                    },
                }
            ),
            {"requests_per_second": None, "timeout_seconds": 30.0, "max_attempts": 9, "max_concurrency": 4},
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
    ("connection", "message"),
    [
        (None, "Airflow has no connection 'dailystory_default' that this task can read; add it"),
        ("{secret", "Airflow has no connection 'dailystory_default'"),
        ({"extra": "secret"}, "the extra of connection 'dailystory_default' is not a JSON object"),
        ({"extra": "[1]"}, "the extra of connection 'dailystory_default' is not a JSON object"),
        ({"conn_type": "http", "host": "host", "password": "secret"}, "is of the type 'http'"),
        ({"password": "secret"}, "connection 'dailystory_default': base_url must"),
        ({"host": "host"}, "connection 'dailystory_default': api_token is empty"),
    ],
)
def test_a_connection_that_cannot_be_used_is_named(
    connection: Any, message: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    from dagster_dailystory.airflow_provider import DailyStoryHook

    monkeypatch.delenv("AIRFLOW_CONN_DAILYSTORY_DEFAULT", raising=False)
    if connection is not None:
        is_text = isinstance(connection, str)
        text = connection if is_text else json.dumps({"conn_type": "dailystory", **connection})
        monkeypatch.setenv("AIRFLOW_CONN_DAILYSTORY_DEFAULT", text)
    with pytest.raises(ConfigurationError, match=re.escape(message)) as refused:
        DailyStoryHook().account_settings()
    assert "secret" not in f"{refused.value}{caplog.text}"


def test_a_missing_connection_of_a_database_is_named():
    from dagster_dailystory.airflow_provider.warehouse import database_url

    with pytest.raises(ConfigurationError, match="Airflow has no connection 'missing' that this task can read"):
        database_url("missing")


@pytest.mark.parametrize("conn_id", ["WAREHOUSE", "DAILYSTORY_DEFAULT"])
def test_a_missing_connection_costs_one_try(
    conn_id: str, world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    world.seed(1)
    monkeypatch.delenv(f"AIRFLOW_CONN_{conn_id}")
    run = run_dag("to_dailystory")
    assert (run.tasks["plan"], run.tries["plan"]) == ("failed", 1)
    assert f"Airflow has no connection '{conn_id.lower()}'" in "".join(capfd.readouterr())


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
