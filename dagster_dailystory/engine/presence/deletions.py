"""The last check of deletions: right before they are sent, their keys must still be gone from the whole source."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import and_, select

from dagster_dailystory.engine.presence.source_keys import Key, SourceKeys
from dagster_dailystory.engine.state.contact_map import held_by_other_syncs, held_by_staying_keys
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import WarehouseError
from dagster_dailystory.model.change import Change, Outcome, Result

_log = logging.getLogger("dagster_dailystory")

LOOK_UP_SECONDS = 60.0
"""Longest time between the look-up of a key and the deletion of its contact."""


@dataclass(frozen=True)
class CheckedDeletions:
    """The deletions of one batch after their check.

    Attributes:
        ready: Those that may be sent until their `leave_before`.
        decided: The results of the others, for which nothing is sent.
    """

    ready: Sequence[Change] = ()
    decided: Sequence[Result] = ()


@dataclass
class DeletionCheck:
    """Decides which deletions of one plan may be sent now. Each call is a transaction.

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

    def __call__(self, deletions: Sequence[Change]) -> CheckedDeletions:
        """Check up to 1,000 deletions with one look-up.

        If the source cannot be asked, all of them wait for the next run.
        """
        leave_before = self.clock() + LOOK_UP_SECONDS
        try:
            with self.lease.during(self.state):
                kept = self._kept(deletions)
        except WarehouseError as error:
            self._warn(str(error))
            message = "the source cannot be asked whether the key is gone; the next run deletes the contact if it is"
            return CheckedDeletions((), [self._result(each, Outcome.WAITING, message) for each in deletions])
        ready = [replace(each, leave_before=leave_before) for each in deletions if each.sequence not in kept]
        decided = [self._result(each, *kept[each.sequence]) for each in deletions if each.sequence in kept]
        return CheckedDeletions(ready, decided)

    def _kept(self, deletions: Sequence[Change]) -> dict[int, tuple[Outcome, str]]:
        """Sequence -> outcome and message of each deletion that must not be sent."""
        changes, names = self.tables.changes, self.tables.key_names
        mine = and_(changes.c.plan_id == self.plan_id, changes.c.sequence.in_([each.sequence for each in deletions]))
        keys = [changes.c[name] for name in names]
        rows = self.state.connection.execute(select(changes.c.sequence, *keys).where(mine))
        key_of: dict[int, Key] = {row[0]: tuple(row[1:]) for row in rows}
        present = self.source_keys.present(select(*keys).where(mine))
        dsids = [each.dsid for each in deletions if each.dsid]
        ours = held_by_staying_keys(self.state, self.tables, self.plan_id, dsids)
        others = held_by_other_syncs(self.state, dsids)
        kept: dict[int, tuple[Outcome, str]] = {}
        for each in deletions:
            if key_of[each.sequence] in present:
                kept[each.sequence] = Outcome.RETURNED, "the key is in the source again; its contact is kept"
            elif each.dsid in ours:
                kept[each.sequence] = Outcome.RECORDED, "another row in the source holds this contact"
            elif each.dsid in others:
                kept[each.sequence] = Outcome.SHARED, f"sync {others[each.dsid]} holds this contact too; it is kept"
        return kept

    def _result(self, change: Change, outcome: Outcome, message: str) -> Result:
        return Result(change.sequence, outcome, self.state.now(), dsid=change.dsid, message=message)

    def _warn(self, cause: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            _log.warning("sync %s: deletions wait, because %s", self.tables.sync.name, cause)
