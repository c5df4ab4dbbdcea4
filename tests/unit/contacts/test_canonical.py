from __future__ import annotations

import enum
import ipaddress
import json
import math
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.errors import RejectedError


class Plan(enum.Enum):
    PRO = "pro"


class Level(enum.IntEnum):
    HIGH = 3


class Label(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not the content"


class Endless:
    """A scalar like numpy.longdouble, whose Python form is of its own type again."""

    ndim = 0
    dtype = np.dtype("float64")

    def tolist(self) -> Endless:
        return Endless()

    item = tolist


EAST = timezone(timedelta(hours=2))
NASTY: list[tuple[object, str | None]] = [
    (None, None),
    ("", ""),
    (" Zoë\u00a0\U0001f600 ", " Zoë\u00a0\U0001f600 "),
    (Label("kept"), "kept"),
    (0, "0"),
    (-7, "-7"),
    (2**63, "9223372036854775808"),
    (True, "true"),
    (False, "false"),
    (1.0, "1"),
    (-0.0, "0"),
    (0.1, "0.1"),
    (1e16, "10000000000000000"),
    (123456789012345678901.0, "123456789012345680000"),
    (1e-5, "0.00001"),
    (1e-7, "0.0000001"),
    (1e21, "1e+21"),
    (1.5e-8, "1.5e-08"),
    (Decimal("1.50"), "1.5"),
    (Decimal("-0.00"), "0"),
    (Decimal("1E+3"), "1000"),
    (Decimal("1E-9"), "0.000000001"),
    (Decimal("100"), "100"),
    (date(2024, 2, 29), "2024-02-29"),
    (datetime(2024, 1, 2, 3, 4), "2024-01-02T03:04:00"),
    (datetime(2024, 1, 2, 3, 4, 5, 120000), "2024-01-02T03:04:05.12"),
    (datetime(2024, 1, 2, 1, tzinfo=EAST), "2024-01-01T23:00:00Z"),
    (datetime(2024, 1, 2, 1, 0, 0, 500000, tzinfo=timezone.utc), "2024-01-02T01:00:00.5Z"),
    (datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-5))), "9999-12-31T23:59:00-05:00"),
    (time(9, 30), "09:30:00"),
    (time(9, 30, 0, 100000, tzinfo=EAST), "09:30:00.1+02:00"),
    (timedelta(), "PT0S"),
    (timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=500), "P1DT2H3M4.5S"),
    (timedelta(days=3), "P3D"),
    (timedelta(minutes=-5), "-PT5M"),
    (timedelta(microseconds=10), "PT0.00001S"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Plan.PRO, "pro"),
    (Level.HIGH, "3"),
    ([], "[]"),
    ((1, "a", None, True, Decimal("1.10"), date(2024, 1, 1)), '[1,"a",null,true,1.1,"2024-01-01"]'),
    ({"b", "a"}, '["a","b"]'),
    (frozenset({2, 1}), "[1,2]"),
    ({"b": [1.0], "a": {"ü": None}}, '{"a":{"ü":null},"b":[1]}'),
    ({2: "x", Plan.PRO: Plan.PRO}, '{"2":"x","pro":"pro"}'),
]


@pytest.mark.parametrize(("value", "text"), NASTY)
def test_every_value_has_one_text(value: object, text: str | None) -> None:
    assert canonical_text(value) == text


PANDAS_AND_NUMPY = [
    (pd.NA, None),
    (pd.NaT, None),
    (pd.Timestamp("2024-01-01T10:00:00.000000001"), "2024-01-01T10:00:00.000000001"),
    (pd.Timestamp("2024-01-01", tz="America/New_York"), "2024-01-01T05:00:00Z"),
    (pd.Timedelta("1D"), "P1D"),
    (pd.Series([1, 2]), "[1,2]"),
    (np.int64(5), "5"),
    (np.bool_(True), "true"),
    (np.float64(1.0), "1"),
    (np.str_("x"), "x"),
    (np.datetime64("2024-01-01"), "2024-01-01"),
    (np.datetime64("2024-01-01T10"), "2024-01-01T10:00:00"),
    (np.datetime64("2024-01-01T10:00:00.500000000"), "2024-01-01T10:00:00.5"),
    (np.datetime64("2024-01-01T10:00:00.000000000"), "2024-01-01T10:00:00"),
    (np.datetime64("NaT", "ns"), None),
    (np.timedelta64(5, "s"), "PT5S"),
    (np.timedelta64(5_000, "ns"), "PT0.000005S"),
    (np.array(5), "5"),
    (np.array([[1.0], [2.5]]), "[[1],[2.5]]"),
    (np.array(["2024-01-01"], dtype="datetime64[ns]"), '["2024-01-01T00:00:00"]'),
]


def test_a_network_address_has_its_usual_text() -> None:
    assert canonical_text(ipaddress.ip_address("10.9.8.7")) == "10.9.8.7"
    assert canonical_text(ipaddress.ip_interface("10.9.8.7/24")) == "10.9.8.7/24"
    assert canonical_text(ipaddress.ip_network("2001:db8::/32")) == "2001:db8::/32"


@pytest.mark.parametrize(("value", "text"), PANDAS_AND_NUMPY)
def test_pandas_and_numpy_values_have_the_text_of_the_plain_value(value: object, text: str | None) -> None:
    assert canonical_text(value) == text


UNSUPPORTED = [
    (math.nan, "NaN"),
    (-math.inf, "NaN"),
    (Decimal("NaN"), "NaN"),
    (Decimal("sNaN"), "NaN"),
    (np.float64("nan"), "NaN"),
    ([1, {"a": math.inf}], "NaN"),
    (Decimal("1E+100000000"), "digits"),
    (Decimal("1E-100000000"), "digits"),
    (b"secret", "binary data"),
    (memoryview(b"secret"), "binary data"),
    (np.bytes_(b"secret"), "binary data"),
    (Endless(), "Endless"),
    (1j, "complex"),
    (object(), "type object"),
]


@pytest.mark.parametrize(("value", "words"), UNSUPPORTED)
def test_an_unsupported_value_is_refused_by_its_type_and_never_shown(value: object, words: str) -> None:
    with pytest.raises(UnsupportedValueError, match=words) as caught:
        canonical_text(value)
    assert "secret" not in str(caught.value)


def test_an_unsupported_value_error_rejects_one_row_and_is_a_value_error() -> None:
    assert issubclass(UnsupportedValueError, RejectedError)
    assert issubclass(UnsupportedValueError, ValueError)


def test_a_list_that_contains_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append({"again": loop})
    with pytest.raises(UnsupportedValueError, match="nested deeper"):
        canonical_text(loop)


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_equal_decimals_have_equal_texts_whatever_their_scale(number: Decimal) -> None:
    text = canonical_text(number)
    assert text == canonical_text(number.normalize()) == canonical_text(number + Decimal("0.0000000000"))
    assert text is not None
    assert Decimal(text) == number
    assert "E" not in text


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_reads_back_exactly(number: float) -> None:
    text = canonical_text(number)
    assert text is not None
    assert float(text) == number
    assert not text.endswith(".0")


@settings(deadline=None)
@given(st.integers(-(2**53), 2**53))
def test_an_integer_has_one_text_as_int_float_and_decimal(number: int) -> None:
    assert canonical_text(number) == canonical_text(float(number)) == canonical_text(Decimal(number))


@settings(deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_one_instant_has_one_text_in_every_zone(moment: datetime, minutes: int) -> None:
    utc = moment.replace(tzinfo=timezone.utc)
    elsewhere = utc.astimezone(timezone(timedelta(minutes=minutes)))
    assert canonical_text(utc) == canonical_text(elsewhere) == canonical_text(utc.astimezone(ZoneInfo("Europe/Berlin")))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.lists(JSON_VALUES))
def test_a_nested_value_is_valid_json_that_reads_back_equal(value: list[object]) -> None:
    text = canonical_text(value)
    assert text is not None
    assert json.loads(text) == value


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_a_mapping_does_not_matter(value: dict[str, int]) -> None:
    assert canonical_text(value) == canonical_text(dict(reversed(value.items())))
