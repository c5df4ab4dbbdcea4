"""The columns of a source, and the statements that read it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    String,
    Text,
    and_,
    case,
    cast,
    column,
    false,
    func,
    inspect,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError, NoInspectionAvailable, NoSuchTableError, SAWarning

from dagster_dailystory.databases.connect import driver_errors_as, reflected_types, similar_table
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.source_text import (
    literal_sql,
    name_parts,
    query_text,
    source_text,
    split_table_name,
    statements_advice,
)
from dagster_dailystory.databases.sql_types import TEXT, UNKNOWN_COLLATION, SqlQuery, SqlType, SqlValue
from dagster_dailystory.errors import ConfigurationError, WarehouseError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.partitions import (
    LONGEST_NAME,
    NOT_IN_NAMES,
    OTHER_VALUES,
    PARTITION_VALUE,
    ColumnValues,
)
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.model.watermark import Moment, WatermarkValues

BATCH_ROWS = 5_000
"""Rows per batch: memory does not grow with the table."""

Batches = Generator[Sequence[Sequence[object]], None, None]
"""Batches of rows; close it before the connection is used again."""

NO_PARAMETERS: Mapping[str, object] = MappingProxyType({})

_FIRST = datetime(1970, 1, 2)
"""The first moment that each warehouse can hold; an earlier watermark says nothing."""

_BEYOND_PYTHON = re.compile(r"-?infinity|[0-9]{5,}-[0-9]{2}-.*|[0-9]{4,}-[0-9]{2}-.* BC")
"""PostgreSQL's texts of the dates and times that Python lacks."""


@dataclass(frozen=True)
class Source:
    """A source with its resolved columns.

    Attributes:
        relation: The table or query, as a FROM clause.
        table_name: Schema and name if the source is a table or a view, else None.
        columns: Column name in the sync -> name in the database.
    """

    relation: FromClause
    table_name: tuple[str | None, str] | None
    columns: Mapping[str, str]

    def watermark_values(self, sync: ContactSync, connection: Connection, now: datetime) -> WatermarkValues:
        """Read the values of the watermark column; none without a watermark.

        A value in the future is not the highest: it would hide every change until then.

        Args:
            sync: The sync.
            connection: To the warehouse.
            now: The time in UTC, without a zone.

        Raises:
            ConfigurationError: The column holds neither dates nor timestamps.
        """
        if sync.watermark is None:
            return WatermarkValues()
        values = self.relation.c[self.columns[sync.watermark.column]]
        moment, rows_null = self._highest(sync.watermark.column, sync, connection, "watermark")
        latest = None if moment is None else _as_kind_of(moment, now + timedelta(days=1))
        if moment is None or latest is None or moment <= latest:
            return WatermarkValues(moment, rows_null=rows_null)
        write = database_of(connection.dialect).moment_literal
        first, last = write(_as_kind_of(moment, _FIRST)), write(latest)
        usable = func.max(case((values.between(first, last), values)))
        counts = (func.count(case((values > last, 1))), _count_null(values))
        counted = connection.execute(select(usable, *counts)).one()
        highest = database_of(connection.dialect).moment(counted[0])
        return WatermarkValues(highest, int(counted[1]), int(counted[2]))

    def highest_moment(self, column: str, sync: ContactSync, connection: Connection, role: str) -> Moment | None:
        """The highest value of a column of dates or timestamps; None if it has none.

        Args:
            column: The column, by its name in the sync.
            sync: The sync.
            connection: To the warehouse.
            role: What the sync uses the column for, to name it in an error.

        Raises:
            ConfigurationError: The column holds neither dates nor timestamps.
        """
        return self._highest(column, sync, connection, role)[0]

    def _highest(self, column: str, sync: ContactSync, connection: Connection, role: str) -> tuple[Moment | None, int]:
        words = f"the {role} column {column!r} of sync {sync.name!r}"
        with driver_errors_as(f"{words} cannot be compared"):
            found, rows_null = _highest(self.relation.c[self.columns[column]], connection)
        database = database_of(connection.dialect)
        moment = database.moment(found)
        if found is None or moment is not None:
            return moment, rows_null
        held = next((form for kind, form in _HELD.items() if isinstance(found, kind)), type(found).__name__)
        advice = database.date_advice or (
            f"write CAST({column} AS timestamp)" if isinstance(found, str) else "convert it"
        )
        raise ConfigurationError(
            f"{words} holds {held}, and must be a date or a timestamp; {advice} in the query, or leave the {role} out"
        )

    def recent(self, sync: ContactSync, dialect: Dialect, since: Moment | None) -> Source:
        """The source restricted to rows whose watermark is at least `since`, or NULL: then it says nothing."""
        if sync.watermark is None or since is None:
            return self
        lowest = database_of(dialect).moment_literal(since)
        values = self.relation.c[self.columns[sync.watermark.column]]
        moved = select(self.relation).where(or_(values >= lowest, values.is_(None)))
        return replace(self, relation=moved.subquery("source"))

    def selection(self, sync: ContactSync) -> dict[str, SqlValue]:
        """What the diff compares, by state column: the columns of `read_columns`, with constants beside the fields."""
        known = {**self.read_columns(sync), **_constants(sync)}
        fields = {m.state_column: known.pop(m.state_column) for m in sync.mapped_fields}
        keys = {key: known.pop(key) for key in sync.key_columns}
        return {**keys, **fields, **known}

    def read_columns(self, sync: ContactSync) -> dict[str, SqlValue]:
        """The columns that are read, by state column: the key columns and one per field that a column fills."""
        real = self.columns
        selected: dict[str, SqlValue] = {key: self.relation.c[real[key]] for key in sync.key_columns}
        selected.update({m.state_column: self.relation.c[real[m.column]] for m in sync.read_fields})
        if sync.partition_column:
            selected[PARTITION_VALUE] = self.relation.c[real[sync.partition_column]]
        return selected


def _highest(values: SqlValue, connection: Connection) -> tuple[object, int]:
    """The highest value, and how many are NULL.

    In place of a value that Python's types cannot hold, the last moment of the calendar is returned. PostgreSQL has
    `infinity` and years after 9999; our drivers' settings return them as texts.
    """
    result = connection.execute(select(func.max(values), _count_null(values)))
    try:
        found, rows_null = result.one()
    except (DBAPIError, ValueError, OverflowError):  # of the driver, which converts the value
        found, rows_null = "infinity", 0
    is_beyond = isinstance(found, str) and _BEYOND_PYTHON.fullmatch(found)
    return datetime.max.replace(tzinfo=timezone.utc) if is_beyond else found, int(rows_null)


def _count_null(values: SqlValue) -> SqlValue:
    return func.count(case((values.is_(None), 1)))


_HELD: Mapping[type, str] = {
    str: "texts",
    bool: "true and false",
    int: "whole numbers",
    float: "numbers",
    Decimal: "numbers",
    time: "times of day",
}
"""What a column holds, in the words of a database."""


def _as_kind_of(moment: Moment, time: datetime) -> Moment:
    """A time in UTC as a date or a datetime that compares with `moment`."""
    if not isinstance(moment, datetime):
        return time.date()
    return time if moment.tzinfo is None else time.replace(tzinfo=timezone.utc)


def open_source(sync: ContactSync, connection: Connection) -> Source:
    """Resolve a sync's source and check that every mapped column exists.

    Raises:
        ConfigurationError: A `.sql` file or a column is missing; the message suggests the most similar column.
        WarehouseError: The query fails or the table does not exist; the message suggests the most similar table.
    """
    sql = source_text(sync)
    try:
        with driver_errors_as(f"the source of sync {sync.name!r} cannot be read"):
            found = list(connection.execute(probe(sync, sql, connection.dialect)).keys())
    except WarehouseError as error:
        schema = split_table_name(sql)[0] if name_parts(sql) else None
        advice = statements_advice(sql) or similar_table(connection.engine, str(error), schema)
        raise WarehouseError(f"{error}{advice}") from None
    return resolve_source(sync, sql, found, connection.dialect)


def probe(sync: ContactSync, sql: str, dialect: Dialect) -> SqlQuery:
    """The statement that returns the source's columns without reading a row.

    Raises:
        ConfigurationError: The database would not accept the query as a subquery.
    """
    query = query_text(sql, dialect)
    if query is not None:
        database_of(dialect).check_query(query, sync.name)
        return select(text("*")).select_from(literal_sql(f"(\n{query}\n) AS source")).where(false())
    schema, name = split_table_name(sql)
    return select(text("*")).select_from(table(name, schema=schema)).where(false())


def resolve_source(sync: ContactSync, sql: str, found: list[str], dialect: Dialect) -> Source:
    """Make a source from its text and the columns that the database reports."""
    columns: list[ColumnClause[Any]] = [column(each) for each in found]
    query = query_text(sql, dialect)
    schema, name = split_table_name(sql)
    if query is not None:
        relation: FromClause = literal_sql(query + "\n").columns(*columns).subquery("source")
    else:
        relation = table(name, *columns, schema=schema).alias("source")
    others = [sync.partition_column] if sync.partition_column else []
    others += [sync.watermark.column] if sync.watermark else []
    used = dict.fromkeys((*sync.key_columns, *(m.column for m in sync.read_fields), *others))
    matched = {each: _match(each, found, sync) for each in used}
    return Source(relation, None if query is not None else (schema, name), matched)


def _match(wanted: str, found: list[str], sync: ContactSync) -> str:
    if wanted in found:
        return wanted
    folded = [name for name in found if name.casefold() == wanted.casefold()]
    if len(folded) == 1:
        return folded[0]
    hint = nearest(wanted, found) or f"; it has {', '.join(found)}"
    raise ConfigurationError(f"the source of sync {sync.name!r} has no column {wanted!r}{hint}")


def column_types(source: Source, connection: Connection) -> dict[str, SqlType] | None:
    """The column types of a table; None if the source is a query or cannot be inspected."""
    if source.table_name is None:
        return None
    schema, name = source.table_name
    return table_types(connection, name, schema)


def table_types(connection: Connection, name: str, schema: str | None = None) -> dict[str, SqlType] | None:
    """The column types of a table or view; text columns that may have a collation are marked."""
    types = reflected_types(connection, name, schema)
    if types is None or not database_of(connection.dialect).has_collations(connection, name, schema):
        return types
    collated = Text(collation=UNKNOWN_COLLATION)
    return {each: collated if isinstance(kind, String) else kind for each, kind in types.items()}


def is_table(source: Source, connection: Connection) -> bool:
    """Whether the source is a table: two statements of a transaction read equal rows from it, unlike from a view."""
    if source.table_name is None:
        return False
    schema, name = source.table_name
    return name in inspect(connection).get_table_names(schema)


def has_unique_keys(source: Source, sync: ContactSync, connection: Connection) -> bool:
    """Whether the source is a table whose primary key is part of the sync's key, so that no key has two rows."""
    if source.table_name is None or not database_of(connection.dialect).enforces_keys:
        return False
    schema, name = source.table_name
    try:
        with warnings.catch_warnings():
            # Once BigQuery's dialect is loaded, inspecting PostgreSQL uses its `unnest`, which SQLAlchemy cannot cache.
            warnings.filterwarnings("ignore", "Class unnest", SAWarning)
            warnings.filterwarnings("ignore", "Did not recognize type", SAWarning)  # of another column
            found = inspect(connection).get_pk_constraint(name, schema)["constrained_columns"]
    except (NoSuchTableError, NoInspectionAvailable):
        return False
    return bool(found) and set(found) <= {source.columns[key] for key in sync.key_columns}


def typed_selection(
    source: Source, sync: ContactSync, types: Mapping[str, SqlType], connection: Connection
) -> dict[str, SqlValue]:
    """The source's columns converted to the types of the state tables, for a diff in the same database.

    Raises:
        ConfigurationError: A key column is binary, or holds several values.
    """
    real, database = source.columns, database_of(connection.dialect)
    selected: dict[str, SqlValue] = {}
    for key in sync.key_columns:
        database.check_key_type(key, types[real[key]])
        selected[key] = database.stored_key(source.relation.c[real[key]], types[real[key]])
    for mapped in sync.read_fields:
        name = real[mapped.column]
        selected[mapped.state_column] = database.stored_value(source.relation.c[name], types[name])
    selected |= {name: cast(value, TEXT) for name, value in _constants(sync).items()}
    if isinstance(sync.partitions, ColumnValues):
        name = real[sync.partitions.column]
        value = cast(database.stored_key(source.relation.c[name], types[name]), TEXT)
        other = literal(OTHER_VALUES, TEXT)
        is_name = _is_slice_name(value) if sync.partitions.is_dynamic else value.in_(sync.partitions.values)
        selected[PARTITION_VALUE] = case((is_name, value), else_=other)
    return selected


def _is_slice_name(value: SqlValue) -> ColumnElement[bool]:
    """`is_slice_name` as a condition."""
    parts = [not_(value.contains(literal(part, TEXT), autoescape=False)) for part in NOT_IN_NAMES if part != "\0"]
    return and_(func.length(value).between(1, LONGEST_NAME), value != literal(OTHER_VALUES, TEXT), *parts)


def _constants(sync: ContactSync) -> dict[str, SqlValue]:
    """The constants of a sync by state column: ISO countries, which need no quotation."""
    return {m.state_column: literal_column(f"'{m.constant}'") for m in sync.mapped_fields if m.constant is not None}


def stored_types(
    source: Source, sync: ContactSync, types: Mapping[str, SqlType], connection: Connection
) -> tuple[dict[str, SqlType], dict[str, SqlType]]:
    """The types of the state's key and value columns for a source in the same database."""
    real, database = source.columns, database_of(connection.dialect)
    keys = {key: database.key_type(types[real[key]]) for key in sync.key_columns}
    values = {m.state_column: database.storage_type(types[real[m.column]]) for m in sync.read_fields}
    return keys, values | {name: database.storage_type(TEXT) for name in _constants(sync)}


def reading(source: Source, sync: ContactSync) -> SqlQuery:
    """The statement that reads the key and mapped columns, with aliases that every database accepts."""
    return select(*(value.label(f"c{position}") for position, value in enumerate(source.selection(sync).values())))


def stream(
    query: SqlQuery, sync: ContactSync, connection: Connection, parameters: Mapping[str, object] = NO_PARAMETERS
) -> Batches:
    """Read the source in batches, with a server-side cursor where the database has one.

    Args:
        query: From `reading`.
        sync: The sync whose source is read.
        connection: To the warehouse.
        parameters: Parameters of the query.

    Raises:
        WarehouseError: The query fails.
    """
    with driver_errors_as(f"the source of sync {sync.name!r} cannot be read"):
        yield from database_of(connection.dialect).batches(connection, query, parameters, BATCH_ROWS)
