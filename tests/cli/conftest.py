"""The command line on a warehouse in SQLite and a local DailyStory over real HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.console import SYNCS, Console
from support.scenario import customers, open_scenario

from dagster_dailystory.api.environment import OPTIONAL, REQUIRED


@pytest.fixture
def console(new_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    module = f"syncs_{uuid.uuid4().hex}"
    (tmp_path / f"{module}.py").write_text(SYNCS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for variable in (*REQUIRED, *OPTIONAL):
        monkeypatch.delenv(variable, raising=False)
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(3))
        environment = {
            "WAREHOUSE_URL": scenario.warehouse_url,
            "DAILYSTORY_BASE_URL": scenario.sandbox.base_url,
            "DAILYSTORY_API_TOKEN": scenario.sandbox.token,
            "DAILYSTORY_REQUESTS_PER_SECOND": "1000",
        }
        yield Console(scenario, tmp_path, module, environment)
