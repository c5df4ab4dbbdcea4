"""A state that an earlier version wrote goes on with this one; `support/freeze_state.py` writes them down."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from support import freeze_state

from dagster_dailystory import SyncReport, run_contact_sync
from dagster_dailystory.sandbox import Sandbox

STATES = Path(__file__).with_name("states")
FORMER_URL = f"http://127.0.0.1:{freeze_state.PORT}/api/v1"


@dataclass
class EarlierState:
    """A warehouse with its state, and the sandbox with its contacts."""

    url: str
    sandbox: Sandbox

    def run(self, name: str, partition: str | None = None) -> SyncReport:
        return run_contact_sync(
            freeze_state.SYNCS[name],
            warehouse_url=self.url,
            base_url=self.sandbox.base_url,
            api_token=self.sandbox.token,
            requests_per_second=math.inf,
            partition=partition,
        )


@pytest.fixture(params=sorted(folder.name for folder in STATES.iterdir() if folder.name.isdigit()))
def version(request: pytest.FixtureRequest) -> str:
    """A version of the state tables."""
    return str(request.param)


@pytest.fixture
def earlier(
    version: str, engine_name: str, new_database: Callable[[str], str], tmp_path: Path
) -> Iterator[EarlierState]:
    url = new_database(engine_name)
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT").execution_options(
        no_parameters=True
    )
    statements = (STATES / version / f"{engine_name}.sql").read_text(encoding="utf-8")
    store = tmp_path / "sandbox.json"
    shutil.copy(STATES / version / f"{engine_name}.json", store)
    with Sandbox(store=store) as sandbox, engine.connect() as connection:
        for statement in statements.split(";\n"):
            if statement.strip() not in ("", "BEGIN TRANSACTION", "COMMIT"):
                connection.exec_driver_sql(statement.replace(FORMER_URL, sandbox.base_url))
        yield EarlierState(url, sandbox)


def test_an_interrupted_run_is_completed_with_each_contact_once(earlier: EarlierState):
    report = earlier.run("customers")
    assert report.outcome == "done"
    assert (report.rows_held, report.rows_rejected, report.rows_to_delete) == (1, 1, 0)
    emails = [contact["email"] for contact in earlier.sandbox.contacts() if contact["email"].startswith("customer")]
    assert sorted(emails) == sorted(f"customer{number}@example.com" for number in range(1, 61) if number not in (3, 4))
    assert earlier.sandbox.find(email="customer5@example.com")["status"] == "Inactive"
    again = earlier.run("customers")
    assert (again.outcome, again.api_requests, again.rows_unchanged) == ("empty", 0, 57)


def test_slices_of_an_earlier_state_send_nothing(earlier: EarlierState):
    reports = [earlier.run("regional", name) for name in ("emea", "amer", "other_values")]
    assert [(report.rows_unchanged, report.api_requests) for report in reports] == [(4, 0)] * 3


@pytest.mark.parametrize("engine_name", ["duckdb", "postgresql"])
def test_a_checkpoint_of_an_earlier_state_is_used(earlier: EarlierState):
    report = earlier.run("recent")
    assert report.api_requests == 0
    assert report.rows_read < 10, "only rows from the checkpoint on are read"
