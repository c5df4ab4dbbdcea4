"""The sandbox's contacts: what the API's writes and look-ups do to them, and what people do inside the product."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

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
        identity: The contact's email after the write, trimmed and lower-cased, else the digits of its number.
        payload: The body as it was posted; empty for a delete.
    """

    dsid: str
    operation: str
    seconds: float
    identity: str = field(repr=False)
    payload: Mapping[str, JsonValue] = field(repr=False)

    @property
    def created(self) -> bool:
        """Whether this write made the contact."""
        return self.operation == "create"


class ContactStore:
    """Keeps contacts as the settings say; every method is safe to call from any thread.

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
        self._chance = random.Random(seed)
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
        """Create or update the contact that a posted body names.

        Raises:
            Refused: The settings or the documented rules do not accept it; nothing is stored.
        """
        with self._lock:
            self._apply_imports()
            return self._write(payload)

    def find_or_create(self, email: str, mobile: str) -> Write | str:
        """Serve /contact/upsert: the dsid of the contact with this email or number, or the write that made it.

        Raises:
            Refused: Neither is valid.
        """
        with self._lock:
            self._apply_imports()
            found = self._match(email, mobile)
            return found or self._write({"email": email} if email else {"mobilePhone": mobile})

    def delete(self, dsid: str) -> Write:
        """Set the status to Deleted; repeating it is no error.

        Raises:
            Refused: The dsid is not known.
        """
        with self._lock:
            self._apply_imports()
            known = self._resolve(dsid)
            if known is None:
                raise Refused("Contact not found", unknown=True)
            self._records.set(known, {"status": "Deleted"})
            return self._log(known, "delete", {})

    def opt_out_email(self, items: Iterable[Mapping[str, JsonValue]]) -> None:
        """Opt the named contacts out of email; unknown ones are skipped silently."""
        with self._lock:
            for item in items:
                dsid = self._resolve(str(item.get("dsid", "")))
                for owner in [dsid] if dsid else self._records.owners(str(item.get("email", "")), ""):
                    apply_body(self._records, self.settings, owner, ContactBody(None, {"optOutEmail": True}, None))

    def enqueue(self, payloads: Iterable[Mapping[str, JsonValue]]) -> None:
        """Queue an import: records without a key are skipped silently, one contact changes once a batch (U4)."""
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
        """Return the contact with this dsid as a GET shows it, None where a GET finds none."""
        with self._lock:
            self._apply_imports()
            known = self._resolve(dsid)
            if known is None or not self._visible(known, self.settings.deleted_readable):
                return None
            return self._records.view(known, self.settings)

    def look_up(self, email: str = "", mobile: str = "") -> Contact | None:
        """Return the first match by email, else by number, as a GET shows it (U9, U22)."""
        with self._lock:
            self._apply_imports()
            lag = self.settings.lookup_lag_seconds
            until = self._clock() - lag if lag else float("inf")
            found = self._first(self._owners(email, mobile, until), self.settings.deleted_readable)
            return None if found is None else self._records.view(found, self.settings)

    def peek(self, dsid: str = "", email: str = "", mobile: str = "") -> Contact | None:
        """Return a contact whatever a GET would say of it: no lag, deleted ones too."""
        with self._lock:
            self._apply_imports()
            owners = [dsid] if dsid in self._records else self._records.owners(email, mobile)
            return self._records.view(owners[0], self.settings) if owners else None

    def contacts(self) -> list[Contact]:
        """Copy every contact, the deleted ones too, in the order in which they were made."""
        with self._lock:
            self._apply_imports()
            return [self._records.view(dsid, self.settings) for dsid in self._records]

    def newest(self, limit: int, search: str = "") -> list[Contact]:
        """Copy the contacts that changed last, where a search text occurs in a value."""
        wanted = search.strip().casefold()
        found: list[Contact] = []
        with self._lock:
            self._apply_imports()
            for dsid in self._records.latest():
                if len(found) == limit:
                    break
                if not wanted or self._records.contains_text(dsid, wanted):
                    found.append(self._records.view(dsid, self.settings))
        return found

    def journal(self) -> list[Write]:
        """Copy the accepted writes, oldest first."""
        with self._lock:
            return list(self._journal)

    def clear_journal(self) -> None:
        """Forget the writes so far; the contacts stay."""
        with self._lock:
            self._journal.clear()

    def add(self, fields: Mapping[str, JsonValue]) -> str:
        """Make a contact as the product's own UI would: whatever the fields are, and not in the journal."""
        with self._lock:
            dsid = self._records.insert()
            self.edit(dsid, fields)
            return dsid

    def edit(self, dsid: str, fields: Mapping[str, JsonValue]) -> None:
        """Set fields as a marketer would; `extendedProperties` merges.

        Raises:
            KeyError: There is no such contact.
            ValueError: A contact has no such field.
        """
        for name in fields:
            if name not in _EDITABLE:
                raise ValueError(f"a contact has no field {name!r}{nearest(name, _EDITABLE)}")
        with self._lock:
            self._must_have(dsid)
            custom = fields.get("extendedProperties")
            if isinstance(custom, dict):
                self._records.custom(dsid).update(custom)
            self._records.set(dsid, {name: value for name, value in fields.items() if name != "extendedProperties"})

    def merge(self, kept: str, gone: str) -> None:
        """Merge two contacts: the kept one takes what it lacks, the other dsid vanishes (U30).

        Raises:
            KeyError: There is no such contact, or both are one.
        """
        with self._lock:
            self._must_have(kept)
            self._must_have(gone)
            if kept == gone:
                raise KeyError("merge needs two different contacts")
            self._records.merge(kept, gone)

    def remove(self, dsid: str) -> None:
        """Take a contact away for good.

        Raises:
            KeyError: There is no such contact.
        """
        with self._lock:
            self._must_have(dsid)
            self._records.remove(dsid)

    def dump(self) -> dict[str, JsonValue]:
        """Return everything but the journal as JSON values."""
        with self._lock:
            return self._records.dump()

    def load(self, dumped: JsonValue) -> None:
        """Add what `dump` returned.

        Raises:
            ValueError: These are not the words of `dump`.
        """
        with self._lock:
            self._records.load(dumped)

    def _write(self, payload: Mapping[str, JsonValue]) -> Write:
        settings = self.settings
        body = read_body(payload, settings)
        if settings.refuse_if is not None and (message := settings.refuse_if(payload)) is not None:
            raise Refused(message)
        dsid = self._target(body)
        operation = "update"
        if dsid is None:
            if settings.contact_quota is not None and self._records.active >= settings.contact_quota:
                raise Refused("The contact limit of your plan has been reached")
            dsid, operation = self._records.insert(), "create"
        else:
            settle_identity(self._records, settings, dsid, body.fields)
        apply_body(self._records, settings, dsid, body)
        return self._log(dsid, operation, payload)

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

    def _log(self, dsid: str, operation: str, payload: Mapping[str, JsonValue]) -> Write:
        fields = self._records.fields(dsid)
        identity = email_key(fields.get("email")) or mobile_key(fields.get("mobilePhone"))
        write = Write(dsid, operation, self._clock(), identity, payload)
        self._journal.append(write)
        return write

    def _resolve(self, dsid: str) -> str | None:
        if dsid in self._records:
            return dsid
        return None if self.settings.merged_dsid is MergedDsid.ABSENT else self._records.heir(dsid)

    def _match(self, email: str, mobile: str) -> str | None:
        found = self._first(self._owners(email, ""), self.settings.deleted_matched)
        return found or self._first(self._owners("", mobile), self.settings.deleted_matched)

    def _owners(self, email: str, mobile: str, until: float = float("inf")) -> list[str]:
        owners = self._records.owners(email, mobile, until)
        if not self.settings.email_case_matters or not email:
            return owners
        return [dsid for dsid in owners if self._records.get(dsid, "email") == email]

    def _first(self, owners: list[str], deleted_too: bool) -> str | None:
        visible = [dsid for dsid in owners if self._visible(dsid, deleted_too)]
        if not visible:
            return None
        return self._chance.choice(visible) if self.settings.match_order is MatchOrder.ARBITRARY else visible[0]

    def _visible(self, dsid: str, deleted_too: bool) -> bool:
        return deleted_too or self._records.get(dsid, "status") != "Deleted"

    def _must_have(self, dsid: str) -> None:
        if dsid not in self._records:
            raise KeyError("the sandbox has no contact with this dsid")

    def _apply_imports(self) -> None:
        while self._imports and self._imports[0][0] <= self._clock():
            _, payload = self._imports.popleft()
            try:
                self._write(payload)
            except Refused:
                continue
