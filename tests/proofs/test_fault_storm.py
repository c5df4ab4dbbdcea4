"""Refusals, failures and cut connections together: every row arrives, and is created once."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from dagster_dailystory.engine.run import run_contact_sync
from dagster_dailystory.errors import OutageError
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import FaultShares, Sandbox, SandboxSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROWS = 20_000
CREATE = "CREATE TABLE people (id INTEGER, email TEXT, first_name TEXT, city TEXT, plan TEXT)"
STORM = FaultShares(throttled=0.05, server_error=0.05, html_503=0.02, cut_before=0.02, cut_after=0.02)
SYNC = ContactSync(
    name="customers",
    source="people",
    key="id",
    fields={"email": "email", "firstName": "first_name", "city": "city"},
    extended_properties={"plan": "plan"},
)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_twenty_thousand_rows_get_through_a_fault_storm(
    warehouse_url: str, record_property: Callable[[str, object], None]
) -> None:
    fill(warehouse_url)
    # Short waits: this proves what arrives, not when.
    settings = SandboxSettings(faults=STORM, retry_after_seconds=0, duplicates_allowed=True)
    with Sandbox(settings, seed=7) as sandbox:
        for run in range(3):
            report = run_once(warehouse_url, sandbox)
            record_property(f"run {run}", report)
            if report == "done":
                break
        contacts = sandbox.contacts()
        assert {c["email"]: (c["firstName"], c["city"], c["extendedProperties"]) for c in contacts} == people()
        assert set(sandbox.creates_by_identity().values()) == {1}
        assert len(contacts) == ROWS
        requests = sandbox.counts.requests
        record_property("requests", requests)
        sandbox.configure(faults=FaultShares())
        assert run_once(warehouse_url, sandbox) == "empty"
        assert sandbox.counts.posts + sandbox.counts.gets <= requests


def fill(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(CREATE)
        rows = [
            {"id": i, "email": email, "first_name": first_name, "city": city, "plan": custom["plan"]}
            for i, (email, (first_name, city, custom)) in enumerate(people().items())
        ]
        connection.execute(sa.text("INSERT INTO people VALUES (:id, :email, :first_name, :city, :plan)"), rows)
    engine.dispose()


def people() -> dict[str, tuple[str, str, dict[str, str]]]:
    """Email -> the contact that the source asks for."""
    return {f"person{i}@example.com": (f"Name{i}", f"City{i % 90}", {"plan": f"p{i % 7}"}) for i in range(ROWS)}


def run_once(url: str, sandbox: Sandbox) -> str:
    """The outcome of one run, or why it stopped."""
    try:
        report = run_contact_sync(
            SYNC,
            warehouse_url=url,
            base_url=sandbox.base_url,
            api_token=sandbox.token,
            requests_per_second=math.inf,
            max_concurrency=32,
        )
    except OutageError as stopped:
        return str(stopped)
    return report.outcome
