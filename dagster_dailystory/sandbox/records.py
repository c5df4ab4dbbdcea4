"""The storage of the sandbox's contacts: by dsid, with indexes on email and mobile number."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from types import MappingProxyType

from dagster_dailystory.model.contact_fields import CONTACT_FIELDS, OPT_OUT_FIELDS, FieldKind
from dagster_dailystory.sandbox.settings import JsonValue, SandboxSettings

_KINDS = MappingProxyType(
    {name: field.kind for name, field in CONTACT_FIELDS.items()} | {"dateOfBirth": FieldKind.DATE}
)


_NOT_DIGITS = re.compile(r"\D+")


def digits_of(mobile: str) -> str:
    """Reduce a phone number to its digits."""
    return _NOT_DIGITS.sub("", mobile)


def blank_of(name: str) -> JsonValue:
    """Return the value that a GET shows for a field that is not set."""
    kind = _KINDS.get(name)
    if kind is FieldKind.OPT_OUT:
        return False
    if kind in (FieldKind.INTEGER, FieldKind.NUMBER):
        return 0
    return None if kind is FieldKind.DATE else ""


Contact = dict[str, JsonValue]
"""A contact as a GET returns it."""


_NEVER = "1753-01-01T00:00:00"


BLANKS: Mapping[str, JsonValue] = MappingProxyType({name: blank_of(name) for name in CONTACT_FIELDS})
"""The value of each writable field that was never set."""


READ_ONLY: Mapping[str, JsonValue] = MappingProxyType(
    {
        "tenantId": 112, "donotcontact": False, "isPushEnabled": False, "isWebPushEnabled": False,
        "isEmailVerifiedForDelivery": False, "isSMSVerified": False, "timezone": "", "age": 0, "accountId": 0,
        "dateFirstSeen": _NEVER, "dateLastSeen": _NEVER, "dateLastContacted": _NEVER,
    }
)  # fmt: skip
"""Fields that only the product can set, with their first values."""


_DEFAULTS = MappingProxyType({**BLANKS, **READ_ONLY, "status": "Active"})


_COUNTED = frozenset({"status", *OPT_OUT_FIELDS})
"""The fields whose values are counted."""


_PHONE_NUMBER = re.compile(r"[\d\s()+./-]{4,}")


_STATUS_NUMBERS: Mapping[JsonValue, int] = MappingProxyType({"Active": 0, "Deleted": 100})


@dataclass(slots=True)
class _Record:
    fields: Contact
    custom: Contact
    created_at: float
    changed_at: float
    search_text: str = ""


class _Index:
    """Maps one part of the identity to dsids, in the order in which the contacts got it."""

    def __init__(self) -> None:
        self._since: dict[str, dict[str, float]] = {}

    def move(self, dsid: str, before: str, after: str, now: float) -> None:
        """Replace the identity of a contact; "" means none."""
        if before == after:
            return
        if before:
            since_by_dsid = self._since[before]
            del since_by_dsid[dsid]
            if not since_by_dsid:
                del self._since[before]
        if after:
            self._since.setdefault(after, {})[dsid] = now

    def find(self, key: str, until: float) -> list[str]:
        """List the dsids that got this identity by a monotonic time."""
        since_by_dsid = self._since.get(key) if key else None
        return [dsid for dsid, since in since_by_dsid.items() if since <= until] if since_by_dsid else []


def email_key(email: JsonValue) -> str:
    """Normalise an email for matching."""
    return email.strip().casefold() if isinstance(email, str) else ""


def mobile_key(mobile: JsonValue) -> str:
    """Normalise a mobile number for matching."""
    return digits_of(mobile) if isinstance(mobile, str) else ""


class ContactRecords:
    """Stores the contacts. Not thread-safe: the contact store that uses it has a lock.

    Attributes:
        statuses: Number of contacts with each status.
        opted_out: Number of contacts that are opted out of at least one channel.
        created: Contacts created so far, in whatever way.
        updated: Changes so far of contacts that existed, other than deletions.
        version: Grows with every change.

    Args:
        clock: Monotonic time, for the look-up lag.
        now: Seconds since the epoch, for the timestamps of contacts.
    """

    def __init__(self, clock: Callable[[], float], now: Callable[[], float]) -> None:
        self._clock = clock
        self._now = now
        self.statuses: Counter[str] = Counter()
        self.opted_out = 0
        self.created = 0
        self.updated = 0
        self.version = 0
        self._records: dict[str, _Record] = {}
        self._recent: dict[str, None] = {}
        self._emails = _Index()
        self._mobiles = _Index()
        self._merged: dict[str, str] = {}
        self._search: tuple[int, str, list[str]] = (-1, "", [])

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, dsid: str) -> bool:
        return dsid in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def latest(self) -> Iterator[str]:
        """Iterate over the dsids, last changed first."""
        return reversed(self._recent)

    def get(self, dsid: str, name: str) -> JsonValue:
        """Return the value of one field."""
        return self._records[dsid].fields.get(name, _DEFAULTS.get(name))

    def fields(self, dsid: str) -> Mapping[str, JsonValue]:
        """Return the fields that were ever set."""
        return MappingProxyType(self._records[dsid].fields)

    def custom(self, dsid: str) -> Contact:
        """Return the custom values as a mutable dictionary."""
        return self._records[dsid].custom

    def insert(self, dsid: str = "") -> str:
        """Add an empty active contact and return its dsid; the default is 32 random hexadecimal characters."""
        dsid, now = dsid or os.urandom(16).hex(), self._now()
        self._records[dsid] = _Record({}, {}, now, now)
        self._recent[dsid] = None
        self.created += 1
        self._count(dsid, 1)
        self.version += 1
        return dsid

    def set(self, dsid: str, values: Mapping[str, JsonValue]) -> None:
        """Set fields of a contact."""
        record = self._records[dsid]
        if is_counted := not _COUNTED.isdisjoint(values):
            self._count(dsid, -1)
        if "email" in values:
            before = email_key(record.fields.get("email"))
            self._emails.move(dsid, before, email_key(values["email"]), self._clock())
        if "mobilePhone" in values:
            before = mobile_key(record.fields.get("mobilePhone"))
            self._mobiles.move(dsid, before, mobile_key(values["mobilePhone"]), self._clock())
        record.fields.update(values)
        if is_counted:
            self._count(dsid, 1)
        record.search_text = ""
        record.changed_at = self._now()
        del self._recent[dsid]
        self._recent[dsid] = None
        self.version += 1

    def remove(self, dsid: str) -> None:
        """Remove a contact from the records and the indexes."""
        self.set(dsid, {"email": "", "mobilePhone": "", "status": "Deleted"})
        self._count(dsid, -1)
        del self._records[dsid], self._recent[dsid]

    def merge(self, kept: str, gone: str) -> None:
        """Fill the empty fields of one contact from another, and remove the other."""
        target, source = self._records[kept], self._records[gone]
        missing = {
            name: value for name, value in source.fields.items() if name != "status" and not target.fields.get(name)
        }
        self.remove(gone)
        self._merged[gone] = kept
        target.custom = {**source.custom, **target.custom}
        self.set(kept, missing)

    def merged_into(self, dsid: str) -> str | None:
        """Return the dsid of the contact into which this one was merged; None if it was not merged."""
        while dsid in self._merged:
            dsid = self._merged[dsid]
        return dsid if dsid in self._records else None

    def matching(self, email: str, mobile: str, until: float = float("inf")) -> list[str]:
        """List the dsids with this email, or, if there are none, with this mobile number."""
        found = self._emails.find(email_key(email), until)
        return found or self._mobiles.find(mobile_key(mobile), until)

    def search(self, text: str) -> list[str]:
        """List the dsids that begin with a text, and those of the contacts with a value that contains it.

        Upper and lower case are the same, and so are the ways to write a phone number. The contacts with a value that
        is the text come first, and otherwise the last changed.
        """
        wanted = text.strip().casefold()
        if self._search[:2] == (self.version, wanted):
            return self._search[2]
        number = digits_of(wanted) if _PHONE_NUMBER.fullmatch(wanted) else ""
        first: list[str] = []
        others: list[str] = []
        for dsid in self.latest():
            values = self._search_text(dsid)
            if dsid == wanted or f"\n{wanted}\n" in values:
                first.append(dsid)
            elif wanted in values or (number and number in values) or dsid.startswith(wanted):
                others.append(dsid)
        self._search = (self.version, wanted, [*first, *others])
        return self._search[2]

    def _search_text(self, dsid: str) -> str:
        """The case-folded values of a contact, each on its line; kept until it changes."""
        record = self._records[dsid]
        if not record.search_text:
            names = [str(record.fields.get(name) or "") for name in ("firstName", "lastName")]
            number = mobile_key(record.fields.get("mobilePhone"))
            values = [*map(str, record.fields.values()), *map(str, record.custom.values()), " ".join(names), number]
            record.search_text = "\n{}\n".format("\n".join(values)).casefold()
        return record.search_text

    def _count(self, dsid: str, by: int) -> None:
        """Add a contact to the counts of values, or take it out of them."""
        self.statuses[str(self.get(dsid, "status"))] += by
        self.opted_out += by * any(self.get(dsid, name) for name in OPT_OUT_FIELDS)

    def view(self, dsid: str, settings: SandboxSettings) -> Contact:
        """Build the contact object that a GET returns."""
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
        """Return all contacts as JSON values."""
        rows: list[JsonValue] = [
            [dsid, dict(record.fields), dict(record.custom), record.created_at, record.changed_at]
            for dsid, record in self._records.items()
        ]
        return {
            "contacts": rows, "merged": dict(self._merged), "created": self.created, "updated": self.updated,
        }  # fmt: skip

    def load(self, dumped: JsonValue) -> None:
        """Add the contacts of a `dump`.

        Raises:
            ValueError: The values do not come from `dump`.
        """
        match dumped:
            case {"contacts": list(rows), "merged": dict(merged), **others}:
                for row in rows:
                    self._load_row(row)
                self._recent = dict.fromkeys(sorted(self._recent, key=lambda dsid: self._records[dsid].changed_at))
                self._merged.update({gone: str(kept) for gone, kept in merged.items()})
                # A file of an earlier version has no such numbers, but each contact in it was created.
                self.created, self.updated = (
                    number if isinstance(number := others.get(name, least), int) else least
                    for name, least in (("created", len(self)), ("updated", 0))
                )
            case _:
                raise ValueError("these are not the contacts of a sandbox")

    def _load_row(self, row: JsonValue) -> None:
        match row:
            case [str(dsid), dict(fields), dict(custom), int() | float() as created_at, int() | float() as changed_at]:
                if dsid in self._records:
                    self.remove(dsid)
                self.insert(dsid)
                self.set(dsid, fields)
                record = self._records[dsid]
                record.custom, record.created_at, record.changed_at = custom, created_at, changed_at
            case _:
                raise ValueError("this is not a contact of a sandbox")


def naive_time(seconds: float) -> str:
    """Format a time as the service does: UTC, milliseconds, no zone (U23)."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
