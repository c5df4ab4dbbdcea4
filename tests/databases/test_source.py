"""The text of a source, and values as they are staged."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.scenario import sync_of

from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.databases.source import has_unique_keys, open_source
from dagster_dailystory.databases.source_text import source_text, split_table_name
from dagster_dailystory.databases.stored_values import staged_key, staged_text, staged_texts


@pytest.mark.parametrize(
    ("written", "schema", "name"),
    [
        ("customers", None, "customers"),
        ("crm.customers", "crm", "customers"),
        ('"Odd Name"', None, "Odd Name"),
        ('crm."a.b"', "crm", "a.b"),
        ('"say ""hi"""', None, 'say "hi"'),
        ("catalog.crm.customers", "catalog.crm", "customers"),
    ],
)
def test_a_table_name_may_be_quoted_and_qualified(written, schema, name):
    assert split_table_name(written) == (schema, name)


@pytest.mark.parametrize(
    ("written", "query"),
    [
        ("select 1", "select 1"),
        ("  select 1 ;\n", "select 1"),
        ("select 1;;", "select 1"),
        ("select 1 ; -- all; of them\n", "select 1"),
        ("select 1; /* a; 'b */ ; -- c", "select 1"),
        ("select 1 -- all; of them", "select 1 -- all; of them"),
        ("select 'it''s; -- no' as a", "select 'it''s; -- no' as a"),
        ('select 1 as "a; -- b"', 'select 1 as "a; -- b"'),
        ("select 8 / 2 - 1;", "select 8 / 2 - 1"),
        ("select 1; select 2", "select 1; select 2"),
    ],
)
def test_a_final_semicolon_and_what_follows_are_removed(written, query):
    assert source_text(sync_of(source=written)) == query


def test_a_query_that_mentions_a_file_is_a_query():
    assert source_text(sync_of(source="select 'x' as name from a.sql")).startswith("select")


@pytest.mark.parametrize(
    ("value", "key"),
    [(7, 7), (-(2**63), -(2**63)), (2**63, str(2**63)), ("7", "7"), (True, "true"), (1.5, "1.5"), (None, None)],
)
def test_integer_keys_are_staged_unchanged(value, key):
    assert staged_key(value) == key


def test_a_value_without_a_text_is_staged_as_unsupported():
    assert staged_text(b"\x00") != staged_text("")
    assert "unsupported" in str(staged_text(b"\x00"))


@pytest.mark.parametrize(
    "column",
    [
        ["Paris", "", None, "Zoë 🎈"],
        ["a\x00b", "Paris", ""],
        ["\ud800", "Paris"],
        ["\ud83d", "\ude00"],
        ["Paris", b"\x00", 1.50, Decimal("1.50"), False, None],
        [None, None],
        [],
    ],
)
def test_a_column_is_staged_like_each_of_its_values(column):
    assert staged_texts(column) == [staged_text(value) or None for value in column]


KEYED = "(id integer, email varchar(90), PRIMARY KEY (id))"
NOTED = [
    ("mysql", KEYED, True),
    ("redshift", KEYED, False),
    ("clickhouse", "(id Int64, email String) ENGINE = MergeTree PRIMARY KEY (id)", False),
]


@pytest.mark.parametrize(("warehouse", "table", "unique"), NOTED)
def test_a_primary_key_that_is_only_noted_does_not_make_keys_unique(new_database, warehouse, table, unique):
    """Redshift, BigQuery, Snowflake and Databricks accept a second row; ClickHouse sorts by its key."""
    with open_engine(new_database(warehouse)).connect() as connection:
        connection.exec_driver_sql(f"CREATE TABLE keyed {table}")
        sync = sync_of(source="keyed", key="id", fields={"email": "email"}, extended_properties={})
        assert has_unique_keys(open_source(sync, connection), sync, connection) is unique
        connection.exec_driver_sql("DROP TABLE keyed")
