"""What modes, consent and a changed mapping make of the same rows; told at every placement."""

from __future__ import annotations

import pytest
from support.scenario import people, person, sync_of

from dagster_dailystory.errors import StateError


def test_mode_update_creates_nobody_and_looks_an_unmapped_key_up_once(everywhere):
    sync = sync_of(mode="update")
    for world in everywhere:
        for number in (1, 2):
            world.sandbox.add(email=f"p{number}@example.com", city="Rome")
        world.seed(*people(4))
        report = world.run(sync)
        assert (report.rows_created, report.rows_updated, report.rows_refused) == (0, 2, 2)
        assert world.rejections() == {"3": "not_found", "4": "not_found"}
        assert world.contact("p1@example.com")["city"] == "Paris"
        assert world.sandbox.counts.gets == 4
        world.sandbox.clear_journal()
        world.sandbox.add(email="p3@example.com")
        world.sandbox.add(email="p4@example.com")
        again = world.run(sync)
        assert (again.rows_held, again.api_requests) == (2, 0)
        world.change(3, city="Rome")
        assert world.run(sync).rows_updated == 1
        assert world.run(sync, scope="rejected").rows_updated == 1
        assert (world.rejections(), world.sandbox.counts.creates) == ({}, 0)


def test_mode_create_maps_existing_contacts_and_writes_none_of_them(everywhere):
    sync = sync_of(mode="create", deletes="delete")
    for world in everywhere:
        dsid = world.sandbox.add(email="p1@example.com", city="Rome")
        world.seed(*people(2))
        report = world.run(sync)
        assert (report.rows_created, report.rows_mapped) == (1, 1)
        assert world.mapped() == {"1": "p1@example.com", "2": "p2@example.com"}
        world.execute("UPDATE customers SET city = 'Berlin'")
        assert world.run(sync).api_requests == 0
        assert world.sandbox.find(dsid=dsid)["city"] == "Rome"

        world.drop(1)
        world.put(person(11, email="P1@example.com"))
        moved = world.run(sync)
        assert (moved.rows_mapped, moved.rows_deleted, moved.rows_conflicted) == (1, 0, 0)
        assert world.mapped()["11"] == "p1@example.com"
        assert world.contact("p1@example.com")["status"] == "Active"
        assert world.run(sync).api_requests == 0


def test_an_opt_out_goes_one_way_and_is_sent_again_after_it_was_taken_back(everywhere):
    sync = sync_of(fields={"email": "email", "city": "city", "optOutEmail": "opted_out"}, deletes="delete")
    for world in everywhere:
        world.seed(person(1, opted_out=True), person(2, opted_out=False), person(3), person(4, opted_out=True))
        world.run(sync)
        assert [body.get("optOutEmail") for _, _, body in world.sent()] == [True, None, None, True]
        world.change(1, opted_out=False)
        world.change(2, opted_out=True)
        world.change(3, opted_out=False)
        world.change(4, opted_out=None)
        assert world.run(sync).rows_updated == 1
        assert world.sent() == [("p2@example.com", "update", {"optOutEmail": True})]
        world.change(1, opted_out=False, city="Rome")
        world.run(sync, scope="all")
        assert all("optOutEmail" not in body for who, _, body in world.sent() if who != "p2@example.com")
        world.edit("p1@example.com", optOutEmail=False)
        world.change(1, opted_out=True)
        world.change(4, opted_out=True)
        assert world.run(sync).rows_updated == 2
        assert world.contact("p1@example.com")["optOutEmail"] is True
        world.drop(1)
        world.run(sync)
        world.put(person(1, opted_out=False))
        world.run(sync)
        assert world.contact("p1@example.com")["optOutEmail"] is True
        assert world.contact("p1@example.com")["status"] == "Deleted", "who opted out is not made active"


def test_a_mapped_status_takes_people_out_and_never_back_in(everywhere):
    sync = sync_of(fields={"email": "email", "status": "city"})
    allowed = sync_of(fields={"email": "email", "status": "city"}, consent_override=["status"])
    for world in everywhere:
        world.seed(person(1, city="Inactive"), person(2, city="Active"), person(3, city="Deleted"))
        report = world.run(sync)
        assert (report.rows_created, world.rejections()) == (2, {"3": "invalid_value"})
        assert world.contact("p1@example.com")["status"] == "Inactive"
        world.change(1, city="Active")
        assert (world.run(sync).api_requests, world.contact("p1@example.com")["status"]) == (0, "Inactive")
        world.change(1, city="Spam")
        world.run(allowed)
        world.change(1, city="Active")
        assert world.run(allowed).rows_updated == 1
        assert world.contact("p1@example.com")["status"] == "Active"


def test_a_changed_mapping_sends_exactly_what_it_changes(everywhere):
    narrow = sync_of(fields={"email": "email", "firstName": "first_name"}, extended_properties={})
    wide = sync_of(fields={"email": "email", "firstName": "first_name", "city": "city"}, extended_properties={})
    custom = sync_of(extended_properties={"plan": "plan", "Größe (cm)": "level"})
    for world in everywhere:
        world.seed(person(1), person(2, city=None), person(3, plan=None, level=180))
        world.run(narrow)
        world.sent()
        assert world.run(wide).rows_updated == 2
        assert world.sent() == [
            ("p1@example.com", "update", {"city": "Paris"}),
            ("p3@example.com", "update", {"city": "Paris"}),
        ]
        assert world.run(custom).rows_updated == 3
        assert world.sent() == [
            ("p1@example.com", "update", {"extendedProperties": {"plan": "free"}}),
            ("p2@example.com", "update", {"extendedProperties": {"plan": "free"}}),
            ("p3@example.com", "update", {"extendedProperties": {"Größe (cm)": "180"}}),
        ]
        world.change(1, city="Rome")
        assert world.run(narrow).api_requests == 0, "a removed field is not compared"
        assert world.run(custom).rows_updated == 1
        world.sandbox.remove(world.contact("p1@example.com")["dsId"])
        world.change(1, first_name="Ada")
        assert world.run(narrow).rows_created == 1
        assert world.run(custom).rows_updated == 1, "the contact that was made again lacks what was not mapped then"
        assert world.contact("p1@example.com")["city"] == "Rome"


def test_a_field_of_another_column_or_type_sends_only_real_differences(everywhere):
    as_text = sync_of(source="select customer_id, email, cast(level as varchar(20)) as level from customers",
                      fields={"email": "email"}, extended_properties={"level": "level"})  # fmt: skip
    as_number = sync_of(fields={"email": "email"}, extended_properties={"level": "level"})
    renamed = sync_of(source="select customer_id as customer_id, email as mail, level as stage from customers",
                      fields={"email": "mail"}, extended_properties={"level": "stage"})  # fmt: skip
    for world in everywhere:
        world.seed(person(1, level=7), person(2, level=8))
        world.run(as_number)
        world.sent()
        assert world.run(renamed).api_requests == 0
        world.change(2, level=9)
        assert world.run(as_text).rows_updated == 1
        assert world.sent() == [("p2@example.com", "update", {"extendedProperties": {"level": "9"}})]
        assert world.run(as_number).api_requests == 0


def test_another_key_is_refused_and_the_state_is_as_it_was(everywhere):
    for world in everywhere:
        world.seed(*people(2))
        world.run()
        before = world.state_tables()
        with pytest.raises(StateError, match="was made for the key customer_id, not email"):
            world.run(sync_of(key="email"))
        with pytest.raises(StateError, match="was made for the key customer_id, not city, customer_id"):
            world.run(sync_of(key=["city", "customer_id"]))
        assert world.state_tables() == before
        assert world.run().api_requests == 0
