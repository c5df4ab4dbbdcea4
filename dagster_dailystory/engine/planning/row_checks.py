"""The row checks: is a row that differs valid, what is its identity, and did DailyStory refuse it before?"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from sqlalchemy import RowMapping, TableClause, false, func, not_, null, select

from dagster_dailystory.contacts.fingerprint import refusal_fingerprint
from dagster_dailystory.contacts.identity import identity_of, stripped_text
from dagster_dailystory.contacts.payload import sends_nothing
from dagster_dailystory.contacts.validation import check_row
from dagster_dailystory.contacts.values import wire_value
from dagster_dailystory.databases.sql_types import SqlValue
from dagster_dailystory.engine.planning.changes import CheckedTable
from dagster_dailystory.engine.presence.forgotten import FORGOTTEN_ROW, Forgotten
from dagster_dailystory.engine.state.plans.row_reader import RowReader, new_identity
from dagster_dailystory.engine.state.schema import DROPPED, SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import (
    OPT_OUT_PRIORITY,
    REMEMBERED_REASONS,
    USUAL_PRIORITY,
    Identity,
    Operation,
    Reason,
)
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import REGION_COLUMN
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import DeletePolicy, OnDeleted

_TAKEN_OUT = (DeletePolicy.DEACTIVATE.value, DeletePolicy.DELETE.value)
"""What this sync did with the contact of a missing key, once it is acknowledged."""


class RowChecks:
    """Checks the pending rows of one plan."""

    def __init__(self, state: State, tables: SyncTables, options: PlanOptions) -> None:
        self._state = state
        self._tables = tables
        self._sync = tables.sync
        self._retries_refused = options.retries_refused
        self._reader = RowReader(state, tables)
        self._emails, self._mobiles = (self._sync.state_columns(each) for each in (FieldKind.EMAIL, FieldKind.MOBILE))
        self._identity_columns = frozenset((*self._emails, *self._mobiles))
        self._opt_outs = [m for m in self._sync.mapped_fields if m.kind is FieldKind.OPT_OUT]

    def check(self, pending: TableClause, checked: CheckedTable) -> None:
        """Write one result for each row that differs.

        Args:
            pending: The rows that differ, and the missing keys, which are not checked.
            checked: Where the results go.
        """
        is_row, connection, sequence = not_(pending.c.departed), self._state.connection, pending.c.sequence
        first, last = connection.execute(select(func.min(sequence), func.max(sequence)).where(is_row)).one()
        refused = self._refused()
        self._forgotten = Forgotten.read(self._state)
        for chunk in self._reader.chunks(pending, is_row, first, last):
            checked.add(self._state, [self._check(row, refused) for row in chunk])
        # Indexed only now: maintaining an index while a statement fills the table takes as long as the rows themselves.
        self._state.database.index_temporary(connection, checked.table.name, (), "sequence")
        if self._forgotten is not None:
            self._clear(pending, checked)

    def _clear(self, pending: TableClause, checked: CheckedTable) -> None:
        """Clear the values of forgotten rows in `pending`, so that no opt-out of them is sent, or waits."""
        rows = checked.table
        forgotten = select(rows.c.sequence).where(rows.c.reason == Reason.FORGOTTEN.value)
        names = [m.state_column for m in self._sync.mapped_fields]
        columns: dict[str, SqlValue] = {**dict.fromkeys(names, null()), **{differs_column(n): false() for n in names}}
        self._state.connection.execute(pending.update().where(pending.c.sequence.in_(forgotten)).values(columns))

    def _refused(self) -> dict[tuple[object, ...], str]:
        """Key -> fingerprint of each row that DailyStory refused; empty if the scope sends these rows again."""
        if self._retries_refused:
            return {}
        rejections = self._tables.rejections
        remembered = rejections.c.reason.in_([reason.value for reason in REMEMBERED_REASONS])
        rows = self._state.connection.execute(select(rejections).where(remembered)).mappings()
        return {self._reader.key(row): row["fingerprint"] for row in rows}

    def _check(self, row: RowMapping, refused: Mapping[tuple[object, ...], str]) -> dict[str, object]:
        """The result for one row, by the columns of `CheckedTable`."""
        values = self._reader.values(row)
        is_new = row["mapped_dsid"] is None
        differing = None if is_new or row["replaces"] else self._reader.differing(row)
        identity = self._identity(row, values, differing)
        if self._forgotten is not None and self._forgotten.has(self._reader.key(row), identity):
            return self._forgotten_row(row, identity)
        check = check_row(self._sync, values, is_new=is_new, identity=identity, differing=differing)
        dropped = self._with_region(row, values, check.dropped)
        identity = self._kept_identity(row, identity, dropped)
        result: dict[str, object] = {
            "sequence": row["sequence"],
            "identity_email": identity.email,
            "identity_mobile": identity.mobile,
            "identity_changed": not is_new and bool(new_identity(row, identity)),
            "dsid": row["mapped_dsid"],
            "reactivates": row["absent_action"] in _TAKEN_OUT,
            "held": False,
        }
        if check.rejection is not None:
            return result | {"reason": check.rejection.reason.value, "message": check.rejection.message}
        if dropped:
            result[DROPPED] = json.dumps({name: reason.value for name, reason in dropped.items()})
            values = {name: None if name in dropped else value for name, value in values.items()}
        result["held"] = self._is_held(row, values, refused)
        sent = differing
        if not is_new:
            change = self._reader.change(row, values, identity, dropped)
            sent = None if sent is None else change.differing - {REGION_COLUMN}
            if not change.resend_all and sends_nothing(self._sync, change):
                return result | {"operation": Operation.RECORD.value, "priority": USUAL_PRIORITY}
        operation = Operation.CREATE if is_new else Operation.UPDATE
        return result | {"operation": operation.value, "priority": self._priority(row, values, sent)}

    def _forgotten_row(self, row: RowMapping, identity: Identity) -> dict[str, object]:
        """The result of a forgotten row. With its identity: a contact with the same one is not deleted."""
        return {
            "sequence": row["sequence"],
            "identity_email": identity.email,
            "identity_mobile": identity.mobile,
            "identity_changed": False,
            "reactivates": False,
            "held": False,
            "reason": Reason.FORGOTTEN.value,
            "message": FORGOTTEN_ROW,
        }

    def _identity(self, row: RowMapping, values: Mapping[str, object], differing: Collection[str] | None) -> Identity:
        """The identity of a row; that of the snapshot, if neither the email nor the mobile number differs."""
        if differing is None or not self._identity_columns.isdisjoint(differing):
            return identity_of(self._sync, values)
        return Identity(row["old_email"], row["old_mobile"])

    def _with_region(
        self, row: RowMapping, values: Mapping[str, object], dropped: Mapping[str, Reason]
    ) -> Mapping[str, Reason]:
        """Drop the country too if no number is sent: the acknowledged number was read in the acknowledged country."""
        if row["old_mobile"] is None or REGION_COLUMN not in values:
            return dropped
        is_sent = any(name not in dropped and stripped_text(values[name]) for name in self._mobiles)
        return dropped if is_sent else {**dropped, REGION_COLUMN: Reason.INVALID_MOBILE}

    def _kept_identity(self, row: RowMapping, identity: Identity, dropped: Mapping[str, Reason]) -> Identity:
        """The identity of a row whose invalid email or mobile number is dropped: its contact keeps the acknowledged."""
        if not dropped:
            return identity
        return Identity(
            identity.email or (row["old_email"] if not dropped.keys().isdisjoint(self._emails) else None),
            identity.mobile or (row["old_mobile"] if not dropped.keys().isdisjoint(self._mobiles) else None),
        )

    def _is_held(
        self, row: RowMapping, values: Mapping[str, object], refused: Mapping[tuple[object, ...], str]
    ) -> bool:
        """Whether DailyStory refused the row before and it has not changed since, or its contact was deleted there."""
        is_deleted = bool(row["deleted_in_dailystory"]) and self._sync.on_deleted is OnDeleted.RESPECT
        if is_deleted and not self._retries_refused:
            return True
        fingerprint = refused.get(self._reader.key(row)) if refused else None
        if fingerprint is None:
            return False
        reasons = (Reason.REFUSED, Reason.DELETED_IN_DAILYSTORY)
        return fingerprint in [refusal_fingerprint(self._sync, values, self._state.secret, each) for each in reasons]

    def _priority(self, row: RowMapping, values: Mapping[str, object], differing: Collection[str] | None) -> int:
        """A new opt-out is sent first; that of a known contact leaves alone, see `opt_outs`."""
        if differing is not None and not {m.state_column for m in self._opt_outs}.issuperset(differing):
            return USUAL_PRIORITY
        if differing is None and row["mapped_dsid"] is not None:
            return USUAL_PRIORITY
        opts_out = any(
            row[differs_column(m.state_column)] and wire_value(m, values[m.state_column]) is True
            for m in self._opt_outs
        )
        return OPT_OUT_PRIORITY if opts_out else USUAL_PRIORITY
