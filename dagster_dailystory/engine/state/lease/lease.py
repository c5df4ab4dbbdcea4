"""The lease of a sync: the right to plan or send it, renewed by heartbeats and guarded by a fencing token."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, and_, select
from sqlalchemy.exc import IntegrityError

from dagster_dailystory.engine.state.lease.heartbeat import LEASE_SECONDS, Heartbeat
from dagster_dailystory.engine.state.lease.holders import (
    boot_seconds,
    description,
    is_alive,
    is_at_work_here,
    new_holder,
    this_host,
)
from dagster_dailystory.engine.state.store import State
from dagster_dailystory.errors import BusyError

_EXPIRES = timedelta(seconds=LEASE_SECONDS)


def _is_held(state: State, row: RowMapping, host: str) -> bool:
    """Whether a living run holds a lease, from its row of the meta table.

    A run that writes for long shows no heartbeat meanwhile, but its transaction has the row locked. It waits for no
    lock here: of a process that is stopped, the transaction may stay open for ever.
    """
    if row["holder"] is None:
        return False
    expired = row["heartbeat_at"] is None or state.database_now() - row["heartbeat_at"] > _EXPIRES
    if not expired and is_alive(row["holder"], host):
        return True
    meta = state.shared.meta
    return state.database.is_locked(state.connection, select(meta.c.name).where(meta.c.name == row["name"]))


@dataclass(frozen=True)
class LeaseHolder:
    """The run that holds the lease of a sync.

    Attributes:
        run_id: The run, None if it is not known.
        taken_at: Since when (UTC without a zone).
        is_alive: False if the run ended without giving the lease back: its process was killed, or its host is gone.
    """

    run_id: str | None
    taken_at: datetime | None
    is_alive: bool


def lease_holder(state: State) -> LeaseHolder | None:
    """The run that holds the lease of the state's sync, within the caller's transaction; None if it is free."""
    meta = state.shared.meta
    mine = select(meta).where(meta.c.name == f"lock:{state.sync.name}", meta.c.holder.is_not(None))
    row = state.connection.execute(mine).mappings().first()
    if row is None:
        return None
    here = this_host()  # its processes are seen to live even while a transaction of minutes hides their heartbeats
    is_held = _is_held(state, row, here) or is_at_work_here(row["holder"], here)
    return LeaseHolder(row["run_id"], row["taken_at"], is_held)


@dataclass(frozen=True)
class Lease:
    """The right to plan or send one sync.

    Attributes:
        name: Its row in the meta table.
        holder: Host and process namespace, process id, start of the process, a random word.
        fence: The fencing token: it grows with each lease, so that a late write of an earlier holder is refused.
        run_id: The run that holds it.
        heartbeat: When it was last renewed.
    """

    name: str
    holder: str
    fence: int
    run_id: str | None = None
    heartbeat: Heartbeat = field(default_factory=Heartbeat, compare=False, repr=False)

    @classmethod
    def take(
        cls,
        state: State,
        sync_name: str | None = None,
        run_id: str | None = None,
        *,
        clock: Callable[[], float] = boot_seconds,
        host: str | None = None,
    ) -> Lease:
        """Take the lease of the state's sync, or of another one, in a transaction of its own.

        Args:
            state: The state.
            sync_name: The sync, if not the state's own.
            run_id: The run, shown to others.
            clock: See `Heartbeat`.
            host: Where this process runs, if not on this host.

        Raises:
            BusyError: A living run holds it, or another process has upgraded the state.
        """
        sync_name = sync_name or state.sync.name
        heartbeat = Heartbeat(clock)
        meta, name, now = state.shared.meta, f"lock:{sync_name}", state.database_now()
        host = host or this_host()
        row = state.connection.execute(select(meta).where(meta.c.name == name)).mappings().first()
        fence = 1
        if row is not None:
            if _is_held(state, row, host):
                raise BusyError(
                    f"another run holds sync {sync_name!r}: {description(row)}, last heartbeat "
                    f"{row['heartbeat_at']:%H:%M:%S} UTC; wait for it to end, then run again"
                )
            fence = int(row["fence"]) + 1
        lease = cls(name, new_holder(host), fence, run_id, heartbeat)
        values = {"holder": lease.holder, "fence": fence, "heartbeat_at": now, "run_id": run_id}
        values["taken_at"] = state.now()  # by the clock of the times that the run writes
        if row is None:
            lease._insert(state, values)
        else:
            seen = and_(meta.c.fence == row["fence"], meta.c.heartbeat_at == row["heartbeat_at"])
            state.connection.execute(meta.update().where(meta.c.name == name, seen).values(**values))
        lease.check(state)
        if state.meta("schema_version") != str(state.layout):  # between opening the state and this transaction
            raise BusyError("another process has just upgraded the state tables; run again")
        return lease

    def _insert(self, state: State, values: Mapping[str, object]) -> None:
        try:
            state.connection.execute(state.shared.meta.insert().values(name=self.name, **values))
        except IntegrityError:
            raise BusyError(f"another run of sync {self.sync_name!r} has just started; wait for it to end") from None

    @property
    def sync_name(self) -> str:
        """The sync that it is of."""
        return self.name.removeprefix("lock:")

    def check(self, state: State) -> None:
        """Make sure that no other run took the lease over.

        Raises:
            BusyError: Another run holds it now.
        """
        meta = state.shared.meta
        found = state.connection.execute(select(meta.c.holder, meta.c.fence).where(meta.c.name == self.name)).first()
        if found is None or tuple(found) != (self.holder, self.fence):
            raise BusyError(f"another run took sync {self.sync_name!r} over; this run stops without writing")

    def renew(self, state: State) -> None:
        """Write a heartbeat, within the transaction that writes.

        Raises:
            BusyError: Another run holds the lease now.
        """
        meta = state.shared.meta
        mine = (meta.c.name == self.name) & (meta.c.fence == self.fence)
        # Written before it is read: the row lock keeps other runs from taking the lease over until this commits.
        state.connection.execute(meta.update().where(mine).values(heartbeat_at=state.database_time()))
        self.check(state)

    @contextmanager
    def transaction(self, state: State) -> Iterator[None]:
        """Begin a transaction that writes, with a heartbeat.

        Raises:
            BusyError: Another run holds the lease now.
        """
        with self.heartbeat.committed(), state.connection.begin():
            self.renew(state)
            yield

    def keep(self, state: State) -> None:
        """Write a heartbeat if one is due.

        Raises:
            BusyError: Another run holds the lease now.
        """
        if self.heartbeat.is_due():
            with self.transaction(state):
                pass

    @contextmanager
    def during(self, state: State) -> Iterator[None]:
        """Begin a transaction during which no other run can take the lease over, however long it takes.

        Its first write locks the lease's row. A run that waits for the lock then finds a newer heartbeat than it read.

        Raises:
            BusyError: Another run holds the lease now.
        """
        with self.transaction(state):
            yield
            self.renew(state)

    def give_back(self, state: State) -> None:
        """End the lease; does nothing if another run holds it.

        That run may have the same fencing token: if this one's was never committed, because the connection was lost.
        """
        meta = state.shared.meta
        mine = and_(meta.c.name == self.name, meta.c.fence == self.fence, meta.c.holder == self.holder)
        state.connection.execute(meta.update().where(mine).values(holder=None))
