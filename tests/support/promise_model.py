"""What the promises of a sync say, over plain dictionaries: the rows of the source, and what DailyStory was told.

Nothing here knows how the engine works. Each check yields a text for each promise that is broken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

LONG = "x" * 300
"""A text that is too long for a field of DailyStory."""

NO_NUMBER = "n/a"
"""A text that is no mobile number."""

NO_ADDRESS = "none"
"""A text that is no email address."""

TEXT_FIELDS = {"first_name": "firstName", "city": "city"}
OUT = ("Inactive", "Deleted")
Contact = Mapping[str, Any]


def same_email(email: object) -> str:
    """An email in the form in which two of them are compared."""
    return str(email or "").strip().lower()


@dataclass(frozen=True)
class Row:
    """One row of the source; `moved` is the minute of its last edit."""

    key: int
    email: str | None
    mobile: str | None = None
    first_name: str | None = None
    city: str | None = None
    opted_out: bool | None = None
    region: str | None = None
    moved: int = 0

    @property
    def is_valid(self) -> bool:
        has_address = self.email is not None and "@" in self.email
        return has_address and self.mobile is None and LONG not in (self.first_name, self.city)


@dataclass(frozen=True)
class Request:
    """A contact request that reached an account.

    Attributes:
        method: `GET`, `POST` or `DELETE`.
        dsid: The contact, "" if there is none.
        body: What was posted.
        before: The contact before the request.
        fault: How the account treated the request, None if it served it.
        is_applied: The write was stored.
        is_answered: The response said so.
    """

    method: str
    dsid: str
    body: Mapping[str, Any]
    before: Contact | None
    fault: str | None
    is_applied: bool
    is_answered: bool

    @property
    def takes_out(self) -> bool:
        return self.method == "DELETE" or self.body.get("status") in OUT


@dataclass(frozen=True)
class Step:
    """One send, with the world around it.

    Attributes:
        rows: The source while it was sent.
        planned_rows: The source when it was planned.
        partition: The slice of the plan.
        is_recent: A watermark was used, so only recent rows were compared.
        keys_before: Key -> dsid before the send.
        keys_after: Key -> dsid after it.
        deletes: The deletion policy at the time of the send.
        may_delete: The share of departed keys that the guard permits, None for no limit.
        may_create: The same for new contacts after the first load.
        may_opt_out: The same for known contacts that opt out.
        departed_share: The share of the sync's live keys that the source lacked when it was planned.
        is_crashed: The process ended during the send.
    """

    rows: Sequence[Row]
    planned_rows: Sequence[Row]
    partition: str | None
    is_recent: bool
    keys_before: Mapping[int, str]
    keys_after: Mapping[int, str]
    deletes: str
    may_delete: float | None
    may_create: float | None
    may_opt_out: float | None
    departed_share: float
    is_crashed: bool = False


@dataclass
class Model:
    """What DailyStory was told by us, and what people did to its contacts.

    Attributes:
        rows: The source.
        gone: Rows that left it.
        told: Contact -> field -> every value that we wrote, in order.
        out_by_us: Contact -> whether its deactivation or deletion by us was acknowledged.
        opted_out: Contacts that have opted out.
        by_people: Contacts that people took out, merged or removed.
        refused: Values of rows that DailyStory refused.
        is_loaded: The first load is over.
        newly_departed: Keys that were live before the last plan and are not in the source; only these are taken out.
    """

    rows: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    told: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    out_by_us: dict[str, bool] = field(default_factory=dict)
    opted_out: set[str] = field(default_factory=set)
    by_people: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    is_loaded: bool = False
    newly_departed: set[int] = field(default_factory=set)

    def leave_to_people(self, *dsids: str) -> None:
        """People took these contacts out, merged or removed them."""
        for dsid in dsids:
            self.by_people.add(dsid)
            self.out_by_us.pop(dsid, None)

    # Everything that was sent

    def take(self, requests: Iterable[Request], step: Step) -> Iterator[str]:
        """Check the requests of a send, and remember what they told."""
        for request in requests:
            if request.method == "GET":
                continue
            yield from self._consent(request, step)
            yield from self._created(request, step)
            if request.takes_out:
                yield from self._taken_out(request, step)
            if request.fault in ("refused", "forbidden"):
                self._refuse(request, step)
            if request.is_applied:
                self._remember(request, is_acknowledged=request.is_answered and not step.is_crashed)

    def _remember(self, request: Request, *, is_acknowledged: bool) -> None:
        told = self.told.setdefault(request.dsid, {})
        for name, value in request.body.items():
            told.setdefault(name, []).append(value)
        if request.takes_out:
            self.out_by_us[request.dsid] = is_acknowledged
        elif request.body.get("status") == "Active":
            self.out_by_us.pop(request.dsid, None)
        if request.body.get("optOutEmail"):
            self.opted_out.add(request.dsid)

    def _refuse(self, request: Request, step: Step) -> None:
        """Any row of this contact may be held until it changes."""
        email = same_email(request.body.get("email") or (request.before or {}).get("email"))
        for row in (*step.rows, *step.planned_rows):
            if same_email(row.email) == email or step.keys_before.get(row.key) == request.dsid:
                self.refused.add(_values(row))

    def _consent(self, request: Request, step: Step) -> Iterator[str]:
        opted_in = [name for name, value in request.body.items() if name.startswith("optOut") and value is not True]
        if opted_in:
            yield f"an opt-out was taken back: {opted_in}"
        is_new = request.before is not None and not request.before["optOutEmail"]
        if step.may_opt_out == 0 and request.body.get("optOutEmail") and is_new:
            yield "a known contact opted out, of which the guard permits none"
        if request.body.get("status") == "Active" and not self.out_by_us.get(request.dsid):
            yield "a contact became Active whose deactivation by us was not acknowledged"

    def _created(self, request: Request, step: Step) -> Iterator[str]:
        departed = step.keys_before.keys() - {row.key for row in step.planned_rows}
        if self.by_people & {step.keys_before[key] for key in departed}:
            return  # under a new key, a row whose contact people removed is an update that creates it again
        new = {same_email(row.email) for row in step.planned_rows if row.key not in step.keys_before}
        is_create = request.is_applied and request.before is None and same_email(request.body.get("email")) in new
        if self.is_loaded and step.may_create == 0 and is_create:
            yield "a contact was created, of which the guard permits none"

    def _taken_out(self, request: Request, step: Step) -> Iterator[str]:
        what = f"contact of {(request.before or {}).get('email')} was taken out"
        yield from self._taken_out_in_source(request, step, what)
        if step.deletes == "keep":
            yield f"{what} though the policy is to keep it"
        elif (request.method == "DELETE") != (step.deletes == "delete"):
            yield f"{what} in another way than the policy says"
        if step.may_delete is not None and step.departed_share > step.may_delete:
            yield f"{what} beyond the guard: {step.departed_share:.0%} of the keys departed"

    def _taken_out_in_source(self, request: Request, step: Step, what: str) -> Iterator[str]:
        email = same_email((request.before or {}).get("email"))
        mapped = step.keys_before

        def is_of(row: Row) -> bool:  # by its key; by its email if it has no contact of its own
            own = mapped.get(row.key)
            return own == request.dsid or (own is None and email != "" and same_email(row.email) == email)

        def holds(rows: Sequence[Row]) -> bool:
            return any(map(is_of, rows))

        if not holds(step.rows):
            return
        if not holds(step.planned_rows):
            yield f"{what} though its row is back in the source"
        else:
            yield f"{what} though it is in the source"

    # The contacts and the state

    def standing(
        self, contacts: Mapping[str, Contact], keys: Mapping[int, str], snapshot: Mapping[int, Mapping[str, Any]]
    ) -> Iterator[str]:
        """What holds after every step."""
        taken_back = [dsid for dsid in self.opted_out if dsid in contacts and not contacts[dsid]["optOutEmail"]]
        if taken_back:
            yield "a contact that had opted out gets mail again"
        emails = Counter(same_email(each["email"]) for each in contacts.values() if each["email"])
        doubled = [email for email, count in emails.items() if count > 1]
        if doubled:
            yield f"two contacts for one identity: {doubled}"
        for key, acknowledged in snapshot.items():
            yield from self._told_what_it_says(keys.get(key), acknowledged)

    def _told_what_it_says(self, dsid: str | None, acknowledged: Mapping[str, Any]) -> Iterator[str]:
        if dsid is None or acknowledged["resend_all"]:
            return
        told = self.told.get(dsid, {})
        for name in ("email", "firstName", "city"):
            value = acknowledged.get(f"field_{name}")
            if value is not None and value not in told.get(name, []):
                yield f"the snapshot says {name}={value!r}, of which DailyStory was told nothing"
        if acknowledged.get("field_optOutEmail") and True not in told.get("optOutEmail", []):
            yield "the snapshot says opted out, of which DailyStory was told nothing"

    def keeps_contacts(self, step: Step, contacts: Mapping[str, Contact]) -> Iterator[str]:
        """A row that is in the source keeps its contact, and no other row gets it."""
        live = {row.key for row in step.rows}
        was_live = {row.key for row in step.planned_rows}
        for key, dsid in step.keys_before.items():
            if key not in live or dsid not in contacts or dsid in self.by_people or step.keys_after.get(key) == dsid:
                continue
            if key not in was_live:
                yield f"row {key} is back in the source and lost its contact to another row"
            else:
                yield f"row {key} is in the source and lost its contact"

    # After a whole run that sent everything

    def opt_outs_sent(self, step: Step, contacts: Mapping[str, Contact], faulty: Collection[str] = ()) -> Iterator[str]:
        """No opt-out waits while its dsid is known."""
        emails = {same_email(row.email) for row in step.rows if row.opted_out and row.email and "@" in row.email}
        for row in step.rows:
            dsid = step.keys_before.get(row.key)
            is_out = row.opted_out or same_email(row.email) in emails
            is_reached = dsid in contacts and dsid not in self.by_people and dsid not in faulty
            if dsid is not None and is_out and is_reached and not contacts[dsid]["optOutEmail"]:
                yield f"the opt-out of row {row.key} waits though its contact is known"

    def equals_source(
        self,
        step: Step,
        contacts: Mapping[str, Contact],
        mapped: Sequence[str],
        nulls: str,
        faulty: Collection[str] = (),
    ) -> Iterator[str]:
        """After a whole run each row that can be sent was sent, and those who left are out, but for faulty contacts."""
        for row in self.sendable(step, contacts, faulty):
            dsid = step.keys_after.get(row.key)
            if dsid is None:
                yield f"row {row.key} has no contact"
            elif dsid in self.by_people:
                continue
            elif dsid not in contacts:
                yield f"row {row.key} is mapped to a contact that does not exist"
            else:
                yield from self._equals(row, contacts[dsid], mapped, nulls)
        yield from self._departed(step, contacts, faulty)

    def _equals(self, row: Row, contact: Contact, mapped: Sequence[str], nulls: str) -> Iterator[str]:
        dsid = str(contact["dsId"])
        told = {name: values[-1] for name, values in self.told.get(dsid, {}).items()}
        if same_email(told.get("email")) != same_email(row.email):
            yield f"row {row.key}: the email is not the source's"
        for column in mapped:
            value, last = getattr(row, column), told.get(TEXT_FIELDS[column])
            if value is None and (nulls == "keep" or last is None):
                continue
            if last != (value or ""):
                yield f"row {row.key}: {column} is {last!r}, the source says {value!r}"
        if row.opted_out and not contact["optOutEmail"]:
            yield f"row {row.key}: the opt-out was not sent"
        if contact["status"] in OUT and self.out_by_us.get(dsid) and not contact["optOutEmail"]:
            yield f"row {row.key} is in the source and {contact['status']} by our hand"

    def _departed(self, step: Step, contacts: Mapping[str, Contact], faulty: Collection[str]) -> Iterator[str]:
        if step.deletes == "keep":
            return
        live = {row.key for row in step.rows}
        emails = {same_email(row.email) for row in step.rows}
        held = {step.keys_before[key] for key in live & step.keys_before.keys()}
        for key, dsid in step.keys_before.items():
            contact = contacts.get(dsid)
            if contact is None or key in live or dsid in held or dsid in self.by_people or dsid in faulty:
                continue
            if (
                same_email(contact["email"]) not in emails
                and contact["status"] not in OUT
                and key in self.newly_departed
            ):
                yield f"key {key} left the source and its contact is {contact['status']}"

    def sendable(self, step: Step, contacts: Mapping[str, Contact], faulty: Collection[str] = ()) -> list[Row]:
        """The rows that must be in DailyStory: valid, unique, and not waiting for a row that is not."""
        keys = Counter(row.key for row in step.rows)
        emails = Counter(same_email(row.email) for row in step.rows)
        good: dict[int, Row] = {}
        for row in step.rows:
            is_unique = keys[row.key] == 1 and emails[same_email(row.email)] == 1
            is_faulty = step.keys_before.get(row.key) in faulty or same_email(row.email) in faulty
            if row.is_valid and is_unique and not is_faulty and _values(row) not in self.refused:
                good[row.key] = row
        holder: dict[str, int] = {}
        for key, dsid in step.keys_before.items():  # a contact that people removed holds its email until it is missed
            told = self.told.get(dsid, {}).get("email", [""])[-1]
            holder[same_email(contacts[dsid]["email"] if dsid in contacts else told)] = key
        owner = {same_email(each["email"]): dsid for dsid, each in contacts.items()}
        while True:
            stuck = [key for key, row in good.items() if self._is_stuck(row, good, holder, owner, step)]
            if not stuck:
                return list(good.values())
            for key in stuck:
                del good[key]

    def _is_stuck(
        self,
        row: Row,
        good: Mapping[int, Row],
        holder: Mapping[str, int],
        owner: Mapping[str, str],
        step: Step,
    ) -> bool:
        """Whether another contact has the row's email and does not give it up."""
        email, seen = same_email(row.email), {row.key}
        while True:
            key = holder.get(email)
            if key is None:
                return email in owner and owner[email] != step.keys_after.get(row.key)
            if key == row.key and len(seen) == 1:
                return False
            if key in seen:
                return True
            if key not in {each.key for each in step.rows}:
                return row.key in step.keys_before
            if key not in good or same_email(good[key].email) == email:
                return True
            seen.add(key)
            email = same_email(good[key].email)


def _values(row: Row) -> str:
    """The values of a row, without the minute of its last edit."""
    return str(astuple(row)[:-1])
