"""Scratch: the temporary tables of one plan, each made from what is in use at that moment and not on top of more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import TableClause, column, table

from dagster_dailystory.dialect import CreateTemporaryTableAs, SqlQuery
from dagster_dailystory.memory import give_back_memory
from dagster_dailystory.state import State


@dataclass(frozen=True)
class Scratch:
    """Temporary tables on the state's connection."""

    state: State

    def make(self, name: str, query: SqlQuery) -> TableClause:
        """Make a table of what a query selects."""
        give_back_memory(self.state.connection)
        full_name = self.state.location.table_name(self.state.sync.name, name)
        self.state.connection.execute(CreateTemporaryTableAs(full_name, query))
        return table(full_name, *(column(each.name, each.type) for each in query.selected_columns))

    def append(self, made: TableClause, parts: Iterable[tuple[SqlQuery, Mapping[str, object]]]) -> None:
        """Append what queries with their parameters select, one after the other."""
        for query, parameters in parts:
            give_back_memory(self.state.connection)
            names = [each.name for each in query.selected_columns]
            self.state.connection.execute(made.insert().from_select(names, query), parameters)

    def number(self, query: SqlQuery) -> int:
        """The one number that a query selects, 0 for NULL."""
        return int(self.state.connection.execute(query).scalar() or 0)
