"""The order in which changes are sent, and what is written if a send ends early."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from support.faults import crash_at, flaky_account
from support.placements import Placement, at
from support.scenario import Scenario, customer, customers, open_scenario, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.sending.sender import MAX_UNWRITTEN
from dagster_dailystory.errors import BusyError, OutageError


def test_opt_outs_go_first_and_deletions_last(scenario: Scenario):
    sync = sync_of(fields={"email": "email", "city": "city", "optOutEmail": "opted_out"}, deletes="delete")
    scenario.seed(*customers(4))
    scenario.run(sync)
    scenario.sent()
    scenario.delete(1)
    scenario.update(2, city="Rome")
    scenario.insert(customer(5))
    scenario.update(4, opted_out=True)
    scenario.run(sync, max_concurrency=1)
    written = [(scenario.name_of(write.dsid)[:2], write.operation) for write in scenario.sandbox.writes()]
    assert written == [("p4", "update"), ("p2", "update"), ("p5", "create"), ("p1", "delete")]


def test_a_run_whose_sync_was_taken_over_writes_nothing_more(scenario: Scenario):
    """The next run finds the contacts that it had created, and does not create them again."""
    stolen = "UPDATE dailystory_meta SET holder = 'elsewhere:1:1:word', fence = fence + 1 WHERE name LIKE 'lock:%'"

    def steal(body: dict[str, object]) -> None:
        if body.get("email") == "p3@example.com":
            scenario.execute_state(stolen)

    scenario.seed(*customers(4))
    scenario.sandbox.configure(refuse_if=steal)
    with pytest.raises(BusyError, match="took sync 'customers' over"):
        scenario.run()
    assert (scenario.rows("snapshot"), scenario.rows("contact_map"), scenario.rows("runs")) == ([], [], [])
    assert scenario.emails() == [f"p{number}@example.com" for number in (1, 2, 3, 4)]
    assert len(scenario.rows("intents")) == 4
    scenario.sandbox.configure(refuse_if=None)
    scenario.execute_state("UPDATE dailystory_meta SET holder = NULL WHERE name LIKE 'lock:%'")
    report = scenario.run()
    assert (report.rows_created, report.rows_updated) == (0, 4)
    assert all(count == 1 for count in scenario.sandbox.creates_by_identity().values())
    assert scenario.run().api_requests == 0


def test_refusals_with_one_message_stop_the_run_without_rejections(scenario: Scenario):
    scenario.seed(*customers(40))
    scenario.sandbox.configure(contact_quota=5)
    with pytest.raises(OutageError, match="contact limit"):
        scenario.run()
    assert (len(scenario.rows("contact_map")), scenario.rejections()) == (5, {})
    scenario.sandbox.configure(contact_quota=None)
    assert scenario.run().rows_created == 35


def test_a_lost_response_is_looked_up_in_the_same_run(scenario: Scenario):
    scenario.seed(*customers(2))
    scenario.sandbox.script(["cut_after", "cut_before"])
    report = scenario.run(max_concurrency=1)
    assert (report.rows_created + report.rows_updated, report.api_retries) == (2, 2)
    assert all(count == 1 for count in scenario.sandbox.creates_by_identity().values())
    assert scenario.run().api_requests == 0


def stubborn_account(scenario: Scenario, dsids: frozenset[str], others: int) -> AccountSettings:
    """An account that fails the updates of some contacts until all others are written."""
    written: set[str] = set()

    def lets_through(_method: str, _url: str, content: bytes | None) -> bool:
        if content is None:
            return True
        dsid = json.loads(content)["dsId"]
        if dsid in dsids and len(written) < others:
            return False
        written.add(dsid)
        return True

    return replace(
        flaky_account(scenario, lets_through),
        max_concurrency=32,
        max_attempts=9,
        first_wait_seconds=1.0,
        longest_wait_seconds=2.0,
    )


def test_rows_that_wait_for_a_retry_do_not_hold_up_others(scenario: Scenario):
    """Three of four rows wait, more than one batch; they are let through when all others are written."""
    scenario.seed(*customers(400))
    scenario.run()
    scenario.execute("UPDATE customers SET city = 'Rome'")
    stubborn = frozenset(row["dsid"] for row in scenario.rows("contact_map") if row["customer_id"] % 4)
    account = stubborn_account(scenario, stubborn, others=100)
    plan_run(sync_of(), scenario.warehouse, account, run_id="run")
    report = send_run(sync_of(), scenario.warehouse, account, ["run"]).report
    assert (report.rows_updated, report.rows_failed, report.outcome) == (400, 0, "done")


@pytest.mark.slow
def test_a_stalled_state_holds_up_sending_at_the_bound(new_database: Callable[[str], str]):
    """What is sent and not acknowledged is sent again after a crash."""
    lock = "SELECT * FROM dailystory_meta WHERE name = 'lock:customers' FOR UPDATE"
    with open_scenario(new_database, "postgresql") as scenario, Stall(scenario, lock) as stall:
        scenario.create()
        scenario.execute(
            "INSERT INTO customers (customer_id, email) SELECT n, 'p' || n || '@example.com' "
            "FROM generate_series(1, 9000) n"
        )
        scenario.sandbox.configure(refuse_if=stall.begin_at_the_email_of("p3000@example.com"))
        report = scenario.run(max_concurrency=8)
        assert report.rows_created == 9_000
        assert 0 < stall.unacknowledged <= MAX_UNWRITTEN + 8


class Stall:
    """Locks rows of the state until no further contact is written."""

    def __init__(self, scenario: Scenario, query: str) -> None:
        self._scenario = scenario
        self._query = query
        self._began = threading.Event()
        self._thread = threading.Thread(target=self._hold)
        self.unacknowledged = 0

    def __enter__(self) -> Stall:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._began.set()
        self._thread.join()

    def begin_at_the_email_of(self, email: str) -> Callable[[dict[str, object]], None]:
        def begin(body: dict[str, object]) -> None:
            if body.get("email") == email:
                self._began.set()

        return begin

    def _hold(self) -> None:
        self._began.wait()
        engine = sa.create_engine(self._scenario.warehouse_url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text(self._query))
            posts, before = self._scenario.sandbox.counts.posts, -1
            while posts != before:
                time.sleep(0.5)
                posts, before = self._scenario.sandbox.counts.posts, posts
            acknowledged = "SELECT count(*) FROM dailystory_customers_contact_map"
            self.unacknowledged = posts - int(connection.execute(sa.text(acknowledged)).scalar_one())


def test_throttling_loses_no_row_and_uses_up_no_attempts(scenario: Scenario):
    scenario.seed(*customers(60))
    scenario.sandbox.configure(retry_after_seconds=0)
    scenario.sandbox.script([None, *(["throttled"] * 12 + [None]) * 15])
    report = scenario.run(max_concurrency=8)
    assert (report.rows_created, report.rows_failed, report.outcome) == (60, 0, "done")
    assert report.api_throttled == 180
    assert set(scenario.sandbox.creates_by_identity().values()) == {1}


@at(Placement("sqlite"), Placement("duckdb"), Placement("postgresql"))
def test_neighbours_that_are_refused_keep_no_other_row_from_being_sent(scenario: Scenario):
    """Four clusters of rows with one message, of creates and of updates, the last at the end of the plan."""
    clusters = (range(1, 26), range(300, 330), range(700, 740), range(876, 901))
    bad = {f"p{number}@example.com" for cluster in clusters for number in cluster}
    scenario.seed(*customers(900))
    scenario.sandbox.configure(refuse_if=lambda body: "no" if body.get("email") in bad else None)
    with pytest.raises(OutageError, match=r"create: .*no"):  # no other row is left when the last cluster is reached
        scenario.run()
    assert len(scenario.rows("contact_map")) == 900 - len(bad)
    refused = {f"p{key}@example.com" for key in scenario.rejections()}
    assert {f"p{number}@example.com" for cluster in clusters[:3] for number in cluster} <= refused < bad
    assert scenario.rows("intents") == []
    assert set(scenario.sandbox.creates_by_identity().values()) == {1}
    scenario.insert(*(customer(number) for number in range(901, 911)))
    assert scenario.run().rows_created == 10
    assert len(scenario.rejections()) == len(bad)
    assert scenario.run().outcome == "empty"


def test_rows_that_are_tried_out_of_turn_are_sent_again_after_a_crash(scenario: Scenario):
    """Their updates were applied; the source has the earlier values back when the next run looks at it."""
    scenario.seed(*customers(600))
    scenario.run()
    scenario.sent()
    scenario.execute("UPDATE customers SET city = 'Rome'")
    bad = {row["dsid"] for row in scenario.rows("contact_map") if row["customer_id"] <= 25}
    scenario.sandbox.configure(refuse_if=lambda body: "no" if body["dsId"] in bad else None)
    with crash_at(1, lambda: bool(scenario.sandbox.writes())):
        scenario.run()
    assert "Rome" in {contact["city"] for contact in scenario.sandbox.contacts()}
    scenario.execute_state("UPDATE dailystory_meta SET holder = NULL")
    scenario.execute("UPDATE customers SET city = 'Paris'")
    scenario.sandbox.configure(refuse_if=None)
    scenario.run()
    assert {contact["city"] for contact in scenario.sandbox.contacts()} == {"Paris"}
