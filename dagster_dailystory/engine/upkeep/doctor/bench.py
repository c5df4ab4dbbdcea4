"""The test contacts of an examination: makes, changes, reads and deletes them, and touches no other contact."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.responses import RemoteContact
from dagster_dailystory.contacts.identity import email_spellings
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.upkeep.doctor.notes import Note, Notes
from dagster_dailystory.engine.upkeep.doctor.observations import Observations
from dagster_dailystory.errors import NotFoundError, RejectedError

CUSTOM_FIELD = "dailystory_probe"
"""The one custom field that an examination makes."""

_SECOND, GONE = 1, 2
"""Numbers of the addresses of two contacts."""

_MOBILES = tuple(f"+1202555{number:04}" for number in range(100, 200))
"""Numbers that are reserved for fiction."""

_TRIED_MOBILES = 5

_RELEASED = 900
"""Number of the first address that a deleted contact has in place of the given one."""


class UnclearError(Exception):
    """A question cannot be answered; the text says why."""


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
        dsid = self._another(GONE)
        self.delete(dsid)
        return dsid

    @cached_property
    def mobile(self) -> str:
        """A mobile number that the first test contact has, and no other contact."""
        for number in secrets.SystemRandom().sample(_MOBILES, _TRIED_MOBILES):
            if self.find(mobile=number) is None and self.find(mobile=number.removeprefix("+")) is None:
                self.set(mobilePhone=number)
                return number
        raise UnclearError("every number that was tried belongs to a contact")

    def address(self, number: int) -> str:
        """The given address (0), or one derived from it."""
        return address_of(self._email, self.tag, number)

    def create(self, address: int | None, **fields: object) -> str:
        """Make a test contact; it is noted before, and with its id before anything else.

        Args:
            address: The number of its address; None for none, which is to be refused.
            **fields: Further fields.

        Returns:
            Its id, or that of the test contact that DailyStory has changed in its place.

        Raises:
            RejectedError: DailyStory refuses it.
            OutageError: There was no response; the contact may have been made.
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
            self._notes.add_dsid(note, dsid)
            self.made.append(dsid)
        return dsid

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
            if note.dsid is not None:
                self._remove(note, note.dsid, _RELEASED + number)
        for number, note in enumerate(notes, start=len(notes)):
            if note.dsid is None and self._email and note.email == self._notes.hash_of(self._email):
                self._look_up_lost(note, _RELEASED + number)

    def remaining(self) -> Iterator[str]:
        """What the examinations made in DailyStory and is still there."""
        for note in self._notes.all():
            if note.dsid is not None:
                yield f"the contact {note.dsid}: delete it in DailyStory"
                continue
            address = {0: "the given one", None: "none"}.get(note.address, f"a plus-address of it ({note.tag})")
            yield (
                f"perhaps a contact with the last name {note.tag}, whose create had no response; its address is "
                f"{address}. Examine again with the same probe_email"
            )
        if self.deleted:
            yield f"{self.deleted} contacts with the status Deleted: DailyStory keeps what is deleted"
        if self.has_custom_field:
            yield f"the custom field {CUSTOM_FIELD}: DailyStory keeps it for good"

    def _remove(self, note: Note, dsid: str, spare: int) -> None:
        try:
            with suppress(UnclearError):
                self._release(note, dsid, spare)
            self._sender.request(partial(_delete, dsid=dsid))
        except NotFoundError:
            pass  # it was merged into another test contact
        except RejectedError:
            return
        else:
            self.deleted += 1
        self._notes.remove(note)

    def _release(self, note: Note, dsid: str, spare: int) -> None:
        """Give a contact another address, so that the next examination can use the given one."""
        contact = self.read(dsid)
        email = "" if contact is None or contact.dsid != dsid else str(contact.fields.get("email") or "")
        if self._notes.hash_of(email) == note.email:
            self.made.append(dsid)
            self.update(dsid, email=address_of(email, note.tag, spare))

    def _look_up_lost(self, note: Note, spare: int) -> None:
        """Find the contact of a create without a response: the address alone does not show that it is ours."""
        contact = None
        if note.address is not None:
            contact = self.find(email=address_of(self._email, note.tag, note.address))
        if contact is not None and str(contact.fields.get("lastName")).casefold() == note.tag:
            self._remove(self._notes.add_dsid(note, contact.dsid), contact.dsid, spare)
        elif note.tag != self.tag:  # else it may still appear
            self._notes.remove(note)


async def _delete(client: DailyStoryClient, dsid: str) -> None:
    await client.delete(dsid)


def address_of(email: str, tag: str, number: int) -> str:
    """The given address (0), or a plus-address of it."""
    local, _, domain = email.rpartition("@")
    return f"{local}{'-' if '+' in local else '+'}{tag}-{number}@{domain}" if number else email
