"""After crashes, deletions elsewhere and refusals: one run later, DailyStory equals the source again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from support.faults import crash_after_a_write, crash_at, flaky_account
from support.scenario import Scenario, customer, customers, open_scenario, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.errors import SafetyError


def refusing_account(scenario: Scenario, status: int) -> AccountSettings:
    """An account that answers every write with one status."""
    deaf = flaky_account(scenario, lambda _method, _url, content: content is None, status)
    return replace(deaf, max_attempts=9, max_seconds_per_row=0.5, first_wait_seconds=0.01, longest_wait_seconds=0.02)


@contextmanager
def crash_after_the_position_is_stored() -> Iterator[None]:
    """The run ends at its first statement after it committed how far it would send."""
    stored: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_others: object) -> None:
        stored.extend(["written"] if "SET left_priority" in statement else [])

    def commit(_conn: object) -> None:
        stored.extend(["committed"] if stored else [])

    sa.event.listen(sa.Engine, "after_cursor_execute", note)
    sa.event.listen(sa.Engine, "commit", commit)
    try:
        with crash_at(1, lambda: "committed" in stored):
            yield
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", note)
        sa.event.remove(sa.Engine, "commit", commit)


def dsids(scenario: Scenario) -> dict[str, str]:
    """Key -> dsid."""
    return {str(row["customer_id"]): row["dsid"] for row in scenario.rows("contact_map")}


def test_rows_that_swap_emails_are_rejected_until_one_changes(new_database):
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(3))
        scenario.run()
        before = dsids(scenario)
        scenario.update(1, email="p2@example.com")
        scenario.update(2, email="p1@example.com")
        swapped = scenario.run()
        assert (swapped.rows_rejected, swapped.api_requests) == (2, 0)
        assert scenario.rejections() == {"1": "identity_cycle", "2": "identity_cycle"}
        scenario.update(2, email="between@example.com")
        assert scenario.run().rows_updated == 2
        scenario.update(2, email="p1@example.com")
        assert scenario.run().rows_updated == 1
        assert (dsids(scenario), scenario.rejections()) == (before, {})
        assert scenario.contact_map() == {"1": "p2@example.com", "2": "p1@example.com", "3": "p3@example.com"}


def test_a_contact_is_not_deactivated_while_another_sync_holds_it(new_database):
    sync, leads = sync_of(deletes="deactivate"), sync_of(name="leads", source="leads")
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(2))
        scenario.seed(customer(71, email="p1@example.com"), table="leads")
        scenario.run(sync)
        scenario.run(leads)
        scenario.delete(1, 2)
        assert scenario.run(sync_of(deletes="deactivate", allow_empty_source=True)).rows_deleted == 1
        assert [scenario.contact(f"p{number}@example.com")["status"] for number in (1, 2)] == ["Active", "Inactive"]


def test_a_contact_deleted_elsewhere_is_created_again_once(new_database):
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(2))
        scenario.run()
        before = dsids(scenario)
        scenario.sandbox.remove(before["1"])
        assert scenario.run().api_requests == 0, "without a difference no contact is looked up"
        scenario.update(1, city="Rome")
        assert scenario.run().rows_created == 1
        assert scenario.contact("p1@example.com")["firstName"] == "Name 1", "every field is sent, not only the city"
        assert dsids(scenario) == {"1": scenario.contact("p1@example.com")["dsId"], "2": before["2"]}
        assert scenario.run().api_requests == 0


def test_rows_without_a_unique_key_are_rejected_up_to_the_limit(new_database):
    """NULL and duplicate keys count as rejected rows; beyond the limit the plan is blocked."""
    guarded = sync_of(max_rejected_fraction=0.3, min_guard_rows=1)
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(7), customer(None), customer(8), customer(8, city="Rome"))
        assert (scenario.run(guarded).rows_created, scenario.rejections()) == (
            7,
            {"None": "null_key", "8": "duplicate_key"},
        )
        scenario.insert(customer(None))
        scenario.sandbox.clear_journal()
        with pytest.raises(SafetyError, match=r"rejected_share: 4 of 11 "):
            scenario.run(guarded)
        assert scenario.sandbox.counts.requests == 0


def test_a_value_changed_back_after_a_lost_update_is_sent_again(scenario: Scenario) -> None:
    scenario.seed(*customers(2))
    scenario.run()
    scenario.update(1, city="Rome")
    crash_after_a_write(scenario)
    scenario.update(1, city="Paris")
    assert scenario.contact("p1@example.com")["city"] == "Rome"
    scenario.run()
    assert scenario.sent() == [("p1@example.com", "update", {"city": "Paris"})]
    assert scenario.run().outcome == "empty"


def test_a_row_that_is_back_keeps_its_status_after_a_lost_deactivation(scenario: Scenario) -> None:
    """It is unknown whether this sync or a person in DailyStory set it."""
    sync = sync_of(deletes="deactivate", max_deleted_fraction=None)
    scenario.seed(*customers(2))
    scenario.run(sync)
    scenario.delete(1)
    crash_after_a_write(scenario, sync)
    assert scenario.contact("p1@example.com")["status"] == "Inactive"
    scenario.insert(customer(1))
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["status"] == "Inactive"
    assert scenario.run(sync).outcome == "empty"
    scenario.delete(1)
    scenario.run(sync)
    scenario.insert(customer(1))
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["status"] == "Active", "that deactivation was acknowledged"


@pytest.mark.parametrize("reply", ["500", "429", "killed"])
def test_marketings_inactive_stays_after_a_deactivation_that_never_landed(new_database, reply: str) -> None:
    sync = sync_of(deletes="deactivate", max_deleted_fraction=None)
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(3))
        scenario.run(sync)
        scenario.edit("p1@example.com", status="Inactive")
        scenario.delete(1)
        if reply == "killed":
            with crash_after_the_position_is_stored():
                scenario.run(sync)
            scenario.execute_state("UPDATE dailystory_meta SET holder = NULL")
        else:
            plan_run(sync, scenario.warehouse, scenario.account, run_id="run")
            deaf = refusing_account(scenario, int(reply))
            send_run(sync, scenario.warehouse, deaf, ["run"])
        scenario.insert(customer(1))
        scenario.run(sync)
        assert scenario.contact("p1@example.com")["status"] == "Inactive"
        assert scenario.run(sync).outcome == "empty"


def test_a_lost_new_email_keeps_its_contact_under_a_new_key(scenario: Scenario) -> None:
    sync = sync_of(deletes="deactivate", max_deleted_fraction=None)
    scenario.sandbox.configure(duplicates_allowed=True)
    scenario.seed(*customers(2))
    scenario.run(sync)
    dsid = scenario.contact("p1@example.com")["dsId"]
    scenario.update(1, email="New@Example.com")
    crash_after_a_write(scenario, sync)
    scenario.delete(1)
    scenario.insert(customer(3, email="New@Example.com"))
    scenario.run(sync)
    assert scenario.contact("new@example.com")["dsId"] == dsid
    assert scenario.emails() == ["New@Example.com", "p2@example.com"]
    assert scenario.contact("new@example.com")["status"] == "Active"
    assert scenario.rows("intents") == []
    assert scenario.run(sync).outcome == "empty"
