"""A sync with a watermark: most runs read recent rows only, and a full comparison finds the other differences."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from support.placements import Placement, at
from support.scenario import Scenario, customers, open_scenario, sync_of

from dagster_dailystory.engine.upkeep.audit import audit_contacts
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.watermark import Watermark

START = datetime(2026, 11, 1, 12)
RECENT = sync_of(watermark=Watermark("updated_at", overlap_seconds=600), deletes="delete", min_guard_rows=1_000)
FULL = replace(RECENT, watermark=Watermark("updated_at", full_every_seconds=1e-6))
ROWS = 20


def put(scenario: Scenario, number: int, minutes: float, **columns: object) -> None:
    """Insert a row that changed `minutes` after the start."""
    [row] = [person for person in customers(number) if person["customer_id"] == number]
    scenario.insert({**row, "updated_at": START + timedelta(minutes=minutes), **columns})


def change(scenario: Scenario, number: int, minutes: float, **columns: object) -> None:
    scenario.update(number, updated_at=START + timedelta(minutes=minutes), **columns)


PLACEMENTS = (Placement("duckdb"), Placement("postgresql"), Placement("postgresql", "sqlite"))
AT_FOUR = at(
    Placement("duckdb"), Placement("postgresql"), Placement("postgresql", "sqlite"), Placement("duckdb", "postgresql")
)  # fmt: skip


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    """Twenty synced rows: the first one changed at the start, the last one 19 hours later."""
    scenario.execute(
        "CREATE TABLE customers (customer_id integer, email varchar(200), first_name varchar(200),"
        " city varchar(100), plan varchar(100), updated_at timestamp)"
    )
    for number in range(1, ROWS + 1):
        put(scenario, number, 60 * (number - 1))
    assert scenario.run(RECENT).rows_created == ROWS
    scenario.sent()
    return scenario


@AT_FOUR
def test_a_run_reads_recent_rows_and_sends_what_differs(scenario):
    change(scenario, 3, 2_000, city="Rome")
    change(scenario, 4, 2_000)
    put(scenario, 21, 2_000)
    report = scenario.run(RECENT)
    assert report.rows_read == 4, "the last row of the run before is within the overlap"
    assert (report.rows_created, report.rows_updated, report.rows_unchanged) == (1, 1, 2)
    quiet = scenario.run(RECENT)
    assert (quiet.rows_read, quiet.api_requests) == (3, 0)


def test_a_row_committed_late_is_read_within_the_overlap(scenario):
    put(scenario, 21, 2_000)
    scenario.run(RECENT)
    change(scenario, 3, 2_000 - 9, city="Rome")
    change(scenario, 4, 2_000 - 11, city="Oslo")
    assert scenario.run(RECENT).rows_updated == 1
    assert scenario.run(FULL).rows_updated == 1, "a later commit is found by the next full comparison"


def test_other_differences_are_found_by_the_next_full_comparison(scenario):
    scenario.delete(1)
    scenario.update(2, city="Rome")
    assert scenario.run(RECENT).api_requests == 0
    full = scenario.run(FULL)
    assert (full.rows_read, full.rows_updated, full.rows_deleted) == (ROWS - 1, 1, 1)


def test_the_checkpoint_stays_if_a_run_did_not_send_all(scenario):
    change(scenario, 3, 2_000, city="Rome")
    change(scenario, 4, 2_000, city="Oslo")
    assert scenario.run(RECENT, limit=1).rows_updated == 1
    put(scenario, 21, 3_000)
    assert scenario.run(RECENT).rows_updated == 1
    change(scenario, 5, 4_000, city="Bonn")
    scenario.run(RECENT, dry_run=True)
    assert scenario.run(RECENT).rows_updated == 1


def test_another_mapping_reads_all_rows(scenario):
    other = replace(RECENT, extended_properties={"tier": "plan"})
    assert scenario.run(other).rows_updated == ROWS
    assert scenario.run(other).rows_read == 1


def test_chosen_keys_are_read_whatever_their_watermark(scenario):
    scenario.update(3, city="Rome")
    assert scenario.run(RECENT, keys=["3"]).rows_updated == 1
    assert scenario.run(RECENT, scope="all").rows_updated == ROWS


def test_a_repair_by_the_audit_is_sent_by_the_next_run(scenario):
    scenario.edit("p3@example.com", city="Oslo")
    report = audit_contacts(RECENT, scenario.warehouse, scenario.account, sample=ROWS, repair=True)
    assert report.contacts_drifted == 1
    assert scenario.run(RECENT).rows_updated == 1


def test_a_duplicate_key_is_rejected_though_its_other_row_is_older(scenario):
    scenario.insert({**customers(3)[2], "updated_at": START})
    assert scenario.run(FULL).rows_rejected == 2
    change_one = "UPDATE customers SET city = 'Rome', updated_at = :at WHERE customer_id = 3 AND updated_at > :start"
    scenario.execute(change_one, at=START + timedelta(minutes=2_000), start=START)
    scenario.run(RECENT)
    assert scenario.sent() == []
    assert [row["reason"] for row in scenario.rows("rejections")] == ["duplicate_key"]


def test_a_rejection_of_an_older_row_stays(scenario):
    scenario.update(3, email="not an address")
    assert scenario.run(FULL).rows_rejected == 1
    change(scenario, 5, 3_000, city="Rome")
    assert scenario.run(RECENT).rows_updated == 1
    assert [row["reason"] for row in scenario.rows("rejections")] == ["invalid_email"]


def test_without_the_row_of_the_checkpoint_all_rows_are_compared(scenario):
    no_overlap = replace(RECENT, watermark=Watermark("updated_at", overlap_seconds=0))
    scenario.run(no_overlap)
    scenario.delete(ROWS)
    report = scenario.run(no_overlap)
    assert (report.rows_read, report.rows_deleted) == (ROWS - 1, 1)
    put(scenario, 21, 3_000)
    assert scenario.run(no_overlap).rows_read == 2


@AT_FOUR
def test_a_query_has_a_watermark_too(scenario):
    query = replace(RECENT, source="select * from customers where city <> 'nowhere'")
    assert scenario.run(query).rows_read == ROWS, "another source is read whole"
    change(scenario, 3, 2_000, city="Rome")
    report = scenario.run(query)
    assert (report.rows_read, report.rows_updated) == (2, 1)


@pytest.mark.parametrize(
    ("engine_placement", "stamp"),
    [
        (Placement("postgresql"), "infinity"),
        (Placement("postgresql"), "2099-01-01"),
        (Placement("postgresql", "sqlite"), "12024-01-02"),
        (Placement("duckdb"), "infinity"),
    ],
    ids=str,
)
def test_a_row_stamped_in_the_future_hides_no_later_change(scenario, stamp, caplog):
    scenario.insert({**customers(21)[20], "updated_at": START})
    stamped = f"UPDATE customers SET updated_at = '{stamp}' WHERE customer_id IN (20, 21)"
    scenario.execute(stamped)
    assert scenario.run(RECENT).rows_created == 1
    change(scenario, 3, 60 * ROWS, city="Rome")
    caplog.clear()
    report = scenario.run(RECENT)
    assert (report.rows_updated, report.rows_read) == (1, 4), "the changed row, the last one, and those in the future"
    assert "the watermark of 2 rows is more than a day in the future" in caplog.text
    scenario.execute("UPDATE customers SET city = 'Oslo' WHERE customer_id = 21")
    assert scenario.run(RECENT).rows_updated == 1, "a row in the future is read again in each run"
    scenario.execute(stamped.replace("(20, 21)", "(1, 21)"))
    assert scenario.run(FULL).outcome == "empty"
    scenario.execute(stamped.replace("(20, 21)", f"({', '.join(map(str, range(1, 22)))})"))
    assert scenario.run(RECENT).rows_read == 21, "no row has a usable watermark, so all are compared"


@at(Placement("postgresql"), Placement("postgresql", "sqlite"), Placement("duckdb"))
def test_a_row_without_a_stamp_is_read_by_each_run(scenario, caplog):
    """A column that is NULL until the first update of a row."""
    put(scenario, 21, 0, updated_at=None)
    scenario.update(2, city="Rome", updated_at=None)
    caplog.clear()
    report = scenario.run(RECENT)
    assert (report.rows_created, report.rows_updated, report.rows_read) == (1, 1, 3), "these two and the last one"
    assert "the watermark of 2 rows is NULL, so every run reads them" in caplog.text
    scenario.execute("UPDATE customers SET city = 'Oslo' WHERE customer_id = 21")
    assert scenario.run(RECENT).rows_updated == 1
    scenario.execute("UPDATE customers SET updated_at = '2099-01-01' WHERE customer_id = 21")
    scenario.run(RECENT)
    expected = "the watermark of 1 row is more than a day in the future, and the watermark of 1 row is NULL"
    assert expected in caplog.text
    scenario.execute("UPDATE customers SET updated_at = NULL")
    assert scenario.run(RECENT).rows_read == 21, "no row has a usable watermark, so all are compared"


@at(Placement("postgresql", "sqlite"), Placement("duckdb"))
def test_a_row_stamped_before_every_calendar_stops_no_run(scenario):
    scenario.execute("UPDATE customers SET updated_at = '-infinity'")
    assert scenario.run(RECENT).rows_read == ROWS
    assert scenario.run(RECENT).rows_read == ROWS
    huge = replace(RECENT, watermark=Watermark("updated_at", overlap_seconds=1e300))
    assert scenario.run(huge).rows_read == ROWS


def test_a_checkpoint_beyond_the_clock_is_not_used(scenario):
    """As versions stored it that took any maximum for the checkpoint."""
    [stored] = [row for row in scenario.rows("meta") if row["name"] == "watermark:customers"]
    ahead = stored["value"].replace("2026-11-02T07:00:00", "2099-01-01T00:00:00")
    assert ahead != stored["value"]
    scenario.execute_state("UPDATE dailystory_meta SET value = :v WHERE name = 'watermark:customers'", v=ahead)
    change(scenario, 3, 60 * ROWS, city="Rome")
    assert scenario.run(RECENT).rows_updated == 1
    assert scenario.run(RECENT).rows_read == 1


@pytest.mark.parametrize(
    ("engine_placement", "source"),
    [
        (Placement("postgresql"), "select * from customers"),
        (Placement("postgresql", "sqlite"), "customers"),
        (Placement("duckdb"), "customers"),
    ],
    ids=str,
)
def test_a_reload_with_older_stamps_is_compared_in_full(scenario, source):
    sync = replace(RECENT, source=source)
    scenario.run(sync)
    scenario.delete(1)
    scenario.execute("UPDATE customers SET city = 'Rome', updated_at = :at", at=START - timedelta(days=30))
    report = scenario.run(sync)
    assert (report.rows_updated, report.rows_deleted) == (ROWS - 1, 1)
    assert scenario.run(sync).rows_read == ROWS - 1
    change(scenario, 3, 0, city="Oslo")
    assert scenario.run(sync).rows_updated == 1
    assert scenario.run(sync).rows_read == 1, "the checkpoint follows the reload"


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M", "%Y-%m-%d"])
@pytest.mark.parametrize("state", [None, "postgresql"])
def test_a_text_of_sqlite_is_a_watermark(new_database, form, state, caplog):
    sync = replace(RECENT, watermark=Watermark("updated_at", overlap_seconds=0))
    with open_scenario(new_database, "sqlite", state) as scenario:
        scenario.create(**scenario.source.columns, updated_at="timestamp")
        for row in customers(4):
            at = START + timedelta(days=row["customer_id"])
            scenario.insert({**row, "updated_at": at.strftime(form)})
        scenario.run(sync)
        scenario.update(2, city="Rome", updated_at=(START + timedelta(days=9)).strftime(form))
        assert (report := scenario.run(sync)).rows_updated == 1
        assert report.rows_read == 2
        assert scenario.run(sync).rows_read == 1
        scenario.update(3, updated_at=datetime(2099, 1, 1).strftime(form))
        scenario.run(sync)
        assert "the watermark of 1 row is more than a day in the future" in caplog.text
        scenario.update(1, city="Oslo", updated_at=(START + timedelta(days=10)).strftime(form))
        assert scenario.run(sync).rows_updated == 1


def test_a_column_that_is_not_a_time_is_refused_with_advice(new_database):
    with open_scenario(new_database, "sqlite") as scenario:
        scenario.seed(*customers(2))
        with pytest.raises(ConfigurationError, match=r"watermark column 'city' .* holds texts.*write it as YYYY-MM-DD"):
            scenario.run(sync_of(watermark=Watermark("city")))
        with pytest.raises(ConfigurationError, match="has no column 'citty'; did you mean 'city'"):
            scenario.run(sync_of(watermark=Watermark("citty")))


def test_a_watermark_of_days_goes_back_whole_days():
    assert Watermark("day", overlap_seconds=1).back_from(date(2026, 11, 2)) == date(2026, 11, 1)
    assert Watermark("day", overlap_seconds=0).back_from(date(2026, 11, 2)) == date(2026, 11, 2)
    assert Watermark("day", overlap_seconds=1e12).back_from(date(2026, 11, 2)) is None, "all rows"


@pytest.mark.parametrize("settings", [("",), ("at", -1), ("at", 0, 0), ("at", float("nan"))])
def test_invalid_settings_are_refused(settings):
    with pytest.raises(ConfigurationError):
        Watermark(*settings)


def test_slices_have_no_watermark():
    with pytest.raises(ConfigurationError, match="watermark and partitions exclude each other"):
        sync_of(watermark=Watermark("updated_at"), partitions=HashBuckets(2))
