"""SQL expressions that are the same on every database: empty texts, opt-out flags, membership, rows as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Insert,
    Integer,
    Numeric,
    TableClause,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    insert,
    literal,
    literal_column,
    or_,
    tuple_,
)

from dagster_dailystory.contacts.values import FALSE_TEXTS, FLAG_WHITE_SPACE, STATUSES, TRUE_TEXTS
from dagster_dailystory.databases.sql_types import TEXT, SqlQuery, SqlValue
from dagster_dailystory.model.contact_fields import FieldKind

_MOST_ARGUMENTS = 100
"""Of a function, on PostgreSQL; SQLite was made with a limit of 127 for long."""


def bound_rows() -> SqlValue:
    """The parameter of `rows_parameter`, in a query."""
    return bindparam("rows", type_=Text())


def rows_parameter(rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Encode rows for `Database.json_rows`."""
    return {"rows": json.dumps(rows, ensure_ascii=False, separators=(",", ":"))}


def empty_to_null(value: SqlValue) -> SqlValue:
    """Treat an empty text as NULL."""
    return func.nullif(value, literal_column("''"), type_=value.type) if isinstance(value.type, Text) else value


def opt_out_text(value: SqlValue) -> SqlValue:
    """The text of a flag in one spelling, `true` or `false`; another text stays as it is."""
    text = cast(value, TEXT)
    # No IN list: DuckDB may turn it into a join, which takes more memory than all the rows.
    spellings = {**dict.fromkeys(sorted(TRUE_TEXTS), "true"), **dict.fromkeys(sorted(FALSE_TEXTS), "false")}
    whens = {literal(word, TEXT): literal(flag, TEXT) for word, flag in spellings.items()}
    return case(whens, value=_word(text), else_=text)


def opts_out(value: SqlValue) -> ColumnElement[bool]:
    """Whether a flag of any type says yes, in a spelling of `contacts.values.TRUE_TEXTS`."""
    if isinstance(value.type, Boolean):
        return func.coalesce(value, false())
    if isinstance(value.type, (Integer, Numeric)):
        return func.coalesce(value == 1, false())
    return func.coalesce(opt_out_text(value) == literal("true", TEXT), false())


def may_opt_out(flag: SqlValue) -> ColumnElement[bool]:
    """Whether a flag opts the contact out, or is unreadable."""
    return or_(opts_out(flag), is_unreadable_consent(flag, FieldKind.OPT_OUT))


def is_unreadable_consent(value: SqlValue, kind: FieldKind) -> ColumnElement[bool]:
    """Whether an opt-out flag or a status has a value that `contacts.values` does not know."""
    if isinstance(value.type, Boolean):
        return false()
    if isinstance(value.type, (Integer, Numeric)):
        return func.coalesce(value.not_in([0, 1]), false())
    word = _word(cast(value, TEXT))
    known = {*TRUE_TEXTS, *FALSE_TEXTS} if kind is FieldKind.OPT_OUT else STATUSES.keys()
    return func.coalesce(and_(word != "", *(word != literal(each, TEXT) for each in sorted(known))), false())


def _word(text: SqlValue) -> SqlValue:
    """A text in lower case, without the white space around it."""
    return func.lower(func.trim(text, literal(FLAG_WHITE_SPACE, TEXT)))


def among(columns: Sequence[SqlValue], found: SqlQuery) -> ColumnElement[bool]:
    """Whether the values of `columns` are a row of a query that selects as many columns and no NULL.

    IN rather than a correlated EXISTS, for which SQLite reads the query's tables once per row.
    """
    return columns[0].in_(found) if len(columns) == 1 else tuple_(*columns).in_(found)


def among_numbers(column: SqlValue, numbers: Iterable[int]) -> ColumnElement[bool]:
    """Whether a column has one of many whole numbers, which are part of the statement: parameters are limited."""
    listed: list[SqlValue] = [literal_column(str(int(number))) for number in numbers]
    return column.in_(listed) if listed else false()


def json_object_of(
    values: Mapping[str, SqlValue],
    make: Callable[..., SqlValue],
    join: Callable[[SqlValue, SqlValue], SqlValue],
) -> SqlValue:
    """A JSON object by a function that takes names and values in turn, at most 100 arguments at a time.

    Args:
        values: Its members.
        make: The function.
        join: Makes one object of two.
    """
    arguments: list[SqlValue] = [each for name, value in values.items() for each in (_name(name), value)]
    parts = [make(*arguments[start : start + _MOST_ARGUMENTS]) for start in range(0, len(arguments), _MOST_ARGUMENTS)]
    return reduce(join, parts)


def _name(text: str) -> SqlValue:
    """A text that is part of the statement: parameters are limited."""
    return literal(text, TEXT, literal_execute=True)


def appended(table: TableClause, query: SqlQuery) -> Insert:
    """A statement that appends the rows of a query to a table, with columns matched by name."""
    return insert(table).from_select([column.name for column in query.selected_columns], query)


def expected_rarely(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that the planner expects to hold for one row in 200: its default for a value without statistics."""
    return case((condition, literal_column("1"))) == literal_column("1")
