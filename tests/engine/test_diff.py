"""The statements of the diff: valid SQL on every state database, and empty after the changes were sent."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.scenario import Scenario, open_scenario, sync_of

from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.sql_types import TEXT, Untyped
from dagster_dailystory.engine.planning.comparison.diff import Diff
from dagster_dailystory.engine.state.schema import StateLocation, SyncTables
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import ContactSync, Scope
from dagster_dailystory.sandbox import Sandbox

DIALECTS = {"sqlite": "sqlite", "postgresql+psycopg": "postgres", "duckdb": "duckdb"}
STATEMENTS = ("row_counts", "duplicate_keys", "snapshot_counts")


def diff_of(url: str, sync: ContactSync, **options: object) -> Diff:
    """A diff that is compiled and never run."""
    dialect = sa.make_url(f"{url}://").get_dialect()()
    kind = Untyped() if url == "sqlite" else TEXT
    values = {mapped.state_column: kind for mapped in sync.mapped_fields}
    keys = dict.fromkeys(sync.key_columns, kind)
    source = sa.table("source", *(sa.column(name, kind) for name in (*keys, *values)))
    return Diff(
        source, SyncTables(sync, StateLocation(""), keys, values, dialect), PlanOptions(**options), database_of(dialect)
    )


@pytest.mark.parametrize("url", DIALECTS)
def test_every_statement_is_valid_sql_and_sqlite_gets_no_full_join(url):
    written = set()
    options = ({}, {"scope": Scope.ALL}, {"scope": Scope.REJECTED}, {"limit": 3})
    for mode, nulls, given_options in itertools.product(("upsert", "update", "create"), ("keep", "clear"), options):
        sync = sync_of(mode=mode, nulls=nulls, key=["customer_id", "region"])
        diff = diff_of(url, sync, **given_options)
        queries = [getattr(diff, name)() for name in STATEMENTS]
        queries += [diff.differing(), diff.missing_keys(7)]
        pending = diff.differing().subquery("pending")
        queries += [diff.pending_counts(pending), diff.repeated_keys(pending)]
        literal = {"dialect": diff.database.dialect, "compile_kwargs": {"literal_binds": True}}
        written |= {str(query.compile(**literal)) for query in queries}
    for statement in written:
        [parsed] = sqlglot.parse(statement, dialect=DIALECTS[url])
        assert isinstance(parsed, sqlglot.exp.Query)
        if url == "sqlite":
            assert not [join for join in parsed.find_all(sqlglot.exp.Join) if join.side == "FULL"]


def test_texts_are_compared_byte_by_byte_and_null_is_a_value(new_database, engine_name):
    engine = sa.create_engine(new_database(engine_name), poolclass=sa.NullPool)
    kind = Untyped() if engine_name == "sqlite" else TEXT
    pairs = [("a", "a", False), ("a", "A", True), ("a", None, True), (None, None, False), ("a", "a ", True)]
    with engine.connect() as connection:
        for one, other, expected in pairs:
            values = [sa.cast(sa.literal(each, TEXT), TEXT) for each in (one, other)]
            condition = database_of(engine.dialect).differs(*(sa.type_coerce(value, kind) for value in values))
            assert bool(connection.execute(sa.select(condition)).scalar()) is expected, (one, other)


def test_a_number_in_an_untyped_column_equals_its_text_and_no_other():
    pairs = [(7, "7", False), (7, "8", True), (1.5, "1.5", False), (7, 7.0, False), (7, "7.0", True), ("", None, True)]
    engine = sa.create_engine("sqlite://", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for one, other, expected in pairs:
            condition = database_of(engine.dialect).differs(sa.literal(one, Untyped()), sa.literal(other, Untyped()))
            assert bool(connection.execute(sa.select(condition)).scalar()) is expected, (one, other)


TEXTS = st.sampled_from([None, "", " ", "Paris", "paris", "Pa'ris %s :x", "Zoë 🎈", "0", "null"])
ROWS = st.dictionaries(
    st.integers(1, 6), st.fixed_dictionaries({"city": TEXTS, "plan": TEXTS, "opted_out": st.sampled_from([None, 0, 1])})
)
MAPPING = {"email": "email", "city": "city", "optOutEmail": "opted_out"}


@contextmanager
def one_scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    numbers = itertools.count()
    folder = tmp_path_factory.mktemp("diff")
    make: Callable[[str], str] = lambda name: f"{name}:///{folder}/{next(numbers)}.db"  # noqa: E731  # one line, one use
    with open_scenario(make) as scenario:
        scenario.create()
        yield scenario


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables=st.lists(ROWS, min_size=1, max_size=3), nulls=st.sampled_from(["keep", "clear"]))
def test_the_diff_is_empty_after_its_changes_were_sent(tmp_path_factory, tables, nulls):
    """diff(apply(diff)) is empty, and the contacts have the values of the rows, whatever the rows were before."""
    sync = sync_of(fields=MAPPING, nulls=nulls, deletes="delete", max_deleted_fraction=None, allow_empty_source=True)
    with one_scenario(tmp_path_factory) as scenario:
        for table in tables:
            scenario.execute("DELETE FROM customers")
            scenario.insert(*({"customer_id": n, "email": f"p{n}@example.com", **row} for n, row in table.items()))
            scenario.run(sync)
            quiet = scenario.run(sync)
            assert (quiet.outcome, quiet.api_requests) == ("empty", 0)
            check(scenario.sandbox, table)


def check(sandbox: Sandbox, rows: dict[int, dict[str, object]]) -> None:
    """Every row is an active contact with its values, and there are no other active contacts."""
    active = {str(each["email"]): each for each in sandbox.contacts() if each["status"] == "Active"}
    opted_out = {str(each["email"]) for each in sandbox.contacts() if each["optOutEmail"]}
    assert active.keys() - opted_out <= {f"p{number}@example.com" for number in rows}
    for number, row in rows.items():
        contact = sandbox.find(email=f"p{number}@example.com")
        assert contact is not None
        if str(row["city"] or "").strip():
            assert contact["city"] == row["city"]
        if str(row["plan"] or "").strip():
            assert contact["extendedProperties"]["plan"] == row["plan"]
        assert contact["optOutEmail"] or row["opted_out"] != 1
