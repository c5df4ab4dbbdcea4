"""The row hash of each database: it differs wherever a value does, whatever the session is set to.

Redshift's expression runs on PostgreSQL here, with functions of Redshift's names. Those of Snowflake, Databricks and
BigQuery run on their emulators, by `make test-warehouses`; what each of them cannot show is said in `hashed_types`.
Those of Trino and SQL Server are compiled and parsed in `test_golden_sql.py`; nothing here runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url
from support.hashed_types import GENERATED, HASHED
from support.placements import EMULATORS, emulated

from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.databases.kinds.registry import DATABASES, database_of
from dagster_dailystory.databases.row_hash import NoHash, hash_version, row_hash
from dagster_dailystory.databases.sql_types import SqlValue

NewDatabase = Callable[[str], str]


def cases(field: str) -> list[Any]:
    """Database and type, for all that a field of `HashedTypes` has."""
    found = [(name, kind) for name, types in HASHED.items() for kind in getattr(types, field)]
    return [emulated(*each) if each[0] in EMULATORS else each for each in found]


def having(field: str) -> list[Any]:
    """The databases for which a field of `HashedTypes` has anything."""
    return [emulated(name) if name in EMULATORS else name for name, types in HASHED.items() if getattr(types, field)]


@contextmanager
def table_of(new_database: NewDatabase, name: str, **columns: str) -> Iterator[sa.Connection]:
    """A connection to a new database with the table `hashed`: a number in `id`, and these columns."""
    number = "Int64" if name == "clickhouse" else "integer"
    written = ", ".join(f"{each} {kind}" for each, kind in {"id": number, **columns}.items())
    with open_engine(new_database(name)).connect() as connection:
        connection.exec_driver_sql(f"CREATE TABLE hashed ({written}){HASHED[name].suffix}")
        yield connection
        if name == "clickhouse":  # all its tests share one database
            connection.exec_driver_sql("DROP TABLE hashed")


def insert(connection: sa.Connection, rows: Sequence[Sequence[str]]) -> None:
    """Insert rows of values that are written as SQL."""
    written = [", ".join([str(number), *row]) for number, row in enumerate(rows)]
    values = f"VALUES ({'), ('.join(written)})"
    if connection.dialect.name == "snowflake":  # takes no function in VALUES
        values = f"SELECT {' UNION ALL SELECT '.join(written)}"
    connection.exec_driver_sql(f"INSERT INTO hashed {values}".replace("%", "%%"))


def columns_of(names: Sequence[str]) -> list[SqlValue]:
    return list(sa.table("hashed", *(sa.column(name) for name in names)).alias("source").c)


def read(connection: sa.Connection, *names: str) -> list[tuple[list[object], object]]:
    """The values of each row as a sync reads them, and its hash."""
    values = columns_of(names)
    hashed = row_hash(values, connection)
    assert not isinstance(hashed, NoHash), hashed.reason
    ordered = sa.select(*values, hashed).order_by(sa.literal_column("id"))
    batches = database_of(connection.dialect).batches(connection, ordered, {}, 1_000)
    found = [([*row[:-1]], row[-1]) for batch in batches for row in batch]
    connection.execution_options(stream_results=False, yield_per=None)  # both last for a connection
    return found


def hashes(connection: sa.Connection, *names: str) -> list[int]:
    """The hashes of all rows, in the order of `id`."""
    hashed = row_hash(columns_of(names), connection)
    assert not isinstance(hashed, NoHash), hashed.reason
    found = connection.execute(sa.select(hashed).order_by(sa.literal_column("id"))).scalars().all()
    assert all(isinstance(number, int) and -(2**63) <= number < 2**63 for number in found)
    return list(found)


@pytest.mark.parametrize(("name", "kind"), cases("apart"))
def test_rows_that_differ_hash_apart(new_database: NewDatabase, name: str, kind: str) -> None:
    """All pairs of two neighbouring columns, in which NULL moves from one to the next, and so do letters and items.

    Each pair is in two rows, which hash alike.
    """
    values = HASHED[name].apart[kind]
    pairs = [(one, other) for one in values for other in values]
    with table_of(new_database, name, a=kind, b=kind) as connection:
        insert(connection, [*pairs, *pairs])
        both = hashes(connection, "a", "b")
    found, again = both[: len(pairs)], both[len(pairs) :]
    assert found == again
    seen: dict[int, tuple[str, str]] = {}
    same = [
        (seen[number], pair) for number, pair in zip(found, pairs, strict=True) if seen.setdefault(number, pair) != pair
    ]
    assert not same


@pytest.mark.parametrize("name", having("apart"))
def test_two_rows_that_exchange_a_value_change_the_sum_of_their_hashes(new_database: NewDatabase, name: str) -> None:
    kind, values = next((kind, values) for kind, values in HASHED[name].apart.items() if len(values) > 1)
    some = [value for value in values if value.upper() != "NULL"][:6]
    with table_of(new_database, name, a=kind, b=kind) as connection:
        insert(connection, [(one, other) for one in some for other in some])
        found = hashes(connection, "a", "b")
    at = {pair: found[place] for place, pair in enumerate((one, other) for one in some for other in some)}
    four = [(a, b, x, y) for a, b in combinations(some, 2) for x, y in combinations(some, 2)]
    assert four
    assert not [each for each in four if _keeps_sum(at, *each)]


def _keeps_sum(at: dict[tuple[str, str], int], a: str, b: str, x: str, y: str) -> bool:
    return at[a, x] + at[b, y] == at[a, y] + at[b, x]


@pytest.mark.parametrize("name", having("apart"))
def test_the_warehouse_adds_hashes_up_exactly_and_divides_them(new_database: NewDatabase, name: str) -> None:
    kind, values = next(iter(HASHED[name].apart.items()))
    with table_of(new_database, name, a=kind) as connection:
        insert(connection, [(value,) for value in values * 20])
        database, hashed = database_of(connection.dialect), row_hash(columns_of(["a"]), connection)
        assert not isinstance(hashed, NoHash)
        rows = sa.select(hashed.label("hash"), database.remainder(hashed, 7).label("part")).subquery("rows_hashed")
        total = connection.execute(sa.select(database.exact_sum(rows.c.hash))).scalar_one()
        parts = connection.execute(sa.select(rows.c.part)).scalars().all()
        numbers = hashes(connection, "a")
    assert int(total) == sum(numbers)
    assert sorted(map(int, parts)) == sorted(number % 7 if number >= 0 else -(-number % 7) for number in numbers)


@pytest.mark.parametrize(("name", "kind"), cases("alike"))
def test_a_value_that_is_written_differently_has_the_same_hash(new_database: NewDatabase, name: str, kind: str) -> None:
    with table_of(new_database, name, a=kind) as connection:
        insert(connection, [(each,) for each in HASHED[name].alike[kind]])
        (values, one), (others, other) = read(connection, "a")
    assert values == others
    assert one == other


@pytest.mark.parametrize(("name", "kind"), cases("refused"))
def test_a_type_without_an_exact_hash_is_named(new_database: NewDatabase, name: str, kind: str) -> None:
    value, word = HASHED[name].refused[kind]
    with table_of(new_database, name, a=kind) as connection:
        insert(connection, [(value,)])
        found = row_hash(columns_of(["id", "a"]), connection)
        title = database_of(connection.dialect).title
    assert found == NoHash(f"{title} cannot hash {word} columns exactly")


TEXTS = st.none() | st.text("aAbß ,:'\\\"Nß1", max_size=4)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1))
ROWS = st.tuples(
    TEXTS,
    TEXTS,
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2),
    st.none() | st.integers(-(10**15), 10**15).map(lambda number: Decimal(number).scaleb(-6)),
    st.none() | st.floats(-1e300, 1e300).map(lambda number: number + 0.0),
    st.none() | MOMENTS.map(datetime.date),
    st.none() | MOMENTS,
)


def with_neighbours(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """The rows, each also with its texts exchanged, and with one of its values taken from the next row."""
    mixed = [(*row[:place], other[place], *row[place + 1 :]) for row, other in pairwise(rows) for place in range(7)]
    return [*rows, *((row[1], row[0], *row[2:]) for row in rows), *mixed]


@pytest.mark.parametrize("name", having("apart"))
def test_generated_rows_have_one_hash_if_they_are_equal_and_two_if_they_differ(
    new_database: NewDatabase, name: str
) -> None:
    kinds = (sa.Text, sa.Text, sa.BigInteger, sa.Numeric(38, 6), sa.Double, sa.Date, sa.DateTime)
    if name == "sqlite":  # has neither decimals nor dates
        kinds = (sa.Text, sa.Text, sa.BigInteger, sa.Text, sa.Double, sa.Text, sa.Text)
    types = zip(GENERATED, kinds, strict=True)
    table = sa.table("hashed", sa.column("id", sa.Integer), *(sa.column(each, kind) for each, kind in types))

    @settings(max_examples=5 if name in EMULATORS else 15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(ROWS, min_size=2, max_size=12).map(with_neighbours))
    def check(rows: list[tuple[object, ...]]) -> None:
        made = [tuple(map(str_of_missing, row)) for row in rows] if name == "sqlite" else rows
        connection.exec_driver_sql("DELETE FROM hashed WHERE true" if name in DELETING else "TRUNCATE TABLE hashed")
        if name in EMULATORS:  # their drivers send a statement for each row
            insert(connection, [[*map(literal, row)] for row in rows])
        else:
            connection.execute(table.insert(), [dict(zip(("id", *GENERATED), (0, *row), strict=True)) for row in made])
        found = read(connection, *GENERATED)
        assert len(found) == len(rows)
        assert len({repr(values) for values, _ in found}) == len({number for _, number in found})
        assert len({(repr(values), number) for values, number in found}) == len({number for _, number in found})

    with table_of(new_database, name, **dict(zip(GENERATED, HASHED[name].generated, strict=True))) as connection:
        check()


DELETING = ("sqlite", "duckdb", "postgresql", "redshift", "bigquery")
"""The databases in which a DELETE is faster than a TRUNCATE, or the only way."""


def literal(value: object) -> str:
    """A value as SQL, of which an INSERT makes one of the column's type."""
    if value is None:
        return "NULL"
    if isinstance(value, (int, float)):
        return f"{value!r}{'' if isinstance(value, int) or 'e' in repr(value) else 'e0'}"
    written = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{written}'"


def str_of_missing(value: object) -> object:
    """A value of a type that SQLite lacks, as text."""
    return str(value) if isinstance(value, (Decimal, date)) else value


@pytest.mark.parametrize("name", having("settings"))
def test_settings_of_a_session_do_not_change_a_hash(new_database: NewDatabase, name: str) -> None:
    types = HASHED[name]
    columns = {f"v{place}": kind for place, kind in enumerate(types.apart) if "timestamp(6) NULL" not in kind}
    with table_of(new_database, name, **columns) as connection:
        values = [types.apart[kind] for kind in columns.values()]
        insert(connection, [[each[row % len(each)] for each in values] for row in range(max(map(len, values)))])
        before = hashes(connection, *columns)
        for statement in types.settings:
            connection.exec_driver_sql(statement)
        assert hashes(connection, *columns) == before


FOLLOWED = [
    ("mysql", "timestamp(6) NULL", "SET SESSION time_zone = '+05:00'"),
]


@pytest.mark.parametrize(("name", "kind", "statement"), FOLLOWED)
def test_a_moment_that_is_read_in_the_time_zone_of_the_session_is_hashed_in_it(
    new_database: NewDatabase, name: str, kind: str, statement: str
) -> None:
    with table_of(new_database, name, a=kind) as connection:
        insert(connection, [("'2024-02-29 10:00:00'",)])
        before = read(connection, "a")
        connection.exec_driver_sql(statement)
        after = read(connection, "a")
    assert before[0][0] != after[0][0]
    assert before[0][1] != after[0][1]


@pytest.mark.parametrize("name", having("apart"))
def test_the_version_of_a_hash_is_the_hash_of_a_fixed_row(new_database: NewDatabase, name: str) -> None:
    with open_engine(new_database(name)).connect() as connection:
        version = hash_version(connection)
        assert version == hash_version(connection)
        dialect_name, _, number = version.partition(" ")
    assert dialect_name == connection.dialect.name
    assert -(2**63) <= int(number) < 2**63


@pytest.mark.parametrize("name", ["sqlite", "mysql", "redshift", *map(emulated, ("snowflake", "databricks"))])
def test_two_hundred_columns_have_a_hash(new_database: NewDatabase, name: str) -> None:
    columns = {f"c{place}": "varchar(5)" for place in range(200)}
    with table_of(new_database, name, **columns) as connection:
        rows = [["'a'"] * 200, ["'a'"] * 199 + ["'b'"], ["'b'"] + ["'a'"] * 199]
        insert(connection, rows)
        assert len(set(hashes(connection, *columns))) == len(rows)


UNRUN = {
    "bigquery": (["GEOGRAPHY", "RANGE", "RECORD"], "STRING"),
    "databricks": (["geometry", "user_defined"], "string"),
    "snowflake": ([14, 15, 16, 17, 18], 2),
    "trino": (["map(varchar,varchar)", "row(a varchar)", "array(row(a varchar))", "hyperloglog"], "varchar"),
}
"""Type codes without an exact hash, and one with it, of the databases that `make test` does not run."""


@pytest.mark.parametrize(("dialect_name", "kind"), [(name, kind) for name, found in UNRUN.items() for kind in found[0]])
def test_the_code_of_a_type_without_an_exact_hash_is_refused(dialect_name: str, kind: object) -> None:
    facts = DATABASES[dialect_name]
    database = database_of(make_url(facts.url).get_dialect()())
    known = UNRUN[dialect_name][1]
    assert database.why_no_hash([known]) is None
    assert str(database.why_no_hash([known, kind])).startswith(f"{facts.title} cannot hash ")


def test_a_database_that_this_package_does_not_know_has_no_hash() -> None:
    dialect = make_url("sqlite://").get_dialect()()
    dialect.name = "other"
    assert database_of(dialect).why_no_hash([]) == "other has no suitable hash function"
