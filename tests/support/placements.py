"""Placements: in which database a scenario's source is, and in which one its state."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from zlib import crc32

import pytest


@dataclass(frozen=True)
class Placement:
    """A warehouse and the place of the state, as the fixture `new_database` names them.

    Attributes:
        warehouse: The database of the source.
        state: The database of the state; None for the warehouse itself.
    """

    warehouse: str
    state: str | None = None

    def __str__(self) -> str:
        return f"{self.warehouse}-state-in-{self.state}" if self.state else f"{self.warehouse}-inside"

    @property
    def description(self) -> str:
        return f"{self.warehouse}, state {f'in {self.state}' if self.state else 'inside'}"


INSIDE = (Placement("sqlite"), Placement("duckdb"), Placement("postgresql"))
"""The three databases that hold the state."""

ELSEWHERE = (Placement("duckdb", "sqlite"), Placement("sqlite", "postgresql"), Placement("postgresql", "duckdb"))
"""Each of the three as a warehouse with the state in another one."""

ONLY_READ = (
    Placement("mysql", "postgresql"), Placement("clickhouse", "sqlite"), Placement("redshift", "duckdb"),
    Placement("psycopg2"),
)  # fmt: skip
"""The databases that cannot hold the state, and PostgreSQL through its older driver."""

EMULATORS = {"snowflake": "fakesnow", "databricks": "pyspark", "bigquery": "bqemulator"}
"""Warehouse -> the package that stands in for its service. Each is in an environment of its own."""


ANOTHER = (pytest.mark.slow, pytest.mark.elsewhere)
"""Marks of a test at another placement than that of `make test`."""


def emulated(warehouse: str, *others: object) -> Any:
    """A warehouse that only `make test-warehouses` runs, as the first of a test's parameters."""
    package = EMULATORS[warehouse]
    missing = f"{package} is not installed: make test-warehouses-{warehouse}"
    marks = [pytest.mark.slow, pytest.mark.emulated, pytest.mark.skipif(find_spec(package) is None, reason=missing)]
    texts = [each for each in (warehouse, *others) if isinstance(each, str)]
    return pytest.param(warehouse, *others, marks=marks, id="-".join(texts))


def picked(test_name: str, placements: Sequence[Placement]) -> Placement:
    """The placement at which `make test` runs a test. The name picks it, so that the tests together run at all.

    A run takes four times as long where DuckDB holds the state, so that is picked less often.
    """
    choices = [each for each in placements for _ in range(1 if (each.state or each.warehouse) == "duckdb" else 3)]
    return choices[crc32(test_name.encode()) % len(choices)]


def some_of(test_name: str, placements: Sequence[Placement], count: int) -> Sequence[Placement]:
    """As many of the placements as the suite has time for. The name picks them, so that the tests together run at all.

    With ALL_PLACEMENTS in the environment, a test runs at all of them.
    """
    if len(placements) <= count or os.environ.get("ALL_PLACEMENTS"):
        return placements
    number = crc32(test_name.encode())
    return [placements[(number + step) % len(placements)] for step in range(count)]


def placements_of(test_name: str) -> list[Any]:
    """The placements of a test as pytest parameters: each database that holds the state inside, and some others.

    `make test` runs a test at one placement of PostgreSQL, DuckDB and SQLite. The others are marked slow and
    elsewhere, and what needs an environment of its own also emulated.
    """
    written = (*INSIDE, *some_of(test_name, ELSEWHERE, 1))
    quick = picked(test_name, written)
    return [
        *(
            pytest.param(placement, id=str(placement), marks=() if placement == quick else ANOTHER)
            for placement in (*written, *some_of(test_name, ONLY_READ, 1))
        ),
        *(
            pytest.param(placement, id=str(placement), marks=emulated(placement.warehouse).marks)
            for placement in (Placement(warehouse, "sqlite") for warehouse in EMULATORS)
        ),
    ]


def at(*placements: Placement) -> pytest.MarkDecorator:
    """Run a test of the engine at these placements in place of those of its module."""
    return pytest.mark.parametrize("engine_placement", placements, ids=str)
