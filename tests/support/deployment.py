"""A Dagster deployment for a test: webserver, daemon and code server as processes, with storage in PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import sqlalchemy as sa
from support.ui_driver import DagsterUi, free_port, has_loaded, wait_for

LOCATION = "syncs"
SETTINGS = """\
storage: {{postgres: {{postgres_url: {url!r}}}}}
run_coordinator:
  module: dagster
  class: QueuedRunCoordinator
  config: {{dequeue_interval_seconds: 1}}
concurrency:
  pools: {{granularity: run}}
  runs: {{max_concurrent_runs: 4}}
run_monitoring: {{enabled: true, poll_interval_seconds: 5, free_slots_after_run_end_seconds: 5}}
telemetry: {{enabled: false}}
nux: {{enabled: false}}
"""
WORKSPACE = "load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {port}, location_name: {location}}}\n"

SELECTOR = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
START_SCHEDULE = """mutation($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) {
    __typename ... on PythonError { message } } }"""
START_SENSOR = """mutation($selector: SensorSelector!) { startSensor(sensorSelector: $selector) {
    __typename ... on PythonError { message } } }"""
STOP_SCHEDULE = "mutation($id: String!) { stopRunningSchedule(id: $id) { __typename ... on PythonError { message } } }"
SCHEDULE_ID = """query($selector: ScheduleSelector!) { scheduleOrError(scheduleSelector: $selector) {
    ... on Schedule { scheduleState { id } } } }"""
RE_EXECUTE = """mutation($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
LOG = """query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
    __typename ... on MessageEvent { message stepKey } ... on ErrorEvent { error { message causes { message } } }
    ... on ExecutionStepFailureEvent { failureMetadata { description } } } } } }"""
TICKS = """query($selector: InstigationSelector!) { instigationStateOrError(instigationSelector: $selector) {
    ... on InstigationState { ticks(limit: 1000) { status skipReason error { message } runIds } } } }"""


@dataclass(frozen=True)
class Deployment:
    """A running deployment with one code location.

    Attributes:
        ui: The webserver.
        code_server: The id of the code server's process, whose children are the run workers.
    """

    ui: DagsterUi
    code_server: int

    def start_schedule(self, name: str) -> None:
        answer = self.ui.ask(START_SCHEDULE, selector={**SELECTOR, "scheduleName": name})["startSchedule"]
        assert answer["__typename"] == "ScheduleStateResult", answer

    def stop_schedule(self, name: str) -> None:
        schedule = self.ui.ask(SCHEDULE_ID, selector={**SELECTOR, "scheduleName": name})["scheduleOrError"]
        answer = self.ui.ask(STOP_SCHEDULE, id=schedule["scheduleState"]["id"])["stopRunningSchedule"]
        assert answer["__typename"] == "ScheduleStateResult", answer

    def start_sensor(self, name: str) -> None:
        answer = self.ui.ask(START_SENSOR, selector={**SELECTOR, "sensorName": name})["startSensor"]
        assert answer["__typename"] == "Sensor", answer

    def ticks(self, name: str) -> list[dict[str, Any]]:
        """The ticks of a schedule or a sensor."""
        state = self.ui.ask(TICKS, selector={**SELECTOR, "name": name})["instigationStateOrError"]
        found: list[dict[str, Any]] = state["ticks"]
        return found

    def re_execute(self, run_id: str) -> str:
        """Re-execute a run from its failure; returns the id of the new run.

        Empty if each step had succeeded before the run worker died: Dagster then has nothing to execute.
        """
        params = {"parentRunId": run_id, "strategy": "FROM_FAILURE"}
        try:
            answer = self.ui.ask(RE_EXECUTE, params=params)["launchRunReexecution"]
        except HTTPError as error:
            with error:
                reason = error.read().decode()
            assert "No steps needed to be retried" in reason, reason
            return ""
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def log(self, run_id: str) -> list[str]:
        """The messages of a run, with those of its errors."""
        lines: list[str] = []
        for event in self.ui.ask(LOG, id=run_id)["logsForRun"]["events"]:
            lines.append(event.get("message") or "")
            error = event.get("error") or {}
            lines += [each["message"] for each in ([error] if error else []) + (error.get("causes") or [])]
            lines.append((event.get("failureMetadata") or {}).get("description") or "")
        return [line for line in lines if line]

    def run_workers(self) -> list[int]:
        """The processes that execute a run each."""
        processes = _processes()
        servers = _children(processes, [self.code_server])
        return [pid for pid in _children(processes, servers) if "spawn_main" in processes[pid][1]]

    def steps(self) -> list[int]:
        """The processes that execute a step each."""
        processes = _processes()
        return [pid for pid in _children(processes, self.run_workers()) if "spawn_main" in processes[pid][1]]


def _processes() -> dict[int, tuple[int, str]]:
    """All processes: the id of the parent, and the command."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    rows = (line.split(None, 2) for line in listed.stdout.splitlines())
    return {int(row[0]): (int(row[1]), row[2]) for row in rows if len(row) == 3}


def _children(processes: Mapping[int, tuple[int, str]], parents: Sequence[int]) -> list[int]:
    return [pid for pid, (parent, _) in processes.items() if parent in parents]


@contextmanager
def deployment(folder: Path, storage: sa.URL, code: str) -> Iterator[Deployment]:
    """Run a deployment of a file of definitions; all its processes are dead at the end."""
    port = free_port()
    home = folder / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(SETTINGS.format(url=storage.render_as_string(False)), encoding="utf-8")
    (folder / "syncs.py").write_text(code, encoding="utf-8")
    (folder / "workspace.yaml").write_text(WORKSPACE.format(port=port, location=LOCATION), encoding="utf-8")
    ui = DagsterUi(f"http://127.0.0.1:{(ui_port := free_port())}")
    started: list[subprocess.Popen[bytes]] = []
    local, workspace = ["-h", "127.0.0.1"], ["-w", "workspace.yaml"]
    try:
        arguments = ["code-server", "start", "-f", "syncs.py", "-p", str(port), *local, "--location-name", LOCATION]
        started.append(_start(folder, "dagster", arguments))
        wait_for(lambda: _listens(port) or started[0].poll() is not None, "the code server")
        started.append(_start(folder, "dagster-webserver", [*workspace, *local, "-p", str(ui_port)]))
        wait_for(lambda: has_loaded(ui) or started[1].poll() is not None, "the code location", 90)
        assert all(process.poll() is None for process in started), _logs(folder)
        started.append(_start(folder, "dagster-daemon", ["run", *workspace]))
        yield Deployment(ui, started[0].pid)
    finally:
        _end(started)


def _start(folder: Path, program: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a program of Dagster in a session of its own, which its run workers belong to."""
    settings = {**os.environ, "DAGSTER_HOME": str(folder / "home"), "HOME": str(folder)}
    settings["DAGSTER_DISABLE_TELEMETRY"] = "1"
    with (folder / f"{program}.log").open("wb") as log:
        return subprocess.Popen(
            [Path(sys.executable).with_name(program), *arguments],
            cwd=folder, env=settings, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def _logs(folder: Path) -> str:
    """The ends of the logs of all processes."""
    return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-2000:]}" for path in folder.glob("*.log"))


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in reversed(processes):
        process.send_signal(signal.SIGTERM)
    sessions = {process.pid for process in processes}
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
    _kill(pid for pid, command in _of_sessions(sessions).items() if "resource_tracker" not in command)
    with suppress(AssertionError):  # each of multiprocessing's trackers removes the semaphores of its process, and ends
        wait_for(lambda: not _of_sessions(sessions), "the end of the trackers", 5)
    _kill(_of_sessions(sessions))
    for process in processes:
        process.wait(10)


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _of_sessions(leaders: Set[int]) -> dict[int, str]:
    """The living processes of some sessions, although their parents may be dead, and their commands."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,sess=,stat=,args="], capture_output=True, text=True)
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    return {int(row[0]): row[3] for row in rows if int(row[1]) in leaders and not row[2].startswith("Z")}


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
