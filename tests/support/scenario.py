"""A scenario: a table in a warehouse, a state, a local DailyStory, and the syncs that a test runs on them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from support.sql_for import sql_for

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.functions import run_contact_sync
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Contact, Sandbox

_DURATIONS = {"diff_seconds", "send_seconds", "requests_per_second"}
_TRANSFERRED = {"rows_transferred", "keys_transferred", "bytes_read"}
"""Counts that depend on the place of the state."""

_TIMESTAMPS = ("first_synced_at", "last_synced_at", "deactivated_at", "deleted_at", "deleted_in_dailystory_at")
_SHARED_TABLES = {"meta", "plans", "runs", "forgotten", "rate"}


@dataclass(frozen=True)
class SourceTable:
    """The table that the syncs of a scenario read; a sync of the same name is its usual one.

    Attributes:
        columns: Name -> SQL type.
    """

    name: str
    key: str
    columns: Mapping[str, str]


CUSTOMERS = SourceTable(
    "customers",
    "customer_id",
    {
        "customer_id": "integer", "email": "varchar(200)", "mobile": "varchar(40)", "first_name": "varchar(400)",
        "city": "varchar(100)", "plan": "varchar(100)", "level": "integer", "opted_out": "boolean",
    },
)  # fmt: skip


def customer(number: int | None, **columns: object) -> dict[str, object]:
    """A row of `customers`."""
    row = {"customer_id": number, "email": f"p{number}@example.com", "first_name": f"Name {number}"}
    return {**row, "city": "Paris", "plan": "free", **columns}


def customers(count: int, **columns: object) -> list[dict[str, object]]:
    """The rows with the keys 1 to `count`."""
    return [customer(number, **columns) for number in range(1, count + 1)]


def sync_of(**settings: Any) -> ContactSync:
    """The usual sync of `customers`; each setting may be given."""
    usual: dict[str, Any] = {
        "name": "customers",
        "source": "customers",
        "key": "customer_id",
        "fields": {"email": "email", "firstName": "first_name", "city": "city"},
        "extended_properties": {"plan": "plan"},
        "canary_rows": 0,  # the tests of the canary count its requests
    }
    return ContactSync(**{**usual, **settings})


@dataclass
class Scenario:
    """One warehouse, one state, one DailyStory.

    Attributes:
        warehouse_url: The database of the source table.
        state_url: The database of the state; None for the warehouse itself.
        sandbox: The local DailyStory.
        source: The source table.
        story: What the syncs did so far, as lines that do not depend on the databases.
    """

    warehouse_url: str
    state_url: str | None
    sandbox: Sandbox
    source: SourceTable = CUSTOMERS
    story: list[str] = field(default_factory=list)

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
    def account(self) -> AccountSettings:
        return AccountSettings(self.sandbox.base_url, self.sandbox.token, math.inf)

    # The source

    def execute(self, *statements: str, **parameters: object) -> None:
        """Change the warehouse, by statements in PostgreSQL's dialect."""
        with self._engine.begin() as connection:
            for statement in statements:
                for each in sql_for(statement, self.dialect, parameters):
                    connection.execute(sa.text(each), parameters)

    def execute_own(self, *statements: str) -> None:
        """Change the warehouse, by statements in its own dialect."""
        with self._engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement.replace(":", "\\:")))

    def select(self, query: str) -> list[dict[str, Any]]:
        """Read from the warehouse."""
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(query)).mappings()]

    def create(self, table: str | None = None, **columns: str) -> None:
        """Create a table, by default the source table with its columns."""
        declared = ", ".join(f"{name} {kind}" for name, kind in (columns or self.source.columns).items())
        self.execute(f"CREATE TABLE {table or self.source.name} ({declared})")

    def seed(self, *rows: Mapping[str, object], table: str | None = None) -> None:
        """Create a table with the source's columns and insert these rows."""
        self.create(table)
        self.insert(*rows, table=table)

    def insert(self, *rows: Mapping[str, object], table: str | None = None) -> None:
        for names, alike in groupby(rows, tuple):
            given = list(alike)
            marks = [f"({', '.join(f':{name}_{number}' for name in names)})" for number in range(len(given))]
            values = {f"{name}_{number}": value for number, row in enumerate(given) for name, value in row.items()}
            into = f"{table or self.source.name} ({', '.join(names)})"
            self.execute(f"INSERT INTO {into} VALUES {', '.join(marks)}", **values)

    def update(self, key: int, **columns: object) -> None:
        """Change columns of a row."""
        changed = ", ".join(f"{name} = :{name}" for name in columns)
        self.execute(f"UPDATE {self.source.name} SET {changed} WHERE {self.source.key} = :key", key=key, **columns)

    def delete(self, *keys: int) -> None:
        """Delete rows."""
        condition = f"{self.source.key} IN ({', '.join(map(str, keys))})"
        self.execute(f"DELETE FROM {self.source.name} WHERE {condition}")

    # Syncs and what they send

    def run(self, sync: ContactSync | None = None, **options: Any) -> SyncReport:
        """Run a sync and add its counts to the story."""
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
        counts = [
            f"{name} {value}"
            for name, value in report.numbers().items()
            if value and name not in _DURATIONS | _TRANSFERRED
        ]
        self.story.append(", ".join([f"run: {report.outcome}", *counts]))
        return report

    def sent(self) -> list[tuple[str, str, dict[str, Any]]]:
        """The writes since the last call, sorted: contact, operation, body; the body of a deletion is empty."""
        writes = [
            (self.name_of(write.dsid), write.operation, {k: v for k, v in write.payload.items() if k != "dsId"})
            for write in self.sandbox.writes()
        ]
        self.sandbox.clear_journal()
        writes.sort(key=str)
        self.story += [f"sent: {operation} {name} {_text(body)}" for name, operation, body in writes]
        return writes

    def name_of(self, dsid: str) -> str:
        """A contact's email or number, which every placement has in common."""
        contact = self.sandbox.find(dsid=dsid) or {}
        return str(contact.get("email") or contact.get("mobilePhone") or "none")

    def contact(self, email: str) -> Contact:
        """The contact with this email."""
        found = self.sandbox.find(email=email)
        assert found is not None, f"no contact {email}"
        return found

    def edit(self, email: str, /, **fields: Any) -> None:
        """Change a contact as a marketer would."""
        self.sandbox.edit(str(self.contact(email)["dsId"]), **fields)

    def emails(self) -> list[str]:
        """The emails of all contacts that are not deleted."""
        return sorted(str(each["email"]) for each in self.sandbox.contacts() if each["status"] != "Deleted")

    # The state

    def execute_state(self, *statements: str, **parameters: object) -> None:
        """Change the state behind the engine's back."""
        with self._state_engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), parameters)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a state table of the usual sync, or of a shared one, in a fixed order."""
        prefix = "dailystory_" if table in _SHARED_TABLES else f"dailystory_{self.source.name}_"
        return self._state_rows(f"{prefix}{table}")

    def row_of(self, table: str, report: SyncReport) -> dict[str, Any]:
        """The row of `plans` or `runs` that belongs to a report."""
        [row] = [row for row in self.rows(table) if row["plan_id"] == report.plan_id]
        return row

    def contact_map(self) -> dict[str, str]:
        """Key -> contact."""
        return {_key_of(row): self.name_of(row["dsid"]) for row in self.rows("contact_map")}

    def rejections(self) -> dict[str, str]:
        """Key -> reason."""
        return {_key_of(row): row["reason"] for row in self.rows("rejections")}

    def state_tables(self) -> dict[str, list[dict[str, Any]]]:
        """Every state table with its rows; without the leases and the rate, whose times go on."""
        names = [n for n in sa.inspect(self._state_engine).get_table_names() if n.startswith("dailystory_")]
        tables = {name: self._state_rows(name) for name in sorted(names) if name != "dailystory_rate"}
        if "dailystory_meta" in tables:
            kept = [row for row in tables["dailystory_meta"] if not row["name"].startswith("lock:")]
            tables["dailystory_meta"] = kept
        return tables

    def _state_rows(self, table: str) -> list[dict[str, Any]]:
        with self._state_engine.connect() as connection:
            found = [dict(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}")).mappings()]
        return sorted(found, key=str)

    # The story

    def whole_story(self) -> list[str]:
        """What the syncs did, and the contacts, the contact map and the rejections at the end."""
        lines = [*self.story, *sorted(f"contact: {_contact_text(each)}" for each in self.sandbox.contacts())]
        if sa.inspect(self._state_engine).has_table(f"dailystory_{self.source.name}_contact_map"):
            lines += sorted(map(self._mapping_text, self.rows("contact_map")))
            lines += sorted(f"rejected: {key} for {reason}" for key, reason in self.rejections().items())
        return lines

    def _mapping_text(self, row: Mapping[str, Any]) -> str:
        timestamps = ", ".join(name for name in _TIMESTAMPS if row[name])
        return f"mapped: {_key_of(row)} to {self.name_of(row['dsid'])}, {timestamps}"


def _key_of(row: Mapping[str, Any]) -> str:
    names = list(row)
    keys = names[: names.index("dsid" if "dsid" in names else "reason")]
    return "|".join(str(row[key]) for key in keys)


def _contact_text(contact: Contact) -> str:
    """A contact's fields that are set, without those that differ from run to run or follow from others."""
    omitted = ("dsId", "date", "timestamp", "tenantId", "fullname", "isEmailEnabled")
    return _text({name: value for name, value in contact.items() if value and not name.startswith(omitted)})


def _text(fields: Mapping[str, Any]) -> str:
    """Fields as JSON; a whole number is written the same whether a database gave an integer or a float."""
    plain = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in fields.items()}
    return json.dumps(plain, sort_keys=True, ensure_ascii=False)


def _engine(url: str) -> sa.Engine:
    """An engine; MySQL is set to accept double quotes around names."""
    options = {"init_command": "SET SESSION sql_mode = 'ANSI_QUOTES'"} if url.startswith("mysql") else {}
    return sa.create_engine(url, poolclass=sa.NullPool, connect_args=options)


@contextmanager
def open_scenario(
    new_database: Callable[[str], str], warehouse: str = "sqlite", state: str | None = None
) -> Iterator[Scenario]:
    """A new scenario on new databases."""
    with Sandbox() as sandbox:
        yield Scenario(new_database(warehouse), new_database(state) if state else None, sandbox)
