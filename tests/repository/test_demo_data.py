"""The demo's warehouse: realistic, harmless, the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import phonenumbers
import pytest
import sqlalchemy as sa
from email_validator import validate_email

from dagster_dailystory.demo.data import (
    CUSTOMERS,
    Evolution,
    customers,
    evolve,
    opt_out_with_a_broken_number,
    repair_number,
    seed,
    without_every_third,
)

SOURCE = (Path(__file__).parents[2] / "sql" / "customers.sql").read_text()
Rows = Mapping[int, Mapping[str, object]]


def read(url: str, query: str | None = None) -> Rows:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        statement = sa.select(customers) if query is None else sa.text(query)
        rows = {row["customer_id"]: dict(row) for row in connection.execute(statement).mappings()}
    engine.dispose()
    return rows


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Mapping[str, object]]:
    url = f"duckdb:///{tmp_path_factory.mktemp('demo')}/warehouse.duckdb"
    seed(url)
    return list(read(url).values())


def test_every_email_is_valid_unique_and_reserved_for_documentation(rows):
    emails = [row["email"] for row in rows if row["email"]]
    assert len(set(emails)) == len(emails) > 0.9 * CUSTOMERS
    for email in emails:
        assert validate_email(email, check_deliverability=False).normalized == email
        assert email.endswith((".example.com", ".example.net", ".example.org"))


def test_every_mobile_number_is_valid_unique_and_reserved_for_fiction(rows):
    mobiles = [row["mobile_phone"] for row in rows if row["mobile_phone"]]
    assert len(set(mobiles)) == len(mobiles) > 0.8 * CUSTOMERS
    for mobile in mobiles:
        parsed = phonenumbers.parse(mobile)
        assert phonenumbers.is_valid_number(parsed)
        assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == mobile
        assert mobile[5:10] == "55501"


def test_every_row_has_an_address_and_some_have_only_one(rows):
    assert all(row["email"] or row["mobile_phone"] for row in rows)
    assert any(row["email"] is None for row in rows)
    assert any(row["mobile_phone"] is None for row in rows)


def test_some_but_few_have_opted_out(rows):
    assert 0.02 < sum(bool(row["marketing_opt_out"]) for row in rows) / CUSTOMERS < 0.12


def test_seeding_again_starts_over(warehouse_url):
    seed(warehouse_url)
    first = read(warehouse_url)
    evolve(warehouse_url)
    seed(warehouse_url)
    assert read(warehouse_url) == first
    assert len(first) == CUSTOMERS


def test_evolving_changes_exactly_what_it_reports(warehouse_url):
    seed(warehouse_url)
    for _ in range(2):
        before = read(warehouse_url)
        evolution = evolve(warehouse_url)
        assert difference(before, read(warehouse_url)) == evolution


def difference(before: Rows, after: Rows) -> Evolution:
    stayed = before.keys() & after.keys()
    seen = {key for key in stayed if before[key] != after[key]}
    updated = {key for key in seen if mapped(before[key]) != mapped(after[key])}
    return Evolution(
        updated=len(updated),
        deleted=len(before.keys() - after.keys()),
        added=len(after.keys() - before.keys()),
        touched=len(seen - updated),
    )


def mapped(row: Mapping[str, object]) -> dict[str, object]:
    return {column: value for column, value in row.items() if column != "last_seen_at"}


def test_an_opt_out_is_never_taken_back(new_database):
    url = new_database("sqlite")
    seed(url)
    before = read(url)
    evolve(url)
    after = read(url)
    opted_out = {key for key in before.keys() & after.keys() if before[key]["marketing_opt_out"]}
    assert all(after[key]["marketing_opt_out"] for key in opted_out)
    assert sum(bool(row["marketing_opt_out"]) for row in after.values()) > len(opted_out)


def test_an_opt_out_with_a_broken_number_changes_one_row(warehouse_url):
    seed(warehouse_url)
    before = read(warehouse_url)
    key = opt_out_with_a_broken_number(warehouse_url)
    after = read(warehouse_url)
    assert [each for each in before if before[each] != after[each]] == [key]
    changed = {name for name, value in before[key].items() if value != after[key][name]}
    assert changed == {"marketing_opt_out", "mobile_phone"}
    assert not phonenumbers.is_valid_number(phonenumbers.parse(after[key]["mobile_phone"]))


def test_a_repaired_number_is_valid_and_of_no_other_customer(warehouse_url):
    seed(warehouse_url)
    evolve(warehouse_url)
    before = read(warehouse_url)
    repair_number(warehouse_url, 1)
    repaired = read(warehouse_url)[1]["mobile_phone"]
    assert phonenumbers.is_valid_number(phonenumbers.parse(repaired))
    assert repaired not in [row["mobile_phone"] for row in before.values()]


def test_every_third_row_comes_back(warehouse_url):
    seed(warehouse_url)
    before = read(warehouse_url)
    with without_every_third(warehouse_url):
        assert len(read(warehouse_url)) == CUSTOMERS - CUSTOMERS // 3
    assert read(warehouse_url) == before


def test_every_engine_sees_the_same_days(warehouse_url: str, new_database: Callable[[str], str]):
    other_url = new_database("sqlite")
    for url in (warehouse_url, other_url):
        seed(url)
        evolve(url)
        evolve(url)
    assert read(warehouse_url) == read(other_url)


def test_the_query_reads_all_columns_but_the_one_that_always_changes(warehouse_url):
    seed(warehouse_url)
    rows = read(warehouse_url, SOURCE)
    assert len(rows) == CUSTOMERS
    assert {*rows[1], "last_seen_at"} == set(customers.columns.keys())


def test_the_first_customer_is_the_same_on_every_python(rows):
    first = rows[0]
    assert (first["first_name"], first["last_name"], first["city"]) == ("Elena", "Clark", "Nashville")
    assert first["mobile_phone"] == "+16155550119"
    assert str(first["lifetime_value"]) == "62.19"
