"""One value on its way into DailyStory's JSON: its form per kind of field, and what is no value of that kind."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.consent import SAFE_STATUSES
from dagster_dailystory.contacts.identity import e164
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.sync import MappedField, Value

TRUE_TEXTS = frozenset({"true", "yes", "t", "1"})
"""Canonical texts, in lower case, that mean an opt-out."""


FALSE_TEXTS = frozenset({"false", "no", "f", "0"})
"""Canonical texts, in lower case, that mean no opt-out."""


_TEXT, _CUSTOM, _MOBILE = FieldKind.TEXT, FieldKind.CUSTOM, FieldKind.MOBILE
"""By names of their own: until Python 3.12 a member costs as much to look up as a value to read."""


_STATUSES = {status.casefold(): status for status in (*SAFE_STATUSES, "Active")}


_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")


_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?")


_BREAKS = re.compile(r"\r\n|[\t\r\n]")


_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])


_CONTROLS_BUT_BREAKS = {point: None for point in _CONTROLS if chr(point) not in "\t\r\n"}


_LARGEST_INTEGER = 2**53  # every JSON reader holds integers up to here exactly (RFC 8259, section 6)


def wire_value(mapped: MappedField, value: object, *, region: str | None = None) -> Value | None:
    """Give one field's value the form in which it travels in JSON.

    Args:
        mapped: The field.
        value: As a driver gives it, or as canonical text.
        region: `ContactSync.default_region`, for mobile numbers without a country code.

    Returns:
        None where there is nothing to say: NULL, blank text, or text of control characters only. Custom fields are
        always text. The email keeps its case; the mobile number becomes E.164.

    Raises:
        UnsupportedValueError: The value is not of the field's kind; the message does not hold it.
    """
    text = canonical_text(value)
    return None if text is None else wire_text(mapped, text, region=region)


def wire_text(mapped: MappedField, text: str, *, region: str | None = None) -> Value | None:
    """The same for a value's canonical text.

    Raises:
        UnsupportedValueError: The value is not of the field's kind.
    """
    if not text.strip():
        return None
    kind = mapped.kind
    if (kind is _TEXT or kind is _CUSTOM) and text.isprintable():
        return text
    if kind is _MOBILE:
        mobile = e164(text.strip(), region)
        if mobile is None:
            raise UnsupportedValueError("not a valid mobile number; write it as + and country code")
        return mobile
    return _READERS[kind](text)


def _line(text: str) -> str | None:
    """One line: tabs and line breaks become blanks, for names and addresses end up in subject lines."""
    line = _BREAKS.sub(" ", text.strip("\t\r\n"))
    return _encodable(line.translate(_CONTROLS))


def _lines(text: str) -> str | None:
    return _encodable(text.translate(_CONTROLS_BUT_BREAKS))


def _encodable(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnsupportedValueError("the text is not valid Unicode; repair its encoding in the source") from None
    return text if text.strip() else None


def _opt_out(text: str) -> bool:
    folded = text.strip().casefold()
    if folded not in TRUE_TEXTS and folded not in FALSE_TEXTS:
        raise UnsupportedValueError("not a yes or no; use a boolean, 1 and 0, or 'true' and 'false'")
    return folded in TRUE_TEXTS


def _status(text: str) -> str:
    status = _STATUSES.get(text.strip().casefold())
    if status is None:
        raise UnsupportedValueError("not a status that a sync may set; use 'Inactive' or 'Spam', else NULL")
    return status


def _number(text: str) -> int | float:
    text = text.strip()
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise UnsupportedValueError("not a number; cast it to a number in the query")
    exact = Decimal(text)
    if abs(number) <= _LARGEST_INTEGER and exact == exact.to_integral_value():
        return int(exact)
    return number


def _integer(text: str) -> int:
    number = _number(text)
    if not isinstance(number, int):
        raise UnsupportedValueError("not a whole number; round it in the query")
    return number


def _date(text: str) -> str:
    match = _DATE.fullmatch(text.strip())
    try:
        return date.fromisoformat(match[1] if match else "").isoformat()
    except ValueError:
        raise UnsupportedValueError(
            "not a date without a time zone; cast it to date in the query (as text: YYYY-MM-DD)"
        ) from None


_READERS: dict[FieldKind, Callable[[str], Value | None]] = {
    _TEXT: _line,
    _CUSTOM: _lines,
    FieldKind.EMAIL: str.strip,
    FieldKind.OPT_OUT: _opt_out,
    FieldKind.STATUS: _status,
    FieldKind.INTEGER: _integer,
    FieldKind.NUMBER: _number,
    FieldKind.DATE: _date,
}
