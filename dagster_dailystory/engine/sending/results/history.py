"""The history: each acknowledged change with the values that it replaced, written with the acknowledgement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Insert,
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
)

from dagster_dailystory.databases.expressions import opts_out
from dagster_dailystory.databases.sql_types import TEXT, SqlValue
from dagster_dailystory.engine.sending.results.filled_fields import fills_field
from dagster_dailystory.engine.sending.results.result_table import ResultTable
from dagster_dailystory.engine.state.schema import (
    DROPPED,
    KEPT_FIELDS,
    SyncTables,
    differs_column,
    is_dropped,
    is_listed,
)
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Operation, Outcome
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField

_ACKNOWLEDGED = (Outcome.CREATED, Outcome.UPDATED, Outcome.MAPPED, Outcome.OPTED_OUT, Outcome.DELETED)


class History:
    """Appends the results of each batch to the history, within the acknowledgement's transaction.

    Args:
        state: The open state.
        tables: The sync's tables.
        results: The table with the results of a batch.
        run_id: The run that sends.
    """

    def __init__(self, state: State, tables: SyncTables, results: ResultTable, run_id: str | None) -> None:
        self._state = state
        self._tables = tables
        self._results = results
        self._run_id = run_id

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Append the results that have one of these outcomes and were acknowledged.

        The snapshot must still have the values that the results replace, under the key that has the contact now.
        """
        if self._tables.sync.history_days and any(outcome in _ACKNOWLEDGED for outcome in outcomes):
            self._state.connection.execute(self._insert)

    @cached_property
    def _insert(self) -> Insert:
        changes, results, snapshot = self._tables.changes, self._results.table, self._tables.snapshot
        fields = self._tables.sync.sent_fields
        copied = [changes.c[name] for m in fields for name in (m.state_column, differs_column(m.state_column))]
        whole = or_(
            changes.c.operation == Operation.CREATE.value,
            func.coalesce(changes.c.replaces, false()),
            func.coalesce(results.c.replaced, false()),
        )
        answer = (results.c.outcome, results.c.answered_at, results.c.is_other_contact)
        dsid = func.coalesce(results.c.dsid, changes.c.dsid).label("dsid")
        extra = (changes.c.plan_id, changes.c.operation, changes.c[DROPPED], dsid, *answer, whole.label("as_a_whole"))
        done = self._results.changes_with(_ACKNOWLEDGED, *copied, *extra).subquery("done")
        after = self._state.database.json_object(self._values(done, done))
        is_new = snapshot.c[self._tables.key_names[0]].is_(None)
        # Of a contact whose values are not known, none is known to be replaced.
        nothing_known = or_(is_new, done.c.is_other_contact, snapshot.c.resend_all)
        replaced = self._state.database.json_object(self._values(done, snapshot))
        before = case((nothing_known, null()), else_=replaced)
        policy = literal(self._tables.sync.delete_policy.value, TEXT)
        operation = case((done.c.operation == Operation.DELETE.value, policy), else_=done.c.operation)
        keys = [done.c[key] for key in self._tables.key_names]
        run_id = literal(self._run_id, TEXT)
        row = (*keys, done.c.plan_id, run_id, done.c.dsid, operation, done.c.outcome, before, after, done.c.answered_at)
        query = select(*row).select_from(done.outerjoin(snapshot, self._tables.same_key(done, snapshot)))
        return self._tables.history.insert().from_select([column.name for column in self._tables.history.c], query)

    def _values(self, done: FromClause, relation: FromClause) -> Mapping[str, SqlValue]:
        """By state column, the values of a relation in the fields that each change wrote.

        Args:
            done: The changes.
            relation: The changes, or the snapshot with the values that they replace, where these are known: one that an
                adoption or an undo left is not.
        """
        writes = done.c.outcome.in_([Outcome.CREATED.value, Outcome.UPDATED.value, Outcome.OPTED_OUT.value])
        values: dict[str, SqlValue] = {}
        for mapped in self._tables.sync.sent_fields:
            name = mapped.state_column
            is_known = true() if relation is done else not_(is_listed(relation, KEPT_FIELDS, name))
            values[name] = case((and_(writes, self._is_written(mapped, done), is_known), relation.c[name]))
        return values

    def _is_written(self, mapped: MappedField, done: FromClause) -> ColumnElement[bool]:
        """Whether a change wrote a field. An opt-out that is taken back is recorded without a request."""
        name = mapped.state_column
        written = or_(done.c.as_a_whole, func.coalesce(done.c[differs_column(name)], false()))
        if mapped.kind is FieldKind.OPT_OUT:
            if mapped.name in self._tables.sync.consent_override:
                return written
            left_ahead = opts_out(self._tables.snapshot.c[name])
            is_new = or_(done.c.as_a_whole, not_(left_ahead))
            return and_(written, opts_out(done.c[name]), is_new)
        if mapped.fills:
            written = fills_field(mapped, done)
        written = and_(written, done.c.operation != Operation.OPT_OUT.value)
        return and_(written, not_(is_dropped(done, name))) if mapped.drops_invalid else written
