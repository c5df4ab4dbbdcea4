"""What a source reads: its tables, and the table columns behind each of its columns, found by parsing the query."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, build_scope

from dagster_dailystory.engines import name_parts
from dagster_dailystory.model import ContactSync
from dagster_dailystory.source import source_text

TableName = tuple[str, ...]
"""Schema and name as the query writes them, or the name alone: the way dbt keys an asset."""

_log = logging.getLogger("dagster_dailystory")
_SQLGLOT_NAMES = {"postgresql": "postgres", "mssql": "tsql", "clickhousedb": "clickhouse", "mariadb": "mysql"}


@dataclass(frozen=True)
class Upstream:
    """The tables and columns that a source reads.

    Attributes:
        tables: Each table once, in the order of the query.
        columns: Source column -> the table columns it is made of; only those that the query's text settles.
    """

    tables: tuple[TableName, ...] = ()
    columns: Mapping[str, tuple[tuple[TableName, str], ...]] = field(default_factory=dict)


def find_upstream(sync: ContactSync, dialect: str | None = None) -> Upstream:
    """Parse a sync's source. No database is asked, so a `*` is followed only where the query has one table.

    Args:
        sync: Its source is a table, a query or a `.sql` file.
        dialect: SQLAlchemy's name of the warehouse's dialect, which decides how the query is read.

    Returns:
        Nothing where the query cannot be parsed: then `deps=` has to say what it reads.

    Raises:
        ConfigurationError: The `.sql` file cannot be read.
    """
    written = source_text(sync)
    wanted = dict.fromkeys((*sync.key_columns, *(mapped.column for mapped in sync.mapped_fields)))
    table = name_parts(written)[-2:]
    if table:
        return Upstream((table,), {column: ((table, column),) for column in wanted})
    try:
        tree = sqlglot.parse_one(written, dialect=_SQLGLOT_NAMES.get(dialect or "", dialect))
    except (SqlglotError, ValueError):
        _log.warning("the source of sync %s cannot be parsed for its tables; name them in deps=", sync.name)
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
    """The table columns behind one output column of a query."""
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
    """Where a column of one of a query's sources comes from; an unqualified one is followed if there is one source."""
    if not source_name and len(scope.sources) == 1:
        source_name = next(iter(scope.sources))
    source = scope.sources.get(source_name)
    if isinstance(source, exp.Table) and source.name:
        return ((_name(source), column),)
    return _origins(source, column) if isinstance(source, Scope) else ()
