"""Promise 6: a contact that opted out stays out, by each route that a false flag could take."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.scenario import Scenario, customer, open_scenario, sync_of

FIELDS = {"email": "email", "city": "city", "optOutEmail": "opted_out"}
SYNC = sync_of(fields=FIELDS)


@pytest.fixture
def scenario(new_database: Callable[[str], str]) -> Iterator[Scenario]:
    """Two synced contacts have opted out in DailyStory; the source does not know it yet."""
    with open_scenario(new_database) as made:
        made.seed(customer(1), customer(2))
        made.run(SYNC)
        for email in ("p1@example.com", "p2@example.com"):
            made.edit(email, optOutEmail=True)
        made.sandbox.clear_journal()
        yield made
        assert all(contact["optOutEmail"] for contact in made.sandbox.contacts())
        for write in made.sandbox.writes():
            assert write.payload.get("optOutEmail", True) is True
            assert write.payload.get("status") != "Active"


def test_a_false_in_the_source_opts_no_contact_in(scenario: Scenario):
    scenario.update(1, opted_out=False, city="Rome")
    scenario.update(2, opted_out=False)
    report = scenario.run(SYNC)
    assert report.rows_updated == 1, "a false alone is no difference"
    assert scenario.contact("p1@example.com")["city"] == "Rome"
    assert scenario.run(SYNC).api_requests == 0


@pytest.mark.parametrize("nulls", ["keep", "clear"])
def test_a_null_in_the_source_opts_no_contact_in(scenario: Scenario, nulls: str):
    sync = sync_of(fields=FIELDS, nulls=nulls)
    scenario.update(1, opted_out=True)
    scenario.run(sync)
    scenario.update(1, opted_out=None, city="Rome")
    scenario.update(2, opted_out=None, city=None)
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["city"] == "Rome"
    assert scenario.run(sync).api_requests == 0


def test_a_flag_that_turns_false_is_recorded_and_not_sent(scenario: Scenario):
    scenario.update(1, opted_out=True)
    assert scenario.run(SYNC).rows_updated == 1
    scenario.update(1, opted_out=False)
    assert scenario.run(SYNC).api_requests == 0
    scenario.edit("p1@example.com", optOutEmail=False)  # at the contact's own request
    assert scenario.run(SYNC).api_requests == 0
    scenario.update(1, opted_out=True)
    assert scenario.run(SYNC).rows_updated == 1, "a later true is sent again"


@pytest.mark.parametrize("policy", ["keep", "deactivate", "delete"])
def test_a_row_that_left_and_returns_opts_no_contact_in(scenario: Scenario, policy: str):
    sync = sync_of(fields=FIELDS, deletes=policy)
    scenario.update(1, opted_out=True)
    scenario.run(sync)
    scenario.delete(1)
    scenario.run(sync)
    status = scenario.contact("p1@example.com")["status"]
    scenario.insert(customer(1, opted_out=False, city="Rome"))
    assert scenario.run(sync).rows_updated == 1
    assert (scenario.contact("p1@example.com")["city"], scenario.contact("p1@example.com")["status"]) == (
        "Rome",
        status,
    )


def test_scope_all_opts_no_contact_in(scenario: Scenario):
    scenario.update(1, opted_out=True)
    scenario.run(SYNC)
    scenario.update(1, opted_out=False)
    scenario.update(2, opted_out=False)
    assert scenario.run(SYNC, scope="all").rows_updated == 2


def test_a_refused_row_that_is_tried_again_opts_no_contact_in(scenario: Scenario):
    scenario.sandbox.configure(refuse_if=lambda body: "no such city" if body.get("city") == "Nowhere" else None)
    scenario.update(1, opted_out=False, city="Nowhere")
    assert scenario.run(SYNC).rows_refused == 1
    scenario.sandbox.configure(refuse_if=None)
    assert scenario.run(SYNC, scope="rejected").rows_updated == 1
    assert scenario.contact("p1@example.com")["city"] == "Nowhere"


def test_a_flag_that_is_mapped_later_opts_no_contact_in(scenario: Scenario):
    scenario.execute("UPDATE customers SET opted_out = false")
    assert scenario.run(sync_of(fields={"email": "email", "city": "city", "optOutSms": "opted_out"})).api_requests == 0
    assert scenario.run(SYNC).api_requests == 0


def test_a_contact_found_under_another_dsid_is_not_opted_in(scenario: Scenario):
    heir = scenario.sandbox.add(email="p1@example.com", optOutEmail=True)
    scenario.sandbox.merge(heir, scenario.rows("contact_map")[0]["dsid"])
    scenario.update(1, opted_out=False, city="Rome")
    assert scenario.run(SYNC).rows_updated == 1, "with every field, because what the other contact holds is not known"
    assert scenario.contact("p1@example.com")["dsId"] == heir
