"""Fixtures of every test: real databases, the servers behind them, and scenarios at each placement."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import shutil
import signal
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from zlib import crc32

import pytest
import sqlalchemy as sa
from support.bigquery import bigquery_emulator
from support.databases import SERVER_FIXTURES, create_database, drop_database, mariadb_server, postgresql_server
from support.placements import Placement, placements_of
from support.scenario import Scenario, open_scenario
from support.spark import spark_server
from support.statements import checked_statements
from support.stories import check_story, story_path

from dagster_dailystory.sandbox import Sandbox

ENGINES = ("duckdb", "sqlite", "postgresql")
SHARED_MEMORY = Path("/dev/shm")
TESTS_PER_COLLECTION = 40


def pytest_configure() -> None:
    """Keep the tests' files in memory if it has space: on a disk, each commit of SQLite and DuckDB waits for it.

    Let Ctrl-C interrupt: a shell that starts the tests in the background has them ignore it.
    """
    if SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > 4 << 30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(SHARED_MEMORY))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of the fixture `scenario` at every placement."""
    if "placement" in metafunc.fixturenames:
        metafunc.parametrize("placement", placements_of(metafunc.definition.originalname))


def pytest_collection_finish() -> None:
    """Walk all objects after some tests only, and those that outlive a walk never again.

    Most are of Dagster and SQLAlchemy. To walk them takes a second, and the usual way a sixth of the time.
    """
    gc.set_threshold(5_000, 20, 1_000)
    gc.freeze()


def pytest_runtest_teardown(item: pytest.Item) -> None:
    if crc32(item.nodeid.encode()) % TESTS_PER_COLLECTION == 0:
        gc.collect()
        gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Compare the scenario of a test that passed with the recorded story, as the test's last assertion."""
    result = yield
    if "placement" in pyfuncitem.fixturenames:
        scenario, placement = pyfuncitem.funcargs["scenario"], pyfuncitem.funcargs["placement"]
        check_story(story_path(pyfuncitem), placement, scenario.whole_story())
    return result


@pytest.fixture(autouse=True)
def enabled_loggers() -> None:
    """Enable every logger: Dagster's migrations disable those that exist, and tests read what is logged."""
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """The database under test: each in turn, unless the test parametrizes `engine_name` itself."""
    return str(request.param)


@pytest.fixture
def warehouse_url(engine_name: str, new_database: Callable[[str], str]) -> str:
    """The SQLAlchemy URL of an empty database of the kind under test."""
    return new_database(engine_name)


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Creates an empty database of the named kind and returns its URL; each call creates another one."""
    created: list[tuple[str, str]] = []

    def create(engine_name: str) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        if engine_name in ("duckdb", "sqlite"):
            url = f"{engine_name}:///{tmp_path / name}.{engine_name}"
            sa.create_engine(url, poolclass=sa.NullPool).connect().close()  # creates the file
            return url
        if engine_name == "snowflake":  # creates a database when it is connected to
            request.getfixturevalue("snowflake_emulator")
            return f"snowflake://user:password@account/{name}/public?warehouse=small"
        server_url = request.getfixturevalue(SERVER_FIXTURES[engine_name])
        url = create_database(server_url, name, engine_name)
        created.append((server_url, name))
        return url

    yield create
    for server_url, name in created:
        drop_database(server_url, name)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A running sandbox without contacts."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def scenario(placement: Placement, new_database: Callable[[str], str]) -> Iterator[Scenario]:
    """A new scenario at each placement; its story must be the recorded one, and a parser reads what it sent."""
    with open_scenario(new_database, placement.warehouse, placement.state) as opened, checked_statements():
        yield opened


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the test session."""
    with postgresql_server() as url:
        yield url


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[str]:
    """The URL of a MariaDB server that lives as long as the test session."""
    with mariadb_server() as url:
        yield url


@pytest.fixture(scope="session")
def clickhouse_library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of ClickHouse's engine within this process, which takes one path a process."""
    pytest.importorskip("chdb", reason="chdb, ClickHouse's engine as a library, has no wheel for this machine")
    return f"clickhousedb:///default?interface=chdb&path={tmp_path_factory.mktemp('clickhouse')}"


@pytest.fixture(scope="session")
def spark() -> Iterator[str]:
    """The URL of Spark's server behind Databricks' driver."""
    with spark_server() as url:
        yield url


@pytest.fixture(scope="session")
def bigquery() -> Iterator[str]:
    """The URL of BigQuery's emulator behind BigQuery's driver."""
    with bigquery_emulator() as url:
        yield url


@pytest.fixture(scope="session")
def snowflake_emulator() -> Iterator[None]:
    """Snowflake's driver with fakesnow behind it, within this process."""
    with importlib.import_module("fakesnow").patch():
        yield
