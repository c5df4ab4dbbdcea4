"""Refusals, failures and cut connections together: every row arrives, and is created once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pytest
import sqlalchemy as sa

from dagster_dailystory.errors import OutageError
from dagster_dailystory.functions import run_contact_sync
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import FaultShares, Sandbox, SandboxSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROWS, STRICT_ROWS = 20_000, 4_000
Person = tuple[str, str, dict[str, str]]
CREATE = "CREATE TABLE people (id INTEGER, email TEXT, first_name TEXT, city TEXT, plan TEXT)"
STORM = FaultShares(throttled=0.05, server_error=0.05, html_503=0.02, cut_before=0.02, cut_after=0.02)
SYNC = ContactSync(
    name="customers",
    source="people",
    key="id",
    fields={"email": "email", "firstName": "first_name", "city": "city"},
    extended_properties={"plan": "plan"},
    canary_rows=0,
)


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("strict", [False, True], ids=["usual", "strict"])
def test_twenty_thousand_rows_get_through_a_fault_storm(
    warehouse_url: str, strict: bool, record_property: Callable[[str, object], None]
) -> None:
    people = people_of(STRICT_ROWS if strict else ROWS)
    fill(warehouse_url, people)
    # Short waits: this proves what arrives, not when.
    settings = SandboxSettings(faults=STORM, retry_after_seconds=0, duplicates_allowed=True, strict=strict)
    with Sandbox(settings, seed=7) as sandbox:
        for run in range(3):
            report = run_once(warehouse_url, sandbox)
            record_property(f"run {run}", report)
            if report == "done":
                break
        contacts = sandbox.contacts()
        assert {c["email"]: (c["firstName"], c["city"], c["extendedProperties"]) for c in contacts} == people
        assert set(sandbox.creates_by_identity().values()) == {1}
        assert len(contacts) == len(people)
        requests = sandbox.counts.requests
        record_property("requests", requests)
        sandbox.configure(faults=FaultShares())
        assert run_once(warehouse_url, sandbox) == "empty"
        assert sandbox.counts.posts + sandbox.counts.gets <= requests


def fill(url: str, people: Mapping[str, Person]) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(CREATE)
        rows = [
            {"id": i, "email": email, "first_name": first_name, "city": city, "plan": custom["plan"]}
            for i, (email, (first_name, city, custom)) in enumerate(people.items())
        ]
        connection.execute(sa.text("INSERT INTO people VALUES (:id, :email, :first_name, :city, :plan)"), rows)
    engine.dispose()


def people_of(rows: int) -> dict[str, Person]:
    """Email -> the contact that the source asks for."""
    return {email_of(i): (f"Name{i}", f"City{i % 90}", {"plan": f"p{i % 7}"}) for i in range(rows)}


def email_of(number: int) -> str:
    """An address in one of the spellings that an exact look-up tells apart."""
    domains = ("example.com", "Example.com", "xn--mller-kva.example", "m\u00fcller.example")
    return f"{'P' if number % 3 else 'p'}erson{number}@{domains[number % len(domains)]}"


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
