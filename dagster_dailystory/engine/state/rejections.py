"""The rejections table: rows that fail a row check, replaced by each plan, and rows that DailyStory refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import (
    ColumnElement,
    FromClause,
    RowMapping,
    and_,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    union_all,
)

from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.databases.expressions import opts_out, rows_parameter
from dagster_dailystory.databases.sql_types import BIG_INTEGER, MOMENT, TEXT, SqlQuery, SqlType, SqlValue
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import REMEMBERED_REASONS, Operation, Reason
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.partitions import PARTITION_VALUE
from dagster_dailystory.model.runs.plan import RejectedRow
from dagster_dailystory.model.sync import ContactSync

_REMEMBERED = [reason.value for reason in REMEMBERED_REASONS]


DUPLICATED = "several source rows have this key; none is sent until the query makes the key unique"
KEYLESS = "the key has a NULL; fill it, or leave such rows out of the query"
"""What to do about a row whose key does not identify it."""


FEW = 10
"""How many rows of each reason are shown."""


def few_of_each(tables: SyncTables, rejected: FromClause, rows: int = FEW) -> SqlQuery:
    """Select a few rejected rows of each reason, with their keys.

    Args:
        tables: The sync's tables.
        rejected: Rows with the key columns, `reason`, `message` and `source_rows`.
        rows: At most this many of each reason.
    """
    keys = tables.keys_of(rejected)
    place = func.row_number().over(partition_by=rejected.c.reason, order_by=keys).label("place")
    columns = [*keys, *(rejected.c[name] for name in ("reason", "message", "source_rows"))]
    ranked = select(*columns, place).subquery("ranked")
    few = select(*(ranked.c[column.name] for column in columns)).where(ranked.c.place <= rows)
    return few.order_by(ranked.c.reason, ranked.c.place)


def rejected_row(sync: ContactSync, row: RowMapping, secret: bytes) -> RejectedRow:
    """A row of `few_of_each` as logs may show it."""
    return RejectedRow(shown_key(sync, row, secret), row["reason"], row["message"], int(row["source_rows"] or 1))


def shown_key(sync: ContactSync, row: RowMapping, secret: bytes) -> str:
    """The key of a row as logs may show it; it may have a NULL."""
    key = [row[name] for name in sync.key_columns]
    return "(no key)" if None in key else key_label(sync, key, secret)


@dataclass(frozen=True)
class CheckedRows:
    """The rows that a plan checked, as relations.

    Attributes:
        pending: The rows that differ.
        checked: The row check of each pending row, by sequence.
        duplicates: Keys that several rows have, with their number in `source_rows`; None if there are none.
        rows_keyless: Rows with a NULL in the key; None if the plan cannot count them.
        keyless_slice: The slice that such rows are in; None if the plan is for the whole source.
        source: The keys of all source rows.
        in_scope: Condition on `source`: the plan looked at the row.
        may_be_gone: Condition on the rejections: a key that is not in `source` has left it, and is not merely out of
            scope.
    """

    pending: FromClause
    checked: FromClause
    duplicates: FromClause | None
    rows_keyless: int | None
    keyless_slice: str | None
    source: FromClause
    in_scope: ColumnElement[bool]
    may_be_gone: ColumnElement[bool]


class Rejections:
    """Writes the rejections of one sync."""

    def __init__(self, state: State, tables: SyncTables) -> None:
        self._state = state
        self._tables = tables
        self._rejections = tables.rejections
        self._now = literal(state.now(), MOMENT)

    def few_of(self, rows: CheckedRows) -> tuple[RejectedRow, ...]:
        """A few of the rows that a plan rejects, of each reason."""
        found = union_all(*self._found(rows)).subquery("found")
        few = self._state.connection.execute(few_of_each(self._tables, found)).mappings()
        shown = [rejected_row(self._tables.sync, row, self._state.secret) for row in few]
        if rows.rows_keyless:
            message = _keyless(rows.rows_keyless)
            shown.append(RejectedRow("(no key)", Reason.NULL_KEY.value, message, rows.rows_keyless))
        return tuple(shown)

    def _found(self, rows: CheckedRows, *, are_kept: bool = False) -> Iterator[SqlQuery]:
        """The rejected rows that have a key; of the forgotten ones to keep those whose key identifies no person."""
        pending, checked = rows.pending, rows.checked
        keys = [pending.c[key] for key in self._tables.key_names]
        yield (
            select(
                *keys,
                checked.c.reason,
                checked.c.message,
                cast(literal(1), BIG_INTEGER).label("source_rows"),
                _slice_of(pending),
            )
            .join(checked, checked.c.sequence == pending.c.sequence)
            .where(checked.c.reason.is_not(None), *([self._may_be_kept(pending, checked)] if are_kept else []))
        )
        if rows.duplicates is not None:
            yield self._duplicated(rows.duplicates)

    def _may_be_kept(self, pending: FromClause, checked: FromClause) -> ColumnElement[bool]:
        is_forgotten = checked.c.reason == Reason.FORGOTTEN.value
        if self._tables.sync.personal_key_columns:
            return not_(is_forgotten)
        is_personal = or_(*(cast(key, TEXT).contains("@") for key in self._tables.keys_of(pending)))
        return not_(and_(is_forgotten, is_personal))

    def record_local(self, rows: CheckedRows) -> None:
        """Replace the row check results of the rows that a plan looked at."""
        for found in self._found(rows, are_kept=True):
            self._upsert(found)
        if self._state.connection.execute(select(self._rejections.c.reason).limit(1)).first() is not None:
            self._delete_obsolete(rows)
        if rows.rows_keyless:
            self._add_keyless(rows.rows_keyless, rows.keyless_slice)

    def _duplicated(self, duplicates: FromClause) -> SqlQuery:
        keys = [duplicates.c[key] for key in self._tables.key_names]
        reason = literal(Reason.DUPLICATE_KEY.value, TEXT).label("reason")
        return select(
            *keys, reason, literal(DUPLICATED, TEXT).label("message"), duplicates.c.source_rows, _slice_of(duplicates)
        )

    def _upsert(self, found: SqlQuery) -> None:
        rows = found.subquery("found")
        known = and_(self._tables.same_key(self._rejections, rows), self._rejections.c.reason == rows.c.reason)
        seen = self._rejections.update().where(known)
        self._state.connection.execute(
            seen.values(
                message=rows.c.message,
                source_rows=rows.c.source_rows,
                last_seen_at=self._now,
                partition_value=rows.c[PARTITION_VALUE],
            )
        )
        columns = (*self._tables.key_names, "reason", "message", "source_rows", PARTITION_VALUE)
        absent = not_(select(self._rejections.c.reason).where(known).exists())
        new = select(*(rows.c[name] for name in columns), self._now, self._now, literal(0, BIG_INTEGER)).where(absent)
        names = [*columns, "first_seen_at", "last_seen_at", "attempts"]
        self._state.connection.execute(self._rejections.insert().from_select(names, new))

    def _delete_obsolete(self, rows: CheckedRows) -> None:
        """Delete failed checks that this plan did not find again, and refusals of rows that no longer differ.

        Only rejections of keys that the plan looked at are deleted, and those of keys that left the source.
        """
        same_key = partial(self._tables.same_key, self._rejections)
        pending, source = rows.pending, rows.source
        in_source = select(literal(1)).select_from(source).where(same_key(source))
        gone = and_(rows.may_be_gone, not_(in_source.exists()))
        in_plan = or_(in_source.where(rows.in_scope).exists(), gone)
        still_differs = select(pending.c.sequence).where(same_key(pending), not_(pending.c.departed)).exists()
        remembered = self._rejections.c.reason.in_(_REMEMBERED)
        stale = and_(not_(remembered), self._rejections.c.last_seen_at < self._now)
        obsolete = or_(stale, and_(remembered, not_(still_differs)))
        self._state.connection.execute(self._rejections.delete().where(in_plan, obsolete))

    def _add_keyless(self, rows_keyless: int, partition_value: str | None) -> None:
        self._state.connection.execute(
            self._rejections.insert().values(
                **dict.fromkeys(self._tables.key_names, null()),
                reason=Reason.NULL_KEY.value,
                message=_keyless(rows_keyless),
                partition_value=partition_value,
                source_rows=rows_keyless,
                attempts=0,
                first_seen_at=self._now,
                last_seen_at=self._now,
            )
        )

    def refuse(self, plan_id: str, refusals: Sequence[dict[str, object]]) -> None:
        """Record rows that DailyStory refused: `sequence`, `reason`, `message` and `fingerprint` of each."""
        if not refusals:
            return
        names: dict[str, SqlType] = {"sequence": BIG_INTEGER, "reason": TEXT, "message": TEXT, "fingerprint": TEXT}
        given, changes = self._state.database.json_rows(names), self._tables.changes
        flags = [m.state_column for m in self._tables.sync.mapped_fields if m.kind is FieldKind.OPT_OUT]
        is_create = changes.c.operation == Operation.CREATE.value
        waits = and_(is_create, or_(false(), *(opts_out(changes.c[flag]) for flag in flags))).label("opts_out")
        rows = (
            select(
                *(changes.c[key] for key in self._tables.key_names),
                *(given.c[n] for n in list(names)[1:]),
                waits,
                changes.c[PARTITION_VALUE],
            )
            .join(given, given.c.sequence == changes.c.sequence)
            .where(changes.c.plan_id == plan_id)
            .subquery("found")
        )
        execute, parameter = self._state.connection.execute, rows_parameter(refusals)
        again = self._rejections.update().where(self._tables.same_key(self._rejections, rows))
        execute(
            again.values(
                reason=rows.c.reason,
                message=rows.c.message,
                fingerprint=rows.c.fingerprint,
                opts_out=rows.c.opts_out,
                partition_value=rows.c[PARTITION_VALUE],
                attempts=self._rejections.c.attempts + 1,
                last_seen_at=self._now,
            ),
            parameter,
        )
        absent = not_(select(self._rejections.c.reason).where(self._tables.same_key(self._rejections, rows)).exists())
        columns = (*self._tables.key_names, "reason", "message", "fingerprint", "opts_out", PARTITION_VALUE)
        one = literal(1, BIG_INTEGER)
        new = select(*(rows.c[name] for name in columns), self._now, self._now, one, one).where(absent)
        names_inserted = [*columns, "first_seen_at", "last_seen_at", "attempts", "source_rows"]
        execute(self._rejections.insert().from_select(names_inserted, new), parameter)


def _slice_of(relation: FromClause) -> SqlValue:
    """The slice of the rows of a relation; NULL where the sync has none."""
    known = relation.c.get(PARTITION_VALUE)
    return cast(null(), TEXT).label(PARTITION_VALUE) if known is None else known


def _keyless(rows: int) -> str:
    have = "1 source row has" if rows == 1 else f"{rows} source rows have"
    return f"{have} a NULL in the key; fill it, or leave such rows out of the query"
