"""The audit, against a real sandbox and a real SQLite warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.functions import run_contact_sync
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Sandbox

CUSTOMERS = ContactSync(
    name="customers",
    source="customers",
    key="id",
    fields={"email": "email", "city": "city", "mobilePhone": "mobile", "optOutSms": "no_sms"},
    extended_properties={"plan": "plan"},
)


class Synced:
    """Three synced customers."""

    def __init__(self, url: str, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.account = AccountSettings(sandbox.base_url, sandbox.token, 1000)
        with open_engine(url).begin() as connection:
            connection.exec_driver_sql("create table customers (id, email, city, mobile, no_sms, plan)")
            connection.exec_driver_sql(
                "insert into customers values (1, 'ann@example.com', 'Oslo', '+14155552671', 1, 'gold'),"
                " (2, 'bob@example.com', 'Rome', null, 0, 'free'), (3, 'eve@example.com', 'Bern', null, null, null)"
            )
        self.warehouse = Warehouse.at(url)
        self.run()

    def run(self) -> SyncReport:
        return run_contact_sync(
            CUSTOMERS,
            warehouse_url=self.warehouse.url,
            base_url=self.sandbox.base_url,
            api_token=self.sandbox.token,
            requests_per_second=1000,
        )

    def dsid(self, email: str) -> str:
        contact = self.sandbox.find(email=email)
        assert contact is not None
        return str(contact["dsId"])


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[Synced]:
    with Sandbox() as sandbox:
        yield Synced(f"sqlite:///{tmp_path / 'warehouse.db'}", sandbox)


def test_untouched_contacts_have_no_drift(synced: Synced) -> None:
    report = audit_contacts(CUSTOMERS, synced.warehouse, synced.account)
    assert (report.contacts_read, report.is_clean, dict(report.drift_by_field)) == (3, True, {})


def test_letter_case_and_phone_format_are_not_drift(synced: Synced) -> None:
    synced.sandbox.edit(synced.dsid("ann@example.com"), city="OSLO", mobilePhone="(1) 415-555-2671")
    assert audit_contacts(CUSTOMERS, synced.warehouse, synced.account).is_clean


def test_edits_in_dailystory_are_reported_and_repaired_by_the_next_run(synced: Synced) -> None:
    ann, bob = synced.dsid("ann@example.com"), synced.dsid("bob@example.com")
    synced.sandbox.edit(ann, city="Paris", extendedProperties={"plan": "silver"}, optOutSms=False)
    synced.sandbox.edit(bob, city="Paris")
    report = audit_contacts(CUSTOMERS, synced.warehouse, synced.account, repair=True)
    assert dict(report.drift_by_field) == {"city": 2, "plan": 1, "optOutSms": 1}
    assert (report.contacts_drifted, sorted(report.keys)) == (2, ["1", "2"])
    assert synced.run().rows_updated == 2
    assert audit_contacts(CUSTOMERS, synced.warehouse, synced.account).is_clean
    assert synced.run().rows_to_update == 0


def test_an_audit_without_repair_changes_nothing(synced: Synced) -> None:
    synced.sandbox.edit(synced.dsid("bob@example.com"), city="Paris")
    assert not audit_contacts(CUSTOMERS, synced.warehouse, synced.account).is_clean
    assert synced.run().api_requests == 0


def test_missing_and_deleted_contacts_are_recorded_by_a_repair_and_not_made_again(synced: Synced) -> None:
    synced.sandbox.remove(synced.dsid("eve@example.com"))
    synced.sandbox.edit(synced.dsid("bob@example.com"), status="Deleted")
    report = audit_contacts(CUSTOMERS, synced.warehouse, synced.account)
    assert (report.contacts_missing, report.contacts_deleted, report.contacts_drifted) == (1, 1, 0)
    assert audit_contacts(CUSTOMERS, synced.warehouse, synced.account) == report, "nothing was recorded"
    report = audit_contacts(CUSTOMERS, synced.warehouse, synced.account, repair=True)
    assert (report.contacts_missing, report.contacts_deleted, sorted(report.keys)) == (1, 1, ["2", "3"])
    with open_engine(synced.warehouse.url).begin() as connection:
        connection.exec_driver_sql("update customers set city = 'Lima'")
    report = synced.run()
    assert (report.rows_updated, report.rows_created, report.rows_held) == (1, 0, 2)
    assert synced.sandbox.find(email="eve@example.com") is None
    assert synced.sandbox.contacts()[1]["status"] == "Deleted"
    again = audit_contacts(CUSTOMERS, synced.warehouse, synced.account, repair=True)
    assert (again.contacts_read, again.is_clean) == (1, True)


def test_a_contact_that_is_gone_is_created_again_if_that_is_asked_for(synced: Synced) -> None:
    synced.sandbox.remove(synced.dsid("eve@example.com"))
    report = audit_contacts(CUSTOMERS, synced.warehouse, synced.account, repair=True, recreate=True)
    assert (report.contacts_missing, report.keys) == (1, ("3",))
    synced.run()
    again = synced.sandbox.find(email="eve@example.com")
    assert again is not None
    assert again["city"] == "Bern"
    assert audit_contacts(CUSTOMERS, synced.warehouse, synced.account).is_clean
