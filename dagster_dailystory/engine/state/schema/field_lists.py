"""Columns that list fields in one text, by state column and in quotation marks: `"field_city""custom_plan"`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from sqlalchemy import ColumnElement, FromClause, case, false, func, literal

from dagster_dailystory.databases.sql_types import TEXT, SqlValue


def quoted(name: str) -> str:
    """A state column as a list has it."""
    return f'"{name}"'


def list_of(names: Iterable[str]) -> str | None:
    """A list of state columns; None for an empty one."""
    return "".join(map(quoted, sorted(names))) or None


def lists(found: object, name: str) -> bool:
    """Whether a list that was read, or its NULL, has a state column."""
    return isinstance(found, str) and quoted(name) in found


def is_listed(snapshot: FromClause, column: str, name: str) -> ColumnElement[bool]:
    """`lists`, as SQL."""
    return func.coalesce(snapshot.c[column].contains(quoted(name), autoescape=True), false())


def listed(fields: Mapping[str, ColumnElement[bool]]) -> SqlValue:
    """`list_of` the state columns whose condition holds, as SQL."""
    none: SqlValue = literal("", TEXT)
    names: list[SqlValue] = [case((each, literal(quoted(name), TEXT)), else_=none) for name, each in fields.items()]
    return func.nullif(reduce(lambda one, other: one.concat(other), names, none), none)
