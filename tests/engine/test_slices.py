"""A plan for one slice reads the rows of that slice only, and is right about the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.placements import Placement, at
from support.scenario import Scenario, customer, customers, open_scenario, sync_of

from dagster_dailystory.errors import SafetyError
from dagster_dailystory.model.partitions import OTHER_VALUES, ColumnValues, HashBuckets, Partitioning
from dagster_dailystory.model.sync import ContactSync

PLACEMENTS = (Placement("duckdb", "postgresql"), Placement("postgresql", "sqlite"))
CITIES = ColumnValues("city", ["Paris", "Rome"])
BUCKETS = HashBuckets(4)
BOTH = pytest.mark.parametrize("partitions", [CITIES, BUCKETS], ids=["values", "buckets"])
COUNT = 40


def sync_with(partitions: Partitioning | None, **settings: object) -> ContactSync:
    usual = {"partitions": partitions, "deletes": "delete", "max_deleted_fraction": None, "max_created_fraction": None}
    return sync_of(**{**usual, **settings})


def run_all(scenario: Scenario, sync: ContactSync, **options: object) -> dict[str, object]:
    """Run each slice; returns the reports by slice."""
    assert sync.partitions is not None
    return {name: scenario.run(sync, partition=name, **options) for name in sync.partitions.names}


def total(reports: dict[str, object], *names: str) -> list[int]:
    return [sum(getattr(report, name) for report in reports.values()) for name in names]


@pytest.fixture
def scenario(engine_placement: Placement, new_database: Callable[[str], str]) -> Iterator[Scenario]:
    with open_scenario(new_database, engine_placement.warehouse, engine_placement.state) as opened:
        opened.seed(*customers(COUNT))
        opened.execute("UPDATE customers SET city = 'Rome' WHERE customer_id <= 10")
        opened.execute("UPDATE customers SET city = 'Oslo' WHERE customer_id > 30")
        yield opened


@BOTH
def test_each_slice_reads_its_rows_and_no_other(scenario: Scenario, partitions: Partitioning) -> None:
    sync = sync_with(partitions)
    first = run_all(scenario, sync)
    assert total(first, "rows_created", "rows_transferred") == [COUNT, COUNT]
    run_all(scenario, sync)
    third = run_all(scenario, sync)
    assert total(third, "rows_transferred", "keys_transferred", "rows_unchanged") == [0, COUNT, COUNT]
    assert {report.outcome for report in third.values()} == {"empty"}


@BOTH
def test_slices_and_whole_runs_follow_each_other(scenario: Scenario, partitions: Partitioning) -> None:
    sync = sync_with(partitions)
    assert scenario.run(sync).rows_created == COUNT
    assert total(run_all(scenario, sync), "rows_unchanged", "rows_updated") == [COUNT, 0]
    scenario.update(3, first_name="Other")
    scenario.delete(4, 35)
    assert total(run_all(scenario, sync), "rows_updated", "rows_deleted") == [1, 2]
    scenario.update(5, first_name="Other")
    scenario.delete(6)
    report = scenario.run(sync)
    assert (report.rows_updated, report.rows_deleted) == (1, 1)
    scenario.run(sync)
    assert scenario.run(sync).rows_transferred == 0


@BOTH
def test_a_sync_gets_partitions_without_sending_anything(scenario: Scenario, partitions: Partitioning) -> None:
    scenario.run(sync_with(None))
    scenario.sent()
    sync = sync_with(partitions)
    run_all(scenario, sync)
    run_all(scenario, sync)
    assert total(run_all(scenario, sync), "rows_transferred", "rows_unchanged") == [0, COUNT]
    assert scenario.sent() == []


@pytest.mark.slow
def test_a_slice_of_which_most_rows_changed_is_read_whole(scenario: Scenario) -> None:
    rows = 2_600
    sync = sync_with(HashBuckets(2))
    scenario.insert(*customers(rows)[COUNT:])
    for _ in range(2):
        run_all(scenario, sync)
    scenario.execute("UPDATE customers SET first_name = 'Other'")
    assert total(run_all(scenario, sync), "rows_updated", "rows_transferred") == [rows, rows]


def test_another_number_of_buckets_sends_nothing(scenario: Scenario) -> None:
    run_all(scenario, sync_with(BUCKETS))
    scenario.sent()
    sync = sync_with(HashBuckets(7))
    assert total(run_all(scenario, sync), "rows_unchanged") == [COUNT]
    scenario.delete(3, 20, 35)
    assert total(run_all(scenario, sync), "rows_deleted", "rows_updated") == [3, 0]


def test_a_warehouse_with_another_hash_moves_keys_and_sends_nothing(scenario: Scenario) -> None:
    sync = sync_with(BUCKETS)
    run_all(scenario, sync)
    run_all(scenario, sync)
    scenario.sent()
    scenario.execute_state(
        "UPDATE dailystory_customers_snapshot SET partition_value = '0' || substr(partition_value, 2)",
        "UPDATE dailystory_customers_row_hashes SET row_hash = 1",
    )
    scenario.delete(7, 21)
    assert total(run_all(scenario, sync), "rows_deleted", "rows_updated") == [2, 0]
    run_all(scenario, sync)
    assert total(run_all(scenario, sync), "rows_unchanged", "rows_transferred") == [COUNT - 2, 0]
    assert [operation for _, operation, _ in scenario.sent()] == ["delete", "delete"]


def test_a_key_that_moves_to_another_slice_keeps_its_contact(scenario: Scenario) -> None:
    sync = sync_with(CITIES)
    run_all(scenario, sync)
    scenario.update(3, city="Paris")
    assert scenario.run(sync, partition="Rome").rows_to_delete == 0
    assert scenario.run(sync, partition="Paris").rows_updated == 1
    scenario.delete(3)
    assert scenario.run(sync, partition="Rome").rows_to_delete == 0
    assert scenario.run(sync, partition="Paris").rows_deleted == 1


@BOTH
@pytest.mark.parametrize("order", [1, -1], ids=["first-to-last", "last-to-first"])
def test_a_contact_under_a_new_key_in_another_slice_is_kept(
    scenario: Scenario, partitions: Partitioning, order: int
) -> None:
    sync = sync_with(partitions)
    run_all(scenario, sync)
    dsids = {number: scenario.contact(f"p{number}@example.com")["dsId"] for number in range(1, 11)}
    scenario.delete(*range(1, 11))
    scenario.insert(*(customer(100 + n, email=f"P{n}@Example.com", city="Paris") for n in range(1, 11)))
    reports = [scenario.run(sync, partition=name) for name in partitions.names[::order]]
    reports += [scenario.run(sync, partition=name) for name in partitions.names[::order]]
    assert sum(report.rows_deleted for report in reports) == 0
    assert {n: scenario.contact(f"P{n}@Example.com")["dsId"] for n in range(1, 11)} == dsids


def test_a_key_in_two_slices_is_a_duplicate_in_both(scenario: Scenario) -> None:
    sync = sync_with(CITIES)
    run_all(scenario, sync)
    scenario.insert(customer(3, city="Paris", first_name="Double"))
    scenario.update(3, first_name="Wrong")
    scenario.insert(customer(50, city="Paris"), customer(50, city="Rome"))
    for _ in range(3):
        run_all(scenario, sync)
    assert scenario.rejections() == {"3": "duplicate_key", "50": "duplicate_key"}
    scenario.execute("DELETE FROM customers WHERE customer_id = 50")
    scenario.execute("UPDATE customers SET first_name = 'Double' WHERE city = 'Paris' AND customer_id = 3")
    run_all(scenario, sync)
    assert scenario.rejections() == {"3": "duplicate_key"}
    assert scenario.contact("p3@example.com")["firstName"] == "Name 3"
    scenario.execute("DELETE FROM customers WHERE customer_id = 3 AND city = 'Rome'")
    run_all(scenario, sync)
    assert scenario.rejections() == {}
    assert scenario.contact("p3@example.com")["firstName"] == "Double"


def test_a_key_in_two_slices_is_not_sent_by_the_first_load(scenario: Scenario) -> None:
    scenario.insert(customer(3, city="Paris", first_name="Double"))
    sync = sync_with(CITIES)
    for _ in range(2):
        run_all(scenario, sync)
    assert scenario.rejections() == {"3": "duplicate_key"}
    assert "p3@example.com" not in scenario.emails()


@at(Placement("postgresql", "sqlite"))
def test_two_spellings_of_a_number_are_one_key_in_each_bucket(scenario: Scenario) -> None:
    scenario.execute("DROP TABLE customers")
    scenario.create(**{**scenario.source.columns, "customer_id": "numeric"})
    for number in range(1, 9):
        scenario.insert(customer(number), customer(number, first_name="Other"))
        double = f"customer_id = {number} AND first_name = 'Other'"
        scenario.execute(f"UPDATE customers SET customer_id = {number}.0 WHERE {double}")
    sync = sync_with(BUCKETS)
    for _ in range(3):
        run_all(scenario, sync)
    assert set(scenario.rejections().values()) == {"duplicate_key"}
    scenario.sent()
    run_all(scenario, sync)
    assert scenario.sent() == []


@at(Placement("duckdb", "postgresql"), Placement("postgresql", "duckdb"))
@BOTH
def test_a_key_beyond_64_bits_is_synced_by_its_slice(scenario: Scenario, partitions: Partitioning) -> None:
    large = 18446744073709551615
    scenario.execute("DROP TABLE customers")
    scenario.create(**{**scenario.source.columns, "customer_id": "numeric(30, 0)"})
    scenario.insert(*customers(4))
    sync = sync_with(partitions)
    run_all(scenario, sync)
    scenario.insert(customer(large, email="large@example.com"))
    assert total(run_all(scenario, sync), "rows_created", "rows_deleted") == [1, 0]
    assert str(large) in scenario.contact_map()


@at(Placement("postgresql", "sqlite"))
@pytest.mark.parametrize("kind", ["json", "jsonb", "xml"])
def test_a_column_whose_values_do_not_compare_is_read_whole(scenario: Scenario, kind: str) -> None:
    scenario.execute("DROP TABLE customers")
    scenario.create(**scenario.source.columns, region=kind)
    value = "<a>Rome</a>" if kind == "xml" else '"Rome"'
    scenario.execute(
        "INSERT INTO customers (customer_id, email, region)"
        f" SELECT n, 'p' || n || '@example.com', '{value}' FROM generate_series(1, 4) AS t(n)"
    )
    sync = sync_with(ColumnValues("region", ["Rome"]))
    for _ in range(2):
        reports = run_all(scenario, sync)
    assert total(reports, "rows_read", "rows_unchanged") == [4, 4]


def test_the_deletions_of_a_day_count_also_when_all_slices_are_read(scenario: Scenario) -> None:
    """Eight of forty contacts in each of two slices: each is within the limit of twelve, both are not."""
    sync = sync_with(CITIES, max_deleted_fraction=0.3, min_guard_rows=1)
    run_all(scenario, sync)
    other = "UPDATE customers SET customer_id = customer_id + 1000, email = 'x' || email"
    scenario.execute(f"{other} WHERE customer_id <= 8 OR customer_id BETWEEN 11 AND 18")
    assert scenario.run(sync, partition="Paris").rows_deleted == 8
    scenario.execute(
        "INSERT INTO customers (customer_id, email, city)"
        " SELECT a.customer_id * 100000 + b.customer_id * 10 + c.customer_id, 'double@example.com', 'Oslo'"
        " FROM customers AS a, customers AS b, customers AS c, customers AS d"
        " WHERE a.city = 'Paris' AND c.customer_id BETWEEN 1011 AND 1018"
        " AND d.customer_id BETWEEN 31 AND 32"
    )  # more keys with two rows than are looked up
    with pytest.raises(SafetyError, match="16 of 40 contacts would be deleted in the plans of the last 24 hours"):
        scenario.run(sync, partition="Rome")
    assert "all slices were read" in scenario.rows("plans")[-1]["compared_why"]


@BOTH
def test_a_dry_run_leaves_the_slices_as_they_are(scenario: Scenario, partitions: Partitioning) -> None:
    run_all(scenario, sync_with(CITIES))
    before = [row["partition_value"] for row in scenario.rows("snapshot")]
    for name in partitions.names:
        scenario.run(sync_with(partitions), partition=name, dry_run=True)
    assert [row["partition_value"] for row in scenario.rows("snapshot")] == before


@BOTH
def test_an_opt_out_of_another_slice_is_not_taken_back(scenario: Scenario, partitions: Partitioning) -> None:
    sync = sync_with(partitions, fields={"email": "email", "optOutEmail": "opted_out"}, extended_properties={})
    scenario.execute("UPDATE customers SET opted_out = false")
    for number in range(1, 11):
        scenario.update(number, opted_out=True)
    run_all(scenario, sync)
    scenario.insert(*(customer(200 + n, email=f"p{n}@example.com", city="Paris", opted_out=True) for n in range(1, 11)))
    run_all(scenario, sync)
    scenario.sent()
    for number in range(1, 11):
        scenario.update(number, opted_out=False)
    run_all(scenario, sync)
    assert all(scenario.contact(f"p{number}@example.com")["optOutEmail"] for number in range(1, 11))


@BOTH
def test_a_source_that_lost_rows_is_blocked_in_its_first_slice(scenario: Scenario, partitions: Partitioning) -> None:
    sync = sync_with(partitions, max_deleted_fraction=0.3, min_guard_rows=1)
    run_all(scenario, sync)
    scenario.execute("DELETE FROM customers WHERE customer_id > 20")
    with pytest.raises(SafetyError, match="20 of 40 contacts would be deleted"):
        run_all(scenario, sync)
    assert len(scenario.emails()) == COUNT


@BOTH
def test_the_deletions_of_all_slices_of_a_day_are_added_up(scenario: Scenario, partitions: Partitioning) -> None:
    sync = sync_with(partitions, max_deleted_fraction=0.3, min_guard_rows=1)
    run_all(scenario, sync)
    replaced = "UPDATE customers SET customer_id = customer_id + 1000, email = 'x' || email WHERE customer_id > 20"
    scenario.execute(replaced)
    with pytest.raises(SafetyError, match=r"contacts would be deleted in the plans of the last 24 hours"):
        run_all(scenario, sync)
    left = [email for email in scenario.emails() if not email.startswith("x")]
    assert COUNT * 0.7 <= len(left) < COUNT


@BOTH
def test_a_slice_clears_its_own_rejections_only(scenario: Scenario, partitions: Partitioning) -> None:
    sync = sync_with(partitions)
    scenario.execute("UPDATE customers SET email = 'invalid' WHERE customer_id IN (2, 15, 33)")
    scenario.insert(customer(None, city="Oslo"))
    run_all(scenario, sync)
    found = {"2": "invalid_email", "15": "invalid_email", "33": "invalid_email", "None": "null_key"}
    assert scenario.rejections() == found
    run_all(scenario, sync)
    assert scenario.rejections() == found
    scenario.delete(2, 15)
    scenario.update(33, email="p33@example.com")
    scenario.execute("DELETE FROM customers WHERE customer_id IS NULL")
    run_all(scenario, sync)
    assert scenario.rejections() == {}


def test_rows_without_a_listed_value_are_read_with_those_of_other_values(scenario: Scenario) -> None:
    scenario.execute(
        "UPDATE customers SET city = NULL WHERE customer_id > 35",
        "UPDATE customers SET city = 'rome' WHERE customer_id = 1",
    )
    report = scenario.run(sync_with(CITIES), partition=OTHER_VALUES)
    assert (report.rows_read, report.rows_transferred, report.rows_created) == (11, 11, 11)


def test_a_slice_without_rows_is_no_empty_source(scenario: Scenario) -> None:
    sync = sync_with(ColumnValues("city", ["Rome", "Lima"]))
    assert scenario.run(sync, partition="Lima").outcome == "empty"
    run_all(scenario, sync)
    scenario.execute("DELETE FROM customers")
    with pytest.raises(SafetyError, match="the source has no rows"):
        scenario.run(sync, partition="Rome")
    assert len(scenario.emails()) == COUNT
