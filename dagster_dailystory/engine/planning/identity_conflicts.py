"""Identity conflicts: rows of a plan that share an identity with another row of it, or with another key's contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, RowMapping, and_, func, or_, select

from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.contacts.keyed_hash import EMAIL, MOBILE, hashes_of_identity
from dagster_dailystory.databases.source import BATCH_ROWS
from dagster_dailystory.databases.sql_types import SqlQuery
from dagster_dailystory.engine.planning.changes import CheckedTable, rejected_row
from dagster_dailystory.engine.planning.comparison.diff import Diff
from dagster_dailystory.engine.presence.forgotten import in_parts
from dagster_dailystory.engine.presence.source_keys import Key, SourceKeys
from dagster_dailystory.engine.state.plans.dropped_values import identity_columns_in_use
from dagster_dailystory.engine.state.schema import HASH_COLUMNS, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import USUAL_PRIORITY, Identity, Operation, Reason
from dagster_dailystory.model.sync import Mode

_REKEYED_COLUMNS = (
    "dsid", "operation", "rekeyed", "reactivates", "absent_action", "deleted_in_dailystory", "held",
)  # fmt: skip

_SHOWN = 5
"""Most keys that a message names."""


class IdentityConflicts:
    """Finds and resolves the identity conflicts of one plan, after the row checks."""

    def __init__(
        self,
        state: State,
        tables: SyncTables,
        diff: Diff,
        pending: FromClause,
        checked: CheckedTable,
        source_keys: SourceKeys,
        *,
        holds_deleted: bool,
    ) -> None:
        self._state = state
        self._tables = tables
        self._diff = diff
        self._pending = pending
        self._checked = checked
        self._rows = checked.table
        self._source_keys = source_keys
        self._holds_deleted = holds_deleted
        self._present: set[Key] = set()
        self._columns = identity_columns_in_use(state, tables)

    def resolve(self) -> None:
        """Reject duplicates, give re-keyed rows the contacts of missing keys, and order the rows that have to wait."""
        if len(self._columns) > len(HASH_COLUMNS):
            self._add_hashes()
        if not self._select(select(self._rows.c.sequence).where(self._new_identity()).limit(1)):
            return
        self._reject_duplicates()
        holders = self._holders()
        self._look_up_unread(holders)
        self._checked.amend(self._state, self._rekeyed(holders), _REKEYED_COLUMNS)
        self._order([row for row in holders if not self._is_missing(row)])

    def _add_hashes(self) -> None:
        """Hash the identities of the rows that may belong to a missing key whose values were dropped."""
        rows, names = self._rows, list(HASH_COLUMNS)
        columns = (rows.c.sequence, *(rows.c[name] for name in names))
        unsent = or_(rows.c.reason.is_not(None), rows.c.held)
        found = self._select(select(*columns).where(or_(self._new_identity(), unsent)))
        for part in in_parts(found, BATCH_ROWS):
            amended: list[dict[str, object]] = []
            for row in part:
                hashes = hashes_of_identity(self._state.secret, Identity(row["identity_email"], row["identity_mobile"]))
                values = {"identity_email_hash": hashes.get(EMAIL), "identity_mobile_hash": hashes.get(MOBILE)}
                amended.append({"sequence": row["sequence"], **values})
            self._checked.amend(self._state, amended, tuple(HASH_COLUMNS.values()))

    def _new_identity(self) -> ColumnElement[bool]:
        """Whether a row brings a new identity: it is a create, or an update that changes the identity."""
        rows = self._rows
        is_new = rows.c.operation == Operation.CREATE.value
        return and_(rows.c.reason.is_(None), ~rows.c.held, or_(is_new, rows.c.identity_changed))

    def _reject_duplicates(self) -> None:
        """Reject all rows of the plan that bring the same new identity."""
        for column in ("identity_email", "identity_mobile"):
            identity = self._rows.c[column]
            duplicates = (
                select(identity)
                .where(self._new_identity(), identity.is_not(None))
                .group_by(identity)
                .having(func.count() > 1)
            )
            rows = self._select(
                select(self._rows.c.sequence, identity.label("identity"), *self._keys(self._pending))
                .join(self._pending, self._pending.c.sequence == self._rows.c.sequence)
                .where(self._new_identity(), identity.in_(duplicates))
                .order_by(identity, self._rows.c.sequence)
            )
            groups: dict[str, list[RowMapping]] = defaultdict(list)
            for row in rows:
                groups[row["identity"]].append(row)
            self._reject(self._duplicates(groups.values(), column))

    def _duplicates(self, groups: Iterable[Sequence[RowMapping]], column: str) -> list[dict[str, object]]:
        what = "email" if column == "identity_email" else "mobile number"
        rejected = []
        for group in groups:
            labels = [self._label(row) for row in group]
            shown = ", ".join(labels[:_SHOWN]) + (f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else "")
            message = f"rows {shown} have the same {what}; keep one of them in the source"
            rejected += [rejected_row(row["sequence"], Reason.DUPLICATE_IDENTITY, message) for row in group]
        return rejected

    def _holders(self) -> list[RowMapping]:
        """Pair each row that brings a new identity with each other key of the snapshot that has this identity."""
        return [
            row
            for column in self._columns
            for row in self._select(self._holder_query(column))
            if not self._is_same_key(row)
        ]

    def _is_same_key(self, row: RowMapping) -> bool:
        """Checked here, not in the query: DuckDB joins by the inequality first, and pairs all rows with all others."""
        return all(row[key] == other for key, other in zip(self._tables.key_names, self._other_key(row), strict=True))

    def _other_key(self, row: RowMapping) -> Key:
        return tuple(row[f"other_key_{i}"] for i in range(len(self._tables.key_names)))

    def _look_up_unread(self, holders: Sequence[RowMapping]) -> None:
        """Look up the keys that are not among the rows read, if these are only the recent rows of the source."""
        if self._diff.reads_whole_source or not any(row["leaves"] for row in holders):
            return
        snapshot = self._tables.snapshot
        identities = (
            snapshot.c[column].in_(select(self._rows.c[column]).where(self._new_identity())) for column in self._columns
        )
        unread = select(*self._keys(snapshot)).where(or_(*identities), ~self._diff.is_present(snapshot))
        self._present = self._source_keys.present(unread)

    def _is_missing(self, row: RowMapping) -> bool:
        """Whether the other key has left the source."""
        return bool(row["leaves"]) and self._other_key(row) not in self._present

    def _holder_query(self, column: str) -> SqlQuery:
        snapshot, contact_map = self._tables.snapshot, self._tables.contact_map
        rows, pending = self._rows, self._pending
        other, other_pending = rows.alias("other"), pending.alias("other_pending")
        other_row = (
            select(other, *(other_pending.c[key] for key in self._tables.key_names))
            .join(other_pending, other_pending.c.sequence == other.c.sequence)
            .subquery("other_row")
        )
        joined = (
            rows.join(pending, pending.c.sequence == rows.c.sequence)
            .join(snapshot, snapshot.c[column] == rows.c[column])
            .join(contact_map, self._tables.same_key(snapshot, contact_map))
            .outerjoin(other_row, self._tables.same_key(snapshot, other_row))
        )
        return (
            select(
                rows.c.sequence,
                rows.c.operation,
                *self._keys(pending),
                *(snapshot.c[key].label(f"other_key_{i}") for i, key in enumerate(self._tables.key_names)),
                (~self._diff.is_present(snapshot)).label("leaves"),
                contact_map.c.dsid.label("other_dsid"),
                func.coalesce(contact_map.c.deleted_at, contact_map.c.deactivated_at).label("taken_out_at"),
                contact_map.c.deleted_in_dailystory_at.is_not(None).label("deleted_in_dailystory"),
                snapshot.c.absent_action,
                other_row.c.sequence.label("other_sequence"),
                (
                    (other_row.c.reason.is_(None))
                    & ~other_row.c.held
                    & other_row.c[column].is_not(None)
                    & (other_row.c[column] != rows.c[column])
                ).label("other_moves"),
            )
            .select_from(joined)
            .where(self._new_identity())
            .order_by(rows.c.sequence, contact_map.c.deleted_at.is_not(None), contact_map.c.dsid)
        )

    def _rekeyed(self, holders: Sequence[RowMapping]) -> list[dict[str, object]]:
        """Turn the creates of new keys into updates of the contact that a missing key with the same identity has."""
        if self._tables.sync.mode is Mode.CREATE:
            return []
        taken: set[str] = set()
        amended: dict[int, dict[str, object]] = {}
        for row in holders:
            is_new = row["operation"] == Operation.CREATE.value
            if is_new and self._is_missing(row) and row["sequence"] not in amended and row["other_dsid"] not in taken:
                taken.add(row["other_dsid"])
                amended[row["sequence"]] = {
                    "sequence": row["sequence"],
                    "dsid": row["other_dsid"],
                    "operation": Operation.UPDATE.value,
                    "rekeyed": True,
                    "reactivates": row["taken_out_at"] is not None,
                    "absent_action": row["absent_action"],
                    "deleted_in_dailystory": bool(row["deleted_in_dailystory"]),
                    "held": bool(row["deleted_in_dailystory"]) and self._holds_deleted,
                }
        return list(amended.values())

    def _order(self, holders: Sequence[RowMapping]) -> None:
        """Let a row wait for the row that gives up its identity; reject it if none does, or if they form a cycle."""
        waits: dict[int, int] = {}
        rejected: dict[int, dict[str, object]] = {}
        for row in holders:
            if row["other_moves"]:
                waits[row["sequence"]] = row["other_sequence"]
                continue
            other = f"the row with key {self._other_label(row)}"
            message = f"{other} is synced with the same email or mobile number; keep one of them"
            rejected[row["sequence"]] = rejected_row(row["sequence"], Reason.DUPLICATE_IDENTITY, message)
        waiting: list[dict[str, object]] = []
        for sequence in waits:
            chain = _chain(sequence, waits)
            if chain is None or any(step in rejected for step in chain):
                message = "waits for rows that exchange their emails or mobile numbers in a cycle, or that are rejected"
                rejected.setdefault(sequence, rejected_row(sequence, Reason.IDENTITY_CYCLE, message))
            else:
                priority = USUAL_PRIORITY + len(chain)
                waiting.append({"sequence": sequence, "waits_for": waits[sequence], "priority": priority})
        self._checked.amend(self._state, waiting, ("waits_for", "priority"))
        self._reject(list(rejected.values()))

    def _reject(self, rows: list[dict[str, object]]) -> None:
        self._checked.amend(self._state, rows, ("reason", "message"))

    def _select(self, query: SqlQuery) -> list[RowMapping]:
        return list(self._state.connection.execute(query).mappings())

    def _keys(self, relation: FromClause) -> list[ColumnElement[Any]]:
        return [relation.c[key] for key in self._tables.key_names]

    def _label(self, row: RowMapping) -> str:
        return key_label(self._tables.sync, [row[key] for key in self._tables.key_names], self._state.secret)

    def _other_label(self, row: RowMapping) -> str:
        return key_label(self._tables.sync, self._other_key(row), self._state.secret)


def _chain(start: int, waits: Mapping[int, int]) -> list[int] | None:
    """The rows that must be sent before `start`, nearest first; None if they form a cycle."""
    chain: list[int] = []
    step = waits.get(start)
    while step is not None:
        if step == start or step in chain:
            return None
        chain.append(step)
        step = waits.get(step)
    return chain
