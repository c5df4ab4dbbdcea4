"""A sync whose source is the value of an upstream asset."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from support.dagster_project import QUIET, DagsterProject, people_sync

from dagster_dailystory import FrameSource, build_contact_sync_assets
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.sandbox import Sandbox

ROWS = [1, 2, 3]


@dg.asset
def scored_people() -> pd.DataFrame:
    return pd.DataFrame(
        {"id": ROWS, "email": [f"p{each}@example.com" for each in ROWS], "first_name": "A", "city": "B"}
    )


@pytest.fixture
def project(tmp_path: Path) -> Iterator[DagsterProject]:
    with Sandbox() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        yield DagsterProject.in_folder(tmp_path, sandbox, instance)


def run(project: DagsterProject, *selected: str, **settings: object) -> dg.ExecuteInProcessResult:
    sync = people_sync(source=FrameSource(complete=True), **settings)
    made = build_contact_sync_assets(sync, frame="scored_people", retry_policy=None)
    assets = [scored_people, *made]
    selection = dg.AssetSelection.assets(*selected).without_checks() if selected else None
    return dg.materialize(
        assets, selection=selection, instance=project.instance, resources=project.resources, run_config=QUIET
    )


def test_a_frame_of_an_upstream_asset_is_sent(project: DagsterProject):
    result = run(project)
    assert len(project.sandbox.contacts()) == 3
    changes = next(e for e in result.get_asset_materialization_events() if e.asset_key.path[-1] == "changes")
    assert changes.materialization.metadata["rows_read"].value == 3


def test_the_stored_frame_is_read_by_a_later_run(project: DagsterProject):
    run(project, "scored_people")
    assert run(project, "dailystory/people/changes", "dailystory/people/contacts").success
    assert len(project.sandbox.contacts()) == 3


def test_the_frame_is_upstream_of_the_assets(project: DagsterProject):
    sync = people_sync(source=FrameSource())
    made = build_contact_sync_assets(sync, frame="scored_people", deps=["other"])
    specs = {spec.key.path[-1]: {dep.asset_key.to_user_string() for dep in spec.deps} for a in made for spec in a.specs}
    assert specs["changes"] == {"other", "scored_people"}
    assert specs["contacts"] == {"dailystory/people/changes", "scored_people"}


@pytest.mark.parametrize(
    ("source", "frame", "told"),
    [(FrameSource(), None, "name the asset that makes it"), ("people", "scored_people", "reads a warehouse")],
)
def test_a_frame_and_its_asset_belong_together(source: object, frame: object, told: str):
    with pytest.raises(ConfigurationError, match=told):
        build_contact_sync_assets(people_sync(source=source), frame=frame)
