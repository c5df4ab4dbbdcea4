"""Key ranges: DuckDB joins and writes large tables range by range, so that its memory does not grow with the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)

from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.sql_types import SqlQuery, SqlValue

Statement = tuple[SqlQuery, Mapping[str, object]]
"""A query and its parameters."""


HASHED_ROWS = 500_000
"""How many row hashes DuckDB joins at once, where the rows are stored in the order of their key."""


_SAMPLES_PER_RANGE = 250


_FIRST, _END = "range_first", "range_end"


@dataclass(frozen=True)
class KeyRange:
    """A range of values of the first key column, or of a sequence.

    Attributes:
        first: The lowest value; None for no lower bound.
        end: The end, which is not included; None for no upper bound.
    """

    first: object = None
    end: object = None

    @property
    def shape(self) -> tuple[bool, bool]:
        """Which bounds there are: ranges of one shape share a statement, and differ in its parameters."""
        return self.first is not None, self.end is not None

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters of a statement for this range."""
        return {name: bound for name, bound in ((_FIRST, self.first), (_END, self.end)) if bound is not None}

    def of(self, relation: FromClause, key: str, name: str) -> FromClause:
        """The part of a relation within the range, as a subquery, so that it is filtered before it is joined."""
        bounds = self._bounds(relation.c[key])
        return select(relation).where(*bounds).subquery(name) if bounds else relation

    def _bounds(self, key: SqlValue) -> list[ColumnElement[bool]]:
        lower = [] if self.first is None else [key >= bindparam(_FIRST, self.first, key.type)]
        return lower if self.end is None else [*lower, key < bindparam(_END, self.end, key.type)]


WHOLE = KeyRange()
"""All keys."""


@dataclass(frozen=True)
class RowsAtOnce:
    """How many rows one statement may process in DuckDB.

    Attributes:
        compared: Rows that are joined with the snapshot. Ranges cost no time where the rows are stored in the order of
            their key; elsewhere each range reads the whole table.
        changed: Rows that are joined with the snapshot because their row hash is new or differs.
        written: Rows that are checked and stored. More than 250,000 are written in ranges as wide as `compared`:
            DuckDB keeps the rows of smaller statements in memory until they fill a row group of 122,880.
    """

    compared: int
    changed: int
    written: int


MOST_AT_ONCE = RowsAtOnce(compared=250_000, changed=50_000, written=25_000)
"""The limits without a memory limit; wider ranges make a comparison slower."""


_FEWEST = 2_000


_SHARE_OF_MEMORY, _OVERHEAD_MEGABYTES = 0.3, 60
"""Share of the memory limit, less the overhead, that one range may fill (measured: 0.47 works, 0.65 fails)."""


_SAMPLE_ROWS = 1_000


_BYTES_PER_VALUE = 16  # in DuckDB, besides the bytes of a text


_BYTES_PER_HASH = _BYTES_PER_VALUE + 19


_TIMES_THE_LIMIT = 6
"""Largest hash join, in memory limits, that DuckDB completes with temporary files (measured: 8 works, 10 fails)."""


_CLUSTERED = 0.9
"""Share of neighbours in a sample that ascend where a table is stored in key order (in random order it is 0.5)."""


def rows_at_once(row_bytes: float, connection: Connection) -> RowsAtOnce:
    """How many rows DuckDB can process at once within its memory limit.

    Args:
        row_bytes: The width of a row; see `width_of`. 0 means no limit but `MOST_AT_ONCE`.
        connection: To the state's database.
    """
    if not row_bytes:
        return MOST_AT_ONCE
    limit = database_of(connection.dialect).limit_megabytes(connection)
    rows = _SHARE_OF_MEMORY * (limit - _OVERHEAD_MEGABYTES) * 1e6 / row_bytes
    return RowsAtOnce(*(int(min(max(rows, _FEWEST), most)) for most in astuple(MOST_AT_ONCE)))


def hashed_at_once(row_bytes: float, connection: Connection) -> float:
    """How many rows DuckDB can join by their hashes at once, if it writes what exceeds its limit to temporary files.

    Args:
        row_bytes: The width of the columns besides the hash; see `width_of`.
        connection: To the state's database.

    Returns:
        The number of rows; 0 where DuckDB may not write temporary files.
    """
    database = database_of(connection.dialect)
    if not database.can_spill(connection):
        return 0.0
    return _TIMES_THE_LIMIT * database.limit_megabytes(connection) * 1e6 / (row_bytes + _BYTES_PER_HASH)


def width_of(relation: FromClause, connection: Connection) -> float:
    """About how many bytes a row takes in DuckDB, estimated from the first rows.

    0 for an empty relation, and on other databases, which manage their memory themselves.
    """
    if not database_of(connection.dialect).needs_ranges:
        return 0.0
    some = select(relation).limit(_SAMPLE_ROWS).subquery("some")
    texts = [func.strlen(cast(column, Text())) for column in some.c]
    rows, *widths = connection.execute(
        select(func.count(), *(func.avg(text) for text in texts)).select_from(some)
    ).one()
    return sum(_BYTES_PER_VALUE + float(width or 0) for width in widths) if rows else 0.0


def ranges_of_keys(
    rows: int, range_rows: int, relation: FromClause, key: str, connection: Connection, if_scattered: float = 0.0
) -> Sequence[KeyRange]:
    """Cut the keys of a relation into ranges of about equal size.

    Args:
        rows: How many rows the relation has.
        range_rows: About how many rows a range may have.
        relation: Has the key.
        key: The first column of the key.
        connection: To the state's database.
        if_scattered: About how many rows a range may have, if more, where the rows are not stored in the order of
            their key. There each range reads the whole table, so fewer ranges are faster.

    Returns:
        Ranges that together hold each key once; `WHOLE` alone where the database needs no ranges.
    """
    if not database_of(connection.dialect).needs_ranges or rows < range_rows:
        return [WHOLE]
    value, order_matters = relation.c[key], if_scattered > range_rows
    place: SqlValue = func.row_number().over() if order_matters else literal_column("0")
    one_in: SqlValue = literal_column(str(range_rows // _SAMPLES_PER_RANGE))
    chosen = func.hash(value).op("%")(one_in) == literal_column("0")
    sampled = (
        select(value, place).where(value.is_not(None), chosen).order_by(value.asc())
    )  # the default order may be DESC
    sample = connection.execute(sampled).all()
    if order_matters and not _is_clustered(sample):
        range_rows = int(min(if_scattered, rows + 1))
    count = rows // range_rows + 1
    cuts = (sample[len(sample) * number // count][0] for number in range(1, count)) if sample else ()
    bounds = list(dict.fromkeys(cuts))
    return [KeyRange(first, end) for first, end in zip([None, *bounds], [*bounds, None], strict=True)]


def _is_clustered(sample: Sequence[tuple[object, int]]) -> bool:
    """Whether most rows are stored in the order of their key; rows of the same key may be in any order."""
    places: dict[object, int] = {}
    for key, place in sample:
        places[key] = min(place, places.get(key, place))
    return sum(one < other for one, other in pairwise(places.values())) >= _CLUSTERED * (len(places) - 1)


def ranges_of_numbers(highest: int, at_once: RowsAtOnce, dialect: Dialect) -> Sequence[KeyRange]:
    """Cut the numbers from 1 to the highest into ranges that DuckDB writes one after the other.

    Args:
        highest: The highest number.
        at_once: How many rows may be processed at once; see `rows_at_once`.
        dialect: The dialect of the state database.
    """
    if not database_of(dialect).needs_ranges:
        return [WHOLE]
    width = at_once.written if highest <= MOST_AT_ONCE.compared else at_once.compared
    bounds = range(1 + width, highest + 1, width)
    return [KeyRange(first, end) for first, end in zip([None, *bounds], [*bounds, None], strict=True)]


def each_range(ranges: Sequence[KeyRange], query_of: Callable[[KeyRange], SqlQuery]) -> Iterator[Statement]:
    """A statement for each range; ranges of one shape share a query, which is built once."""
    built: dict[tuple[bool, bool], SqlQuery] = {}
    for key_range in ranges:
        if key_range.shape not in built:
            built[key_range.shape] = query_of(key_range)
        yield built[key_range.shape], key_range.parameters
