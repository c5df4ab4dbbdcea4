"""Newcomers: source rows under a new key that no row check covers, with the identities that they bring.

Such a row is in another slice, shares its key with another row, or has a NULL in the key. A missing key with the same
identity is a contact that is in the source under another key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Column, FromClause, MetaData, RowMapping, Table, and_, func, not_, or_, select

from dagster_dailystory.contacts.identity import identity_of
from dagster_dailystory.databases.bulk import insert_rows
from dagster_dailystory.databases.memory import release_memory
from dagster_dailystory.databases.source import BATCH_ROWS
from dagster_dailystory.databases.sql_types import TEXT, CreateTemporaryTableAs, SqlQuery
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.contact_fields import FieldKind


class Newcomers:
    """Finds the newcomers of one plan, within the caller's transaction.

    Args:
        state: The sync's state.
        tables: The sync's tables.
        rows: The rows of the whole source with their mapped columns, as the diff has them.
        pending: The rows that differ; they have row checks.
    """

    def __init__(self, state: State, tables: SyncTables, rows: FromClause, pending: FromClause) -> None:
        self._state = state
        self._tables = tables
        self._rows = rows
        self._pending = pending
        kinds = (FieldKind.EMAIL, FieldKind.MOBILE)
        self._columns = [m.state_column for m in tables.sync.mapped_fields if m.kind in kinds]

    def identities(self) -> FromClause:
        """Make a temporary table with `identity_email` and `identity_mobile` of each newcomer."""
        connection = self._state.connection
        columns = [Column("identity_email", TEXT), Column("identity_mobile", TEXT)]
        table = Table(self._name("newcomers"), MetaData(), *columns, prefixes=["TEMPORARY"])
        table.create(connection)
        for rows in self._batches():
            identities = (identity_of(self._tables.sync, dict(row)) for row in rows)
            found = [(identity.email, identity.mobile) for identity in identities if identity]
            if found:
                insert_rows(connection, table, found)
        return table

    def _batches(self) -> Iterator[Sequence[RowMapping]]:
        """Keep the values in a table of its own: no cursor stays open while identities are written."""
        if not self._columns:
            return
        connection, name = self._state.connection, self._name("new_identities")
        release_memory(connection)
        connection.execute(CreateTemporaryTableAs(name, self._query()))
        kept = Table(name, MetaData(), Column("sequence"), *(Column(each) for each in self._columns))
        last = int(connection.execute(select(func.max(kept.c.sequence))).scalar() or 0)
        for first in range(1, last + 1, BATCH_ROWS):
            part = kept.c.sequence.between(first, first + BATCH_ROWS - 1)
            yield connection.execute(select(kept).where(part)).mappings().all()

    def _query(self) -> SqlQuery:
        rows, tables, pending = self._rows, self._tables, self._pending
        key = tables.key_names[0]
        checked = and_(tables.same_key(rows, pending), not_(pending.c.departed))
        # Not NOT EXISTS: SQLite would scan an unindexed table once for each row.
        joined = rows.outerjoin(tables.snapshot, tables.same_key(rows, tables.snapshot)).outerjoin(pending, checked)
        values = [rows.c[name] for name in self._columns]
        return (
            select(func.row_number().over().label("sequence"), *values)
            .select_from(joined)
            .where(tables.snapshot.c[key].is_(None), pending.c[key].is_(None))
            .where(or_(*(value.is_not(None) for value in values)))
        )

    def _name(self, part: str) -> str:
        return self._state.location.table_name(self._tables.sync.name, part)
