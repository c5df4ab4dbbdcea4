"""The canonical text of a value: `Decimal('1.0')`, `1` and `numpy.float64(1)` are all `"1"`.

Staging, fingerprints and payloads use it, so that another driver, or another version of one, never causes a
difference. pandas and numpy values are recognised without importing either library.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any
from uuid import UUID

from dagster_dailystory.errors import RejectedError

_MAX_DIGITS = 1_000
"""Maximum digits of a decimal: `Decimal("1E+100000000")` would become a text of 100 MB."""


_MAX_DEPTH = 50
"""Maximum nesting of a JSON value: a list can contain itself."""


_MIDNIGHT = "0000-00-00T00:00:00"


_MISSING_TYPES = frozenset({"NAType", "NaTType"})


class UnsupportedValueError(RejectedError, ValueError):
    """A value has no canonical text, or is not valid for its field; its row is rejected.

    The message names the type and the remedy, never the value.
    """


def canonical_text(value: object) -> str | None:
    """Convert a driver's value to the text that is the same for every driver.

    Numbers are plain decimals without trailing zeros; `-0` is `0`. A float is its shortest exact decimal, in Python's
    exponent form (`1e+22`, `1.5e-08`) from 1e21 on and below 1e-7. Naive times stay as they are; times with a zone
    become UTC with `Z`; fractions of a second lose trailing zeros. Lists, sets (sorted) and mappings (sorted keys)
    become compact JSON, with dates as strings and decimals as numbers. `None`, `pandas.NA` and `pandas.NaT` are None.

    Raises:
        UnsupportedValueError: NaN, an infinity, binary data, or a type without an obvious text.
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]  # mypy does not narrow on `type(...) is`
    if value is None:
        return None
    render = _RENDERERS.get(kind)
    return render(value) if render is not None else _text_of_other_type(value)


def _text_of_other_type(value: object) -> str | None:
    """The text of a value whose exact type has no renderer: an enum, a subclass, a pandas or numpy value."""
    unwrapped = _unwrapped(value)
    if unwrapped is not value:
        return canonical_text(unwrapped)
    for base, render in _RENDERERS.items():
        if isinstance(value, base):
            return render(value)
    raise _unsupported(value)


def _unsupported(value: object) -> UnsupportedValueError:
    name = type(value).__name__
    if isinstance(value, (bytes, bytearray, memoryview)):
        return UnsupportedValueError(f"binary data ({name}) cannot be sent; decode it to text in the query")
    return UnsupportedValueError(f"a value of type {name} cannot be sent; convert it to text in the query")


def _unwrapped(value: object) -> object:
    """The plain value of an enum, a pandas missing value, a numpy scalar or an array; other values unchanged."""
    if isinstance(value, Enum):
        return value.value
    if type(value).__name__ in _MISSING_TYPES:
        return None
    if isinstance(value, (str, float, bytes, bytearray, memoryview)) or not hasattr(value, "tolist"):
        return value
    wrapper: Any = value
    if getattr(wrapper, "ndim", 1):
        return list(wrapper)
    kind = wrapper.dtype.kind
    if kind == "M":
        return _numpy_time_text(str(wrapper))
    content: object = wrapper.astype("timedelta64[us]").item() if kind == "m" else wrapper.item()
    if type(content) is type(value):
        raise _unsupported(value)
    return content


def _numpy_time_text(text: str) -> str | None:
    """Complete hours and minutes and trim fractions: `numpy.datetime64` prints as many digits as its unit has."""
    if text == "NaT":
        return None
    if "." in text:
        return text.rstrip("0").rstrip(".")
    return text + _MIDNIGHT[len(text) :] if "T" in text else text


def _int_text(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError as error:
        raise UnsupportedValueError("a number of thousands of digits cannot be sent; round it in the query") from error


def _bool_text(value: bool) -> str:
    return "true" if value else "false"


def _float_text(value: float) -> str:
    text = float.__repr__(value)
    if text.endswith(".0"):
        text = text[:-2]
        return "0" if text == "-0" else text
    if "n" in text:
        raise UnsupportedValueError("NaN or an infinity cannot be sent; replace it by NULL in the query")
    if "e" in text and 1e-7 <= abs(value) < 1e21:
        return f"{Decimal(text):f}"
    return text


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        raise UnsupportedValueError("NaN or an infinity cannot be sent; replace it by NULL in the query")
    if not value:
        return "0"
    exponent = value.as_tuple().exponent
    if abs(value.adjusted()) > _MAX_DIGITS or (isinstance(exponent, int) and abs(exponent) > _MAX_DIGITS):
        raise UnsupportedValueError(f"a number of more than {_MAX_DIGITS} digits cannot be sent; round it in the query")
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _datetime_text(value: datetime) -> str:
    if value.utcoffset() is None:
        return _without_trailing_zeros(value.replace(tzinfo=None).isoformat())
    try:
        moment = value.astimezone(timezone.utc)
    except OverflowError:  # 9999-12-31, a common "never", has no UTC form west of Greenwich
        return value.isoformat()
    return _without_trailing_zeros(moment.replace(tzinfo=None).isoformat()) + "Z"


def _without_trailing_zeros(text: str) -> str:
    return text.rstrip("0") if "." in text else text


def _time_text(value: time) -> str:
    offset = value.replace(hour=0, minute=0, second=0, microsecond=0).isoformat()[len("00:00:00") :]
    return _without_trailing_zeros(value.replace(tzinfo=None).isoformat()) + offset


def _duration_text(value: timedelta) -> str:
    """ISO 8601: `P1DT2H3M4.5S`, `PT0S`, `-PT5M`."""
    sign = "-" if value < timedelta() else ""
    value = abs(value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    clock = "".join(
        f"{amount}{unit}"
        for amount, unit in ((hours, "H"), (minutes, "M"), (f"{seconds}{fraction}", "S"))
        if amount not in (0, "0")
    )
    days = f"{value.days}D" if value.days else ""
    return f"{sign}P{days}T{clock}" if clock else f"{sign}P{days or 'T0S'}"


def _json_text(value: object, depth: int = 0) -> str:
    if depth > _MAX_DEPTH:
        raise UnsupportedValueError(f"a value nested deeper than {_MAX_DEPTH} levels cannot be sent; flatten it")
    unwrapped = _unwrapped(value)
    if unwrapped is not value:
        return _json_text(unwrapped, depth + 1)
    if isinstance(value, dict):
        members = sorted((canonical_text(name) or "", _json_text(member, depth + 1)) for name, member in value.items())
        return "{" + ",".join(f"{_json_string(name)}:{member}" for name, member in members) + "}"
    if isinstance(value, (set, frozenset)):
        return _json_array(sorted(_json_text(member, depth + 1) for member in value))
    if isinstance(value, (list, tuple)):
        return _json_array(_json_text(member, depth + 1) for member in value)
    text = canonical_text(value)
    if text is None:
        return "null"
    return text if isinstance(value, (int, float, Decimal)) else _json_string(text)


def _json_array(members: Iterable[str]) -> str:
    return "[" + ",".join(members) + "]"


def _json_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


_RENDERERS: dict[type, Callable[[Any], str | None]] = {
    str: str.__str__,
    bool: _bool_text,
    int: _int_text,
    float: _float_text,
    Decimal: _decimal_text,
    datetime: _datetime_text,  # before date, its base
    date: date.isoformat,
    time: _time_text,
    timedelta: _duration_text,
    UUID: UUID.__str__,
    **dict.fromkeys((IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network), str),
    list: _json_text,
    tuple: _json_text,
    set: _json_text,
    frozenset: _json_text,
    dict: _json_text,
}
