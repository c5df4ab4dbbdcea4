"""Who is who: rows of a plan that share an identity with each other, with a synced row, or with one that left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, RowMapping, and_, func, or_, select

from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.databases.sql_types import SqlQuery
from dagster_dailystory.engine.planning.changes import CheckedTable, rejected_row
from dagster_dailystory.engine.planning.diff import Diff
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import USUAL_PRIORITY, Operation, Reason
from dagster_dailystory.model.sync import Mode

_SHOWN = 5


class IdentityConflicts:
    """Resolves the identity conflicts of one plan, after every pending row has been judged."""

    def __init__(self, state: State, tables: SyncTables, diff: Diff, pending: FromClause, judged: CheckedTable) -> None:
        self._state = state
        self._tables = tables
        self._diff = diff
        self._pending = pending
        self._judged = judged
        self._verdict = judged.table

    def resolve(self) -> None:
        """Set aside what must not be sent, link re-keyed rows to their contact, and order the ones that must wait."""
        if not self._connection_rows(select(self._verdict.c.sequence).where(self._new_identity()).limit(1)):
            return
        self._reject_doubles()
        holders = self._holders()
        self._judged.amend(self._state, self._rekeyed(holders), ("dsid", "operation", "rekeyed", "reactivates"))
        self._order([row for row in holders if not _gone(row)])

    def _new_identity(self) -> ColumnElement[bool]:
        """Rows that bring an identity of their own: new contacts, and existing ones whose identity changes."""
        verdict = self._verdict
        is_new = verdict.c.operation == Operation.CREATE.value
        return and_(verdict.c.reason.is_(None), ~verdict.c.held, or_(is_new, verdict.c.identity_changed))

    def _reject_doubles(self) -> None:
        for column in ("identity_email", "identity_mobile"):
            identity = self._verdict.c[column]
            doubled = (
                select(identity)
                .where(self._new_identity(), identity.is_not(None))
                .group_by(identity)
                .having(func.count() > 1)
            )
            rows = self._connection_rows(
                select(self._verdict.c.sequence, identity.label("identity"), *self._keys(self._pending))
                .join(self._pending, self._pending.c.sequence == self._verdict.c.sequence)
                .where(self._new_identity(), identity.in_(doubled))
                .order_by(identity, self._verdict.c.sequence)
            )
            groups: dict[str, list[RowMapping]] = defaultdict(list)
            for row in rows:
                groups[row["identity"]].append(row)
            self._amend_reasons(self._doubles(groups.values(), column))

    def _doubles(self, groups: Iterable[Sequence[RowMapping]], column: str) -> list[dict[str, object]]:
        what = "email" if column == "identity_email" else "mobile number"
        amended = []
        for group in groups:
            labels = [self._label(row) for row in group]
            shown = ", ".join(labels[:_SHOWN]) + (f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else "")
            message = f"rows {shown} have the same {what}; keep one of them in the source"
            amended += [rejected_row(row["sequence"], Reason.DUPLICATE_IDENTITY, message) for row in group]
        return amended

    def _holders(self) -> list[RowMapping]:
        """Pairs of a row with a new identity and a synced row of another key that has it."""
        return [
            row
            for column in ("identity_email", "identity_mobile")
            for row in self._connection_rows(self._holder_query(column))
            if not self._is_itself(row)
        ]

    def _is_itself(self, row: RowMapping) -> bool:
        """Asked here, not in the query: DuckDB joins by an inequality first, pairing all rows with all others."""
        return all(row[key] == row[f"other_key_{i}"] for i, key in enumerate(self._tables.key_names))

    def _holder_query(self, column: str) -> SqlQuery:
        snapshot, contact_map = self._tables.snapshot, self._tables.contact_map
        verdict, pending = self._verdict, self._pending
        other, other_pending = verdict.alias("other"), pending.alias("other_pending")
        other_row = (
            select(other, *(other_pending.c[key] for key in self._tables.key_names))
            .join(other_pending, other_pending.c.sequence == other.c.sequence)
            .subquery("other_row")
        )
        joined = (
            verdict.join(pending, pending.c.sequence == verdict.c.sequence)
            .join(snapshot, snapshot.c[column] == verdict.c[column])
            .join(contact_map, self._tables.same_key(snapshot, contact_map))
            .outerjoin(other_row, self._tables.same_key(snapshot, other_row))
        )
        return (
            select(
                verdict.c.sequence,
                verdict.c.operation,
                *self._keys(pending),
                *(snapshot.c[key].label(f"other_key_{i}") for i, key in enumerate(self._tables.key_names)),
                (~self._diff.is_present(snapshot)).label("leaves"),
                contact_map.c.dsid.label("other_dsid"),
                func.coalesce(contact_map.c.deleted_at, contact_map.c.deactivated_at).label("taken_out_at"),
                other_row.c.sequence.label("other_sequence"),
                (
                    (other_row.c.reason.is_(None))
                    & ~other_row.c.held
                    & other_row.c[column].is_not(None)
                    & (other_row.c[column] != verdict.c[column])
                ).label("other_moves"),
            )
            .select_from(joined)
            .where(self._new_identity())
            .order_by(verdict.c.sequence, contact_map.c.deleted_at.is_not(None), contact_map.c.dsid)
        )

    def _rekeyed(self, holders: Sequence[RowMapping]) -> list[dict[str, object]]:
        """New keys whose person was synced under a key that has left: they take its contact over."""
        if self._tables.sync.mode is Mode.CREATE:
            return []
        taken: set[str] = set()
        amended: dict[int, dict[str, object]] = {}
        for row in holders:
            new = row["operation"] == Operation.CREATE.value
            if new and _gone(row) and row["sequence"] not in amended and row["other_dsid"] not in taken:
                taken.add(row["other_dsid"])
                amended[row["sequence"]] = {
                    "sequence": row["sequence"],
                    "dsid": row["other_dsid"],
                    "operation": Operation.UPDATE.value,
                    "rekeyed": True,
                    "reactivates": row["taken_out_at"] is not None,
                }
        return list(amended.values())

    def _order(self, holders: Sequence[RowMapping]) -> None:
        """Make a row wait for the one that still holds its identity; set cycles and dead ends aside."""
        waits: dict[int, int] = {}
        amended: dict[int, dict[str, object]] = {}
        for row in holders:
            if row["other_moves"]:
                waits[row["sequence"]] = row["other_sequence"]
                continue
            message = f"row {self._other_label(row)} is synced with the same email or mobile number; keep one of them"
            amended[row["sequence"]] = rejected_row(row["sequence"], Reason.DUPLICATE_IDENTITY, message)
        priorities: list[dict[str, object]] = []
        for sequence in waits:
            chain = _chain(sequence, waits)
            if chain is None or any(step in amended for step in chain):
                message = "waits for rows that exchange their emails or mobile numbers in a circle, or are set aside"
                amended.setdefault(sequence, rejected_row(sequence, Reason.IDENTITY_CYCLE, message))
            else:
                priorities.append(
                    {"sequence": sequence, "waits_for": waits[sequence], "priority": USUAL_PRIORITY + len(chain)}
                )
        self._judged.amend(self._state, priorities, ("waits_for", "priority"))
        self._amend_reasons(list(amended.values()))

    def _amend_reasons(self, rows: list[dict[str, object]]) -> None:
        self._judged.amend(self._state, rows, ("reason", "message"))

    def _connection_rows(self, query: SqlQuery) -> list[RowMapping]:
        return list(self._state.connection.execute(query).mappings())

    def _keys(self, relation: FromClause) -> list[ColumnElement[Any]]:
        return [relation.c[key] for key in self._tables.key_names]

    def _label(self, row: RowMapping) -> str:
        return key_label(self._tables.sync, [row[key] for key in self._tables.key_names], self._state.secret)

    def _other_label(self, row: RowMapping) -> str:
        keys = [row[f"other_key_{i}"] for i in range(len(self._tables.key_names))]
        return key_label(self._tables.sync, keys, self._state.secret)


def _gone(row: RowMapping) -> bool:
    return bool(row["leaves"])


def _chain(start: int, waits: Mapping[int, int]) -> list[int] | None:
    """The rows that must be sent before `start`, nearest first; None for a circle."""
    chain: list[int] = []
    step = waits.get(start)
    while step is not None:
        if step == start or step in chain:
            return None
        chain.append(step)
        step = waits.get(step)
    return chain
