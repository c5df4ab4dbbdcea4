"""Dagster's own storage in PostgreSQL beside the extra `postgres`: the setting of docs/reference/dagster.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml
from support.dagster_project import DagsterProject, people_sync

from dagster_dailystory import build_contact_sync_assets
from dagster_dailystory.sandbox import Sandbox

PAGE = (Path(__file__).parents[2] / "docs/reference/dagster.md").read_text(encoding="utf-8")
VARIABLE = "DAGSTER_POSTGRES_URL"


@pytest.fixture
def url(new_database: Callable[[str], str]) -> sa.URL:
    """An empty database, by the driver that the page names."""
    (scheme,) = re.findall(rf"{VARIABLE}}} # (\S+)://", PAGE)
    return sa.make_url(new_database("postgresql")).set(drivername=scheme)


def setting() -> str:
    (text,) = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.S) if VARIABLE in text]
    return text


@pytest.fixture
def instance(
    url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[dg.DagsterInstance]:
    """An instance whose dagster.yaml is that of the page, or has the parts of the URL."""
    monkeypatch.setenv(VARIABLE, url.render_as_string())
    text = setting()
    if request.param == "parts":
        (scheme,) = re.findall(r"add `scheme: (\S+)`", PAGE)
        folder = str(url.query["host"])
        parts = {"username": url.username, "hostname": "", "db_name": url.database, "params": {"host": folder}}
        parts |= {"password": "", "scheme": scheme}
        text = yaml.safe_dump({"storage": {"postgres": {"postgres_db": parts}}})
    (tmp_path / "dagster.yaml").write_text(f"{text}telemetry: {{enabled: false}}\n", encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


@pytest.mark.parametrize("instance", ["url", "parts"], indirect=True)
def test_a_sync_runs_and_its_events_are_stored(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        project = DagsterProject.in_folder(tmp_path, sandbox, instance)
        project.put(1, 2)
        run = project.materialize(build_contact_sync_assets(people_sync()))
        assert run.success
        assert len(sandbox.contacts()) == 2
    key = dg.AssetKey(["dailystory", "people", "contacts"])
    event = instance.get_latest_materialization_event(key)
    assert event is not None
    assert event.run_id == run.run_id
