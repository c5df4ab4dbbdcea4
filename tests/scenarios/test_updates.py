"""What a sync sends, run after run; told at every placement, with one answer."""

from __future__ import annotations

from support.scenario import people, person, sync_of


def test_a_row_is_created_once_and_then_only_what_differs_is_sent(everywhere):
    for world in everywhere:
        world.seed(*people(6))
        first = world.run()
        assert (first.rows_created, first.rows_read, first.outcome) == (6, 6, "done")
        assert world.mapped() == {str(number): f"p{number}@example.com" for number in range(1, 7)}
        whole = {"email": "p1@example.com", "firstName": "Name 1", "city": "Paris"}
        assert world.sent()[0] == ("p1@example.com", "create", {**whole, "extendedProperties": {"plan": "free"}})

        second = world.run()
        assert (second.outcome, second.rows_unchanged, second.api_requests) == ("empty", 6, 0)
        assert world.sandbox.counts.requests == 0

        world.edit("p1@example.com", firstName="Changed by marketing")
        world.change(1, city="Rome")
        world.change(2, first_name="Ada", plan="gold", city=None)
        world.change(3, city=None, plan=None)
        world.change(4, city="")
        world.change(5, city="   ")
        third = world.run()
        assert (third.rows_updated, third.rows_unchanged, third.rows_created) == (2, 4, 0)
        assert world.sent() == [
            ("p1@example.com", "update", {"city": "Rome"}),
            ("p2@example.com", "update", {"firstName": "Ada", "extendedProperties": {"plan": "gold"}}),
        ], "NULL and blanks are no opinion"
        assert world.contact("p1@example.com")["firstName"] == "Changed by marketing"

        for number in (1, 3, 4, 5):
            world.change(number, city="Paris", plan="free")
        world.change(2, city="Paris")
        assert world.run().rows_updated == 2
        assert world.sent() == [
            ("p1@example.com", "update", {"city": "Paris"}),
            ("p5@example.com", "update", {"city": "Paris"}),
        ], "a value that was there before is sent again; NULL never was one"
        assert world.run().api_requests == 0


def test_clear_empties_a_field_once_and_custom_fields_travel_together(everywhere):
    sync = sync_of(nulls={"city": "clear", "plan": "clear"}, extended_properties={"plan": "plan", "level": "level"})
    for world in everywhere:
        world.sandbox.configure(extended_properties_replace=True)
        world.seed(person(1, level=3), person(2, city=None), person(3, level=5))
        world.run(sync)
        assert [body.get("city") for _, _, body in world.sent()] == ["Paris", None, "Paris"]
        world.change(1, city=None, first_name=None)
        world.change(3, plan=None, level=None)
        assert world.run(sync).rows_updated == 2
        assert world.sent() == [
            ("p1@example.com", "update", {"city": ""}),
            ("p3@example.com", "update", {"extendedProperties": {"plan": "", "level": "5"}}),
        ]
        assert world.run(sync).api_requests == 0
        world.change(1, city="Paris", plan="gold", level=None)
        world.change(2, city="Rome")
        world.run(sync)
        assert world.sent() == [
            ("p1@example.com", "update", {"city": "Paris", "extendedProperties": {"plan": "gold", "level": "3"}}),
            ("p2@example.com", "update", {"city": "Rome"}),
        ]


def test_dry_runs_limits_keys_and_scope_all(everywhere):
    sync = sync_of(deletes="delete")
    for world in everywhere:
        world.seed(*people(5))
        dry = world.run(sync, dry_run=True)
        assert (dry.outcome, dry.rows_to_create, dry.api_requests) == ("dry", 5, 0)
        assert (world.rows("snapshot"), world.rows("contact_map"), world.rows("rejections")) == ([], [], [])
        assert world.sandbox.counts.requests == 0

        limited = world.run(sync, limit=2)
        assert (limited.rows_created, limited.rows_held, limited.rows_read) == (2, 3, 5)
        assert world.mapped().keys() == {"1", "2"}

        world.drop(1)
        chosen = world.run(sync, keys=["4", "1"])
        assert (chosen.rows_read, chosen.rows_created, chosen.rows_to_delete) == (1, 1, 0)
        assert world.run(sync, limit=1).rows_to_delete == 0
        assert world.emails() == [f"p{number}@example.com" for number in (1, 2, 3, 4)]

        world.edit("p2@example.com", city="Rome")
        last = world.run(sync, scope="all")
        assert (last.rows_created, last.rows_updated, last.rows_deleted) == (1, 3, 1)
        assert world.contact("p2@example.com")["city"] == "Paris"
        assert world.run(sync).api_requests == 0


def test_a_refused_row_is_held_until_it_or_the_mapping_changes_or_it_is_asked_for(everywhere):
    wider = sync_of(extended_properties={"plan": "plan", "town": "city"})
    for world in everywhere:
        world.sandbox.configure(refuse_if=lambda body: "no such city" if body.get("city") == "Nowhere" else None)
        world.seed(person(1), person(2, city="Nowhere"), person(3, city="Nowhere"), person(4), person(5))
        first = world.run()
        assert (first.rows_created, first.rows_refused) == (3, 2)
        assert world.rejections() == {"2": "refused", "3": "refused"}

        world.change(2, first_name="Ada")
        world.change(4, city="Nowhere")
        second = world.run()
        assert (second.rows_held, second.rows_refused, second.rows_to_create) == (1, 2, 1)

        world.change(4, city="Paris")
        third = world.run()
        assert (third.rows_held, third.api_requests) == (2, 0)
        assert world.rejections() == {"2": "refused", "3": "refused"}, "row 4 is no difference any more"

        world.sandbox.configure(refuse_if=None)
        world.change(5, first_name="Grace")
        asked = world.run(scope="rejected", keys=["2"])
        assert (asked.rows_read, asked.rows_created, asked.rows_updated) == (1, 1, 0)
        remapped = world.run(wider)
        assert (remapped.rows_created, remapped.rows_updated, remapped.rows_held) == (1, 4, 0)
        assert world.rejections() == {}
        assert world.run(wider).api_requests == 0


def test_a_bad_row_harms_only_itself_and_is_no_deletion(everywhere):
    sync = sync_of(fields={"email": "email", "mobilePhone": "mobile", "firstName": "first_name"}, deletes="delete")
    for world in everywhere:
        world.seed(*people(3))
        world.run(sync)
        world.sent()
        world.change(1, email="not an address")
        world.change(2, mobile="12")
        world.change(3, first_name="x" * 300)
        world.put(person(4, email=None), person(5), person(5, city="Rome"), person(6), person(None))
        report = world.run(sync)
        assert (report.rows_created, report.rows_rejected, report.rows_to_delete) == (1, 7, 0)
        assert world.rejections() == {
            "1": "invalid_email", "2": "invalid_mobile", "3": "value_too_long", "4": "no_identity",
            "5": "duplicate_key", "None": "null_key",
        }  # fmt: skip
        assert [who for who, _, _ in world.sent()] == ["p6@example.com"]
        assert world.run(sync).api_requests == 0
        assert len(world.rows("rejections")) == 6, "a rejection is written once"
        world.execute("DELETE FROM customers WHERE customer_id IS NULL OR customer_id > 3")
        world.change(1, email="p1@example.com")
        world.change(2, mobile=None)
        world.change(3, first_name="Name 3")
        assert (world.run(sync).rows_deleted, world.rejections()) == (1, {})
