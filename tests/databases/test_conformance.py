"""What each class of a database promises: facts of those that hold the state, and of those that are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.schema import DropTable
from support.databases import SERVER_FIXTURES
from support.placements import EMULATORS, emulated

from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.databases.expressions import rows_parameter
from dagster_dailystory.databases.kinds.base import Database
from dagster_dailystory.databases.kinds.registry import DATABASES, database_named, database_of, require_state_database
from dagster_dailystory.databases.sql_types import BIG_INTEGER, TEXT, CreateTemporaryTableAs
from dagster_dailystory.errors import ConfigurationError

HOLD_STATE = sorted(name for name, database in DATABASES.items() if database.why_no_state is None)
READ_HERE = [
    emulated(each) if each in EMULATORS else each for each in sorted({*HOLD_STATE, *SERVER_FIXTURES, *EMULATORS})
]
TEXTS = ["a", "A", "ä", "a ", "", "it's", 'say "x"', "line\nbreak", "\\", "%s", ":name", "☃", "null", "7", "7.0"]


@pytest.fixture(params=HOLD_STATE)
def state(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Iterator[sa.Connection]:
    with open_engine(new_database(request.param)).connect() as connection, connection.begin():
        yield connection


@pytest.fixture
def database(state: sa.Connection) -> Database:
    return database_of(state.dialect)


def table_of(state: sa.Connection, kind: sa.types.TypeEngine[object] = TEXT) -> sa.Table:
    table = sa.Table("kept", sa.MetaData(), sa.Column("number", BIG_INTEGER), sa.Column("value", kind))
    table.create(state)
    return table


def test_rows_come_back_as_they_were_inserted(state: sa.Connection, database: Database):
    table, rows = table_of(state), [*enumerate(TEXTS), (2**63 - 1, None), (-(2**63), "lowest")]
    database.insert_rows(state, table, rows)
    assert sorted(map(tuple, state.execute(sa.select(table))), key=str) == sorted(rows, key=str)


def test_one_json_parameter_is_a_table(state: sa.Connection, database: Database):
    given = database.json_rows({"number": BIG_INTEGER, "text": TEXT})
    rows = [{"number": number, "text": text} for number, text in enumerate(TEXTS)] + [{"number": None, "text": None}]
    found = state.execute(sa.select(given), rows_parameter(rows)).mappings().all()
    assert sorted(map(dict, found), key=str) == sorted(rows, key=str)
    assert state.execute(sa.select(given), rows_parameter([])).all() == []


def test_texts_differ_byte_by_byte_and_null_is_a_value(state: sa.Connection, database: Database):
    table = table_of(state, database.storage_type(sa.Text()))
    for one in [*TEXTS, None]:
        for other in [*TEXTS, None]:
            values = (sa.literal(each, table.c.value.type) for each in (one, other))
            found = state.execute(sa.select(database.differs(*values))).scalar_one()
            assert bool(found) is (one != other), (one, other)


def test_a_key_has_one_bucket_below_the_count(state: sa.Connection, database: Database):
    table = table_of(state)
    database.insert_rows(state, table, [(number, f"key {number}") for number in range(200)] + [(200, None)])
    bucket = database.bucket([table.c.number, table.c.value], 4)
    found = state.execute(sa.select(table.c.number, bucket).order_by(table.c.number)).all()
    assert {each for _, each in found} == {0, 1, 2, 3}
    assert found[200][1] == 0
    assert found == state.execute(sa.select(table.c.number, bucket).order_by(table.c.number)).all()


def test_a_filled_temporary_table_can_be_indexed(state: sa.Connection, database: Database):
    table = table_of(state)
    database.insert_rows(state, table, [(1, "x"), (2, "y")])
    state.execute(CreateTemporaryTableAs("copied", sa.select(table)))
    database.index_temporary(state, "copied", ["value"], "number")
    assert state.execute(sa.text("SELECT value FROM copied WHERE number = 2")).scalar_one() == "y"


def test_a_table_that_is_filled_anew_is_temporary(state: sa.Connection, database: Database):
    table = database.refilled_table("answers", sa.Column("number", BIG_INTEGER))
    table.create(state, checkfirst=False)
    database.insert_rows(state, table, [(1,)])
    assert state.execute(sa.select(table)).scalars().all() == [1]
    assert "answers" not in sa.inspect(state).get_table_names()


@pytest.mark.parametrize("engine_name", HOLD_STATE)
def test_ddl_is_rolled_back_with_its_transaction_and_ends_none(warehouse_url: str):
    with open_engine(warehouse_url).connect() as connection:
        database = database_of(connection.dialect)
        with connection.begin():
            table = table_of(connection)
        with connection.begin() as transaction:
            database.insert_rows(connection, table, [(1, "x")])
            sa.Table("made", sa.MetaData(), sa.Column("number", BIG_INTEGER)).create(connection)
            connection.execute(CreateTemporaryTableAs("copied", sa.select(table)))
            database.index_temporary(connection, "copied", ["value"], "number")
            connection.execute(DropTable(sa.Table("copied", sa.MetaData())))
            transaction.rollback()
        with connection.begin():
            assert connection.execute(sa.select(table)).all() == []
            assert sa.inspect(connection).get_table_names() == ["kept"]


def test_a_query_that_is_evaluated_first_returns_its_rows(state: sa.Connection, database: Database):
    first = database.evaluated_first(sa.select(sa.literal(3).label("number")), "first")
    assert state.execute(sa.select(first.c.number)).scalar_one() == 3


def test_rows_are_numbered_in_their_order(state: sa.Connection, database: Database):
    given = database.json_rows({"number": sa.BigInteger()})
    numbered = database.numbered(sa.select(given.c.number), [given.c.number])
    found = state.execute(numbered, rows_parameter([{"number": each} for each in (30, 10, 20)])).mappings()
    assert sorted((row["sequence"], row["number"]) for row in found) == [(1, 10), (2, 20), (3, 30)]


def test_a_database_that_compares_hashes_has_one_of_every_value(state: sa.Connection, database: Database):
    values = [sa.literal(each, TEXT) for each in ("x", "", None)]
    if not database.compares_hashes:
        with pytest.raises(NotImplementedError):
            database.hash_of(values, [TEXT] * 3)
        return
    hashes = [state.execute(sa.select(database.hash_of([one, *values], [TEXT] * 4))).scalar_one() for one in values]
    assert len({*hashes}) == 3
    assert None not in hashes


def test_storage_of_a_type_is_the_same_storage(database: Database):
    for kind in (sa.Integer(), sa.String(20), sa.Boolean(), sa.DateTime(), sa.Numeric(10, 2), sa.LargeBinary()):
        kept = database.storage_type(kind)
        assert database.same_storage(kept, database.storage_type(kind))
    assert database.same_storage(database.storage_type(sa.String(20)), database.storage_type(sa.String(30)))


@pytest.mark.parametrize("engine_name", READ_HERE)
def test_every_database_is_read_in_batches(engine_name: str, warehouse_url: str):
    engine = open_engine(warehouse_url)
    with engine.connect() as connection:
        rows = sa.union_all(*(sa.select(sa.literal_column(str(n)).label("n")) for n in range(7))).subquery("rows_read")
        database = database_of(connection.dialect)
        database.use_repeatable_read(connection)
        with connection.begin():
            batches = list(database.batches(connection, sa.select(rows.c.n).order_by(rows.c.n), {}, 3))
        database.use_read_committed(connection)
    assert [int(str(row[0])) for batch in batches for row in batch] == list(range(7))


@pytest.mark.parametrize("name", sorted(DATABASES))
def test_every_database_has_its_facts(name: str):
    database = DATABASES[name]
    assert make_url(database.url).get_backend_name() == name
    assert database.title
    assert database.short_name
    assert database.sql_name
    if database.why_no_state is None:
        require_state_database(name)
    else:
        with pytest.raises(ConfigurationError, match=f"{database.title} cannot hold the sync's state"):
            require_state_database(name)


@pytest.mark.parametrize("name", sorted(set(DATABASES) - set(HOLD_STATE)))
def test_a_database_that_is_only_read_has_no_methods_of_the_state(name: str):
    database = DATABASES[name](sa.create_engine("sqlite://").dialect)
    with pytest.raises(NotImplementedError):
        database.json_rows({"number": BIG_INTEGER})
    with pytest.raises(NotImplementedError):
        database.bucket([sa.column("number", BIG_INTEGER)], 2)


def test_an_unknown_database_is_read_and_holds_no_state():
    unknown = database_named("firebird")
    assert (unknown.title, unknown.short_name) == ("firebird", "firebird")
    with pytest.raises(ConfigurationError, match="this package does not know it"):
        require_state_database("firebird")
    moments = [date(2026, 1, 1), datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=timezone.utc)]
    database = unknown(sa.create_engine("sqlite://").dialect)
    assert [database.moment(each) for each in moments] == moments
    assert all(database.moment_literal(each) is not None for each in moments)
    assert database.moment("2026-01-01") is None
