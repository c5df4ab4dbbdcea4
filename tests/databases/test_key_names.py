"""A key column may have any name that our SQL uses; a few are refused, with advice."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.databases import create_database
from support.scenario import Scenario, open_scenario, sync_of
from support.statements import checked_statements

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.sync import ContactSync

LABELS = re.compile(r'\bAS "?([a-z_][a-z_0-9]*)"?', re.IGNORECASE)
FIELDS = {"email": "mail", "firstName": "given_name", "optOutEmail": "no_mail"}


def sync_with(keys: tuple[str, ...]) -> ContactSync:
    unlimited = {"max_deleted_fraction": None, "max_opted_out_fraction": None}
    return sync_of(source="people", key=keys, fields=FIELDS, deletes="delete", **unlimited)


def is_free(name: str) -> bool:
    try:
        sync_with((name,))
    except ConfigurationError:
        return False
    return True


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> list[str]:
    """The names in the statements of a sync's life, with the state inside and elsewhere."""
    folder, numbers = tmp_path_factory.mktemp("names"), itertools.count()

    def new_database(name: str) -> str:
        if name == "postgresql":
            return create_database(postgres_server, f"names_{uuid.uuid4().hex[:12]}", name)
        return f"{name}:///{folder}/{next(numbers)}.db"

    sync = sync_with(("customer_id",))
    labels: set[str] = set()
    for warehouse, state in (("duckdb", None), ("postgresql", None), ("duckdb", "sqlite")):
        with open_scenario(new_database, warehouse, state) as scenario, checked_statements() as sent:
            live(scenario, sync)
            add(scenario, sync, 4, "not an address")
            for options in ({"scope": "all"}, {"scope": "rejected"}, {"limit": 1}, {"keys": ["4"]}):
                scenario.run(sync, **options)
            scenario.run(replace(sync, partitions=HashBuckets(2)), partition="bucket_1")
        ours = [statement for _, statement in sent if "pg_catalog" not in statement]
        labels |= {label.lower() for statement in ours for label in LABELS.findall(statement)}
    return sorted(labels - {*sync.key_columns} | {"true", "order", "collation", "lateral", "nothing", "returning"})


def test_most_names_are_free(found: list[str]):
    assert len(list(filter(is_free, found))) > 60


def test_other_names_are_refused_with_advice(found: list[str]):
    refused = [name for name in found if not is_free(name)]
    for name in (*refused, "field_email", "old_field_email", "custom_plan"):
        with pytest.raises(ConfigurationError, match="give it an alias in the query"):
            sync_with((name,))


@pytest.mark.parametrize("databases", ["duckdb", "postgresql", "duckdb-sqlite"])
def test_a_key_of_such_names_is_synced(new_database: Callable[[str], str], databases: str, found: list[str]):
    warehouse, _, state = databases.partition("-")
    free = list(filter(is_free, found))
    for start in range(0, len(free), 25):
        with open_scenario(new_database, warehouse, state or None) as scenario:
            live(scenario, sync_with(tuple(free[start : start + 25])))


def live(scenario: Scenario, sync: ContactSync) -> None:
    """Two rows are created, one gets another key, and one is deleted."""
    columns = dict.fromkeys(("mail", "given_name", "plan"), "varchar(99)")
    scenario.create("people", **{f'"{name}"': "integer" for name in sync.key_columns}, **columns, no_mail="boolean")
    for number in (1, 2):
        add(scenario, sync, number, f"p{number}@example.com")
    assert scenario.run(sync).rows_created == 2
    scenario.execute("DELETE FROM people WHERE mail = 'p2@example.com'")
    add(scenario, sync, 3, "p2@example.com")
    scenario.execute("UPDATE people SET plan = 'gold', no_mail = true")
    rekeyed = scenario.run(sync)
    assert (rekeyed.outcome, rekeyed.rows_created, rekeyed.opt_outs_sent) == ("done", 0, 2)
    scenario.execute("DELETE FROM people WHERE mail = 'p1@example.com'")
    assert scenario.run(sync).rows_deleted == 1


def add(scenario: Scenario, sync: ContactSync, number: int, mail: str) -> None:
    keys = ", ".join(str(number) for _ in sync.key_columns)
    scenario.execute(f"INSERT INTO people VALUES ({keys}, '{mail}', 'Jo', 'free', false)")
