"""The row reader: turns rows of a plan, joined with what is known of their keys, into changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from sqlalchemy import ColumnElement, FromClause, RowMapping, and_, case, false, func, null, or_, select

from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.databases.sql_types import UNSUPPORTED, SqlQuery, SqlValue
from dagster_dailystory.engine.state.contact_map import deletions_of_other_syncs, is_deleted_in
from dagster_dailystory.engine.state.schema import DROPPED, KEPT_FIELDS, SyncTables, differs_column, is_dropped, lists
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Change, Identity, Operation
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import REGION_COLUMN, MappedField, Nulls
from dagster_dailystory.model.sync import Mode

CHUNK_ROWS = 2_000
"""Rows read at a time."""

_NO_VALUE = float("nan")


class RowReader:
    """Reads rows of a plan, joined with the snapshot, the contact map and the intent of their key."""

    def __init__(self, state: State, tables: SyncTables) -> None:
        self._state = state
        self._tables = tables
        self._fields = tables.sync.mapped_fields
        self._mobile = frozenset(tables.sync.state_columns(FieldKind.MOBILE))
        self._flags = [(m.state_column, differs_column(m.state_column)) for m in self._fields]

    def query(self, rows: FromClause, near: Callable[[SqlValue], ColumnElement[bool]] | None = None) -> SqlQuery:
        """Select everything that a change needs; the caller adds the WHERE and the order.

        Args:
            rows: `pending` or `changes`.
            near: Condition on the first key column of the other tables.
        """
        tables = self._tables
        snapshot, contact_map, intents = tables.snapshot, tables.contact_map, tables.intents
        known: FromClause = rows
        for other in (snapshot, contact_map, intents):
            same_key = [rows.c[key] == other.c[key] for key in tables.key_names]
            known = known.outerjoin(other, and_(*same_key, *([near(other.c[tables.key_names[0]])] if near else [])))
        is_plan = "operation" in rows.c
        return select(
            rows.c.sequence,
            *(rows.c[key] for key in tables.key_names),
            *(self._value(rows, m, is_plan=is_plan) for m in self._fields),
            *(rows.c[flag] for _, flag in self._flags),
            rows.c.is_new,
            rows.c.replaces,
            (rows.c.operation if is_plan else null()).label("operation"),
            (rows.c.dsid if is_plan else null()).label("planned_dsid"),
            (rows.c.reactivates if is_plan else null()).label("reactivates"),
            (rows.c.rekeyed if is_plan else null()).label("rekeyed"),
            (rows.c[DROPPED] if is_plan else null()).label(DROPPED),
            snapshot.c[KEPT_FIELDS],
            snapshot.c.identity_email.label("old_email"),
            snapshot.c.identity_mobile.label("old_mobile"),
            (rows.c.identity_email if is_plan else null()).label("new_email"),
            (rows.c.identity_mobile if is_plan else null()).label("new_mobile"),
            self._absent_action(rows, is_plan=is_plan).label("absent_action"),
            contact_map.c.dsid.label("mapped_dsid"),
            self._deleted_in_dailystory(rows, is_plan=is_plan).label("deleted_in_dailystory"),
            intents.c.sent_at.label("intent_at"),
            intents.c.email_as_sent,
            intents.c.mobile_as_sent,
        ).select_from(known)

    @cached_property
    def _deletions_elsewhere(self) -> tuple[FromClause, ...]:
        return deletions_of_other_syncs(self._state)

    def _absent_action(self, rows: FromClause, *, is_plan: bool) -> SqlValue:
        """What was done with the contact while its key was missing; a plan has it for re-keyed rows."""
        of_key = self._tables.snapshot.c.absent_action
        return func.coalesce(rows.c.absent_action, of_key) if is_plan else of_key

    def _deleted_in_dailystory(self, rows: FromClause, *, is_plan: bool) -> ColumnElement[bool]:
        """Whether the contact was found deleted, or another sync of this state deleted it since."""
        contact_map = self._tables.contact_map
        is_stamped = contact_map.c.deleted_in_dailystory_at.is_not(None)
        if not is_plan:
            return is_stamped
        of_old_key = func.coalesce(rows.c.deleted_in_dailystory, false())
        dsid = func.coalesce(rows.c.dsid, contact_map.c.dsid)
        return or_(is_stamped, of_old_key, is_deleted_in(self._deletions_elsewhere, dsid, contact_map.c.last_synced_at))

    def _value(self, rows: FromClause, mapped: MappedField, *, is_plan: bool) -> SqlValue:
        """The value of the source; of a custom field without one the acknowledged value, if it stays."""
        name = mapped.state_column
        new, old = rows.c[name], self._tables.snapshot.c[name]
        if not mapped.is_custom:
            return new
        if mapped.nulls is Nulls.KEEP:
            return func.coalesce(new, old, type_=new.type).label(name)
        if is_plan and mapped.drops_invalid:
            return case((is_dropped(rows, name), func.coalesce(old, new, type_=new.type)), else_=new).label(name)
        return new

    def chunks(
        self, rows: FromClause, where: ColumnElement[bool], first: int, last: int, head_rows: int = CHUNK_ROWS
    ) -> Iterator[Sequence[RowMapping]]:
        """Read rows in ranges of their sequence: no cursor stays open while the caller writes.

        Args:
            rows: `pending` or `changes`.
            where: Which of them.
            first: The lowest sequence.
            last: The highest one.
            head_rows: Rows of the first chunk; few, if they are to be sent while the next chunk is read.
        """
        for start, end in pairwise([first, *range(first + head_rows, last + 1, CHUNK_ROWS), last + 1]):
            chunk = and_(where, rows.c.sequence.between(start, end - 1))
            query = self.query(rows, self._neighbourhood(rows, chunk)).where(chunk).order_by(rows.c.sequence)
            yield self._state.connection.execute(query).mappings().all()

    def _neighbourhood(
        self, rows: FromClause, chunk: ColumnElement[bool]
    ) -> Callable[[SqlValue], ColumnElement[bool]] | None:
        """Limit the other tables to the keys of a chunk, so that a column store skips the rest of them."""
        if self._state.database.uses_indexes:
            return None
        key = rows.c[self._tables.key_names[0]]
        first, last = self._state.connection.execute(select(func.min(key), func.max(key)).where(chunk)).one()
        return None if first is None else lambda other: other.between(first, last)

    def key(self, row: RowMapping) -> tuple[object, ...]:
        """The row's key, in the order of the sync's key columns."""
        return tuple(row[key] for key in self._tables.key_names)

    def label(self, row: RowMapping) -> str:
        """The row's key as logs may show it."""
        return key_label(self._tables.sync, self.key(row), self._state.secret)

    def values(self, row: RowMapping) -> dict[str, object]:
        """State column -> value; a value that could not be staged is NaN, which no field accepts."""
        values = {name: row[name] for name, _ in self._flags}
        for name, value in values.items():
            if value == UNSUPPORTED:
                values[name] = _NO_VALUE
        return values

    def differing(self, row: RowMapping, added: Identity | None = None) -> frozenset[str]:
        """The state columns that differ.

        Args:
            row: From `chunks`.
            added: The new parts of the identity, if they are known: the number of a row in another country than before
                is sent only if it is another number.
        """
        found = frozenset([name for name, flag in self._flags if row[flag]])
        is_other = REGION_COLUMN in found and (added is None or added.mobile is not None)
        return found | self._mobile if is_other else found

    def _uncleared(self, row: RowMapping) -> set[str]:
        """The state columns whose NULL does not empty what DailyStory had at the adoption."""
        kept = row[KEPT_FIELDS]
        return {n for n, flag in self._flags if kept and lists(kept, n) and not row[flag] and row[n] is None}

    def change(
        self,
        row: RowMapping,
        values: Mapping[str, object] | None = None,
        identity: Identity | None = None,
        dropped: Collection[str] | None = None,
    ) -> Change:
        """Turn a row into the change that the sender takes.

        Args:
            row: From `chunks`.
            values: `values(row)`, if the caller has them.
            identity: The row's identity, if the plan does not have it yet.
            dropped: The state columns of the dropped fields, if the plan does not have them yet.
        """
        sync = self._tables.sync
        dsid = row["planned_dsid"] or row["mapped_dsid"]
        operation = Operation(row["operation"]) if row["operation"] else None
        if operation is None or operation in (Operation.CREATE, Operation.UPDATE):
            operation = Operation.UPDATE if dsid else Operation.CREATE
        # A create whose contact was found meanwhile updates a contact whose values are not known.
        resend_all = bool(row["replaces"]) or (bool(row["is_new"]) and dsid is not None)
        identity = identity or Identity(row["new_email"], row["new_mobile"])
        added = new_identity(row, identity) if dsid else Identity()
        if dropped is None:
            dropped = json.loads(row[DROPPED] or "{}")
        unsent = {*dropped, *self._uncleared(row)}
        in_doubt = row["intent_at"] is not None
        return Change(
            sequence=row["sequence"],
            key_label=self.label(row),
            operation=operation,
            dsid=dsid,
            values=self.values(row) if values is None else values,
            differing=self.differing(row, added) - frozenset(dropped),
            identity=identity,
            new_identity=added,
            look_up_first=operation is Operation.CREATE and (in_doubt or sync.mode is not Mode.UPSERT),
            deactivated_by_us=bool(row["reactivates"]),
            absent_action=row["absent_action"],
            deleted_in_dailystory=bool(row["deleted_in_dailystory"]),
            rekeyed=bool(row["rekeyed"]),
            resend_all=resend_all,
            dropped=frozenset(unsent),
            email_as_sent=row["email_as_sent"],
            mobile_as_sent=row["mobile_as_sent"],
        )


def new_identity(row: RowMapping, identity: Identity) -> Identity:
    """The part of a row's identity that its contact does not have yet."""
    return Identity(
        identity.email if identity.email != row["old_email"] else None,
        identity.mobile if identity.mobile != row["old_mobile"] else None,
    )
