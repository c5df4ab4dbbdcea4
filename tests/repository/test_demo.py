"""`make demo`, as a newcomer runs it."""

from __future__ import annotations

import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import httpx
import pytest

import definitions
from dagster_dailystory.api.environment import OPTIONAL, REQUIRED
from dagster_dailystory.definitions.resources import DailyStoryResource
from dagster_dailystory.demo.__main__ import free_port
from dagster_dailystory.demo.definitions import customers
from dagster_dailystory.demo.resources import demo_resources
from demo.__main__ import LOCATION, run_demo

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "sql" / "customers.sql"


@dataclass(frozen=True)
class Shown:
    """What the demo showed in a folder with the files of an earlier one: it begins anew."""

    folder: Path
    port: int
    counts: list[Mapping[str, float]]
    text: str
    logged: str


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder, port = tmp_path_factory.mktemp("demo"), free_port(0)
    earlier = folder / ".demo" / "warehouse.duckdb"
    earlier.parent.mkdir()
    earlier.write_text("no database", encoding="utf-8")
    logger, handler = logging.getLogger("dagster_dailystory"), logging.StreamHandler(StringIO())
    handler.setLevel(logging.WARNING)  # what a terminal shows
    logger.addHandler(handler)
    try:
        with redirect_stdout(StringIO()) as text:
            counts = run_demo(folder / ".demo", port)
    finally:
        logger.removeHandler(handler)
    return Shown(folder, port, counts, text.getvalue(), handler.stream.getvalue())


def test_the_demo_sends_every_row_once_and_then_exactly_what_changed(shown: Shown) -> None:
    first, second = shown.counts
    assert (first["rows_read"], first["rows_created"], first["rows_rejected"]) == (2000, 1995, 5)
    done = ("rows_created", "rows_updated", "rows_deleted", "rows_rejected", "rows_unchanged")
    assert [second[name] for name in done] == [25, 40, 15, 5, 1940]
    writes = second["rows_created"] + second["rows_updated"] + second["rows_deleted"]
    assert writes <= second["api_requests"] <= writes + 3
    assert shown.text.index("First run") < shown.text.index("Second run") < shown.text.index("Third act")
    assert "make dev" in shown.text
    assert "http://127.0.0.1:3000  the Dagster UI" in shown.text
    assert "http://127.0.0.1:3000/locations/dailystory/asset-groups/dailystory\n" in shown.text
    assert f"http://127.0.0.1:{shown.port}  the sandbox" in shown.text
    assert shown.logged == "", "the story is not interrupted"
    assert f"{shown.folder / '.demo'}/warehouse.duckdb" in shown.text


def test_the_sandbox_of_make_dev_accepts_the_token_of_the_demo_that_ran_before(shown: Shown) -> None:
    [arguments] = re.findall(r"dagster_dailystory\.sandbox (.*?) &", (ROOT / "Makefile").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "dagster_dailystory.sandbox", *arguments.replace("8019", str(shown.port)).split()]
    with subprocess.Popen(command, cwd=shown.folder, stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            assert sandbox.stdout is not None
            assert "base URL" in sandbox.stdout.readline()
            dailystory = demo_resources(shown.folder / ".demo", shown.port)["dailystory"]
            assert isinstance(dailystory, DailyStoryResource)
            headers = {"Authorization": f"Bearer {dailystory.api_token}"}
            assert httpx.get(f"{dailystory.base_url}/about", headers=headers).status_code == 200
        finally:
            sandbox.terminate()


def test_the_runs_of_the_demo_are_of_the_code_location_that_make_dev_opens() -> None:
    assert f'code_location_name = "{LOCATION}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"location_name: {LOCATION}\n" in (ROOT / "workspace.yaml").read_text(encoding="utf-8")


def test_a_port_in_use_ends_the_demo_with_a_message(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in (*REQUIRED, *OPTIONAL)}
    environment["PYTHONPATH"] = str(ROOT)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; from demo.__main__ import main; sys.exit(main({port}))"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_the_installed_demo_takes_another_port_where_its_own_is_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        used = listener.getsockname()[1]
        assert free_port(used) not in (used, 0)
    assert free_port(used) == used


def test_the_installed_demo_has_the_sync_of_the_repository() -> None:
    assert replace(customers, source=SOURCE) == definitions.customers
    assert isinstance(customers.source, Path)
    assert customers.source.read_bytes() == SOURCE.read_bytes()
