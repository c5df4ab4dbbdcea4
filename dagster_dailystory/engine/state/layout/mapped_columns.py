"""Keeps the sync's tables in step with its mapping: creates them, adds columns, and rebuilds retyped columns."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from itertools import count

from sqlalchemy import (
    Column,
    Float,
    Integer,
    MetaData,
    Numeric,
    Table,
    and_,
    column,
    inspect,
    select,
    table,
    true,
)  # fmt: skip
from sqlalchemy.schema import CreateColumn, DropTable
from sqlalchemy.types import JSON

from dagster_dailystory.contacts.canonical import UnsupportedValueError, canonical_text
from dagster_dailystory.databases.connect import reflected_types
from dagster_dailystory.databases.expressions import rows_parameter
from dagster_dailystory.databases.source import BATCH_ROWS
from dagster_dailystory.databases.sql_types import SqlType, SqlValue, Untyped
from dagster_dailystory.databases.stored_values import reader_of, staged_key
from dagster_dailystory.engine.state.incremental import require_full_comparison
from dagster_dailystory.engine.state.schema import SyncTables, differs_column
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import StateError
from dagster_dailystory.model.mapping import MappedField, Nulls


def is_canonical(text: str, kind: SqlType) -> bool:
    """Whether a value of this type has exactly this canonical text, and every database can store it."""
    if not is_storable(text):
        return False
    if isinstance(kind, Untyped):
        return True
    read = reader_of(kind)
    with contextlib.suppress(ValueError):  # it is not a text of this type
        return read is not None and canonical_text(read(text)) == text
    return False


def is_storable(text: str) -> bool:
    """Whether every database can store a text: it has no NUL, and no half of a character that was cut."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def is_nested(state: State, kind: SqlType) -> bool:
    """Whether the values of a column are lists or objects, whose canonical form is a JSON text."""
    return isinstance(kind, JSON) or state.database.holds_several_values(kind)


def nested_value(stored: object) -> object:
    """A list, or an object, from its JSON text; another value as it is."""
    with contextlib.suppress(ValueError):  # it is a plain text
        return json.loads(stored) if isinstance(stored, str) else stored
    return stored


def retype(state: State, existing: SyncTables, mapped: MappedField, kind: SqlType) -> None:
    """Give a snapshot column another type, so that equal values still compare equal.

    A value that the new type cannot represent becomes NULL, and so differs. The changes of stored plans lose the
    column's values. Each step is a transaction: DuckDB cannot alter and fill a table in one.
    """
    name, new_name = mapped.state_column, rebuilt_column(mapped.state_column)
    snapshot, changes = existing.snapshot, existing.changes
    alter(state, snapshot, f"ADD COLUMN {CreateColumn(Column(new_name, kind)).compile(dialect=state.dialect)}")
    keys = {key: snapshot.c[key].type for key in existing.key_names}
    with state.connection.begin():
        require_full_comparison(state)
        for rows in _texts(state, snapshot, existing.key_names, name):
            if isinstance(kind, JSON):  # a list's items may be of another type
                rows = [{**row, "text": nested_value(row["text"])} for row in rows]
            kept = [row for row in rows if _is_kept(row["text"], kind)]
            lost = [row for row in rows if not _is_kept(row["text"], kind)]
            _update(state, snapshot, keys, {"text": kind}, kept, new_name)
            if mapped.nulls is Nulls.CLEAR:
                _update(state, snapshot, keys, {}, lost, "resend_all")
    alter(state, changes, f"DROP COLUMN {quoted(state, name)}")
    alter(state, changes, f"ADD COLUMN {CreateColumn(Column(name, kind)).compile(dialect=state.dialect)}")
    alter(state, snapshot, f"DROP COLUMN {quoted(state, name)}")
    alter(state, snapshot, f"RENAME COLUMN {quoted(state, new_name)} TO {quoted(state, name)}")


def _is_kept(value: object, kind: SqlType) -> bool:
    return is_canonical(value, kind) if isinstance(value, str) else True


def rebuilt_column(name: str) -> str:
    """The column that replaces a retyped column, while it is being filled."""
    return f"retyped_{name}"  # no state column begins so


def _update(
    state: State,
    snapshot: Table,
    keys: Mapping[str, SqlType],
    value: Mapping[str, SqlType],
    rows: list[dict[str, object]],
    name: str,
) -> None:
    given = state.database.json_rows({**keys, **value})
    target = table(snapshot.name, *(column(each) for each in (*keys, name)), schema=snapshot.schema)
    same = and_(*(target.c[key] == given.c[key] for key in keys))
    new_value = given.c.text if value else true()
    state.connection.execute(target.update().where(same).values({name: new_value}), rows_parameter(rows))


def _texts(state: State, snapshot: Table, keys: tuple[str, ...], name: str) -> Iterator[list[dict[str, object]]]:
    """Read the column as canonical texts with their keys, page by page: no cursor stays open while rows change."""
    old: SqlValue = column(name)
    columns = [snapshot.c[key] for key in keys]
    query = select(*columns, old.label("text")).select_from(snapshot).where(old.is_not(None)).order_by(*columns)
    for page in count():
        rows = state.connection.execute(query.limit(BATCH_ROWS).offset(page * BATCH_ROWS)).mappings().all()
        yield [{**{key: staged_key(row[key]) for key in keys}, "text": _text(row["text"])} for row in rows]
        if len(rows) < BATCH_ROWS:
            return


def _text(value: object) -> str:
    try:
        return canonical_text(value) or ""
    except UnsupportedValueError:
        return ""


def alter(state: State, altered: Table, action: str) -> None:
    """Change a state table, in a transaction of its own."""
    qualified = state.dialect.identifier_preparer.format_table(altered)
    with state.connection.begin():
        state.connection.exec_driver_sql(f"ALTER TABLE {qualified} {action}")


def quoted(state: State, name: str) -> str:
    """Quote a name if the database needs it."""
    return state.dialect.identifier_preparer.quote(name)


def ensure_tables(state: State, key_types: Mapping[str, SqlType], value_types: Mapping[str, SqlType]) -> SyncTables:
    """Create the sync's tables, or bring them in step with the mapping.

    A new field adds a column; the column of a removed field stays and is no longer compared. If an earlier run died
    while it altered the tables, its work is finished or repeated.

    Raises:
        StateError: The tables have other key columns, or key columns of other types.
    """
    wanted = SyncTables(state.sync, state.location, key_types, value_types, state.dialect)
    with state.connection.begin():
        existing = state.load_tables()
        if existing is None:
            wanted.metadata.create_all(state.connection)
            return wanted
    for name, kind in key_types.items():
        _fit_key(state, existing, name, kind)
    if state.database.folds_case:
        existing = _without_recased(state, existing)
    found, changes = _types(existing.snapshot), _columns(state, existing.changes)
    for mapped in state.sync.mapped_fields:
        for name in (mapped.state_column, differs_column(mapped.state_column)):
            if name not in changes:
                _add(state, wanted.changes, name)
        _fit_value(state, wanted, mapped, value_types[mapped.state_column], found)
    return wanted


def _without_recased(state: State, existing: SyncTables) -> SyncTables:
    """Drop the columns of a custom field whose name has other letter case now: it is another field in DailyStory."""
    wanted = {each for m in state.sync.mapped_fields for each in (m.state_column, differs_column(m.state_column))}
    folded = {name.casefold(): name for name in wanted}
    for altered in (existing.snapshot, existing.changes):
        for name in _columns(state, altered):
            if folded.get(name.casefold(), name) != name:
                alter(state, altered, f"DROP COLUMN {quoted(state, name)}")
    with state.connection.begin():
        return state.load_tables() or existing


def _fit_value(
    state: State, wanted: SyncTables, mapped: MappedField, kind: SqlType, found: Mapping[str, SqlType]
) -> None:
    name, rebuilt = mapped.state_column, rebuilt_column(mapped.state_column)
    if rebuilt in found and name not in found:
        alter(state, wanted.snapshot, f"RENAME COLUMN {quoted(state, rebuilt)} TO {quoted(state, name)}")
    elif rebuilt in found:
        alter(state, wanted.snapshot, f"DROP COLUMN {quoted(state, rebuilt)}")
    if name not in found and rebuilt not in found:
        _add(state, wanted.snapshot, name)
        if mapped.constant is not None:  # what was sent before is taken for sent with the present constant
            with state.connection.begin():
                state.connection.execute(wanted.snapshot.update().values({name: mapped.constant}))
    elif name in found and not state.database.same_storage(found[name], kind):
        retype(state, wanted, mapped, kind)


def _types(table: Table) -> dict[str, SqlType]:
    return {column.name: column.type for column in table.columns}


def _columns(state: State, table: Table) -> dict[str, SqlType]:
    with state.connection.begin():
        return reflected_types(state.connection, table.name, table.schema) or {}


def widen_keys(state: State, names: Collection[str]) -> None:
    """Turn integer key columns into text, because the source has integers beyond 64 bits now. Equal keys stay equal."""
    if not names:
        return
    with state.connection.begin():
        existing = state.load_tables()
        if existing is None:
            return
        wider = existing.with_text_keys(names)
        for old, new in zip(existing.keyed, wider.keyed, strict=True):
            if not state.database.alters_column_types:
                _copy_to_new_table(state, old, new)
                continue
            qualified = state.dialect.identifier_preparer.format_table(old)
            for name in names:
                kind = new.c[name].type.compile(state.dialect)
                state.connection.exec_driver_sql(
                    f"ALTER TABLE {qualified} ALTER COLUMN {quoted(state, name)} TYPE {kind}"
                )


def _copy_to_new_table(state: State, old: Table, new: Table) -> None:
    """Give columns another type where it cannot be altered: the new table takes the rows and the name."""
    execute, known = state.connection.execute, inspect(state.connection)
    copied = reflected_types(state.connection, old.name) or {}
    aside = Table(f"{old.name}_old", MetaData(), *(Column(each, kind) for each, kind in copied.items()))
    for index in known.get_indexes(old.name):
        state.connection.exec_driver_sql(f"DROP INDEX {quoted(state, str(index['name']))}")
    renamed = f"ALTER TABLE {quoted(state, old.name)} RENAME TO {quoted(state, aside.name)}"
    state.connection.exec_driver_sql(renamed)
    new.create(state.connection)
    names = [name for name in copied if name in new.c]
    execute(new.insert().from_select(names, select(*(aside.c[name] for name in names))))
    execute(DropTable(aside))


def _fit_key(state: State, existing: SyncTables, name: str, kind: SqlType) -> None:
    old = existing.snapshot.c[name].type
    if state.database.same_storage(old, kind):
        return
    if not (isinstance(old, Integer) and _holds_integers(kind)):
        raise StateError(
            f"key {name!r} of sync {state.sync.name!r} was {old.compile(state.dialect)} and is now "
            f"{kind.compile(state.dialect)}; cast it in the query, or give the sync a new name"
        )
    for keyed in existing.keyed:
        alter(state, keyed, f"ALTER COLUMN {quoted(state, name)} TYPE {kind.compile(state.dialect)}")


def _holds_integers(kind: SqlType) -> bool:
    """Whether every integer key stays the same key in a column of this type."""
    return isinstance(kind, (Integer, Numeric)) and not isinstance(kind, Float)


def _add(state: State, table: Table, column: str) -> None:
    alter(state, table, f"ADD COLUMN {CreateColumn(table.c[column]).compile(dialect=state.dialect)}")
