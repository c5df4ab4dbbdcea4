"""The last check of changes that take a contact from a key: right before they are sent, that key must still be gone."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, and_, func, not_, or_, select

from dagster_dailystory.contacts.keyed_hash import hashes_of_identity
from dagster_dailystory.engine.presence.source_identities import SourceIdentities
from dagster_dailystory.engine.presence.source_keys import Key, SourceKeys
from dagster_dailystory.engine.state.contact_map import held_by_other_syncs, held_by_staying_keys
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import HASH_COLUMNS, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import WarehouseError
from dagster_dailystory.model.change import Change, Identity, Operation, Outcome, Result

_log = logging.getLogger("dagster_dailystory")

LOOK_UP_SECONDS = 60.0
"""Longest time between the look-up of a key and the request that takes its contact."""

_Decision = tuple[Outcome, str]


@dataclass(frozen=True)
class CheckedChanges:
    """The deletions and re-keys of one batch after their check.

    Attributes:
        ready: Those that may be sent until their `leave_before`.
        decided: The results of the others, for which nothing is sent.
    """

    ready: Sequence[Change] = ()
    decided: Sequence[Result] = ()


@dataclass
class LastCheck:
    """Decides which deletions and re-keys of one plan may be sent now. Each call is a transaction.

    Attributes:
        state: The sync's state.
        tables: The sync's tables.
        lease: Kept while the source is asked.
        plan_id: The plan.
        source_keys: Looks the keys up.
        clock: The monotonic clock of the sender.
    """

    state: State
    tables: SyncTables
    lease: Lease
    plan_id: str
    source_keys: SourceKeys
    clock: Callable[[], float] = time.monotonic
    _has_warned: bool = field(default=False, init=False)

    def __call__(self, changes: Sequence[Change]) -> CheckedChanges:
        """Check up to 1,000 changes with one look-up of their keys, and of the deletions' emails and mobile numbers.

        If the source cannot be asked, all of them wait for the next run.
        """
        leave_before = self.clock() + LOOK_UP_SECONDS
        deletions = [each for each in changes if each.operation is Operation.DELETE]
        rekeys = [each for each in changes if each.operation is not Operation.DELETE]
        try:
            with self.lease.during(self.state):
                kept = {**self._kept_deletions(deletions), **self._stopped_rekeys(rekeys)}
        except WarehouseError as error:
            self._warn(str(error))
            return CheckedChanges((), [self._result(each, *_unknown(each)) for each in changes])
        ready = [replace(each, leave_before=leave_before) for each in changes if each.sequence not in kept]
        decided = [self._result(each, *kept[each.sequence]) for each in changes if each.sequence in kept]
        return CheckedChanges(ready, decided)

    def _kept_deletions(self, deletions: Sequence[Change]) -> dict[int, _Decision]:
        """Sequence -> outcome and message of each deletion that must not be sent."""
        if not deletions:
            return {}
        changes, names = self.tables.changes, self.tables.key_names
        mine, keys = self._are_mine(deletions), [changes.c[name] for name in names]
        rows = self.state.connection.execute(select(changes.c.sequence, *keys).where(mine))
        key_of: dict[int, Key] = {row[0]: tuple(row[1:]) for row in rows}
        present = self.source_keys.present(select(*keys).where(mine))
        dsids = [each.dsid for each in deletions if each.dsid]
        ours = held_by_staying_keys(self.state, self.tables, self.plan_id, dsids)
        others = held_by_other_syncs(self.state, dsids)
        elsewhere = self._under_other_keys(mine)
        kept: dict[int, _Decision] = {}
        for each in deletions:
            if key_of[each.sequence] in present:
                kept[each.sequence] = Outcome.RETURNED, "the key is in the source again; its contact is kept"
            elif each.dsid in ours:
                kept[each.sequence] = Outcome.RECORDED, "another row in the source holds this contact"
            elif each.dsid in others:
                kept[each.sequence] = Outcome.SHARED, f"sync {others[each.dsid]} holds this contact too; it is kept"
            elif each.sequence in elsewhere:
                kept[each.sequence] = Outcome.RETURNED, "a new row has its email or mobile number; its contact is kept"
        return kept

    def _under_other_keys(self, mine: ColumnElement[bool]) -> set[int]:
        """The sequences of the deletions whose email or mobile number a new row of the source has."""
        changes, snapshot = self.tables.changes, self.tables.snapshot
        query = select(changes.c.sequence, snapshot).join(snapshot, self.tables.same_key(snapshot, changes)).where(mine)
        known = self.state.connection.execute(query).mappings().all()
        taken = SourceIdentities(self.state, self.tables, self.source_keys).taken_up(known)
        return {
            row["sequence"] for row in known if not taken.isdisjoint({row["identity_email"], row["identity_mobile"]})
        }

    def _stopped_rekeys(self, rekeys: Sequence[Change]) -> dict[int, _Decision]:
        """Sequence -> outcome and message of each re-key whose contact is not free any more.

        The contact must be that of a key which is gone, and which still has the identity of the new row. Otherwise the
        key is back, or another row has got the contact since the plan was made.
        """
        if not rekeys:
            return {}
        changes, snapshot, contact_map = self.tables.changes, self.tables.snapshot, self.tables.contact_map
        same_identity = or_(
            snapshot.c.identity_email == changes.c.identity_email,
            snapshot.c.identity_mobile == changes.c.identity_mobile,
        )
        hashes = tuple(snapshot.c[name] for name in HASH_COLUMNS.values())
        held = (
            select(
                changes.c.sequence,
                func.coalesce(same_identity, False).label("is_same"),
                changes.c.identity_email,
                changes.c.identity_mobile,
                *hashes,
                *(contact_map.c[name] for name in self.tables.key_names),
            )
            .join(contact_map, contact_map.c.dsid == changes.c.dsid)
            .join(snapshot, self.tables.same_key(snapshot, contact_map))
            .where(self._are_mine(rekeys), not_(self.tables.same_key(contact_map, changes)))
        )
        rows = self.state.connection.execute(held).all()
        holders = held.subquery("holders")
        present = self.source_keys.present(select(*(holders.c[name] for name in self.tables.key_names)))
        message = "the key that had its contact is back, or another row got the contact since the plan was made"
        stopped: dict[int, _Decision] = {}
        for sequence, is_same, email, mobile, email_hash, mobile_hash, *key in rows:
            own = hashes_of_identity(self.state.secret, Identity(email, mobile)).values()
            is_same = is_same or not {email_hash, mobile_hash}.isdisjoint(own)
            if not is_same or tuple(key) in present:
                stopped[sequence] = Outcome.FAILED, message
        return stopped

    def _are_mine(self, some: Collection[Change]) -> ColumnElement[bool]:
        changes = self.tables.changes
        return and_(changes.c.plan_id == self.plan_id, changes.c.sequence.in_([each.sequence for each in some]))

    def _result(self, change: Change, outcome: Outcome, message: str) -> Result:
        return Result(change.sequence, outcome, self.state.now(), dsid=change.dsid, message=message)

    def _warn(self, cause: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            _log.warning("sync %s: deletions and new keys of contacts wait, because %s", self.tables.sync.name, cause)


def _unknown(change: Change) -> _Decision:
    if change.operation is Operation.DELETE:
        return (
            Outcome.WAITING,
            "the source cannot be asked whether the key is gone; the next run deletes the contact if it is",
        )
    return Outcome.FAILED, "the source cannot be asked whether the key that had the contact is gone"
