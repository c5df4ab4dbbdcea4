"""Row hashes: an unchanged row is not read, and no difference is missed because of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from support.placements import Placement
from support.scenario import Scenario, customer, customers, open_scenario, sync_of

from dagster_dailystory.engine.upkeep.audit import audit_contacts

ROWS = 20
SYNC = sync_of(deletes="delete", min_guard_rows=1_000)


@pytest.fixture(
    params=[
        Placement("duckdb", "sqlite"),
        Placement("postgresql", "sqlite"),
        pytest.param(Placement("postgresql", "duckdb"), marks=pytest.mark.slow),
        pytest.param(Placement("duckdb", "postgresql"), marks=pytest.mark.slow),
    ],
    ids=str,
)
def scenario(request: pytest.FixtureRequest, new_database) -> Iterator[Scenario]:
    """Twenty synced rows whose hashes are remembered."""
    with open_scenario(new_database, request.param.warehouse, request.param.state) as scenario:
        scenario.create()
        scenario.insert(*customers(ROWS))
        assert scenario.run(SYNC).rows_created == ROWS
        assert scenario.run(SYNC).rows_unchanged == ROWS
        scenario.sent()
        yield scenario


def remembered(scenario: Scenario) -> set[int]:
    return {row["customer_id"] for row in scenario.rows("row_hashes")}


def change_snapshot(scenario: Scenario, *keys: int) -> None:
    """Change the snapshot, which only a run that reads these rows can see."""
    some = ", ".join(map(str, keys))
    scenario.execute_state(
        f"UPDATE dailystory_customers_snapshot SET field_city = 'Elsewhere' WHERE customer_id IN ({some})"
    )


def test_a_row_with_its_remembered_hash_is_not_read(scenario):
    change_snapshot(scenario, 3, 4)
    scenario.update(4, plan="gold")
    report = scenario.run(SYNC)
    assert (report.rows_read, report.rows_unchanged) == (ROWS, ROWS - 1)
    assert [email for email, *_ in scenario.sent()] == ["p4@example.com"]


def test_only_rows_that_equal_the_snapshot_are_remembered(scenario):
    scenario.insert(customer(21), customer(22, email="not an address"))
    scenario.update(3, city="Rome")
    scenario.run(SYNC)
    assert remembered(scenario) == {*range(1, ROWS + 1)} - {3}
    scenario.run(SYNC)
    assert remembered(scenario) == {*range(1, ROWS + 2)}


def test_a_row_back_to_an_earlier_value_is_sent_again(scenario):
    for city in ("Rome", "Paris", "Rome", "Paris"):
        scenario.update(3, city=city)
        assert scenario.run(SYNC).rows_updated == 1
        assert scenario.contact("p3@example.com")["city"] == city


def test_a_plan_that_is_not_sent_forgets_hashes_too(scenario):
    scenario.update(3, city="Rome")
    scenario.run(SYNC, dry_run=True)
    assert 3 in remembered(scenario), "a dry run leaves the state as it is"
    scenario.run(SYNC, limit=1)
    assert 3 not in remembered(scenario)
    scenario.update(3, city="Paris")
    assert scenario.run(SYNC).rows_updated == 1


@pytest.mark.parametrize("options", [{"keys": ["3"]}, {"scope": "all"}])
def test_a_run_that_reads_all_rows_forgets_what_it_sends(scenario, options):
    scenario.update(3, city="Rome")
    assert scenario.run(SYNC, **options).rows_updated >= 1
    scenario.update(3, city="Paris")
    assert scenario.run(SYNC).rows_updated == 1


def test_a_returning_key_is_found_though_its_row_is_unchanged(scenario):
    scenario.delete(3)
    assert scenario.run(SYNC).rows_deleted == 1
    assert scenario.run(SYNC).outcome == "empty"
    scenario.insert(customer(3))
    assert scenario.run(SYNC).rows_updated == 1
    assert "p3@example.com" in scenario.emails()


def test_a_duplicate_key_is_found_though_its_rows_are_unchanged(scenario):
    scenario.insert(customer(3))
    assert scenario.run(SYNC).rows_rejected == 2
    assert scenario.rejections() == {"3": "duplicate_key"}
    assert 3 not in remembered(scenario)
    scenario.execute("DELETE FROM customers WHERE customer_id = 3")
    scenario.insert(customer(3, city="Rome"))
    assert scenario.run(SYNC).rows_updated == 1
    assert scenario.rejections() == {}


def test_a_missing_key_is_found_beside_a_duplicate_key(scenario):
    scenario.insert(customer(3))
    scenario.delete(7)
    report = scenario.run(SYNC)
    assert (report.rows_rejected, report.rows_deleted) == (2, 1)
    assert "p7@example.com" not in scenario.emails()


def test_a_missing_key_is_found_beside_a_new_key(scenario):
    scenario.insert(customer(21))
    scenario.delete(7)
    report = scenario.run(SYNC)
    assert (report.rows_created, report.rows_deleted) == (1, 1)
    scenario.insert(customer(7), customer(22))
    scenario.delete(8, 9)
    report = scenario.run(SYNC)
    assert (report.rows_created, report.rows_updated, report.rows_deleted) == (1, 1, 2)


def test_a_row_without_a_key_is_counted(scenario):
    scenario.insert(customer(21, customer_id=None))
    report = scenario.run(SYNC)
    assert (report.rows_read, report.rows_rejected) == (ROWS + 1, 1)


def test_another_mapping_query_or_mode_reads_all_rows(scenario):
    for other in (
        replace(SYNC, extended_properties={"tier": "plan"}),
        replace(SYNC, source="select * from customers"),
        replace(SYNC, nulls="clear"),
    ):
        change_snapshot(scenario, 3)
        scenario.run(other)
        assert scenario.contact("p3@example.com")["city"] == "Paris"
        assert "p3@example.com" in [email for email, *_ in scenario.sent()]
        scenario.run(other)


def test_the_next_run_sends_what_the_audit_repairs(scenario):
    scenario.edit("p3@example.com", city="Oslo")
    audit_contacts(SYNC, scenario.warehouse, scenario.account, sample=ROWS, repair=True)
    assert scenario.run(SYNC).rows_updated == 1
    assert scenario.contact("p3@example.com")["city"] == "Paris"


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"area": "integer", "number": "numeric(30, 0)"}, ("area", "number")),
        ({"area": "integer", "number": "uuid"}, ("area", "number")),
        ({"area": "varchar(20)", "number": "bigint"}, ("area", "number")),
        ({"area": "integer", "number": "date"}, ("number",)),
    ],
    ids=str,
)
@pytest.mark.parametrize("warehouse", ["postgresql", "duckdb"])
def test_rows_are_looked_up_by_keys_of_any_type(new_database, warehouse, columns, key):
    values = {
        "numeric(30, 0)": [f"{10**17 + i}" for i in range(4)],
        "uuid": [f"7f3c1d52-2d5c-4a6e-9d30-1f2e3d4c5b6{i}" for i in range(4)],
        "bigint": [str(-(2**62) + i) for i in range(4)],
        "date": [f"2026-01-0{i + 1}" for i in range(4)],
        "integer": ["1"] * 4,
        "varchar(20)": ["Zoë's"] * 4,
    }
    sync = sync_of(key=key, fields={"email": "email", "city": "city"}, extended_properties={})
    with open_scenario(new_database, warehouse, "sqlite") as scenario:
        scenario.create(**columns, email="varchar(200)", city="varchar(100)")
        rows = zip(*(values[kind] for kind in columns.values()), strict=True)
        for place, row in enumerate(rows):
            written = ", ".join("'" + value.replace("'", "''") + "'" for value in row)
            scenario.execute(f"INSERT INTO customers VALUES ({written}, 'p{place}@example.com', 'Paris')")
        assert scenario.run(sync).rows_created == 4
        assert scenario.run(sync).rows_unchanged == 4
        scenario.sent()
        scenario.execute("UPDATE customers SET city = 'Rome' WHERE email IN ('p1@example.com', 'p2@example.com')")
        scenario.execute_state("UPDATE dailystory_customers_snapshot SET field_city = 'Elsewhere'")
        assert scenario.run(sync).rows_updated == 2
        assert [email for email, *_ in scenario.sent()] == ["p1@example.com", "p2@example.com"]


NO_HASH_OF_ROW_3 = """
CREATE OR REPLACE FUNCTION farmfingerprint64(text) RETURNS bigint IMMUTABLE STRICT LANGUAGE sql AS $$
    SELECT CASE WHEN $1 LIKE ANY (ARRAY['3,%', farmfingerprint64(convert_to('3', 'utf8')) || ',%']) THEN NULL
                ELSE hashtextextended($1 COLLATE "C", 0) END
$$
"""
"""Redshift's hash as the tests define it, NULL for the row whose key, a number or a text, is 3."""


@pytest.mark.parametrize("kind", ["integer", "text"])
@pytest.mark.parametrize("state", ["sqlite", "postgresql"])
def test_a_row_whose_hash_is_null_counts_as_changed_and_is_read(new_database, kind, state):
    with open_scenario(new_database, "redshift", state) as scenario:
        scenario.execute_own(NO_HASH_OF_ROW_3)
        scenario.create(customer_id=kind, email="text", first_name="text", city="text", plan="text")
        scenario.insert(*(customer(number, customer_id=str(number)) for number in range(1, ROWS + 1)))
        assert scenario.run(SYNC).rows_created == ROWS
        assert scenario.run(SYNC).rows_unchanged == ROWS
        hashes = {str(row["customer_id"]): row["row_hash"] for row in scenario.rows("row_hashes")}
        assert {key for key, value in hashes.items() if value is None} == {"3"}
        assert len(hashes) == ROWS
        scenario.execute("UPDATE customers SET city = 'Rome' WHERE email = 'p3@example.com'")
        assert scenario.run(SYNC).rows_updated == 1
        assert scenario.contact("p3@example.com")["city"] == "Rome"


@pytest.mark.slow
def test_all_rows_are_read_if_many_moved(new_database):
    with open_scenario(new_database, "postgresql", "sqlite") as scenario:
        scenario.create()
        scenario.insert(*customers(1_100))
        scenario.run(SYNC)
        scenario.run(SYNC)
        scenario.sent()
        change_snapshot(scenario, 3)
        scenario.execute("UPDATE customers SET city = 'Rome' WHERE customer_id > 50")
        assert scenario.run(SYNC).rows_updated == 1_051
