"""Who is who: shared emails, people under new keys, exchanged addresses, contacts that others moved; everywhere."""

from __future__ import annotations

from support.scenario import World, people, person, sync_of


def dsids(world: World) -> dict[str, str]:
    """Key -> dsid."""
    return {str(row["customer_id"]): row["dsid"] for row in world.rows("contact_map")}


def test_rows_with_one_identity_are_set_aside_and_named(everywhere):
    sync = sync_of(fields={"email": "email", "mobilePhone": "mobile"})
    for world in everywhere:
        world.seed(*people(2), person(3, email="two@example.com"), person(4, email=" Two@Example.com "))
        world.put(person(5, mobile="+1 415 555 2671"), person(6, email=None, mobile="+14155552671"))
        report = world.run(sync)
        assert (report.rows_created, report.rows_rejected) == (2, 4)
        assert world.rejections() == dict.fromkeys("3456", "duplicate_identity")
        messages = {row["customer_id"]: row["message"] for row in world.rows("rejections")}
        assert "rows 3, 4 have the same email" in messages[3]
        assert "rows 5, 6 have the same mobile number" in messages[6]
        world.execute("DELETE FROM customers WHERE customer_id IN (3, 5)")
        world.put(person(7, email="P1@EXAMPLE.com"))
        world.change(2, email="p1@example.com")
        again = world.run(sync)
        assert (again.rows_created, again.rows_updated, again.rows_rejected) == (2, 0, 2)
        assert world.rejections() == {"2": "duplicate_identity", "7": "duplicate_identity"}
        assert set(world.emails()) == {"p1@example.com", "p2@example.com", "Two@Example.com", ""}


def test_a_person_under_a_new_key_keeps_the_contact(everywhere):
    sync = sync_of(deletes="delete")
    for world in everywhere:
        world.seed(*people(3))
        world.run(sync)
        world.sent()
        before = dsids(world)
        world.drop(1, 2)
        world.put(person(11, email="P1@example.com", city="Rome"))
        report = world.run(sync)
        assert (report.rows_created, report.rows_updated) == (0, 1)
        assert report.rows_to_delete == report.rows_deleted == 1
        assert dsids(world) == {"11": before["1"], "2": before["2"], "3": before["3"]}
        assert [(operation, who) for who, operation, _ in world.sent()] == [
            ("update", "P1@example.com"),
            ("delete", "p2@example.com"),
        ]
        assert world.contact("p1@example.com")["status"] == "Active"
        assert world.run(sync).api_requests == 0

        world.drop(11)
        world.run(sync)
        world.put(person(12, email="p1@example.com"))
        assert world.run(sync).rows_updated == 1, "it left in an earlier run"
        assert dsids(world)["12"] == before["1"]
        assert world.contact("p1@example.com")["status"] == "Active"
        assert len(world.sandbox.contacts()) == 3


def test_nobody_is_deleted_who_is_in_the_source_under_keys_that_must_wait(everywhere):
    sync = sync_of(deletes="delete")
    for world in everywhere:
        world.seed(*people(2))
        world.run(sync)
        before = dsids(world)
        world.drop(1)
        world.put(person(11, email="p1@example.com"), person(12, email="p1@example.com"))
        assert world.run(sync).rows_deleted == 0
        assert world.rejections() == {"11": "duplicate_identity", "12": "duplicate_identity"}
        world.drop(12)
        assert world.run(sync).rows_updated == 1
        assert dsids(world) == {"11": before["1"], "2": before["2"]}


def test_a_key_that_returns_keeps_its_contact_from_a_new_key(everywhere):
    sync = sync_of(deletes="delete")
    for world in everywhere:
        world.seed(*people(2))
        world.run(sync)
        before = dsids(world)
        world.drop(1)
        world.run(sync)
        world.put(person(1), person(11, email="p1@example.com"))
        report = world.run(sync)
        assert (report.rows_updated, report.rows_created) == (1, 0)
        assert (dsids(world), world.rejections()) == (before, {"11": "duplicate_identity"})


def test_chains_wait_and_circles_are_set_aside(everywhere):
    for world in everywhere:
        world.sandbox.configure(identity_taken="refuse")
        world.seed(*people(8))
        world.run()
        world.sent()
        before = dsids(world)
        for number, email in ((1, "p2"), (2, "p3"), (3, "new"), (4, "p5"), (5, "p4"), (6, "p7"), (7, "p8"), (8, "p7")):
            world.change(number, email=f"{email}@example.com")
        report = world.run()
        assert (report.rows_updated, report.rows_rejected) == (3, 5)
        order = [write.dsid for write in world.sandbox.writes()]
        assert order == [before["3"], before["2"], before["1"]], "who gives an address up goes first"
        reasons = world.rejections()
        assert reasons == {
            "4": "identity_cycle", "5": "identity_cycle", "6": "duplicate_identity", "7": "duplicate_identity",
            "8": "duplicate_identity",
        }  # fmt: skip
        assert dsids(world) == before
        world.change(4, email="p4@example.com")
        world.change(5, email="p5@example.com")
        world.sandbox.clear_journal()
        assert world.run().rows_rejected == 3


def test_a_row_does_not_follow_one_that_was_refused(everywhere):
    for world in everywhere:
        world.seed(*people(2))
        world.run()
        world.sandbox.configure(refuse_if=lambda body: "no" if body.get("email") == "new@example.com" else None)
        world.change(1, email="p2@example.com")
        world.change(2, email="new@example.com")
        report = world.run()
        assert (report.rows_refused, report.rows_failed, report.outcome) == (1, 1, "incomplete")
        assert world.emails() == ["p1@example.com", "p2@example.com"]
        world.sandbox.configure(refuse_if=None)
        assert world.run(scope="rejected").rows_updated == 1
        assert world.run().rows_updated == 1
        assert world.emails() == ["new@example.com", "p2@example.com"]


def test_a_contact_is_not_deleted_while_another_sync_holds_it(everywhere):
    leads = sync_of(name="leads", source="leads", deletes="delete")
    sync = sync_of(deletes="delete")
    for world in everywhere:
        world.seed(*people(3))
        world.seed(person(71, email="p1@example.com"), table="leads")
        world.run(sync)
        world.run(leads)
        assert len(world.sandbox.contacts()) == 3
        world.drop(1, 2)
        report = world.run(sync)
        assert (report.rows_to_delete, report.rows_deleted) == (2, 1)
        assert world.emails() == ["p1@example.com", "p3@example.com"]
        assert world.run(sync).api_requests == 0
        world.execute("DELETE FROM leads")
        world.put(person(72), table="leads")
        assert world.run(leads).rows_deleted == 1, "no live key holds it now"


def test_a_contact_that_others_removed_or_merged_is_found_or_made_again(everywhere):
    for world in everywhere:
        world.seed(*people(4))
        world.run()
        before = dsids(world)
        world.sent()
        world.sandbox.remove(before["1"])
        heir = world.sandbox.add(email="p2@example.com", firstName="Merged")
        world.sandbox.merge(heir, before["2"])
        for number in (1, 2, 3):
            world.change(number, city="Rome")
        report = world.run()
        assert (report.rows_created, report.rows_updated) == (1, 2)
        whole = {"city": "Rome", "extendedProperties": {"plan": "free"}}
        assert world.sent() == [
            ("p1@example.com", "create", {"email": "p1@example.com", "firstName": "Name 1", **whole}),
            ("p2@example.com", "update", {"email": "p2@example.com", "firstName": "Name 2", **whole}),
            ("p3@example.com", "update", {"city": "Rome"}),
        ]
        assert (dsids(world)["2"], dsids(world)["1"] != before["1"]) == (heir, True)
        assert len(world.sandbox.contacts()) == 4
        assert world.run().api_requests == 0


def test_an_address_that_belongs_to_somebody_else_is_reported_and_not_taken(everywhere):
    for world in everywhere:
        world.sandbox.configure(unknown_dsid="create")
        world.seed(*people(3))
        world.run()
        before = dsids(world)
        world.sandbox.add(email="boss@example.com")
        world.change(1, email="boss@example.com")
        world.sandbox.remove(before["2"])
        world.change(2, city="Rome", email="other@example.com")
        world.sandbox.clear_journal()
        report = world.run()
        assert (report.rows_conflicted, report.rows_updated) == (1, 1)
        assert world.rejections() == {"1": "identity_taken"}
        assert len([1 for each in world.sandbox.contacts() if each["email"] == "other@example.com"]) == 1
        assert world.mapped()["2"] == "other@example.com"
        assert world.run().rows_held == 1, "it is not asked for again until the row changes"
        world.change(1, email="p1@example.com", city="Rome")
        assert (world.run().rows_updated, world.rejections()) == (1, {})


def test_a_create_that_lands_on_another_rows_contact_is_a_conflict(everywhere):
    for world in everywhere:
        world.seed(person(1))
        world.run()
        world.sandbox.edit(dsids(world)["1"], email="p2@example.com")
        world.put(person(2, city="Rome"))
        report = world.run()
        assert (report.rows_created, report.rows_conflicted) == (0, 1)
        assert world.rejections() == {"2": "shared_dsid"}
        assert world.mapped() == {"1": "p2@example.com"}
        again = world.run()
        assert (again.rows_updated, again.rows_held) == (1, 1)
        assert world.contact("p1@example.com")["city"] == "Paris", "its own values are sent again, all of them"
        assert world.run().api_requests == 0
        assert world.run(scope="rejected").rows_created == 1
        assert world.mapped() == {"1": "p1@example.com", "2": "p2@example.com"}
