"""Reads a posted contact according to the settings, and applies it to the stored contacts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dagster_dailystory.model.contact_fields import IDENTITY_FIELDS, OPT_OUT_FIELDS, FieldKind
from dagster_dailystory.sandbox.records import _KINDS, BLANKS, Contact, ContactRecords, blank_of, digits_of, email_key
from dagster_dailystory.sandbox.settings import (
    BirthDateName,
    Blank,
    CustomTypes,
    IdentityTaken,
    JsonValue,
    LongValue,
    Revival,
    SandboxSettings,
)

_KEPT_WHEN_ABSENT = frozenset({*IDENTITY_FIELDS, *OPT_OUT_FIELDS, "status"})


def settle_identity(
    records: ContactRecords, settings: SandboxSettings, dsid: str, fields: Mapping[str, JsonValue]
) -> None:
    """Handle other contacts that have the email or mobile number of an update (U10).

    Raises:
        Refused: The settings refuse such an update.
    """
    email, mobile = str(fields.get("email") or ""), str(fields.get("mobilePhone") or "")
    taken = [("email", owner) for owner in records.matching(email, "")]
    taken += [("mobilePhone", owner) for owner in records.matching("", mobile)]
    for name, owner in taken:
        if owner == dsid or owner not in records or settings.identity_taken is IdentityTaken.DUPLICATE:
            continue
        if settings.identity_taken is IdentityTaken.REFUSE:
            raise Refused("Another contact has this email or mobilePhone")
        if settings.identity_taken is IdentityTaken.MOVE:
            records.set(owner, {name: ""})
        else:
            records.merge(dsid, owner)


def apply_body(records: ContactRecords, settings: SandboxSettings, dsid: str, body: ContactBody) -> None:
    """Store a posted contact and the effects that it implies (U5, U7, U17)."""
    fields: Contact = dict(body.fields)
    if settings.absent_clears:
        fields = {**{name: BLANKS[name] for name in BLANKS if name not in _KEPT_WHEN_ABSENT}, **fields}
    if settings.revival is not Revival.NEVER and records.get(dsid, "status") in ("Deleted", "Inactive"):
        email_changes = "email" in fields and email_key(fields["email"]) != email_key(records.get(dsid, "email"))
        if email_changes or settings.revival is Revival.ANY_WRITE:
            fields.setdefault("status", "Active")
    if not OPT_OUT_FIELDS.isdisjoint(fields) or "status" in fields:
        fields.update(_implied_fields(records, dsid, fields))
    if body.custom is not None:
        _set_custom(records.custom(dsid), body.custom, settings.extended_properties_replace)
    records.set(dsid, fields)


def _implied_fields(records: ContactRecords, dsid: str, fields: Contact) -> Contact:
    """Opting out of every channel sets Inactive and do-not-contact; becoming Active reverts both.

    The source is the vendor's help page on opt-in and opt-out preferences in the user interface.
    """
    flags = {name: fields.get(name, records.get(dsid, name)) for name in OPT_OUT_FIELDS}
    if not records.get(dsid, "donotcontact"):
        return {"donotcontact": True, "status": "Inactive"} if all(flags.values()) else {}
    if fields.get("status") == "Active":
        return {"donotcontact": False, **{name: fields.get(name, False) for name in OPT_OUT_FIELDS}}
    return {} if all(flags.values()) else {"donotcontact": False}


def _set_custom(custom: Contact, sent: Contact, replace: bool) -> None:
    if replace:
        custom.clear()
    for name, value in sent.items():
        if value is None:
            custom.pop(name, None)
        else:
            custom[name] = value


class Refused(Exception):  # noqa: N818
    """The sandbox refuses a contact; the text is the message of the response.

    Attributes:
        unknown: Whether the reason is an unknown dsid.
    """

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        super().__init__(message)
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class ContactBody:
    """A posted contact, validated and ready to store.

    Attributes:
        dsid: The dsid in the body, if any.
        fields: The value to store for each field.
        custom: The value to store for each custom field, None to remove it; None if no custom fields were sent.
    """

    dsid: str | None
    fields: dict[str, JsonValue]
    custom: dict[str, JsonValue] | None


STATUS_WORDS: Mapping[str, str] = MappingProxyType(
    {"active": "Active", "0": "Active", "deleted": "Deleted", "100": "Deleted", "inactive": "Inactive", "spam": "Spam"}
)
"""Accepted values of `status`: the four documented words, and the two numbers of the page on deleting (U15)."""


_SPELLINGS = MappingProxyType({name.casefold(): name for name in (*_KINDS, "dsId", "extendedProperties")})


_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+")


_URL = re.compile(r"https?://|www\.", re.IGNORECASE)


def read_body(payload: Mapping[str, JsonValue], settings: SandboxSettings) -> ContactBody:
    """Apply the settings to one posted contact.

    Raises:
        Refused: A value is not valid.
    """
    dsid: str | None = None
    fields: dict[str, JsonValue] = {}
    custom: dict[str, JsonValue] | None = None
    for key, value in payload.items():
        name = key if settings.strict_paths or key in _KINDS else _SPELLINGS.get(key.casefold(), key)
        kind = _KINDS.get(name)
        if kind is not None:
            _read_field(fields, name, kind, value, settings)
        elif name == "dsId":
            dsid = _dsid(value)
        elif name == "extendedProperties":
            custom = _read_custom(value, settings)
    return ContactBody(dsid, fields, custom)


def _dsid(value: JsonValue) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused("dsId must be a string")
    return value


def _read_field(
    fields: dict[str, JsonValue], name: str, kind: FieldKind, value: JsonValue, settings: SandboxSettings
) -> None:
    if kind is FieldKind.DATE:
        if settings.birth_date_name not in (BirthDateName.BOTH, name):
            return
        name = "dateBirth"
    if value is None or value == "":
        rule = settings.null_value if value is None else settings.empty_value
        if rule is Blank.REFUSE:
            raise Refused(f"{name} must not be empty")
        if rule is Blank.CLEAR and kind is not FieldKind.STATUS:
            fields[name] = blank_of(name)
        return
    if kind is FieldKind.OPT_OUT and not settings.false_opts_in and not _boolean(name, value, settings):
        return
    fields[name] = _READERS[kind](name, value, settings)


def _text(name: str, value: JsonValue, settings: SandboxSettings) -> str:
    if isinstance(value, (dict, list)) or value is None:
        raise Refused(f"{name} must be a string")
    text = value if isinstance(value, str) else _as_text(value)
    if settings.max_value_length is not None and len(text) > settings.max_value_length:
        if settings.long_value is LongValue.REFUSE:
            raise Refused(f"{name} is longer than {settings.max_value_length} characters")
        text = text[: settings.max_value_length]
    return text


def _cased_text(name: str, value: JsonValue, settings: SandboxSettings) -> str:
    text = _text(name, value, settings)
    if not settings.proper_case or name.endswith("_code"):
        return text
    if _URL.match(text):
        return text.lower()
    return " ".join(word if len(word) == 3 else word[:1].upper() + word[1:].lower() for word in text.split(" "))


def _email(name: str, value: JsonValue, settings: SandboxSettings) -> str:
    text = _text(name, value, settings).strip()
    if settings.bad_identity_refused and not _EMAIL.fullmatch(text):
        raise Refused("email is not a valid email address")
    return text


def _mobile(name: str, value: JsonValue, settings: SandboxSettings) -> str:
    text = _text(name, value, settings).strip()
    digits = digits_of(text)
    if settings.bad_identity_refused and not 10 <= len(digits) <= 15:
        raise Refused("mobilePhone is not a valid phone number")
    if not settings.phones_reformatted:
        return text
    country, area, exchange, line = digits[:-10], digits[-10:-7], digits[-7:-4], digits[-4:]
    return f"{'+' + country + ' ' if country else ''}({area}) {exchange}-{line}"


def _boolean(name: str, value: JsonValue, settings: SandboxSettings) -> bool:
    word = str(value).casefold()
    if word not in ("true", "false"):
        raise Refused(f"{name} must be true or false")
    return word == "true"


def _number(name: str, value: JsonValue, settings: SandboxSettings) -> int | float:
    try:
        if isinstance(value, (bool, list, dict)) or value is None:
            raise ValueError
        number = float(value)
        if number != number or number in (float("inf"), float("-inf")):
            raise ValueError
    except (ValueError, OverflowError):
        raise Refused(f"{name} must be a number") from None
    return int(number) if number.is_integer() else number


def _integer(name: str, value: JsonValue, settings: SandboxSettings) -> int | float:
    return int(_number(name, value, settings))


def _status(name: str, value: JsonValue, settings: SandboxSettings) -> str:
    word = STATUS_WORDS.get(str(value).casefold()) if isinstance(value, (str, int)) else None
    if word is None:
        raise Refused("status must be Active, Inactive, Spam or Deleted")
    return word


_READERS: Mapping[FieldKind, Callable[[str, JsonValue, SandboxSettings], JsonValue]] = {
    FieldKind.TEXT: _cased_text, FieldKind.EMAIL: _email, FieldKind.MOBILE: _mobile, FieldKind.OPT_OUT: _boolean,
    FieldKind.STATUS: _status, FieldKind.INTEGER: _integer, FieldKind.NUMBER: _number, FieldKind.DATE: _text,
}  # fmt: skip


def _read_custom(value: JsonValue, settings: SandboxSettings) -> dict[str, JsonValue] | None:
    if value is None:
        if settings.null_value is Blank.REFUSE:
            raise Refused("extendedProperties must be an object")
        return None
    if not isinstance(value, dict):
        raise Refused("extendedProperties must be an object")
    custom: dict[str, JsonValue] = {}
    for name, item in value.items():
        if not name:
            raise Refused("extendedProperties has an empty name")
        if item is None:
            if settings.null_custom_removes:
                custom[name] = None
        elif item == "":
            custom[name] = None if settings.empty_custom_removes else ""
        else:
            custom[name] = _custom_value(name, item, settings)
    return custom


def _custom_value(name: str, value: JsonValue, settings: SandboxSettings) -> JsonValue:
    if not isinstance(value, str):
        if settings.custom_types is CustomTypes.REFUSE or isinstance(value, dict):
            raise Refused(f"extendedProperties.{name} must be a string")
        if settings.custom_types is CustomTypes.RAW:
            return value
        value = _as_text(value)
    return _cased_text(name, value, settings)


def _as_text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_as_text(item) for item in value)
    return str(value)
