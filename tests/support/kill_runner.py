"""Runs syncs in processes of their own that end by SIGKILL at a named instant. `test_kill.py` speaks to it over pipes.

It imports everything once and forks for each run, so that a hundred deaths take no hundred starts of Python.
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

from dagster_dailystory.api.client import DailyStoryClient
from dagster_dailystory.api.rate_limiter import RateLimiter
from dagster_dailystory.api.transport import AiohttpConnections, Connections, HttpResponse
from dagster_dailystory.engine.endpoints import Destination, Warehouse
from dagster_dailystory.engine.run import plan_contact_sync, refuse_blocked, send_contact_sync
from dagster_dailystory.engine.sending.dispatcher import SenderSettings
from dagster_dailystory.engine.sending.sender import Sender
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
class Death:
    """When a process ends itself.

    Attributes:
        at: `request` (before it leaves), `response` (before it is read), `statement` (before it runs), `commit`
            (before it), `committed` (after it, before anything else), `seconds` (after the start), `never`.
        number: The how-manieth of them.
        text: Count only statements, or transactions with a statement, that contain this.
    """

    at: str = "never"
    number: float = 1
    text: str = ""
    seen: int = 0
    matches: bool = False
    armed: bool = field(default=False)

    def happens(self, at: str) -> None:
        """Count one such instant, and die if it is the one."""
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


class MortalConnections:
    """Passes requests on until its process dies."""

    def __init__(self, inner: Connections, death: Death) -> None:
        self._inner = inner
        self._death = death

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> HttpResponse:
        if self._death.armed:
            self._death.happens("committed")
            self._death.armed = False
        self._death.happens("request")
        answer = await self._inner.exchange(method, url, content)
        self._death.happens("response")
        return answer

    async def close(self) -> None:
        await self._inner.close()


@dataclass(frozen=True)
class MortalDestination(Destination):
    """A destination whose connections are `MortalConnections`."""

    death: Death = field(default_factory=Death)

    def sender(self, sync: ContactSync) -> Sender:
        settings = self.client_settings(sync)
        options = SenderSettings(self.max_concurrency)
        limiter = RateLimiter(self.requests_per_second)
        connections = MortalConnections(AiohttpConnections(settings), self.death)
        return Sender(sync, lambda: DailyStoryClient(settings, connections), limiter, options)


def run(job: Mapping[str, Any]) -> None:
    """Plan and send once."""
    death = Death(**job["death"])
    death.listen()
    sync = sync_of()
    warehouse = Warehouse.at(job["url"])
    destination = MortalDestination(job["base_url"], job["token"], math.inf, CONCURRENCY, death=death)
    run_id = f"run-{os.getpid()}-{time.time_ns()}"
    plan = plan_contact_sync(sync, warehouse, destination, run_id=run_id)
    refuse_blocked(plan)
    result = send_contact_sync(sync, warehouse, destination, [run_id])
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
    """Serve one job a line; answer with how its process ended."""
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child(job)
        if job["death"]["at"] == "seconds":
            time.sleep(job["death"]["number"])
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status)
        print(json.dumps({"killed": killed, "status": status}), flush=True)


if __name__ == "__main__":
    main()
