"""The sandbox's contacts without HTTP: the documented behaviour, and each setting for undocumented behaviour."""

from __future__ import annotations

import pytest

from dagster_dailystory.sandbox.contacts import ContactStore
from dagster_dailystory.sandbox.settings import AboutShape, SandboxSettings
from dagster_dailystory.sandbox.writes import Refused

ADA = {"email": "ada@example.com", "firstName": "Ada", "city": "London", "extendedProperties": {"plan": "pro"}}


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def new_store(**settings):
    return ContactStore(SandboxSettings(**settings), clock=Clock())


def updated(body, **settings):
    """Create Ada, update her, and read her back."""
    store = new_store(**settings)
    dsid = store.write(ADA).dsid
    store.write({"dsId": dsid, **body})
    return store.read(dsid)


def test_a_post_with_a_new_email_creates_and_with_a_known_one_updates():
    store = new_store()
    first = store.write(ADA)
    second = store.write({"email": " ADA@example.com", "lastName": "Lovelace"})
    assert (first.operation, second.operation) == ("create", "update")
    assert first.dsid == second.dsid
    assert len(first.dsid) == 32
    assert store.read(first.dsid)["fullname"] == "Ada Lovelace"


def test_a_contact_is_matched_by_dsid_then_email_then_number():
    store = new_store()
    by_number = store.write({"mobilePhone": "+1 555 714 0059"}).dsid
    by_email = store.write({"email": "ada@example.com"}).dsid
    assert store.write({"mobilePhone": "+15557140059", "city": "Dallas"}).dsid == by_number
    assert store.write({"email": "ada@example.com", "mobilePhone": "+15557140059"}).dsid == by_email
    assert store.write({"dsId": by_number, "email": "ada@example.com"}).dsid == by_number


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"firstName": "Ada"},
        {"email": ""},
        {"email": "not an email"},
        {"mobilePhone": "555 0059"},
        {"email": "ada@example.com", "mobilePhone": "123"},
        {"email": ["ada@example.com"]},
        {"email": "ada@example.com", "status": "Bounced"},
        {"email": "ada@example.com", "optOutEmail": "perhaps"},
        {"email": "ada@example.com", "annualRevenue": "much"},
        {"email": "ada@example.com", "numberOfEmployees": float("inf")},
        {"email": "ada@example.com", "extendedProperties": "plan"},
        {"email": "ada@example.com", "extendedProperties": {"": "x"}},
        {"dsId": 7},
        {"dsId": "unknown"},
    ],
)
def test_an_invalid_contact_is_refused_and_nothing_is_stored(body):
    store = new_store()
    with pytest.raises(Refused):
        store.write(body)
    assert (len(store), store.journal()) == (0, [])


def test_an_update_keeps_the_fields_that_it_omits():
    contact = updated({"lastName": "Lovelace", "extendedProperties": {"tier": "gold"}})
    assert contact["city"] == "London"
    assert contact["extendedProperties"] == {"plan": "pro", "tier": "gold"}


def test_an_unset_field_reads_as_blank_and_times_have_no_zone():
    contact = updated({})
    assert (contact["lastName"], contact["annualRevenue"], contact["optOutSms"]) == ("", 0, False)
    assert contact["dateLastSeen"] == "1753-01-01T00:00:00"
    assert contact["dateContactCreated"][-4] == "."


@pytest.mark.parametrize(
    ("settings", "body", "field", "value"),
    [
        ({}, {"city": None}, "city", "London"),
        ({"null_value": "clear"}, {"city": None}, "city", ""),
        ({}, {"city": ""}, "city", ""),
        ({"empty_value": "keep"}, {"city": ""}, "city", "London"),
        ({"absent_clears": True}, {"lastName": "L"}, "city", ""),
        ({"absent_clears": True}, {"lastName": "L"}, "email", "ada@example.com"),
        ({}, {"extendedProperties": {"plan": ""}}, "extendedProperties", {"plan": ""}),
        ({"empty_custom_removes": True}, {"extendedProperties": {"plan": ""}}, "extendedProperties", {}),
        ({}, {"extendedProperties": {"plan": None}}, "extendedProperties", {"plan": "pro"}),
        ({"null_custom_removes": True}, {"extendedProperties": {"plan": None}}, "extendedProperties", {}),
        ({"extended_properties_replace": True}, {"extendedProperties": {"a": "1"}}, "extendedProperties", {"a": "1"}),
        ({}, {"extendedProperties": {"plan": True}}, "extendedProperties", {"plan": "true"}),
        ({"custom_types": "raw"}, {"extendedProperties": {"plan": 7}}, "extendedProperties", {"plan": 7}),
        ({}, {"status": 0}, "status", "Active"),
        ({}, {"status": "100"}, "status", "Deleted"),
        ({"status_as_number": True}, {"status": "Deleted"}, "status", 100),
        ({"max_value_length": 16, "long_value": "cut"}, {"title": "Countess of Lovelace"}, "title", "Countess of Love"),
        ({"proper_case": True}, {"company": "ANALYTICAL the ENGINES"}, "company", "Analytical the Engines"),
        ({"proper_case": True}, {"website": "HTTPS://Example.com"}, "website", "https://example.com"),
        ({"phones_reformatted": True}, {"mobilePhone": "+15557140059"}, "mobilePhone", "+1 (555) 714-0059"),
        ({"bad_identity_refused": False}, {"mobilePhone": "123"}, "mobilePhone", "123"),
        ({}, {"dateOfBirth": "1815-12-10"}, "dateBirth", "1815-12-10"),
        ({"birth_date_name": "dateBirth"}, {"dateOfBirth": "1815-12-10"}, "dateBirth", None),
        ({"birth_date_name": "dateOfBirth"}, {"dateBirth": "1815-12-10"}, "dateBirth", None),
        ({"gender_as_number": True}, {"gender": "Female"}, "gender", 10),
        ({}, {"FIRSTNAME": "Augusta"}, "firstName", "Augusta"),
        ({"strict_paths": True}, {"FIRSTNAME": "Augusta"}, "firstName", "Ada"),
        ({}, {"phonenumber": "1"}, "phone", ""),
    ],
)
def test_a_switch_decides_what_an_update_stores(settings, body, field, value):
    assert updated(body, **settings)[field] == value


@pytest.mark.parametrize(
    ("settings", "body"),
    [
        ({"null_value": "refuse"}, {"city": None}),
        ({"empty_value": "refuse"}, {"city": ""}),
        ({"custom_types": "refuse"}, {"extendedProperties": {"plan": 7}}),
        ({"max_value_length": 20}, {"title": "t" * 21}),
        ({"refuse_if": lambda body: "no Paris" if body.get("city") == "Paris" else None}, {"city": "Paris"}),
    ],
)
def test_a_switch_decides_what_an_update_refuses(settings, body):
    with pytest.raises(Refused):
        updated(body, **settings)


def test_duplicates_are_created_if_allowed_and_the_first_is_found():
    store = new_store(duplicates_allowed=True)
    first, second = store.write(ADA).dsid, store.write(ADA).dsid
    assert first != second
    assert {store.look_up("ada@example.com")["dsId"] for _ in range(20)} == {first}
    store.settings = SandboxSettings(match_order="arbitrary")
    assert {store.look_up("ada@example.com")["dsId"] for _ in range(40)} == {first, second}


def test_emails_can_match_case_sensitively():
    store = new_store(email_case_matters=True)
    store.write(ADA)
    assert store.look_up("Ada@example.com") is None
    assert store.write({"email": "Ada@example.com"}).created


def test_mobile_numbers_can_match_in_their_own_format_only():
    store = new_store(phone_format_matters=True)
    store.write({"mobilePhone": "+15557140059"})
    assert store.look_up(mobile="+1 555 714 0059") is None
    assert store.look_up(mobile="+15557140059")
    assert store.write({"mobilePhone": "+1 555 714 0059"}).created


def test_the_stricter_mode_matches_exactly_and_creates_blindly():
    store = new_store(strict=True)
    for _ in range(2):
        assert store.write(ADA).created
    assert store.look_up("Ada@example.com") is None
    assert SandboxSettings(strict=True, about_shape="2025").about_shape is AboutShape.FLAT_2019


@pytest.mark.parametrize(
    ("setting", "owners", "count"), [("duplicate", {"bob", "ada"}, 2), ("move", {"bob"}, 2), ("merge", {"bob"}, 1)]
)
def test_a_taken_email_is_shared_moved_or_merged(setting, owners, count):
    store = new_store(identity_taken=setting)
    dsids = {"ada": store.write(ADA).dsid, "bob": store.write({"email": "bob@example.com", "firstName": "Bob"}).dsid}
    store.write({"dsId": dsids["bob"], "email": "ada@example.com"})
    sharing = {contact["dsId"] for contact in store.contacts() if contact["email"] == "ada@example.com"}
    assert sharing == {dsids[name] for name in owners}
    assert len(store) == count
    assert store.look_up("bob@example.com") is None


def test_a_taken_email_may_be_refused():
    store = new_store(identity_taken="refuse")
    store.write(ADA)
    bob = store.write({"email": "bob@example.com"}).dsid
    with pytest.raises(Refused):
        store.write({"dsId": bob, "email": "ada@example.com"})
    assert store.read(bob)["email"] == "bob@example.com"


def test_an_unknown_dsid_may_create_under_another_dsid():
    store = new_store(unknown_dsid="create")
    write = store.write({"dsId": "unknown", **ADA})
    assert write.created
    assert write.dsid != "unknown"


def test_a_deleted_contact_is_kept_and_stays_deleted_after_a_write():
    store = new_store()
    dsid = store.write(ADA).dsid
    store.delete(dsid)
    store.delete(dsid)
    assert store.read(dsid)["status"] == "Deleted"
    assert store.write({**ADA, "city": "Paris"}).dsid == dsid
    assert store.read(dsid)["status"] == "Deleted"
    with pytest.raises(Refused):
        store.delete("unknown")


def test_a_deleted_contact_may_be_hidden_unmatched_or_revived():
    store = new_store(deleted_readable=False, deleted_matched=False)
    dsid = store.write(ADA).dsid
    store.delete(dsid)
    assert store.read(dsid) is None
    assert store.look_up("ada@example.com") is None
    assert store.write(ADA).dsid != dsid
    assert store.peek(dsid)["status"] == "Deleted"
    store.settings = SandboxSettings(revival="any_write")
    store.write({"dsId": dsid, "city": "Paris"})
    assert store.read(dsid)["status"] == "Active"


def test_a_new_email_may_revive_an_inactive_contact():
    new_email = {"email": "countess@example.com"}
    store = new_store(revival="email_change")
    dsid = store.write({**ADA, "status": "Inactive"}).dsid
    store.write({"dsId": dsid, **ADA, "city": "Paris"})
    assert store.read(dsid)["status"] == "Inactive"
    store.write({"dsId": dsid, **new_email})
    assert store.read(dsid)["status"] == "Active"


OUT = {"optOutEmail": True, "optOutSms": True, "optOutPush": True, "optOutPhone": True}


def test_opting_out_of_all_channels_means_do_not_contact_until_active():
    store = new_store()
    dsid = store.write({**ADA, **OUT}).dsid
    contact = store.read(dsid)
    assert (contact["status"], contact["donotcontact"]) == ("Inactive", True)
    store.write({"dsId": dsid, "status": "Active"})
    contact = store.read(dsid)
    assert (contact["optOutEmail"], contact["donotcontact"], contact["status"]) == (False, False, "Active")


@pytest.mark.parametrize(("opts_in", "opted_out"), [(True, False), (False, True)])
def test_an_opt_out_sent_as_false_is_obeyed_or_ignored(opts_in, opted_out):
    store = new_store(false_opts_in=opts_in)
    dsid = store.write({**ADA, "optOutEmail": True}).dsid
    store.write({"dsId": dsid, "optOutEmail": False})
    assert store.read(dsid)["optOutEmail"] is opted_out


def test_the_opt_out_call_skips_unknown_contacts():
    store = new_store()
    dsid = store.write(ADA).dsid
    store.opt_out_email([{"email": "unknown@example.com"}, {"email": "ADA@example.com"}])
    assert store.read(dsid)["optOutEmail"] is True


def test_a_full_quota_refuses_creates_and_allows_updates():
    store = new_store(contact_quota=1)
    dsid = store.write(ADA).dsid
    with pytest.raises(Refused):
        store.write({"email": "bob@example.com"})
    assert store.write({**ADA, "city": "Paris"}).dsid == dsid
    store.delete(dsid)
    assert store.write({"email": "bob@example.com"}).created


def test_a_new_contact_is_found_only_after_the_lag():
    clock = Clock()
    store = ContactStore(SandboxSettings(lookup_lag_seconds=5), clock=clock)
    dsid = store.write(ADA).dsid
    assert store.look_up("ada@example.com") is None
    assert store.read(dsid)["city"] == "London"
    clock.seconds += 5
    assert store.look_up("ada@example.com")["dsId"] == dsid


def test_an_import_appears_later_and_skips_repeats_and_bad_rows_silently():
    clock = Clock()
    store = ContactStore(SandboxSettings(import_delay_seconds=60), clock=clock)
    store.enqueue([ADA, {**ADA, "city": "Paris"}, {"firstName": "Eve"}, {"email": "bad"}])
    assert store.contacts() == []
    clock.seconds += 60
    assert [contact["city"] for contact in store.contacts()] == ["London"]


def test_ten_thousand_imports_do_not_exhaust_the_stack():
    store = new_store()
    store.enqueue({"email": f"p{number}@example.com"} for number in range(10_000))
    assert len(store.contacts()) == 10_000


@pytest.mark.parametrize(("setting", "found"), [("absent", False), ("kept", True)])
def test_a_merged_dsid_is_missing_or_leads_to_the_kept_contact(setting, found):
    store = new_store(merged_dsid=setting)
    gone, kept = store.write({**ADA, "company": "Engines"}).dsid, store.write({"email": "countess@example.com"}).dsid
    store.merge(kept, gone)
    assert store.read(kept)["company"] == "Engines"
    assert store.read(kept)["email"] == "countess@example.com"
    assert (store.read(gone) is not None) is found
    assert store.look_up("ada@example.com") is None


def test_an_edit_in_the_product_is_not_validated_and_not_in_the_journal():
    store = new_store()
    dsid = store.add({"email": "ada@example.com", "status": "Bounced"})
    store.edit(dsid, {"donotcontact": True, "extendedProperties": {"note": "vip"}})
    contact = store.read(dsid)
    assert (contact["status"], contact["donotcontact"], contact["extendedProperties"]) == (
        "Bounced",
        True,
        {"note": "vip"},
    )
    assert store.journal() == []
    with pytest.raises(ValueError, match="did you mean 'firstName'"):
        store.edit(dsid, {"firstname": "Ada"})
    with pytest.raises(KeyError):
        store.edit("unknown", {})


def test_a_removed_contact_is_not_found():
    store = new_store()
    dsid = store.write(ADA).dsid
    store.remove(dsid)
    assert (store.read(dsid), store.look_up("ada@example.com"), store.search("", offset=0, limit=9)) == (
        None,
        None,
        ([], 0),
    )


def test_the_newest_contacts_are_those_changed_last_and_can_be_searched():
    store = new_store()
    dsids = [store.write({"email": f"p{number}@example.com", "city": "Köln"}).dsid for number in range(4)]
    store.write({"dsId": dsids[0], "extendedProperties": {"plan": "Gold"}})
    assert found(store, "", limit=2) == ([dsids[0], dsids[3]], 4)
    assert found(store, "", offset=2) == ([dsids[2], dsids[1]], 4)
    assert found(store, "gOLD") == ([dsids[0]], 1)
    assert found(store, "köln", offset=3) == ([dsids[1]], 4)
    store.write({"dsId": dsids[0], "extendedProperties": {"plan": "Free"}})
    assert found(store, "gold") == ([], 0)


def found(store, text, *, offset=0, limit=9):
    contacts, total = store.search(text, offset=offset, limit=limit)
    return [contact["dsId"] for contact in contacts], total


def test_a_dump_restores_the_store():
    store, copy = new_store(), new_store()
    dsid = store.write(ADA).dsid
    store.delete(dsid)
    copy.load(store.dump())
    assert copy.contacts() == store.contacts()
    assert copy.write({**ADA, "city": "Paris"}).dsid == dsid
    for nonsense in ([], {"contacts": [[1]], "merged": {}}, {"contacts": 3}):
        with pytest.raises(ValueError, match="of a sandbox"):
            copy.load(nonsense)


def test_no_repr_shows_personal_data():
    store = new_store()
    write = store.write(ADA)
    assert "ada" not in repr(write).casefold()


def test_the_journal_has_the_identity_of_each_write():
    store = new_store()
    store.write(ADA)
    store.write({"mobilePhone": "+1 (555) 714-0059"})
    assert [(write.identity, write.created) for write in store.journal()] == [
        ("ada@example.com", True),
        ("15557140059", True),
    ]
    assert store.journal()[0].payload == ADA
    store.clear_journal()
    assert store.journal() == []
