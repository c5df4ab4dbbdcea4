"""The checkpoint of a sync with a watermark: whether a run reads recent rows only, and from where on."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, literal_column, select

from dagster_dailystory.contacts.fingerprint import mapping_version
from dagster_dailystory.databases.source import Source
from dagster_dailystory.databases.source_text import source_text
from dagster_dailystory.databases.sql_types import BIG_INTEGER
from dagster_dailystory.engine.state.schema import KEY_BUCKET, SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import Scope
from dagster_dailystory.model.watermark import Moment, WatermarkValues


@dataclass(frozen=True)
class Checkpoint:
    """How far the last complete run read along the watermark.

    Attributes:
        highest: The highest value of the watermark's column.
        full_at: When the last full comparison started, UTC.
        made_for: A hash of the query, the mapping and the column.
    """

    highest: Moment
    full_at: datetime
    made_for: str

    def encoded(self) -> str:
        """The text that the state stores."""
        return json.dumps([self.highest.isoformat(), self.full_at.isoformat(), self.made_for])

    @classmethod
    def decoded(cls, text: str | None) -> Checkpoint | None:
        """Read a stored checkpoint; None if it was invalidated or never written."""
        if text is None or not text.startswith("["):
            return None
        highest, full_at, made_for = json.loads(text)
        read = datetime.fromisoformat if "T" in highest else date.fromisoformat
        return cls(read(highest), datetime.fromisoformat(full_at), made_for)


@dataclass(frozen=True)
class RowsToRead:
    """The rows that a run compares.

    Attributes:
        source: The source with these rows.
        since: The lowest watermark among them, None for all rows.
        watermark: The values of the watermark column in these rows.
    """

    source: Source
    since: Moment | None
    watermark: WatermarkValues


class IncrementalRead:
    """Reads the checkpoint of one sync, within the caller's transaction."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._stored = None if state.sync.watermark is None else state.meta(_name(state))

    def since(self, options: PlanOptions) -> Moment | None:
        """The lowest value of the column that a run reads; None for all rows.

        All rows are read if keys were chosen, and if the query, the mapping or the column is another one: then rows
        differ that did not change.
        """
        watermark, checkpoint = self._state.sync.watermark, Checkpoint.decoded(self._stored)
        if watermark is None or checkpoint is None or checkpoint.made_for != self._made_for():
            return None
        age = self._state.now() - checkpoint.full_at
        reads_all = options.reads_all or options.scope is not Scope.CHANGED or bool(options.keys)
        if reads_all or age >= timedelta(seconds=watermark.full_every_seconds):
            return None
        return watermark.back_from(checkpoint.highest)

    def rows_to_read(
        self, options: PlanOptions, read: Callable[[Moment | None], Source], connection: Connection
    ) -> RowsToRead:
        """The rows from the checkpoint on; all rows if none of them has reached the checkpoint.

        Args:
            options: What the run asks for.
            read: Takes the lowest watermark, None for all rows, and returns the source with these rows.
            connection: To the warehouse.
        """
        sync, since, now = self._state.sync, self.since(options), self._state.now()
        source = read(since)
        found = source.watermark_values(sync, connection, now)
        if since is None or not self._is_behind(found.highest):
            return RowsToRead(source, since, found)
        source = read(None)
        return RowsToRead(source, None, source.watermark_values(sync, connection, now))

    def _is_behind(self, highest: Moment | None) -> bool:
        """Whether no row has the checkpoint's value any more: the source was loaded anew, with older values.

        A checkpoint of another kind, as a date beside timestamps, cannot be compared.
        """
        checkpoint = Checkpoint.decoded(self._stored)
        if checkpoint is None or highest is None:
            return True
        try:
            return highest < checkpoint.highest
        except TypeError:
            return True

    def next_checkpoint(self, highest: Moment | None, options: PlanOptions) -> str | None:
        """What to store once every change of this plan was sent; None if the plan did not look at all recent rows.

        Holds the checkpoint that it replaces too: `advance` stores it only if that one is still there.
        """
        checkpoint = Checkpoint.decoded(self._stored)
        reads_all_recent = options.scope in (Scope.CHANGED, Scope.ALL) and not options.keys and options.limit is None
        if self._state.sync.watermark is None or options.dry_run or not reads_all_recent:
            return None
        highest = highest or (checkpoint.highest if checkpoint is not None and options.since is not None else None)
        if highest is None:
            return None
        full_at = checkpoint.full_at if checkpoint is not None and options.since is not None else self._state.now()
        return json.dumps([self._stored, Checkpoint(highest, full_at, self._made_for()).encoded()])

    def _made_for(self) -> str:
        sync = self._state.sync
        column = "" if sync.watermark is None else sync.watermark.column
        described = json.dumps([source_text(sync), mapping_version(sync), column, list(sync.key_columns)])
        return hashlib.sha256(described.encode()).hexdigest()[:16]


def advance(state: State, next_checkpoint: str) -> None:
    """Store a plan's checkpoint, unless the one that it replaces was invalidated meanwhile."""
    replaced, checkpoint = json.loads(next_checkpoint)
    if state.meta(_name(state)) == replaced:
        state.set_meta(_name(state), checkpoint)


def require_full_comparison(state: State) -> None:
    """Invalidate the checkpoint and the row hashes: rows differ that did not change in the source."""
    if state.sync.watermark is not None:
        state.set_meta(_name(state), f"forgotten {secrets.token_hex(8)}")
    if state.meta(row_hashes_name(state)):
        state.set_meta(row_hashes_name(state), "")


def forget_row_hashes(state: State, tables: SyncTables, forgotten: ColumnElement[bool]) -> None:
    """Delete the row hashes that meet a condition, and take them off their sums."""
    add_hash_sums(state, tables, forgotten, times=-1)
    state.connection.execute(tables.row_hashes.delete().where(forgotten))


def has_hash_sums(state: State, tables: SyncTables) -> bool:
    """Whether the sums of the remembered row hashes are kept."""
    return state.connection.execute(select(tables.hash_sums.c.hashes).limit(1)).first() is not None


def add_hash_sums(
    state: State, tables: SyncTables, which: ColumnElement[bool], *, times: int = 1, is_first: bool = False
) -> None:
    """Add the row hashes that meet a condition to the sums of their buckets, where sums are kept.

    Args:
        state: The sync's state, within a transaction.
        tables: The sync's tables.
        which: Condition on the row hashes.
        times: -1 to take them off.
        is_first: Keep sums from now on.
    """
    if not is_first and not has_hash_sums(state, tables):
        return
    hashes, sign = tables.row_hashes, literal_column(str(times), BIG_INTEGER)
    number = hashes.c.row_hash
    halves = (number.op(">>")(literal_column("32")), number.op("&")(literal_column(str(2**32 - 1))))
    added = select(hashes.c[KEY_BUCKET], func.count() * sign, *(func.sum(half) * sign for half in halves))
    added = added.where(number.is_not(None), which).group_by(hashes.c[KEY_BUCKET])
    columns = [KEY_BUCKET, "hashes", "high", "low"]
    state.connection.execute(tables.hash_sums.insert().from_select(columns, added))


def row_hashes_name(state: State) -> str:
    """The meta row that records what the stored row hashes were computed for."""
    return f"row_hashes:{state.sync.name}"


def _name(state: State) -> str:
    return f"watermark:{state.sync.name}"
