from __future__ import annotations

import dataclasses

import pytest

from dagster_dailystory.model.contact_fields import CONTACT_FIELDS, IDENTITY_FIELDS, OPT_OUT_FIELDS, FieldKind, nearest


def test_every_field_is_listed_under_its_own_name_and_has_a_length() -> None:
    assert all(name == field.name and field.max_length > 0 for name, field in CONTACT_FIELDS.items())


def test_the_catalogue_contains_the_documented_fields_and_no_id() -> None:
    documented = {
        "email", "mobilePhone", "firstName", "lastName", "salutation", "title", "status", "country", "region", "city",
        "postalCode", "address", "geoCode", "phone", "homePhone", "company", "numberOfEmployees", "industry",
        "annualRevenue", "website", "optOutEmail", "optOutSms", "optOutPush", "optOutPhone",
        "maxContactFrequencyInDays",
    }  # fmt: skip
    assert documented <= set(CONTACT_FIELDS)
    assert not {"dsId", "id", "extendedProperties", "tenantId"} & set(CONTACT_FIELDS)


def test_the_opt_outs_are_the_fields_that_begin_with_opt_out() -> None:
    assert {name for name in CONTACT_FIELDS if name.startswith("optOut")} == OPT_OUT_FIELDS


def test_the_identity_is_the_email_then_the_mobile_number() -> None:
    assert [CONTACT_FIELDS[name].kind for name in IDENTITY_FIELDS] == [FieldKind.EMAIL, FieldKind.MOBILE]


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CONTACT_FIELDS["dsId"] = CONTACT_FIELDS["email"]  # type: ignore[index]  # the attempt is the test
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONTACT_FIELDS["email"].max_length = 1  # type: ignore[misc]  # the attempt is the test


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("firstname", "; did you mean 'firstName'?"),
        ("first_name", "; did you mean 'firstName'?"),
        ("MOBILEPHONE", "; did you mean 'mobilePhone'?"),
        ("optoutmail", "; did you mean 'optOutEmail'?"),
        ("shoe_size", ""),
        ("", ""),
    ],
)
def test_a_misspelt_field_name_suggests_the_nearest_one(name: str, hint: str) -> None:
    assert nearest(name, CONTACT_FIELDS) == hint
