"""Time windows and ranges of them lead to the same contacts as one whole run, whatever the type of the column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import pytest
from support.placements import Placement
from support.scenario import Scenario, SourceTable, customer, open_scenario, sync_of
from support.steps import plan_run, send_run

from dagster_dailystory.engine.run import new_run_id
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import TimeWindows, slices_named
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.sync import ContactSync

PLACEMENTS = (Placement("sqlite"), Placement("postgresql"), Placement("duckdb", "sqlite"))
MONTHS = TimeWindows("joined", "monthly", start="2024-01-01", end="2024-08-01", timezone="Europe/Berlin")
TYPES = ("timestamp", "timestamptz", "date")
TIMES = (
    None,  # the first window
    "2019-05-05 12:00:00",  # before the first window, and so in it
    "2024-01-01 00:00:00",
    "2024-01-31 23:59:59",
    "2024-02-01 00:00:00",
    "2024-06-30 22:30:00",  # July in Berlin, if it is a time in UTC
    "2024-12-31 23:59:59",
    "2031-01-01 00:00:00",  # after the last window, and so in it
)


def sync_with(windows: TimeWindows | None = MONTHS, **settings: object) -> ContactSync:
    usual = {"deletes": "delete", "max_deleted_fraction": None, "max_created_fraction": None}
    return sync_of(**{**usual, "partitions": windows, **settings})


def table_with(kind: str) -> SourceTable:
    columns = {"customer_id": "integer", "email": "varchar(200)", "first_name": "varchar(40)"}
    return SourceTable("customers", "customer_id", {**columns, "city": "varchar(40)", "plan": "text", "joined": kind})


@pytest.fixture
def kind() -> str:
    """The type of the column, where a test is not run for each."""
    return "timestamp"


@pytest.fixture
def scenario(kind: str, engine_placement: Placement, new_database: Callable[[str], str]) -> Iterator[Scenario]:
    with open_scenario(new_database, engine_placement.warehouse, engine_placement.state) as opened:
        opened.source = table_with(kind)
        opened.create()
        for number, when in enumerate(TIMES, start=1):
            zone = "+00" if kind == "timestamptz" and opened.dialect != "sqlite" else ""
            value = "NULL" if when is None else f"'{when[:10] if kind == 'date' else when}{zone}'"
            opened.insert(customer(number))
            opened.execute(f"UPDATE customers SET joined = {value} WHERE customer_id = {number}")
        yield opened


def in_zone(scenario: Scenario) -> bool:
    kind = scenario.source.columns["joined"]
    return kind == "timestamptz" and scenario.dialect != "sqlite"  # whose texts have no zone


@pytest.mark.parametrize("kind", TYPES)
def test_each_row_is_in_exactly_one_window(scenario: Scenario) -> None:
    reports = {name: scenario.run(sync_with(), partition=name) for name in MONTHS.names}
    rows = {name[5:7]: report.rows_read for name, report in reports.items() if report.rows_read}
    # In Berlin it is an hour or two later than in UTC.
    assert rows == ({"01": 3, "02": 2, "07": 3} if in_zone(scenario) else {"01": 4, "02": 1, "06": 1, "07": 2})
    assert sum(report.rows_created for report in reports.values()) == len(TIMES)
    assert scenario.run(sync_with(), partition="2024-01-01").outcome == "empty"
    assert scenario.run(sync_with()).outcome == "empty"


@pytest.mark.parametrize("kind", TYPES)
def test_a_range_and_its_windows_send_the_same(scenario: Scenario) -> None:
    sync = sync_with()
    first = scenario.run(sync, partition="2024-01-01...2024-05-01")
    assert (first.rows_read, first.rows_created) == (5, 5)
    assert scenario.run(sync, partition="2024-06-01...2024-07-01").rows_created == 3
    scenario.update(2, first_name="Other")
    scenario.update(7, first_name="Other")
    scenario.delete(3, 8)
    early = scenario.run(sync, partition="2024-01-01...2024-03-01")
    assert (early.rows_updated, early.rows_deleted) == (1, 1)
    late = scenario.run(sync, partition="2024-07-01")
    assert (late.rows_updated, late.rows_deleted) == (1, 1)
    assert scenario.run(sync, partition="2024-01-01...2024-07-01").outcome == "empty"
    assert sum(contact["status"] != "Deleted" for contact in scenario.sandbox.contacts()) == len(TIMES) - 2


def test_a_row_whose_time_moves_is_one_update(scenario: Scenario) -> None:
    sync = sync_with()
    scenario.run(sync)
    scenario.sent()
    scenario.execute("UPDATE customers SET joined = '2024-05-05', first_name = 'Other' WHERE customer_id = 3")
    reports = [scenario.run(sync, partition=name) for name in MONTHS.names]
    assert [sum(getattr(each, name) for each in reports) for name in ("rows_updated", "rows_deleted")] == [1, 0]
    assert len(scenario.sent()) == 1
    scenario.delete(3)
    assert scenario.run(sync, partition="2024-05-01").rows_deleted == 1


def test_windows_planned_at_once_send_a_row_that_moved_once(scenario: Scenario) -> None:
    sync = sync_with()
    scenario.run(sync)
    scenario.sent()
    runs = {"2024-01-01": new_run_id(), "2024-05-01": new_run_id()}
    scenario.execute("UPDATE customers SET first_name = 'Other' WHERE customer_id = 3")
    scenario.insert(customer(20))
    scenario.execute("UPDATE customers SET joined = '2024-01-09' WHERE customer_id = 20")
    for name, run_id in runs.items():
        plan_run(sync, scenario.warehouse, scenario.account, PlanOptions(partition=name), run_id)
        scenario.execute("UPDATE customers SET joined = '2024-05-05' WHERE customer_id IN (3, 20)")
    for name, run_id in runs.items():
        send_run(sync, scenario.warehouse, scenario.account, [run_id], partition=name)
    assert sorted(operation for _, operation, _ in scenario.sent()) == ["create", "update"]
    assert scenario.run(sync).outcome == "empty"


def test_a_row_that_comes_later_is_in_the_open_window(scenario: Scenario) -> None:
    days = TimeWindows("joined", "daily", start="2024-12-30")
    sync = sync_with(days)
    scenario.run(sync)
    assert scenario.run(sync, partition=days.names[-1]).rows_read == 1


def test_another_kind_of_windows_sends_nothing(scenario: Scenario) -> None:
    scenario.run(sync_with(None))
    scenario.sent()
    weeks = [TimeWindows("joined", "weekly", start=start, end="2024-01-20") for start in ("2024-01-01", "2024-01-03")]
    for windows in (MONTHS, *weeks):
        for name in windows.names:
            scenario.run(sync_with(windows), partition=name)
    assert scenario.sent() == []
    scenario.delete(2)
    assert scenario.run(sync_with(windows), partition="2024-01-03").rows_deleted == 1


def test_a_column_without_dates_is_refused(scenario: Scenario) -> None:
    sync = sync_with(TimeWindows("city", "monthly", start="2024-01-01"))
    with pytest.raises(ConfigurationError, match=r"partition column 'city'.* must be a date or a timestamp"):
        scenario.run(sync)


def test_a_range_of_all_windows_is_the_whole_source() -> None:
    now = datetime(2024, 3, 15, tzinfo=timezone.utc)
    open_end = TimeWindows("joined", "monthly", start="2024-01-01")
    assert slices_named(open_end, "2024-01-01...2024-03-01", now) is None
    found = slices_named(open_end, "2024-02-01...2024-03-01", now)
    assert found is not None
    assert (found.names, found.has_first, found.has_last) == (("2024-02-01", "2024-03-01"), False, True)
    with pytest.raises(ConfigurationError, match="comes before"):
        slices_named(open_end, "2024-03-01...2024-02-01", now)
    with pytest.raises(ConfigurationError, match="no partition '2024-04-01'"):
        slices_named(open_end, "2024-04-01", now)
