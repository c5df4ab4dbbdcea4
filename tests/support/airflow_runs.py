"""An Airflow for tests: its folder and database, runs of a DAG, and a deployment with the real scheduler."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from dagster_dailystory.sandbox import Sandbox

DAGS = Path(__file__).parents[1] / "airflow_provider" / "dags"
_READY_SECONDS = 120.0
_RUN_SECONDS = 120.0


def settings_of(home: Path) -> dict[str, str]:
    """The settings of an Airflow as environment variables."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__API__SECRET_KEY": "of the tests",
        "AIRFLOW__API_AUTH__JWT_SECRET": "of the tests, and long enough for the algorithm that signs with it",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def airflow(*arguments: str) -> list[str]:
    """A command of Airflow's in this environment."""
    return [str(Path(sys.executable).parent / "airflow"), *arguments]


def new_home(home: Path, dags: Mapping[str, str]) -> None:
    """Make the folder of an Airflow, with an empty database and some DAG files; this process uses it."""
    (home / "dags").mkdir(parents=True)
    for name, text in dags.items():
        (home / "dags" / name).write_text(text, encoding="utf-8")
    os.environ.update(settings_of(home))
    subprocess.run(airflow("db", "migrate"), check=True, capture_output=True, timeout=180)


@dataclass
class World:
    """A warehouse with people, a DailyStory, and the Airflow whose DAGs keep them equal.

    Attributes:
        home: The folder of the Airflow.
        warehouse: The SQLite file of the warehouse.
        sandbox: The DailyStory.
    """

    home: Path
    warehouse: Path
    sandbox: Sandbox

    def execute(self, statement: str, *rows: tuple[object, ...]) -> None:
        """Change the warehouse."""
        with closing(sqlite3.connect(self.warehouse, timeout=30)) as connection, connection:
            connection.executemany(statement, rows or [()])

    def seed(self, count: int, table: str = "people") -> None:
        """Fill a table of people, whose emails start with the first letter of its name."""
        self.execute(f"create table if not exists {table} (id integer primary key, email text, first_name text)")
        rows = ((number, f"{table[0]}{number}@example.com", f"Name {number}") for number in range(count))
        self.execute(f"insert into {table} values (?, ?, ?)", *rows)

    def connections(self, **account: object) -> dict[str, str]:
        """The connections of the DAGs, as environment variables."""
        dailystory = {"host": self.sandbox.base_url, "password": self.sandbox.token, "extra": _FAST, **account}
        return {
            "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "sqlite", "host": str(self.warehouse)}),
            "AIRFLOW_CONN_DAILYSTORY_DEFAULT": json.dumps({"conn_type": "dailystory", **dailystory}),
        }

    def state(self, query: str) -> list[Any]:
        """Read the state."""
        return rows_of(self.warehouse, query)

    def metadata(self, query: str) -> list[Any]:
        """Read Airflow's database."""
        return rows_of(self.home / "airflow.db", query)

    def secrets(self) -> set[str]:
        """What no log and no table of Airflow may show."""
        emails = {str(email) for (email,) in self.state("select email from people limit 50")}
        return {self.sandbox.token, *emails}

    def shown(self) -> str:
        """All that Airflow's database and log files hold."""
        with closing(sqlite3.connect(self.home / "airflow.db")) as connection:
            tables = "\n".join(connection.iterdump())
        logs = (file.read_text(errors="replace") for file in (self.home / "logs").rglob("*.log"))
        return "\n".join([tables, *logs])

    def each_once(self, count: int) -> bool:
        """Whether DailyStory has so many contacts, and each was created by one request."""
        created = self.sandbox.creates_by_identity()
        return len(self.sandbox.contacts()) == len(created) == count and set(created.values()) == {1}


_FAST = {"requests_per_second": 2000, "max_concurrency": 8}


def rows_of(file: Path, query: str) -> list[Any]:
    """The rows of a query of a SQLite file."""
    with closing(sqlite3.connect(file, timeout=30)) as connection:
        return connection.execute(query).fetchall()


@dataclass(frozen=True)
class DagRun:
    """A run of a DAG that has ended.

    Attributes:
        run_id: Its id.
        state: Its state.
        tasks: Task, with its map index if it has one -> its state.
        tries: The same -> how often it was tried.
    """

    run_id: str
    state: str
    tasks: Mapping[str, str] = field(default_factory=dict)
    tries: Mapping[str, int] = field(default_factory=dict)


def run_dag(dag_id: str, **conf: object) -> DagRun:
    """Run a DAG in this process, as `dag.test()` does."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    assert not bag.import_errors
    run = bag.dags[dag_id].test(run_conf=conf)
    tasks = {_name(each.task_id, each.map_index): each for each in run.get_task_instances()}
    states = {name: str(each.state) for name, each in tasks.items()}
    return DagRun(run.run_id, str(run.state), states, {name: each.try_number for name, each in tasks.items()})


def _name(task_id: str, map_index: int) -> str:
    short = task_id.rpartition(".")[2]
    return short if map_index < 0 else f"{short}[{map_index}]"


class Deployment:
    """An Airflow with its scheduler, DAG processor and API server.

    Args:
        world: Its folder and connections.
    """

    def __init__(self, world: World) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._world = world
        self._processes: list[subprocess.Popen[bytes]] = []
        self._client = httpx.Client(timeout=120)

    def start(self) -> None:
        """Start the processes, and wait until they are ready."""
        port = self._url.rpartition(":")[2]
        execution = {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self._url}/execution/"}
        environment = {**os.environ, **settings_of(self._world.home), **execution, **self._world.connections()}
        for command in (("api-server", "--port", port, "--workers", "1"), ("scheduler",), ("dag-processor",)):
            log = (self._world.home / f"{command[0]}.out").open("wb")
            with log:
                started = subprocess.Popen(
                    airflow(*command), env=environment, stdout=log, stderr=log, start_new_session=True
                )
            self._processes.append(started)
        wait_until(self._is_ready, _READY_SECONDS, "Airflow is not ready")
        token = self._client.get(f"{self._url}/auth/token").json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def stop(self) -> None:
        """Stop the processes and their children."""
        self._client.close()
        for process in self._processes:
            with suppress(ProcessLookupError):  # it ended by itself, and `start` says so
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _is_ready(self) -> bool:
        assert all(process.poll() is None for process in self._processes)
        try:
            health = self._client.get(f"{self._url}/api/v2/monitor/health").json()
        except httpx.TransportError:
            return False
        return all((health.get(part) or {}).get("status") == "healthy" for part in ("scheduler", "dag_processor"))

    def call(self, method: str, path: str, **body: object) -> dict[str, Any]:
        """Call Airflow's API, and again while its SQLite database is locked."""
        for _ in range(5):
            answer = self._client.request(method, f"{self._url}/api/v2/{path}", json=body or None)
            if answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
                break
            time.sleep(1)
        assert answer.is_success, answer.text
        return dict(answer.json()) if answer.content else {}

    def trigger(self, dag_id: str, **conf: object) -> str:
        """Start a run of a DAG, once Airflow has read its file."""
        wait_until(lambda: self._knows(dag_id), _READY_SECONDS, f"Airflow has not read {dag_id}")
        return str(self.call("POST", f"dags/{dag_id}/dagRuns", logical_date=None, conf=conf)["dag_run_id"])

    def _knows(self, dag_id: str) -> bool:
        return self._client.get(f"{self._url}/api/v2/dags/{dag_id}").is_success

    def ended(self, dag_id: str, run_id: str) -> DagRun:
        """Wait for the end of a run."""
        path = f"dags/{dag_id}/dagRuns/{run_id}"
        wait_until(lambda: self.call("GET", path)["state"] in ("success", "failed"), _RUN_SECONDS, f"{run_id} goes on")
        found = {
            _name(each["task_id"], each["map_index"]): each
            for each in self.call("GET", f"{path}/taskInstances")["task_instances"]
        }
        states = {name: str(each["state"]) for name, each in found.items()}
        tries = {name: each["try_number"] for name, each in found.items()}
        return DagRun(run_id, self.call("GET", path)["state"], states, tries)

    def clear(self, dag_id: str, run_id: str, *task_ids: str) -> None:
        """Clear tasks of a run, so that they are done again."""
        options = {"dry_run": False, "only_failed": False, "reset_dag_runs": True, "include_downstream": False}
        self.call("POST", f"dags/{dag_id}/clearTaskInstances", dag_run_id=run_id, task_ids=list(task_ids), **options)


@contextmanager
def deployed(world: World) -> Iterator[Deployment]:
    """A running deployment."""
    deployment = Deployment(world)
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()


def holder_pid(world: World, sync: str = "customers") -> int | None:
    """The process that has the lease of a sync; None if none has."""
    found = world.state(f"select holder from dailystory_meta where name = 'lock:{sync}'")
    return int(found[0][0].rsplit(":", 3)[1]) if found and found[0][0] else None


def wait_until(is_done: Callable[[], object], seconds: float, message: str) -> None:
    """Wait until something is done."""
    deadline = time.monotonic() + seconds
    while not is_done():
        assert time.monotonic() < deadline, message
        time.sleep(0.2)
