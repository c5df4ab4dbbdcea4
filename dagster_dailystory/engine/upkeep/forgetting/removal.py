"""The removal of traces: from each table of a sync, and from its plans."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Set

from sqlalchemy import ColumnElement, Table, func, null, select, true

from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.engine.presence.forgotten import forget_changes, in_parts
from dagster_dailystory.engine.state.incremental import forget_row_hashes, require_full_comparison
from dagster_dailystory.engine.state.schema import EMPTY_FIELDS, HASH_COLUMNS, KEPT_FIELDS, UNKNOWN_FIELDS, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.forgetting.finder import TraceFinder
from dagster_dailystory.engine.upkeep.forgetting.past_values import PastValues
from dagster_dailystory.engine.upkeep.forgetting.traces import Key, Traces
from dagster_dailystory.model.change import Reason
from dagster_dailystory.model.contact_fields import CONSENT_KINDS

_OTHER_ROW = "another row has the same email or mobile number; keep one of them in the source"
"""In place of a message that names a forgotten row."""


class Removal:
    """Removes traces, within the caller's transaction.

    Args:
        state: The sync's state.
        tables: The sync's tables.
        traces: What to remove.

    Attributes:
        rows: Table, by the last part of its name -> rows removed.
        changes_forgotten: Requests of unfinished plans that will not be sent.
    """

    def __init__(self, state: State, tables: SyncTables, traces: Traces) -> None:
        self._state = state
        self._tables = tables
        self._traces = traces
        self._finder = TraceFinder(state, tables)
        self.rows: Counter[str] = Counter()
        self.changes_forgotten = 0

    def remove(self) -> None:
        """Remove the rows from each table with keys, and what other tables say about them."""
        for table in self._tables.keyed:
            for keys in in_parts(sorted(self._traces.keys, key=repr)):
                self._remove(table, self._finder.has_key(table, keys))
            if table in (self._tables.changes, self._tables.history):
                for dsids in in_parts(sorted(self._traces.dsids)):
                    self._remove(table, table.c.dsid.in_(dsids))
        changes = self._tables.changes
        own = {name: self._traces.own_identities(self._state.secret, name) for name in self._traces.identities}
        for name, found in own.items():  # of plans in which another key had it
            for values in in_parts(found):
                self._remove(changes, changes.c[name].in_(values))
        cleared = PastValues(self._state, self._tables).remove(own)
        self.rows["history"] += cleared
        for table in self._tables.keyed:
            if self.rows[self._name(table)]:
                self._state.database.renew_statistics(self._state.connection, table)
        labels = {key_label(self._tables.sync, key, self._state.secret) for key in self._traces.keys}
        self._clear_messages(labels)
        self._clear_plans(labels)

    def _remove(self, table: Table, which: ColumnElement[bool]) -> None:
        execute = self._state.connection.execute
        rows = int(execute(select(func.count()).select_from(table).where(which)).scalar_one())
        if not rows:
            return
        self.rows[self._name(table)] += rows
        self.changes_forgotten += _remove_rows(self._state, self._tables, table, which)

    def _name(self, table: Table) -> str:
        return table.name.removeprefix(f"{self._state.location.table_name(self._tables.sync.name)}_")

    def _clear_messages(self, labels: Set[str]) -> None:
        """Replace the messages of other rows' rejections that name one of the rows."""
        rejections, execute = self._tables.rejections, self._state.connection.execute
        of_two = rejections.c.reason == Reason.DUPLICATE_IDENTITY.value
        messages = execute(select(rejections.c.message).where(of_two).distinct()).scalars().all()
        named = [each for each in messages if each and any(_names(each, label) for label in labels)]
        for part in in_parts(named):
            execute(rejections.update().where(of_two, rejections.c.message.in_(part)).values(message=_OTHER_ROW))

    def _clear_plans(self, labels: Set[str]) -> None:
        """Take the rows off the opt-outs, and off the findings of canaries, that plans name."""
        plans, execute = self._state.shared.plans, self._state.connection.execute
        mine = plans.c.sync_name == self._tables.sync.name
        columns = (plans.c.plan_id, plans.c.opt_outs_waiting, plans.c.canary_found)
        for plan_id, waiting, canary in execute(select(*columns).where(mine)).all():
            stored, found = json.loads(waiting or "{}"), json.loads(canary or "{}")
            few = [each for each in stored.get("few", ()) if each["key_label"] not in labels]
            keys = [each for each in found.get("keys", ()) if each not in labels]
            cleared = plans.update().where(plans.c.plan_id == plan_id)
            if len(few) < len(stored.get("few", ())):
                execute(cleared.values(opt_outs_waiting=json.dumps({**stored, "few": few})))
            if len(keys) < len(found.get("keys", ())):
                execute(cleared.values(canary_found=json.dumps({**found, "keys": keys})))


def _remove_rows(state: State, tables: SyncTables, table: Table, which: ColumnElement[bool]) -> int:
    """Remove rows of a table, with what depends on them; return how many requests will not be sent."""
    if table is tables.changes:
        return forget_changes(state, tables, which)
    if table is tables.row_hashes:
        forget_row_hashes(state, tables, which)
    else:
        state.connection.execute(table.delete().where(which))
    return 0


def remove_values(state: State, tables: SyncTables, keys: Set[Key]) -> None:
    """Remove the values of live keys, which keep their contacts and their consent, within the caller's transaction.

    The next run sends their rows as a whole.
    """
    finder, execute = TraceFinder(state, tables), state.connection.execute
    consent = tables.sync.state_columns(*CONSENT_KINDS)
    names = [name for name in (*tables.value_names, *tables.removed_names) if name not in consent]
    lists = (UNKNOWN_FIELDS, EMPTY_FIELDS, KEPT_FIELDS, *HASH_COLUMNS, *HASH_COLUMNS.values())
    snapshot, values = tables.snapshot, {name: null() for name in (*names, *lists)}
    for part in in_parts(sorted(keys, key=repr)):
        execute(snapshot.update().where(finder.has_key(snapshot, part)).values(**values, resend_all=true()))
        for table in (tables.changes, tables.row_hashes, tables.history, tables.intents):
            _remove_rows(state, tables, table, finder.has_key(table, part))
    if keys:
        require_full_comparison(state)
        for table in (snapshot, tables.changes, tables.history, tables.intents):
            state.database.renew_statistics(state.connection, table)


def _names(message: str, label: str) -> bool:
    """Whether a message has the label as a whole; a label may have blanks and commas itself."""
    return re.search(rf"(?:^|[\s,;]){re.escape(label)}(?:$|[\s,;])", message) is not None
