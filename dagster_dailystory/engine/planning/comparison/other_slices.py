"""What a plan for one slice must know of the others, which it does not read: it looks up keys and identities there.

A missing key may be in another slice now. A row may share its key with a row of another slice. The contact of a missing
key may be in another slice under another key, and an opt-out may be taken back here that a row there still sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    MetaData,
    RowMapping,
    Table,
    and_,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    union,
)
from sqlalchemy.schema import DropTable

from dagster_dailystory.databases.expressions import among_numbers, opt_out_text, opts_out
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.source import Source
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, CreateTemporaryTableAs, SqlQuery, SqlValue
from dagster_dailystory.engine.planning.comparison.hashes.row_hashes import HashedRows
from dagster_dailystory.engine.planning.comparison.slices import is_in_slices, value_elsewhere
from dagster_dailystory.engine.planning.comparison.staged import OtherSlices, Staged
from dagster_dailystory.engine.planning.comparison.transfer import Reading, Transfer, query_of
from dagster_dailystory.engine.presence.source_identities import SourceIdentities
from dagster_dailystory.engine.presence.source_keys import Key, SourceKeys
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.model.change import Reason
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.mapping import MappedField
from dagster_dailystory.model.partitions import PARTITION_VALUE, HashBuckets, Partitioning, Slices
from dagster_dailystory.model.sync import ContactSync

_MOST_KEYS, _ONE_IN = 10_000, 10
"""Read the whole source rather than look up more than 10,000 keys and one in ten of the slice."""

_SPELLINGS_AT_ONCE = 1_000


@dataclass(frozen=True)
class WholeSource:
    """The rows of all slices.

    Attributes:
        source: The table or query.
        key_hash: The hash of a key; None if the warehouse cannot hash keys.
        warehouse: Where the rows are.
    """

    source: Source
    key_hash: SqlValue | None
    warehouse: Connection

    def doubled_hashes(self, sync: ContactSync, most: int = 0) -> Sequence[int]:
        """The hashes of the keys that are in several rows, whatever their slices; one more than `most` at most.

        A key alone decides about its hash bucket, so there a slice has all rows of its keys.
        """
        if self.key_hash is None or isinstance(sync.partitions, HashBuckets):
            return ()
        keys = [self.source.read_columns(sync)[key] for key in sync.key_columns]
        rows = select(self.key_hash.label("hash")).select_from(self.source.relation)
        doubled = rows.where(*(key.is_not(None) for key in keys)).group_by(self.key_hash).having(func.count() > 1)
        return self.warehouse.execute(doubled.limit(most + 1)).scalars().all()

    def count_keys(self) -> int:
        """The different keys of the source; its rows, if keys cannot be hashed."""
        counted: SqlValue = func.count() if self.key_hash is None else func.count(self.key_hash.distinct())
        return int(self.warehouse.execute(select(counted).select_from(self.source.relation)).scalar_one())


@dataclass(frozen=True)
class OtherSlicesLookUp:
    """Looks up what a plan for one slice must know of the others, within the caller's transaction.

    Attributes:
        transfer: Has read the slice.
        staged: What it staged.
        tables: The sync's state tables.
        others: Reads the other slices.
        source_keys: Looks keys up.
        whole: The rows of all slices.
        slices: The slices of the run.
    """

    transfer: Transfer
    staged: Staged
    tables: SyncTables
    others: Reading
    source_keys: SourceKeys
    whole: WholeSource
    slices: Slices

    def completed(self) -> Staged | None:
        """The staged slice with what was looked up; None if so much is unknown that all rows have to be read."""
        rows = self._number(select(func.count()).select_from(self._read))
        most = max(_MOST_KEYS, rows // _ONE_IN)
        unread = self._made("unread", self._unread_keys())
        several = self._made("several", self._keys_of_several_slices())
        doubled = self._doubled_keys()
        wanted = max(self._number(select(func.count()).select_from(each)) for each in (unread, several))
        if wanted > most or doubled is None:
            return None
        # All rows, and not only those of other slices: a key may have come into this one since it was read.
        found = self.source_keys.present(select(*self.tables.keys_of(unread)))
        found |= doubled | self.source_keys.present(select(*self.tables.keys_of(several)), self.others.source)
        keys = self._with_keys(found)
        missing = self._unread(unread, keys).subquery("missing")
        known = self._known(missing)
        related = [*known, *self._taking_back(most)]
        if len(related) > most:
            return None
        self._read_related(related)
        rest = OtherSlices(
            has_rows=bool(rows) or self._source_has_rows(),
            missing=missing,
            keys_in_source=self.whole.count_keys() if known else None,
        )
        return replace(self.staged, all_keys=keys, rest=rest, hashed=self._compared())

    def _compared(self) -> HashedRows | None:
        """The rows of the slice with their hashes: those of other slices are not compared with the snapshot."""
        hashed, rows = self.staged.hashed, self.staged.relation
        here = select(rows).where(self._is_here(rows)).subquery("source")
        return hashed and replace(hashed, relation=here)

    @property
    def _partitions(self) -> Partitioning:
        partitions = self.tables.sync.partitions
        assert partitions is not None
        return partitions

    @property
    def _read(self) -> FromClause:
        return self.staged.relation if self.staged.all_keys is None else self.staged.all_keys

    def _is_here(self, relation: FromClause) -> ColumnElement[bool]:
        return is_in_slices(relation.c[PARTITION_VALUE], self._partitions, self.slices)

    def _unread_keys(self) -> SqlQuery:
        """The keys that the state has in this slice, and that no row of it has."""
        snapshot, rejections = self.tables.snapshot, self.tables.rejections
        has_key = (key.is_not(None) for key in self.tables.keys_of(rejections))
        stored = [self._unread(each, self._read).where(self._is_here(each)) for each in (snapshot, rejections)]
        found = union(stored[0], stored[1].where(*has_key)).subquery("unread")
        return select(*self.tables.keys_of(found))

    def _unread(self, stored: FromClause, read: FromClause) -> SqlQuery:
        joined = stored.outerjoin(read, self.tables.same_key(read, stored))
        return (
            select(*self.tables.keys_of(stored)).select_from(joined).where(read.c[self.tables.key_names[0]].is_(None))
        )

    def _made(self, name: str, query: SqlQuery) -> FromClause:
        """A temporary table of what a query selects."""
        state = self.transfer.state
        full_name = state.location.table_name(state.sync.name, name)
        made = Table(full_name, MetaData(), *(Column(each.name, each.type) for each in query.selected_columns))
        state.connection.execute(DropTable(made, if_exists=True))  # of an attempt before
        state.connection.execute(CreateTemporaryTableAs(full_name, query))
        return made

    def _keys_of_several_slices(self) -> SqlQuery:
        """The keys read that were in another slice, or in several rows."""
        read, snapshot, rejections = self._read, self.tables.snapshot, self.tables.rejections
        keys = self.tables.keys_of(read)
        came = and_(snapshot.c[PARTITION_VALUE].is_not(None), not_(self._is_here(snapshot)))
        moved = select(*keys).select_from(read.join(snapshot, self.tables.same_key(read, snapshot))).where(came)
        repeated = read.join(rejections, self.tables.same_key(read, rejections))
        doubled = select(*keys).select_from(repeated).where(rejections.c.reason == Reason.DUPLICATE_KEY.value)
        found = union(moved, doubled).subquery("several")
        return select(*self.tables.keys_of(found))

    def _doubled_keys(self) -> set[Key] | None:
        """The keys that several rows of the source have; None if they are many."""
        most = database_of(self.whole.warehouse.dialect).longest_list
        numbers = self.whole.doubled_hashes(self.tables.sync, most)
        if not numbers or len(numbers) > most or self.whole.key_hash is None:
            return None if numbers else set()
        keys = self.source_keys.key_columns(self.whole.source)
        found = self.whole.warehouse.execute(select(*keys).where(among_numbers(self.whole.key_hash, numbers)))
        return set(map(self.source_keys.staged, found))

    def _with_keys(self, found: set[Key]) -> FromClause:
        """A table of the keys read and of those that other slices have."""
        state, types = self.transfer.state, self.staged.key_types
        if isinstance(self.staged.all_keys, Table):
            table = self.staged.all_keys
        else:
            name = state.location.table_name(state.sync.name, "present")
            columns = [*(Column(key, kind) for key, kind in types.items()), Column(PARTITION_VALUE, TEXT)]
            table = Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])
            state.connection.execute(DropTable(table, if_exists=True))  # of a comparison of hashes that was given up
            table.create(state.connection)
            read = self.staged.relation
            rows = select(*self.tables.keys_of(read), read.c[PARTITION_VALUE])
            state.connection.execute(table.insert().from_select([*types, PARTITION_VALUE], rows))
            state.database.index_temporary(state.connection, table.name, list(types))
        elsewhere = value_elsewhere(self._partitions, self.slices)
        others = len(table.columns) - len(types) - 1
        given: list[Any] = [(*key, elsewhere, *[None] * others) for key in found]
        if given:
            state.database.insert_rows(state.connection, table, given)
        return table

    def _known(self, missing: FromClause) -> list[RowMapping]:
        """The snapshot of the missing keys of this slice."""
        snapshot = self.tables.snapshot
        query = select(snapshot).join(missing, self.tables.same_key(missing, snapshot)).where(self._is_here(snapshot))
        return list(self.transfer.state.connection.execute(query).mappings())

    def _taking_back(self, most: int) -> list[RowMapping]:
        """The snapshot of the rows that take an opt-out back, or may do so."""
        rows, snapshot = self.staged.relation, self.tables.snapshot
        fields = [m for m in self.tables.sync.mapped_fields if m.kind is FieldKind.OPT_OUT]
        if not fields:
            return []
        is_sent_whole = or_(snapshot.c.absent_since.is_not(None), func.coalesce(snapshot.c.resend_all, false()))
        back = [and_(not_(opts_out(rows.c[m.state_column])), or_(is_sent_whole, self._moves(m))) for m in fields]
        query = select(snapshot).select_from(rows.join(snapshot, self.tables.same_key(rows, snapshot)))
        found = self.transfer.state.connection.execute(query.where(or_(*back)).limit(most + 1))
        return list(found.mappings())

    def _moves(self, mapped: MappedField) -> ColumnElement[bool]:
        new, old = self.staged.relation.c[mapped.state_column], self.tables.snapshot.c[mapped.state_column]
        return opt_out_text(new).is_distinct_from(opt_out_text(old))

    def _read_related(self, known: Sequence[RowMapping]) -> None:
        """Read the rows of other slices that have the email or the mobile number of one of these."""
        identities = SourceIdentities(self.transfer.state, self.tables, self.source_keys)
        for start in range(0, len(known), _SPELLINGS_AT_ONCE):
            spellings = identities.spellings(known[start : start + _SPELLINGS_AT_ONCE])
            if any(spellings.values()):
                query = query_of(self.others, self.tables.sync)
                has_identity = identities.has_identity(self.others.source, spellings)
                self.transfer.append(self.staged.key_types, query.where(has_identity))

    def _source_has_rows(self) -> bool:
        one = select(literal_column("1", BIG_INTEGER)).select_from(self.others.source.relation).limit(1)
        return self.transfer.warehouse.execute(one).first() is not None

    def _number(self, query: SqlQuery) -> int:
        return int(self.transfer.state.connection.execute(query).scalar() or 0)
