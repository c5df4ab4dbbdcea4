"""Adoption: contacts that DailyStory has already are mapped before the first load, and nothing is written to them."""

from __future__ import annotations

import math
from typing import Any

import pytest
import sqlalchemy as sa
from support.faults import crash_at, flaky_account
from support.placements import INSIDE, Placement, at
from support.scenario import Scenario, customer, customers, sync_of

from dagster_dailystory import AdoptionReport, adopt_contacts
from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.upkeep.adoption import adopt
from dagster_dailystory.errors import BusyError, ConfigurationError, OutageError, SafetyError
from dagster_dailystory.model.runs.adoption import Differing
from dagster_dailystory.model.sync import ContactSync

PLACEMENTS = INSIDE
SQLITE = at(Placement("sqlite"))

PEOPLE = {
    "fields": {
        "email": "email",
        "firstName": "first_name",
        "city": "city",
        "mobilePhone": "mobile",
        "optOutEmail": "opted_out",
    },
    "extended_properties": {"plan": "plan", "level": "level"},
    "max_opted_out_fraction": None,
}


def people(**settings: Any) -> ContactSync:
    return sync_of(**{**PEOPLE, **settings})


def adopted(scenario: Scenario, sync: ContactSync | None = None, **options: Any) -> AdoptionReport:
    """Adopt, and make sure that only GET requests left."""
    written = scenario.sandbox.writes()
    report = adopt_contacts(
        sync or sync_of(),
        **{
            "warehouse_url": scenario.warehouse_url,
            "state_url": scenario.state_url,
            "base_url": scenario.sandbox.base_url,
            "api_token": scenario.sandbox.token,
            "requests_per_second": math.inf,
            **options,
        },
    )
    assert scenario.sandbox.writes() == written
    return report


def add(scenario: Scenario, number: int, **fields: Any) -> str:
    """A contact that equals the row `number` but for these fields."""
    row = {"email": f"p{number}@example.com", "firstName": f"Name {number}", "city": "Paris"}
    return scenario.sandbox.add(**{**row, "extendedProperties": {"plan": "free"}, **fields})


def look_ups(scenario: Scenario) -> int:
    return scenario.sandbox.counts.gets


def test_contacts_that_equal_their_rows_are_mapped_and_the_next_run_creates_the_others(scenario: Scenario):
    scenario.seed(*customers(5))
    for number in (1, 2, 3):
        add(scenario, number)
    report = adopted(scenario)
    assert (report.rows_read, report.rows_existing, report.rows_missing, report.rows_left) == (5, 3, 2, 0)
    assert (report.rows_differing, dict(report.differing_by_field)) == (0, {})
    assert (len(scenario.contact_map()), look_ups(scenario)) == (3, 5)
    run = scenario.run()
    assert scenario.rows("plans")[0]["new_custom_fields"] == "[]"  # contacts have it already
    assert (run.rows_created, run.rows_updated, run.rows_unchanged) == (2, 0, 3)
    assert scenario.run().outcome == "empty"


def test_values_that_differ_are_kept_until_the_source_changes(scenario: Scenario):
    scenario.seed(*customers(3))
    add(scenario, 1, city="Lyon")
    add(scenario, 2, city="Nice", firstName="")
    add(scenario, 3)
    report = adopted(scenario)
    assert (report.rows_existing, report.rows_differing) == (3, 2)
    assert dict(report.differing_by_field) == {"city": 2, "firstName": 1}
    assert scenario.run().outcome == "empty"
    scenario.update(1, first_name="Anna")
    scenario.run()
    assert scenario.sent() == [("p1@example.com", "update", {"firstName": "Anna"})]
    assert scenario.contact("p1@example.com")["city"] == "Lyon"


def test_values_that_differ_are_sent_by_the_next_run_and_nothing_else(scenario: Scenario):
    scenario.seed(*customers(20), customer(21, city=None, plan=None, email="P21@Example.com"))
    for number in range(1, 21):
        add(scenario, number, **({"city": "Lyon"} if number <= 2 else {}))
    add(scenario, 21, city="Rome")
    report = adopted(scenario, sync_of(nulls="clear"), differing="send")
    assert (report.rows_existing, dict(report.differing_by_field), look_ups(scenario)) == (21, {"city": 2}, 21)
    scenario.run(sync_of(nulls="clear"))
    assert scenario.sent() == [(f"p{number}@example.com", "update", {"city": "Paris"}) for number in (1, 2)]
    assert scenario.contact("p21@example.com")["city"] == "Rome"
    assert scenario.run(sync_of(nulls="clear")).outcome == "empty"


def test_what_the_service_writes_in_another_way_is_no_difference(scenario: Scenario):
    scenario.seed(
        customer(1, email="Ann@Example.com", mobile="+14155552671", level=5, plan="2024-02-29", opted_out=False)
    )
    scenario.sandbox.add(
        email="ann@example.com", mobilePhone="(415) 555-2671", firstName="NAME 1", city="paris", optOutEmail=True,
        extendedProperties={"level": "5.0", "plan": "2024-02-29T00:00:00"},
    )  # fmt: skip
    report = adopted(scenario, people(default_region="US"), differing="send")
    assert (report.rows_existing, dict(report.differing_by_field)) == (1, {})
    assert scenario.run(people(default_region="US")).outcome == "empty"
    assert scenario.contact("ann@example.com")["optOutEmail"] is True


@pytest.mark.parametrize("differing", ["keep", "send"])
def test_an_opt_out_that_dailystory_lacks_is_sent_and_none_is_taken_back(scenario: Scenario, differing: str):
    scenario.seed(customer(1, opted_out=True), customer(2, opted_out=False), customer(3))
    add(scenario, 1, city="Lyon")
    add(scenario, 2, optOutEmail=True)
    add(scenario, 3, optOutEmail=True)
    report = adopted(scenario, people(), differing=differing)
    assert (report.opt_outs_to_send, dict(report.differing_by_field)) == (1, {"optOutEmail": 1, "city": 1})
    scenario.run(people())
    sent = [("p1@example.com", "update", {"optOutEmail": True})]
    sent += [("p1@example.com", "update", {"city": "Paris", "optOutEmail": True})] if differing == "send" else []
    assert sorted(scenario.sent(), key=str) == sorted(sent, key=str)
    assert [scenario.contact(f"p{number}@example.com")["optOutEmail"] for number in (1, 2, 3)] == [True, True, True]
    assert scenario.run(people()).outcome == "empty"


@pytest.mark.parametrize("on_deleted", ["respect", "reactivate"])
def test_a_deleted_contact_comes_under_on_deleted(scenario: Scenario, on_deleted: str):
    scenario.seed(*customers(2))
    add(scenario, 1, status="Deleted")
    add(scenario, 2)
    sync = sync_of(on_deleted=on_deleted)
    report = adopted(scenario, sync)
    assert (report.rows_existing, report.rows_deleted_in_dailystory) == (1, 1)
    [deleted, other] = scenario.rows("contact_map")
    assert [deleted["deleted_in_dailystory_at"] is None, other["deleted_in_dailystory_at"]] == [False, None]
    assert deleted["deactivated_at"] is None
    scenario.update(1, city="Lima")
    run = scenario.run(sync)
    if on_deleted == "respect":
        assert (run.rows_held, scenario.sent(), scenario.rejections()) == (1, [], {"1": "deleted_in_dailystory"})
    else:
        assert (run.rows_updated, scenario.contact("p1@example.com")["status"]) == (1, "Active")


@SQLITE
def test_ambiguous_rows_are_reported_and_not_mapped(scenario: Scenario):
    scenario.seed(
        customer(1), customer(2, email="p1@example.com"),
        customer(3, mobile="+14155552671"),
        customer(4), customer(6, mobile="+14155552673"),
        *(customer(number, city="Nowhere") for number in range(10, 310)),  # more than are written together
        customer(500, email=None, mobile="+14155552672"),
    )  # fmt: skip
    add(scenario, 1)
    add(scenario, 3)
    scenario.sandbox.add(email="other@example.com", mobilePhone="+14155552671")
    add(scenario, 4, mobilePhone="+14155552672")
    add(scenario, 6, mobilePhone="+14155552673")
    report = adopt(people(), scenario.warehouse, scenario.account)
    assert (report.rows_existing, report.rows_ambiguous, report.rows_missing, report.rows_left) == (1, 5, 300, 0)
    assert (scenario.contact_map(), sorted(report.ambiguous_keys)) == (
        {"6": "p6@example.com"},
        ["1", "2", "3", "4", "500"],
    )


def test_an_adoption_that_was_killed_goes_on_where_it_stopped(scenario: Scenario):
    scenario.seed(*customers(500))
    for number in (1, 2, 350):
        add(scenario, number)
    with crash_at(1, lambda: look_ups(scenario) >= 300):  # the second batch is not written
        adopt(sync_of(), scenario.warehouse, scenario.account)
    scenario.execute_state("UPDATE dailystory_meta SET holder = NULL")  # this process goes on
    with pytest.raises(ConfigurationError, match="with differing='keep' is not done, and has taken rows over"):
        adopted(scenario, differing="send")
    done = adopted(scenario)
    assert (done.rows_existing, done.rows_missing, done.rows_mapped_before, done.rows_left) == (3, 497, 0, 0)
    assert sorted(scenario.contact_map()) == ["1", "2", "350"]
    assert 600 <= look_ups(scenario) <= 700
    assert adopted(scenario, differing="send").rows_mapped_before == 3  # it is done


@SQLITE
def test_an_adoption_that_found_nothing_out_may_be_made_otherwise(scenario: Scenario):
    scenario.seed(*customers(8))
    add(scenario, 1, city="Lyon")
    nothing = flaky_account(scenario, lambda _method, url, _sent: "contact" not in url)
    with pytest.raises(OutageError):
        adopt(sync_of(), scenario.warehouse, nothing)
    partly = flaky_account(scenario, lambda _method, url, _sent: "p5%40" not in url)
    assert adopt(sync_of(), scenario.warehouse, partly, differing=Differing.SEND).rows_left == 1
    with pytest.raises(ConfigurationError, match="call it with differing='send' until"):
        adopted(scenario)
    assert adopted(scenario, differing="send").rows_differing == 1


@pytest.mark.parametrize("held", ["Ly\ud83d", "Ly\x00on"])
def test_a_value_that_no_database_can_store_differs(scenario: Scenario, held: str):
    scenario.seed(*customers(1))
    add(scenario, 1, city=held)
    assert dict(adopted(scenario, differing="send").differing_by_field) == {"city": 1}
    assert (scenario.run().rows_updated, scenario.contact("p1@example.com")["city"]) == (1, "Paris")


@SQLITE
def test_an_adoption_that_goes_on_counts_the_rows_of_today(scenario: Scenario):
    scenario.seed(*customers(8))
    for number in (1, 2, 5):
        add(scenario, number)
    partly = flaky_account(scenario, lambda _method, url, _sent: "p5%40" not in url)
    adopt(sync_of(), scenario.warehouse, partly)
    scenario.delete(1)
    scenario.delete(3)
    scenario.run(keys=["4", "7"])
    report = adopt(sync_of(), scenario.warehouse, partly)
    assert (report.rows_read, report.rows_mapped_before, report.rows_existing) == (6, 2, 1)
    assert (report.rows_missing, report.rows_left) == (2, 1)


@SQLITE
def test_an_ambiguous_row_that_was_repaired_is_looked_up_again(scenario: Scenario):
    scenario.seed(customer(1, mobile="+14155552671"), customer(2))
    add(scenario, 1)
    scenario.sandbox.add(email="other@example.com", mobilePhone="+14155552671")
    partly = flaky_account(scenario, lambda _method, url, _sent: "p2%40" not in url)
    assert adopt(people(), scenario.warehouse, partly).rows_ambiguous == 1
    scenario.update(1, mobile=None)
    report = adopt(people(), scenario.warehouse, partly)
    assert (report.rows_existing, report.rows_ambiguous, report.rows_left) == (1, 0, 1)


@SQLITE
def test_texts_beside_digits_tell_phones_apart(scenario: Scenario):
    sync = sync_of(fields={"email": "email", "phone": "city"})
    scenario.seed(customer(1, city="1-800-FLOWERS"), customer(2, city="(415) 555 2671"))
    scenario.sandbox.add(email="p1@example.com", phone="1-800-DOCTORS", extendedProperties={"plan": "free"})
    scenario.sandbox.add(email="p2@example.com", phone="415.555.2671", extendedProperties={"plan": "free"})
    assert dict(adopted(scenario, sync).differing_by_field) == {"phone": 1}


@SQLITE
def test_rows_without_an_answer_are_left_and_looked_up_by_the_next_call(scenario: Scenario):
    scenario.seed(*customers(201))  # the last one is a batch of its own
    for number in (1, 2, 201):
        add(scenario, number)
    partly = flaky_account(scenario, lambda _method, url, _sent: "p201%40" not in url)
    assert adopt(sync_of(), scenario.warehouse, partly).rows_left == 1
    nothing = flaky_account(scenario, lambda _method, url, _sent: "contact" not in url)
    assert adopt(sync_of(), scenario.warehouse, nothing).rows_left == 1
    done = adopted(scenario)
    assert (done.rows_existing, done.rows_missing, done.rows_left, look_ups(scenario)) == (3, 198, 0, 201)
    scenario.insert(*(customer(number) for number in range(300, 320)))
    with pytest.raises(OutageError):
        adopt(sync_of(), scenario.warehouse, nothing)


@SQLITE
def test_keys_with_a_contact_are_left_alone_and_the_first_load_ends_with_the_run(scenario: Scenario):
    scenario.seed(*customers(3))
    scenario.run(limit=1)
    before = scenario.rows("snapshot")
    add(scenario, 3)
    report = adopted(scenario)
    assert (report.rows_mapped_before, report.rows_existing, report.rows_missing) == (1, 1, 1)
    assert before[0] in scenario.rows("snapshot")
    scenario.insert(*(customer(number) for number in range(4, 40)))
    assert scenario.run().rows_created == 37  # the first load goes on: no share of contacts is a limit
    scenario.insert(*(customer(number) for number in range(40, 100)))
    with pytest.raises(SafetyError, match="created_share: 60 contacts would be created beside 39"):
        scenario.run()


@SQLITE
def test_an_adoption_beside_a_run_asks_nothing(scenario: Scenario):
    scenario.seed(*customers(3))
    with open_run(sync_of(), scenario.warehouse, scenario.account), pytest.raises(BusyError):
        adopted(scenario)
    assert scenario.sandbox.requests() == []


@SQLITE
def test_a_plan_that_waits_does_not_write_to_an_adopted_contact(scenario: Scenario):
    sync = sync_of(require_approval=True)
    scenario.seed(*customers(1))
    scenario.run(sync)
    add(scenario, 1, city="Lyon")
    adopted(scenario, sync)
    [plan] = scenario.rows("plans")
    assert (plan["status"], scenario.run(sync).outcome) == ("superseded", "empty")
    assert scenario.contact("p1@example.com")["city"] == "Lyon"


@SQLITE
def test_a_row_with_an_invalid_value_keeps_its_contact(scenario: Scenario):
    scenario.seed(customer(1, first_name="x" * 300), customer(2, email="nobody"))
    add(scenario, 1)
    report = adopted(scenario)
    assert (report.rows_existing, report.rows_rejected, report.rows_differing) == (1, 1, 0)
    assert (scenario.run().rows_rejected, scenario.sent()) == (2, [])
    scenario.update(1, first_name="Anna")
    scenario.run()
    assert scenario.sent() == [("p1@example.com", "update", {"firstName": "Anna"})]


@SQLITE
def test_contacts_of_an_adopted_sync_are_not_deleted_by_another_one(scenario: Scenario):
    scenario.seed(customer(1), customer(2))
    other = sync_of(name="others", deletes="delete", max_deleted_fraction=None, source="select * from customers")
    scenario.run(other)
    scenario.sent()
    adopted(scenario)
    scenario.delete(1)
    assert scenario.run(other).rows_delete_skipped_shared == 1
    assert scenario.sent() == []


@SQLITE
def test_a_report_shows_no_values_in_a_terminal(scenario: Scenario):
    scenario.seed(*customers(2))
    add(scenario, 1, city="Lyon")
    text = str(adopted(scenario))
    assert "1 existing: the contact was found and mapped" in text
    assert "values that differ: 1 city" in text
    assert not any(value in text for value in ("Lyon", "Paris", "@", "Name"))
    with pytest.raises(ConfigurationError, match="differing='both' is not one of keep, send"):
        adopted(scenario, differing="both")


@SQLITE
def test_a_key_may_be_the_email(scenario: Scenario):
    scenario.seed(*customers(2))
    add(scenario, 1)
    sync = sync_of(key="email")
    report = adopted(scenario, sync)
    assert (report.rows_existing, report.rows_missing, report.ambiguous_keys) == (1, 1, ())
    assert scenario.run(sync).rows_created == 1


@SQLITE
def test_the_first_plan_compares_typed_values(scenario: Scenario):
    scenario.seed(customer(1, level=7))
    add(scenario, 1, extendedProperties={"plan": "free", "level": "8"})
    adopted(scenario, people(), differing="send")
    [row] = scenario.rows("snapshot")
    assert (row["custom_level"], row["custom_plan"], row["resend_all"], row["acknowledged_plan"]) == (
        8,
        "free",
        0,
        None,
    )
    engine = sa.create_engine(scenario.warehouse_url)
    with engine.connect() as connection:
        assert (
            connection.execute(sa.text("SELECT typeof(custom_level) FROM dailystory_customers_snapshot")).scalar()
            == "integer"
        )
    engine.dispose()
