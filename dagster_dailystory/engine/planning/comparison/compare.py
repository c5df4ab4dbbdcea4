"""The comparison of source and snapshot: runs the statements of `diff` and keeps what they find in temporary tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import TableClause, column, exists, func, literal, select, table

from dagster_dailystory.contacts.fingerprint import key_label
from dagster_dailystory.databases.expressions import appended
from dagster_dailystory.databases.sql_types import CreateTemporaryTableAs, SqlQuery
from dagster_dailystory.engine.planning.comparison.diff import Diff
from dagster_dailystory.engine.planning.comparison.hashes.row_hashes import HashedRows
from dagster_dailystory.engine.planning.comparison.staged import Staged
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.runs.options import PlanOptions

_LARGE_TABLE_ROWS = 100_000
"""Rows from which the choice of a join matters: fewer are joined in a fraction of a second in any way."""


@dataclass(frozen=True)
class RowCounts:
    """Counts of a comparison. The defaults are those of a source that never had a row.

    Attributes:
        source_is_empty: The source has no row at all, whatever the run's scope.
        read: Source rows in the run's scope.
        without_key: Rows read that have a NULL in the key.
        duplicates: Rows read whose key is in more than one row.
        pending: Rows read that differ and have to be checked.
        live_keys: Keys of the snapshot that were not missing before this run; of a slice those that belong to it.
        sync_live_keys: The same for the whole sync.
        keys_not_found: Chosen keys that the source does not have, as logs may show them.
        missing_keys: Keys of the whole sync that this run finds missing, or whose deletion is owed.
    """

    source_is_empty: bool = True
    read: int = 0
    without_key: int = 0
    duplicates: int = 0
    pending: int = 0
    live_keys: int = 0
    sync_live_keys: int = 0
    missing_keys: int = 0
    keys_not_found: tuple[str, ...] = ()


@dataclass(frozen=True)
class Differences:
    """What a comparison found. The relations are temporary tables.

    Attributes:
        diff: Builds the statements of the comparison.
        pending: The rows that differ and the missing keys, each with its `sequence`; no row of a duplicate key.
        duplicates: The keys that more than one row has; None where the counts rule them out.
        hashed: The rows that were compared, with their hashes; None where hashes are not used.
        counts: How many rows there are of each kind.
    """

    diff: Diff
    pending: TableClause
    duplicates: TableClause | None
    hashed: HashedRows | None
    counts: RowCounts


def compare(state: State, tables: SyncTables, staged: Staged, options: PlanOptions) -> Differences:
    """Find the rows that differ from the snapshot, the missing keys and the duplicate keys."""
    rest, unread = staged.rest, staged.unread
    missing = rest.missing if rest is not None else None if unread is None else unread.missing()
    all_rows = Diff(
        staged.relation,
        tables,
        options,
        state.database,
        staged.typed_keys(options.keys),
        staged.all_keys,
        keys_read=None if unread is None else unread.read,
        is_one_slice=rest is not None,
        known_missing=missing,
    )
    rows_unread = 0 if unread is None else unread.rows
    rows_read, rows_keyed = (int(n) + rows_unread for n in state.connection.execute(all_rows.row_counts()).one())
    comparison = _Comparison(state, all_rows, rows_read)
    diff = comparison.without_unchanged(all_rows)
    has_rows = bool(rows_read) or (rest is not None and rest.has_rows)
    source_is_empty = not has_rows and comparison.source_is_empty()
    pending = comparison.pending(diff)
    found = comparison.count(diff, pending)
    live = comparison.live_keys(diff, found, rows_keyed, are_unique=staged.has_unique_keys)
    duplicates = comparison.duplicates(diff, pending, is_each_matched_once=live.is_each_matched_once)
    rows_duplicated = 0 if duplicates is None else comparison.remove(duplicates, pending)
    if rows_duplicated:
        found = comparison.count(diff, pending)
    counts = RowCounts(
        source_is_empty=source_is_empty,
        read=rows_read,
        without_key=rows_read - rows_keyed,
        duplicates=rows_duplicated,
        pending=found.rows,
        live_keys=live.of_slice,
        sync_live_keys=live.of_sync,
        missing_keys=found.keys_missing + found.keys_owed,
        keys_not_found=comparison.keys_not_found(all_rows),
    )
    return Differences(diff, pending, duplicates, staged.hashed, counts)


class _PendingCounts(NamedTuple):
    rows: int
    rows_new: int
    rows_returning: int
    keys_missing: int
    keys_owed: int


class _LiveKeys(NamedTuple):
    """The live keys, and whether each key of the snapshot has at most one source row."""

    of_slice: int
    of_sync: int
    is_each_matched_once: bool


class _Comparison:
    """The steps of one comparison; `compare` has their order."""

    def __init__(self, state: State, diff: Diff, rows_read: int) -> None:
        self._state = state
        self._connection = state.connection
        self._tables = diff.tables
        self._all_rows = diff.all_rows
        self._rows_read = rows_read

    def without_unchanged(self, diff: Diff) -> Diff:
        """Narrow the diff to the keys whose rows may differ, where the database compares hashes first."""
        if not diff.compares_hashes:
            return diff
        return replace(diff, moved=self._make("moved", diff.moved_keys()))

    def source_is_empty(self) -> bool:
        """Whether the source has no row, in scope or not."""
        return not self._number(select(literal(1)).select_from(self._all_rows))

    def pending(self, diff: Diff) -> TableClause:
        """Write the rows that differ and the missing keys to the table `pending`."""
        if diff.uses_full_join and self._rows_read >= _LARGE_TABLE_ROWS:
            diff = replace(diff, expects_few=diff.database.would_hash_join(diff.joined(), self._connection))
        pending = self._make("pending", diff.differing())
        if diff.options.plans_deletions and not diff.uses_full_join:
            highest = self._number(select(func.max(pending.c.sequence)))
            self._connection.execute(appended(pending, diff.missing_keys(highest)))
        return pending

    def count(self, diff: Diff, pending: TableClause) -> _PendingCounts:
        """Count what is in `pending`."""
        return _PendingCounts(*map(int, self._connection.execute(diff.pending_counts(pending)).one()))

    def keys_not_found(self, diff: Diff) -> tuple[str, ...]:
        """The keys that the run is limited to and that no row of the source has, as logs may show them."""
        if not diff.keys:
            return ()
        rows, names = diff.all_rows, self._tables.key_names
        found = select(*(rows.c[name] for name in names)).where(diff.has_chosen_key(rows)).distinct()
        present = {self._label(key) for key in self._connection.execute(found)}
        wanted = dict.fromkeys(self._label([key[name] for name in names]) for key in diff.keys)
        return tuple(label for label in wanted if label not in present)

    def _label(self, key: Iterable[object]) -> str:
        return key_label(self._tables.sync, list(key), self._state.secret)

    def live_keys(self, diff: Diff, found: _PendingCounts, rows_keyed: int, *, are_unique: bool) -> _LiveKeys:
        """Count the live keys, without reading the snapshot if a constraint keeps the source's keys unique."""
        if are_unique and diff.counts_matches:
            live_keys = rows_keyed - found.rows_new - found.rows_returning + found.keys_missing
            return _LiveKeys(live_keys, live_keys, True)
        keys, absent, live_keys = map(int, self._connection.execute(diff.snapshot_counts()).one())
        # With a duplicate key, more rows than keys would match.
        keys_matched = keys - found.keys_missing - (absent - found.rows_returning)
        is_each_matched_once = diff.counts_matches and rows_keyed - found.rows_new == keys_matched
        return _LiveKeys(live_keys, keys - absent, is_each_matched_once)

    def duplicates(self, diff: Diff, pending: TableClause, *, is_each_matched_once: bool) -> TableClause | None:
        """Find the keys that more than one row has, unless the counts and `pending` rule them out."""
        if is_each_matched_once and self._connection.execute(diff.repeated_keys(pending).limit(1)).first() is None:
            return None
        return self._make("duplicates", diff.duplicate_keys())

    def remove(self, duplicates: TableClause, pending: TableClause) -> int:
        """Delete the rows of duplicate keys from `pending`.

        Returns:
            How many rows of the source, within the run's scope, have a duplicate key.
        """
        rows = self._number(select(func.coalesce(func.sum(duplicates.c.source_rows), 0)))
        if rows:
            self._connection.execute(pending.delete().where(exists().where(self._tables.same_key(duplicates, pending))))
        return rows

    def _make(self, name: str, query: SqlQuery) -> TableClause:
        """Make a temporary table of what a query selects."""
        full_name = self._state.location.table_name(self._state.sync.name, name)
        self._connection.execute(CreateTemporaryTableAs(full_name, query))
        return table(full_name, *(column(each.name, each.type) for each in query.selected_columns))

    def _number(self, query: SqlQuery) -> int:
        """The one number that a query selects, 0 for NULL."""
        return int(self._connection.execute(query).scalar() or 0)
