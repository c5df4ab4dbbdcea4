"""The tables and columns that a source reads, found by parsing its query, and the column schemas of the assets."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import dagster as dg
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, build_scope

from dagster_dailystory.contacts.values import KINDS
from dagster_dailystory.databases.kinds.registry import database_named
from dagster_dailystory.databases.source_text import name_parts, source_text
from dagster_dailystory.engine.state.schema import CONTACT_MAP_TIMES, HISTORY_TEXTS
from dagster_dailystory.model.mapping import MappedField
from dagster_dailystory.model.sync import ContactSync, FrameSource

TableName = tuple[str, ...]
"""Schema and name as written in the query, or the name alone: the form of a dbt asset key."""


_log = logging.getLogger("dagster_dailystory")


@dataclass(frozen=True)
class Upstream:
    """The tables and columns that a source reads.

    Attributes:
        tables: Each table once, in the order of the query.
        columns: Source column -> the table columns it is computed from, where the query alone determines them.
    """

    tables: tuple[TableName, ...] = ()
    columns: Mapping[str, tuple[tuple[TableName, str], ...]] = field(default_factory=dict)


def find_upstream(sync: ContactSync, dialect: str | None = None) -> Upstream:
    """Parse a sync's source. No database is queried, so a `*` is resolved only where the query has one table.

    Args:
        sync: The sync; its source is a table, a query or a `.sql` file.
        dialect: SQLAlchemy's name of the warehouse's dialect, used to parse the query.

    Returns:
        An empty result where the query cannot be parsed; `deps=` then has to name the tables.

    Raises:
        ConfigurationError: The `.sql` file cannot be read.
    """
    if isinstance(sync.source, FrameSource):
        return Upstream()
    source = source_text(sync)
    wanted = dict.fromkeys((*sync.key_columns, *(mapped.column for mapped in sync.read_fields)))
    table = name_parts(source)[-2:]
    if table:
        return Upstream((table,), {column: ((table, column),) for column in wanted})
    try:
        tree = sqlglot.parse_one(source, dialect=database_named(dialect).sql_name if dialect else None)
    except (SqlglotError, ValueError):
        _log.warning("the source of sync %s cannot be parsed, so its tables are unknown; name them in deps=", sync.name)
        return Upstream()
    scope = build_scope(tree)
    if scope is None:
        return Upstream()
    columns = {column: _origins(scope, column) for column in wanted}
    return Upstream(_tables(scope), {column: origins for column, origins in columns.items() if origins})


def _tables(scope: Scope) -> tuple[TableName, ...]:
    found: dict[TableName, None] = {}
    for inner in scope.traverse():
        for source in inner.sources.values():
            if isinstance(source, exp.Table) and source.name:
                found[_name(source)] = None
    return tuple(found)


def _name(table: exp.Table) -> TableName:
    return (table.db, table.name) if table.db else (table.name,)


def _origins(scope: Scope, name: str) -> tuple[tuple[TableName, str], ...]:
    """The table columns that one output column of a query is computed from."""
    query = scope.expression
    if not isinstance(query, exp.Select):
        return ()
    found: dict[tuple[TableName, str], None] = {}
    for projection in query.selects:
        if projection.is_star and len(scope.sources) == 1:
            found.update(dict.fromkeys(_follow(scope, next(iter(scope.sources)), name)))
        elif projection.alias_or_name.casefold() == name.casefold():
            for column in projection.find_all(exp.Column):
                found.update(dict.fromkeys(_follow(scope, column.table, column.name)))
    return tuple(found)


def _follow(scope: Scope, source_name: str, column: str) -> tuple[tuple[TableName, str], ...]:
    """The table columns behind a column of a query's source; an unqualified column needs a query with one source."""
    if not source_name and len(scope.sources) == 1:
        source_name = next(iter(scope.sources))
    source = scope.sources.get(source_name)
    if isinstance(source, exp.Table) and source.name:
        return ((_name(source), column),)
    return _origins(source, column) if isinstance(source, Scope) else ()


def source_columns(sync: ContactSync, types: Mapping[str, str] = MappingProxyType({})) -> dg.TableSchema:
    """The columns that a plan reads.

    Args:
        sync: The sync.
        types: Source column -> the database's type, known after the first plan. Until then, the type of the field
            that the column fills is shown.
    """
    filled: dict[str, list[MappedField]] = {}
    for mapped in sync.read_fields:
        filled.setdefault(mapped.column, []).append(mapped)
    columns = [_key_column(key, types, filled.pop(key, [])) for key in sync.key_columns]
    for column, fields in filled.items():
        kind = types.get(column) or KINDS[fields[0].kind].column_type
        columns.append(dg.TableColumn(column, kind, description=_fills(fields)))
    return dg.TableSchema(columns)


def _key_column(key: str, types: Mapping[str, str], filled: Sequence[MappedField] = ()) -> dg.TableColumn:
    text = f"Identifies a row. {_fills(filled)}" if filled else "Identifies a row."
    unique = dg.TableColumnConstraints(nullable=False, unique=True)
    return dg.TableColumn(key, types.get(key, "as in the source"), description=text, constraints=unique)


def _fills(fields: Sequence[MappedField]) -> str:
    return f"Fills {', '.join(mapped.name for mapped in fields)}."


def contact_columns(sync: ContactSync) -> dg.TableSchema:
    """The contact fields that a sync writes."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                m.name,
                KINDS[m.kind].column_type,
                description=f"{'Custom field' if m.is_custom else 'Field'} filled from column {m.column}.",
            )
            for m in sync.sent_fields
        ]
    )


def contact_map_columns(sync: ContactSync, types: Mapping[str, str] = MappingProxyType({})) -> dg.TableSchema:
    """The columns of the contact map; `types` as in `source_columns`."""
    return dg.TableSchema(
        [
            *(_key_column(key, types) for key in sync.key_columns),
            dg.TableColumn("dsid", "text", description="The contact in DailyStory"),
            *(dg.TableColumn(name, "timestamp", description=text) for name, text in CONTACT_MAP_TIMES.items()),
        ]
    )


def history_columns(sync: ContactSync) -> dg.TableSchema:
    """The columns of the history."""
    return dg.TableSchema(
        [
            *(_key_column(key, {}) for key in sync.key_columns),
            *(dg.TableColumn(name, "text", description=text) for name, text in HISTORY_TEXTS.items()),
            dg.TableColumn("acknowledged_at", "timestamp", description="When DailyStory accepted the change (UTC)"),
        ]
    )


def source_lineage(upstream: Upstream) -> dg.TableColumnLineage:
    """Source column -> the table columns it is computed from."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(dg.AssetKey(list(table)), name) for table, name in origins]
            for column, origins in upstream.columns.items()
        }
    )


def contact_lineage(sync: ContactSync, changes: dg.AssetKey) -> dg.TableColumnLineage:
    """Contact field -> the source column that fills it."""
    return dg.TableColumnLineage({m.name: [dg.TableColumnDep(changes, m.column)] for m in sync.sent_fields})


def key_lineage(sync: ContactSync, changes: dg.AssetKey) -> dg.TableColumnLineage:
    """Key column of the contact map -> the source column."""
    return dg.TableColumnLineage({key: [dg.TableColumnDep(changes, key)] for key in sync.key_columns})
