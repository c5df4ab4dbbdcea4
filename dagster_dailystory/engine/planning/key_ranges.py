"""Spans: DuckDB joins and writes large tables one span after the other, so that memory does not grow with the table."""

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

from dagster_dailystory.databases.memory import can_spill, limit_megabytes
from dagster_dailystory.databases.sql_types import SqlQuery, SqlValue

HASHED_ROWS = 500_000
"""So many hashes of rows are joined at once by DuckDB, where the rows lie in the order of their key."""


_SAMPLES_PER_SPAN = 250


_FIRST, _END = "span_first", "span_end"


@dataclass(frozen=True)
class KeyRange:
    """Neighbouring values of the first key column, or of a sequence.

    Attributes:
        first: The lowest of them; None for no lower bound.
        end: The lowest value above them; None for no upper bound.
    """

    first: object = None
    end: object = None

    @property
    def shape(self) -> tuple[bool, bool]:
        """Which bounds there are: a statement for one span does for all of its shape, with other parameters."""
        return self.first is not None, self.end is not None

    @property
    def parameters(self) -> Mapping[str, object]:
        """Of a statement for this span."""
        return {name: bound for name, bound in ((_FIRST, self.first), (_END, self.end)) if bound is not None}

    def of(self, relation: FromClause, key: str, name: str) -> FromClause:
        """The part of a relation within the span, cut off before it is joined."""
        bounds = self._bounds(relation.c[key])
        return select(relation).where(*bounds).subquery(name) if bounds else relation

    def _bounds(self, key: SqlValue) -> list[ColumnElement[bool]]:
        lower = [] if self.first is None else [key >= bindparam(_FIRST, self.first, key.type)]
        return lower if self.end is None else [*lower, key < bindparam(_END, self.end, key.type)]


WHOLE = KeyRange()
"""All keys."""


@dataclass(frozen=True)
class RowsAtOnce:
    """How many rows DuckDB takes at once.

    Attributes:
        compared: Whole rows that are joined with the snapshot. Where they lie in the order of their key it takes no
            longer than in one go; elsewhere each span reads them all.
        moved: Rows that are joined with it because their hashes moved.
        written: Changes that are judged and stored. More than 250,000 are written in spans as wide as
            those compared: the rows of many statements that fill no row group of 122,880 stay in memory.
    """

    compared: int
    moved: int
    written: int


MOST_AT_ONCE = RowsAtOnce(compared=250_000, moved=50_000, written=25_000)
"""However much memory there is: in wider spans a comparison takes longer."""


_FEWEST = 2_000


_SHARE_OF_MEMORY, _MEGABYTES_BESIDE_THEM = 0.3, 60
"""Of what a limit leaves beside 60 MB, rows of 0.47 times as much were compared just so, 0.65 were too much."""


_SAMPLE_ROWS = 1_000


_BYTES_PER_VALUE = 16  # DuckDB's own, beside those of a long text


_BYTES_PER_HASH = _BYTES_PER_VALUE + 19


_TIMES_THE_LIMIT = 6
"""So many times more bytes than the limit has: of 8 times as many were joined at once, 10 were too many."""


_IN_ORDER = 0.9
"""So many neighbours of a sample must lie so; of rows that lie anyhow it is every second."""


def rows_at_once(row_bytes: float, connection: Connection) -> RowsAtOnce:
    """How many rows DuckDB can take at once within its limit.

    Args:
        row_bytes: About how wide they are; 0 where that does not matter. See `width_of`.
        connection: To the state's database.
    """
    if not row_bytes:
        return MOST_AT_ONCE
    rows = _SHARE_OF_MEMORY * (limit_megabytes(connection) - _MEGABYTES_BESIDE_THEM) * 1e6 / row_bytes
    return RowsAtOnce(*(int(min(max(rows, _FEWEST), most)) for most in astuple(MOST_AT_ONCE)))


def hashed_at_once(row_bytes: float, connection: Connection) -> float:
    """How many rows with their hashes DuckDB can join at once at all, with what exceeds its limit in temporary files.

    Args:
        row_bytes: About how wide is what is read of them besides; see `width_of`.
        connection: To the state's database.

    Returns:
        0 where it may not write any.
    """
    if not can_spill(connection):
        return 0.0
    return _TIMES_THE_LIMIT * limit_megabytes(connection) * 1e6 / (row_bytes + _BYTES_PER_HASH)


def width_of(relation: FromClause, connection: Connection) -> float:
    """About how many bytes a row takes in DuckDB, by the first rows and the values that they have.

    0 where there are none, and on other databases, which look after their memory themselves.
    """
    if connection.dialect.name != "duckdb":
        return 0.0
    some = select(relation).limit(_SAMPLE_ROWS).subquery("some")
    texts = [func.strlen(cast(column, Text())) for column in some.c]
    rows, *widths = connection.execute(
        select(func.count(), *(func.avg(text) for text in texts)).select_from(some)
    ).one()
    return sum(_BYTES_PER_VALUE + float(width or 0) for width in widths) if rows else 0.0


def ranges_of_keys(
    rows: int, span_rows: int, relation: FromClause, key: str, connection: Connection, if_scattered: float = 0.0
) -> Sequence[KeyRange]:
    """Cut the keys of a relation into spans of about equal size.

    Args:
        rows: How many it has.
        span_rows: About how many a span may have.
        relation: Has the key.
        key: Its first column.
        connection: To the state's database.
        if_scattered: About how many it may have where the rows do not lie in the order of their key, if that is more:
            there each span reads all rows.

    Returns:
        Spans that hold all keys together, and any key once; the whole where the database needs none.
    """
    if connection.dialect.name != "duckdb" or rows < span_rows:
        return [WHOLE]
    value, may_differ = relation.c[key], if_scattered > span_rows
    place: SqlValue = func.row_number().over() if may_differ else literal_column("0")
    one_in: SqlValue = literal_column(str(span_rows // _SAMPLES_PER_SPAN))
    chosen = func.hash(value).op("%")(one_in) == literal_column("0")
    sampled = select(value, place).where(value.is_not(None), chosen).order_by(value.asc())  # its default may be DESC
    sample = connection.execute(sampled).all()
    if may_differ and not _lie_in_order(sample):
        span_rows = int(min(if_scattered, rows + 1))
    count = rows // span_rows + 1
    cuts = (sample[len(sample) * number // count][0] for number in range(1, count)) if sample else ()
    bounds = list(dict.fromkeys(cuts))
    return [KeyRange(first, end) for first, end in zip([None, *bounds], [*bounds, None], strict=True)]


def _lie_in_order(sample: Sequence[tuple[object, int]]) -> bool:
    """Whether the rows of ascending keys lie one after the other, but for a few; those of one key may lie anyhow."""
    places: dict[object, int] = {}
    for key, place in sample:
        places[key] = min(place, places.get(key, place))
    return sum(one < other for one, other in pairwise(places.values())) >= _IN_ORDER * (len(places) - 1)


def ranges_of_numbers(highest: int, at_once: RowsAtOnce, dialect: Dialect) -> Sequence[KeyRange]:
    """Cut the numbers from 1 to the highest into spans that DuckDB writes one after the other.

    Args:
        highest: How many rows there are.
        at_once: As many as it may take together; see `rows_at_once`.
        dialect: Of the state's database.
    """
    if dialect.name != "duckdb":
        return [WHOLE]
    width = at_once.written if highest <= MOST_AT_ONCE.compared else at_once.compared
    bounds = range(1 + width, highest + 1, width)
    return [KeyRange(first, end) for first, end in zip([None, *bounds], [*bounds, None], strict=True)]


def each_range(
    spans: Sequence[KeyRange], query_of: Callable[[KeyRange], SqlQuery]
) -> Iterator[tuple[SqlQuery, Mapping[str, object]]]:
    """A query's statements with their parameters, one for each span; those of one shape are built once."""
    built: dict[tuple[bool, bool], SqlQuery] = {}
    for span in spans:
        if span.shape not in built:
            built[span.shape] = query_of(span)
        yield built[span.shape], span.parameters
