"""A step process whose run worker was killed stops: Dagster has failed its run, and may start another one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.ui_driver import wait_for

from dagster_dailystory.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROWS = 600
CODE = """\
import dagster as dg
from dagster_dailystory import ContactSync, DailyStoryResource, WarehouseResource, build_contact_sync_assets

people = ContactSync(name="people", source="people", key="id", fields={{"email": "email"}})
defs = dg.Definitions(
    assets=build_contact_sync_assets(people),
    resources={{
        "warehouse": WarehouseResource(url="sqlite:///{folder}/warehouse.sqlite"),
        "dailystory": DailyStoryResource(base_url={base_url!r}, api_token={token!r}, requests_per_second=30),
    }},
    executor=dg.multiprocess_executor,
)
"""


def test_a_step_whose_run_worker_was_killed_stops_sending(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/warehouse.sqlite", poolclass=sa.NullPool)
    rows = ", ".join(f"({number}, 'p{number}@example.com')" for number in range(ROWS))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)")
        connection.exec_driver_sql(f"INSERT INTO people VALUES {rows}")
    with Sandbox() as sandbox:
        text = CODE.format(folder=tmp_path, base_url=sandbox.base_url, token=sandbox.token)
        (tmp_path / "syncs.py").write_text(text, encoding="utf-8")
        dagster = Path(sys.executable).with_name("dagster")
        worker = subprocess.Popen(
            [dagster, "job", "execute", "-f", tmp_path / "syncs.py", "-j", "__ASSET_JOB"],
            env={**os.environ, "DAGSTER_HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(lambda: sandbox.counts.posts > 10, "the first contacts", 150)
        finally:
            worker.kill()
            worker.wait()
        time.sleep(5)
        sent = sandbox.counts.posts
        time.sleep(2)
        assert sandbox.counts.posts == sent < ROWS
