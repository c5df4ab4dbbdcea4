"""Looks keys up in the whole source, whatever slice or recent rows a run reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Double,
    Integer,
    Row,
    String,
    Text,
    Uuid,
    bindparam,
    cast,
    false,
    or_,
    select,
)
from sqlalchemy.exc import DBAPIError

from dagster_dailystory.databases.connect import connect, driver_errors_as, open_engine, same_database
from dagster_dailystory.databases.expressions import among
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.source import Source, column_types, open_source, stream, table_types
from dagster_dailystory.databases.sql_types import (
    BIG_INTEGER,
    CreateTemporaryTableAs,
    SqlQuery,
    SqlType,
    SqlValue,
)
from dagster_dailystory.databases.stored_values import key_in_state
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import BusyError, ConfigurationError, WarehouseError

Key = tuple[object, ...]
"""The values of the key columns, as the state has them."""

KEYS_AT_ONCE = 1_000
"""Most keys in one look-up."""


class SourceKeys:
    """Looks up which keys the source has now.

    Args:
        state: The sync's state; if the source is in the same database, its connection reads the source too.
        tables: The sync's tables.
        warehouse_url: Where the source is.

    Attributes:
        is_inside: Whether the source is in the database of the state.
    """

    def __init__(self, state: State, tables: SyncTables, warehouse_url: str) -> None:
        self._state = state
        self._sync = tables.sync
        self._tables = tables
        self._url = warehouse_url
        self.is_inside = same_database(warehouse_url, state.location.url)
        self._types: Mapping[str, SqlType] | None = None
        self._failure = f"the source of sync {tables.sync.name!r} cannot be read"

    def present(self, keys: SqlQuery, source: Source | None = None) -> set[Key]:
        """Select those of the keys that the source has, within the caller's transaction.

        A frame with some rows says nothing about a key that it lacks: all keys count as present.

        Args:
            keys: Selects the key columns from the state.
            source: A part of the source in another database; None for all rows.

        Raises:
            WarehouseError: The source cannot be asked: nothing is known about any key.
        """
        if self._sync.reads_some_rows:
            return {tuple(row) for row in self._state.connection.execute(keys)}
        try:
            if self.is_inside:
                with driver_errors_as(self._failure):
                    return self._present_inside(keys)
            wanted = {tuple(row) for row in self._state.connection.execute(keys)}
            return self._present_elsewhere(wanted, source) if wanted else set()
        except (BusyError, ConfigurationError) as error:  # a locked DuckDB file, or a column that was removed
            raise WarehouseError(str(error)) from None

    def select(self, build: Callable[[Source], SqlQuery]) -> Sequence[Row[Any]]:
        """Select rows of the source as it is now, within the caller's transaction.

        Args:
            build: Builds the query.

        Raises:
            WarehouseError: The source cannot be asked.
        """
        try:
            with driver_errors_as(self._failure):
                if self.is_inside:
                    connection = self._state.connection
                    return connection.execute(build(open_source(self._sync, connection))).all()
                with connect(open_engine(self._url), "warehouse") as warehouse, warehouse.begin():
                    return warehouse.execute(build(open_source(self._sync, warehouse))).all()
        except (BusyError, ConfigurationError) as error:
            raise WarehouseError(str(error)) from None

    def conditions(self, key: Key) -> Callable[[Source], list[ColumnElement[bool]]] | None:
        """What the rows of one key fulfil, within the caller's transaction; rows of other keys may too.

        Returns:
            Makes the conditions of a source; None if a column has a type whose comparison with a value is not certain.

        Raises:
            WarehouseError: The source cannot be asked.
        """
        if self.is_inside:
            return lambda source: [c == v for c, v in zip(self.key_columns(source), key, strict=True)]
        examples = self.select(lambda source: select(*self.key_columns(source)).limit(1))
        if not examples:
            return lambda source: [false()]
        dialect = open_engine(self._url).dialect
        if not database_of(dialect).compares_texts_only:
            return lambda source: [_may_be(c, str(v)) for c, v in zip(self.key_columns(source), key, strict=True)]
        pairs = zip(examples[0], key, strict=True)
        bound = [values for example, part in pairs if (values := _bound_values(example, [part], dialect)) is not None]
        if len(bound) < len(key):
            return None
        return lambda source: [c.in_(values) for c, values in zip(self.key_columns(source), bound, strict=True)]

    def _present_inside(self, keys: SqlQuery) -> set[Key]:
        """Join the keys with the source, typed as the diff has them."""
        connection = self._state.connection
        found = self.key_columns(open_source(self._sync, connection))
        in_source = select(*found).where(*(value.is_not(None) for value in found))
        given = keys.subquery("given")
        rows = connection.execute(select(*given.c).where(among(list(given.c), in_source)))
        return {tuple(row) for row in rows}

    def key_columns(self, source: Source) -> list[SqlValue]:
        """The key columns of the source, for `select`; `staged` takes what they hold."""
        columns = {name: source.relation.c[name] for name in (source.columns[key] for key in self._tables.key_names)}
        if not self.is_inside:
            return list(columns.values())
        types, dialect = self._key_types(source), self._state.connection.dialect
        return [database_of(dialect).stored_key(column, types[name]) for name, column in columns.items()]

    def _key_types(self, source: Source) -> Mapping[str, SqlType]:
        """The types of the key columns. Those of a query are read from an empty table with its columns."""
        if self._types is None:
            connection = self._state.connection
            self._types = column_types(source, connection)
            if self._types is None:
                name = self._state.location.table_name(self._sync.name, "key_types")
                columns = [source.relation.c[source.columns[key]] for key in self._tables.key_names]
                connection.execute(CreateTemporaryTableAs(name, select(*columns).where(false())))
                self._types = table_types(connection, name) or {}
                connection.exec_driver_sql(f"DROP TABLE {connection.dialect.identifier_preparer.quote(name)}")
        return self._types

    def _present_elsewhere(self, wanted: set[Key], part: Source | None) -> set[Key]:
        with connect(open_engine(self._url), "warehouse") as warehouse:
            with warehouse.begin():
                source = part or open_source(self._sync, warehouse)
            columns = self.key_columns(source)
            rows = select(*columns).where(*(column.is_not(None) for column in columns))
            found: set[Key] = set()
            ordered = list(wanted)
            for start in range(0, len(ordered), KEYS_AT_ONCE):
                narrowed = self._by_condition(rows, set(ordered[start : start + KEYS_AT_ONCE]), warehouse)
                if narrowed is None:
                    return self._by_reading_all(rows, wanted, warehouse)
                found |= narrowed
            return found

    def _by_condition(self, rows: SqlQuery, wanted: set[Key], warehouse: Connection) -> set[Key] | None:
        """Look keys up by a condition on the key columns.

        A key that the source has is looked up with them. If it is not found, the condition does not compare as the
        source does, and its answer shows nothing about the others.

        Returns:
            The keys that were found; None if they have to be looked for in all rows.
        """
        try:
            with warehouse.begin():
                known = warehouse.execute(rows.limit(1)).first()
                if known is None:
                    return set()
                control = self.staged(known)
                bound = [
                    _bound_values(value, [key[place] for key in (*wanted, control)], warehouse.dialect)
                    for place, value in enumerate(known)
                ]
                conditions = [
                    column.in_(values)
                    for column, values in zip(rows.selected_columns, bound, strict=True)
                    if values is not None
                ]
                if len(conditions) < len(bound):
                    return None
                found = set(map(self.staged, warehouse.execute(rows.where(*conditions))))
        except DBAPIError:  # such as an enum of PostgreSQL, which does not compare with a text
            return None
        return found & wanted if control in found else None

    def _by_reading_all(self, rows: SqlQuery, wanted: set[Key], warehouse: Connection) -> set[Key]:
        with warehouse.begin(), closing(stream(rows, self._sync, warehouse)) as batches:
            return {key for batch in batches for key in map(self.staged, batch) if key in wanted}

    def staged(self, row: Sequence[object]) -> Key:
        """A key of the source as the state has it."""
        if self.is_inside:
            return tuple(row)
        kinds = (self._tables.snapshot.c[name].type for name in self._tables.key_names)
        return tuple(
            key_in_state(value, is_integer=isinstance(kind, Integer)) for value, kind in zip(row, kinds, strict=True)
        )


def _bound_values(example: object, staged: Sequence[object], dialect: Dialect) -> SqlValue | None:
    """Keys of the state as bound values of the source's type; None for types whose comparison is not certain.

    Args:
        example: A value of the column.
        staged: The values as the state has them.
        dialect: The warehouse's dialect.
    """
    if isinstance(example, (int, Decimal)) and all(isinstance(value, int) for value in staged):
        return _expanding(set(staged), BIG_INTEGER)
    if type(example) is str and database_of(dialect).compares_texts_only:
        texts = {str(value) for value in staged}
        return _expanding(texts | {text.rstrip(" ") for text in texts}, String())  # CHAR compares without its padding
    if type(example) is UUID:
        return _expanding({UUID(str(value)) for value in staged}, Uuid())
    return None


def _may_be(column: SqlValue, text: str) -> ColumnElement[bool]:
    """Whether a value may have a text as its canonical form, in a column that holds values of several types."""
    same = cast(column, Text()) == text
    with suppress(ValueError):  # the text of a float, which the database may write otherwise
        return or_(same, column == bindparam(None, float(text), Double()))
    return same


def _expanding(values: set[Any], kind: SqlType) -> SqlValue:
    return bindparam(None, list(values), kind, expanding=True)
