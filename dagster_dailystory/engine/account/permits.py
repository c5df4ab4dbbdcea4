"""Permits to send, granted by the state's database: one row for the account, and the clock of the database.

Each access is one statement and one transaction, so the lock of the row is never held between two of them: a process
that is stopped or cut off anywhere keeps no other one from sending. The statements run in a thread of their own, on a
connection of their own, because they must block neither the event loop nor the transactions of the run.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, fields, replace
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Float, Row, Table, Update, bindparam, case, cast, extract, func
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from dagster_dailystory.api.rate.pace import Pace
from dagster_dailystory.api.rate.shared import Grant
from dagster_dailystory.databases.connect import open_engine, safe_message
from dagster_dailystory.databases.kinds.psycopg import without_prepared_statements
from dagster_dailystory.databases.kinds.registry import database_of
from dagster_dailystory.databases.sql_types import BIG_INTEGER, SqlValue
from dagster_dailystory.engine.account.calls import Calls
from dagster_dailystory.engine.state.schema import SharedTables, StateLocation
from dagster_dailystory.errors import WarehouseError

_T = TypeVar("_T")

_CATCH_UP_SECONDS = 0.05
"""How old a permit may be when it is granted: what the processes did not ask for in time is made up for that long."""


_RETRY_SECONDS = 0.2

_NUMBER = Float(53)


class StatePermits:
    """Grants permits from the state's database; see `PermitSource`. Made in any thread, used in one event loop.

    Args:
        location: Where the state is. Its database must have a clock; its tables exist.
        destination: The URL of the API; a state has one destination, and one account there.
        requests_per_second: The rate that begins if no run asked for a permit before; None to find it by trying.
        patience_seconds: How long a lost database is asked again, and twice as long one that does not answer: a server
            restarts in seconds, and nothing is sent meanwhile.
    """

    def __init__(
        self,
        location: StateLocation,
        destination: str,
        requests_per_second: float | None,
        patience_seconds: float = 15.0,
    ) -> None:
        self._location = location
        self._destination = destination
        self._first = Pace.first(requests_per_second)
        self._patience_seconds = patience_seconds
        self._rate = SharedTables(location).rate
        self._calls = Calls("dailystory-rate", self._disconnect)
        # Only the thread's.
        self._connection: Connection | None = None
        self._taking: Update | None = None

    async def take(self, permits: int, refusals: int = 0, unused: int = 0) -> Grant:
        """See `PermitSource`.

        Raises:
            WarehouseError: The database cannot be asked.
        """
        return await self._ask(partial(self._take, permits, refusals, unused))

    async def change(self, seen: Grant, pace: Pace) -> bool:
        """See `PermitSource`.

        Raises:
            WarehouseError: The database cannot be asked.
        """
        return await self._ask(partial(self._change, seen.version, pace))

    def close(self) -> None:
        """See `PermitSource`."""
        self._calls.end()

    async def _ask(self, work: Callable[[Connection], _T]) -> _T:
        answer = asyncio.wrap_future(self._calls.add(partial(self._patiently, work)))
        seconds = 2 * self._patience_seconds
        try:
            return await asyncio.wait_for(answer, seconds)
        except asyncio.TimeoutError:
            raise self._failure(f"no answer for {seconds:.0f} s") from None

    def _failure(self, what: str) -> WarehouseError:
        table = self._location.full_name("rate")
        return WarehouseError(
            f"the rate of the account is in {table} of the state database, which cannot be asked: {what}; nothing is "
            "sent without it; run again"
        )

    # Everything below runs in the thread.

    def _patiently(self, work: Callable[[Connection], _T]) -> _T:
        """Do the work, through another connection if this one is lost.

        Raises:
            WarehouseError: The database refuses the statement, or is not back in time.
        """
        deadline = time.monotonic() + self._patience_seconds
        while True:
            try:
                return work(self._connected())
            except DBAPIError as error:
                self._disconnect()
                if isinstance(error, ProgrammingError) or self._calls.is_over or time.monotonic() >= deadline:
                    failure = self._failure(safe_message(error))
                    break
            time.sleep(_RETRY_SECONDS)
        raise failure

    def _connected(self) -> Connection:
        if self._connection is None:
            engine = open_engine(self._location.url, self._location.setting)
            self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            without_prepared_statements(self._connection)
            clock = database_of(engine.dialect).clock()
            assert clock is not None
            self._taking = _taking(self._rate, cast(extract("epoch", clock), Float(53)))
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):  # it is lost, which the call before has raised
                connection.close()

    def _take(self, permits: int, refusals: int, unused: int, connection: Connection) -> Grant:
        assert self._taking is not None
        values = {"permits": permits, "refusals": refusals, "unused": unused, "wanted": self._destination}
        row = connection.execute(self._taking, values).one_or_none()
        if row is None:
            self._insert(connection)
            row = connection.execute(self._taking, values).one()
        return _granted(row, permits)

    def _insert(self, connection: Connection) -> None:
        begun = dict.fromkeys(("version", *_COUNTS), 0) | dict.fromkeys(_TIMES, 0.0)
        with suppress(IntegrityError):  # another process was first
            connection.execute(
                self._rate.insert().values(destination=self._destination, **begun, **_stored(self._first))
            )

    def _change(self, version: int, pace: Pace, connection: Connection) -> bool:
        seen = (self._rate.c.destination == self._destination) & (self._rate.c.version == version)
        changed = connection.execute(self._rate.update().where(seen).values(version=version + 1, **_stored(pace)))
        return changed.rowcount == 1


_TIMES = ("next_at", "seen_at", "counted_from")

_COUNTS = ("sent", "sent_before", "refused", "refused_before")


def _taking(rate: Table, now: SqlValue) -> Update:
    """Take `permits`, count `refusals` and `unused` ones: a schedule (GCRA) whose next permit is at `next_at`.

    The counts of the last two seconds say how many permits the last second had. If the clock went back, the schedule
    and the pause go back with it, so that they do not wait for the clock to catch up.
    """
    old, names = rate.c, ("permits", "refusals", "unused")
    permits, refusals, unused = (bindparam(name, type_=BIG_INTEGER) for name in names)
    set_back = func.greatest(old.seen_at - now, 0.0, type_=_NUMBER)
    first = func.greatest(old.next_at - set_back, old.paused_until - set_back, now - _CATCH_UP_SECONDS, type_=_NUMBER)
    age = now - old.counted_from
    values: dict[str, SqlValue] = {
        "next_at": first + permits / old.requests_per_second,
        "paused_until": old.paused_until - set_back,
        "seen_at": now,
        "counted_from": case((age.between(0, 1), old.counted_from), else_=now),
    }
    for name, more in (("sent", permits - unused), ("refused", refusals)):
        this_second, second_before = old[name], old[f"{name}_before"]
        values[name] = case((age.between(0, 1), this_second + more), else_=more)
        values[f"{name}_before"] = case((age.between(0, 1), second_before), (age.between(1, 2), this_second), else_=0)
    return rate.update().where(old.destination == bindparam("wanted")).values(values).returning(rate)


def _granted(row: Row[Any], permits: int) -> Grant:
    values = row._mapping
    pace = Pace(**{each.name: values[each.name] for each in fields(Pace)})
    pace = replace(pace, paused_until=-math.inf if pace.paused_until is None else pace.paused_until)
    remaining = 1 - (values["seen_at"] - values["counted_from"])  # of the second before, within the last second
    sent, refused = (values[name] + values[f"{name}_before"] * max(0.0, remaining) for name in ("sent", "refused"))
    first_at = values["next_at"] - permits / pace.requests_per_second
    return Grant(values["seen_at"], first_at, permits, pace, values["version"], sent, refused)


def _stored(pace: Pace) -> dict[str, float | bool | None]:
    paused_until = None if pace.paused_until == -math.inf else pace.paused_until
    return {**asdict(pace), "paused_until": paused_until}
