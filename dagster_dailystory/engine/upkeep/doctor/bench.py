"""The test contacts of an examination: makes, changes, reads and deletes them, and touches no other contact."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property, partial

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.contacts.identity import email_spellings
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.upkeep.doctor.notes import Note, Notes
from dagster_dailystory.engine.upkeep.doctor.observations import Observations
from dagster_dailystory.errors import NotFoundError, RejectedError
from dagster_dailystory.model.runs.plan import some

CUSTOM_FIELD = "dailystory_probe"
"""The one custom field that an examination makes."""

_SECOND, GONE = 1, 2
"""Numbers of the addresses of two contacts."""

_LINES = tuple(f"{number:04}" for number in range(100, 200))
"""The last digits of the numbers of +1 202 555 that are reserved for fiction."""

_SPELLINGS = ("+1202555{}", "1202555{}", "202555{}", "202-555-{}", "(202) 555-{}", "+1 (202) 555-{}")
"""How a number is sent, and how other contacts may have it."""

_TRIED_MOBILES = 5

_RELEASED = 900
"""Number of the first address that a deleted contact has in place of the given one."""

_WAITS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds between the attempts to read a new contact back."""

_NEWEST = timedelta(minutes=10)
"""Longest time between the creation of a contact and its last change at which it counts as new."""


class UnclearError(Exception):
    """A question cannot be answered; the text says why."""


class ForeignContactError(Exception):
    """DailyStory named another contact than the one that it was to make: nothing more may be tried."""


class Bench:
    """The test contacts.

    Args:
        sender: Sends each request, with the rate and the retries of a run.
        notes: What was made, also by earlier examinations.
        observations: What the responses show.
        email: The given address; None to delete what earlier examinations made.
        pause: Waits that many seconds.

    Attributes:
        tag: The last name of each test contact; random.
        look_up_lag: Seconds until a look-up finds a new address; None if it did not find one.
        has_custom_field: Whether a custom value was written.
        is_merged: Whether the first test contact was merged into the second.
        made: The ids of the test contacts, oldest first.
        foreign: The ids that DailyStory returned for a new contact, and that are not those of test contacts.
        deleted: How many test contacts were deleted.
    """

    def __init__(
        self,
        sender: Sender,
        notes: Notes,
        observations: Observations,
        email: str | None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.tag = f"probe-{secrets.token_hex(4)}"
        self.observations = observations
        self.pause = pause
        self.look_up_lag: float | None = 0.0
        self.has_custom_field = False
        self.is_merged = False
        self.made: list[str] = []
        self.foreign: list[str] = []
        self.deleted = 0
        self._sender = sender
        self._notes = notes
        self._email = email or ""

    @cached_property
    def first(self) -> str:
        """The test contact with the given address."""
        return self.create(0)

    @cached_property
    def second(self) -> str:
        """A test contact with an address of its own."""
        return self._another(_SECOND)

    @cached_property
    def gone(self) -> str:
        """A test contact that was deleted."""
        self.delete(self._doomed)
        return self._doomed

    @cached_property
    def _doomed(self) -> str:
        return self._another(GONE)

    @cached_property
    def mobile(self) -> str:
        """A mobile number that the first test contact has, and no other contact."""
        for line in secrets.SystemRandom().sample(_LINES, _TRIED_MOBILES):
            number, *others = (each.format(line) for each in _SPELLINGS)
            if all(self.find(mobile=each) is None for each in (number, *others)):
                self.set(mobilePhone=number)
                return number
        raise UnclearError("every number that was tried belongs to a contact")

    def address(self, number: int) -> str:
        """The given address (0), or one derived from it."""
        return address_of(self._email, self.tag, number)

    def create(self, address: int | None, **fields: object) -> str:
        """Make a test contact. It is noted before, then with its id, and read back before anything is done to it.

        Args:
            address: The number of its address; None for none, which is to be refused.
            **fields: Further fields.

        Returns:
            Its id, or that of the test contact that DailyStory has changed in its place.

        Raises:
            RejectedError: DailyStory refuses it.
            OutageError: There was no response; the contact may have been made.
            ForeignContactError: DailyStory has changed another contact in its place, or named another one.
        """
        identity = {} if address is None else {"email": self.address(address)}
        body = {**identity, "lastName": self.tag, **fields}
        note = self._notes.write(self.tag, address, self._email)
        try:
            dsid = self._sender.request(lambda client: client.create_or_update(body), is_repeatable=False)
        except RejectedError:
            self._notes.remove(note)
            raise
        if dsid in self.made:
            self._notes.remove(note)
        else:
            self._check_own(self._notes.add_dsid(note, dsid), dsid)
        return dsid

    def _check_own(self, note: Note, dsid: str) -> None:
        """Read a new contact back: one that GET does not find may exist, and a response may name any contact."""
        contact = self.read(dsid)
        for seconds in _WAITS:
            if contact is not None:
                break
            self.pause(seconds)
            contact = self.read(dsid)
        if contact is None:
            raise ForeignContactError("DailyStory does not find the contact that it says it has made")
        if not _is_ours(contact, note, dsid):
            self._give_up(note, dsid)
            raise ForeignContactError(f"DailyStory returned the id of another contact, {dsid}, for a new one")
        self._notes.add_dsid(note, dsid, is_ours=True)
        self.made.append(dsid)

    def _give_up(self, note: Note, dsid: str) -> None:
        """Leave a contact alone that is not a test contact. The one that was to be made may exist beside it."""
        self.foreign.append(dsid)
        self._notes.remove_dsid(note)

    def update(self, dsid: str, allowed: tuple[str, ...] = (), /, **fields: object) -> bool:
        """Change a test contact; False if DailyStory refuses it.

        Args:
            dsid: The contact.
            allowed: Consent fields that are set against the usual rules.
            **fields: The fields.

        Raises:
            UnclearError: DailyStory names a contact that is none of the test contacts.
        """
        self.has_custom_field = self.has_custom_field or bool(fields.get("extendedProperties"))
        body = {"dsId": dsid, **fields}
        try:
            returned = self._sender.request(lambda client: client.create_or_update(body, allowed=allowed))
        except RejectedError:
            return False
        if returned not in self.made:
            raise UnclearError("DailyStory returned another contact's id for an update")
        return True

    def set(self, **fields: object) -> None:
        """Change the first test contact.

        Raises:
            UnclearError: DailyStory refuses it.
        """
        if not self.update(self.first, **fields):
            raise UnclearError(f"DailyStory refuses {' and '.join(fields)} ({self.observations.status})")

    def read(self, dsid: str) -> RemoteContact | None:
        """Read a contact by its id."""
        return self._sender.request(lambda client: client.get(dsid))

    def fields(self, dsid: str | None = None) -> Mapping[str, object]:
        """Read the fields of a test contact; without an id, of the first one.

        Raises:
            UnclearError: DailyStory does not find it.
        """
        contact = self.read(self.first if dsid is None else dsid)
        if contact is None:
            raise UnclearError("DailyStory does not find the test contact by its id")
        return contact.fields

    def value(self, name: str) -> object:
        """Read a field of the first test contact that each contact is to have.

        Raises:
            UnclearError: It is not shown.
        """
        fields = self.fields()
        if name not in fields:
            raise UnclearError(f"a GET does not show {name}")
        return fields[name]

    def custom_value(self) -> object:
        """Read the custom value of the first test contact; None if it has none."""
        custom = self.fields().get("extendedProperties")
        return custom.get(CUSTOM_FIELD) if isinstance(custom, Mapping) else None

    def find(self, *, email: str | None = None, mobile: str | None = None) -> RemoteContact | None:
        """Look a contact up by one of both; new values may be found later, see `await_look_ups`."""
        return self._sender.request(lambda client: client.find(email=email, mobile=mobile))

    def await_look_ups(self) -> None:
        """Wait until look-ups see what was written.

        Raises:
            UnclearError: They do not see it in time.
        """
        if self.look_up_lag is None:
            raise UnclearError("look-ups do not find what was written")
        if self.look_up_lag:
            self.pause(1.5 * self.look_up_lag + 0.2)

    def is_taken(self) -> bool:
        """Whether a contact has the given address, in any of its spellings."""
        return any(self.find(email=each) is not None for each in email_spellings(self._email))

    def delete(self, dsid: str) -> None:
        """Delete a test contact, whose note stays.

        Raises:
            UnclearError: DailyStory refuses it.
        """
        try:
            self._sender.request(partial(_delete, dsid=dsid))
        except RejectedError:
            raise UnclearError("DailyStory refuses to delete the test contact") from None

    def _another(self, address: int) -> str:
        """Make a test contact beside the first.

        Raises:
            UnclearError: DailyStory takes its address for that of another contact.
        """
        _ = self.first
        others = list(self.made)
        if self.find(email=self.address(address)) is not None or (dsid := self.create(address)) in others:
            raise UnclearError("DailyStory takes a plus-address for the address of another contact")
        return dsid

    def clean_up(self) -> None:
        """Delete the contacts of all notes, and look up those whose create had no response.

        Raises:
            OutageError: DailyStory does not respond; the notes stay.
        """
        notes = self._notes.all()
        for number, note in enumerate(notes):
            if note.dsid is not None and self._is_confirmed(note, note.dsid):
                self._remove(note, note.dsid, _RELEASED + number)
        for number, note in enumerate(notes, start=len(notes)):
            if note.dsid is None and self._email and note.email == self._notes.hash_of(self._email):
                self._look_up_lost(note, _RELEASED + number)

    def _is_confirmed(self, note: Note, dsid: str) -> bool:
        """Whether a noted contact is a test contact; if it is none, or does not exist, its note is removed."""
        if note.is_ours:
            return True
        contact = self.read(dsid)
        if contact is None:
            if not self._notes.is_fresh(note):
                self._notes.remove(note)
            return False
        if not _is_ours(contact, note, dsid):
            self._give_up(note, dsid)
            return False
        return True

    def remaining(self) -> Iterator[str]:
        """What the examinations made in DailyStory and is still there."""
        for dsid in self.foreign:
            yield (
                f"the contact {dsid}, which is not a test contact: DailyStory named it in place of a new one, and may "
                f"have set its last name to {self.tag}. Look at it in DailyStory"
            )
        for note in self._notes.all():
            if note.dsid is not None:
                yield f"the contact {note.dsid}: delete it in DailyStory if its last name is {note.tag}"
                continue
            where = {0: "the given address", None: "no address"}.get(note.address, "a plus-address")
            advice = "look for it in DailyStory" if note.address is None else "examine again with the same probe_email"
            yield f"perhaps a contact with {where} and the last name {note.tag}, which was not found: {advice}"
        if self.deleted:
            deleted = some(self.deleted, "contact", "contacts")
            yield f"{deleted} with the status Deleted: DailyStory keeps what is deleted"
        if self.has_custom_field:
            yield f"the custom field {CUSTOM_FIELD}: DailyStory keeps it for good"

    def _remove(self, note: Note, dsid: str, spare: int) -> None:
        try:
            with suppress(UnclearError):  # the deletion itself does not need it
                self._release(note, dsid, spare)
            self._sender.request(partial(_delete, dsid=dsid))
            contact = self.read(dsid)
            if contact is not None and contact.dsid == dsid and contact.status != "Deleted":
                return
        except NotFoundError:
            pass  # it was merged into another test contact
        except RejectedError:
            return  # its note stays, and `remaining` names the contact
        else:
            self.deleted += 1
        self._notes.remove(note)

    def _release(self, note: Note, dsid: str, spare: int) -> None:
        """Give a contact another address: the given one is free again, and no look-up for a lost one finds it."""
        contact = self.read(dsid)
        email = "" if contact is None or contact.dsid != dsid else str(contact.fields.get("email") or "")
        derived = re.compile(rf"(?<={note.tag}-)\d+(?=@)", re.IGNORECASE)
        is_given = self._notes.hash_of(email) == note.email
        if is_given or derived.search(email):
            self.made.append(dsid)
            self.update(dsid, email=address_of(email, note.tag, spare) if is_given else derived.sub(str(spare), email))

    def _look_up_lost(self, note: Note, spare: int) -> None:
        """Find the contact of a create without a response: the address alone does not show that it is ours."""
        contact = None
        if note.address is not None:
            contact = self.find(email=address_of(self._email, note.tag, note.address))
        if contact is not None and _is_ours(contact, note, contact.dsid):
            self._remove(self._notes.add_dsid(note, contact.dsid, is_ours=True), contact.dsid, spare)
        elif not self._notes.is_fresh(note):  # else it may still appear
            self._notes.remove(note)


def _is_ours(contact: RemoteContact, note: Note, dsid: str) -> bool:
    """Whether a contact is the new one of a note: it has its name, and did not exist before."""
    if contact.dsid != dsid or str(contact.fields.get("lastName")).casefold() != note.tag:
        return False
    created, changed = (_moment(contact.fields.get(name)) for name in ("dateContactCreated", "dateContactLastModified"))
    return created is None or changed is None or changed - created < _NEWEST


def _moment(value: object) -> datetime | None:
    """A time of a contact in its own zone, which both of them share."""
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).replace(tzinfo=None)
    except ValueError:
        return None


async def _delete(client: DailyStoryClient, dsid: str) -> None:
    await client.delete(dsid)


def address_of(email: str, tag: str, number: int) -> str:
    """The given address (0), or a plus-address of it."""
    local, _, domain = email.rpartition("@")
    return f"{local}{'-' if '+' in local else '+'}{tag}-{number}@{domain}" if number else email
