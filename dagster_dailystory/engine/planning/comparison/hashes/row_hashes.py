"""Remembered row hashes: a row that still has its remembered hash does not differ, and need not be read again.

They spare the transfer of rows from another database than that of the state. A plan remembers the hashes of the rows
that equal the snapshot, and forgets the hashes of the rows that differ.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, FromClause, func, or_, select, true

from dagster_dailystory.contacts.fingerprint import mapping_version
from dagster_dailystory.databases.expressions import among
from dagster_dailystory.databases.row_hash import ROW_HASH
from dagster_dailystory.databases.source_text import source_text
from dagster_dailystory.databases.sql_types import SqlQuery
from dagster_dailystory.engine.state.incremental import (
    add_hash_sums,
    forget_row_hashes,
    has_hash_sums,
    row_hashes_name,
)  # fmt: skip
from dagster_dailystory.engine.state.schema import KEY_BUCKET, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import Scope


@dataclass(frozen=True)
class HashedRows:
    """Source rows with their hashes, read by one statement.

    Attributes:
        relation: The key columns, `ROW_HASH` and `KEY_BUCKET`, among others.
        version: What computed the hashes; see `hash_version`.
    """

    relation: FromClause
    version: str


class HashSum(NamedTuple):
    """The hashes of the rows in one bucket.

    Attributes:
        hashes: How many there are.
        total: Their sum.
    """

    hashes: int
    total: int


def why_streamed(options: PlanOptions) -> str:
    """Why a plan reads rows that have their remembered hash: it does not look for all rows that differ; else empty."""
    if options.keys:
        return "the run is for chosen keys"
    if options.since is not None:
        return "the run reads recent rows only"
    if options.of_some_rows:
        return "the frame has some rows of the source only"
    return "" if options.scope is Scope.CHANGED else f"scope {options.scope.value!r} looks at unchanged rows too"


class RowHashes:
    """The remembered hashes of one sync, within the caller's transaction."""

    def __init__(self, state: State, tables: SyncTables) -> None:
        self._state = state
        self._tables = tables
        self._hashes = tables.row_hashes

    def are_current(self, version: str) -> bool:
        """Whether the remembered hashes were computed in the same way, for the same query and mapping."""
        return self._state.meta(row_hashes_name(self._state)) == self._made_for(version)

    def changed_rows(self, hashed: FromClause, columns: Sequence[str]) -> SqlQuery:
        """Select the rows whose hash is not the remembered one: rows that changed, and new rows.

        Args:
            hashed: The source rows with their hashes.
            columns: The columns to select.
        """
        remembered = hashed.outerjoin(self._hashes, self._tables.same_key(hashed, self._hashes))
        has_key = (hashed.c[key].is_not(None) for key in self._tables.key_names)
        # A warehouse that hashes a row to NULL, against what its class says, does not hide the row.
        differs = or_(hashed.c[ROW_HASH].is_(None), hashed.c[ROW_HASH].is_distinct_from(self._hashes.c[ROW_HASH]))
        return select(*(hashed.c[name] for name in columns)).select_from(remembered).where(*has_key, differs)

    def clear(self) -> None:
        """Remove the hashes of a sync whose source and state are in one database: there they are not used."""
        execute = self._state.connection.execute
        if execute(select(self._hashes.c[ROW_HASH]).limit(1)).first() is not None:  # an earlier version stored them
            self._forget_all("")

    def update(self, hashed: HashedRows | None, pending: FromClause, duplicates: FromClause | None) -> None:
        """Forget the hashes of the rows that differ, and remember those of the other rows that were read.

        Args:
            hashed: The rows that the plan read; None where hashes are not used.
            pending: The rows that differ and the missing keys.
            duplicates: The keys that more than one row has; None where there are none.
        """
        differing = [pending] if duplicates is None else [pending, duplicates]
        execute = self._state.connection.execute
        if hashed is not None and not self.are_current(hashed.version):
            self._forget_all(self._made_for(hashed.version))
        elif execute(select(self._hashes.c[ROW_HASH]).limit(1)).first() is not None:
            for relation in [*differing, *([] if hashed is None else [hashed.relation])]:
                forget_row_hashes(self._state, self._tables, self._is_among(relation))
        if hashed is not None:
            columns = [*self._tables.key_names, ROW_HASH, KEY_BUCKET]
            execute(self._hashes.insert().from_select(columns, self._equal(hashed.relation, differing)))
            self._add_to_sums(hashed.relation)

    def sums(self) -> dict[int | None, HashSum]:
        """The sums of the remembered hashes by bucket; empty if they are not kept."""
        rows = map(tuple, self._state.connection.execute(self._grouped_sums()))
        return {bucket: HashSum(int(hashes), (int(high) << 32) + int(low)) for bucket, hashes, high, low in rows}

    def _grouped_sums(self) -> SqlQuery:
        kept = self._tables.hash_sums.c
        parts = [func.sum(kept[name]) for name in ("hashes", "high", "low")]
        return select(kept[KEY_BUCKET], *parts).group_by(kept[KEY_BUCKET]).having(parts[0] > 0)

    def _add_to_sums(self, read: FromClause) -> None:
        """Add the hashes of the rows that were read; those of all rows, once there are enough of them."""
        if has_hash_sums(self._state, self._tables):
            add_hash_sums(self._state, self._tables, self._is_among(read))
            self._join_sums()
            return
        rows = self._state.connection.execute(select(func.count()).select_from(self._hashes)).scalar_one()
        if rows >= self._state.sums.from_rows:
            add_hash_sums(self._state, self._tables, true(), is_first=True)

    def _join_sums(self) -> None:
        """Add up what the last plans added to the sums, once these are many rows."""
        sums, execute = self._tables.hash_sums, self._state.connection.execute
        if int(execute(select(func.count()).select_from(sums)).scalar_one()) > self._state.sums.stored:
            rows = [tuple(map(int, row)) for row in execute(self._grouped_sums())]
            execute(sums.delete())
            self._state.database.insert_rows(self._state.connection, sums, rows)

    def _forget_all(self, made_for: str) -> None:
        for table in (self._hashes, self._tables.hash_sums):
            self._state.connection.execute(table.delete())
        self._state.set_meta(row_hashes_name(self._state), made_for)

    def _is_among(self, relation: FromClause) -> ColumnElement[bool]:
        return among(self._tables.keys_of(self._hashes), self._keys(relation))

    def _equal(self, read: FromClause, differing: list[FromClause]) -> SqlQuery:
        joined: FromClause = read
        absent: list[ColumnElement[bool]] = []
        first_key = self._tables.key_names[0]
        for relation in differing:  # not NOT EXISTS: SQLite would scan the whole relation for each row
            joined = joined.outerjoin(relation, self._tables.same_key(read, relation))
            absent.append(relation.c[first_key].is_(None))
        return self._keys(read).add_columns(read.c[ROW_HASH], read.c[KEY_BUCKET]).select_from(joined).where(*absent)

    def _keys(self, relation: FromClause) -> SqlQuery:
        keys = [relation.c[key] for key in self._tables.key_names]
        return select(*keys).where(*(key.is_not(None) for key in keys))

    def _made_for(self, version: str) -> str:
        sync = self._state.sync
        described = json.dumps(
            [
                version,
                source_text(sync),
                mapping_version(sync),
                list(sync.key_columns),
                str(sync.mode),
                self._state.sums.divisor,
            ]
        )
        return hashlib.sha256(described.encode()).hexdigest()[:16]
