"""deploy/celery for real: code server, webserver, daemon and two workers; the one that sends is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.ui_driver import DagsterUi, free_port, has_loaded, wait_for
from support.units import DEPLOY, Host, host

from dagster_dailystory.sandbox import Sandbox

pytest.importorskip("dagster_celery", reason="make test-celery installs it")

pytestmark = [pytest.mark.celery, pytest.mark.timeout(300)]

ROWS = 200
WORKERS = ("w1", "w2")
TERMINATE = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"
AS_ANOTHER_HOST = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
TEXTS = [
    "mobile_phone",
    "first_name",
    "last_name",
    "city",
    "region",
    "postal_code",
    "plan",
    "signed_up_at",
    "loyalty_id",
]
TABLE = f"""
    CREATE TABLE customers AS
    SELECT n AS customer_id, 'c' || n || '@example.com' AS email, false AS marketing_opt_out, n AS lifetime_value,
           {", ".join(f"CAST(NULL AS text) AS {name}" for name in TEXTS)}
    FROM generate_series(1, {ROWS}) AS n"""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """A Redis server; yields its URL without the number of a database."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}"
    server.terminate()
    server.wait(10)


@pytest.fixture
def deployed(new_database: Callable[[str], str], redis: str, sandbox: Sandbox, tmp_path: Path) -> Iterator[Host]:
    storage = sa.make_url(new_database("postgresql")).set(drivername="postgresql+psycopg2")
    warehouse = new_database("postgresql")
    with sa.create_engine(warehouse, poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql(TABLE)
    settings = {
        "DAGSTER_POSTGRES_URL": storage.render_as_string(False),
        "DAGSTER_CODE_HOST": "127.0.0.1",
        "DAGSTER_CELERY_BROKER": f"{redis}/0",
        "DAGSTER_CELERY_BACKEND": f"{redis}/1",
        "WAREHOUSE_URL": warehouse,
        "DAILYSTORY_BASE_URL": sandbox.base_url,
        "DAILYSTORY_API_TOKEN": sandbox.token,
        "DAILYSTORY_REQUESTS_PER_SECOND": "20",
    }
    with host(tmp_path, settings, {"4000": free_port(), "3000": free_port()}) as made:
        shutil.copy(DEPLOY / "celery" / "dagster.yaml", tmp_path / "home")
        yield made


@dataclass(frozen=True)
class Deployed:
    """The deployment with its workers."""

    host: Host
    ui: DagsterUi
    workers: dict[str, subprocess.Popen[bytes]]
    sandbox: Sandbox

    def launch(self) -> str:
        """Launch a run; returns when it has sent 20 contacts."""
        before = self.sandbox.counts.posts
        assets = [f"dailystory/customers/{noun}" for noun in ("changes", "contacts", "contact_map")]
        run_id = self.ui.launch("dailystory", assets)
        wait_for(lambda: self.sandbox.counts.posts >= before + 20, "the first contacts", 60)
        return run_id

    def terminate(self, run_id: str) -> None:
        answer = self.ui.ask(TERMINATE, id=run_id)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def runs_of(self, worker: str) -> int:
        """How many runs a worker has taken."""
        return self.host.log(worker).count("received")


@pytest.fixture
def started(deployed: Host, sandbox: Sandbox) -> Deployed:
    deployed.start("systemd/dagster-code.service")
    deployed.start("systemd/dagster-webserver.service")
    before = AS_ANOTHER_HOST if can_be_another_host() else []
    workers = {name: deployed.start("celery/dagster-worker@.service", name, before) for name in WORKERS}
    ui = DagsterUi(f"http://127.0.0.1:{deployed.ports['3000']}")
    wait_for(lambda: has_found_the_code_server(ui), "the code location", 90)
    deployed.start("systemd/dagster-daemon.service")
    return Deployed(deployed, ui, workers, sandbox)


def test_a_run_ends_when_it_is_terminated_and_goes_on_when_its_worker_is_killed(started: Deployed) -> None:
    """One test, because a deployment takes a minute to start."""
    ui, sandbox = started.ui, started.sandbox
    terminated = started.launch()
    started.terminate(terminated)
    assert ui.wait(terminated, 30) == "CANCELED"
    taken = {name: started.runs_of(name) for name in WORKERS}
    failed = started.launch()
    (sending,) = [name for name in WORKERS if started.runs_of(name) > taken[name]]
    (other,) = set(WORKERS) - {sending}
    os.killpg(started.workers[sending].pid, signal.SIGKILL)
    killed_at = time.monotonic()
    wait_for(lambda: len(ui.runs()) == 3, "the run that replaces it", 90)
    (last,) = [run["runId"] for run in ui.runs() if run["runId"] not in (terminated, failed)]
    assert ui.wait(last, 120) == "SUCCESS"
    assert ui.status(failed) == "FAILURE"
    assert started.runs_of(other) == taken[other] + 1
    assert len(sandbox.contacts()) == ROWS
    assert set(sandbox.creates_by_identity().values()) == {1}
    assert len(ui.runs()) == 3, "the terminated run was not started again"
    print(f"finished {time.monotonic() - killed_at:.0f} s after the worker was killed")


def has_found_the_code_server(ui: DagsterUi) -> bool:
    """The units start in any order, so it may be missing at first."""
    with suppress(AssertionError):
        return has_loaded(ui)
    return False


def can_be_another_host() -> bool:
    """Whether a process may have a process namespace of its own, as one in a container on another host has."""
    return subprocess.run([*AS_ANOTHER_HOST, "true"], stderr=subprocess.DEVNULL).returncode == 0
