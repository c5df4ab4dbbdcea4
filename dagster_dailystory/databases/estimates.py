"""Corrections for PostgreSQL's planner, which expects that every row differs and therefore picks a slower join."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Dialect, FromClause, case, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler

from dagster_dailystory.databases.sql_types import SqlQuery

LARGE_TABLE_ROWS = 100_000
"""Rows from which the choice of a join matters: fewer are joined in a fraction of a second in any way."""


def evaluated_first(query: SqlQuery, name: str, dialect: Dialect) -> FromClause:
    """A query as a relation that PostgreSQL evaluates before the surrounding statement.

    Otherwise the planner picks the join that suits the sort of all the rows which it expects.
    """
    if dialect.name == "postgresql":
        return query.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")
    return query.subquery(name)


def expected_rarely(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that the planner expects to hold for one row in 200: its default for a value without statistics."""
    return case((condition, literal_column("1"))) == literal_column("1")


def would_hash_join(joined: SqlQuery, connection: Connection) -> bool:
    """Whether PostgreSQL would join two tables with a hash join.

    It does for large tables whose rows are not in key order, through temporary files. Parallel workers halve the time,
    but the planner rejects them because it overestimates the rows returned; `expected_rarely` corrects that. It must
    not be used where the planner merges two indexes: a parallel hash join would take twice as long.

    Args:
        joined: The join alone, without filters.
        connection: To the state database.
    """
    if connection.dialect.name != "postgresql":
        return False
    top_node = connection.execute(_Explain(joined)).scalars().first()
    return str(top_node).startswith("Hash")


class _Explain(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, query: SqlQuery) -> None:
        self.query = query


@compiles(_Explain)
def _explain(element: _Explain, compiler: SQLCompiler, **kw: object) -> str:
    return f"EXPLAIN {compiler.process(element.query, literal_binds=True, **kw)}"
