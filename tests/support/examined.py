"""An examined sync: a sandbox with a contact of its own, an empty source, and the notes in the state."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dagster_dailystory.api.connections import HttpResponse, MayWrite
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import AiohttpConnections
from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.upkeep.doctor.probe import examine_sync
from dagster_dailystory.engine.upkeep.doctor.questions import QUESTIONS, Question
from dagster_dailystory.engine.upkeep.doctor.report import ExaminationReport, Finding
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.sync import ContactSync
from dagster_dailystory.sandbox import Contact, Sandbox, SandboxSettings

SYNC = ContactSync(name="customers", source="customers", key="id", fields={"email": "email"})
EMAIL = "Quillon@example.com"
CUSTOM_FIELD_REMAINS = "the custom field dailystory_probe: DailyStory keeps it for good"

Lie = Callable[[str, str, bytes], HttpResponse | None]
"""Method, URL and body of a request -> the response in place of that of the sandbox, which never sees it."""


class Examined:
    """A sandbox with a contact of its own, and an empty source with the state."""

    def __init__(self, url: str, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.url = url
        self.engine = open_engine(url)
        self.execute("create table customers (id integer, email varchar(200))")
        self.warehouse = Warehouse.at(url)
        with open_session(SYNC, self.warehouse.state):
            pass  # the state has its tables

    def execute(self, statement: str) -> Any:
        with self.engine.begin() as connection:
            result = connection.execute(sa.text(statement))
            return result.all() if result.returns_rows else []

    def begin(self) -> None:
        """Go back to the documented behaviour and to one contact, which has a name of a test contact."""
        self.sandbox.configure(SandboxSettings())
        for contact in self.sandbox.contacts():
            self.sandbox.remove(str(contact["dsId"]))
        self.sandbox.add(email="eve@example.com", lastName="probe-00000000", extendedProperties={"plan": "gold"})

    def examine(
        self,
        email: str | None = EMAIL,
        *,
        confirmed: bool = True,
        questions: tuple[Question, ...] = QUESTIONS,
        lie: Lie | None = None,
        sync: ContactSync = SYNC,
        **seams: Any,
    ) -> ExaminationReport:
        account = AccountSettings(
            self.sandbox.base_url, self.sandbox.token, math.inf, first_wait_seconds=0.01, longest_wait_seconds=0.02,
            max_attempts=3, connect=None if lie is None else lambda *seams: _Liar(*seams, lie),
        )  # fmt: skip
        return examine_sync(sync, self.warehouse, account, email, confirmed=confirmed, questions=questions, **seams)

    def others(self) -> list[Contact]:
        return [each for each in self.sandbox.contacts() if not is_test_contact(each)]

    def living(self) -> list[Contact]:
        """The test contacts that are not deleted."""
        made = filter(is_test_contact, self.sandbox.contacts())
        return [each for each in made if each["status"] not in ("Deleted", 100)]

    def notes(self) -> list[str]:
        rows = self.execute("select name, coalesce(value, '') from dailystory_meta where name like 'probe:%'")
        return [f"{name}{value}" for name, value in rows]

    def stored(self) -> bytes:
        """What the state has on disk, or, in a server, its meta table."""
        path = Path(self.engine.url.database or "")
        if self.engine.dialect.name == "postgresql":
            return repr(self.execute("select * from dailystory_meta")).encode()
        return path.read_bytes()

    def kill(self, posts: int) -> None:
        """Examine in another process, and kill it while its request number `posts` that writes has no response."""
        program = (
            "import sys; from dagster_dailystory import ContactSync, examine_contact_sync\n"
            "sync = ContactSync(name='customers', source='customers', key='id', fields={'email': 'email'})\n"
            "url, base_url, token, email = sys.argv[1:]\n"
            "examine_contact_sync(sync, warehouse_url=url, base_url=base_url, api_token=token, probe_email=email,"
            " confirmed=True, requests_per_second=float('inf'))"
        )
        self.sandbox.clear_journal()
        ends = (self.url, self.sandbox.base_url, self.sandbox.token, EMAIL)
        process = subprocess.Popen([sys.executable, "-c", program, *ends])
        deadline = time.monotonic() + 60
        while len(self.sandbox.writes()) < posts:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()


class _Liar:
    """Connections whose service does not always respond with the truth."""

    def __init__(self, settings: AccountSettings, may_write: MayWrite, lie: Lie) -> None:
        self._connections = AiohttpConnections(settings, may_write)
        self._lie = lie

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        return self._lie(method, url, content or b"") or await self._connections.exchange(method, url, content)

    async def close(self) -> None:
        await self._connections.close()


def is_test_contact(contact: Contact) -> bool:
    return not contact["email"] or str(contact["email"]).casefold().startswith("quillon")


def named(report: ExaminationReport, name: str) -> Finding:
    return next(each for each in (*report.findings, *report.answers) if each.name.endswith(name))
