"""The world of the promises' state machine: a source table, a state, and two DailyStory accounts without a network.

Plans and sends go through the engine; the accounts are the sandbox's own API, and write down what reached them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import sqlalchemy as sa
from support.promise_model import Request, Row, same_email
from support.steps import plan_run, send_run

from dagster_dailystory.api.connections import HttpResponse
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.run import SendResult
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.partitions import Partitioning
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanSummary
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.model.watermark import Watermark
from dagster_dailystory.sandbox.api import SandboxApi
from dagster_dailystory.sandbox.contacts import ContactStore
from dagster_dailystory.sandbox.records import Contact
from dagster_dailystory.sandbox.settings import SandboxSettings

BASE_URL = "http://127.0.0.1:9/api/v1"
"""Never opened: the requests go to the account of the token."""

REFUSED, FORBIDDEN, THROTTLED = "refused", "forbidden", "throttled"
FAILED, FAILED_AFTER, CUT_BEFORE, CUT_AFTER = "failed", "failed_after", "cut_before", "cut_after"
FAULTS = (REFUSED, FORBIDDEN, THROTTLED, FAILED, FAILED_AFTER, CUT_BEFORE, CUT_AFTER)

_STATUS_OF = {REFUSED: 400, FORBIDDEN: 403, THROTTLED: 429, FAILED: 500, FAILED_AFTER: 500}
_ALWAYS_ACCEPTED = {"dsId", "status"}
_COLUMNS = {
    "id": "INTEGER", "email": "VARCHAR(200)", "mobile": "VARCHAR(40)", "first_name": "VARCHAR(400)",
    "city": "VARCHAR(100)", "opted_out": "BOOLEAN", "region": "VARCHAR(10)", "updated_at": "TIMESTAMP",
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What a machine draws for its sync; `may_...` are limits of guards, None for none."""

    read: Partitioning | Watermark | None = None
    deletes: str = "delete"
    nulls: str = "keep"
    has_city: bool = True
    may_create: float | None = None
    may_delete: float | None = None
    may_opt_out: float | None = None
    min_guard_rows: int = 20

    @property
    def slices(self) -> tuple[str, ...]:
        return () if self.read is None or isinstance(self.read, Watermark) else self.read.names

    @property
    def mapped(self) -> list[str]:
        """The columns with texts."""
        return ["first_name", *(["city"] if self.has_city else [])]

    def sync(self) -> ContactSync:
        return ContactSync(
            name="people",
            source="people",
            key="id",
            fields={
                "email": "email", "mobilePhone": "mobile", "firstName": "first_name", "optOutEmail": "opted_out",
                **({"city": "city"} if self.has_city else {}),
            },
            deletes=self.deletes,
            nulls=self.nulls,
            allow_empty_source=True,
            canary_rows=0,
            max_created_fraction=self.may_create,
            max_deleted_fraction=self.may_delete,
            max_opted_out_fraction=self.may_opt_out,
            min_guard_rows=self.min_guard_rows,
            partitions=None if isinstance(self.read, Watermark) else self.read,
            watermark=self.read if isinstance(self.read, Watermark) else None,
        )  # fmt: skip

    def quiet(self) -> Settings:
        """The same sync without guards, which compares all rows."""
        read = replace(self.read, full_every_seconds=1e-6) if isinstance(self.read, Watermark) else self.read
        return replace(self, read=read, may_create=None, may_delete=None, may_opt_out=None)


class Account:
    """One DailyStory account, as the connections of a client.

    Attributes:
        faults: What happens to the writes of the contacts with these emails, until it is changed.
        requests: The contact requests since the last `forget`.
    """

    def __init__(self, name: str) -> None:
        # Without matching, a create that is sent twice makes two contacts.
        settings = SandboxSettings(
            tokens=(name,),
            tenant_name=name,
            tenant_uid=f"uid-{name}",
            duplicates_allowed=True,
            about_shape="2025",
        )
        self.store = ContactStore(settings)
        self._api = SandboxApi(self.store)
        self.faults: dict[str, str] = {}
        self.requests: list[Request] = []

    def forget(self) -> None:
        """Start a step: no faults, no requests."""
        self.faults, self.requests = {}, []

    def contacts(self) -> dict[str, Contact]:
        return {str(contact["dsId"]): contact for contact in self.store.contacts()}

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        parts = urlsplit(url)
        path = parts.path.removeprefix("/api/v1")
        if not path.startswith("/contact"):
            return self._serve(method, path, parts.query, content)
        payload = json.loads(content) if content else {}
        before = self._target(path, payload)
        fault = None if method == "GET" else self._fault(before, payload)
        response = HttpResponse(_STATUS_OF.get(fault or "", 0), httpx.Headers({"Retry-After": "0"}), _ERROR)
        if fault in (None, FAILED_AFTER, CUT_AFTER):
            served = self._serve(method, path, parts.query, content)
            response = served if fault is None else response
            is_applied = served.status == 200
        else:
            is_applied = False
        dsid = str(before["dsId"]) if before else ""
        if is_applied and method == "POST":
            dsid = str(json.loads(served.body)["Response"]["id"])
        self.requests.append(
            Request(method, dsid, payload, before, fault, is_applied, is_answered=is_applied and fault is None)
        )
        if fault in (CUT_BEFORE, CUT_AFTER):
            raise ConnectionResetError("cut")
        return response

    async def close(self) -> None:
        pass

    def _serve(self, method: str, path: str, query: str, content: bytes | None) -> HttpResponse:
        reply = self._api.handle(method, path, dict(parse_qsl(query)), content or b"")
        return HttpResponse(reply.status, httpx.Headers(list(reply.headers)), reply.body)

    def _target(self, path: str, payload: Mapping[str, Any]) -> Contact | None:
        dsid = str(payload.get("dsId", "")) or unquote(path.removeprefix("/contact").removeprefix("/"))
        return self.store.peek(dsid) if dsid else None

    def _fault(self, target: Contact | None, payload: Mapping[str, Any]) -> str | None:
        emails = (payload.get("email"), (target or {}).get("email"))
        fault = next((self.faults[email] for email in map(same_email, emails) if email in self.faults), None)
        is_harmless = all(name in _ALWAYS_ACCEPTED or name.startswith("optOut") for name in payload)
        return None if fault == REFUSED and is_harmless else fault


_ERROR = b'{"Status": false, "Message": "not this one"}'


def in_process(base_url: str, token: str, account: Account) -> AccountSettings:
    """The account that a token belongs to, with short waits between attempts."""
    return AccountSettings(
        base_url,
        token,
        requests_per_second=math.inf,
        max_concurrency=1,
        max_attempts=2,
        max_seconds_per_row=0.05,
        first_wait_seconds=0.0005,
        longest_wait_seconds=0.001,
        connect=lambda *_: account,
    )


class World:
    """The databases, the accounts and the clock of one example."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.mine, self.other = Account("mine"), Account("other")
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)
        self._open = self._engine.connect()  # DuckDB opens its file once, not once for each connection
        columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
        with self._engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE people ({columns})")

    def close(self) -> None:
        self._open.close()

    def fill(self, rows: Sequence[Row]) -> None:
        """Make the source table hold exactly these rows."""
        marks = ", ".join(f":{name}" for name in _COLUMNS)
        names = [each.name for each in fields(Row)]
        with self._engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM people")
            if rows:
                values = [dict(zip(names, astuple(row), strict=True)) for row in rows]
                connection.execute(
                    sa.text(f"INSERT INTO people VALUES ({marks})"), [_as_columns(value) for value in values]
                )

    # Runs

    def plan(self, sync: ContactSync, options: PlanOptions, run_id: str, account: Account | None = None) -> PlanSummary:
        return plan_run(sync, self.warehouse, self._settings(account), options, run_id)

    def send(
        self, sync: ContactSync, run_id: str, partition: str | None = None, account: Account | None = None
    ) -> SendResult:
        return send_run(sync, self.warehouse, self._settings(account), [run_id], partition=partition)

    def move_the_clock(self, hours: int) -> None:
        """Move every time that the state remembers, which is the same to the next run."""
        for table in self._names():
            moments = [c["name"] for c in self._columns(table) if isinstance(c["type"], (sa.DateTime, sa.TIMESTAMP))]
            earlier = _EARLIER[self._engine.dialect.name]
            moved = ", ".join(f"{name} = {earlier.format(name, -hours)}" for name in moments)
            if moved:
                with self._engine.begin() as connection:
                    connection.exec_driver_sql(f"UPDATE {table} SET {moved}")

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse.at(self.url)

    def _settings(self, account: Account | None) -> AccountSettings:
        account = account or self.mine
        return in_process(BASE_URL, account.store.settings.tokens[0], account)

    def free_the_lease(self) -> None:
        """This process goes on after an imitated crash; the process of a real one does not."""
        if self._has("dailystory_meta"):
            with self._engine.begin() as connection:
                connection.exec_driver_sql("UPDATE dailystory_meta SET holder = NULL")

    # The state

    def contact_map(self) -> dict[int, str]:
        """Key -> dsid."""
        return {row["id"]: row["dsid"] for row in self._rows("dailystory_people_contact_map")}

    def snapshot(self) -> dict[int, dict[str, Any]]:
        """Key -> acknowledged values."""
        return {row["id"]: row for row in self._rows("dailystory_people_snapshot")}

    def remembered(self) -> dict[str, list[str]]:
        """What a dry run must leave as it is: everything but its own plan, its changes and the leases."""
        tables = {name: self._rows(name) for name in self._names() if not name.endswith("_changes")}
        tables["dailystory_plans"] = [row for row in tables.get("dailystory_plans", []) if row["status"] != "dry"]
        meta = tables.get("dailystory_meta", [])
        tables["dailystory_meta"] = [row for row in meta if not row["name"].startswith(_OF_A_PROCESS)]
        # A dry run may add the column of a new field, which holds nothing.
        held = {
            name: [{k: v for k, v in row.items() if v is not None} for row in rows] for name, rows in tables.items()
        }
        return {name: sorted(map(str, rows)) for name, rows in held.items() if rows}

    def _names(self) -> list[str]:
        return [name for name in sa.inspect(self._engine).get_table_names() if name.startswith("dailystory_")]

    def _columns(self, table: str) -> list[Any]:
        return list(sa.inspect(self._engine).get_columns(table))

    def _has(self, table: str) -> bool:
        return sa.inspect(self._engine).has_table(table)

    def _rows(self, table: str) -> list[dict[str, Any]]:
        with self._engine.connect() as connection:
            try:
                return [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()]
            except sa.exc.DBAPIError:  # there is no such table before the first plan
                return []


_IN_SQLITE = "strftime('%Y-%m-%d %H:%M:%f000', {0}, '{1} hours')"
_EARLIER = {"sqlite": _IN_SQLITE, **dict.fromkeys(("duckdb", "postgresql"), "{0} + INTERVAL '{1} hours'")}

_OF_A_PROCESS = ("lock:", "waiting:")

_START = datetime(2026, 1, 1)


def _as_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    moved = _START + timedelta(minutes=values["moved"])
    return {
        "id": values["key"], "updated_at": moved, **{name: values[name] for name in _COLUMNS if name in values},
    }  # fmt: skip
