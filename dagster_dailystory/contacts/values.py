"""Conversion of one value to its JSON form, by the kind of its field."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.contacts.consent import SAFE_STATUSES
from dagster_dailystory.contacts.identity import e164, email_for_matching
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField, Value

TRUE_TEXTS = frozenset({"true", "yes", "y", "t", "on", "1", "1.0"})
"""Texts, in lower case, that mean "opted out"."""


FALSE_TEXTS = frozenset({"false", "no", "n", "f", "off", "0", "0.0"})
"""Texts, in lower case, that mean "not opted out"."""


FLAG_WHITE_SPACE = " \t\n\r\x0b\x0c\xa0"
"""White space around these texts; SQL has no other name for it."""


_TEXT, _CUSTOM, _MOBILE = FieldKind.TEXT, FieldKind.CUSTOM, FieldKind.MOBILE
"""Module constants: on Python 3.11, looking up an enum member takes 0.13 microseconds, several times per field."""


STATUSES = {status.casefold(): status for status in (*SAFE_STATUSES, "Active")}
"""Text of a status in lower case -> DailyStory's spelling."""


NOT_CONSENT: Mapping[FieldKind, str] = MappingProxyType(
    {
        FieldKind.OPT_OUT: "not a yes or no; use a boolean, 1 and 0, 'Y' and 'N', or 'true' and 'false'",
        FieldKind.STATUS: "not a status that a sync may set; use 'Inactive' or 'Spam', or make it NULL",
    }
)
"""What is wrong with an unreadable opt-out flag or status."""


_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")


_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?")


_WRITTEN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,99})?")
"""A number as DailyStory may write it; a code with leading zeros is a text."""


_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[t ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?(?:z|\+00:00)?)?"
)


_WORDS = {"yes": "true", "no": "false"}


_LINE_BREAKS = re.compile(r"\r\n|[\t\r\n]")


_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])


_CONTROLS_EXCEPT_BREAKS = {point: None for point in _CONTROLS if chr(point) not in "\t\r\n"}


_MAX_EXACT_INTEGER = 2**53  # the largest integer that every JSON parser reads exactly (RFC 8259, section 6)


def wire_value(mapped: MappedField, value: object, *, region: str | None = None) -> Value | None:
    """Convert a value to the form in which it is sent in JSON.

    Args:
        mapped: The field.
        value: As the driver returned it, or as canonical text.
        region: The ISO country of mobile numbers without a country code.

    Returns:
        None for NULL, blank text, or text of control characters only. Custom fields are always text. The email
        address keeps its case; the mobile number becomes E.164.

    Raises:
        UnsupportedValueError: The value is not valid for the field's kind; the message does not contain it.
    """
    if mapped.kind is FieldKind.REGION:
        return None
    text = canonical_text(value)
    return None if text is None else wire_text(mapped, text, region=region)


def wire_text(mapped: MappedField, text: str, *, region: str | None = None) -> Value | None:
    """`wire_value` for a canonical text.

    Raises:
        UnsupportedValueError: The value is not valid for the field's kind.
    """
    if not text.strip():
        return None
    kind = mapped.kind
    if (kind is _TEXT or kind is _CUSTOM) and text.isprintable():
        return text
    if kind is _MOBILE:
        mobile = e164(text.strip(), region)
        if mobile is None:
            raise UnsupportedValueError("not a valid mobile number; write it with + and the country code")
        return mobile
    return KINDS[kind].convert(text)


def _single_line(text: str) -> str | None:
    """Replace tabs and line breaks by spaces, because names and addresses are used in subject lines."""
    line = _LINE_BREAKS.sub(" ", text.strip("\t\r\n"))
    return _valid_text(line.translate(_CONTROLS))


def _text_with_lines(text: str) -> str | None:
    return _valid_text(text.translate(_CONTROLS_EXCEPT_BREAKS))


def _valid_text(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnsupportedValueError("the text is not valid Unicode; repair its encoding in the source") from None
    return text if text.strip() else None


def _opt_out(text: str) -> bool:
    word = text.strip(FLAG_WHITE_SPACE).lower()  # as `opt_out_text` does in SQL
    if word not in TRUE_TEXTS and word not in FALSE_TEXTS:
        raise UnsupportedValueError(NOT_CONSENT[FieldKind.OPT_OUT])
    return word in TRUE_TEXTS


def _status(text: str) -> str:
    status = STATUSES.get(text.strip().casefold())
    if status is None:
        raise UnsupportedValueError(NOT_CONSENT[FieldKind.STATUS])
    return status


def _number(text: str) -> int | float:
    text = text.strip()
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise UnsupportedValueError("not a number; cast it to a number in the query")
    exact = Decimal(text)
    if abs(exact) <= _MAX_EXACT_INTEGER:
        return int(exact) if exact == exact.to_integral_value() else number
    if Decimal(number) != exact and canonical_text(number) != text:  # the second is the text of a double
        raise UnsupportedValueError("a number beyond 2^53 that JSON readers would change; round it in the query")
    return number


def _integer(text: str) -> int:
    number = _number(text)
    if not isinstance(number, int):
        raise UnsupportedValueError("not a whole number below 2^53; round it in the query")
    return number


def _date(text: str) -> str:
    match = _DATE.fullmatch(text.strip())
    try:
        return date.fromisoformat(match[1] if match else "").isoformat()
    except ValueError:
        raise UnsupportedValueError(
            "not a date without a time zone; cast it to date in the query (as text: YYYY-MM-DD)"
        ) from None


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _one_spelling(text: str) -> str:
    """A number, a date, a moment or a yes or no in one spelling; another text as it is."""
    if _WRITTEN_NUMBER.fullmatch(text):
        return canonical_text(Decimal(text)) or text
    moment = _MOMENT.fullmatch(text)
    if moment is None:
        return _WORDS.get(text, text)
    day, minutes, seconds, fraction = (group or "" for group in moment.groups())
    at = f"{minutes or '00:00'}:{seconds or '00'}" + f".{fraction}".rstrip("0").rstrip(".")
    return day if at == "00:00:00" else f"{day} {at}"


@dataclass(frozen=True)
class Kind:
    """What a kind of field does with a value. A new kind is one row of `KINDS`.

    Attributes:
        convert: Canonical text -> the value in JSON.
        comparable: Makes two spellings of one value equal, of which DailyStory may store either.
        column_type: The type of such a column, until the warehouse has said its own.
        is_impersonal: A value identifies no person, so that previews may show it.
    """

    convert: Callable[[str], Value | None]
    comparable: Callable[[str], str] = str
    column_type: str = "text"
    is_impersonal: bool = False


KINDS: Mapping[FieldKind, Kind] = {
    _TEXT: Kind(_single_line),
    _CUSTOM: Kind(_text_with_lines, _one_spelling),
    FieldKind.EMAIL: Kind(str.strip, email_for_matching),
    _MOBILE: Kind(str.strip, _digits),  # `wire_text` makes it E.164, in the country of its row
    FieldKind.OPT_OUT: Kind(_opt_out, column_type="boolean", is_impersonal=True),
    FieldKind.STATUS: Kind(_status, is_impersonal=True),
    FieldKind.INTEGER: Kind(_integer, _one_spelling, column_type="integer", is_impersonal=True),
    FieldKind.NUMBER: Kind(_number, _one_spelling, column_type="number", is_impersonal=True),
    FieldKind.DATE: Kind(_date, lambda text: text[:10], column_type="date"),
    FieldKind.REGION: Kind(str.strip),  # never sent
}


_PHONE_FIELDS = ("phone", "homePhone")
"""Texts that DailyStory may format as phone numbers."""


def is_blank(value: object) -> bool:
    """Whether a value of DailyStory's JSON is none, an empty text or white space; 0 and False are values."""
    return value is None or (isinstance(value, str) and not value.strip())


def comparable(mapped: MappedField, value: object) -> str:
    """A value in the one spelling in which it is compared with what DailyStory stores."""
    try:
        text = canonical_text(value) or ""
    except UnsupportedValueError:
        text = str(value)  # `1e999` in JSON is an infinity, which equals no value that is sent
    text = text.strip().casefold()
    if mapped.name in _PHONE_FIELDS:
        return "".join(filter(str.isalnum, text)) or text
    return KINDS[mapped.kind].comparable(text)
