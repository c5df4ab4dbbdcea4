"""The identities of source rows that no row check covers, in a temporary table that SQL can join."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Column, FromClause, MetaData, RowMapping, Table, func, select

from dagster_dailystory.contacts.identity import identity_of
from dagster_dailystory.databases.source import BATCH_ROWS
from dagster_dailystory.databases.sql_types import TEXT, CreateTemporaryTableAs, SqlQuery, SqlType
from dagster_dailystory.engine.presence.forgotten import Forgotten
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.contact_fields import FieldKind


def identity_columns(tables: SyncTables) -> list[str]:
    """The state columns that make an identity, as far as they are mapped: email, mobile number and its country."""
    return list(tables.sync.state_columns(FieldKind.EMAIL, FieldKind.MOBILE, FieldKind.REGION))


def with_identities(
    state: State,
    tables: SyncTables,
    rows: FromClause,
    names: tuple[str, str],
    kept: Mapping[str, SqlType] | None = None,
    forgotten: Forgotten | None = None,
) -> FromClause:
    """Make a temporary table with the columns `kept`, `identity_email` and `identity_mobile` of each row.

    Args:
        state: The sync's state, within a transaction.
        tables: The sync's tables.
        rows: The rows, with `identity_columns` and the columns to keep.
        names: The last parts of the names of the table and of the one that keeps the values meanwhile.
        kept: The columns to keep and their types; without any, rows without an identity are left out.
        forgotten: Rows to leave out; the key columns are kept then.
    """
    connection, columns = state.connection, kept or {}
    types: dict[str, SqlType] = {**columns, "identity_email": TEXT, "identity_mobile": TEXT}
    table = Table(
        state.location.table_name(tables.sync.name, names[0]),
        MetaData(),
        *(Column(name, kind) for name, kind in types.items()),
        prefixes=["TEMPORARY"],
    )
    table.create(connection)
    wanted = [rows.c[name] for name in (*columns, *identity_columns(tables))]
    query = select(func.row_number().over().label("sequence"), *wanted)
    for batch in _batches(state, state.location.table_name(tables.sync.name, names[1]), query):
        identities = [identity_of(tables.sync, dict(row)) for row in batch]
        found = [
            (*(row[name] for name in columns), identity.email, identity.mobile)
            for row, identity in zip(batch, identities, strict=True)
            if (columns or identity) and not (forgotten and forgotten.has([row[k] for k in tables.key_names], identity))
        ]
        if found:
            state.database.insert_rows(connection, table, found)
    return table


def _batches(state: State, name: str, query: SqlQuery) -> Iterator[Sequence[RowMapping]]:
    """Keep the values in a table of its own: no cursor stays open while identities are written."""
    connection = state.connection
    connection.execute(CreateTemporaryTableAs(name, query))
    kept = Table(name, MetaData(), *(Column(each.name) for each in query.selected_columns))
    last = int(connection.execute(select(func.max(kept.c.sequence))).scalar() or 0)
    for first in range(1, last + 1, BATCH_ROWS):
        part = kept.c.sequence.between(first, first + BATCH_ROWS - 1)
        yield connection.execute(select(kept).where(part)).mappings().all()
