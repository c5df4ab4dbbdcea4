"""Runs the code blocks of a page in their order, in one folder: files are written, commands and Python run."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
import yaml
from support.command_runner import run_command
from support.defs_yaml import definitions
from support.page_blocks import Block
from support.waiting import free_port, wait_for

from dagster_dailystory import ContactSync, build_contact_sync_assets
from dagster_dailystory.databases.connect import open_engine

COMMAND = re.compile(r"dagster-dailystory (?!sandbox)[^|>&;$]+")
"""A line that is one command of ours, without anything for the shell."""

TERMINALS = ("second terminal", "third terminal")
SHELL = """\
set -e
[ ! -f {state}/environment ] || . {state}/environment
{lines}
export -p > {state}/environment
env -0 > {state}/variables
pwd > {state}/folder
"""


class PageStage:
    """Where the blocks of one page run.

    Attributes:
        folder: The current directory of the next command; `cd` changes it.
        variables: The environment; `export` changes it.
        names: The names of the page's Python code.
        words: Word of the page -> what stands for it here, such as the id of a run.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.names: dict[str, object] = {}
        self.words = {"source .venv/bin/activate": "true"}  # PATH has the environment of this process
        self._state = folder / ".stage"
        self._state.mkdir()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.variables = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", **variables}
        self._ports = {"8019": str(free_port()), "3000": str(free_port())}
        self._terminals: list[subprocess.Popen[bytes]] = []

    def run(self, block: Block) -> str | None:
        """Run a block, and return what its commands print; None if it has no commands."""
        text = self._here(block.text)
        if block.title in TERMINALS:
            self._start(text)
        elif block.title:
            path = self.folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif block.language == "console":
            return "".join(map(self._line, self._lines(text)))
        else:
            with self._entered():
                {"python": self._python, "yaml": self._yaml, "sql": self._sql}[block.language](text)
        return None

    def close(self) -> None:
        """End what runs in other terminals."""
        for terminal in self._terminals:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(terminal.pid, signal.SIGTERM)
            terminal.wait()

    def _here(self, text: str) -> str:
        for word, here in {**self._ports, **self.words}.items():
            text = re.sub(rf"\b{re.escape(word)}\b", here, text)
        return text

    def _lines(self, text: str) -> list[str]:
        """The commands of a block: a line that ends in a backslash goes on in the next one."""
        return [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]

    def _line(self, line: str) -> str:
        line = re.sub(r"\s+#\s.*$", "", line)
        output = self._state / "output"
        if COMMAND.fullmatch(line):
            code = run_command(line.split()[1:], self.folder, self.variables, output)
        else:
            code = self._shell(line, output)
        printed = output.read_text(encoding="utf-8")
        assert code == 0, f"{line} ended with {code}:\n{printed}"
        return printed

    def _shell(self, line: str, output: Path) -> int:
        script = SHELL.format(state=self._state, lines=line)
        with output.open("wb") as file:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                check=False,
            )
        if done.returncode == 0:
            given = (self._state / "variables").read_text(encoding="utf-8").split("\0")
            self.variables = dict(each.split("=", 1) for each in given if each)
            self.folder = Path((self._state / "folder").read_text(encoding="utf-8").strip())
        return done.returncode

    def _start(self, text: str) -> None:
        """Run a block in a terminal of its own, and wait until it serves the address that it prints."""
        output = self._state / f"terminal_{len(self._terminals)}"
        with output.open("wb") as file:
            self._terminals.append(
                subprocess.Popen(
                    ["bash", "-ec", text],
                    cwd=self.folder,
                    env=self.variables,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,
                )
            )
        wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+", output.read_text(encoding="utf-8")), text, seconds=200)

    @contextlib.contextmanager
    def _entered(self) -> Iterator[None]:
        """This process in the folder and the environment of the page."""
        before = dict(os.environ)
        os.environ.update(self.variables)
        try:
            with contextlib.chdir(self.folder) if sys.version_info >= (3, 11) else _in(self.folder):
                yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _python(self, text: str) -> None:
        for name in ("defs", "assets"):
            self.names.pop(name, None)
        exec(text, self.names)  # the page's own
        made = self.names.get("defs") or dg.Definitions(assets=self.names.get("assets", ()))  # type: ignore[arg-type]
        assert isinstance(made, dg.Definitions)
        keys = {"warehouse", "dailystory"} - set(made.resources or {})
        absent = dg.Definitions(resources=dict.fromkeys(keys, dg.ResourceDefinition.none_resource()))
        dg.Definitions.validate_loadable(dg.Definitions.merge(made, absent))

    def _yaml(self, text: str) -> None:
        """Check a document by what it holds: run config, a component or a part of one, or settings of an instance."""
        found = yaml.safe_load(text)
        if "ops" in found:
            dg.validate_run_config(self._job(), found)
        elif "concurrency" in found:
            (self.folder / "dagster.yaml").write_text(text, encoding="utf-8")
            with dg.DagsterInstance.from_config(str(self.folder)) as instance:
                assert instance.get_concurrency_config().pool_config.pool_granularity is not None
        else:
            sync = {"name": "customers", "source": "analytics.customers", "key": "id", "fields": {"email": "email"}}
            assert definitions(found["attributes"] if "type" in found else {**sync, **found}).assets

    def _job(self) -> dg.JobDefinition:
        """A job that sends the page's syncs, and those of other pages."""
        syncs = {each.name: each for each in self.names.values() if isinstance(each, ContactSync)}
        for name in ("customers", "vips"):
            own = ContactSync(name=name, source=name, key="id", fields={"email": "email"}, require_approval=True)
            syncs.setdefault(name, own)
        whole = [each for each in syncs.values() if each.partitions is None and isinstance(each.source, str)]
        resources = dict.fromkeys(("warehouse", "dailystory"), dg.ResourceDefinition.none_resource())
        assets = [asset for each in whole for asset in build_contact_sync_assets(each)]
        return dg.Definitions(assets=assets, resources=resources).resolve_implicit_global_asset_job_def()

    def _sql(self, text: str) -> None:
        engine = open_engine(self.variables["WAREHOUSE_URL"])
        with engine.connect() as connection:
            self.names["rows"] = connection.execute(sa.text(text.rstrip().rstrip(";"))).mappings().all()
        engine.dispose()


@contextlib.contextmanager
def _in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
