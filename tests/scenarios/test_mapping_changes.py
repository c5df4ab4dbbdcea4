"""What modes, consent and a changed mapping make of the same rows; at every placement."""

from __future__ import annotations

import pytest
from support.scenario import Scenario, customer, customers, sync_of

from dagster_dailystory.errors import StateError


def test_mode_update_creates_none_and_looks_up_an_unmapped_key_once(scenario: Scenario):
    sync = sync_of(mode="update")
    for number in (1, 2):
        scenario.sandbox.add(email=f"p{number}@example.com", city="Rome")
    scenario.seed(*customers(4))
    report = scenario.run(sync)
    assert (report.rows_created, report.rows_updated, report.rows_refused) == (0, 2, 2)
    assert scenario.rejections() == {"3": "not_found", "4": "not_found"}
    assert scenario.contact("p1@example.com")["city"] == "Paris"
    assert scenario.sandbox.counts.gets == 4
    scenario.sandbox.clear_journal()
    scenario.sandbox.add(email="p3@example.com")
    scenario.sandbox.add(email="p4@example.com")
    again = scenario.run(sync)
    assert (again.rows_held, again.api_requests) == (2, 0)
    scenario.update(3, city="Rome")
    assert scenario.run(sync).rows_updated == 1
    assert scenario.run(sync, scope="rejected").rows_updated == 1
    assert (scenario.rejections(), scenario.sandbox.counts.creates) == ({}, 0)


def test_mode_create_maps_existing_contacts_and_writes_none_of_them(scenario: Scenario):
    sync = sync_of(mode="create", deletes="delete")
    dsid = scenario.sandbox.add(email="p1@example.com", city="Rome")
    scenario.seed(*customers(2))
    report = scenario.run(sync)
    assert (report.rows_created, report.rows_mapped) == (1, 1)
    assert scenario.contact_map() == {"1": "p1@example.com", "2": "p2@example.com"}
    scenario.execute("UPDATE customers SET city = 'Berlin'")
    assert scenario.run(sync).api_requests == 0
    assert scenario.sandbox.find(dsid=dsid)["city"] == "Rome"

    scenario.delete(1)
    scenario.insert(customer(11, email="P1@example.com"))
    moved = scenario.run(sync)
    assert (moved.rows_mapped, moved.rows_deleted, moved.rows_conflicted) == (1, 0, 0)
    assert scenario.contact_map()["11"] == "p1@example.com"
    assert scenario.contact("p1@example.com")["status"] == "Active"
    assert scenario.run(sync).api_requests == 0


def test_an_opt_out_is_not_taken_back(scenario: Scenario) -> None:
    sync = sync_of(fields={"email": "email", "city": "city", "optOutEmail": "opted_out"}, deletes="delete")
    scenario.seed(customer(1, opted_out=True), customer(2, opted_out=False), customer(3), customer(4, opted_out=True))
    scenario.run(sync)
    assert [body.get("optOutEmail") for _, _, body in scenario.sent()] == [True, None, None, True]
    scenario.update(1, opted_out=False)
    scenario.update(2, opted_out=True)
    scenario.update(3, opted_out=False)
    scenario.update(4, opted_out=None)
    assert scenario.run(sync).rows_updated == 1
    assert scenario.sent() == [("p2@example.com", "update", {"optOutEmail": True})]
    scenario.update(1, opted_out=False, city="Rome")
    scenario.run(sync, scope="all")
    assert all("optOutEmail" not in body for who, _, body in scenario.sent() if who != "p2@example.com")


def test_an_opt_out_taken_back_in_dailystory_is_sent_again(scenario: Scenario) -> None:
    sync = sync_of(fields={"email": "email", "city": "city", "optOutEmail": "opted_out"}, deletes="delete")
    scenario.seed(customer(1, opted_out=True), customer(2), customer(4, opted_out=True))
    scenario.run(sync)
    scenario.update(1, opted_out=False)
    scenario.update(4, opted_out=None)
    assert scenario.run(sync).rows_updated == 0
    scenario.run(sync, scope="all")
    scenario.edit("p1@example.com", optOutEmail=False)
    scenario.update(1, opted_out=True)
    scenario.update(4, opted_out=True)
    assert scenario.run(sync).rows_updated == 2
    assert scenario.contact("p1@example.com")["optOutEmail"] is True
    scenario.delete(1)
    scenario.run(sync)
    scenario.insert(customer(1, opted_out=False))
    scenario.run(sync)
    assert scenario.contact("p1@example.com")["optOutEmail"] is True
    assert scenario.contact("p1@example.com")["status"] == "Deleted", "a contact that opted out is not activated"


def test_a_mapped_status_deactivates_and_never_activates(scenario: Scenario):
    sync = sync_of(fields={"email": "email", "status": "city"})
    allowed = sync_of(fields={"email": "email", "status": "city"}, consent_override=["status"])
    scenario.seed(customer(1, city="Inactive"), customer(2, city="Active"), customer(3, city="Deleted"))
    report = scenario.run(sync)
    assert (report.rows_created, scenario.rejections()) == (2, {"3": "invalid_value"})
    assert scenario.contact("p1@example.com")["status"] == "Inactive"
    scenario.update(1, city="Active")
    assert (scenario.run(sync).api_requests, scenario.contact("p1@example.com")["status"]) == (0, "Inactive")
    scenario.update(1, city="Spam")
    scenario.run(allowed)
    scenario.update(1, city="Active")
    assert scenario.run(allowed).rows_updated == 1
    assert scenario.contact("p1@example.com")["status"] == "Active"


def test_a_changed_mapping_sends_exactly_what_it_changes(scenario: Scenario):
    narrow = sync_of(fields={"email": "email", "firstName": "first_name"}, extended_properties={})
    wide = sync_of(fields={"email": "email", "firstName": "first_name", "city": "city"}, extended_properties={})
    custom = sync_of(extended_properties={"plan": "plan", "Größe (cm)": "level"})
    scenario.seed(customer(1), customer(2, city=None), customer(3, plan=None, level=180))
    scenario.run(narrow)
    scenario.sent()
    assert scenario.run(wide).rows_updated == 2
    assert scenario.sent() == [
        ("p1@example.com", "update", {"city": "Paris"}),
        ("p3@example.com", "update", {"city": "Paris"}),
    ]
    assert scenario.run(custom).rows_updated == 3
    assert scenario.sent() == [
        ("p1@example.com", "update", {"extendedProperties": {"plan": "free"}}),
        ("p2@example.com", "update", {"extendedProperties": {"plan": "free"}}),
        ("p3@example.com", "update", {"extendedProperties": {"Größe (cm)": "180"}}),
    ]
    scenario.update(1, city="Rome")
    assert scenario.run(narrow).api_requests == 0, "a removed field is not compared"
    assert scenario.run(custom).rows_updated == 1


def test_a_contact_created_again_gets_what_is_mapped_later(scenario: Scenario) -> None:
    narrow = sync_of(fields={"email": "email", "firstName": "first_name"}, extended_properties={})
    scenario.seed(customer(1, city="Rome"), customer(2))
    scenario.run()
    scenario.sandbox.remove(scenario.contact("p1@example.com")["dsId"])
    scenario.update(1, first_name="Ada")
    assert scenario.run(narrow).rows_created == 1
    assert scenario.run().rows_updated == 1
    assert scenario.contact("p1@example.com")["city"] == "Rome"


def test_a_field_of_another_column_or_type_sends_only_real_differences(scenario: Scenario):
    as_text = sync_of(source="select customer_id, email, cast(level as varchar(20)) as level from customers",
                      fields={"email": "email"}, extended_properties={"level": "level"})  # fmt: skip
    as_number = sync_of(fields={"email": "email"}, extended_properties={"level": "level"})
    renamed = sync_of(source="select customer_id as customer_id, email as mail, level as stage from customers",
                      fields={"email": "mail"}, extended_properties={"level": "stage"})  # fmt: skip
    scenario.seed(customer(1, level=7), customer(2, level=8))
    scenario.run(as_number)
    scenario.sent()
    assert scenario.run(renamed).api_requests == 0
    scenario.update(2, level=9)
    assert scenario.run(as_text).rows_updated == 1
    assert scenario.sent() == [("p2@example.com", "update", {"extendedProperties": {"level": "9"}})]
    assert scenario.run(as_number).api_requests == 0


def test_another_key_is_refused_and_the_state_is_as_it_was(scenario: Scenario):
    scenario.seed(*customers(2))
    scenario.run()
    before = scenario.state_tables()
    with pytest.raises(StateError, match="was made for the key customer_id, not email"):
        scenario.run(sync_of(key="email"))
    with pytest.raises(StateError, match="was made for the key customer_id, not city, customer_id"):
        scenario.run(sync_of(key=["city", "customer_id"]))
    assert scenario.state_tables() == before
    assert scenario.run().api_requests == 0


def test_an_opt_out_is_understood_in_each_spelling(scenario):
    sync = sync_of(fields={"email": "email", "optOutEmail": "opted_out"})
    scenario.create(**{**scenario.source.columns, "opted_out": "varchar(9)"})
    scenario.insert(*(customer(number, opted_out="Y") for number in range(1, 9)), customer(9, opted_out="n"))
    scenario.run(sync)
    scenario.sent()
    for number, spelling in enumerate(("y", "Yes", "ON", "1.0", "t", "TRUE", "\u00a01\t", "Y"), start=1):
        scenario.update(number, opted_out=spelling)
    scenario.update(9, opted_out="OFF")
    respelled = scenario.run(sync)
    assert (respelled.rows_unchanged, respelled.api_requests) == (9, 0), "another spelling is no difference"
    scenario.update(8, opted_out="maybe")
    scenario.update(9, opted_out="On")
    scenario.run(sync)
    assert [body for _, _, body in scenario.sent()] == [{"optOutEmail": True}]
    assert [row["reason"] for row in scenario.rows("rejections")] == ["invalid_value"]
    assert all(contact["optOutEmail"] for contact in scenario.sandbox.contacts())
