"""Runs syncs in processes of their own that end by SIGKILL at a named instant; `test_kills.py` drives it over pipes.

It imports everything once and forks for each run, so that a hundred kills do not take a hundred starts of Python.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from dagster_dailystory.api.connections import Connections, HttpResponse
from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.api.transport import AiohttpConnections
from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.model.runs.plan import raise_if_blocked
from dagster_dailystory.model.sync import ContactSync

CONCURRENCY = 16


def sync_of(name: str = "customers") -> ContactSync:
    """The sync under test; departed keys are deactivated."""
    return ContactSync(
        name=name,
        source="people",
        key="id",
        fields={"email": "email", "firstName": "first_name", "city": "city"},
        extended_properties={"plan": "plan"},
        deletes="deactivate",
        max_deleted_fraction=0.5,
    )


@dataclass
class KillPoint:
    """When a process kills itself.

    Attributes:
        at: `request` (before it leaves), `response` (before it is read), `statement` (before it runs), `commit`
            (before it), `committed` (after it, before anything else), `seconds` (after the start), `never`.
        number: Which of them, counted from 1.
        text: Count only statements, or transactions with a statement, that contain this.
    """

    at: str = "never"
    number: float = 1
    text: str = ""
    seen: int = 0
    matches: bool = False
    armed: bool = field(default=False)

    def happens(self, at: str) -> None:
        """Count one such instant, and kill the process if it is the one."""
        if at != self.at:
            return
        self.seen += 1
        if self.seen >= self.number:
            os.kill(os.getpid(), signal.SIGKILL)

    def listen(self) -> None:
        """Watch every statement and commit of this process through SQLAlchemy's own events."""

        @sa.event.listens_for(sa.Engine, "before_cursor_execute")
        def _statement(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            if self.armed:
                self.happens("committed")
                self.armed = False
            if self.text in statement:
                self.matches = True
                self.happens("statement")

        @sa.event.listens_for(sa.Engine, "commit")
        def _commit(_connection: Any) -> None:
            if self.matches:
                self.happens("commit")
            self.armed, self.matches = self.matches, False


class KilledConnections:
    """Passes requests on until its process is killed."""

    def __init__(self, inner: Connections, kill_point: KillPoint) -> None:
        self._inner = inner
        self._kill_point = kill_point

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        if self._kill_point.armed:
            self._kill_point.happens("committed")
            self._kill_point.armed = False
        self._kill_point.happens("request")
        response = await self._inner.exchange(method, url, content)
        self._kill_point.happens("response")
        return response

    async def close(self) -> None:
        await self._inner.close()


def run(job: Mapping[str, Any]) -> None:
    """Plan and send once."""
    kill_point = KillPoint(**job["kill_point"])
    kill_point.listen()
    sync = sync_of()
    warehouse = Warehouse.at(job["url"])
    account = AccountSettings(
        job["base_url"],
        job["token"],
        math.inf,
        CONCURRENCY,
        connect=lambda *seams: KilledConnections(AiohttpConnections(*seams), kill_point),
    )
    run_id = f"run-{os.getpid()}-{time.time_ns()}"
    with open_run(sync, warehouse, account, [run_id]) as planning:
        raise_if_blocked(planning.plan())
    with open_run(sync, warehouse, account, [run_id]) as sending:
        result = sending.send()
    if result.error is not None:
        raise result.error


def _child(job: Mapping[str, Any]) -> None:
    status = 1
    try:
        run(job)
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """Run one job a line; write how its process ended."""
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child(job)
        if job["kill_point"]["at"] == "seconds":
            time.sleep(job["kill_point"]["number"])
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status)
        print(json.dumps({"killed": killed, "status": status}), flush=True)


if __name__ == "__main__":
    main()
