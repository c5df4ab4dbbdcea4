from __future__ import annotations

import math
from datetime import date, datetime, time, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.identity import e164
from dagster_dailystory.contacts.values import FALSE_TEXTS, TRUE_TEXTS, wire_value
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField, Nulls


def field(kind: FieldKind) -> MappedField:
    return MappedField("name", "column", kind, Nulls.KEEP, 255)


SENT = [
    (FieldKind.TEXT, "Zoë \U0001f600", "Zoë \U0001f600"),
    (FieldKind.TEXT, " kept ", " kept "),
    (FieldKind.TEXT, 12, "12"),
    (FieldKind.TEXT, "a\x00b\x1bc\x7f\x85", "abc"),
    (FieldKind.TEXT, "1 Main St\r\nApt\t4\n", "1 Main St Apt 4"),
    (FieldKind.TEXT, "\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
    (FieldKind.CUSTOM, "line\r\nline\ttab\x00", "line\r\nline\ttab"),
    (FieldKind.CUSTOM, True, "true"),
    (FieldKind.CUSTOM, Decimal("10.50"), "10.5"),
    (FieldKind.CUSTOM, datetime(2024, 1, 1, tzinfo=timezone.utc), "2024-01-01T00:00:00Z"),
    (FieldKind.CUSTOM, ["a", 1], '["a",1]'),
    (FieldKind.CUSTOM, 0, "0"),
    (FieldKind.EMAIL, "  Jane.Doe@Example.com\n", "Jane.Doe@Example.com"),
    (FieldKind.MOBILE, "+1 (415) 555-2671", "+14155552671"),
    (FieldKind.STATUS, " inactive", "Inactive"),
    (FieldKind.STATUS, "SPAM", "Spam"),
    (FieldKind.STATUS, "active", "Active"),
    (FieldKind.INTEGER, 5, 5),
    (FieldKind.INTEGER, 5.0, 5),
    (FieldKind.INTEGER, Decimal("5E+2"), 500),
    (FieldKind.INTEGER, np.int64(-3), -3),
    (FieldKind.INTEGER, " 007 ", 7),
    (FieldKind.NUMBER, Decimal("1.250"), 1.25),
    (FieldKind.NUMBER, Decimal("1000000.00"), 1000000),
    (FieldKind.NUMBER, "-0.5", -0.5),
    (FieldKind.NUMBER, 1e22, 1e22),
    (FieldKind.DATE, date(1980, 2, 29), "1980-02-29"),
    (FieldKind.DATE, datetime(1980, 2, 29, 13, 45, 1, 5), "1980-02-29"),
    (FieldKind.DATE, "1980-02-29 00:00:00", "1980-02-29"),
]


@pytest.mark.parametrize(("kind", "value", "sent"), SENT)
def test_a_value_is_sent_in_the_form_of_its_kind(kind: FieldKind, value: object, sent: object) -> None:
    converted = wire_value(field(kind), value)
    assert converted == sent
    assert type(converted) is type(sent)


@pytest.mark.parametrize("kind", list(FieldKind))
@pytest.mark.parametrize("value", [None, "", "   ", "\t\r\n", "\u00a0"])
def test_null_and_blank_text_are_not_sent_in_any_field(kind: FieldKind, value: object) -> None:
    assert wire_value(field(kind), value) is None


@pytest.mark.parametrize("kind", [FieldKind.TEXT, FieldKind.CUSTOM])
def test_text_of_control_characters_only_is_not_sent(kind: FieldKind) -> None:
    assert wire_value(field(kind), "\x00\x01 \x7f") is None


SENT_KINDS = [kind for kind in FieldKind if kind is not FieldKind.REGION]


REFUSED = [
    *(
        (kind, value)
        for kind in FieldKind
        if kind is not FieldKind.REGION
        for value in (math.nan, math.inf, b"4155552671", object())
    ),
    (FieldKind.TEXT, "\ud800 broken"),
    (FieldKind.CUSTOM, "\ud800 broken"),
    (FieldKind.MOBILE, "4155552671"),
    (FieldKind.MOBILE, "+1 415 555 2671 ext. 5"),
    (FieldKind.MOBILE, "+1"),
    (FieldKind.STATUS, "Deleted"),
    (FieldKind.STATUS, "Bounced"),
    (FieldKind.STATUS, 0),
    (FieldKind.OPT_OUT, 2),
    (FieldKind.OPT_OUT, "maybe"),
    (FieldKind.OPT_OUT, 0.5),
    (FieldKind.OPT_OUT, -1),
    (FieldKind.OPT_OUT, "ye\u017f"),
    (FieldKind.INTEGER, True),
    (FieldKind.INTEGER, 1.5),
    (FieldKind.INTEGER, "1_000"),
    (FieldKind.INTEGER, "\uff11"),
    (FieldKind.INTEGER, 2**53 + 2),
    (FieldKind.INTEGER, "1e999"),
    (FieldKind.NUMBER, "1e999999999"),
    (FieldKind.NUMBER, "1,5"),
    (FieldKind.NUMBER, "nan"),
    (FieldKind.NUMBER, [1]),
    (FieldKind.DATE, "02/29/1980"),
    (FieldKind.DATE, "1981-02-29"),
    (FieldKind.DATE, "\uff11980-01-01"),
    (FieldKind.DATE, datetime(1980, 2, 29, tzinfo=timezone.utc)),
    (FieldKind.DATE, time(12)),
    (FieldKind.DATE, 19800229),
]


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_a_value_of_another_kind_is_refused_without_being_shown(kind: FieldKind, value: object) -> None:
    with pytest.raises(UnsupportedValueError) as caught:
        wire_value(field(kind), value)
    assert "4155552671" not in str(caught.value)
    assert "1980" not in str(caught.value)


def test_the_spellings_of_yes_and_no_are_known() -> None:
    assert {"true", "yes", "y", "t", "on", "1", "1.0"} == TRUE_TEXTS
    assert {"false", "no", "n", "f", "off", "0", "0.0"} == FALSE_TEXTS


@pytest.mark.parametrize("text", sorted(TRUE_TEXTS | FALSE_TEXTS))
def test_an_opt_out_reads_yes_and_no_in_any_case(text: str) -> None:
    for spelling in (text, text.upper(), f" {text.title()} "):
        assert wire_value(field(FieldKind.OPT_OUT), spelling) is (text in TRUE_TEXTS)


@pytest.mark.parametrize(
    ("value", "opted_out"),
    [
        (True, True),
        (1, True),
        (1.0, True),
        (Decimal("1.00"), True),
        (False, False),
        (0.0, False),
        (Decimal("-0"), False),
    ],
)
def test_an_opt_out_reads_booleans_and_bits(value: object, opted_out: bool) -> None:
    assert wire_value(field(FieldKind.OPT_OUT), value) is opted_out


def test_a_region_reads_national_numbers_and_leaves_international_ones() -> None:
    assert e164("(415) 555-2671", "US") == "+14155552671"
    assert e164("0171 1234567", "DE") == "+491711234567"
    assert e164("+491711234567", "US") == "+491711234567"
    assert e164("415 555 2671", None) is None
    assert e164("415 555 2671", "XX") is None
    assert wire_value(field(FieldKind.MOBILE), 4155552671, region="US") == "+14155552671"


KINDS = st.sampled_from(SENT_KINDS)
VALUES = (
    st.text()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.booleans()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.dates()
    | st.lists(st.text())
)


@settings(deadline=None)
@given(KINDS, VALUES)
def test_a_value_and_its_canonical_text_are_sent_in_the_same_form(kind: FieldKind, value: object) -> None:
    def outcome(candidate: object) -> object:
        try:
            return wire_value(field(kind), candidate)
        except UnsupportedValueError:
            return "refused"

    try:
        text = canonical_text(value)
    except UnsupportedValueError:
        assert outcome(value) == "refused"
        return
    assert outcome(value) == outcome(text)


@settings(deadline=None)
@given(st.sampled_from([FieldKind.TEXT, FieldKind.CUSTOM]), st.text())
def test_control_characters_are_removed_and_the_result_is_stable(kind: FieldKind, text: str) -> None:
    sent = wire_value(field(kind), text)
    assert sent is None or (isinstance(sent, str) and sent.strip())
    if isinstance(sent, str):
        assert not {"\x00", "\x1b", "\x7f", "\x85"} & set(sent)
        assert wire_value(field(kind), sent) == sent
        assert kind is FieldKind.CUSTOM or not {"\n", "\r", "\t"} & set(sent)
