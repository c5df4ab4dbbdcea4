"""The table under the sandbox's contacts: rows by dsid, found by email or number, shown as a GET reads them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from types import MappingProxyType

from dagster_dailystory.model.contact_fields import CONTACT_FIELDS, FieldKind
from dagster_dailystory.sandbox.settings import JsonValue, SandboxSettings

_KINDS = MappingProxyType(
    {name: field.kind for name, field in CONTACT_FIELDS.items()} | {"dateOfBirth": FieldKind.DATE}
)


_NOT_DIGITS = re.compile(r"\D+")


def digits_of(mobile: str) -> str:
    """Reduce a phone number to what it is matched by."""
    return _NOT_DIGITS.sub("", mobile)


def blank_of(name: str) -> JsonValue:
    """Tell the value of a field that is not set, as the service reads it back."""
    kind = _KINDS.get(name)
    if kind is FieldKind.OPT_OUT:
        return False
    if kind in (FieldKind.INTEGER, FieldKind.NUMBER):
        return 0
    return None if kind is FieldKind.DATE else ""


Contact = dict[str, JsonValue]
"""A contact as a GET reads it."""


_NEVER = "1753-01-01T00:00:00"


BLANKS: Mapping[str, JsonValue] = MappingProxyType({name: blank_of(name) for name in CONTACT_FIELDS})
"""Every writable field with the value of one that was never set."""


READ_ONLY: Mapping[str, JsonValue] = MappingProxyType(
    {
        "tenantId": 112, "donotcontact": False, "isPushEnabled": False, "isWebPushEnabled": False,
        "isEmailVerifiedForDelivery": False, "isSMSVerified": False, "timezone": "", "age": 0, "accountId": 0,
        "dateFirstSeen": _NEVER, "dateLastSeen": _NEVER, "dateLastContacted": _NEVER,
    }
)  # fmt: skip
"""Fields that only the product sets."""


_DEFAULTS = MappingProxyType({**BLANKS, **READ_ONLY, "status": "Active"})


_STATUS_NUMBERS: Mapping[JsonValue, int] = MappingProxyType({"Active": 0, "Deleted": 100})


@dataclass(slots=True)
class _Record:
    fields: Contact
    custom: Contact
    created_at: float
    changed_at: float
    searched: str = ""


class _Index:
    """Finds dsids by one identity, in the order in which they took it."""

    def __init__(self) -> None:
        self._owners: dict[str, dict[str, float]] = {}

    def move(self, dsid: str, before: str, after: str, now: float) -> None:
        """Let a contact give one identity up and take another; "" is none."""
        if before == after:
            return
        if before:
            owners = self._owners[before]
            del owners[dsid]
            if not owners:
                del self._owners[before]
        if after:
            self._owners.setdefault(after, {})[dsid] = now

    def owners(self, key: str, until: float) -> list[str]:
        """List who had this identity at a monotonic time."""
        owners = self._owners.get(key) if key else None
        return [dsid for dsid, since in owners.items() if since <= until] if owners else []


def email_key(email: JsonValue) -> str:
    """Reduce an email to what it is matched by."""
    return email.strip().casefold() if isinstance(email, str) else ""


def mobile_key(mobile: JsonValue) -> str:
    """Reduce a mobile number to what it is matched by."""
    return digits_of(mobile) if isinstance(mobile, str) else ""


class ContactRecords:
    """Holds the contacts. Not safe for threads: the store that owns it holds a lock.

    Attributes:
        active: Contacts whose status is Active.
        version: Grows with every change.

    Args:
        clock: Monotonic time, for the lag of look-ups.
        now: Seconds since the epoch, for the contacts' own times.
    """

    def __init__(self, clock: Callable[[], float], now: Callable[[], float]) -> None:
        self._clock = clock
        self._now = now
        self.active = 0
        self.version = 0
        self._records: dict[str, _Record] = {}
        self._recent: dict[str, None] = {}
        self._emails = _Index()
        self._mobiles = _Index()
        self._merged_into: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, dsid: str) -> bool:
        return dsid in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def latest(self) -> Iterator[str]:
        """Go through the dsids, last changed first."""
        return reversed(self._recent)

    def get(self, dsid: str, name: str) -> JsonValue:
        """Return one stored field."""
        return self._records[dsid].fields.get(name, _DEFAULTS.get(name))

    def fields(self, dsid: str) -> Mapping[str, JsonValue]:
        """Return the fields that were ever set."""
        return MappingProxyType(self._records[dsid].fields)

    def custom(self, dsid: str) -> Contact:
        """Return the custom values themselves, to be read or changed."""
        return self._records[dsid].custom

    def insert(self, dsid: str = "") -> str:
        """Add an empty Active contact and return its dsid: 32 hexadecimal characters unless one is given."""
        dsid, now = dsid or os.urandom(16).hex(), self._now()
        self._records[dsid] = _Record({}, {}, now, now)
        self._recent[dsid] = None
        self.active += 1
        self.version += 1
        return dsid

    def set(self, dsid: str, values: Mapping[str, JsonValue]) -> None:
        """Store fields."""
        record = self._records[dsid]
        if "status" in values:
            was_active = self.get(dsid, "status") == "Active"
            self.active += (values["status"] == "Active") - was_active
        if "email" in values:
            before = email_key(record.fields.get("email"))
            self._emails.move(dsid, before, email_key(values["email"]), self._clock())
        if "mobilePhone" in values:
            before = mobile_key(record.fields.get("mobilePhone"))
            self._mobiles.move(dsid, before, mobile_key(values["mobilePhone"]), self._clock())
        record.fields.update(values)
        record.searched = ""
        record.changed_at = self._now()
        del self._recent[dsid]
        self._recent[dsid] = None
        self.version += 1

    def remove(self, dsid: str) -> None:
        """Take a contact and its identities away."""
        self.set(dsid, {"email": "", "mobilePhone": "", "status": "Deleted"})
        del self._records[dsid], self._recent[dsid]

    def merge(self, kept: str, gone: str) -> None:
        """Let one contact take what it lacks from another, which vanishes."""
        mine, theirs = self._records[kept], self._records[gone]
        lacking = {
            name: value for name, value in theirs.fields.items() if name != "status" and not mine.fields.get(name)
        }
        self.remove(gone)
        self._merged_into[gone] = kept
        mine.custom = {**theirs.custom, **mine.custom}
        self.set(kept, lacking)

    def heir(self, dsid: str) -> str | None:
        """Return the contact into which this dsid was merged, None where it was not."""
        while dsid in self._merged_into:
            dsid = self._merged_into[dsid]
        return dsid if dsid in self._records else None

    def owners(self, email: str, mobile: str, until: float = float("inf")) -> list[str]:
        """List who has this email; where nobody has, who has this number."""
        found = self._emails.owners(email_key(email), until)
        return found or self._mobiles.owners(mobile_key(mobile), until)

    def contains_text(self, dsid: str, wanted: str) -> bool:
        """Tell whether a case-folded text occurs in the dsid or in any value."""
        record = self._records[dsid]
        if not record.searched:
            values = [dsid, *record.fields.values(), *record.custom.values()]
            record.searched = "\n".join(map(str, values)).casefold()
        return wanted in record.searched

    def view(self, dsid: str, settings: SandboxSettings) -> Contact:
        """Build the contact object that a GET answers."""
        record = self._records[dsid]
        contact: Contact = {**_DEFAULTS, **record.fields, "dsId": dsid, "extendedProperties": dict(record.custom)}
        contact["fullname"] = f"{contact['firstName']} {contact['lastName']}".strip()
        contact["isEmailEnabled"] = bool(contact["email"]) and not contact["optOutEmail"]
        contact["isSmsEnabled"] = bool(contact["mobilePhone"]) and not contact["optOutSms"]
        created = naive_time(record.created_at)
        contact["dateContactCreated"] = contact["timestampCreated"] = created
        contact["dateContactLastModified"] = naive_time(record.changed_at)
        if settings.status_as_number:
            contact["status"] = _STATUS_NUMBERS.get(contact["status"], contact["status"])
        if settings.gender_as_number:
            contact["gender"] = 10 if contact["gender"] else 0
        return contact

    def dump(self) -> dict[str, JsonValue]:
        """Return everything as JSON values."""
        rows: list[JsonValue] = [
            [dsid, dict(record.fields), dict(record.custom), record.created_at, record.changed_at]
            for dsid, record in self._records.items()
        ]
        return {"contacts": rows, "merged": dict(self._merged_into)}

    def load(self, dumped: JsonValue) -> None:
        """Add what `dump` returned.

        Raises:
            ValueError: These are not the words of `dump`.
        """
        match dumped:
            case {"contacts": list(rows), "merged": dict(merged)}:
                for row in rows:
                    self._load_row(row)
                self._merged_into.update({gone: str(kept) for gone, kept in merged.items()})
            case _:
                raise ValueError("these are not the contacts of a sandbox")

    def _load_row(self, row: JsonValue) -> None:
        match row:
            case [str(dsid), dict(fields), dict(custom), int() | float() as created_at, int() | float() as changed_at]:
                self.insert(dsid)
                self.set(dsid, fields)
                record = self._records[dsid]
                record.custom, record.created_at, record.changed_at = custom, created_at, changed_at
            case _:
                raise ValueError("this is not a contact of a sandbox")


def naive_time(seconds: float) -> str:
    """Write a time as the service does: UTC, milliseconds, no zone (U23)."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
