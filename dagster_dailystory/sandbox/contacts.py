"""The sandbox's contacts: writes and look-ups through the API, and edits in the product itself."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.sandbox.records import BLANKS, READ_ONLY, Contact, ContactRecords, email_key, mobile_key
from dagster_dailystory.sandbox.settings import JsonValue, MatchOrder, MergedDsid, SandboxSettings, UnknownDsid
from dagster_dailystory.sandbox.writes import ContactBody, Refused, apply_body, read_body, settle_identity

_EDITABLE = frozenset({*BLANKS, *READ_ONLY, "extendedProperties"})


@dataclass(frozen=True, slots=True)
class Write:
    """One accepted write through the API.

    Attributes:
        dsid: The contact.
        operation: `create`, `update` or `delete`.
        seconds: Monotonic time at which it was stored.
        identity: The contact's normalised email after the write, else the digits of its mobile number.
        payload: The body as it was posted; empty for a delete.
    """

    dsid: str
    operation: str
    seconds: float
    identity: str = field(repr=False)
    payload: Mapping[str, JsonValue] = field(repr=False)

    @property
    def created(self) -> bool:
        """Whether this write created the contact."""
        return self.operation == "create"


@dataclass(frozen=True, slots=True)
class Tally:
    """What a store holds, and how it came to be.

    Attributes:
        contacts: The contacts, deleted ones included.
        statuses: How many of them have each status.
        opted_out: How many of them are opted out of at least one channel.
        created: Contacts created so far: by requests, by imports and in the product.
        updated: Changes so far of contacts that existed, other than deletions.
    """

    contacts: int
    statuses: Mapping[str, int]
    opted_out: int
    created: int
    updated: int


class ContactStore:
    """Stores contacts according to the settings. All methods are thread-safe.

    Attributes:
        settings: May be replaced at any time.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._random = random.Random(seed)
        self._lock = threading.RLock()
        self._records = ContactRecords(clock, now)
        self._imports: deque[tuple[float, Mapping[str, JsonValue]]] = deque()
        self._journal: list[Write] = []

    def __len__(self) -> int:
        return len(self._records)

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        return self._records.version

    def write(self, payload: Mapping[str, JsonValue]) -> Write:
        """Create or update the contact of a posted body.

        Raises:
            Refused: The settings or the documented rules refuse the body; nothing is stored.
        """
        with self._lock:
            self._apply_imports()
            return self._write(payload)

    def find_or_create(self, email: str, mobile: str) -> Write | str:
        """Return the dsid of the contact with this email or number, or the write that created it (/contact/upsert).

        Raises:
            Refused: Neither is valid.
        """
        with self._lock:
            self._apply_imports()
            found = self._match(email, mobile)
            return found or self._write({"email": email} if email else {"mobilePhone": mobile})

    def delete(self, dsid: str) -> Write:
        """Set the status to Deleted; deleting a deleted contact is not an error.

        Raises:
            Refused: The dsid is not known.
        """
        with self._lock:
            self._apply_imports()
            known = self._resolve(dsid)
            if known is None:
                raise Refused("Contact not found", unknown=True)
            self._records.set(known, {"status": "Deleted"})
            return self._add_to_journal(known, "delete", {})

    def opt_out_email(self, items: Iterable[Mapping[str, JsonValue]]) -> None:
        """Opt the named contacts out of email; unknown ones are skipped silently."""
        with self._lock:
            for item in items:
                dsid = self._resolve(str(item.get("dsid", "")))
                for target in [dsid] if dsid else self._records.matching(str(item.get("email", "")), ""):
                    apply_body(self._records, self.settings, target, ContactBody(None, {"optOutEmail": True}, None))
                    self._records.updated += 1

    def enqueue(self, payloads: Iterable[Mapping[str, JsonValue]]) -> None:
        """Queue an import; records without a key and repeated records are skipped silently (U4)."""
        due = self._clock() + self.settings.import_delay_seconds
        seen: set[str] = set()
        with self._lock:
            for payload in payloads:
                key = str(payload.get("dsId") or payload.get("email") or payload.get("mobilePhone") or "").casefold()
                if key and key not in seen:
                    seen.add(key)
                    self._imports.append((due, payload))
            self._apply_imports()

    def read(self, dsid: str) -> Contact | None:
        """Return the contact with this dsid as a GET does; None if a GET does not find it."""
        with self._lock:
            self._apply_imports()
            known = self._resolve(dsid)
            if known is None or not self._is_visible(known, self.settings.deleted_readable):
                return None
            return self._records.view(known, self.settings)

    def look_up(self, email: str = "", mobile: str = "") -> Contact | None:
        """Return the first match by email, else by mobile number, as a GET does (U9, U22)."""
        with self._lock:
            self._apply_imports()
            lag = self.settings.lookup_lag_seconds
            until = self._clock() - lag if lag else float("inf")
            found = self._first(self._matching(email, mobile, until), self.settings.deleted_readable)
            return None if found is None else self._records.view(found, self.settings)

    def peek(self, dsid: str = "", email: str = "", mobile: str = "") -> Contact | None:
        """Return a contact without the limits of a GET: without lag, and even if it is deleted."""
        with self._lock:
            self._apply_imports()
            matches = [dsid] if dsid in self._records else self._records.matching(email, mobile)
            return self._records.view(matches[0], self.settings) if matches else None

    def contacts(self) -> list[Contact]:
        """Return copies of all contacts, deleted ones included, in order of creation."""
        with self._lock:
            self._apply_imports()
            return [self._records.view(dsid, self.settings) for dsid in self._records]

    def search(self, text: str, *, offset: int, limit: int) -> tuple[list[Contact], int]:
        """Return copies of some contacts that contain a text, or of all; best match and last change first.

        Args:
            text: Part of a value, or the beginning of a dsid; "" for all contacts.
            offset: How many to skip.
            limit: How many to return at most.

        Returns:
            The contacts, and how many there are without offset and limit.
        """
        with self._lock:
            self._apply_imports()
            found = self._records.search(text) if text.strip() else None
            part = islice(self._records.latest() if found is None else found, offset, offset + limit)
            total = len(self._records) if found is None else len(found)
            return [self._records.view(dsid, self.settings) for dsid in part], total

    def tally(self) -> Tally:
        """Count what the store holds, and how it came to be."""
        with self._lock:
            self._apply_imports()
            records = self._records
            return Tally(len(records), dict(records.statuses), records.opted_out, records.created, records.updated)

    def journal(self) -> list[Write]:
        """Return the accepted writes, oldest first."""
        with self._lock:
            return list(self._journal)

    def clear_journal(self) -> None:
        """Clear the journal; the contacts stay."""
        with self._lock:
            self._journal.clear()

    def add(self, fields: Mapping[str, JsonValue]) -> str:
        """Create a contact as in the product itself: without validation, and not in the journal."""
        with self._lock:
            dsid = self._records.insert()
            self._edit(dsid, fields)
            return dsid

    def edit(self, dsid: str, fields: Mapping[str, JsonValue]) -> None:
        """Set fields as in the product itself; `extendedProperties` merges.

        Raises:
            KeyError: The contact does not exist.
            ValueError: A field does not exist.
        """
        with self._lock:
            self._edit(dsid, fields)
            self._records.updated += 1

    def merge(self, kept: str, gone: str) -> None:
        """Merge two contacts: the kept one takes the values that it lacks, the other one is removed (U30).

        Raises:
            KeyError: A contact does not exist, or both are the same.
        """
        with self._lock:
            self._require(kept)
            self._require(gone)
            if kept == gone:
                raise KeyError("merge needs two different contacts")
            self._records.merge(kept, gone)
            self._records.updated += 1

    def remove(self, dsid: str) -> None:
        """Remove a contact permanently.

        Raises:
            KeyError: The contact does not exist.
        """
        with self._lock:
            self._require(dsid)
            self._records.remove(dsid)

    def dump(self) -> dict[str, JsonValue]:
        """Return all contacts as JSON values, without the journal."""
        with self._lock:
            return self._records.dump()

    def load(self, dumped: JsonValue) -> None:
        """Add the contacts of a `dump`.

        Raises:
            ValueError: The values do not come from `dump`.
        """
        with self._lock:
            self._records.load(dumped)

    def _edit(self, dsid: str, fields: Mapping[str, JsonValue]) -> None:
        for name in fields:
            if name not in _EDITABLE:
                raise ValueError(f"a contact has no field {name!r}{nearest(name, _EDITABLE)}")
        self._require(dsid)
        custom = fields.get("extendedProperties")
        if isinstance(custom, dict):
            self._records.custom(dsid).update(custom)
        self._records.set(dsid, {name: value for name, value in fields.items() if name != "extendedProperties"})

    def _write(self, payload: Mapping[str, JsonValue]) -> Write:
        settings = self.settings
        body = read_body(payload, settings)
        if settings.refuse_if is not None and (message := settings.refuse_if(payload)) is not None:
            raise Refused(message)
        dsid = self._target(body)
        operation = "update"
        if dsid is None:
            if settings.contact_quota is not None and self._records.statuses["Active"] >= settings.contact_quota:
                raise Refused("The contact limit of your plan has been reached")
            dsid, operation = self._records.insert(), "create"
        else:
            settle_identity(self._records, settings, dsid, body.fields)
            self._records.updated += 1
        apply_body(self._records, settings, dsid, body)
        return self._add_to_journal(dsid, operation, payload)

    def _target(self, body: ContactBody) -> str | None:
        if body.dsid is not None:
            known = self._resolve(body.dsid)
            if known is not None:
                return known
            if self.settings.unknown_dsid is UnknownDsid.REFUSE:
                raise Refused("Contact not found", unknown=True)
        email, mobile = str(body.fields.get("email", "")), str(body.fields.get("mobilePhone", ""))
        if not email and not mobile:
            raise Refused("A dsId, a valid email or a valid mobilePhone is required")
        return None if self.settings.duplicates_allowed else self._match(email, mobile)

    def _add_to_journal(self, dsid: str, operation: str, payload: Mapping[str, JsonValue]) -> Write:
        fields = self._records.fields(dsid)
        identity = email_key(fields.get("email")) or mobile_key(fields.get("mobilePhone"))
        write = Write(dsid, operation, self._clock(), identity, payload)
        self._journal.append(write)
        return write

    def _resolve(self, dsid: str) -> str | None:
        if dsid in self._records:
            return dsid
        return None if self.settings.merged_dsid is MergedDsid.ABSENT else self._records.merged_into(dsid)

    def _match(self, email: str, mobile: str) -> str | None:
        found = self._first(self._matching(email, ""), self.settings.deleted_matched)
        return found or self._first(self._matching("", mobile), self.settings.deleted_matched)

    def _matching(self, email: str, mobile: str, until: float = float("inf")) -> list[str]:
        """Contacts with this email, or, if there are none, with this mobile number."""
        settings, records = self.settings, self._records
        by_email = records.matching(email, "", until)
        if settings.email_case_matters:
            by_email = [dsid for dsid in by_email if records.get(dsid, "email") == email]
        if by_email or not settings.phone_format_matters:
            return by_email or records.matching("", mobile, until)
        return [dsid for dsid in records.matching("", mobile, until) if records.get(dsid, "mobilePhone") == mobile]

    def _first(self, matches: list[str], with_deleted: bool) -> str | None:
        visible = [dsid for dsid in matches if self._is_visible(dsid, with_deleted)]
        if not visible:
            return None
        return self._random.choice(visible) if self.settings.match_order is MatchOrder.ARBITRARY else visible[0]

    def _is_visible(self, dsid: str, with_deleted: bool) -> bool:
        return with_deleted or self._records.get(dsid, "status") != "Deleted"

    def _require(self, dsid: str) -> None:
        if dsid not in self._records:
            raise KeyError("the sandbox has no contact with this dsid")

    def _apply_imports(self) -> None:
        while self._imports and self._imports[0][0] <= self._clock():
            _, payload = self._imports.popleft()
            try:
                self._write(payload)
            except Refused:
                continue
