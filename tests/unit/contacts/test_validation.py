from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_dailystory.contacts.canonical import UnsupportedValueError
from dagster_dailystory.contacts.consent import check_consent
from dagster_dailystory.contacts.identity import identity_of
from dagster_dailystory.contacts.payload import payload, sends_nothing
from dagster_dailystory.contacts.validation import check_row
from dagster_dailystory.model.change import Change, Identity, Operation, Reason
from dagster_dailystory.model.contact_fields import CONTACT_FIELDS, OPT_OUT_FIELDS
from dagster_dailystory.model.sync import ContactSync

EVERY_FIELD = {name: name.lower() for name in CONTACT_FIELDS}


def sync(**settings: object) -> ContactSync:
    known: dict[str, object] = {
        "name": "customers",
        "source": "customers",
        "key": "id",
        "fields": EVERY_FIELD,
        "extended_properties": {"plan": "plan", "tier": "tier"},
    }
    return ContactSync(**{**known, **settings})  # type: ignore[arg-type]  # settings under test have any type


def change(
    values: Mapping[str, object],
    differing: tuple[str, ...] = (),
    operation: Operation = Operation.UPDATE,
    *,
    resend_all: bool = False,
) -> Change:
    return Change(
        sequence=1,
        key_label="1",
        operation=operation,
        dsid=None if operation is Operation.CREATE else "d1",
        values=values,
        differing=frozenset(differing),
        identity=Identity(),
        resend_all=resend_all,
    )


EMAILS = [
    ("jane@example.com", "jane@example.com"),
    ("jane@example.org", "jane@example.org"),
    (" Jane.Doe+x@EXAMPLE.com\r\n", "jane.doe+x@example.com"),
    ("o'brien@example.co.uk", "o'brien@example.co.uk"),
    ("zoë@exämple.com", "zoë@exämple.com"),
    ("jane@xn--exmple-cua.com", "jane@exämple.com"),
    ("jane", None),
    ("jane@", None),
    ("jane@host", None),
    ("jane@10.0.0.1", None),
    ("jane@masked.invalid", None),
    ("jane@staging.test", None),
    ("Jane <jane@example.com>", None),
    ("jane@example.com; joe@example.com", None),
    ("ja ne@example.com", None),
    ("ja\x00ne@example.com", None),
    ("jane@example.com\x00", None),
    ("jane\u200b@example.com", None),
    ("a" * 250 + "@example.com", None),
    ("", None),
    ("  ", None),
    (None, None),
    (5, None),
    (math.nan, None),
    (b"jane@example.com", None),
]


@pytest.mark.parametrize(("value", "email"), EMAILS)
def test_an_email_is_normalised_for_matching_or_is_none(value: object, email: str | None) -> None:
    assert identity_of(sync(), {"field_email": value}) == Identity(email=email)


MOBILES = [
    ("+14155552671", None, "+14155552671"),
    (" +1 (415) 555-2671 ", None, "+14155552671"),
    ("+٤٩١٧١١٢٣٤٥٦٧", None, "+491711234567"),
    (4155552671, "US", "+14155552671"),
    (Decimal("4155552671.0"), "US", "+14155552671"),
    ("415 555 2671", None, None),
    ("555-2671", "US", None),
    ("+1415", None, None),
    ("+999123456789", None, None),
    ("n/a", "US", None),
    ("", "US", None),
    (math.nan, "US", None),
    (None, "US", None),
]


@pytest.mark.parametrize(("value", "region", "mobile"), MOBILES)
def test_a_mobile_number_is_normalised_to_e164_or_is_none(
    value: object, region: str | None, mobile: str | None
) -> None:
    assert identity_of(sync(default_region=region), {"field_mobilePhone": value}) == Identity(mobile=mobile)


def test_a_sync_without_identity_fields_has_no_identity() -> None:
    assert not identity_of(sync(fields={"city": "city"}, mode="update"), {"field_email": "jane@example.com"})


SECRETS = ("jane", "4155552671", "top-secret")
NASTY_ROWS: list[tuple[dict[str, object], Reason | None, str]] = [
    ({}, None, ""),
    ({"field_email": "jane@host"}, Reason.INVALID_EMAIL, "email (column 'email')"),
    ({"field_email": "jane@" + "a" * 250 + ".com"}, Reason.VALUE_TOO_LONG, "email"),
    ({"field_email": b"jane@example.com"}, Reason.INVALID_VALUE, "binary data"),
    ({"field_email": math.nan}, Reason.INVALID_VALUE, "NULL"),
    ({"field_email": " "}, None, ""),
    ({"field_mobilePhone": "4155552671"}, Reason.INVALID_MOBILE, "default_region"),
    ({"field_mobilePhone": "+1 (415) 555-2671 "}, None, ""),
    ({"field_firstName": "jane" * 64}, Reason.VALUE_TOO_LONG, "256 characters, the maximum is 255"),
    ({"field_firstName": "jane" * 63 + "abc"}, None, ""),
    ({"field_firstName": "x" * 255 + "\x00"}, None, ""),
    ({"field_firstName": "\U0001f600" * 255}, None, ""),
    ({"field_annualRevenue": 2**53 + 1}, Reason.INVALID_VALUE, "2^53"),
    ({"field_annualRevenue": "9007199254740993.5"}, Reason.INVALID_VALUE, "2^53"),
    ({"field_firstName": "top-secret \udcff"}, Reason.INVALID_VALUE, "Unicode"),
    ({"field_firstName": Decimal("NaN")}, Reason.INVALID_VALUE, "firstName (column 'firstname')"),
    ({"field_status": "active"}, None, ""),
    ({"field_status": "INACTIVE"}, None, ""),
    ({"field_status": "Deleted"}, Reason.INVALID_VALUE, "'Inactive' or 'Spam'"),
    ({"field_status": "top-secret"}, Reason.INVALID_VALUE, "status"),
    ({"field_numberOfEmployees": "top-secret"}, Reason.INVALID_VALUE, "numberOfEmployees"),
    ({"field_numberOfEmployees": 1.5}, Reason.INVALID_VALUE, "whole number"),
    ({"field_annualRevenue": math.inf}, Reason.INVALID_VALUE, "annualRevenue"),
    ({"field_optOutEmail": "top-secret"}, Reason.INVALID_VALUE, "optOutEmail"),
    ({"field_optOutEmail": "No"}, None, ""),
    ({"field_dateBirth": "13/12/1980"}, Reason.INVALID_VALUE, "YYYY-MM-DD"),
    ({"field_dateBirth": date(1980, 12, 13)}, None, ""),
    ({"field_dateBirth": datetime(1980, 12, 13, tzinfo=timezone.utc)}, Reason.INVALID_VALUE, "time zone"),
    ({"custom_plan": "p" * 256}, Reason.VALUE_TOO_LONG, "max_value_length"),
    ({"custom_plan": list(range(100))}, Reason.VALUE_TOO_LONG, "plan"),
    ({"custom_plan": object()}, Reason.INVALID_VALUE, "type object"),
    ({"custom_plan": {"a": [math.nan]}}, Reason.INVALID_VALUE, "NaN"),
    ({"custom_plan": Decimal("1E+999999")}, Reason.INVALID_VALUE, "digits"),
    ({"custom_plan": False}, None, ""),
    ({"unmapped": object()}, None, ""),
]


@pytest.mark.parametrize(("values", "reason", "words"), NASTY_ROWS)
def test_a_row_is_rejected_for_its_first_problem_without_its_values(
    values: dict[str, object], reason: Reason | None, words: str
) -> None:
    rejection = check_row(sync(), values, is_new=False).rejection
    if reason is None:
        assert rejection is None
        return
    assert rejection is not None
    assert rejection.reason is reason
    assert words in rejection.message
    assert not any(secret in repr(rejection) for secret in SECRETS)


@pytest.mark.parametrize(("values", "reason", "words"), NASTY_ROWS)
def test_a_row_that_passes_has_a_body_that_passes_the_consent_check(
    values: dict[str, object], reason: Reason | None, words: str
) -> None:
    if reason is None:
        check_consent(payload(sync(), change(values), everything=True))


def test_a_new_contact_needs_an_identity_and_a_known_one_does_not() -> None:
    values = {"field_firstName": "Jane", "field_email": "", "field_mobilePhone": None}
    rejection = check_row(sync(), values, is_new=True).rejection
    assert rejection is not None
    assert rejection.reason is Reason.NO_IDENTITY
    assert check_row(sync(), values, is_new=False).rejection is None
    assert check_row(sync(), {**values, "field_mobilePhone": "+14155552671"}, is_new=True).rejection is None
    assert check_row(sync(), {**values, "field_email": "jane@example.com"}, is_new=True).rejection is None


def test_an_identity_passed_in_leads_to_the_same_result() -> None:
    for values, _, _ in NASTY_ROWS:
        passed_in = check_row(sync(), values, is_new=True, identity=identity_of(sync(), values))
        assert passed_in == check_row(sync(), values, is_new=True)


FULL_ROW: dict[str, object] = {
    "field_email": " Jane@Example.com ",
    "field_mobilePhone": "(415) 555-2671",
    "field_firstName": "Jane",
    "field_city": None,
    "field_status": "Active",
    "field_annualRevenue": Decimal("10.50"),
    "field_optOutEmail": True,
    "field_optOutSms": False,
    "field_dateBirth": date(1980, 1, 2),
    "custom_plan": "pro",
    "custom_tier": 3,
}


def test_a_create_contains_every_value_and_no_opt_in() -> None:
    body = payload(sync(default_region="US", nulls="clear"), change(FULL_ROW, operation=Operation.CREATE))
    assert body == {
        "email": "Jane@Example.com",
        "mobilePhone": "+14155552671",
        "firstName": "Jane",
        "annualRevenue": 10.5,
        "optOutEmail": True,
        "dateBirth": "1980-01-02",
        "extendedProperties": {"plan": "pro", "tier": "3"},
    }


def test_an_update_contains_only_the_fields_that_differ() -> None:
    assert payload(sync(), change(FULL_ROW, ("field_firstName",))) == {"firstName": "Jane"}


def test_a_differing_custom_field_sends_all_custom_fields_with_a_value() -> None:
    body = payload(sync(nulls="clear"), change({**FULL_ROW, "custom_plan": None}, ("custom_tier",)))
    assert body == {"extendedProperties": {"tier": "3"}}
    assert payload(sync(), change(FULL_ROW, ("custom_tier",))) == {"extendedProperties": {"plan": "pro", "tier": "3"}}


def test_a_blank_custom_field_sends_no_other_custom_field() -> None:
    assert payload(sync(), change({**FULL_ROW, "custom_plan": " "}, ("custom_plan",))) == {}


def test_a_null_is_sent_as_empty_text_only_if_nulls_clear_the_field() -> None:
    row = {**FULL_ROW, "custom_plan": None}
    differing = ("field_city", "custom_plan")
    assert payload(sync(), change(row, differing)) == {}
    assert payload(sync(nulls={"city": "clear"}), change(row, differing)) == {"city": ""}
    cleared = {"city": "", "extendedProperties": {"plan": "", "tier": "3"}}
    assert payload(sync(nulls="clear"), change(row, differing)) == cleared


def test_a_full_update_empties_cleared_fields_and_a_create_does_not() -> None:
    mapped = sync(fields={"email": "email", "city": "city"}, nulls="clear")
    row = {"field_email": "a@example.com", "custom_plan": "pro"}
    whole = {"email": "a@example.com", "city": "", "extendedProperties": {"plan": "pro", "tier": ""}}
    assert payload(mapped, change(row), everything=True) == whole
    assert payload(mapped, change(row, resend_all=True)) == whole
    created = {"email": "a@example.com", "extendedProperties": {"plan": "pro"}}
    assert payload(mapped, change(row, operation=Operation.CREATE), everything=True) == created


def test_an_email_or_an_opt_out_is_never_emptied() -> None:
    differing = ("field_email", "field_optOutEmail", "field_status", "field_dateBirth")
    assert payload(sync(nulls="clear"), change({}, differing)) == {}


@pytest.mark.parametrize("back", [False, 0, "no"])
def test_an_opt_out_taken_back_is_not_sent_unless_an_override_names_it(back: object) -> None:
    taken_back = change({"field_optOutEmail": back}, ("field_optOutEmail",))
    assert payload(sync(), taken_back) == {}
    assert payload(sync(consent_override=["optOutSms"]), taken_back) == {}
    assert payload(sync(consent_override=["optOutEmail"]), taken_back) == {"optOutEmail": False}


def test_a_status_active_is_not_sent_unless_an_override_names_it() -> None:
    active = change({"field_status": "active"}, ("field_status",))
    assert payload(sync(), active) == {}
    assert payload(sync(consent_override=["status"]), active) == {"status": "Active"}
    assert payload(sync(), change({"field_status": "spam"}, ("field_status",))) == {"status": "Spam"}


def test_an_override_applies_to_changed_fields_and_not_to_full_updates() -> None:
    mapped = sync(
        fields={"email": "email", "optOutEmail": "out", "status": "status"}, consent_override=["optOutEmail", "status"]
    )
    row = {"field_email": "a@example.com", "field_optOutEmail": False, "field_status": "Active"}
    assert payload(mapped, change(row), everything=True) == {"email": "a@example.com"}
    assert payload(mapped, change(row, tuple(row), Operation.CREATE)) == {"email": "a@example.com"}


@pytest.mark.parametrize(
    ("values", "silent"),
    [
        ({"field_optOutEmail": False}, True),
        ({"field_status": "Active"}, True),
        ({"field_firstName": " "}, True),
        ({"custom_plan": "\x00"}, True),
        ({}, True),
        ({"field_optOutEmail": True}, False),
        ({"field_status": "Inactive"}, False),
        ({"field_firstName": "Jane"}, False),
        ({"field_numberOfEmployees": 0}, False),
        ({"field_optOutEmail": False, "custom_plan": "pro"}, False),
    ],
)
def test_a_change_without_a_body_only_updates_the_snapshot(values: dict[str, object], silent: bool) -> None:
    assert sends_nothing(sync(), change(values, tuple(values))) is silent


def test_a_value_that_the_row_check_rejects_never_reaches_a_body() -> None:
    with pytest.raises(UnsupportedValueError):
        payload(sync(), change({"field_annualRevenue": math.nan}, ("field_annualRevenue",)))


STATE_COLUMNS = [mapped.state_column for mapped in sync().mapped_fields]
SOURCE_VALUES = (
    st.none()
    | st.booleans()
    | st.sampled_from(
        ["", " ", "no", "TRUE", "Active", "inactive", "jane@example.com", "+14155552671", "2024-01-01", "5"]
    )
    | st.integers(0, 10**6)
    | st.text(max_size=20)
)


@settings(deadline=None)
@given(
    values=st.dictionaries(st.sampled_from(STATE_COLUMNS), SOURCE_VALUES),
    differing=st.sets(st.sampled_from(STATE_COLUMNS)),
    operation=st.sampled_from([Operation.CREATE, Operation.UPDATE]),
    everything=st.booleans(),
    nulls=st.sampled_from(["keep", "clear"]),
)
def test_the_body_of_a_valid_row_has_no_null_and_no_opt_in(
    values: dict[str, object], differing: set[str], operation: Operation, everything: bool, nulls: str
) -> None:
    mapped = sync(nulls=nulls)
    if check_row(mapped, values, is_new=False).rejection is not None:
        return
    row = change(values, tuple(differing), operation)
    body = payload(mapped, row, everything=everything)
    check_consent(body)
    custom = body.pop("extendedProperties", {})
    assert isinstance(custom, dict)
    sent = [*body.values(), *custom.values()]
    assert not any(value is None for value in sent)
    assert all(body[name] is True for name in OPT_OUT_FIELDS & body.keys())
    assert all(isinstance(value, str) for value in custom.values())
    if operation is Operation.UPDATE and not everything:
        assert {f"field_{name}" for name in body} <= differing
