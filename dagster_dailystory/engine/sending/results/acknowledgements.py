"""Acknowledgements: the results of a send, written in batches with everything that follows from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property

from sqlalchemy import (
    ColumnElement,
    Delete,
    FromClause,
    Insert,
    Table,
    Update,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    type_coerce,
)

from dagster_dailystory.contacts.fingerprint import refusal_fingerprint
from dagster_dailystory.databases.expressions import among
from dagster_dailystory.databases.sql_types import BIG_INTEGER, MOMENT, TEXT, SqlQuery, SqlValue
from dagster_dailystory.engine.sending.results.filled_fields import empty_fields, fills_field, leave_filled
from dagster_dailystory.engine.sending.results.history import History
from dagster_dailystory.engine.sending.results.kept_fields import kept_fields, sends_custom, with_recorded
from dagster_dailystory.engine.sending.results.result_table import ResultTable
from dagster_dailystory.engine.sending.results.shared_contacts import without_shared
from dagster_dailystory.engine.state.incremental import forget_row_hashes
from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.recovery import has_intent, invalidate
from dagster_dailystory.engine.state.rejections import Rejections
from dagster_dailystory.engine.state.schema import (
    DROPPED,
    EMPTY_FIELDS,
    HASH_COLUMNS,
    IDENTITY_COLUMNS,
    KEPT_FIELDS,
    UNKNOWN_FIELDS,
    SyncTables,
    differs_column,
    is_dropped,
    is_listed,
    listed,
)
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import KEPT_FOR_ANOTHER_SYNC, Change, Operation, Outcome, Reason, Result
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField, Nulls
from dagster_dailystory.model.sync import DeletePolicy

_LINKING = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.MAPPED})

_WRITTEN = frozenset({Outcome.CREATED, Outcome.UPDATED})

_UNCONFIRMED = frozenset({Outcome.FAILED, Outcome.IN_DOUBT})


_KEPT = {Outcome.RECORDED: DeletePolicy.KEEP.value, Outcome.SHARED: KEPT_FOR_ANOTHER_SYNC}
"""Outcomes of deletions whose key is gone and whose contact is kept, with the action that the snapshot notes."""


_REFUSED = frozenset({Outcome.REJECTED, Outcome.CONFLICTED, Outcome.DELETED_IN_DAILYSTORY})


class Acknowledgements:
    """Writes the results of one plan's changes. Each public method is one transaction."""

    def __init__(self, state: State, tables: SyncTables, lease: Lease, plan_id: str) -> None:
        self._state = state
        self._tables = tables
        self._lease = lease
        self._plan_id = plan_id
        self._results = ResultTable(state, tables, plan_id)
        self._history = History(state, tables, self._results, lease.run_id)
        with state.connection.begin():
            self._results.create()
            plans = state.shared.plans
            header = select(plans.c.number, plans.c.options).where(plans.c.plan_id == plan_id)
            plan = state.connection.execute(header).one()
            self._number = literal(plan.number, BIG_INTEGER)
            self._is_undo = bool(json.loads(plan.options).get("undoes"))
            self._moves_keys = self._has(tables.changes, tables.changes.c.plan_id == plan_id, tables.changes.c.rekeyed)
            self._has_rejections = self._has(tables.rejections)

    def _has(self, table: FromClause, *conditions: ColumnElement[bool]) -> bool:
        found = select(literal(1)).select_from(table).where(*conditions).limit(1)
        return self._state.connection.execute(found).first() is not None

    def record_without_request(self) -> None:
        """Acknowledge the changes that send nothing: update the snapshot, and mark missing keys."""
        changes, execute, now = self._tables.changes, self._state.connection.execute, self._state.now()
        open_changes = and_(changes.c.plan_id == self._plan_id, changes.c.outcome.is_(None))
        records = and_(open_changes, changes.c.operation == Operation.RECORD.value)
        missing = and_(open_changes, changes.c.operation == Operation.DEPART.value)
        unsent = or_(records, missing)
        snapshot = self._tables.snapshot
        with self._lease.transaction(self._state):
            if not self._has(changes, unsent):
                return
            recorded = select(changes).where(records).subquery("recorded")
            moved: dict[str, SqlValue] = {
                m.state_column: case(
                    (recorded.c[differs_column(m.state_column)], recorded.c[m.state_column]),
                    else_=snapshot.c[m.state_column],
                )
                for m in self._tables.sync.mapped_fields
            }
            moved |= {name: func.coalesce(recorded.c[name], snapshot.c[name]) for name in IDENTITY_COLUMNS.values()}
            moved["acknowledged_plan"] = self._number
            moved |= {KEPT_FIELDS: with_recorded(self._tables, recorded, snapshot)} if self._is_undo else {}
            moved["partition_value"] = func.coalesce(recorded.c.partition_value, snapshot.c.partition_value)
            execute(snapshot.update().where(self._tables.same_key(snapshot, recorded)).values(**moved))
            gone = select(*self._keys(changes), changes.c.reason).where(missing).subquery("gone")
            is_shared = gone.c.reason == Reason.SHARED_DSID.value
            absent: dict[str, SqlValue] = {
                "absent_since": func.coalesce(snapshot.c.absent_since, literal(now, MOMENT)),
                "absent_action": case((is_shared, KEPT_FOR_ANOTHER_SYNC), else_=DeletePolicy.KEEP.value),
                "acknowledged_plan": self._number,
            }
            execute(snapshot.update().where(self._tables.same_key(snapshot, gone)).values(**absent))
            execute(changes.update().where(unsent).values(outcome=Outcome.RECORDED.value, answered_at=now))

    def acknowledge(self, results: Sequence[Result], changes: Mapping[int, Change]) -> list[Result]:
        """Write results and what follows from them: snapshot, contact map, intents, rejections.

        Returns:
            The results as written: one whose contact belongs to another live key has become a conflict.
        """
        if not results:
            return []
        with self._lease.transaction(self._state):
            results = [
                replace(each, is_other_contact=each.dsid not in (None, changes[each.sequence].dsid))
                for each in without_shared(self._state, self._tables, results, changes, _LINKING)
            ]
            self._results.fill(results)
            leave_filled(self._state, self._tables, self._plan_id, results)
            outcomes = {result.outcome for result in results}
            adds_rows = any(r.replaced or r.dsid != changes[r.sequence].dsid for r in results)
            has_known = any(changes[r.sequence].dsid is not None for r in results)
            if outcomes & _LINKING:
                self._move_rekeyed()
            self._history.add(outcomes)
            if outcomes & _LINKING:
                self._write(self._link_statements, has_known=has_known, adds_rows=adds_rows)
            if outcomes & _WRITTEN:
                self._write(self._value_statements, has_known=has_known, adds_rows=adds_rows)
            if Outcome.OPTED_OUT in outcomes:
                self._record_opt_outs()
            if Outcome.MAPPED in outcomes:
                self._add_mapped()
            if Outcome.DELETED in outcomes:
                self._mark_deleted()
            for outcome in outcomes & _KEPT.keys():
                self._mark_absent(outcome, _KEPT[outcome])
            if Outcome.DELETED_IN_DAILYSTORY in outcomes:
                self._mark_deleted_in_dailystory()
            if outcomes & _REFUSED:
                self._refuse([r for r in results if r.outcome in _REFUSED], changes)
            if outcomes & _UNCONFIRMED:
                invalidate(self._state, self._tables, self._unconfirmed)
            self._settle(outcomes, has_intents=any(has_intent(changes[r.sequence]) for r in results))
        return list(results)

    def _move_rekeyed(self) -> None:
        """Give the contact of a re-keyed row, and what is known of its values, to its new key."""
        if not self._moves_keys:
            return
        changes, contact_map, snapshot = self._tables.changes, self._tables.contact_map, self._tables.snapshot
        execute = self._state.connection.execute
        moved = self._results.changes_with(_LINKING, changes.c.dsid).where(changes.c.rekeyed).subquery("moved")
        if execute(select(moved.c.dsid).limit(1)).first() is None:
            return
        same_key = self._tables.same_key
        old = and_(contact_map.c.dsid == moved.c.dsid, not_(same_key(contact_map, moved)))
        new_key = {key: moved.c[key] for key in self._tables.key_names}
        self._forget_hashes(select(*self._keys(contact_map)).where(old))  # a plan for chosen keys did not
        execute(snapshot.delete().where(select(moved.c.dsid).where(same_key(moved, snapshot)).exists()))
        execute(snapshot.update().where(same_key(snapshot, contact_map), old).values(new_key))
        execute(contact_map.update().where(old).values(new_key))

    def _write(self, statements: tuple[Update, Insert], *, has_known: bool, adds_rows: bool) -> None:
        """Execute statements that are built once a run: building them takes longer than executing them."""
        update, insert = statements
        if has_known:
            self._state.connection.execute(update)
        if adds_rows:
            self._state.connection.execute(insert)

    @cached_property
    def _link_statements(self) -> tuple[Update, Insert]:
        """The update of keys that are in the contact map, and the insert of others."""
        contact_map, results = self._tables.contact_map, self._results.table
        linked = self._results.changes_with(_LINKING, results.c.dsid, results.c.answered_at).subquery("linked")
        same = self._tables.same_key(contact_map, linked)
        values = {"dsid": linked.c.dsid, "last_synced_at": linked.c.answered_at}
        taken_out = ("deactivated_at", "deleted_at", "deleted_in_dailystory_at")
        out = {} if self._is_undo else dict.fromkeys(taken_out, null())
        update = contact_map.update().where(same).values(**values, **out)
        names = [*self._tables.key_names, "dsid", "first_synced_at", "last_synced_at"]
        row = (*self._keys(linked), linked.c.dsid, linked.c.answered_at, linked.c.answered_at)
        new = select(*row).where(not_(select(contact_map.c.dsid).where(same).exists()))
        return update, contact_map.insert().from_select(names, new)

    @cached_property
    def _value_statements(self) -> tuple[Update, Insert]:
        """The update of keys that are in the snapshot, and the insert of others.

        Only values that were sent are updated. If all were sent, the row is replaced as a whole.
        """
        changes, snapshot = self._tables.changes, self._tables.snapshot
        fields = self._tables.sync.mapped_fields
        copied = [changes.c[name] for m in fields for name in (m.state_column, differs_column(m.state_column))]
        identity = (changes.c.identity_email, changes.c.identity_mobile, changes.c.partition_value)
        replaced = or_(changes.c.replaces, func.coalesce(self._results.table.c.replaced, false())).label("replaced")
        answer = self._results.table.c
        of_change = (changes.c[DROPPED], replaced, sends_custom(self._tables))
        extra = (*identity, *of_change, answer.is_other_contact, answer.outcome)
        sent = self._results.changes_with(_WRITTEN, *copied, *extra).subquery("sent")
        values: dict[str, SqlValue] = {m.state_column: self._acknowledged(m, sent) for m in fields}
        values |= {name: self._identity(name, sent) for name in ("identity_email", "identity_mobile")}
        values["partition_value"] = func.coalesce(sent.c.partition_value, snapshot.c.partition_value)
        values["acknowledged_plan"] = self._number
        same = self._tables.same_key(snapshot, sent)
        present: dict[str, SqlValue] = {}
        if not self._is_undo:  # an earlier value says nothing about the key, nor about values that are not known
            present = {
                "resend_all": false(),
                UNKNOWN_FIELDS: self._still_unknown(sent),
                "only_mapped": false(),
                **dict.fromkeys((*HASH_COLUMNS.values(), "absent_since", "absent_action"), null()),
            }
        made: dict[str, SqlValue] = {}
        if self._tables.sync.fill:
            present[EMPTY_FIELDS] = empty_fields(self._tables, sent, snapshot)
            made[EMPTY_FIELDS] = empty_fields(self._tables, sent, None)
        present[KEPT_FIELDS] = kept_fields(self._tables, sent, snapshot)
        removed = {name: case((sent.c.replaced, null()), else_=snapshot.c[name]) for name in self._tables.removed_names}
        update = snapshot.update().where(same).values(**values, **present, **removed)
        columns = [*self._tables.key_names, *values, "resend_all"]
        new = select(*(sent.c[name] for name in columns[:-2]), self._number, false(), *made.values())
        absent = not_(select(snapshot.c.resend_all).where(same).exists())
        return update, snapshot.insert().from_select([*columns, *made], new.where(absent))

    def _acknowledged(self, mapped: MappedField, sent: FromClause) -> SqlValue:
        new, old = sent.c[mapped.state_column], self._tables.snapshot.c[mapped.state_column]
        whole = func.coalesce(new, old) if mapped.is_custom and mapped.nulls is Nulls.KEEP else new
        if mapped.fills:
            return case((fills_field(mapped, sent), new), else_=old)
        differs = sent.c[differs_column(mapped.state_column)]
        acknowledged = case((sent.c.replaced, whole), (differs, new), else_=old)
        if not mapped.drops_invalid:
            return acknowledged
        kept = case((sent.c.is_other_contact, null()), else_=old)
        return case((is_dropped(sent, mapped.state_column), kept), else_=acknowledged)

    def _still_unknown(self, sent: FromClause) -> SqlValue:
        """The dropped fields that may have to be emptied: their last write is unconfirmed."""
        snapshot = self._tables.snapshot
        resends_all = func.coalesce(snapshot.c.resend_all, false())
        unknown = {
            m.state_column: and_(
                is_dropped(sent, m.state_column),
                type_coerce(snapshot.c[m.state_column], TEXT).is_(None),
                or_(resends_all, is_listed(snapshot, UNKNOWN_FIELDS, m.state_column)),
                not_(sent.c.is_other_contact),
            )
            for m in self._tables.sync.mapped_fields
            if m.drops_invalid and m.nulls is Nulls.CLEAR
        }
        return listed(unknown) if unknown else null()

    def _identity(self, name: str, sent: FromClause) -> SqlValue:
        """The identity of the row's contact; of another contact than before only what it was sent."""
        known = func.coalesce(sent.c[name], self._tables.snapshot.c[name])
        field = next((m for m in self._tables.sync.mapped_fields if IDENTITY_COLUMNS.get(m.kind) == name), None)
        if field is None or not field.drops_invalid:
            return known
        is_unsent = and_(sent.c.is_other_contact, is_dropped(sent, field.state_column))
        return case((is_unsent, null()), else_=known)

    def _record_opt_outs(self) -> None:
        """Record the flags that were set, and nothing else of the row.

        Another row may have set them, so the contact's own row is compared again even if its hash stays the same.
        """
        changes, snapshot = self._tables.changes, self._tables.snapshot
        flags = self._tables.sync.state_columns(FieldKind.OPT_OUT)
        copied = [changes.c[name] for flag in flags for name in (flag, differs_column(flag))]
        sent = self._results.changes_with((Outcome.OPTED_OUT,), *copied).subquery("sent")
        values = {flag: case((sent.c[differs_column(flag)], sent.c[flag]), else_=snapshot.c[flag]) for flag in flags}
        recorded = snapshot.update().where(self._tables.same_key(snapshot, sent)).values(**values)
        self._state.connection.execute(recorded)
        self._forget_hashes(self._results.changes_with((Outcome.OPTED_OUT,)))

    def _forget_hashes(self, keys: SqlQuery) -> None:
        forget_row_hashes(self._state, self._tables, among(self._keys(self._tables.row_hashes), keys))

    def _add_mapped(self) -> None:
        """Add snapshot rows for contacts that were found and not written: their values are not known."""
        changes, snapshot = self._tables.changes, self._tables.snapshot
        extra = (changes.c.identity_email, changes.c.identity_mobile, changes.c.partition_value)
        mapped = self._results.changes_with((Outcome.MAPPED,), *extra).subquery("mapped")
        names = [*self._tables.key_names, *(column.name for column in extra)]
        absent = not_(select(snapshot.c.resend_all).where(self._tables.same_key(snapshot, mapped)).exists())
        new = select(*(mapped.c[name] for name in names), self._number, true()).where(absent)
        names += ["acknowledged_plan", "only_mapped"]
        self._state.connection.execute(snapshot.insert().from_select(names, new))

    def _mark_deleted(self) -> None:
        contact_map, policy = self._tables.contact_map, self._tables.sync.delete_policy
        self._mark_absent(Outcome.DELETED, policy.value)
        gone = self._results.changes_with((Outcome.DELETED,), self._results.table.c.answered_at).subquery("gone")
        moment = contact_map.c[policy.map_column]
        marked = contact_map.update().where(self._tables.same_key(contact_map, gone))
        self._state.connection.execute(marked.values({moment: gone.c.answered_at}))

    def _mark_deleted_in_dailystory(self) -> None:
        contact_map, moment = self._tables.contact_map, self._results.table.c.answered_at
        gone = self._results.changes_with((Outcome.DELETED_IN_DAILYSTORY,), moment).subquery("gone")
        marked = contact_map.update().where(self._tables.same_key(contact_map, gone))
        self._state.connection.execute(marked.values(deleted_in_dailystory_at=gone.c.answered_at))

    def _mark_absent(self, outcome: Outcome, action: str) -> None:
        snapshot = self._tables.snapshot
        is_gone = self._tables.changes.c.operation == Operation.DELETE.value  # an update may need no request
        gone = self._results.changes_with((outcome,), self._results.table.c.answered_at).where(is_gone).subquery("gone")
        absent = {
            "absent_since": func.coalesce(snapshot.c.absent_since, gone.c.answered_at),
            "absent_action": literal(action, TEXT),
            "acknowledged_plan": self._number,
        }
        self._state.connection.execute(snapshot.update().where(self._tables.same_key(snapshot, gone)).values(**absent))

    def _refuse(self, results: Sequence[Result], changes: Mapping[int, Change]) -> None:
        self._has_rejections = True
        sync, secret = self._tables.sync, self._state.secret
        refusals: list[dict[str, object]] = [
            {
                "sequence": r.sequence,
                "reason": (r.reason or Reason.REFUSED).value,
                "message": r.message,
                "fingerprint": refusal_fingerprint(sync, changes[r.sequence].valid_values, secret, r.reason),
            }
            for r in results
        ]
        Rejections(self._state, self._tables).refuse(self._plan_id, refusals)

    @cached_property
    def _unconfirmed(self) -> ColumnElement[bool]:
        """Selects the changes of this batch whose last request may have been applied."""
        changes, results = self._tables.changes, self._results.table
        unconfirmed = results.c.outcome.in_([outcome.value for outcome in _UNCONFIRMED])
        was_sent = or_(results.c.outcome != Outcome.FAILED.value, results.c.attempts > 0)
        sequences = select(results.c.sequence).where(unconfirmed, was_sent)
        return and_(changes.c.plan_id == self._plan_id, changes.c.sequence.in_(sequences))

    def _settle(self, outcomes: Set[Outcome], *, has_intents: bool) -> None:
        """Delete the intents of confirmed results, and the rejections of rows that were written."""
        execute, intents = self._state.connection.execute, self._tables.intents
        if has_intents:
            execute(self._settled_intents)
            if Outcome.FAILED in outcomes:  # a create that may have been applied is in doubt instead
                execute(self._without(intents, {Outcome.FAILED}).where(intents.c.dsid.is_(None)))
        if self._has_rejections:
            self._state.connection.execute(self._ended_rejections)

    @cached_property
    def _settled_intents(self) -> Delete:
        return self._without(self._tables.intents, set(Outcome) - _UNCONFIRMED - {Outcome.OPTED_OUT})

    @cached_property
    def _ended_rejections(self) -> Delete:
        return self._without(self._tables.rejections, _LINKING | {Outcome.DELETED})

    def _without(self, table: Table, outcomes: Iterable[Outcome]) -> Delete:
        return table.delete().where(among(self._keys(table), self._results.changes_with(outcomes)))

    def _keys(self, relation: FromClause) -> list[SqlValue]:
        return [relation.c[key] for key in self._tables.key_names]
