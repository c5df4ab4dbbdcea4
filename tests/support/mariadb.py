"""A MariaDB server for the tests: one that is there, or Debian's packages unpacked without being installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

URL_VARIABLE = "TEST_MARIADB_URL"
"""Names the environment variable with the URL of a server whose user may create and drop databases."""

_PACKAGES = (
    "mariadb-server-core", "mariadb-client-core", "libmariadb3", "mariadb-common", "mysql-common", "libsnappy1v5",
    "liburing2", "liblz4-1", "libaio1", "libnuma1", "galera-4",
)  # fmt: skip


@contextmanager
def mariadb_server() -> Iterator[str]:
    """The URL of a server: from the environment, else of a `mariadbd` on the PATH, else of Debian's packages."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        yield given
        return
    home = Path(tempfile.mkdtemp(prefix="mariadb"))  # short: the path of a Unix socket has about 100 characters
    try:
        with _started(home, _binaries(home)) as url:
            yield url
    finally:
        shutil.rmtree(home)


def _binaries(home: Path) -> Path:
    """The folder that holds `bin`, `sbin` and `share` of a MariaDB."""
    on_path = shutil.which("mariadbd")
    if on_path is not None:
        return Path(on_path).resolve().parent.parent
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        pytest.skip(f"no MariaDB: set {URL_VARIABLE}, or install mariadb-server (there is no apt-get to get it with)")
    fetched = subprocess.run(["apt-get", "download", *_PACKAGES], cwd=home, capture_output=True, text=True)
    if fetched.returncode != 0:
        pytest.skip(f"no MariaDB: set {URL_VARIABLE}, or install mariadb-server ({fetched.stderr.strip()[-200:]})")
    for package in home.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, home / "unpacked"], check=True)
    return home / "unpacked/usr"


@contextmanager
def _started(home: Path, usr: Path) -> Iterator[str]:
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
    engine, deadline = sa.create_engine(url, poolclass=sa.NullPool), time.monotonic() + 30
    while True:
        try:
            with engine.connect():
                return
        except sa.exc.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
