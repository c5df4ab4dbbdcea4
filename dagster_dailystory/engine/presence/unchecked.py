"""Rows that opt out and have no row check, with their identities: an opt-out counts whatever is wrong with its row.

Such a row shares its key with another row, has a NULL in the key, or is not among the rows that the run looks at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    false,
    literal,
    or_,
    select,
    union_all,
)

from dagster_dailystory.databases.expressions import is_unreadable_consent, opts_out
from dagster_dailystory.databases.sql_types import BIG_INTEGER, SqlType
from dagster_dailystory.engine.presence.forgotten import Forgotten
from dagster_dailystory.engine.presence.identities import identity_columns, with_identities
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.model.change import Reason
from dagster_dailystory.model.contact_fields import CONSENT_KINDS, FieldKind

UNREADABLE = "unreadable"
"""1 if an opt-out flag or the status of the row is unreadable, and the run looks at the row."""

IN_SCOPE = "in_scope"
"""1 if the run looks at the row, 0 if the row only shows that an opt-out was not taken back."""


@dataclass(frozen=True)
class Unchecked:
    """Finds the rows of one plan, within the caller's transaction.

    Attributes:
        state: The sync's state.
        tables: The sync's tables.
        parts: Selects of source rows, each with the keys, the mapped columns and `IN_SCOPE`.
    """

    state: State
    tables: SyncTables
    parts: Sequence[Select[tuple[object, ...]]]

    def opting_out(self) -> FromClause | None:
        """Make a table with key, flags (1 or 0), `IN_SCOPE` and identity of each row; None without any part."""
        if not self.parts:
            return None
        kept: dict[str, SqlType] = {key: self.tables.snapshot.c[key].type for key in self.tables.key_names}
        kept |= dict.fromkeys((*opt_out_columns(self.tables), UNREADABLE, IN_SCOPE), BIG_INTEGER)
        found = union_all(*self.parts).subquery("found")
        names = ("unchecked", "unchecked_values")
        return with_identities(self.state, self.tables, found, names, kept, Forgotten.read(self.state))


def opt_out_columns(tables: SyncTables) -> list[str]:
    """The state columns of the opt-out flags."""
    return list(tables.sync.state_columns(FieldKind.OPT_OUT))


def rows_opting_out(
    tables: SyncTables, rows: FromClause, joined: FromClause, condition: ColumnElement[bool], *, in_scope: bool
) -> Select[tuple[object, ...]]:
    """Select the rows of `joined` that opt out, or may do so, and meet a condition, for `Unchecked`."""
    flags = opt_out_columns(tables)
    consent = [m for m in tables.sync.mapped_fields if m.kind in CONSENT_KINDS]
    unreadable = or_(*(is_unreadable_consent(rows.c[m.state_column], m.kind) for m in consent if in_scope), false())
    return (
        select(
            *(rows.c[key] for key in tables.key_names),
            *(rows.c[name] for name in identity_columns(tables)),
            *(case((opts_out(rows.c[flag]), 1), else_=0).label(flag) for flag in flags),
            case((unreadable, 1), else_=0).label(UNREADABLE),
            cast(literal(int(in_scope)), Integer).label(IN_SCOPE),
        )
        .select_from(joined)
        .where(condition, or_(unreadable, *(opts_out(rows.c[flag]) for flag in flags)))
    )


def known_duplicates(tables: SyncTables, rows: FromClause) -> FromClause:
    """The rows of keys that were in more than one row when the whole source was read."""
    rejections = tables.rejections
    is_duplicate = rejections.c.reason == Reason.DUPLICATE_KEY.value
    return rows.join(rejections, and_(tables.same_key(rows, rejections), is_duplicate))


def unread_rows(
    state: State, tables: SyncTables, rows: FromClause, pending: FromClause
) -> tuple[FromClause, ColumnElement[bool]]:
    """Join the rows that no row check covers and that may bring an identity which the snapshot does not have."""
    snapshot, key = tables.snapshot, tables.key_names[0]
    joined = rows.outerjoin(snapshot, tables.same_key(rows, snapshot)).outerjoin(
        pending, and_(tables.same_key(rows, pending), ~pending.c.departed)
    )
    moved = [state.database.differs(rows.c[name], snapshot.c[name]) for name in identity_columns(tables)]
    is_other = or_(snapshot.c[key].is_(None), *moved)
    return joined, and_(pending.c[key].is_(None), is_other)
