"""A key column may have any name that our SQL uses; a few are refused, with advice."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.scenario import Scenario, open_scenario, sync_of

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import ContactSync

LABELS = re.compile(r'\bAS "?([a-z_][a-z_0-9]*)"?', re.IGNORECASE)
STATEMENTS = Path(__file__).with_name("sql").rglob("*.sql")
FOUND = sorted({label.lower() for path in STATEMENTS for label in LABELS.findall(path.read_text())} | {"true", "order"})
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


FREE = [name for name in FOUND if is_free(name)]


def test_most_names_are_free():
    assert len(FREE) > 60


@pytest.mark.parametrize("name", [*sorted(set(FOUND) - set(FREE)), "field_email", "old_field_email", "custom_plan"])
def test_other_names_are_refused_with_advice(name: str):
    with pytest.raises(ConfigurationError, match="give it an alias in the query"):
        sync_with((name,))


def add(scenario: Scenario, names: tuple[str, ...], number: int, mail: str) -> None:
    values = ", ".join(str(number) for _ in names)
    scenario.execute(f"INSERT INTO people VALUES ({values}, '{mail}', 'Jo', false, 'free')")


@pytest.mark.parametrize("databases", ["duckdb", "postgresql", "duckdb-sqlite"])
@pytest.mark.parametrize("names", [tuple(FREE[start : start + 25]) for start in range(0, len(FREE), 25)])
def test_a_key_of_such_names_is_synced(new_database: Callable[[str], str], databases: str, names: tuple[str, ...]):
    warehouse, _, state = databases.partition("-")
    with open_scenario(new_database, warehouse, state or None) as scenario:
        columns = ", ".join(f'"{name}" integer' for name in names)
        scenario.execute(
            f"CREATE TABLE people ({columns}, mail varchar(99), given_name varchar(99), no_mail boolean,"
            " plan varchar(99))"
        )
        for number in (1, 2):
            add(scenario, names, number, f"p{number}@example.com")
        assert scenario.run(sync_with(names)).rows_created == 2
        scenario.execute("DELETE FROM people WHERE mail = 'p2@example.com'")
        add(scenario, names, 3, "p2@example.com")
        scenario.execute("UPDATE people SET plan = 'gold', no_mail = true")
        rekeyed = scenario.run(sync_with(names))
        assert (rekeyed.outcome, rekeyed.rows_created, rekeyed.opt_outs_sent) == ("done", 0, 2)
        scenario.execute("DELETE FROM people WHERE mail = 'p1@example.com'")
        assert scenario.run(sync_with(names)).rows_deleted == 1
