"""Schedules, sensors, checks and observed sources that a `defs.yaml` defines, with a webhook over real HTTP."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dagster as dg
import httpx
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.remote_origin import RegisteredCodeLocationOrigin
from dagster._grpc.impl import get_external_sensor_execution
from support.dagster_project import DagsterProject
from support.defs_yaml import PEOPLE, definitions

from dagster_dailystory import Alert, ConfigurationError, DailyStoryError
from dagster_dailystory.definitions.automation.webhooks import webhook
from dagster_dailystory.sandbox import Sandbox

pytestmark = [  # raised by Dagster's YAML loader, and by the observed source
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
    pytest.mark.filterwarnings("ignore:Class `[A-Za-z]*CodeReference"),
    pytest.mark.filterwarnings("ignore:.*multi_observable_source_asset.* is currently in beta"),
    pytest.mark.filterwarnings("ignore:Parameter `execution_type` of initializer `AssetsDefinition"),
    pytest.mark.filterwarnings("ignore:Parameter `execution_type` of function `AssetsDefinition"),
    pytest.mark.filterwarnings("ignore:Parameter `owners` of initializer `SensorDefinition"),
]

ALERT = Alert(
    sync_name="people", condition="rows_rejected", has_ended=False, message="rows rejected: 3", number=3, limit=1
)
ADDRESS = "https://hooks.example/services/SECRET"


@dataclass
class Webhook:
    """A webhook on this machine."""

    address: str
    bodies: list[dict[str, object]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def hook() -> Iterator[Webhook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(made.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made = Webhook(f"http://127.0.0.1:{server.server_port}/services/SECRET")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.instance_for_test() as instance:
        yield DagsterProject.in_folder(tmp_path, sandbox, instance)


def as_code_server(made: dg.Definitions, instance: dg.DagsterInstance) -> SensorExecutionData:
    """Evaluate the alert sensor as the daemon lets a code server do it."""
    origin, never = RegisteredCodeLocationOrigin("here"), None
    found = get_external_sensor_execution(
        made.get_repository_def(), origin, instance.get_ref(), "alerts_people", never, None, None, None, never
    )
    assert isinstance(found, SensorExecutionData), found.error
    return found


def test_a_file_defines_the_whole_automation():
    made = definitions({
        **PEOPLE,
        "source": "analytics.people",
        "schedule": {"cron": "0 6 * * *", "timezone": "Europe/Berlin", "skip_if_running": False},
        "retry": {"max_runs": 2},
        "alerts": {"webhook_variable": "UNSET_WEBHOOK", "max_pending_opt_outs": 0},
        "drift_check": {"sample": 10},
        "flapping_check": {"days": 3},
        "observed_source": {"version_query": "select max(id) from analytics.people"},
        "automation_condition": "{{ every('0 6 * * *', 'Europe/Berlin') }}",
    })  # fmt: skip
    [schedule] = made.schedules
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "Europe/Berlin")
    assert {sensor.name for sensor in made.sensors} == {"retry_people", "alerts_people"}
    complete = dg.Definitions.merge(made, dg.Definitions(resources={"warehouse": 1, "dailystory": 1}))
    dg.Definitions.validate_loadable(complete)
    graph = complete.resolve_asset_graph()
    assert dg.AssetKey(["analytics", "people"]) in graph.observable_asset_keys
    assert {"no_drift", "no_flapping"} <= {key.name for key in graph.asset_check_keys}


def test_an_alert_is_posted_to_the_webhook(project: DagsterProject, hook: Webhook, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPS_WEBHOOK", hook.address)
    monkeypatch.setenv("PEOPLE_URL", project.scenario.warehouse_url)
    monkeypatch.setenv("PEOPLE_TOKEN", project.token)
    made = definitions({
        **PEOPLE,
        "warehouse": {"url_variable": "PEOPLE_URL"},
        "dailystory": {"base_url": project.sandbox.base_url, "api_token_variable": "PEOPLE_TOKEN"},
        "alerts": {"webhook_variable": "OPS_WEBHOOK", "max_rejected_rows": 0},
    })  # fmt: skip
    project.put(1, email="not an address")
    assert made.resolve_job_def("sync_people").execute_in_process(instance=project.instance).success
    assert as_code_server(made, project.instance).skip_message == "alerts sent: 1; conditions that hold: 1"
    [body] = hook.bodies
    assert body["text"].startswith("DailyStory sync people: rows rejected: 1 (1 invalid_email); the limit is 0")
    assert (body["condition"], body["has_ended"], body["number"], body["limit"]) == ("rows_rejected", False, 1, 0)


def test_a_webhook_that_refuses_is_an_error_without_its_address(hook: Webhook, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    hook.status = 404
    with pytest.raises(DailyStoryError, match="OPS_WEBHOOK answered 404") as refused:
        webhook(hook.address, "OPS_WEBHOOK")(ALERT)
    assert "SECRET" not in repr(refused.value) + caplog.text


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ConnectError], ids=lambda each: each.__name__)
def test_a_webhook_that_cannot_be_reached_is_an_error_without_its_address(error: type[httpx.TransportError]):
    def fail(request: httpx.Request) -> httpx.Response:
        raise error(f"no answer from {request.url}", request=request)

    with pytest.raises(DailyStoryError, match="OPS_WEBHOOK cannot be reached") as failed:
        webhook(ADDRESS, "OPS_WEBHOOK", httpx.MockTransport(fail))(ALERT)
    assert "SECRET" not in repr(failed.value)
    assert failed.value.__cause__ is None


def test_the_address_is_in_no_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    webhook(ADDRESS, "OPS_WEBHOOK", httpx.MockTransport(lambda _: httpx.Response(200)))(ALERT)
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize("address", ["SECRET", "ftp://SECRET", "https://"])
def test_what_is_not_the_address_of_a_webhook_is_refused(address: str):
    with pytest.raises(ConfigurationError, match="OPS_WEBHOOK must hold the address") as refused:
        webhook(address, "OPS_WEBHOOK")
    assert "SECRET" not in str(refused.value)


def test_a_variable_that_is_not_set_fails_the_evaluation(project: DagsterProject, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPS_WEBHOOK", raising=False)
    made = definitions({**PEOPLE, "alerts": {"webhook_variable": "OPS_WEBHOOK", "max_rejected_rows": 0}})
    project.put(1, email="not an address")
    assets = [asset for asset in made.assets or () if isinstance(asset, dg.AssetsDefinition)]
    assert project.materialize(assets).success
    [sensor] = made.sensors
    context = dg.build_sensor_context(instance=project.instance, resources=project.resources)
    with pytest.raises(ConfigurationError, match="the environment variable OPS_WEBHOOK is not set"):
        sensor.evaluate_tick(context)
