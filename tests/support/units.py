"""The systemd units of deploy/, and their commands as processes of a test, where there is no systemd."""

from __future__ import annotations

import configparser
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROGRAMS = Path(sys.executable).parent


def unit_files() -> list[Path]:
    """All units."""
    return sorted(DEPLOY.rglob("*.service"))


def service(path: Path) -> Mapping[str, str]:
    """The section [Service] of a unit."""
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, encoding="utf-8")
    return dict(parser["Service"])


@dataclass
class Host:
    """Starts units as processes, in a folder of their own.

    Attributes:
        folder: Has $DAGSTER_HOME, the workspace file and the logs.
        settings: What /etc/dailystory.env holds.
        ports: The port of a unit -> the one that is free here.
    """

    folder: Path
    settings: Mapping[str, str]
    ports: Mapping[str, int]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = (DEPLOY / "workspace.yaml").read_text(encoding="utf-8")
        (self.folder / "workspace.yaml").write_text(self._here(text), encoding="utf-8")
        (self.folder / "home").mkdir()

    def start(self, unit: str, instance: str = "", before: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start a unit in a session of its own.

        Args:
            unit: Its file, relative to deploy/.
            instance: Of a template.
            before: Put before the command.
        """
        settings = service(DEPLOY / unit)
        command = shlex.split(self._here(settings["ExecStart"]).replace("%i", instance).replace("%H", "localhost"))
        given = dict(each.split("=", 1) for each in shlex.split(self._here(settings["Environment"])))
        inherited = {
            name: os.environ[name] for name in ("PATH", "LANG", "PYTHONDONTWRITEBYTECODE") if name in os.environ
        }
        environment = {**inherited, **self.settings, **given, "HOME": str(self.folder)}
        with (self.folder / f"{instance or Path(unit).stem}.log").open("wb") as log:
            process = subprocess.Popen(
                [*before, *command],
                cwd=self._here(settings["WorkingDirectory"]), env=environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def log(self, name: str) -> str:
        """What a unit, or an instance of one, has written."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        """End all that was started."""
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(3)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def _here(self, text: str) -> str:
        places = {
            "/opt/dailystory/deploy/workspace.yaml": str(self.folder / "workspace.yaml"),
            "/opt/dailystory/.venv/bin": str(PROGRAMS),
            "/opt/dailystory": str(ROOT),
            "/var/lib/dagster": str(self.folder / "home"),
            **{port: str(free) for port, free in self.ports.items()},
        }
        for there, here in places.items():
            text = text.replace(there, here)
        return text


@contextmanager
def host(folder: Path, settings: Mapping[str, str], ports: Mapping[str, int]) -> Iterator[Host]:
    """A host whose processes are dead at the end."""
    made = Host(folder, settings, ports)
    try:
        yield made
    finally:
        made.end()
