"""The identity of a row: its email address and mobile number, normalised for matching."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.model.change import Identity
from dagster_dailystory.model.contact_fields import CONTACT_FIELDS, FieldKind
from dagster_dailystory.model.mapping import REGION_COLUMN
from dagster_dailystory.model.sync import ContactSync

_NUMBER = re.compile(r"(?:tel:)?\s*[+\uff0b]?[\d(][\d\s()./\-\u2010-\u2015]*", re.IGNORECASE)
"""A phone number as people write it. `phonenumbers` reads more: letters as digits, and a number within a text."""


_DECIMAL = re.compile(r"[^.]*\.(?:\d{1,2}|0+)")
"""A number that passed through a float (`1711234567.0`), or an amount: its last digits are not dialled."""


_DATE = re.compile(r"(?:19|20)\d\d([-/.])\d\d?\1\d\d?|\d\d?([-/.])\d\d?\2(?:19|20)\d\d")


_INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF])
"""Characters that copying from a web page or an address book adds."""


_TYPE = phonenumbers.PhoneNumberType
_WITHOUT_TEXT_MESSAGES = frozenset(
    {_TYPE.FIXED_LINE, _TYPE.TOLL_FREE, _TYPE.PREMIUM_RATE, _TYPE.SHARED_COST, _TYPE.UAN, _TYPE.VOICEMAIL}
)


def e164(text: str, region: str | None) -> str | None:
    """Convert a mobile number to its international form (`+14155552671`).

    Args:
        text: Digits with `+`, blanks, brackets, dots, slashes and hyphens, perhaps after `tel:`.
        region: The ISO country of a number without `+`; None refuses such numbers.

    Returns:
        None if the text is anything else, not an assigned number, or one that cannot receive text messages: with an
        extension, of a land line or of a service, as far as its country's numbers tell.
    """
    number = _parsed(text, region)
    # The type is known of assigned numbers only.
    if number is None or phonenumbers.number_type(number) in (_TYPE.UNKNOWN, *_WITHOUT_TEXT_MESSAGES):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_same_number(number: str, text: str) -> bool:
    """Whether a text is a number in another format, perhaps without its country code.

    Args:
        number: In its international form.
        text: As DailyStory has it.
    """
    parsed = _parsed(number, None)
    return parsed is not None and e164(text, phonenumbers.region_code_for_number(parsed)) == number


def is_other_number(text: str, region: str | None) -> bool:
    """Whether a text is a phone number that cannot receive text messages: of a land line or of a service."""
    number = _parsed(text, region)
    return number is not None and phonenumbers.number_type(number) in _WITHOUT_TEXT_MESSAGES


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    text = text.translate(_INVISIBLE).strip()
    if not _NUMBER.fullmatch(text) or _DECIMAL.fullmatch(text) or _DATE.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return None if number.extension else number


_PLAIN_LOCAL_PART = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
"""Local parts that are valid without asking `email_validator`, which takes 31 microseconds an address."""


_OTHER_CODES = {"UK": "GB"}
"""Common codes of countries that are not their ISO codes."""


_EMAIL, _MOBILE = FieldKind.EMAIL, FieldKind.MOBILE


def identity_of(sync: ContactSync, values: Mapping[str, object]) -> Identity:
    """Normalise the values that DailyStory matches contacts by.

    Args:
        sync: The mapping, and the region of numbers without a country code, or its column.
        values: State column -> value, as the driver returned it or as canonical text.

    Returns:
        The identity; a part that is missing, blank or invalid is None.
    """
    email = mobile = None
    for mapped in sync.mapped_fields:
        if mapped.kind is _EMAIL:
            email = _normalised_email(stripped_text(values.get(mapped.state_column)), mapped.max_length)
        elif mapped.kind is _MOBILE:
            mobile = e164(stripped_text(values.get(mapped.state_column)), region_of(sync, values))
    return Identity(email=email, mobile=mobile)


def region_of(sync: ContactSync, values: Mapping[str, object]) -> str | None:
    """The ISO country of a row's numbers without a country code; None if it is not known.

    Args:
        sync: The mapping.
        values: State column -> value.
    """
    if not isinstance(sync.default_region, Mapping):
        return sync.default_region
    region = stripped_text(values.get(REGION_COLUMN)).upper()
    region = _OTHER_CODES.get(region, region)
    return region if region in phonenumbers.SUPPORTED_REGIONS else None


def stripped_text(value: object) -> str:
    """The text of a value without white space around it; empty for NULL and for a value that has no text."""
    try:
        return (canonical_text(value) or "").strip()
    except UnsupportedValueError:
        return ""


def _normalised_email(text: str, max_length: int) -> str | None:
    """The address for matching, None if it is not valid. Mail cannot reach the domains .test, .invalid and .local."""
    if not text or len(text) > max_length:
        return None
    local, _, domain = text.rpartition("@")
    if _PLAIN_LOCAL_PART.fullmatch(local) and _is_mail_domain(domain.lower()):
        return text.lower()
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


def email_for_matching(email: str) -> str:
    """An address in the one spelling by which identities are compared; an invalid one in lower case."""
    text = email.strip()
    return _normalised_email(text, len(text)) or text.lower()


def is_email(text: str) -> bool:
    """Whether mail can reach an address."""
    return _normalised_email(text, CONTACT_FIELDS["email"].max_length) is not None


def email_spellings(email: str) -> list[str]:
    """An address as it is given, and then in its other spellings: lower case, Unicode and punycode.

    DailyStory may store or compare another one than it was sent.
    """
    lower = email.lower()
    if email == lower and email.isascii() and "xn--" not in email:
        return [email]
    spellings = [email, lower]
    with suppress(EmailNotValidError):  # it has no other spelling
        valid = validate_email(email, check_deliverability=False)
        spellings += [valid.normalized.lower(), f"{valid.local_part}@{valid.ascii_domain}".lower()]
    return list(dict.fromkeys(spellings))


@lru_cache(maxsize=10_000)
def _is_mail_domain(domain: str) -> bool:
    """Whether addresses at this domain are valid without changes. Cached, because most rows share a few domains."""
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).normalized == f"a@{domain}"
    except EmailNotValidError:
        return False
