"""The comparison of the source with the snapshot, in the parts and by the way that suit the database and its memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import FromClause, TableClause, func, select

from dagster_dailystory.dialect import SqlQuery, among
from dagster_dailystory.diff import OFFSET, Diff
from dagster_dailystory.estimates import LARGE, hashes_tables
from dagster_dailystory.row_hash import ROW_HASH
from dagster_dailystory.row_hashes import HashedRows, RowHashes
from dagster_dailystory.scratch import Scratch
from dagster_dailystory.spans import (
    HASHED_ROWS,
    WHOLE,
    Span,
    each_span,
    hashed_at_once,
    rows_at_once,
    spans_of_keys,
    spans_of_numbers,
    width_of,
)
from dagster_dailystory.staging import Staged


class Comparison:
    """Finds the rows that differ, and the keys that left.

    Attributes:
        diff: Its statements; without the rows that have their remembered hash, where those are left out.
        hashed: The rows that are compared, with their hashes, where those are used.
    """

    def __init__(self, scratch: Scratch, diff: Diff, staged: Staged, rows_read: int) -> None:
        self.diff = diff
        self.hashed = staged.hashed
        self._scratch = scratch
        self._connection = scratch.state.connection
        self._rows_read = rows_read
        self._row_bytes = self._width(staged)
        self._at_once = rows_at_once(self._row_bytes, self._connection)
        hashes = RowHashes(scratch.state, diff.tables)
        if staged.hashed is not None and staged.narrows and hashes.are_of(staged.hashed.version):
            self._leave_out_unmoved(hashes, staged.hashed, is_stored=staged.is_stored)

    def pending(self) -> TableClause:
        """Write what was found to `pending`."""
        diff = self.diff
        if diff.joins_both_ways and self._rows_read >= LARGE:
            diff = replace(diff, expects_few=hashes_tables(diff.joined, self._connection))
        (query, _), *others = diff.differing(self._spans_to_compare())
        pending = self._scratch.make("pending", query)
        self._scratch.append(pending, self._numbered(pending, others))
        if diff.options.plans_deletions and not diff.joins_both_ways and not self._is_everybody_there(pending):
            parts = diff.departed(self._spans(self._at_once.compared))
            self._scratch.append(pending, self._numbered(pending, parts))
        return pending

    def sequences(self, pending: TableClause) -> Sequence[Span]:
        """The parts of `pending` that are judged and stored one after the other."""
        return spans_of_numbers(self._highest_in(pending), self._at_once, self._connection.dialect)

    def _width(self, staged: Staged) -> float:
        """The width of the widest rows that are compared. A view is not evaluated for it where the snapshot tells."""
        known = self._width_in_snapshot(*self.diff.tables.key_names, *self.diff.tables.value_names)
        is_asked = staged.is_stored or not known
        return max(known, width_of(staged.relation, self._connection)) if is_asked else known

    def _width_in_snapshot(self, *names: str) -> float:
        snapshot = self.diff.tables.snapshot
        return width_of(select(*(snapshot.c[name] for name in names)).subquery("known"), self._connection)

    def _leave_out_unmoved(self, hashes: RowHashes, hashed: HashedRows, *, is_stored: bool) -> None:
        """Leave out the rows that have their remembered hash.

        Those of a stored relation that moved are read once more: to keep them in between takes twice the memory.
        """
        diff, keys = self.diff, self.diff.tables.key_names
        names = [*keys, ROW_HASH] if is_stored else [each.name for each in hashed.relation.c]
        spans = self._spans_to_look_up(whole_rows=not is_stored)
        (query, _), *others = each_span(spans, partial(hashes.moved, hashed.relation, names))
        moved = self._scratch.make("moved", query)
        self._scratch.append(moved, others)
        source: FromClause = moved
        if is_stored:
            have_moved = among([diff.source.c[key] for key in keys], select(*(moved.c[key] for key in keys)))
            source = select(*diff.source.c).where(have_moved).subquery("source")
        self.diff = replace(diff, source=source, present=diff.all_rows)
        self.hashed = HashedRows(moved, hashed.version)

    def _spans_to_look_up(self, *, whole_rows: bool) -> Sequence[Span]:
        if self._rows_read < HASHED_ROWS:
            return [WHOLE]
        width = self._row_bytes if whole_rows else self._width_in_snapshot(*self.diff.tables.key_names)
        return self._spans(HASHED_ROWS, hashed_at_once(width, self._connection))

    def _spans_to_compare(self) -> Sequence[Span]:
        if self.diff.present is None or self.hashed is None:
            return self._spans(self._at_once.compared)
        moved, key = self.hashed.relation, self.diff.tables.key_names[0]
        rows_moved = self._scratch.number(select(func.count()).select_from(moved))
        return spans_of_keys(rows_moved, self._at_once.moved, moved, key, self._connection)

    def _spans(self, span_rows: int, if_scattered: float = 0.0) -> Sequence[Span]:
        rows, key = self.diff.all_rows, self.diff.tables.key_names[0]
        return spans_of_keys(self._rows_read, span_rows, rows, key, self._connection, if_scattered)

    def _numbered(
        self, pending: TableClause, parts: Iterable[tuple[SqlQuery, Mapping[str, object]]]
    ) -> Iterator[tuple[SqlQuery, Mapping[str, object]]]:
        """Parts that go on numbering where `pending` has got to when each of them is its turn."""
        for query, parameters in parts:
            yield query, {**parameters, OFFSET: self._highest_in(pending)}

    def _highest_in(self, pending: TableClause) -> int:
        return self._scratch.number(select(func.max(pending.c.sequence)))

    def _is_everybody_there(self, pending: TableClause) -> bool:
        query = self.diff.everybody_is_there(pending)
        return query is not None and bool(self._scratch.number(query))
