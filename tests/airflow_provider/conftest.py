"""Fixtures with an Airflow. They import it: only `make test-airflow` has an environment with it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.airflow_runs import DAGS, World, new_home

from dagster_dailystory.sandbox import Sandbox

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "airflow.md"


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an Airflow with an empty database, which this process uses."""
    home = tmp_path_factory.mktemp("airflow") / "home"
    files = {file.name: file.read_text(encoding="utf-8") for file in DAGS.glob("*.py")}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    files |= {f"block_{number}.py": block.replace("analytics.", "") for number, block in enumerate(blocks)}
    new_home(home, files)
    return home


@pytest.fixture
def world(airflow_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A warehouse with people and a DailyStory, to which the connections of the DAGs lead."""
    with Sandbox() as sandbox:
        made = World(airflow_home, tmp_path / "warehouse.sqlite", sandbox)
        for name, value in made.connections().items():
            monkeypatch.setenv(name, value)
        yield made
    assert os.environ["AIRFLOW_HOME"] == str(airflow_home)
