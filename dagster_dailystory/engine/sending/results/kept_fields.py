"""The fields whose value in DailyStory is another one than the snapshot has: an adoption or an undo left it there."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, and_, case, false, func, not_, null, or_, type_coerce

from dagster_dailystory.databases.sql_types import TEXT, SqlValue
from dagster_dailystory.engine.state.schema import KEPT_FIELDS, SyncTables, differs_column, is_listed, listed


def kept_fields(tables: SyncTables, sent: FromClause, known: FromClause) -> SqlValue:
    """The fields that a change did not send. Custom fields are sent together, and a NULL is sent where it differs.

    Args:
        tables: The sync's tables.
        sent: The change, with `replaced`, `sends_custom` and `is_other_contact`.
        known: The snapshot of the row.
    """
    left: dict[str, ColumnElement[bool]] = {}
    for mapped in tables.sync.sent_fields:
        name = mapped.state_column
        is_part = or_(sent.c.replaced, sent.c.sends_custom) if mapped.is_custom else sent.c.replaced
        is_sent = or_(_differs(sent, name), and_(is_part, _is_given(sent, name)))
        left[name] = and_(is_listed(known, KEPT_FIELDS, name), not_(is_sent))
    is_over = or_(known.c[KEPT_FIELDS].is_(None), sent.c.is_other_contact)
    return case((is_over, null()), else_=listed(left))


def sends_custom(tables: SyncTables) -> SqlValue:
    """Whether a change sends the custom fields, as a column `sends_custom`."""
    custom = [_differs(tables.changes, m.state_column) for m in tables.sync.sent_fields if m.is_custom]
    return or_(false(), *custom).label("sends_custom")


def with_recorded(tables: SyncTables, recorded: FromClause, known: FromClause) -> SqlValue:
    """The fields that an undo leaves to a person, beside those that were left before.

    Args:
        tables: The sync's tables.
        recorded: The change that sends nothing.
        known: The snapshot of the row.
    """
    return listed(
        {
            m.state_column: or_(
                is_listed(known, KEPT_FIELDS, m.state_column),
                and_(_differs(recorded, m.state_column), _is_given(recorded, m.state_column)),
            )
            for m in tables.sync.sent_fields
        }
    )


def _differs(changes: FromClause, name: str) -> ColumnElement[bool]:
    return func.coalesce(changes.c[differs_column(name)], false())


def _is_given(changes: FromClause, name: str) -> ColumnElement[bool]:
    """Whether a change has a value; it may be of any type, also of one that SQLAlchemy cannot compare."""
    return type_coerce(changes.c[name], TEXT).is_not(None)
