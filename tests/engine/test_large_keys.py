"""Integer keys beyond 64 bits, which a source may have after years of smaller ones."""

from __future__ import annotations

from dataclasses import replace

from support.placements import Placement, at
from support.scenario import Scenario, customer, customers, sync_of

from dagster_dailystory.databases.source import BATCH_ROWS

LARGE, NEGATIVE = 2**63, -(2**63) - 1
SYNC = sync_of(deletes="delete", max_deleted_fraction=None)


def keys_in(scenario: Scenario, table: str) -> set[str]:
    return {str(row["customer_id"]) for row in scenario.rows(table)}


@at(Placement("duckdb", "sqlite"), Placement("duckdb", "postgresql"), Placement("duckdb", "duckdb"))
def test_a_key_beyond_64_bits_is_kept_exactly_beside_smaller_ones(scenario: Scenario):
    scenario.create(**{**scenario.source.columns, "customer_id": "hugeint"})
    scenario.insert(*customers(3), customer(-5), customer(6, email="not an address"))
    assert scenario.run(SYNC).rows_created == 4
    assert scenario.run(SYNC).outcome == "empty"
    contacts = scenario.contact_map()
    scenario.insert(*(customer(number) for number in (LARGE, LARGE + 1, NEGATIVE)))
    scenario.update(2, city="Rome")
    scenario.delete(-5)
    report = scenario.run(SYNC)
    assert (report.rows_created, report.rows_updated, report.rows_deleted, report.rows_rejected) == (3, 1, 1, 1)
    assert contacts.items() <= scenario.contact_map().items()
    expected = {"1", "2", "3", "6", str(LARGE), str(LARGE + 1), str(NEGATIVE)}
    joined = {row["id"] for row in scenario.select("SELECT CAST(customer_id AS varchar) AS id FROM customers")}
    assert joined == keys_in(scenario, "contact_map") - {"-5"} | keys_in(scenario, "rejections") == expected
    assert scenario.run(SYNC).api_requests == 0
    scenario.update(LARGE, city="Oslo")
    scenario.delete(3, LARGE + 1)
    report = scenario.run(SYNC)
    assert (report.rows_updated, report.rows_deleted) == (1, 2)
    scenario.update(NEGATIVE, city="Bonn")
    scenario.update(6, email="p6@example.com")
    assert scenario.run(SYNC, keys=[str(NEGATIVE)]).rows_updated == 1
    assert scenario.run(SYNC).rows_created == 1
    assert scenario.rows("rejections") == []


@at(Placement("duckdb", "sqlite"), Placement("duckdb", "postgresql"))
def test_one_part_of_a_key_grows_beyond_64_bits(scenario: Scenario):
    sync = replace(SYNC, key=("level", "customer_id"))
    scenario.create(**{**scenario.source.columns, "customer_id": "hugeint"})
    scenario.insert(*customers(2, level=1))
    scenario.run(sync)
    scenario.insert(customer(LARGE, level=1))
    assert (report := scenario.run(sync)).rows_created == 1
    assert report.rows_unchanged == 2
    assert scenario.run(sync).api_requests == 0


@at(Placement("duckdb", "sqlite"))
def test_a_key_beyond_64_bits_may_follow_in_a_later_batch_of_the_first_plan(scenario: Scenario):
    scenario.create(**{**scenario.source.columns, "customer_id": "hugeint"})
    scenario.execute(
        f"INSERT INTO customers (customer_id, email) SELECT i, concat('p', i, '@example.com')"
        f" FROM range({BATCH_ROWS}) t(i)"
    )
    scenario.insert(customer(LARGE))
    report = scenario.run(dry_run=True)
    assert (report.rows_to_create, report.rows_rejected) == (BATCH_ROWS + 1, 0)
    assert {str(LARGE), "0"} <= keys_in(scenario, "changes")


@at(Placement("postgresql"), Placement("postgresql", "sqlite"))
def test_a_key_column_may_become_numeric(scenario: Scenario):
    scenario.create(**{**scenario.source.columns, "customer_id": "bigint"})
    scenario.insert(*customers(2))
    assert scenario.run(SYNC).rows_created == 2
    scenario.execute("ALTER TABLE customers ALTER COLUMN customer_id TYPE numeric(20)")
    assert scenario.run(SYNC).api_requests == 0
    scenario.insert(customer(LARGE))
    assert scenario.run(SYNC).rows_created == 1
    scenario.update(2, city="Rome")
    assert (report := scenario.run(SYNC)).rows_updated == 1
    assert report.rows_unchanged == 2
    assert str(LARGE) in keys_in(scenario, "contact_map")
