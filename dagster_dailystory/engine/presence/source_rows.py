"""Reads the rows of one key, and the keys of one email address, from the source as it is now."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from dagster_dailystory.contacts.identity import email_spellings
from dagster_dailystory.databases.source import Source
from dagster_dailystory.databases.sql_types import SqlQuery
from dagster_dailystory.engine.presence.source_keys import Key, SourceKeys
from dagster_dailystory.errors import WarehouseError
from dagster_dailystory.model.contact_fields import FieldKind
from dagster_dailystory.model.sync import ContactSync

_MOST_ROWS = 10


def rows_of_key(keys: SourceKeys, sync: ContactSync, key: Key) -> list[Mapping[str, object]]:
    """The rows of one key, by state column, within the caller's transaction; at most ten.

    Args:
        keys: The source.
        sync: The sync.
        key: The values of the key columns, as the state has them.

    Raises:
        WarehouseError: The source cannot be asked, or cannot be asked for one key of this type.
    """
    conditions = keys.conditions(key)
    if conditions is None:
        raise WarehouseError(
            f"the source of sync {sync.name!r} cannot be asked for one key of its type; a dry run with keys=[...] shows"
            " what would be sent"
        )
    names = list(sync.key_columns)

    def build(source: Source) -> SqlQuery:
        columns = keys.key_columns(source)
        fields = {n: v for n, v in source.selection(sync).items() if n not in names}
        listed = (value.label(name) for name, value in zip(names, columns, strict=True))
        values = (value.label(name) for name, value in fields.items())
        return select(*listed, *values).where(*conditions(source)).limit(_MOST_ROWS)

    found = [dict(row._mapping) for row in keys.select(build)]
    return [row for row in found if keys.staged([row[name] for name in names]) == key]


def keys_of_email(keys: SourceKeys, sync: ContactSync, email: str) -> list[Key]:
    """The keys of the rows with an email address, in any letter case, within the caller's transaction; at most ten.

    Raises:
        WarehouseError: The source cannot be asked.
    """
    columns = [m.column for m in sync.read_fields if m.kind is FieldKind.EMAIL]
    if not columns:
        return []

    def build(source: Source) -> SqlQuery:
        text = source.relation.c[source.columns[columns[0]]]
        has_email: list[ColumnElement[bool]] = [func.lower(text) == each.lower() for each in email_spellings(email)]
        return select(*keys.key_columns(source)).where(or_(*has_email)).limit(_MOST_ROWS)

    return [keys.staged(row) for row in keys.select(build)]
