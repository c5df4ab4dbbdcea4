"""Any history of edits, refusals, faults and crashes ends, after one quiet run, with contacts that equal the source."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.faults import crash_at
from support.steps import plan_run, send_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.run import new_run_id
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import raise_if_blocked
from dagster_dailystory.model.runs.report import SyncReport
from dagster_dailystory.model.sync import ContactSync, Scope
from dagster_dailystory.sandbox import Fault, Sandbox

FORBIDDEN = "Forbidden"
TEXTS = st.sampled_from([None, "Paris", "Rome", "Zoë O'Hara"])
PICKS = st.integers(0, 9)
pytestmark = pytest.mark.timeout(900)

FAULTS = [None, *(fault for fault in Fault if fault not in (Fault.SLOW, Fault.REFUSED, Fault.REFUSED_WITH_200))]
STATUS_OF_LEFT = {"keep": "Active", "deactivate": "Inactive", "delete": "Deleted"}


@dataclass
class SourceRow:
    """A row of the source, with the values that it had before."""

    email: str
    first_name: str | None = None
    city: str | None = None
    plan: str | None = None
    opt_out: bool | None = None
    past_values: dict[str, set[str | None]] = field(default_factory=dict)

    def note(self) -> None:
        for name in ("first_name", "city", "plan"):
            self.past_values.setdefault(name, {None}).add(getattr(self, name))


class Histories(RuleBasedStateMachine):
    @initialize(deletes=st.sampled_from(["keep", "deactivate", "delete"]), nulls=st.sampled_from(["keep", "clear"]))
    def begin(self, deletes: str, nulls: str) -> None:
        self.deletes, self.nulls = deletes, nulls
        self.has_city = True
        self.rows: dict[int, SourceRow] = {}
        self.left: dict[int, SourceRow] = {}
        self.opted_out: set[str] = set()
        self.given_up: set[str] = set()
        self.unacknowledged: set[str] = set()
        self.emails = 0
        self.home = tempfile.TemporaryDirectory()
        self.url = self.state_at(self.home.name)
        self.source_url = self.source_at(self.home.name) or self.url
        self.engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        self.source = sa.create_engine(self.source_url, poolclass=sa.NullPool)
        self.sandbox = Sandbox()
        self.sandbox.configure(
            duplicates_allowed=True,
            retry_after_seconds=0,
            refuse_if=lambda body: "not that city" if body.get("city") == FORBIDDEN else None,
        )
        self.sandbox.start()
        for _ in range(3):
            self.insert("Ada", "Paris")

    def state_at(self, home: str) -> str:
        return f"sqlite:///{Path(home, 'all.sqlite')}"

    def source_at(self, home: str) -> str | None:
        return None

    def teardown(self) -> None:
        if hasattr(self, "sandbox"):
            try:
                self.check_everything()
            finally:
                self.sandbox.stop()
                self.home.cleanup()

    # The source

    def new_email(self) -> str:
        self.emails += 1
        return f"Person{self.emails}@example.com"

    def pick(self, number: int) -> SourceRow:
        return self.rows[sorted(self.rows)[number % len(self.rows)]]

    @rule(first_name=TEXTS, city=TEXTS)
    def insert(self, first_name: str | None, city: str | None) -> None:
        key = max([0, *self.rows, *self.left]) + 1
        self.rows[key] = SourceRow(self.new_email(), first_name, city, "gold")

    @precondition(lambda self: self.rows)
    @rule(number=PICKS, name=st.sampled_from(["first_name", "city", "plan"]), value=TEXTS)
    def update(self, number: int, name: str, value: str | None) -> None:
        setattr(self.pick(number), name, value)

    @precondition(lambda self: self.rows)
    @rule(number=PICKS, opt_out=st.sampled_from([True, False, None]))
    def opt_out(self, number: int, opt_out: bool | None) -> None:
        self.pick(number).opt_out = opt_out

    @precondition(lambda self: self.rows)
    @rule(number=PICKS)
    def change_email(self, number: int) -> None:
        self.pick(number).email = self.new_email()

    @precondition(lambda self: self.rows)
    @rule(number=PICKS)
    def forbid(self, number: int) -> None:
        self.pick(number).city = FORBIDDEN

    @precondition(lambda self: self.rows)
    @rule(number=PICKS)
    def leave(self, number: int) -> None:
        key = sorted(self.rows)[number % len(self.rows)]
        self.left[key] = self.rows.pop(key)

    @precondition(lambda self: self.left)
    @rule(number=PICKS, same_key=st.booleans())
    def come_back(self, number: int, same_key: bool) -> None:
        key = sorted(self.left)[number % len(self.left)]
        row = self.left.pop(key)
        self.rows[key if same_key else max([key, *self.rows, *self.left]) + 1] = row

    @precondition(lambda self: self.rows)
    @rule(number=PICKS)
    def change_key(self, number: int) -> None:
        self.leave(number)
        key, row = list(self.left.items())[-1]
        del self.left[key]
        self.rows[max([key, *self.rows, *self.left]) + 1] = row

    @rule()
    def change_the_mapping(self) -> None:
        self.has_city = not self.has_city

    # Runs

    @rule()
    def run_quietly(self) -> None:
        self.run()

    @rule(limit=st.integers(1, 3))
    def run_with_a_limit(self, limit: int) -> None:
        self.run(PlanOptions(limit=limit))

    @rule(scope=st.sampled_from([Scope.ALL, Scope.REJECTED]))
    def run_a_scope(self, scope: Scope) -> None:
        self.run(PlanOptions(scope=scope))

    @rule(faults=st.lists(st.sampled_from(FAULTS), max_size=6))
    def run_through_faults(self, faults: list[Fault | None]) -> None:
        self.sandbox.script(faults)
        self.note_deactivations()
        self.run()

    def note_deactivations(self) -> None:
        """A deactivation without an acknowledgement may be a person's: a row that is back keeps its status then."""
        self.unacknowledged |= {row.email.lower() for row in self.left.values()}

    @rule(statement_number=st.integers(1, 120))
    def run_and_crash(self, statement_number: int) -> None:
        self.note_deactivations()
        with crash_at(statement_number):
            self.run()
        self.release_lease()

    @rule(statement_number=st.integers(1, 12))
    def run_and_crash_after_a_write(self, statement_number: int) -> None:
        posts = self.sandbox.counts.posts
        self.note_deactivations()
        with crash_at(statement_number, lambda: self.sandbox.counts.posts > posts):
            self.run()
        self.release_lease()

    @precondition(lambda self: self.rows)
    @rule(number=PICKS, name=st.sampled_from(["first_name", "city", "plan", "email"]), value=TEXTS)
    def change_and_crash_and_change_back(self, number: int, name: str, value: str | None) -> None:
        row = self.pick(number)
        was = getattr(row, name)
        if name == "email":
            self.given_up.add(was.lower())
        setattr(row, name, self.new_email() if name == "email" else value)
        self.run_and_crash_after_a_write(1)
        setattr(row, name, was)

    @precondition(lambda self: self.rows)
    @rule(number=PICKS)
    def leave_and_crash_and_come_back(self, number: int) -> None:
        self.leave(number)
        self.run_and_crash_after_a_write(1)
        key, row = list(self.left.items())[-1]
        del self.left[key]
        self.rows[key] = row

    def release_lease(self) -> None:
        with self.engine.begin() as connection:  # this process lives on; that of a real crash does not
            if sa.inspect(connection).has_table("dailystory_meta"):
                connection.exec_driver_sql("UPDATE dailystory_meta SET holder = NULL")

    def run(self, options: PlanOptions | None = None) -> SyncReport:
        self.store()
        fields = {"email": "email", "firstName": "first_name", "optOutEmail": "opt_out"}
        sync = ContactSync(
            name="customers",
            source="people",
            key="id",
            fields={**fields, "city": "city"} if self.has_city else fields,
            extended_properties={"plan": "plan"},
            deletes=self.deletes,
            nulls=self.nulls,
            allow_empty_source=True,
            canary_rows=0,
        )
        warehouse, run_id = Warehouse.at(self.source_url, self.url), new_run_id()
        quick = {"first_wait_seconds": 0.001, "longest_wait_seconds": 0.002}
        account = AccountSettings(self.sandbox.base_url, self.sandbox.token, math.inf, **quick)
        raise_if_blocked(plan_run(sync, warehouse, account, options or PlanOptions(), run_id))
        result = send_run(sync, warehouse, account, [run_id])
        assert result.error is None
        return result.report

    def store(self) -> None:
        columns = ("email", "first_name", "city", "plan", "opt_out")
        rows = []
        for key, row in self.rows.items():
            row.note()
            rows.append({"id": key, **{name: getattr(row, name) for name in columns}})
        with self.source.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS people")
            connection.exec_driver_sql(
                "CREATE TABLE people (id INTEGER, email TEXT, first_name TEXT, city TEXT, plan TEXT, opt_out BOOLEAN)"
            )
            marks = ", ".join(f":{name}" for name in ("id", *columns))
            if rows:
                connection.execute(sa.text(f"INSERT INTO people VALUES ({marks})"), rows)

    # What must hold

    @invariant()
    def no_contact_is_opted_back_in(self) -> None:
        if hasattr(self, "sandbox"):
            out = {str(c["dsId"]) for c in self.sandbox.contacts() if c["optOutEmail"]}
            assert self.opted_out <= out
            self.opted_out = out

    @invariant()
    def no_contact_is_created_twice(self) -> None:
        if hasattr(self, "sandbox"):
            creates = self.sandbox.creates_by_identity().items()
            # Under another key, an email that its contact gave up makes a new contact.
            assert [who for who, count in creates if count > 1 and who not in self.given_up] == []

    def check_everything(self) -> None:
        self.run()
        self.check_contacts()
        requests = self.sandbox.counts.requests
        assert self.run().outcome == "empty"
        assert self.sandbox.counts.requests == requests

    def check_contacts(self) -> None:
        contacts = {str(c["email"]).lower(): c for c in self.sandbox.contacts()}
        mapped: dict[int, str] = {}
        refused: dict[int, str] = {}
        with self.engine.connect() as connection:
            # An empty source elsewhere does not show the type of its key: no table is created before its first row.
            if sa.inspect(connection).has_table("dailystory_customers_contact_map"):
                mapped = dict(connection.exec_driver_sql("SELECT id, dsid FROM dailystory_customers_contact_map").all())
                query = "SELECT id, reason FROM dailystory_customers_rejections WHERE id IS NOT NULL"
                refused = dict(connection.exec_driver_sql(query).all())
        for key, row in self.rows.items():
            if self.has_city and row.city == FORBIDDEN:
                continue
            if row.email.lower() in self.given_up and refused.get(key) == "identity_taken":
                continue  # it came back under another key, and the contact that gave it up has it again
            contact = contacts[row.email.lower()]
            assert contact["dsId"] == mapped[key]
            assert contact["email"] == row.email
            assert contact["status"] == "Active" or contact["optOutEmail"] or row.email.lower() in self.unacknowledged
            assert contact["optOutEmail"] or not row.opt_out
            self.check_text(row, "first_name", contact["firstName"])
            self.check_text(row, "plan", contact["extendedProperties"].get("plan"))
            if self.has_city:
                self.check_text(row, "city", contact["city"])
        for row in self.left.values():
            contact = contacts.get(row.email.lower())
            assert contact is None or contact["status"] == STATUS_OF_LEFT[self.deletes]

    def check_text(self, row: SourceRow, name: str, found: Any) -> None:
        wanted = getattr(row, name)
        if wanted is None and self.nulls == "keep":
            assert (found or None) in row.past_values[name]
        else:
            assert (found or None) == wanted


class HashedHistories(Histories):
    """From a warehouse that hashes its rows, so that most of them are not read again."""

    def source_at(self, home: str) -> str | None:
        return f"duckdb:///{Path(home, 'source.duckdb')}"


class HashedBesideHistories(Histories):
    """In one DuckDB database, which compares hashes of source and snapshot first."""

    def state_at(self, home: str) -> str:
        return f"duckdb:///{Path(home, 'all.duckdb')}"


for each in (Histories, HashedHistories, HashedBesideHistories):
    each.TestCase.settings = settings(
        max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
    )


@pytest.mark.slow
class TestHistories(Histories.TestCase):  # type: ignore[name-defined, misc]  # hypothesis makes the class
    pass


@pytest.mark.slow
class TestHashedHistories(HashedHistories.TestCase):  # type: ignore[name-defined, misc]
    pass


@pytest.mark.slow
class TestHashedBesideHistories(HashedBesideHistories.TestCase):  # type: ignore[name-defined, misc]
    pass
