"""A whole deployment over minutes: rows change, processes are killed, and at the end the contacts equal the source.

`make test-live` runs it for twenty minutes, or for LIVE_MINUTES; CI, whose time is limited, does not.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
from support.deployment import Deployment, deployment
from support.live_driver import LiveDriver
from support.live_source import MONTHS, LiveTable
from support.ui_driver import wait_for

from dagster_dailystory.sandbox import Sandbox, SandboxSettings, Write

MINUTES = float(os.environ.get("LIVE_MINUTES", "1"))
SEED = int(os.environ.get("LIVE_SEED", random.randrange(1_000_000)))
POOL, SLOTS = "dailystory_api", 2
ROWS = {"people": 120, "monthly": 80, "vips": 30}
SETTLE_SECONDS = 300  # for a busy machine; it takes about 30
LOST_SECONDS = 10.0  # results are written once a second; a step stops seconds after its run worker
IN_ONE_PROCESS = {"execution": {"config": {"in_process": {}}}}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(MINUTES * 60 + 900),
    pytest.mark.skipif("LIVE_MINUTES" not in os.environ, reason="it takes minutes of both cores: make test-live"),
]

CODE = """\
import dagster as dg
import httpx
from dagster_dailystory import (
    ContactSync, DailyStoryResource, TimeWindows, WarehouseResource, alert_sensors, build_contact_sync_assets,
    retry_sensor, sync_schedule,
)

FIELDS = {{"email": "email", "firstName": "first_name", "city": "city", "optOutEmail": "opted_out"}}

def sync_of(name, **settings):
    settings["max_opted_out_fraction"] = None  # twenty minutes of edits opt out more than a tenth of the contacts
    return ContactSync(name=name, source=name, key="id", fields=FIELDS, deletes="deactivate", **settings)

def notify(alert):
    values = ("sync_name", "condition", "has_ended", "guard", "partition", "text")
    httpx.post({webhook!r}, json={{name: getattr(alert, name) for name in values}}).raise_for_status()

people = sync_of("people")
monthly = sync_of("monthly", partitions=TimeWindows("signed_up_at", "monthly", start="2025-01-01", end="2025-05-01"))
vips = sync_of("vips", require_approval=True)
defs = dg.Definitions(
    assets=[
        *build_contact_sync_assets(people),
        *build_contact_sync_assets(monthly, backfill_policy=dg.BackfillPolicy.single_run()),
        *build_contact_sync_assets(vips),
    ],
    schedules=[sync_schedule(people, "* * * * *")],
    sensors=[
        *(retry_sensor(sync, max_runs=1000, minimum_interval_seconds=5) for sync in (people, monthly)),
        *alert_sensors(people, notify, max_rejected_rows=0, minimum_interval_seconds=5),
        *alert_sensors(monthly, notify, max_rejected_rows=0, minimum_interval_seconds=5),
    ],
    resources={{
        "warehouse": WarehouseResource(url={warehouse!r}),
        "dailystory": DailyStoryResource(base_url={base_url!r}, api_token={token!r}, requests_per_second=25),
    }},
)
"""


@dataclass
class Webhook:
    """Receives alerts; each first one of a name is answered with an error.

    Attributes:
        alerts: The alerts that were accepted.
    """

    url: str = ""
    alerts: list[dict[str, Any]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def accepts(self, alert: dict[str, Any]) -> bool:
        if alert["condition"] in self.refused:
            self.alerts.append(alert)
            return True
        self.refused.add(alert["condition"])
        return False

    def has_begun(self, condition: str) -> bool:
        return any(alert["condition"] == condition for alert in self.alerts)

    def open_conditions(self) -> set[tuple[str, ...]]:
        """The conditions that began and have not ended."""
        return {name for name, has_ended in self.by_condition().items() if not has_ended[-1]}

    def by_condition(self) -> dict[tuple[str, ...], list[bool]]:
        """Condition -> whether each of its alerts says that it has ended."""
        found = defaultdict(list)
        for alert in self.alerts:
            name = tuple(str(alert[part]) for part in ("sync_name", "condition", "guard", "partition"))
            found[name].append(bool(alert["has_ended"]))
        return dict(found)


@contextmanager
def webhook() -> Iterator[Webhook]:
    received = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that the server calls
            alert = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204 if received.accepts(alert) else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}/"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def disturb(driver: LiveDriver, tables: Sequence[LiveTable], received: Webhook) -> None:
    """Edit rows, kill processes, launch backfills and approve plans, until the time is over and an alert has come."""
    for table in tables:
        table.invalidate(float("inf"))  # until all settles
    end, next_kill = time.monotonic() + MINUTES * 60, time.monotonic() + 12
    while (now := time.monotonic()) < end or (now < end + 120 and not received.has_begun("rows_rejected")):
        driver.chance.choice(tables).edit()
        if now >= next_kill and driver.kill():
            next_kill = now + driver.chance.uniform(8, 30)
        driver.re_execute_failed_runs()
        driver.backfill()
        driver.approve()
        time.sleep(1.5)


def settle(driver: LiveDriver, tables: Sequence[LiveTable]) -> None:
    """Run each sync once more, with no fault left, until the contacts equal the source."""
    for table in tables:
        table.mend(float("inf"))
    driver.deployment.stop_schedule("sync_people_schedule")
    wait_for(lambda: not driver.unfinished(), "the end of all runs", SETTLE_SECONDS)
    run_each(driver)
    deadline = time.monotonic() + SETTLE_SECONDS
    while (any(table.problems() for table in tables) or driver.unfinished()) and time.monotonic() < deadline:
        time.sleep(1)  # the retry sensors run the rest
    assert {table.name: table.problems() for table in tables if table.problems()} == {}


def run_each(driver: LiveDriver) -> None:
    """Run each sync as a whole, and approve what waits; in few processes, because each takes seconds to start."""
    runs = [driver.launch(name, config=IN_ONE_PROCESS) for name in ("people", "vips")]
    backfill = driver.launch_backfill(MONTHS)
    for run_id in runs:
        assert driver.deployment.ui.wait(run_id, SETTLE_SECONDS) == "SUCCESS", driver.deployment.log(run_id)
    if plan_id := driver.waiting_plan(runs[1]):
        sent = driver.send(plan_id, IN_ONE_PROCESS)
        assert driver.deployment.ui.wait(sent, SETTLE_SECONDS) == "SUCCESS", driver.deployment.log(sent)
        driver.approved.append(plan_id)
    statuses = lambda: {each["id"]: each["status"] for each in driver.deployment.ui.backfills()}  # noqa: E731
    wait_for(lambda: statuses()[backfill] != "REQUESTED", "the backfill", SETTLE_SECONDS)
    wait_for(lambda: not driver.unfinished(), "the end of all runs", SETTLE_SECONDS)


def repeats(writes: Sequence[Write], kills: Sequence[tuple[float, str]]) -> list[Write]:
    """The writes that changed nothing, although no process was killed about when the one before it was made.

    A contact that comes back is sent as a whole, and stays inactive if it has opted out.
    """
    values: dict[str, dict[str, object]] = defaultdict(dict)
    latest: dict[str, float] = {}
    found = []
    for write in writes:
        sent = {name: value for name, value in write.payload.items() if name != "dsId"}
        known, since = values[write.dsid], latest.get(write.dsid, 0.0)
        is_same = all(name in known and known[name] == value for name, value in sent.items())
        comes_back = known.get("status") == "Inactive" and "status" not in sent
        was_lost = any(since - LOST_SECONDS <= at <= min(since + LOST_SECONDS, write.seconds) for at, _ in kills)
        if is_same and not comes_back and not was_lost:
            found.append(write)
        known.update(sent)
        latest[write.dsid] = write.seconds
    return found


def summary(driver: LiveDriver, received: Webhook) -> str:
    """What happened, for the report of a failure."""
    runs = [(run["runId"], run["status"], run["tags"]) for run in driver.deployment.ui.runs()]
    failures = driver.unexplained_failures()
    facts = {"seed": SEED, "kills": driver.kills, "runs": runs, "alerts": received.alerts, "failures": failures}
    return json.dumps(facts, indent=1)


@pytest.fixture
def driven(new_database: Callable[[str], str], tmp_path: Path) -> Iterator[tuple[Deployment, Sandbox, Webhook, Any]]:
    """The deployment on a source with rows, before anything ran."""
    chance = random.Random(SEED)
    engine = sa.create_engine(new_database("postgresql"), poolclass=sa.NullPool)
    storage = sa.make_url(new_database("psycopg2"))
    with Sandbox(SandboxSettings(duplicates_allowed=True)) as sandbox, webhook() as received:
        tables = {
            name: LiveTable(name, engine, sandbox, chance, rows, can_be_refused=name != "vips")
            for name, rows in ROWS.items()
        }
        for table in tables.values():
            table.create()
        refused = lambda payload: any(payload.get("city") in each.refused for each in tables.values())  # noqa: E731
        sandbox.configure(refuse_if=lambda payload: "not today" if refused(payload) else None)
        warehouse = engine.url.render_as_string(hide_password=False)
        code = CODE.format(
            webhook=received.url, warehouse=warehouse, base_url=sandbox.base_url, token=sandbox.token
        )  # fmt: skip
        with deployment(tmp_path, storage, code) as running:
            yield running, sandbox, received, tables


def test_a_deployment_with_kills_ends_with_contacts_equal_to_the_source(
    driven: tuple[Deployment, Sandbox, Webhook, dict[str, LiveTable]], record_property: Callable[[str, object], None]
) -> None:
    running, sandbox, received, tables = driven
    record_property("seed", SEED)
    running.ui.limit_pool(POOL, SLOTS)
    for sensor in ("retry_people", "retry_monthly", "alerts_people", "alerts_monthly"):
        running.start_sensor(sensor)
    running.start_schedule("sync_people_schedule")
    driver = LiveDriver(running, random.Random(SEED), tables["vips"])
    try:
        disturb(driver, [tables["people"], tables["monthly"]], received)
        settle(driver, list(tables.values()))
    finally:
        print(summary(driver, received))
    writes = len(sandbox.writes())
    run_each(driver)
    assert len(sandbox.writes()) == writes, "rows were sent although they were equal"

    assert [table.problems() for table in tables.values()] == [[], [], []]
    assert set(sandbox.creates_by_identity().values()) == {1}
    assert repeats(sandbox.writes(), driver.kills) == []
    wait_for(lambda: not received.open_conditions(), "the end of each alert", SETTLE_SECONDS)
    for name, has_ended in received.by_condition().items():
        assert has_ended == [False, True] * (len(has_ended) // 2), name
    assert {condition for _, condition, *_ in received.by_condition()} <= {"run_failed", "rows_rejected"}
    assert received.has_begun("rows_rejected")
    assert not any("@" in alert["text"] for alert in received.alerts)
    assert driver.unexplained_failures() == {}
    requested = [tick for tick in running.ticks("sync_people_schedule") if tick["runIds"]]
    assert requested
    assert driver.approved
    statuses = Counter(run["status"] for run in running.ui.runs())
    record_property("runs", dict(statuses))
    record_property("kills", driver.kills)
    record_property("writes", writes)
