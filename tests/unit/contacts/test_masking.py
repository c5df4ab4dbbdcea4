from __future__ import annotations

import html
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_dailystory.contacts.fingerprint import key_label, mapping_version, row_fingerprint
from dagster_dailystory.contacts.masking import mask, mask_values
from dagster_dailystory.model.sync import ContactSync

SECRET = b"the state's own"


def sync(**settings: object) -> ContactSync:
    known: dict[str, object] = {
        "name": "customers",
        "source": "customers",
        "key": "id",
        "fields": {"email": "email", "firstName": "first_name"},
        "extended_properties": {"plan": "plan"},
    }
    return ContactSync(**{**known, **settings})  # type: ignore[arg-type]  # settings under test have any type


MESSAGES = [
    ("Contact jane.doe@example.com exists", "Contact [email] exists"),
    ("email=o'brien+x@example.com&x=1 failed", "[email] failed"),
    ("<a@b.co>, (c@d.co); [e@f.co]", "<[email]>, ([email]); [[email]]"),
    ('{"email":"zoë@exämple.com","n":1}', '{"email":"[email]","n":1}'),
    ('no "jane doe"@example.com here', "no [email] here"),
    ("GET /contact?email=jane%40example.com", "GET [email]"),
    ("call +14155552671 or (415) 555-2671", "call [phone] or ([phone]"),
    ("mobile +1 415.555.2671!", "mobile [phone]!"),
    ("%2B4915112345678", "[phone]"),
    ("jane&#64;example.com and jane&amp;#x40;example.com", "[email] and [email]"),
    ("100% of %zz", "100% of %zz"),
    ("Authorization: Bearer abc.def", "Authorization: [token]"),
    ("key 0123456789abcdef0123456789abcdef gone", "key [token] gone"),
    ("status 400 after 12 tries", "status 400 after 12 tries"),
    ("too\r\nmany\x00 lines\u2028here", "too many lines here"),
    ("", ""),
]


@pytest.mark.parametrize(("message", "shown"), MESSAGES)
def test_a_message_keeps_its_words_and_loses_personal_data(message: str, shown: str) -> None:
    assert mask(message) == shown


def test_a_long_message_is_cut_after_masking() -> None:
    shown = mask("x " * 140 + "customer-with-a-long-name@example.com refused " + "y " * 200)
    assert len(shown) == 300
    assert "customer" not in shown


ENCODINGS = {
    "html": html.escape,
    "numbers": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "url": quote,
    "form": quote_plus,
    "json": lambda text: json.dumps(text)[1:-1],
    "url in html": lambda text: html.escape(quote(text)),
    "html in url": lambda text: quote(html.escape(text)),
    "url twice": lambda text: quote(quote(text)),
}
PRINTED = st.text(st.characters(categories=["L", "N", "P", "Zs"], max_codepoint=0xFFFF), min_size=6, max_size=30)


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@given(value=PRINTED.filter(lambda text: len(text.strip()) > 5))
def test_a_value_of_the_row_is_masked_however_it_is_encoded(encode: Callable[[str], str], value: str) -> None:
    shown = mask_values(f"the value {encode(value)} is not known", [value]).replace("[value]", "")
    assert " ".join(value.split()) not in shown
    assert encode(value).strip() not in shown


@settings(deadline=None)
@given(st.text(), st.emails(), st.text())
def test_no_address_survives_masking(before: str, email: str, after: str) -> None:
    shown = mask(f"{before} {email} {after}")
    assert "@" not in shown
    assert len(shown) <= 300
    assert shown.isprintable() or not any(ord(letter) < 32 for letter in shown)


@settings(deadline=None)
@given(st.text(), st.from_regex(r"\+[1-9][0-9]{9,13}", fullmatch=True), st.text())
def test_no_international_number_survives_masking(before: str, number: str, after: str) -> None:
    assert number[1:] not in mask(f"{before} {number} {after}")


def test_the_rows_own_values_are_removed_in_any_case_and_longest_first() -> None:
    values = ["Zoë", "Smith-Jones", "Smith", "NY", None, 12345, float("nan"), "12 Main Street  "]
    message = "SMITH-JONES, zoë of 12 main street (ny, id 12345) refused"
    assert mask_values(message, values) == "[value], [value] of [value] (ny, id [value]) refused"


def test_a_short_value_is_not_masked_inside_a_longer_word() -> None:
    assert mask_values("Ann cannot: user_ann", ["Ann"]) == "[value] cannot: user_[value]"


def test_a_message_is_masked_without_row_values_too() -> None:
    assert mask_values("a@b.co", []) == "[email]"


def test_a_key_is_shown_as_its_canonical_texts() -> None:
    assert key_label(sync(key=["region", "id"]), ["eu", Decimal("7.0")], SECRET) == "eu|7"


def test_a_personal_key_is_shown_as_a_stable_opaque_id() -> None:
    mapped = sync(key=["email", "id"])
    label = key_label(mapped, ["jane@example.com", 7], SECRET)
    assert label.startswith("id-")
    assert label.endswith("|7")
    assert len(label) == len("id-") + 12 + len("|7")
    assert label == key_label(mapped, ["jane@example.com", 7], SECRET)
    assert label != key_label(mapped, ["jane@example.com", 7], b"another state")


@pytest.mark.parametrize("settings", [{"key": "login", "personal_keys": ["login"]}, {"key": "EMAIL"}, {"key": "login"}])
def test_no_label_shows_an_address(settings: dict[str, object]) -> None:
    assert "jane" not in key_label(sync(**settings), ["jane@example.com"], SECRET)


def test_a_label_cannot_break_a_log_line() -> None:
    assert key_label(sync(), ["1\nINFO forged"], SECRET) == "1 INFO forged"


def test_the_mapping_version_changes_only_with_what_is_sent() -> None:
    version = mapping_version(sync())
    assert version == mapping_version(sync(fields={"firstName": "first_name", "email": "email"}, mode="update"))
    others = [
        sync(fields={"email": "email"}),
        sync(fields={"email": "email", "firstName": "given_name"}),
        sync(extended_properties={"tier": "plan"}),
        sync(nulls="clear"),
        sync(max_value_length=10),
        sync(default_region="US"),
    ]
    assert len({version, *map(mapping_version, others)}) == 1 + len(others)


def test_a_fingerprint_is_the_same_for_a_value_and_its_canonical_text() -> None:
    moment = datetime(2024, 1, 1, tzinfo=timezone.utc)
    raw = {"field_email": "a@example.com", "field_firstName": Decimal("1.0"), "custom_plan": moment}
    east = {**raw, "custom_plan": moment.astimezone(timezone(timedelta(hours=3)))}
    text = {"field_email": "a@example.com", "field_firstName": "1", "custom_plan": "2024-01-01T00:00:00Z"}
    fingerprints = {row_fingerprint(sync(), values, SECRET) for values in (raw, east, text)}
    assert len(fingerprints) == 1
    assert len(fingerprints.pop()) == 32


def test_a_fingerprint_changes_with_the_row_the_mapping_and_the_secret() -> None:
    row: dict[str, object] = {"field_email": "a@example.com", "custom_plan": None}
    fingerprints = [
        row_fingerprint(sync(), row, SECRET),
        row_fingerprint(sync(), {**row, "custom_plan": ""}, SECRET),
        row_fingerprint(sync(), {**row, "custom_plan": b"x"}, SECRET),
        row_fingerprint(sync(), {**row, "field_email": "a@example.com ", "field_firstName": ""}, SECRET),
        row_fingerprint(sync(nulls="clear"), row, SECRET),
        row_fingerprint(sync(), row, b"another state"),
    ]
    assert len(set(fingerprints)) == len(fingerprints)
    assert row_fingerprint(sync(), {**row, "unmapped": 1}, SECRET) == fingerprints[0]
