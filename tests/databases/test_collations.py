"""Bytes decide whether texts are equal, whatever the collation of the source's columns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.scenario import open_scenario, sync_of

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import ColumnValues

PLACEMENTS = ["duckdb", "duckdb-sqlite", "sqlite", "sqlite-postgresql"]
SOURCES = {
    "table": ("NOCASE", "people"),
    "query": ("NOCASE", "SELECT * FROM people"),
    "view": ("NOCASE", "viewed"),
    "collate in the query": ("BINARY", "SELECT id, email, first_name COLLATE NOCASE AS first_name, region FROM people"),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("databases", PLACEMENTS)
def test_a_change_of_case_is_sent(new_database: Callable[[str], str], databases: str, source: str):
    collation, text = SOURCES[source]
    warehouse, _, state = databases.partition("-")
    collation = "" if collation == "BINARY" else f"COLLATE {collation}"
    with open_scenario(new_database, warehouse, state or None) as scenario:
        scenario.execute(
            f"CREATE TABLE people (id varchar(9) {collation}, email varchar(99), first_name varchar(99) {collation},"
            f" region varchar(9) {collation})",
            "CREATE VIEW viewed AS SELECT * FROM people",
            "INSERT INTO people VALUES ('abc', 'p1@example.com', 'Ann', 'emea')",
            "INSERT INTO people VALUES ('ABC', 'p2@example.com', 'Bob', 'EMEA')",
        )
        sync = sync_of(source=text, key="id", fields={"email": "email", "firstName": "first_name"},
                       extended_properties={})  # fmt: skip
        assert scenario.run(sync).rows_created == 2
        scenario.execute("UPDATE people SET first_name = 'ANN' WHERE first_name = 'Ann'")
        assert scenario.run(sync).rows_updated == 1
        assert scenario.contact("p1@example.com")["firstName"] == "ANN"


def test_accents_decide_on_duckdb(new_database: Callable[[str], str]):
    with open_scenario(new_database, "duckdb", None) as scenario:
        scenario.execute(
            "CREATE TABLE people (id integer, email varchar, first_name varchar COLLATE NOACCENT)",
            "INSERT INTO people VALUES (1, 'p1@example.com', 'Ann')",
        )
        sync = sync_of(source="people", key="id", fields={"email": "email", "firstName": "first_name"},
                       extended_properties={})  # fmt: skip
        scenario.run(sync)
        scenario.execute("UPDATE people SET first_name = 'Ánn'")
        assert scenario.run(sync).rows_updated == 1


def test_slices_are_told_apart_by_case(new_database: Callable[[str], str]):
    with open_scenario(new_database, "duckdb", None) as scenario:
        scenario.execute(
            "CREATE TABLE people (id integer, email varchar, region varchar COLLATE NOCASE)",
            "INSERT INTO people VALUES (1, 'p1@example.com', 'emea'), (2, 'p2@example.com', 'EMEA')",
        )
        sync = sync_of(source="people", key="id", fields={"email": "email"}, extended_properties={},
                       partitions=ColumnValues("region", ["emea"]))  # fmt: skip
        assert scenario.run(sync, partition="emea").rows_created == 1
        assert scenario.run(sync, partition="other_values").rows_created == 1


def test_a_default_collation_of_the_state_is_refused(new_database: Callable[[str], str]):
    with open_scenario(new_database, "duckdb", None) as scenario:
        scenario.seed()
        with pytest.raises(ConfigurationError, match="remove it, and write COLLATE in the query"):
            scenario.run(sync_of(), warehouse_url=f"{scenario.warehouse_url}?default_collation=nocase")
