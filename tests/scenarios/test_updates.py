"""What a sync sends, run after run; at every placement."""

from __future__ import annotations

from support.scenario import Scenario, customer, customers, sync_of


def test_a_row_is_created_once(scenario: Scenario) -> None:
    scenario.seed(*customers(6))
    first = scenario.run()
    assert (first.rows_created, first.rows_read, first.outcome) == (6, 6, "done")
    assert scenario.contact_map() == {str(number): f"p{number}@example.com" for number in range(1, 7)}
    whole = {"email": "p1@example.com", "firstName": "Name 1", "city": "Paris"}
    assert scenario.sent()[0] == ("p1@example.com", "create", {**whole, "extendedProperties": {"plan": "free"}})

    second = scenario.run()
    assert (second.outcome, second.rows_unchanged, second.api_requests) == ("empty", 6, 0)
    assert scenario.sandbox.counts.requests == 0


def change_five_rows(scenario: Scenario) -> None:
    """Sync six rows; then change two, and set values of three to NULL or to blanks."""
    scenario.seed(*customers(6))
    scenario.run()
    scenario.sent()
    scenario.update(1, city="Rome")
    scenario.update(2, first_name="Ada", plan="gold", city=None)
    scenario.update(3, city=None, plan=None)
    scenario.update(4, city="")
    scenario.update(5, city="   ")


def test_an_update_sends_only_what_differs(scenario: Scenario) -> None:
    change_five_rows(scenario)
    scenario.edit("p1@example.com", firstName="Changed by marketing")
    report = scenario.run()
    assert (report.rows_updated, report.rows_unchanged, report.rows_created) == (2, 4, 0)
    assert scenario.sent() == [
        ("p1@example.com", "update", {"city": "Rome"}),
        ("p2@example.com", "update", {"firstName": "Ada", "extendedProperties": {"plan": "gold"}}),
    ], "NULL and blanks are no opinion"
    assert scenario.contact("p1@example.com")["firstName"] == "Changed by marketing"


def test_a_value_that_is_back_is_sent_again_unless_it_was_null(scenario: Scenario) -> None:
    change_five_rows(scenario)
    scenario.run()
    scenario.sent()
    for number in (1, 3, 4, 5):
        scenario.update(number, city="Paris", plan="free")
    scenario.update(2, city="Paris")
    assert scenario.run().rows_updated == 2
    assert scenario.sent() == [
        ("p1@example.com", "update", {"city": "Paris"}),
        ("p5@example.com", "update", {"city": "Paris"}),
    ]
    assert scenario.run().api_requests == 0


def test_clear_empties_a_field_once_and_custom_fields_travel_together(scenario: Scenario) -> None:
    sync = sync_of(nulls={"city": "clear", "plan": "clear"}, extended_properties={"plan": "plan", "level": "level"})
    scenario.sandbox.configure(extended_properties_replace=True)
    scenario.seed(customer(1, level=3), customer(2, city=None), customer(3, level=5))
    scenario.run(sync)
    assert [body.get("city") for _, _, body in scenario.sent()] == ["Paris", None, "Paris"]
    scenario.update(1, city=None, first_name=None)
    scenario.update(3, plan=None, level=None)
    assert scenario.run(sync).rows_updated == 2
    assert scenario.sent() == [
        ("p1@example.com", "update", {"city": ""}),
        ("p3@example.com", "update", {"extendedProperties": {"plan": "", "level": "5"}}),
    ]
    assert scenario.run(sync).api_requests == 0
    scenario.update(1, city="Paris", plan="gold", level=None)
    scenario.update(2, city="Rome")
    scenario.run(sync)
    assert scenario.sent() == [
        ("p1@example.com", "update", {"city": "Paris", "extendedProperties": {"plan": "gold", "level": "3"}}),
        ("p2@example.com", "update", {"city": "Rome"}),
    ]


def test_a_dry_run_sends_and_remembers_nothing(scenario: Scenario) -> None:
    scenario.seed(*customers(5))
    dry = scenario.run(dry_run=True)
    assert (dry.outcome, dry.rows_to_create, dry.api_requests) == ("dry", 5, 0)
    assert (scenario.rows("snapshot"), scenario.rows("contact_map"), scenario.rows("rejections")) == ([], [], [])
    assert [request.path for request in scenario.sandbox.requests()] == ["/api/v1/about"]


def test_a_limit_holds_the_other_rows_back_and_deletes_none(scenario: Scenario) -> None:
    sync = sync_of(deletes="delete")
    scenario.seed(*customers(5))
    limited = scenario.run(sync, limit=2)
    assert (limited.rows_created, limited.rows_held, limited.rows_read) == (2, 3, 5)
    assert scenario.contact_map().keys() == {"1", "2"}
    scenario.delete(1)
    assert scenario.run(sync, limit=1).rows_to_delete == 0
    assert scenario.emails() == [f"p{number}@example.com" for number in (1, 2, 3)]


def test_chosen_keys_are_synced_alone_and_none_is_deleted(scenario: Scenario) -> None:
    sync = sync_of(deletes="delete")
    scenario.seed(*customers(5))
    scenario.run(sync, limit=2)
    scenario.delete(1)
    chosen = scenario.run(sync, keys=["4", "1"])
    assert (chosen.rows_read, chosen.rows_created, chosen.rows_to_delete) == (1, 1, 0)
    assert scenario.emails() == [f"p{number}@example.com" for number in (1, 2, 4)]


def test_scope_all_sends_every_row_as_a_whole(scenario: Scenario) -> None:
    sync = sync_of(deletes="delete")
    scenario.seed(*customers(5))
    scenario.run(sync, limit=4)
    scenario.delete(1)
    scenario.edit("p2@example.com", city="Rome")
    report = scenario.run(sync, scope="all")
    assert (report.rows_created, report.rows_updated, report.rows_deleted) == (1, 3, 1)
    assert scenario.contact("p2@example.com")["city"] == "Paris"
    assert scenario.run(sync).api_requests == 0


def refuse_two_rows(scenario: Scenario) -> None:
    """Sync five rows, of which DailyStory refuses 2 and 3 for their city."""
    scenario.sandbox.configure(refuse_if=lambda body: "no such city" if body.get("city") == "Nowhere" else None)
    scenario.seed(customer(1), customer(2, city="Nowhere"), customer(3, city="Nowhere"), customer(4), customer(5))
    report = scenario.run()
    assert (report.rows_created, report.rows_refused) == (3, 2)
    assert scenario.rejections() == {"2": "refused", "3": "refused"}


def test_a_refused_row_is_held_until_it_changes(scenario: Scenario) -> None:
    refuse_two_rows(scenario)
    scenario.update(2, first_name="Ada")
    scenario.update(4, city="Nowhere")
    second = scenario.run()
    assert (second.rows_held, second.rows_refused, second.rows_to_create) == (1, 2, 1)

    scenario.update(4, city="Paris")
    third = scenario.run()
    assert (third.rows_held, third.api_requests) == (2, 0)
    assert scenario.rejections() == {"2": "refused", "3": "refused"}, "row 4 does not differ any more"


def test_a_refused_row_is_tried_again_on_request_or_when_remapped(scenario: Scenario) -> None:
    wider = sync_of(extended_properties={"plan": "plan", "town": "city"})
    refuse_two_rows(scenario)
    scenario.sandbox.configure(refuse_if=None)
    scenario.update(5, first_name="Grace")
    requested = scenario.run(scope="rejected", keys=["2"])
    assert (requested.rows_read, requested.rows_created, requested.rows_updated) == (1, 1, 0)
    remapped = scenario.run(wider)
    assert (remapped.rows_created, remapped.rows_updated, remapped.rows_held) == (1, 4, 0)
    assert scenario.rejections() == {}
    assert scenario.run(wider).api_requests == 0


def test_a_bad_row_harms_only_itself_and_is_not_a_deletion(scenario: Scenario) -> None:
    sync = sync_of(fields={"email": "email", "mobilePhone": "mobile", "firstName": "first_name"}, deletes="delete")
    scenario.seed(*customers(3))
    scenario.run(sync)
    scenario.sent()
    scenario.update(1, email="not an address")
    scenario.update(2, mobile="12")
    scenario.update(3, first_name="x" * 300)
    scenario.insert(customer(4, email=None), customer(5), customer(5, city="Rome"), customer(6), customer(None))
    report = scenario.run(sync)
    assert (report.rows_created, report.rows_rejected, report.rows_to_delete) == (1, 7, 0)
    assert scenario.rejections() == {
        "1": "invalid_email", "2": "invalid_mobile", "3": "value_too_long", "4": "no_identity",
        "5": "duplicate_key", "None": "null_key",
    }  # fmt: skip
    assert [who for who, _, _ in scenario.sent()] == ["p6@example.com"]
    assert scenario.run(sync).api_requests == 0
    assert len(scenario.rows("rejections")) == 6, "a rejection is written once"

    scenario.execute("DELETE FROM customers WHERE customer_id IS NULL OR customer_id > 3")
    scenario.update(1, email="p1@example.com")
    scenario.update(2, mobile=None)
    scenario.update(3, first_name="Name 3")
    assert (scenario.run(sync).rows_deleted, scenario.rejections()) == (1, {})
