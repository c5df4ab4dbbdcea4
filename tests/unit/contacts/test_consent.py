from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_dailystory.contacts.consent import check_consent
from dagster_dailystory.errors import ConsentError
from dagster_dailystory.model.contact_fields import OPT_OUT_FIELDS

ALLOWED: list[dict[str, object]] = [
    {},
    {"dsId": "1", "firstName": "", "numberOfEmployees": 0},
    {"optOutEmail": True, "optOutSms": True, "optOutPush": True, "optOutPhone": True, "donotcontact": True},
    {"status": "Inactive"},
    {"Status": "Spam"},
    {"extendedProperties": {"optOutEmail": "false", "status": "Active", "empty": ""}},
]


@pytest.mark.parametrize("body", ALLOWED)
def test_a_body_without_an_opt_in_is_allowed(body: dict[str, object]) -> None:
    check_consent(body)


REFUSED: list[dict[str, object]] = [
    {"optOutEmail": False},
    {"optOutSms": False},
    {"optOutPush": False},
    {"optOutPhone": False},
    {"OPTOUTEMAIL": False},
    {"opt_out_email": False},
    {"optOut": False},
    {"optOutEverything": False},
    {"doNotContact": False},
    {"donotcontact": 0},
    {"optOutEmail": 0},
    {"optOutEmail": 1},
    {"optOutEmail": ""},
    {"optOutEmail": "true"},
    {"optOutEmail": None},
    {"optOutEmail": True, "optoutemail": False},
    {"status": "Active"},
    {"STATUS": "Active"},
    {"status": "active"},
    {"status": "Deleted"},
    {"status": "inactive"},
    {"status": ""},
    {"status": 0},
    {"status": ["Inactive"]},
    {"firstName": None},
    {"extendedProperties": None},
    {"extendedProperties": {"plan": None}},
    {"extendedProperties": {"plan": {"deep": [1, None]}}},
]


@pytest.mark.parametrize("body", REFUSED)
def test_a_body_with_an_opt_in_or_a_null_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ConsentError):
        check_consent(body)


def test_an_exception_allows_only_its_own_field() -> None:
    check_consent({"optOutEmail": False}, allowed=["optOutEmail"])
    check_consent({"status": "Active"}, allowed=["status"])
    check_consent({"status": "Deleted"}, allowed=["status"])
    with pytest.raises(ConsentError, match="optOutSms"):
        check_consent({"optOutEmail": False, "optOutSms": False}, allowed=["optOutEmail", "status"])
    with pytest.raises(ConsentError, match="status"):
        check_consent({"status": "Active"}, allowed=sorted(OPT_OUT_FIELDS))
    with pytest.raises(ConsentError, match="status"):
        check_consent({"status": "Bounced"}, allowed=["status"])
    with pytest.raises(ConsentError, match="optOutEmail"):
        check_consent({"optOutEmail": 0}, allowed=["optOutEmail"])


def test_the_error_names_the_key_and_not_the_value() -> None:
    with pytest.raises(ConsentError, match="status") as caught:
        check_consent({"status": "jane@example.com"})
    assert "jane" not in str(caught.value)


@settings(deadline=None)
@given(st.sampled_from(sorted(OPT_OUT_FIELDS)), st.data())
def test_no_spelling_of_an_opt_out_takes_it_back(name: str, data: st.DataObject) -> None:
    flips = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    spelling = "".join(letter.swapcase() if flip else letter for letter, flip in zip(name, flips, strict=True))
    with pytest.raises(ConsentError):
        check_consent({spelling: False})
