"""The receipt of a request to forget rows: what was done and what is left to do, without personal data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dagster_dailystory.model.runs.plan import some

_BACKUPS = (
    "backups of the state still hold the rows: export the requests now (`forgotten export`), and apply them to each"
    " backup that is restored (`forgotten apply`)"
)


@dataclass(frozen=True)
class ForgetReceipt:
    """What `SyncRecords.forget` did. `str()` is a text to file: it has no key and no value of a row.

    Attributes:
        sync_name: The sync.
        forgotten_at: When the rows were removed (UTC).
        keys: An opaque id of each key that was asked for; the same key has the same id in every receipt of the state.
        keys_unknown: How many of them the state had nothing of. They are kept out all the same.
        rows_removed: State table -> rows that were deleted, or that lost key and values.
        changes_forgotten: Requests of unfinished plans that will not be sent.
        contacts: The dsids of the contacts that the keys had.
        contacts_deleted: Those of them that DailyStory marked as deleted now, or had no more.
        contacts_kept: Those of them that were not deleted, because another row or another sync holds them.
        creates_in_doubt: Creates without a response: DailyStory may have a contact of which the state has no dsid.
        identities_blocked: Emails and mobile numbers that are kept out, under any key and in each sync of the state.
        identities_shared: Emails and mobile numbers that another live key has too: they are not blocked.
        remains: What the files of the state's database still hold, and until when.
        other_syncs: Other sync of the state -> its rows with the same email or mobile number: forget them there too.
    """

    sync_name: str
    forgotten_at: datetime
    keys: tuple[str, ...]
    keys_unknown: int
    rows_removed: Mapping[str, int]
    changes_forgotten: int
    contacts: tuple[str, ...]
    contacts_deleted: tuple[str, ...]
    contacts_kept: tuple[str, ...]
    creates_in_doubt: int
    identities_blocked: int
    identities_shared: int
    remains: str
    other_syncs: Mapping[str, int]

    def __str__(self) -> str:
        return "\n".join([*self._done(), "", "Left to do:", *(f"  * {each}" for each in self.left_to_do)])

    def _done(self) -> list[str]:
        removed = ", ".join(f"{rows} of {table}" for table, rows in self.rows_removed.items() if rows) or "none"
        keys, at = some(len(self.keys), "key", "keys"), f"{self.forgotten_at:%Y-%m-%d %H:%M:%S} UTC"
        blocked = some(self.identities_blocked, "email or mobile number", "emails and mobile numbers")
        return [
            f"Sync {self.sync_name}: {keys} forgotten at {at}",
            f"  keys:       {', '.join(self.keys)}" + (f" ({self.keys_unknown} unknown)" if self.keys_unknown else ""),
            f"  rows:       {removed}",
            f"  requests:   planned and not sent any more: {self.changes_forgotten}",
            f"  contacts:   {', '.join(self.contacts) or 'none'}; deleted in DailyStory: {len(self.contacts_deleted)}",
            f"  kept out:   keyed hashes of {keys}, and of {blocked}",
        ]

    @property
    def left_to_do(self) -> list[str]:
        """What this package does not, or cannot, do."""
        found = ["remove the rows from the warehouse: until then each run rejects them as forgotten"]
        if self.contacts_deleted:
            found.append(
                "ask DailyStory to erase these contacts, because its API only marks them as deleted: "
                + ", ".join(self.contacts_deleted)
            )
        asked = [dsid for dsid in self.contacts if dsid not in (*self.contacts_deleted, *self.contacts_kept)]
        if asked:
            found.append(f"delete these contacts in DailyStory: {', '.join(asked)}")
        if self.contacts_kept:
            found.append(f"these contacts are also of other rows and were not deleted: {', '.join(self.contacts_kept)}")
        if self.creates_in_doubt:
            creates = some(self.creates_in_doubt, "create", "creates")
            found.append(f"{creates} had no response: look in DailyStory for contacts of these rows")
        if self.identities_shared:
            one, more = "email or mobile number is", "emails or mobile numbers are"
            shared = some(self.identities_shared, one, more)
            found.append(f"{shared} also of other rows, and not blocked")
        found += [
            f"sync {name} has {some(rows, 'row', 'rows')} with the same email or mobile number: forget them there too"
            for name, rows in self.other_syncs.items()
        ]
        return [*found, self.remains, _BACKUPS]
