"""DuckDB's memory: how much it may use, and what it has freed and keeps, given back between the steps of a plan."""

from __future__ import annotations

import math
import re
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

_LIMIT = "memory_limit"


_NOW = f"current_setting('{_LIMIT}')"


_UNITS = {unit: 1024.0**power for power, unit in enumerate(("bytes", "KiB", "MiB", "GiB", "TiB", "PiB"))}


def remember_limit(engine: Engine) -> None:
    """Note the limit that each connection of a DuckDB engine begins with: one that is set later is somebody else's."""
    if _limit_of(engine) is None:
        return

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: ConnectionPoolEntry) -> None:
        (record.info[_LIMIT],) = connection.execute(f"SELECT {_NOW}").fetchone()


def limit_megabytes(connection: Connection) -> float:
    """What a DuckDB connection may use, in millions of bytes, as it stands at this moment; infinity for no limit."""
    shown = str(connection.exec_driver_sql(f"SELECT {_NOW}").scalar())  # "190.7 MiB"
    number, _, unit = shown.partition(" ")
    return float(number) * _UNITS[unit] / 1e6 if unit in _UNITS else math.inf


def spills(connection: Connection) -> bool:
    """Whether a DuckDB connection may write what exceeds its limit to temporary files."""
    return bool(connection.exec_driver_sql("SELECT current_setting('temp_directory')").scalar())


def give_back_memory(connection: Connection) -> None:
    """Let DuckDB return to the system what it has freed; its allocator would keep it for about a second.

    It does so whenever its limit is stated, so the `memory_limit` of the connection's URL is stated once more: the next
    step then starts from what is in use, in place of on top of what the last one left. Nothing happens where the URL
    has no limit, where somebody has set another one since, where the settings are locked, and on other databases.
    """
    limit = _limit_of(connection.engine)
    if limit is None:
        return
    now, is_locked = connection.exec_driver_sql(f"SELECT {_NOW}, current_setting('lock_configuration')").one()
    if now == connection.info.get(_LIMIT) and not is_locked:
        connection.exec_driver_sql(f"SET {_LIMIT} = '{limit}'").close()


def _limit_of(engine: Engine) -> str | None:
    """The URL's limit; None where it has none. DuckDB takes a negative one for the default, but not in a SET."""
    limit = engine.url.query.get(_LIMIT)
    if engine.dialect.name != "duckdb" or not isinstance(limit, str) or not re.fullmatch(r"[0-9.]+ *[A-Za-z]+", limit):
        return None
    return limit
