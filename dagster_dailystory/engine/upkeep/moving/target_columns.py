"""The columns of a sync in the state that it is copied to: types that its next run leaves as they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    DateTime,
    Float,
    FromClause,
    Integer,
    MetaData,
    Numeric,
    Table,
    false,
    select,
)
from sqlalchemy.schema import DropTable
from sqlalchemy.types import NullType

from dagster_dailystory.contacts.canonical import canonical_text
from dagster_dailystory.databases.connect import reflected_types, same_database
from dagster_dailystory.databases.source import column_types, open_source, stored_types
from dagster_dailystory.databases.sql_types import (
    BIG_INTEGER,
    TEXT,
    CreateTemporaryTableAs,
    SqlQuery,
    SqlType,
    Untyped,
    stored_type,
)
from dagster_dailystory.databases.stored_values import staged_key
from dagster_dailystory.engine.state.layout.mapped_columns import is_canonical, is_nested, nested_value
from dagster_dailystory.engine.state.schema import SyncTables
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.engine.upkeep.records.history import values_of

_BATCH = 5_000

_NUMBERS = (Boolean, Integer, Numeric, Float)


@dataclass(frozen=True)
class TargetColumns:
    """The types of the key and value columns in the target.

    Attributes:
        copy: The target.
        keys: Key column -> type.
        values: Column of a field -> type.
        numbers: Columns without a type that have numbers in the source.
    """

    copy: State
    keys: Mapping[str, SqlType]
    values: Mapping[str, SqlType]
    numbers: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(
        cls, state: State, copy: State, tables: SyncTables, found: Mapping[str, Table], warehouse_url: str
    ) -> TargetColumns:
        """Choose the types: those of the source where it is in the target's database, and else texts.

        Whole numbers as keys stay such. A column with a value that its type cannot hold becomes text.

        Args:
            state: The state that is copied.
            copy: The target.
            tables: The sync's tables in the state.
            found: The same tables as the database has them.
            warehouse_url: Where the source is.
        """
        text = copy.database.storage_type(TEXT)
        keys: dict[str, SqlType] = {
            key: BIG_INTEGER if _has_integers(state.connection, found["contact_map"], key) else TEXT
            for key in tables.key_names
        }
        usual = cls(copy, keys, dict.fromkeys(tables.value_names, text))
        if not same_database(warehouse_url, copy.location.url):
            return usual
        source = open_source(copy.sync, copy.connection)
        types = column_types(source, copy.connection) or _types_of_query(copy, source.relation, source.columns.values())
        own_keys, own_values = stored_types(source, copy.sync, types, copy.connection)
        numbers = frozenset(
            m.state_column
            for m in copy.sync.read_fields
            if isinstance(own_values[m.state_column], Untyped) and isinstance(types[source.columns[m.column]], _NUMBERS)
        )
        own = cls(copy, own_keys, {name: own_values.get(name, text) for name in tables.value_names}, numbers)
        return own._without_unfit(state.connection, found, usual)

    def stored(self, name: str, value: object, kind: SqlType) -> object:
        """A value as JSON has it for a column of the target."""
        if value is None:
            return None
        if isinstance(kind, DateTime) and name not in self.values and name not in self.keys:
            assert isinstance(value, datetime)
            return value.isoformat(sep=" ", timespec="microseconds")
        if isinstance(kind, (Boolean, Integer)) and not isinstance(value, str):
            return value
        if name in self.keys:
            return staged_key(value)
        text = canonical_text(value)
        if is_nested(self.copy, kind):
            return nested_value(text)
        return _number(text) if name in self.numbers else text

    def history_text(self, text: str, kinds: Mapping[str, SqlType], nested: frozenset[str]) -> str:
        """A JSON text of the history, with its values as the target would have written them.

        Args:
            text: The text.
            kinds: Column -> type in the state that is copied.
            nested: Its columns with lists or objects.
        """
        values = values_of(text, kinds, nested)
        usual = self.copy.database.storage_type(TEXT)
        stored = {name: self.stored(name, value, self.values.get(name, usual)) for name, value in values.items()}
        return json.dumps(stored, separators=(",", ":"), ensure_ascii=False)

    def _without_unfit(self, connection: Connection, found: Mapping[str, Table], usual: TargetColumns) -> TargetColumns:
        unfit: set[str] = set()
        for table in (found["snapshot"], found["changes"]):
            kinds = {n: stored_type(k) for n, k in {**self.keys, **self.values}.items() if n in table.c}
            for rows in batches(connection, select(*(table.c[name] for name in kinds)), None):
                for row in rows:
                    unfit |= {n for (n, k), v in zip(kinds.items(), row, strict=True) if not self._fits(v, k)}
        return replace(
            self,
            keys={name: usual.keys[name] if name in unfit else kind for name, kind in self.keys.items()},
            values={name: usual.values[name] if name in unfit else kind for name, kind in self.values.items()},
        )

    def _fits(self, value: object, kind: SqlType) -> bool:
        text = canonical_text(value)
        if text is None:
            return True
        return canonical_text(nested_value(text)) == text if is_nested(self.copy, kind) else is_canonical(text, kind)


def batches(
    connection: Connection, query: SqlQuery, condition: ColumnElement[bool] | None
) -> Iterator[Sequence[Sequence[object]]]:
    """Read the rows of a query in batches."""
    chosen = query if condition is None else query.where(condition)
    result = connection.execute(chosen, execution_options={"stream_results": True, "yield_per": _BATCH})
    yield from result.partitions(_BATCH)


def _types_of_query(copy: State, relation: FromClause, columns: Iterable[str]) -> Mapping[str, SqlType]:
    """The types of a query's columns, from a table that has them and no row."""
    name = copy.location.table_name(copy.sync.name, "staged")
    made = select(*(relation.c[column] for column in dict.fromkeys(columns))).where(false())
    copy.connection.execute(CreateTemporaryTableAs(name, made))
    types = reflected_types(copy.connection, name) or {}
    copy.connection.execute(DropTable(Table(name, MetaData())))
    return types


def _has_integers(connection: Connection, contact_map: Table, key: str) -> bool:
    """Whether a key has whole numbers only: its type is asked first, which some columns do not have."""
    column = contact_map.c[key]
    if not isinstance(column.type, NullType):
        return isinstance(column.type, Integer)
    return all(isinstance(value, int) for rows in batches(connection, select(column), None) for [value] in rows)


def _number(text: str | None) -> object:
    """A number from its canonical text; another text as it is."""
    flags = {"true": 1, "false": 0}
    for parse in (flags.__getitem__, int, float):
        with suppress(KeyError, ValueError):  # it is none of this kind
            number = parse(text or "")
            if text in flags or canonical_text(number) == text:
                return number
    return text
