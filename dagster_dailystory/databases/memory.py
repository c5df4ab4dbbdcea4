"""DuckDB's memory: its limit, and the release of freed memory between the steps of a plan."""

from __future__ import annotations

import math
import re
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

_LIMIT = "memory_limit"

_CURRENT = f"current_setting('{_LIMIT}')"

_UNITS = {unit: 1024.0**power for power, unit in enumerate(("bytes", "KiB", "MiB", "GiB", "TiB", "PiB"))}


def remember_limit(engine: Engine) -> None:
    """Record the memory limit of each new DuckDB connection, so that a limit set later by the user is recognised."""
    if _limit_of(engine) is None:
        return

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: ConnectionPoolEntry) -> None:
        (record.info[_LIMIT],) = connection.execute(f"SELECT {_CURRENT}").fetchone()


def limit_megabytes(connection: Connection) -> float:
    """The current memory limit of a DuckDB connection in millions of bytes; infinity if it has none."""
    shown = str(connection.exec_driver_sql(f"SELECT {_CURRENT}").scalar())  # "190.7 MiB"
    number, _, unit = shown.partition(" ")
    return float(number) * _UNITS[unit] / 1e6 if unit in _UNITS else math.inf


def can_spill(connection: Connection) -> bool:
    """Whether a DuckDB connection may spill to temporary files what exceeds its memory limit."""
    return bool(connection.exec_driver_sql("SELECT current_setting('temp_directory')").scalar())


def release_memory(connection: Connection) -> None:
    """Make DuckDB return freed memory to the system, so that the next step's peak does not come on top of it.

    DuckDB's allocator keeps freed memory for about a second, but releases it whenever `memory_limit` is set. So the
    limit of the connection's URL is set again. Nothing happens if the URL has no limit, if the user has changed the
    limit since, if the configuration is locked, or on other databases.
    """
    limit = _limit_of(connection.engine)
    if limit is None:
        return
    current, is_locked = connection.exec_driver_sql(f"SELECT {_CURRENT}, current_setting('lock_configuration')").one()
    if current == connection.info.get(_LIMIT) and not is_locked:
        connection.exec_driver_sql(f"SET {_LIMIT} = '{limit}'").close()


def _limit_of(engine: Engine) -> str | None:
    """The URL's limit; None if it has none, or a negative one, which means the default in a URL but not in a SET."""
    limit = engine.url.query.get(_LIMIT)
    if engine.dialect.name != "duckdb" or not isinstance(limit, str) or not re.fullmatch(r"[0-9.]+ *[A-Za-z]+", limit):
        return None
    return limit
