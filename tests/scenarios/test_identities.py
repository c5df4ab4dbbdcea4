"""Which contact a row has: shared emails, new keys, swapped emails, contacts moved elsewhere; at every placement."""

from __future__ import annotations

from support.scenario import Scenario, customer, customers, sync_of


def dsids(scenario: Scenario) -> dict[str, str]:
    """Key -> dsid."""
    return {str(row["customer_id"]): row["dsid"] for row in scenario.rows("contact_map")}


def test_rows_that_share_an_identity_are_rejected(scenario: Scenario) -> None:
    sync = sync_of(fields={"email": "email", "mobilePhone": "mobile"})
    scenario.seed(*customers(2), customer(3, email="two@example.com"), customer(4, email=" Two@Example.com "))
    scenario.insert(customer(5, mobile="+1 415 555 2671"), customer(6, email=None, mobile="+14155552671"))
    report = scenario.run(sync)
    assert (report.rows_created, report.rows_rejected) == (2, 4)
    assert scenario.rejections() == dict.fromkeys("3456", "duplicate_identity")
    messages = {row["customer_id"]: row["message"] for row in scenario.rows("rejections")}
    assert "rows 3, 4 have the same email" in messages[3]
    assert "rows 5, 6 have the same mobile number" in messages[6]
    scenario.execute("DELETE FROM customers WHERE customer_id IN (3, 5)")
    scenario.insert(customer(7, email="P1@EXAMPLE.com"))
    scenario.update(2, email="p1@example.com")
    again = scenario.run(sync)
    assert (again.rows_created, again.rows_updated, again.rows_rejected) == (2, 0, 2)
    assert scenario.rejections() == {"2": "duplicate_identity", "7": "duplicate_identity"}
    assert set(scenario.emails()) == {"p1@example.com", "p2@example.com", "Two@Example.com", ""}


def test_a_row_with_a_new_key_keeps_its_contact(scenario: Scenario) -> None:
    sync = sync_of(deletes="delete")
    scenario.seed(*customers(3))
    scenario.run(sync)
    scenario.sent()
    before = dsids(scenario)
    scenario.delete(1, 2)
    scenario.insert(customer(11, email="P1@example.com", city="Rome"))
    report = scenario.run(sync)
    assert (report.rows_created, report.rows_updated) == (0, 1)
    assert report.rows_to_delete == report.rows_deleted == 1
    assert dsids(scenario) == {"11": before["1"], "2": before["2"], "3": before["3"]}
    assert [(operation, who) for who, operation, _ in scenario.sent()] == [
        ("update", "P1@example.com"),
        ("delete", "p2@example.com"),
    ]
    assert scenario.contact("p1@example.com")["status"] == "Active"
    assert scenario.run(sync).api_requests == 0


def test_a_deleted_contact_is_taken_up_by_a_later_key(scenario: Scenario) -> None:
    sync = sync_of(deletes="delete")
    scenario.seed(*customers(3))
    scenario.run(sync)
    before = dsids(scenario)
    scenario.delete(1)
    scenario.run(sync)
    scenario.insert(customer(12, email="p1@example.com"))
    assert scenario.run(sync).rows_updated == 1
    assert dsids(scenario)["12"] == before["1"]
    assert scenario.contact("p1@example.com")["status"] == "Active"
    assert len(scenario.sandbox.contacts()) == 3


def test_a_contact_is_kept_while_its_new_keys_are_rejected(scenario: Scenario):
    sync = sync_of(deletes="delete")
    scenario.seed(*customers(2))
    scenario.run(sync)
    before = dsids(scenario)
    scenario.delete(1)
    scenario.insert(customer(11, email="p1@example.com"), customer(12, email="p1@example.com"))
    assert scenario.run(sync).rows_deleted == 0
    assert scenario.rejections() == {"11": "duplicate_identity", "12": "duplicate_identity"}
    scenario.delete(12)
    assert scenario.run(sync).rows_updated == 1
    assert dsids(scenario) == {"11": before["1"], "2": before["2"]}


def test_a_key_that_returns_keeps_its_contact_from_a_new_key(scenario: Scenario):
    sync = sync_of(deletes="delete")
    scenario.seed(*customers(2))
    scenario.run(sync)
    before = dsids(scenario)
    scenario.delete(1)
    scenario.run(sync)
    scenario.insert(customer(1), customer(11, email="p1@example.com"))
    report = scenario.run(sync)
    assert (report.rows_updated, report.rows_created) == (1, 0)
    assert (dsids(scenario), scenario.rejections()) == (before, {"11": "duplicate_identity"})


def give_emails(scenario: Scenario, **emails: str) -> dict[str, str]:
    """Sync eight rows, then give some the email of another one: p1="p2" gives row 1 the email of row 2."""
    scenario.sandbox.configure(identity_taken="refuse")
    scenario.seed(*customers(8))
    scenario.run()
    scenario.sent()
    for row, email in emails.items():
        scenario.update(int(row.removeprefix("p")), email=f"{email}@example.com")
    return dsids(scenario)


def test_in_a_chain_of_emails_the_row_that_frees_one_goes_first(scenario: Scenario) -> None:
    before = give_emails(scenario, p1="p2", p2="p3", p3="new")
    assert scenario.run().rows_updated == 3
    assert [write.dsid for write in scenario.sandbox.writes()] == [before["3"], before["2"], before["1"]]
    assert dsids(scenario) == before


def test_a_cycle_of_emails_is_rejected_beside_a_chain(scenario: Scenario) -> None:
    chain = {"p1": "p2", "p2": "p3", "p3": "new"}
    before = give_emails(scenario, **chain, p4="p5", p5="p4", p6="p7", p7="p8", p8="p7")
    report = scenario.run()
    assert (report.rows_updated, report.rows_rejected) == (3, 5)
    assert scenario.rejections() == {
        "4": "identity_cycle", "5": "identity_cycle", "6": "duplicate_identity", "7": "duplicate_identity",
        "8": "duplicate_identity",
    }  # fmt: skip
    assert dsids(scenario) == before
    scenario.update(4, email="p4@example.com")
    scenario.update(5, email="p5@example.com")
    scenario.sandbox.clear_journal()
    assert scenario.run().rows_rejected == 3


def test_a_row_does_not_follow_one_that_was_refused(scenario: Scenario):
    scenario.seed(*customers(2))
    scenario.run()
    scenario.sandbox.configure(refuse_if=lambda body: "no" if body.get("email") == "new@example.com" else None)
    scenario.update(1, email="p2@example.com")
    scenario.update(2, email="new@example.com")
    report = scenario.run()
    assert (report.rows_refused, report.rows_failed, report.outcome) == (1, 1, "incomplete")
    assert scenario.emails() == ["p1@example.com", "p2@example.com"]
    scenario.sandbox.configure(refuse_if=None)
    assert scenario.run(scope="rejected").rows_updated == 1
    assert scenario.run().rows_updated == 1
    assert scenario.emails() == ["new@example.com", "p2@example.com"]


def test_a_contact_is_not_deleted_while_another_sync_holds_it(scenario: Scenario):
    leads = sync_of(name="leads", source="leads", deletes="delete")
    sync = sync_of(deletes="delete")
    scenario.seed(*customers(3))
    scenario.seed(customer(71, email="p1@example.com"), table="leads")
    scenario.run(sync)
    scenario.run(leads)
    assert len(scenario.sandbox.contacts()) == 3
    scenario.delete(1, 2)
    report = scenario.run(sync)
    assert (report.rows_to_delete, report.rows_deleted, report.rows_delete_skipped_shared) == (1, 1, 1)
    assert scenario.emails() == ["p1@example.com", "p3@example.com"]
    assert scenario.run(sync).api_requests == 0
    scenario.execute("DELETE FROM leads")
    scenario.insert(customer(72), table="leads")
    assert scenario.run(leads).rows_deleted == 1, "no live key holds it now"


def test_a_removed_or_merged_contact_is_found_or_created_again(scenario: Scenario):
    scenario.seed(*customers(4))
    scenario.run()
    before = dsids(scenario)
    scenario.sent()
    scenario.sandbox.remove(before["1"])
    heir = scenario.sandbox.add(email="p2@example.com", firstName="Merged")
    scenario.sandbox.merge(heir, before["2"])
    for number in (1, 2, 3):
        scenario.update(number, city="Rome")
    report = scenario.run()
    assert (report.rows_created, report.rows_updated) == (1, 2)
    whole = {"city": "Rome", "extendedProperties": {"plan": "free"}}
    assert scenario.sent() == [
        ("p1@example.com", "create", {"email": "p1@example.com", "firstName": "Name 1", **whole}),
        ("p2@example.com", "update", {"email": "p2@example.com", "firstName": "Name 2", **whole}),
        ("p3@example.com", "update", {"city": "Rome"}),
    ]
    assert (dsids(scenario)["2"], dsids(scenario)["1"] != before["1"]) == (heir, True)
    assert len(scenario.sandbox.contacts()) == 4
    assert scenario.run().api_requests == 0


def test_an_email_of_another_contact_is_a_conflict_and_not_taken(scenario: Scenario):
    scenario.sandbox.configure(unknown_dsid="create")
    scenario.seed(*customers(3))
    scenario.run()
    before = dsids(scenario)
    scenario.sandbox.add(email="boss@example.com")
    scenario.update(1, email="boss@example.com")
    scenario.sandbox.remove(before["2"])
    scenario.update(2, city="Rome", email="other@example.com")
    scenario.sandbox.clear_journal()
    report = scenario.run()
    assert (report.rows_conflicted, report.rows_updated) == (1, 1)
    assert scenario.rejections() == {"1": "identity_taken"}
    assert len([1 for each in scenario.sandbox.contacts() if each["email"] == "other@example.com"]) == 1
    assert scenario.contact_map()["2"] == "other@example.com"
    assert scenario.run().rows_held == 1, "it is not asked for again until the row changes"
    scenario.update(1, email="p1@example.com", city="Rome")
    assert (scenario.run().rows_updated, scenario.rejections()) == (1, {})


def test_a_create_that_lands_on_another_rows_contact_is_a_conflict(scenario: Scenario):
    scenario.seed(customer(1))
    scenario.run()
    scenario.sandbox.edit(dsids(scenario)["1"], email="p2@example.com")
    scenario.insert(customer(2, city="Rome"))
    report = scenario.run()
    assert (report.rows_created, report.rows_conflicted) == (0, 1)
    assert scenario.rejections() == {"2": "shared_dsid"}
    assert scenario.contact_map() == {"1": "p2@example.com"}
    again = scenario.run()
    assert (again.rows_updated, again.rows_held) == (1, 1)
    assert scenario.contact("p1@example.com")["city"] == "Paris", "its own values are sent again, all of them"
    assert scenario.run().api_requests == 0
    assert scenario.run(scope="rejected").rows_created == 1
    assert scenario.contact_map() == {"1": "p1@example.com", "2": "p2@example.com"}
