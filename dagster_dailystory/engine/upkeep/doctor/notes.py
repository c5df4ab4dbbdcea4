"""Notes of the test contacts, in the state: each is written before its contact is made, and removed with it.

A note has a random tag, an id and a keyed hash, and no address. It belongs to one sync, whose lease guards it, and to
one account.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from dagster_dailystory.contacts.fingerprint import opaque
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.runs.plan import some

NOTES = "probe:"
"""How the name of each note begins."""

_LONGEST_UNSEEN_SECONDS = 600.0
"""Time after which a new contact is found, or was not made."""


@dataclass(frozen=True, slots=True)
class Note:
    """One test contact.

    Attributes:
        name: The row of the meta table.
        tag: The examination that made it; also the last name of the contact.
        address: Which address it has: 0 the given one, from 1 on one derived from it, None none at all.
        email: A keyed hash of the given address.
        dsid: The contact; None until DailyStory has responded to the create.
        written_at: When the contact was about to be made, in seconds since the epoch.
        is_ours: Whether the contact was read back, and is the one that was made.
    """

    name: str
    tag: str
    address: int | None
    email: str
    dsid: str | None = None
    written_at: float = 0.0
    is_ours: bool = False


class Notes:
    """The notes of one sync and one account.

    Args:
        state: The open state.
        lease: The lease of the sync.
        account_ids: The opaque ids of the account.
        now: Seconds since the epoch.
    """

    def __init__(
        self, state: State, lease: Lease, account_ids: Sequence[str], now: Callable[[], float] = time.time
    ) -> None:
        self._state = state
        self._now = now
        self._lease = lease
        self._starts = tuple(f"{NOTES}{state.sync.name}:{each}:" for each in account_ids)
        self._written = 0

    def all(self) -> list[Note]:
        """The notes of all examinations, oldest last."""
        with self._state.connection.begin():
            names = [name for start in self._starts for name in self._state.meta_names(start)]
            texts = {name: self._state.meta(name) or "{}" for name in names}
        return [Note(name, **_fields(text)) for name, text in texts.items()]

    def of_others(self) -> list[str]:
        """What the notes of other syncs and accounts say, without their contacts."""
        with self._state.connection.begin():
            others = [name for name in self._state.meta_names(NOTES) if not name.startswith(self._starts)]
        names = sorted({name.split(":")[1] for name in others})
        return [f"test contacts of sync {name!r}, perhaps in another account: examine that sync" for name in names]

    def keep_alive(self) -> None:
        """Renew the lease if that is due.

        Raises:
            BusyError: Another run holds it now.
        """
        self._lease.keep(self._state)

    def write(self, tag: str, address: int | None, email: str) -> Note:
        """Note that a contact is about to be made."""
        self._written += 1
        name = f"{self._starts[0]}{tag}:{self._written}"
        note = Note(name, tag, address, self.hash_of(email), written_at=self._now())
        self._store(note)
        return note

    def add_dsid(self, note: Note, dsid: str, *, is_ours: bool = False) -> Note:
        """Note which contact DailyStory has made, and whether it was read back."""
        made = replace(note, dsid=dsid, is_ours=is_ours)
        self._store(made)
        return made

    def remove_dsid(self, note: Note) -> None:
        """Note that DailyStory named another contact than the one that was to be made."""
        self._store(replace(note, dsid=None))

    def is_fresh(self, note: Note) -> bool:
        """Whether the contact of a note may still appear."""
        return self._now() - note.written_at < _LONGEST_UNSEEN_SECONDS

    def remove(self, note: Note) -> None:
        """Remove the note of a contact that is deleted, or was not made."""
        with self._lease.transaction(self._state):
            self._state.drop_meta(note.name)

    def hash_of(self, email: str) -> str:
        """A keyed hash of an address."""
        return opaque(self._state.secret, email.casefold())

    def _store(self, note: Note) -> None:
        fields = {name: value for name, value in asdict(note).items() if name != "name"}
        with self._lease.transaction(self._state):
            self._state.set_meta(note.name, json.dumps(fields))


def names_of_notes(state: State) -> list[str]:
    """The rows of the notes of the state's sync, for each account, within the caller's transaction."""
    return state.meta_names(f"{NOTES}{state.sync.name}:")


def rename_notes(state: State, new_name: str) -> None:
    """Let another name of the sync have its notes, within the caller's transaction."""
    meta = state.shared.meta
    for name in names_of_notes(state):
        renamed = f"{NOTES}{new_name}:{name.removeprefix(f'{NOTES}{state.sync.name}:')}"
        state.connection.execute(meta.update().where(meta.c.name == name).values(name=renamed))


def drop_notes(state: State) -> None:
    """Remove the notes of the sync, which another state has now, within the caller's transaction."""
    for name in names_of_notes(state):
        state.drop_meta(name)


def check_no_notes(state: State) -> None:
    """Make sure, within the caller's transaction, that no test contact of the sync is still to be deleted.

    Raises:
        StateError: There is one, and only its note in this state says which contact it is.
    """
    notes = len(names_of_notes(state))
    if notes:
        start = f"{NOTES}{state.sync.name}:"
        raise StateError(
            f"{some(notes, 'test contact', 'test contacts')} of sync {state.sync.name!r} may still be in DailyStory; "
            "examine the sync with the same account and probe_email (dagster-dailystory doctor), which deletes them, "
            f"and drop it then. If the account is gone, delete the rows of {state.shared.meta.name} whose name begins "
            f"with {start} first"
        )


def _fields(text: str) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(text)
    return fields
