"""A world to tell a sync's story in: a warehouse, a state, a local DailyStory; and the places where it is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any
from zlib import crc32

import pytest
import sqlalchemy as sa
from support.sql_for import sql_for

from dagster_dailystory.engine.endpoints import Destination, Warehouse
from dagster_dailystory.engine.run import run_contact_sync
from dagster_dailystory.model.report import SyncReport
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Contact, Sandbox

Placement = tuple[str, str | None]
"""Warehouse and state, as `new_database` names them; None for the warehouse itself."""

INSIDE = (("sqlite", None), ("duckdb", None), ("postgresql", None))
"""Warehouse and state: the three databases that hold the state."""

ELSEWHERE = (("duckdb", "sqlite"), ("sqlite", "postgresql"), ("postgresql", "duckdb"))
"""Each of the three as a warehouse with the state in another one."""

ONLY_READ = (("mysql", "postgresql"), ("clickhouse", "sqlite"), ("redshift", "duckdb"), ("psycopg2", None))
"""The databases that cannot hold the state; Redshift is its dialect and driver before a PostgreSQL server. And
PostgreSQL through its older driver.
"""


SNOWFLAKE = pytest.param(
    "snowflake",
    marks=[
        pytest.mark.slow,
        pytest.mark.snowflake,
        pytest.mark.skipif(find_spec("fakesnow") is None, reason="fakesnow needs older drivers: make test-snowflake"),
    ],
)
"""Names Snowflake's emulator where it is installed."""


def placements(kind: str, story: str) -> list[Placement]:
    """Where a story is told.

    Args:
        kind: `usual` for `make test`: one with the state inside and one with it elsewhere, which the story's name
            picks. `other` for `make test-slow`: everywhere else, and at a usual place to compare with. Or `snowflake`.
        story: The test's name.
    """
    number = crc32(story.encode())
    usual = [INSIDE[number % len(INSIDE)], ELSEWHERE[number // len(INSIDE) % len(ELSEWHERE)]]
    if kind == "usual":
        return usual
    if kind == "snowflake":  # its environment has no PostgreSQL
        return [("sqlite", None), ("snowflake", "sqlite")]
    others = [*INSIDE, *ELSEWHERE, *ONLY_READ]
    return [usual[0], *(place for place in others if place not in usual)]


COLUMNS = {
    "customer_id": "integer", "email": "varchar(200)", "mobile": "varchar(40)", "first_name": "varchar(400)",
    "city": "varchar(100)", "plan": "varchar(100)", "level": "integer", "opted_out": "boolean",
}  # fmt: skip
_TIMES = {"diff_seconds", "send_seconds", "requests_per_second"}
_MOMENTS = {"first_synced_at", "last_synced_at", "deactivated_at", "deleted_at"}


def customer(number: int, **columns: object) -> dict[str, object]:
    """A believable row of `customers`."""
    row = {"customer_id": number, "email": f"p{number}@example.com", "first_name": f"Name {number}"}
    return {**row, "city": "Paris", "plan": "free", **columns}


def customers(count: int, **columns: object) -> list[dict[str, object]]:
    """So many rows, numbered from 1."""
    return [customer(number, **columns) for number in range(1, count + 1)]


def sync_of(**settings: Any) -> ContactSync:
    """The sync of most stories; each setting may be given."""
    usual: dict[str, Any] = {
        "name": "customers",
        "source": "customers",
        "key": "customer_id",
        "fields": {"email": "email", "firstName": "first_name", "city": "city"},
        "extended_properties": {"plan": "plan"},
    }
    return ContactSync(**{**usual, **settings})


@dataclass
class Scenario:
    """One warehouse, one state, one DailyStory.

    Attributes:
        warehouse_url: Where `customers` is.
        state_url: None for the warehouse itself.
        sandbox: The service.
        story: What happened so far, in words that do not depend on the databases.
    """

    warehouse_url: str
    state_url: str | None
    sandbox: Sandbox
    story: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._engine = _engine(self.warehouse_url)
        self._state_engine = _engine(self.state_url) if self.state_url else self._engine

    @property
    def dialect(self) -> str:
        return self._engine.dialect.name

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse.at(self.warehouse_url, self.state_url)

    @property
    def destination(self) -> Destination:
        return Destination(self.sandbox.base_url, self.sandbox.token, math.inf)

    def execute(self, *statements: str, **parameters: object) -> None:
        """Change the warehouse."""
        with self._engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(sql_for(statement, self.dialect)), parameters)

    def select(self, query: str) -> list[dict[str, Any]]:
        """Read from the warehouse."""
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(query)).mappings()]

    def execute_state(self, *statements: str, **parameters: object) -> None:
        """Change the state behind the engine's back."""
        with self._state_engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), parameters)

    def create(self, table: str = "customers", **columns: str) -> None:
        """Create a table, by default with the usual columns."""
        declared = ", ".join(f"{name} {kind}" for name, kind in (columns or COLUMNS).items())
        self.execute(f"CREATE TABLE {table} ({declared})")

    def seed(self, *rows: Mapping[str, object], table: str = "customers") -> None:
        """Create the usual table with these rows."""
        self.create(table)
        self.insert(*rows, table=table)

    def insert(self, *rows: Mapping[str, object], table: str = "customers") -> None:
        """Insert rows."""
        with self._engine.begin() as connection:
            for row in rows:
                names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
                connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), row)

    def update(self, customer_id: int, **columns: object) -> None:
        """Change columns of a row."""
        changed = ", ".join(f"{name} = :{name}" for name in columns)
        self.execute(
            f"UPDATE customers SET {changed} WHERE customer_id = :customer_id", customer_id=customer_id, **columns
        )

    def delete(self, *customer_ids: int) -> None:
        """Delete rows."""
        for customer_id in customer_ids:
            self.execute("DELETE FROM customers WHERE customer_id = :customer_id", customer_id=customer_id)

    def run(self, sync: ContactSync | None = None, **options: Any) -> SyncReport:
        """Run the sync, and note what it reports."""
        report = run_contact_sync(
            sync or sync_of(),
            **{
                "warehouse_url": self.warehouse_url,
                "state_url": self.state_url,
                "base_url": self.sandbox.base_url,
                "api_token": self.sandbox.token,
                "requests_per_second": math.inf,
                **options,
            },
        )
        counts = {name: value for name, value in report.numbers().items() if value and name not in _TIMES}
        self.story.append((report.outcome, counts))
        return report

    def sent(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Who was written since the last look, how, and with which body; deletions have none."""
        found = [
            (self.who(write.dsid), write.operation, {k: v for k, v in write.payload.items() if k != "dsId"})
            for write in self.sandbox.writes()
        ]
        self.sandbox.clear_journal()
        found.sort(key=str)
        self.story.append(found)
        return found

    def who(self, dsid: str) -> str:
        """A name for a contact that is the same in every scenario."""
        contact = self.sandbox.find(dsid=dsid) or {}
        return str(contact.get("email") or contact.get("mobilePhone") or "nobody")

    def contact(self, email: str) -> Contact:
        """The contact with this email."""
        found = self.sandbox.find(email=email)
        assert found is not None, f"no contact {email}"
        return found

    def edit(self, email: str, **fields: Any) -> None:
        """Change a contact as a marketer would."""
        self.sandbox.edit(str(self.contact(email)["dsId"]), **fields)

    def emails(self) -> list[str]:
        """The emails of all contacts that are not deleted."""
        return sorted(str(each["email"]) for each in self.sandbox.contacts() if each["status"] != "Deleted")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a state table of the usual sync, or of a shared one, in a fixed order."""
        shared = {"meta", "plans", "runs"}
        name = (
            f"dailystory_{table}"
            if table in shared or table.startswith("customers_")
            else f"dailystory_customers_{table}"
        )
        with self._state_engine.connect() as connection:
            found = [dict(row) for row in connection.execute(sa.text(f"SELECT * FROM {name}")).mappings()]
        return sorted(found, key=str)

    def mapped(self) -> dict[str, str]:
        """Key -> contact, as the contact map says."""
        return {_key_of(row): self.who(row["dsid"]) for row in self.rows("contact_map")}

    def rejections(self) -> dict[str, str]:
        """Key -> reason."""
        return {_key_of(row): row["reason"] for row in self.rows("rejections")}

    def state_tables(self) -> dict[str, list[dict[str, Any]]]:
        """Every state table with its rows, the heartbeats of locks apart."""
        names = [n for n in sa.inspect(self._state_engine).get_table_names() if n.startswith("dailystory_")]
        tables = {name: self.rows(name.removeprefix("dailystory_")) for name in sorted(names)}
        if "dailystory_meta" in tables:
            kept = [row for row in tables["dailystory_meta"] if not row["name"].startswith("lock:")]
            tables["dailystory_meta"] = kept
        return tables

    def end(self) -> list[object]:
        """The whole story: what happened, and what there is now."""
        names = sa.inspect(self._state_engine).get_table_names()
        ends: list[object] = [sorted(_plain(each) for each in self.sandbox.contacts())]
        if "dailystory_customers_contact_map" in names:
            moments = [sorted(m for m in _MOMENTS if row[m]) for row in self.rows("contact_map")]
            ends += [sorted(self.mapped().items()), sorted(moments), sorted(self.rejections().items())]
        return [*self.story, *ends]


def _key_of(row: Mapping[str, Any]) -> str:
    names = list(row)
    keys = names[: names.index("dsid" if "dsid" in names else "reason")]
    return "|".join(str(row[key]) for key in keys)


def _plain(contact: Contact) -> str:
    """A contact without what differs from scenario to scenario."""
    shown = {k: v for k, v in contact.items() if k != "dsId" and not k.startswith(("date", "timestamp"))}
    return str(sorted(shown.items()))


def _engine(url: str) -> sa.Engine:
    """MySQL takes double quotes for names where it is told so."""
    options = {"init_command": "SET SESSION sql_mode = 'ANSI_QUOTES'"} if url.startswith("mysql") else {}
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args=options)


@contextmanager
def open_scenario(
    new_database: Callable[[str], str], warehouse: str = "sqlite", state: str | None = None
) -> Iterator[Scenario]:
    """A new scenario at one placement."""
    with Sandbox() as sandbox:
        yield Scenario(new_database(warehouse), new_database(state) if state else None, sandbox)


def told_at(places: Iterable[Placement], new_database: Callable[[str], str]) -> Iterator[Scenario]:
    """A new scenario at each placement in turn; every one of them must end with the same story."""
    told: dict[str, list[object]] = {}
    for warehouse, state in places:
        place = f"{warehouse}, state {f'in {state}' if state else 'inside'}"
        print(place)  # shown by pytest when the story fails there
        with open_scenario(new_database, warehouse, state) as scenario:
            yield scenario
            told[place] = scenario.end()
    first = told[next(iter(told))]
    for place, story in told.items():
        assert story == first, f"{place} tells another story"
