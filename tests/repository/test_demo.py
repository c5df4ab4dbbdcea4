"""`make demo`, as a newcomer runs it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_dailystory.definitions.resources import OPTIONAL, REQUIRED, resources_from_environment
from dagster_dailystory.errors import ConfigurationError
from demo.__main__ import run_demo

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_the_demo_sends_everybody_once_and_then_exactly_what_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run twice: a second start begins anew."""
    for _ in range(2):
        first, second = run_demo(tmp_path / "demo", free_port())
        assert (first["rows_read"], first["rows_created"], first["rows_rejected"]) == (2000, 1995, 5)
        done = ("rows_created", "rows_updated", "rows_deleted", "rows_rejected", "rows_unchanged")
        assert [second[name] for name in done] == [25, 40, 15, 5, 1940]
        writes = second["rows_created"] + second["rows_updated"] + second["rows_deleted"]
        assert writes <= second["api_requests"] <= writes + 3
    shown = capsys.readouterr().out
    assert "First run" in shown
    assert "make dev" in shown


def test_a_port_in_use_ends_the_demo_with_a_message(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in (*REQUIRED, *OPTIONAL)}
    environment["PYTHONPATH"] = str(ROOT)
    with socket.create_server(("127.0.0.1", 8019)) as _:
        done = subprocess.run(
            [sys.executable, "-m", "demo"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 1
    assert "8019" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_variables_the_resources_are_the_demos() -> None:
    assert "127.0.0.1" in resources_from_environment({})["dailystory"].base_url


def test_half_of_a_real_configuration_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="DAILYSTORY_API_TOKEN is not"):
        resources_from_environment(
            {"WAREHOUSE_URL": "sqlite:///x", "DAILYSTORY_BASE_URL": "https://us-1.dailystory.com"}
        )


def test_a_rate_that_is_no_number_is_refused_by_name() -> None:
    given = dict.fromkeys(REQUIRED, "x") | {"DAILYSTORY_REQUESTS_PER_SECOND": "many"}
    with pytest.raises(ConfigurationError, match="DAILYSTORY_REQUESTS_PER_SECOND"):
        resources_from_environment(given)
