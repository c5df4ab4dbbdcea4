"""Two syncs and a backfill at once keep the rate of the account, with the documented pool and a real daemon."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.ui_driver import dagster_ui, wait_for

from dagster_dailystory.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

PAGE = (Path(__file__).parents[2] / "docs/reference/dagster.md").read_text(encoding="utf-8")
RATE, ROWS, SYNCS = 10, 45, ("one", "two", "sliced")
WORKSPACE = "load_from:\n  - python_file: {relative_path: syncs.py, location_name: syncs}\n"
CODE = """\
import dagster as dg
from dagster_dailystory import (
    ContactSync, DailyStoryResource, HashBuckets, WarehouseResource, build_contact_sync_assets,
)

def assets(name, partitions=None):
    sync = ContactSync(name=name, source="people", key="id", fields={{"email": "email"}}, partitions=partitions)
    return build_contact_sync_assets(sync, warehouse_key=name)

warehouses = {{name: WarehouseResource(url=f"sqlite:///{folder}/{{name}}.sqlite") for name in {syncs}}}
account = DailyStoryResource(base_url={base_url!r}, api_token={token!r}, requests_per_second={rate})
defs = dg.Definitions(
    assets=[*assets("one"), *assets("two"), *assets("sliced", HashBuckets(2))],
    resources={{**warehouses, "dailystory": account}},
    executor=dg.in_process_executor,
)
"""


def people(folder: Path, name: str) -> None:
    """A table of people that no other sync reads."""
    engine = sa.create_engine(f"sqlite:///{folder}/{name}.sqlite", poolclass=sa.NullPool)
    rows = ", ".join(f"({number}, '{name}{number}@example.com')" for number in range(ROWS))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)")
        connection.exec_driver_sql(f"INSERT INTO people VALUES {rows}")


def instance(folder: Path) -> Path:
    """A Dagster home with the settings and the command of the page."""
    (settings,) = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.S) if "concurrency:" in text]
    (command,) = re.findall(r"dagster instance concurrency set .*", PAGE)
    home = folder / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(f"{settings}telemetry: {{enabled: false}}\n", encoding="utf-8")
    program, *arguments = command.split()
    subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        env={**os.environ, "DAGSTER_HOME": str(home)},
        check=True,
        capture_output=True,
    )
    return home


def test_two_syncs_and_a_backfill_keep_the_permitted_rate(tmp_path: Path) -> None:
    for name in SYNCS:
        people(tmp_path, name)
    with Sandbox() as sandbox:
        text = CODE.format(folder=tmp_path, syncs=SYNCS, base_url=sandbox.base_url, token=sandbox.token, rate=RATE)
        (tmp_path / "syncs.py").write_text(text, encoding="utf-8")
        (tmp_path / "workspace.yaml").write_text(WORKSPACE, encoding="utf-8")
        with dagster_ui(tmp_path, instance(tmp_path), {}) as ui:
            for name in ("one", "two"):
                ui.launch("syncs", [f"dailystory/{name}/{noun}" for noun in ("changes", "contacts", "contact_map")])
            ui.launch_backfill("sliced", ["bucket_0", "bucket_1"])
            wait_for(lambda: len(ui.runs()) == 4, "four runs")
            wait_for(lambda: {run["status"] for run in ui.runs()} == {"SUCCESS"}, "four green runs", 150)
            runs = sorted(ui.runs(), key=lambda run: run["startTime"])
        moments = [request.at for request in sandbox.requests() if request.method == "POST"]
        assert len(sandbox.contacts()) == len(moments) == len(SYNCS) * ROWS
    assert all(one["endTime"] <= other["startTime"] for one, other in pairwise(runs)), "one slot, one run"
    busiest = max(sum(start <= moment < start + 1 for moment in moments) for start in moments)
    assert RATE / 2 < busiest <= RATE + 1, "one more where the network delayed a request"
