"""One run at a time holds the lease, and the lease of a dead run is taken over."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.scenario import Scenario, customers, open_scenario, sync_of
from support.steps import plan_run

from dagster_dailystory.engine.planning.plan import make_plan
from dagster_dailystory.engine.presence.last_check import LastCheck
from dagster_dailystory.engine.presence.source_keys import SourceKeys
from dagster_dailystory.engine.sending.outbox import Outbox
from dagster_dailystory.engine.sending.sender import Sender
from dagster_dailystory.engine.state.lease import LEASE_SECONDS, Lease, open_session
from dagster_dailystory.engine.state.lease.holders import let_go, new_holder, this_host
from dagster_dailystory.engine.state.lease.lease import lease_holder
from dagster_dailystory.engine.state.lease.session import kept_alive
from dagster_dailystory.engine.state.plans.stored import Plans
from dagster_dailystory.engine.state.schema import StateLocation
from dagster_dailystory.engine.state.store import State, open_state, utc_now
from dagster_dailystory.errors import BusyError, WarehouseError
from dagster_dailystory.model.runs.options import PlanOptions


@contextmanager
def opened(url: str) -> Iterator[State]:
    with open_state(StateLocation(url), sync_of()) as state:
        yield state


def taken(state: State) -> Lease:
    with state.connection.begin():
        return Lease.take(state)


def held_by(state: State, holder: str) -> None:
    meta = state.shared.meta
    with state.connection.begin():
        state.connection.execute(meta.update().where(meta.c.name == "lock:customers").values(holder=holder))


def test_a_held_lease_is_refused_and_a_returned_one_gets_a_higher_fence(warehouse_url):
    with opened(warehouse_url) as state:
        first = taken(state)
        with pytest.raises(BusyError, match="another run holds sync 'customers'"):
            taken(state)
        with state.connection.begin():
            first.give_back(state)
        assert taken(state).fence == first.fence + 1


def test_the_lease_of_a_dead_process_is_taken_at_once(warehouse_url):
    code = """
from dagster_dailystory.engine.state.lease.holders import new_holder, this_host
print(new_holder(this_host()))
"""
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    with opened(warehouse_url) as state:
        lease = taken(state)
        held_by(state, dead.stdout.strip())
        assert taken(state).fence == lease.fence + 1


def test_a_holder_that_let_go_in_this_process_is_not_waited_for(new_database: Callable[[str], str]):
    """The database may still name it, if its connection was lost."""
    holder = new_holder(this_host())
    with opened(new_database("sqlite")) as state:
        taken(state)
        held_by(state, holder)
        with pytest.raises(BusyError):
            taken(state)
        let_go(holder)
        assert taken(state).fence == 2


def test_a_lease_that_was_never_committed_does_not_end_that_of_another_run(warehouse_url):
    with opened(warehouse_url) as state:
        begun = state.connection.begin()
        lost = Lease.take(state)
        begun.rollback()  # as the server does when the connection is lost
        other = taken(state)
        assert other.fence == lost.fence
        with state.connection.begin():
            lost.give_back(state)
            other.check(state)


def test_a_lost_connection_ends_the_run_and_frees_the_lease(new_database: Callable[[str], str]):
    others = "datname = current_database() AND pid <> pg_backend_pid()"

    def restart(body: dict[str, object]) -> None:
        if body.get("email") == "p3@example.com":
            scenario.select(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")

    with open_scenario(new_database, "postgresql") as scenario:
        scenario.seed(*customers(40))
        scenario.sandbox.configure(refuse_if=restart)
        with pytest.raises(WarehouseError, match="the connection to the warehouse database was lost"):
            scenario.run()
        scenario.sandbox.configure(refuse_if=None)
        assert [row["holder"] for row in scenario.rows("meta") if row["name"] == "lock:customers"] == [None]
        assert scenario.run().outcome == "done"
        assert set(scenario.sandbox.creates_by_identity().values()) == {1}


class Sleeper:
    """Sends a plan, and sleeps past its lease when it sends the row of one contact."""

    def __init__(self, scenario: Scenario, *, taken_over: bool) -> None:
        self._scenario = scenario
        self._taken_over = taken_over
        self._slept = 0.0

    def send(self) -> None:
        scenario, sync = self._scenario, sync_of()
        plan = plan_run(sync, scenario.warehouse, scenario.account, run_id="sleeper")
        scenario.sandbox.configure(refuse_if=self._sleep)
        sender = Sender(sync, replace(scenario.account, max_concurrency=1))
        with open_state(scenario.warehouse.state, sync) as state:
            with state.connection.begin():
                lease = Lease.take(state, clock=lambda: self._slept)
                Plans(state).claim(Plans(state).newest_of(["sleeper"]))
                tables = state.load_tables()
            assert tables is not None
            sender.start(lease.heartbeat.is_safe)
            try:
                keys = SourceKeys(state, tables, scenario.warehouse_url)
                check = LastCheck(state, tables, lease, plan.plan_id, keys)
                Outbox(state, tables, lease, plan.plan_id, sender, check).send()
            finally:
                sender.stop()
                scenario.sandbox.configure(refuse_if=None)

    def _sleep(self, body: dict[str, object]) -> None:
        if body.get("city") == "Rome":
            self._slept += LEASE_SECONDS
            if self._taken_over:
                self._scenario.execute_state(
                    "UPDATE dailystory_meta SET holder = NULL, fence = fence + 1 WHERE name = 'lock:customers'"
                )


def test_a_run_that_slept_past_its_lease_sends_nothing_more(new_database: Callable[[str], str]):
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(9))
        scenario.run()
        scenario.execute("UPDATE customers SET city = 'Oslo'")
        scenario.update(3, city="Rome")
        scenario.sent()
        with pytest.raises(BusyError, match="took sync 'customers' over"):
            Sleeper(scenario, taken_over=True).send()
        assert [name for name, *_ in scenario.sent()] == [f"p{number}@example.com" for number in (1, 2, 3)]
        scenario.update(3, city="Paris")
        assert scenario.run().rows_updated == 9, "what may have been sent is sent again, though its old value is back"


def test_a_run_that_slept_and_was_not_taken_over_goes_on(new_database: Callable[[str], str]):
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(9))
        scenario.update(3, city="Rome")
        Sleeper(scenario, taken_over=False).send()
        assert len(scenario.emails()) == 9


def test_a_process_with_the_pid_of_a_dead_one_is_another_holder(new_database: Callable[[str], str]):
    with opened(new_database("sqlite")) as state:
        host, pid, _, word = taken(state).holder.rsplit(":", 3)
        held_by(state, f"{host}:{pid}:1:{word}")
        assert taken(state).fence == 2


def test_the_lease_of_another_host_is_taken_over_once_it_expired(new_database: Callable[[str], str]):
    with opened(new_database("sqlite")) as state:
        taken(state)
        held_by(state, "elsewhere:1:1:word")
        with pytest.raises(BusyError):
            taken(state)
        assert taken(replace(state, clock=after_the_lease)).fence == 2


def test_a_holder_that_was_taken_over_writes_nothing_more(warehouse_url):
    with opened(warehouse_url) as state:
        first = taken(state)
        held_by(state, "elsewhere:1:1:word")
        second = taken(replace(state, clock=after_the_lease))
        with pytest.raises(BusyError, match="took sync 'customers' over"), state.connection.begin():
            first.renew(state)
        with state.connection.begin():
            first.give_back(state)
            second.check(state)


def test_one_of_two_runs_that_take_a_free_lease_gets_it(new_database: Callable[[str], str]):
    url = new_database("postgresql")
    with opened(url) as state:
        taken(state)
        held_by(state, "elsewhere:1:1:word")
    with opened(url) as state:
        with state.connection.begin():
            Lease.take(replace(state, clock=after_the_lease))
            assert take_at(url, after_the_lease()) == "busy", "it does not wait for the lock"
        assert take_at(url, after_the_lease()) == "busy"


def test_a_plan_that_outlasts_the_lease_is_not_taken_over(new_database: Callable[[str], str]):
    """Other runs see no heartbeat until the plan is stored, but its transaction has the lease's row locked."""
    url = new_database("postgresql")
    moments = [utc_now()]
    with opened(url) as state:
        planning = replace(state, clock=lambda: moments[-1])
        lease = taken(planning)
        moments.append(after_the_lease())
        with lease.during(planning), opened(url) as other:
            later = replace(other, clock=lambda: moments[-1])
            with other.connection.begin():
                holder = lease_holder(later)
            assert holder is not None
            assert holder.is_alive, "no alert about a run that ended"
            assert take_at(url, moments[-1]) == "busy"
            moments.append(moments[-1] + timedelta(seconds=LEASE_SECONDS))
        with state.connection.begin():
            lease.check(state)
    assert take_at(url, moments[-1] + timedelta(seconds=1)) == "busy", "the last heartbeat is from the plan's end"


def test_a_living_process_of_this_host_is_at_work_though_its_heartbeat_is_old(new_database: Callable[[str], str]):
    """A plan in SQLite writes for minutes in one transaction, and nothing else shows that it goes on."""
    with opened(new_database("sqlite")) as state:
        lease = taken(state)
        with state.connection.begin():
            holder = lease_holder(replace(state, clock=after_the_lease))
            assert holder is not None
            assert holder.is_alive
            let_go(lease.holder)
            ended = lease_holder(state)
            assert ended is not None
            assert not ended.is_alive


def test_the_lease_goes_by_the_clock_of_the_database(new_database: Callable[[str], str]):
    with opened(new_database("postgresql")) as state:
        taken(state)
        held_by(state, "elsewhere:1:1:word")
        with pytest.raises(BusyError):
            taken(replace(state, now=after_the_lease))


def test_a_server_asks_the_host_of_a_run_for_signs_of_life(new_database: Callable[[str], str]):
    """Otherwise the locks of a host that lost its power stay for hours."""
    query = sa.text("SELECT source FROM pg_settings WHERE name ~ '^(tcp_keepalives|client_connection_check)_'")
    with opened(new_database("postgresql")) as state, state.connection.begin():
        sources = [row.source for row in state.connection.execute(query)]
    assert sources == ["session"] * 4


class Run:
    """Holds a lease for which a heartbeat is always due, and does nothing."""

    def __init__(self, state: State) -> None:
        hours = itertools.count(0, 3_600)
        with state.connection.begin():
            self.lease = Lease.take(state, clock=lambda: next(hours))
        self._state = state

    def heartbeat_at(self) -> datetime:
        with self._state.connection.begin():
            found: datetime = lease_row(self._state)["heartbeat_at"]
            return found

    def is_renewed_within(self, seconds: float) -> bool:
        before, deadline = self.heartbeat_at(), time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.heartbeat_at() != before:
                return True
            time.sleep(0.1)
        return False


def test_a_lease_is_renewed_while_the_run_waits_for_something(warehouse_url):
    with opened(warehouse_url) as state:
        run = Run(state)
        with kept_alive(state, run.lease):
            assert run.is_renewed_within(20)
            with run.lease.transaction(state):
                run.lease.check(state)
        assert not run.is_renewed_within(1.5)


def test_a_run_that_lost_its_lease_does_not_renew_that_of_another(warehouse_url):
    with opened(warehouse_url) as state:
        run = Run(state)
        held_by(state, "elsewhere:1:1:word")
        with kept_alive(state, run.lease):
            assert not run.is_renewed_within(2.5)
            with pytest.raises(BusyError, match="took sync 'customers' over"):
                run.lease.keep(state)


def lease_row(state: State) -> sa.RowMapping:
    meta = state.shared.meta
    return state.connection.execute(sa.select(meta).where(meta.c.name == "lock:customers")).mappings().one()


def test_hosts_that_were_cloned_are_two_hosts() -> None:
    assert Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip() in this_host()


def test_the_long_transactions_of_a_plan_begin_and_end_with_a_heartbeat(new_database: Callable[[str], str]):
    transactions: list[list[str]] = []
    sync = sync_of(source="select * from customers")
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(2))
        with open_session(sync, scenario.warehouse.state) as (state, lease):
            sa.event.listen(state.connection, "begin", lambda _: transactions.append([]))
            sa.event.listen(
                state.connection,
                "before_cursor_execute",
                lambda c, k, statement, *_: transactions[-1].append(statement),
            )
            make_plan(state, lease, scenario.warehouse_url, PlanOptions(), "run", scenario.sandbox.base_url)
    for work in ("TABLE dailystory_customers_staged", "INSERT INTO dailystory_customers_changes"):
        [long] = [each for each in transactions if any(work in statement for statement in each)]
        renewals = [
            statement.startswith("UPDATE dailystory_meta SET heartbeat_at")
            for statement in long
            if "BEGIN" not in statement
        ]
        assert renewals[0]
        assert renewals[-2], "the last statement reads the holder"


def after_the_lease() -> datetime:
    return utc_now() + timedelta(seconds=LEASE_SECONDS + 1)


def take_at(url: str, now: datetime) -> str:
    """The fence of a lease taken at a moment by a connection of its own, or `busy`."""
    with opened(url) as other:
        try:
            return str(taken(replace(other, clock=lambda: now)).fence)
        except BusyError:
            return "busy"


def test_two_threads_of_one_process_are_two_holders(new_database: Callable[[str], str]):
    """Both read the same fencing token; the later write must not accept the other thread's lease as its own."""
    with opened(new_database("sqlite")) as state:
        lease = taken(state)
        other = Lease(lease.name, lease.holder.rsplit(":", 1)[0] + ":other", lease.fence)
        with pytest.raises(BusyError), state.connection.begin():
            other.check(state)
