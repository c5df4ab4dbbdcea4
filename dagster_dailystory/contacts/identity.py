"""A contact as DailyStory gets it: from a row's values to its identity, its verdict and its JSON body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.model.change import Identity
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.sync import ContactSync


def e164(text: str, region: str | None) -> str | None:
    """Give a mobile number its international form (`+14155552671`).

    Returns:
        None for a blank, a number that no country assigns, or one with an extension: nobody can text an extension.
    """
    if not text:
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_PLAIN_LOCAL_PART = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")


_EMAIL, _MOBILE = FieldKind.EMAIL, FieldKind.MOBILE


def identity_of(sync: ContactSync, values: Mapping[str, object]) -> Identity:
    """Normalise what DailyStory recognises this row's person by.

    Args:
        sync: The mapping, and the region of numbers without a country code.
        values: State column -> value, as a driver gives it or as canonical text.

    Returns:
        The identity; a part that is missing, blank or invalid is None.
    """
    email = mobile = None
    for mapped in sync.mapped_fields:
        if mapped.kind is _EMAIL:
            email = _normal_email(_readable(values.get(mapped.state_column)), mapped.max_length)
        elif mapped.kind is _MOBILE:
            mobile = e164(_readable(values.get(mapped.state_column)), sync.default_region)
    return Identity(email=email, mobile=mobile)


def _readable(value: object) -> str:
    try:
        return (canonical_text(value) or "").strip()
    except UnsupportedValueError:
        return ""


def _normal_email(text: str, max_length: int) -> str | None:
    """The address for matching. Domains that cannot receive mail (`.test`, `.invalid`, `.local`) are invalid."""
    if not text or len(text) > max_length:
        return None
    local, _, domain = text.rpartition("@")
    if _PLAIN_LOCAL_PART.fullmatch(local) and _takes_mail(domain.lower()):
        return text.lower()
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


@lru_cache(maxsize=10_000)
def _takes_mail(domain: str) -> bool:
    """Whether a plain local part at this domain is an address as it stands: most rows share a few domains."""
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).normalized == f"a@{domain}"
    except EmailNotValidError:
        return False
