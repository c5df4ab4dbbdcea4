"""PostgreSQL's estimates: it chooses a join by how many rows it expects of it, and expects that every row differs."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Dialect, FromClause, case, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler

from dagster_dailystory.databases.sql_types import SqlQuery

LARGE = 100_000
"""Fewer rows are joined in a fraction of a second, whichever way."""


def evaluated_first(query: SqlQuery, name: str, dialect: Dialect) -> FromClause:
    """A query as a relation whose rows are found without a thought of what is done with them.

    PostgreSQL would choose its join for the sake of sorting as many rows as it expects.
    """
    if dialect.name == "postgresql":
        return query.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")
    return query.subquery(name)


def seldom(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that is expected to hold for one row in 200, which is the guess for a value without statistics."""
    return case((condition, literal_column("1"))) == literal_column("1")


def hashes_tables(joined: SqlQuery, connection: Connection) -> bool:
    """Whether PostgreSQL would join two tables by hashing them, alone.

    It does where large ones do not lie in the order of their key, through temporary files. With helpers it takes half
    as long, but to hand over as many rows as it expects seems dearer than to call none; see `seldom`. Where it would
    merge two indexes it must not be told: it then hashes all the same, with helpers, which takes twice as long.

    Args:
        joined: Reads nothing but the join.
        connection: To the state's database.
    """
    if connection.dialect.name != "postgresql":
        return False
    first_step = connection.execute(_Explain(joined)).scalars().first()
    return str(first_step).startswith("Hash")


class _Explain(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, query: SqlQuery) -> None:
        self.query = query


@compiles(_Explain)
def _explain(element: _Explain, compiler: SQLCompiler, **kw: object) -> str:
    return f"EXPLAIN {compiler.process(element.query, literal_binds=True, **kw)}"
