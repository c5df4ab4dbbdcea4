"""What staging finds out about a source: unique keys, and whether it can be read twice."""

from __future__ import annotations

import pytest
from support.scenario import customers, open_scenario, sync_of

from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.databases.source import has_unique_keys, is_table, open_source
from dagster_dailystory.errors import SafetyError

TABLES = {
    "keyed": ("CREATE TABLE keyed (id integer PRIMARY KEY, email varchar(100))", ("id",), True),
    "wider": ("CREATE TABLE wider (id integer, email varchar(100), PRIMARY KEY (id, email))", ("id",), False),
    "paired": ("CREATE TABLE paired (id integer, email varchar(100), PRIMARY KEY (id, email))", ("id", "email"), True),
    "narrower": ("CREATE TABLE narrower (id integer PRIMARY KEY, email varchar(100))", ("id", "email"), True),
    "plain": ("CREATE TABLE plain (id integer, email varchar(100))", ("id",), False),
}


@pytest.mark.parametrize("name", TABLES)
def test_keys_are_unique_if_they_contain_the_primary_key(new_database, engine_name, name):
    statement, key, unique = TABLES[name]
    with open_engine(new_database(engine_name)).connect() as connection:
        connection.exec_driver_sql(statement)
        sync = sync_of(source=name, key=key, fields={"email": "email"}, extended_properties={})
        assert has_unique_keys(open_source(sync, connection), sync, connection) is unique


def test_keys_of_a_view_or_a_query_are_not_known_to_be_unique(new_database, engine_name):
    with open_engine(new_database(engine_name)).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE keyed (id integer PRIMARY KEY, email varchar(100))")
        connection.exec_driver_sql("CREATE VIEW seen AS SELECT * FROM keyed UNION ALL SELECT * FROM keyed")
        for source in ("seen", "select * from keyed"):
            sync = sync_of(source=source, key="id", fields={"email": "email"}, extended_properties={})
            assert not has_unique_keys(open_source(sync, connection), sync, connection)


@pytest.mark.parametrize(("source", "expected"), [("kept", True), ("seen", False), ("select * from kept", False)])
def test_only_a_table_is_known_to_give_the_same_rows_twice(new_database, engine_name, source, expected):
    with open_engine(new_database(engine_name)).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (id integer, email varchar(100))")
        connection.exec_driver_sql("CREATE VIEW seen AS SELECT * FROM kept")
        sync = sync_of(source=source, key="id", fields={"email": "email"}, extended_properties={})
        assert is_table(open_source(sync, connection), connection) is expected


def test_with_unique_keys_the_guards_get_the_right_number_of_contacts(new_database, engine_name):
    sync = sync_of(deletes="delete", min_guard_rows=1, max_deleted_fraction=0.25)
    with open_scenario(new_database, engine_name) as scenario:
        scenario.execute(
            "CREATE TABLE customers (customer_id integer PRIMARY KEY, email varchar(200), first_name varchar(200),"
            " city varchar(100), plan varchar(100))"
        )
        scenario.insert(*customers(8))
        scenario.run(sync)
        scenario.delete(1, 2)
        assert scenario.run(sync).rows_deleted == 2
        scenario.insert(customers(1)[0])
        scenario.delete(3)
        assert scenario.run(sync).rows_deleted == 1
        scenario.delete(4, 5)
        with pytest.raises(SafetyError, match="2 of 6 contacts would be deleted"):
            scenario.run(sync)
