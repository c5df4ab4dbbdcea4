"""Newcomers: source rows under a new key that no row check covers, with the identities that they bring.

Such a row is in another slice, shares its key with another row, or has a NULL in the key. A missing key with the same
identity is a contact that is in the source under another key.
"""

from __future__ import annotations

from sqlalchemy import FromClause, and_, not_, or_, select

from dagster_dailystory.engine.presence.identities import identity_columns, with_identities
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State


def newcomers(state: State, tables: SyncTables, rows: FromClause, pending: FromClause) -> FromClause | None:
    """Make a temporary table with `identity_email` and `identity_mobile` of each newcomer; None if none is mapped.

    Args:
        state: The sync's state, within a transaction.
        tables: The sync's tables.
        rows: The rows of the whole source with their mapped columns, as the diff has them.
        pending: The rows that differ; they have row checks.
    """
    names = identity_columns(tables)
    if not names:
        return None
    key, values = tables.key_names[0], [rows.c[name] for name in names]
    checked = and_(tables.same_key(rows, pending), not_(pending.c.departed))
    # Not NOT EXISTS: SQLite would scan an unindexed table once for each row.
    joined = rows.outerjoin(tables.snapshot, tables.same_key(rows, tables.snapshot)).outerjoin(pending, checked)
    found = (
        select(*values)
        .select_from(joined)
        .where(tables.snapshot.c[key].is_(None), pending.c[key].is_(None))
        .where(or_(*(value.is_not(None) for value in values)))
    )
    return with_identities(state, tables, found.subquery("found"), ("newcomers", "new_identities"))
