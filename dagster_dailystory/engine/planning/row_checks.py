"""The verdict on each row that differs: its identity, whether it can be sent, whether it was refused before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy import (
    FromClause,
    RowMapping,
    and_,
    exists,
    func,
    not_,
    select,
)

from dagster_dailystory.contacts.fingerprint import row_fingerprint
from dagster_dailystory.contacts.identity import identity_of
from dagster_dailystory.contacts.payload import sends_nothing
from dagster_dailystory.contacts.validation import check_row
from dagster_dailystory.contacts.values import wire_value
from dagster_dailystory.databases.bulk import insert_selected
from dagster_dailystory.databases.dialect import index_temporary
from dagster_dailystory.engine.planning.changes import CheckedTable
from dagster_dailystory.engine.planning.key_ranges import KeyRange, each_range
from dagster_dailystory.engine.planning.plain import plain_updates
from dagster_dailystory.engine.state.plans import RowReader, new_identity
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import (
    OPT_OUT_PRIORITY,
    REMEMBERED_REASONS,
    USUAL_PRIORITY,
    Identity,
    Operation,
    Rejection,
)
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.plan import PlanOptions
from dagster_dailystory.model.sync import Scope


class RowChecks:
    """Goes through the pending rows of one plan."""

    def __init__(self, state: State, tables: SyncTables, options: PlanOptions) -> None:
        self._state = state
        self._tables = tables
        self._sync = tables.sync
        self._retries_refused = options.scope is not Scope.CHANGED
        self._reader = RowReader(state, tables)
        kinds = (FieldKind.EMAIL, FieldKind.MOBILE)
        self._identity_columns = frozenset(m.state_column for m in self._sync.mapped_fields if m.kind in kinds)
        self._opt_outs = [m for m in self._sync.mapped_fields if m.kind is FieldKind.OPT_OUT]

    def judge(self, pending: FromClause, judged: CheckedTable, sequences: Sequence[KeyRange]) -> None:
        """Write one verdict for each pending row that is in the source.

        Args:
            pending: Rows that differ; see `Diff.differing`.
            judged: Where the verdicts go.
            sequences: Spans of the rows' numbers, which together are all of them.
        """
        plain = partial(plain_updates, self._tables, pending, USUAL_PRIORITY)
        for query, parameters in each_range(sequences, plain):
            insert_selected(self._state.connection, judged.table, query, parameters)
        # Indexed from here on: to keep an index while a statement fills the table takes as long as the rows.
        index_temporary(self._state.connection, judged.table.name, (), "sequence")
        is_judged = exists().where(judged.table.c.sequence == pending.c.sequence)
        left = and_(not_(pending.c.departed), not_(is_judged))
        execute, sequence = self._state.connection.execute, pending.c.sequence
        first, last = execute(select(func.min(sequence), func.max(sequence)).where(left)).one()
        if first is None:
            return
        refused = self._refused()
        for chunk in self._reader.chunks(pending, left, first, last):
            judged.add(self._state, [self._verdict(row, refused) for row in chunk])

    def _refused(self) -> dict[tuple[object, ...], str]:
        """Key -> fingerprint of each row that the service refused; empty where the scope asks for them again."""
        if self._retries_refused:
            return {}
        rejections = self._tables.rejections
        remembered = rejections.c.reason.in_([reason.value for reason in REMEMBERED_REASONS])
        rows = self._state.connection.execute(select(rejections).where(remembered)).mappings()
        return {self._reader.key(row): row["fingerprint"] for row in rows}

    def _verdict(self, row: RowMapping, refused: Mapping[tuple[object, ...], str]) -> dict[str, object]:
        values = self._reader.values(row)
        is_new = row["mapped_dsid"] is None
        differing = None if is_new or row["replaces"] else self._reader.differing(row)
        if differing is None or not differing.isdisjoint(self._identity_columns):
            identity = identity_of(self._sync, values)
        else:
            identity = Identity(row["old_email"], row["old_mobile"])
        rejection = check_row(self._sync, values, is_new=is_new, identity=identity, differing=differing)
        fingerprint = refused.get(self._reader.key(row)) if refused else None
        held = fingerprint is not None and fingerprint == row_fingerprint(self._sync, values, self._state.secret)
        verdict: dict[str, object] = {
            "sequence": row["sequence"],
            "identity_email": identity.email,
            "identity_mobile": identity.mobile,
            "identity_changed": not is_new and bool(new_identity(row, identity)),
            "held": held,
            "dsid": row["mapped_dsid"],
            "reactivates": row["deactivated_at"] is not None or row["deleted_at"] is not None,
        }
        if rejection is not None:
            return verdict | _rejected(rejection)
        if not is_new:
            change = self._reader.change(row, values, identity)
            if not change.resend_all and sends_nothing(self._sync, change):
                return verdict | {"operation": Operation.RECORD.value, "priority": USUAL_PRIORITY}
        operation = Operation.CREATE if is_new else Operation.UPDATE
        urgent = any(
            row[differs_column(m.state_column)] and wire_value(m, values[m.state_column]) is True
            for m in self._opt_outs
        )
        priority = OPT_OUT_PRIORITY if urgent else USUAL_PRIORITY
        return verdict | {"operation": operation.value, "priority": priority}


def _rejected(rejection: Rejection) -> dict[str, object]:
    return {"reason": rejection.reason.value, "message": rejection.message}
