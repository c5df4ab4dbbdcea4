"""Sums of row hashes: only the buckets that differ are read, and a plan finds what it finds by reading all rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from support.placements import Placement, at
from support.scenario import CUSTOMERS, Scenario, customer, customers, open_scenario, sync_of

from dagster_dailystory.engine.run import open_run
from dagster_dailystory.engine.state.store import SumSettings
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanSummary
from dagster_dailystory.model.sync import ContactSync, Scope

ROWS = 20
FIELDS = {"email": "email", "firstName": "first_name", "city": "city", "optOutEmail": "opted_out"}
SYNC = sync_of(fields=FIELDS, deletes="delete", min_guard_rows=1_000)
ALWAYS = SumSettings(from_rows=1, most=1_000.0)
"""Compare sums whatever the number of rows, and however many of them differ."""

PLACEMENTS = (Placement("duckdb", "sqlite"), Placement("postgresql", "sqlite"), Placement("sqlite", "postgresql"))


def plan(
    scenario: Scenario, sums: SumSettings | None = ALWAYS, options: PlanOptions | None = None, sync: ContactSync = SYNC
) -> PlanSummary:
    """Plan; without `sums`, by reading all rows."""
    with open_run(sync, scenario.warehouse, scenario.account, ["planned"]) as run:
        if sums is not None:
            run.state.sums = sums
        else:
            with run.state.connection.begin():
                run.state.set_meta(f"row_hashes:{sync.name}", "")
        return run.plan(options or PlanOptions())


def run(
    scenario: Scenario, sums: SumSettings = ALWAYS, options: PlanOptions | None = None, sync: ContactSync = SYNC
) -> PlanSummary:
    """Plan and send."""
    made = plan(scenario, sums, options, sync)
    with open_run(sync, scenario.warehouse, scenario.account, ["planned"]) as sending:
        assert sending.send().error is None
    return made


@pytest.fixture
def scenario(engine_placement: Placement, new_database: Callable[[str], str]) -> Iterator[Scenario]:
    """Twenty synced rows whose hashes are remembered and added up."""
    with open_scenario(new_database, engine_placement.warehouse, engine_placement.state) as opened:
        opened.seed(*customers(ROWS))
        for _ in range(2):
            run(opened)
        opened.sent()
        yield opened


def test_nothing_is_read_if_no_sum_differs(scenario: Scenario) -> None:
    made = run(scenario)
    assert (made.compared, made.compared_why) == ("sums", "")
    assert (made.rows_transferred, made.keys_transferred) == (0, 0)
    assert (made.rows_read, made.rows_unchanged, made.live_keys) == (ROWS, ROWS, ROWS)
    assert scenario.sent() == []


def test_only_the_rows_of_a_bucket_that_differs_are_read(scenario: Scenario) -> None:
    scenario.update(3, city="Rome")
    scenario.delete(7)
    scenario.insert(customer(21))
    made = run(scenario)
    assert made.compared == "sums"
    assert (made.rows_to_update, made.rows_to_delete, made.rows_to_create) == (1, 1, 1)
    assert (made.rows_transferred, made.keys_transferred) == (2, 2)
    assert made.rows_read == ROWS


@at(Placement("mysql", "sqlite"), Placement("clickhouse", "sqlite"))
def test_a_warehouse_that_cannot_read_json_sends_what_differs(scenario: Scenario) -> None:
    scenario.insert(customer(21), customer(3), customer(None))
    made = run(scenario)
    assert (made.compared, made.rows_to_create, made.rows_rejected) == ("sums", 1, 3)
    assert (made.keys_transferred, made.rows_read) == (4, ROWS + 3)
    assert scenario.rejections() == {"3": "duplicate_key", "None": "null_key"}


def test_few_rows_are_compared_by_all_their_hashes(scenario: Scenario) -> None:
    assert run(scenario, replace(ALWAYS, from_rows=ROWS + 1)).compared == "hashes"


def test_all_keys_are_read_where_too_many_sums_differ(scenario: Scenario) -> None:
    scenario.execute("UPDATE customers SET city = 'Rome' WHERE customer_id <= 10")
    made = run(scenario, replace(ALWAYS, most=0.4))
    assert (made.compared, made.compared_why) == ("hashes", "the sums of too many rows differ")
    assert (made.keys_transferred, made.rows_to_update) == (ROWS, 10)


def test_two_rows_that_exchange_their_values_are_found(scenario: Scenario) -> None:
    one_bucket = replace(ALWAYS, divisor=1)
    for _ in range(2):
        run(scenario, one_bucket)
    scenario.update(1, city="Rome")
    for _ in range(2):
        run(scenario, one_bucket)
    for rome, paris in ((2, 1), (3, 2), (4, 3), (5, 4), (6, 5)):
        scenario.update(rome, city="Rome")
        scenario.update(paris, city="Paris")
        made = run(scenario, one_bucket)
        assert (made.compared, made.rows_to_update) == ("sums", 2)


def test_a_key_without_a_remembered_hash_that_leaves_is_missing(scenario: Scenario) -> None:
    scenario.update(3, city="Rome")
    run(scenario)
    scenario.delete(3)
    made = run(scenario)
    assert (made.compared, made.rows_to_delete) == ("sums", 1)
    assert "p3@example.com" not in scenario.emails()


def test_a_plan_for_a_chosen_key_forgets_the_key_that_had_the_contact(scenario: Scenario) -> None:
    """Otherwise that key would count as unchanged when it returns."""
    scenario.execute("UPDATE customers SET customer_id = 30 WHERE customer_id = 3")
    assert run(scenario, options=PlanOptions(keys=("30",))).rows_to_update == 1
    scenario.execute("UPDATE customers SET customer_id = 3 WHERE customer_id = 30")
    made = run(scenario)
    assert (made.rows_to_update, made.rows_to_delete) == (1, 0)
    assert "3" in scenario.contact_map()


@at(Placement("postgresql", "sqlite"))
def test_a_key_that_is_written_in_two_ways_is_a_duplicate_though_one_row_is_not_read(
    engine_placement: Placement, new_database: Callable[[str], str]
) -> None:
    with open_scenario(new_database, engine_placement.warehouse, engine_placement.state) as scenario:
        scenario.create(**{**CUSTOMERS.columns, "customer_id": "numeric"})
        scenario.insert(*customers(ROWS))
        for _ in range(2):
            run(scenario)
        scenario.insert(customer(3, first_name="Other"))
        scenario.execute("UPDATE customers SET customer_id = 3.0 WHERE first_name = 'Other'")
        for _ in range(2):
            assert run(scenario).compared == "sums"
            assert scenario.rejections() == {"3": "duplicate_key"}


def test_the_stored_sums_are_added_up_once_they_are_many(scenario: Scenario) -> None:
    for city in ("Rome", "Lima", "Rome", "Lima"):
        scenario.execute(f"UPDATE customers SET city = '{city}' WHERE customer_id <= 10")
        run(scenario, replace(ALWAYS, stored=ROWS))
    run(scenario, replace(ALWAYS, stored=ROWS))
    assert len(scenario.rows("hash_sums")) == ROWS
    assert run(scenario).keys_transferred == 0


def test_a_dry_run_leaves_the_sums_as_they_are(scenario: Scenario) -> None:
    before = scenario.rows("hash_sums")
    scenario.update(3, city="Rome")
    plan(scenario, options=PlanOptions(dry_run=True))
    assert scenario.rows("hash_sums") == before


Edit = Callable[[Scenario, random.Random], None]


def _some_key(scenario: Scenario, rng: random.Random) -> int:
    keys = {row["customer_id"] for row in scenario.select("SELECT customer_id FROM customers")} - {None}
    return rng.choice(sorted(keys)) if keys else 1


def _insert(scenario: Scenario, rng: random.Random) -> None:
    key = rng.randint(1, 60)
    city, opted_out = rng.choice(["Paris", "Rome", None]), rng.choice([None, True])
    scenario.insert(customer(key, email=f"p{rng.randint(1, 60)}@example.com", city=city, opted_out=opted_out))


def _keyless(scenario: Scenario, rng: random.Random) -> None:
    key = rng.randint(1, 60)
    scenario.insert(customer(None, email=f"p{key}@example.com", opted_out=rng.choice([None, True])))


def _delete(scenario: Scenario, rng: random.Random) -> None:
    scenario.delete(_some_key(scenario, rng))


def _repair(scenario: Scenario, rng: random.Random) -> None:
    scenario.execute("DELETE FROM customers WHERE customer_id IS NULL")
    scenario.update(_some_key(scenario, rng), email=f"p{rng.randint(1, 60)}@example.com")


def _change(scenario: Scenario, rng: random.Random) -> None:
    changed: dict[str, Any] = rng.choice([
        {"city": rng.choice(["Paris", "Rome", "Lima"])}, {"opted_out": rng.choice([None, True, False])},
        {"email": "invalid"}, {"first_name": "Forbidden"}, {"first_name": "Name"},
    ])  # fmt: skip
    scenario.update(_some_key(scenario, rng), **changed)


def _exchange(scenario: Scenario, rng: random.Random) -> None:
    one, other = _some_key(scenario, rng), _some_key(scenario, rng)
    column = rng.choice(["city", "email", "customer_id"])
    value = f"(SELECT min({column}) FROM customers WHERE customer_id = {one} + {other} - c.customer_id)"
    scenario.execute(f"UPDATE customers AS c SET {column} = {value} WHERE customer_id IN ({one}, {other})")


def _rekey(scenario: Scenario, rng: random.Random) -> None:
    old = _some_key(scenario, rng)
    scenario.execute(f"UPDATE customers SET customer_id = {rng.randint(1, 90)} WHERE customer_id = {old}")


def _duplicate(scenario: Scenario, rng: random.Random) -> None:
    names = ", ".join(name for name in scenario.source.columns if name != "customer_id")
    old, new = _some_key(scenario, rng), _some_key(scenario, rng)
    copied = rng.choice([str(old), str(old), str(new), "NULL"])
    scenario.execute(f"INSERT INTO customers (customer_id, {names}) SELECT {copied}, {names} FROM customers"
                     f" WHERE customer_id = {old}")  # fmt: skip


EDITS: tuple[Edit, ...] = (
    _insert, _insert, _keyless, _delete, _delete, _repair, _change, _change, _change, _exchange, _exchange, _rekey,
    _duplicate,
)  # fmt: skip
OTHER_RUNS = (
    PlanOptions(scope=Scope.ALL), PlanOptions(scope=Scope.REJECTED), PlanOptions(scope=Scope.OPT_OUTS),
    PlanOptions(keys=("3", "5")), PlanOptions(limit=2), PlanOptions(dry_run=True),
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two states of one source: by sums, and by reading all rows."""

    by_sums: Scenario
    streamed: Scenario
    sums: SumSettings
    sync: ContactSync

    def step(self, rng: random.Random) -> str:
        """Plan on both states, and compare what was found; most plans are sent."""
        options = rng.choice(OTHER_RUNS) if rng.random() < 0.15 else PlanOptions()
        one = plan(self.by_sums, self.sums, options, self.sync)
        other = plan(self.streamed, None, options, self.sync)
        assert self._planned(self.by_sums, one) == self._planned(self.streamed, other)
        if not options.dry_run and one.status.value == "ready" and rng.random() < 0.8:
            for scenario in (self.by_sums, self.streamed):
                with open_run(self.sync, scenario.warehouse, scenario.account, ["planned"]) as sending:
                    sending.send()
        for table in ("snapshot", "rejections"):
            assert self._rows(self.by_sums, table) == self._rows(self.streamed, table)
        return one.compared

    def _planned(self, scenario: Scenario, made: PlanSummary) -> dict[str, Any]:
        transferred = {"rows_transferred", "keys_transferred", "bytes_read"}
        counts = {name: n for name, n in made.counts.items() if name not in transferred}
        changes = [row for row in self._rows(scenario, "changes") if row["plan_id"] == made.plan_id]
        changed = sorted((sorted((k, str(v)) for k, v in row.items() if k != "plan_id") for row in changes), key=str)
        return {
            **counts, "guards": made.guards, "live_keys": made.live_keys, "status": made.status,
            "fields": made.changes_by_field, "reasons": made.rejections_by_reason, "changes": changed,
            "waiting": made.opt_outs_waiting.to_repair, "whole": made.whole_source, "first": made.first_load,
        }  # fmt: skip

    def _rows(self, scenario: Scenario, table: str) -> list[dict[str, Any]]:
        """The rows of a state table, without what depends on the moment, the secret and DailyStory's ids."""
        left_out = {"acknowledged_plan", "sequence", "waits_for", "dsid", "message", "fingerprint", "attempts"}
        kept = [
            {k: bool(v) if k == "absent_since" else v for k, v in row.items() if k not in left_out}
            for row in scenario.rows(table)
        ]
        return sorted(({k: v for k, v in row.items() if not k.endswith("_at")} for row in kept), key=str)


@pytest.mark.parametrize("divisor", [3, pytest.param(32_768, marks=pytest.mark.slow)])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_a_plan_by_sums_finds_what_a_plan_of_all_rows_finds(
    engine_placement: Placement, new_database: Callable[[str], str], seed: int, divisor: int
) -> None:
    rng = random.Random(seed)
    sync = replace(
        SYNC, deletes=rng.choice(["delete", "deactivate", "keep"]), max_deleted_fraction=rng.choice([None, 0.1])
    )
    with ExitStack() as opened:
        by_sums = opened.enter_context(open_scenario(new_database, engine_placement.warehouse, engine_placement.state))
        other = opened.enter_context(open_scenario(new_database, "sqlite", engine_placement.state))
        other = replace(other, warehouse_url=by_sums.warehouse_url)
        for each in (by_sums, other):
            refuses = lambda body: "not that name" if body.get("firstName") == "Forbidden" else None  # noqa: E731
            each.sandbox.configure(duplicates_allowed=True, refuse_if=refuses)
        by_sums.seed(*customers(ROWS))
        pair = Pair(by_sums, other, replace(ALWAYS, divisor=divisor, stored=30), sync)
        ways = []
        for _ in range(14):
            ways.append(pair.step(rng))
            for edit in rng.choices(EDITS, k=rng.randint(0, 3)):
                edit(by_sums, rng)
        assert "sums" in ways
