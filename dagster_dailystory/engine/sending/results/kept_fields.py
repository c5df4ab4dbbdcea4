"""The fields whose value in DailyStory is another one than the snapshot has: an adoption or an undo left it there."""

from __future__ import annotations

from functools import reduce

from sqlalchemy import FromClause, and_, case, false, func, literal, null, or_

from dagster_dailystory.databases.sql_types import TEXT, SqlValue
from dagster_dailystory.engine.state.schema import KEPT_FIELDS, SyncTables, differs_column

_NO_NAME = '"-"'


def kept_fields(tables: SyncTables, sent: FromClause, known: FromClause) -> SqlValue:
    """The fields that a change did not send. Custom fields are sent together, and a NULL is sent where it differs.

    Args:
        tables: The sync's tables.
        sent: The change, with `replaced` and `is_other_contact`.
        known: The snapshot of the row.
    """
    custom = or_(false(), *(_differs(sent, m.state_column) for m in tables.sync.mapped_fields if m.is_custom))
    kept: SqlValue = known.c[KEPT_FIELDS]
    left: SqlValue = kept
    for mapped in tables.sync.sent_fields:
        name = mapped.state_column
        is_part = or_(sent.c.replaced, custom) if mapped.is_custom else sent.c.replaced
        is_sent = or_(_differs(sent, name), and_(is_part, sent.c[name].is_not(None)))
        left = func.replace(left, case((is_sent, f'"{name}"'), else_=_NO_NAME), "")
    return case((or_(kept.is_(None), sent.c.is_other_contact), null()), else_=func.nullif(left, ""))


def with_recorded(tables: SyncTables, recorded: FromClause, known: FromClause) -> SqlValue:
    """The fields that an undo leaves to a person, beside those that were left before.

    Args:
        tables: The sync's tables.
        recorded: The change that sends nothing.
        known: The snapshot of the row.
    """
    none: SqlValue = literal("", TEXT)
    names: list[SqlValue] = [
        case((_is_edit(recorded, known, m.state_column), literal(f'"{m.state_column}"', TEXT)), else_=none)
        for m in tables.sync.sent_fields
    ]
    before: SqlValue = func.coalesce(known.c[KEPT_FIELDS], none)
    return func.nullif(reduce(lambda one, other: one.concat(other), names, before), none)


def _is_edit(recorded: FromClause, known: FromClause, name: str) -> SqlValue:
    return and_(_differs(recorded, name), recorded.c[name].is_not(None))


def _differs(changes: FromClause, name: str) -> SqlValue:
    return func.coalesce(changes.c[differs_column(name)], false())
