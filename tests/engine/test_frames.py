"""A frame as a source: the values of each type arrive as they are, and a frame with some rows implies nothing else."""

from __future__ import annotations

import datetime as dt
import sqlite3
import stat
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from support.placements import Placement
from support.scenario import Scenario, open_scenario

from dagster_dailystory import ContactSync, FrameSource, HashBuckets, Watermark
from dagster_dailystory.engine.state.schema import StateLocation
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.engine.warehouse.frames import with_frame
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.functions import plan_contact_sync, run_contact_sync, send_contact_sync
from dagster_dailystory.model.runs.report import SyncReport

PLACEMENTS = (Placement("sqlite"), Placement("postgresql"))


@pytest.fixture
def scenario(engine_placement: Placement, new_database: Callable[[str], str]) -> Iterator[Scenario]:
    with open_scenario(new_database, engine_placement.warehouse) as opened:
        yield opened


def people(*numbers: int, **columns: object) -> pd.DataFrame:
    rows = [
        {"id": number, "email": f"p{number}@example.com", "name": f"Name {number}", "plan": "free"}
        for number in numbers
    ]
    return pd.DataFrame(rows, columns=["id", "email", "name", "plan"]).assign(**columns)


def sync_with(*, complete: bool = False, **settings: Any) -> ContactSync:
    usual: dict[str, Any] = {
        "name": "customers", "source": FrameSource(complete=complete), "key": "id",
        "fields": {"email": "email", "firstName": "name"}, "extended_properties": {"plan": "plan"},
        "max_deleted_fraction": None, "max_created_fraction": None,
    }  # fmt: skip
    return ContactSync(**{**usual, **settings})


def ends(scenario: Scenario) -> dict[str, Any]:
    account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
    return {"warehouse_url": scenario.warehouse_url, **account, "requests_per_second": 2_000}


def run(scenario: Scenario, frame: object, sync: ContactSync | None = None, **options: Any) -> SyncReport:
    return run_contact_sync(sync or sync_with(), frame=frame, **ends(scenario), **options)


def test_a_frame_is_sent_like_a_table(scenario: Scenario) -> None:
    assert run(scenario, people(1, 2, 3)).rows_created == 3
    assert run(scenario, people(1, 2, 3)).outcome == "empty"
    report = run(scenario, people(1, 2, 3, name="Other"))
    assert (report.rows_updated, report.rows_created) == (3, 0)


def test_a_frame_with_some_rows_plans_no_deletions(scenario: Scenario) -> None:
    run(scenario, people(*range(1, 11)))
    report = run(scenario, people(1, 11))
    assert (report.rows_created, report.rows_unchanged, report.rows_deleted) == (1, 1, 0)
    assert run(scenario, people()).outcome == "empty"
    assert len(scenario.contact_map()) == 11


def test_a_row_that_shares_an_address_with_a_row_beside_the_frame_takes_over_no_contact(scenario: Scenario) -> None:
    run(scenario, people(1))
    report = run(scenario, people(2, email="p1@example.com"))
    assert (report.rows_rejected, report.rows_created) == (1, 0)
    assert scenario.contact_map().keys() == {"1"}


def test_what_failed_beside_a_frame_stays_a_rejection(scenario: Scenario) -> None:
    run(scenario, people(1, 2, email="invalid"))
    run(scenario, people(1))
    assert scenario.rejections() == {"2": "invalid_email"}


def test_an_opt_out_beside_a_frame_still_waits(scenario: Scenario) -> None:
    sync = sync_with(fields={"email": "email", "optOutEmail": "out"}, max_opted_out_fraction=None)
    assert run(scenario, people(1, email="invalid", out=True), sync).opt_outs_pending == 1
    assert run(scenario, people(2, out=False), sync).opt_outs_pending == 1
    assert run(scenario, people(1, out=True), sync).opt_outs_pending == 0


def test_an_older_plan_of_other_rows_can_still_be_sent(scenario: Scenario) -> None:
    one = plan_contact_sync(sync_with(), frame=people(1), **ends(scenario))
    other = plan_contact_sync(sync_with(), frame=people(2), **ends(scenario))
    for plan in (one, other):
        assert send_contact_sync(sync_with(), plan_id=plan.plan_id, **ends(scenario)).rows_created == 1


def test_a_plan_is_approved_with_the_frame_that_shows_whether_it_is_up_to_date(scenario: Scenario) -> None:
    sync = sync_with(require_approval=True)
    plan = plan_contact_sync(sync, frame=people(1, 2), **ends(scenario))
    with pytest.raises(ConfigurationError, match="pass it as frame="):
        send_contact_sync(sync, plan_id=plan.plan_id, **ends(scenario))
    assert send_contact_sync(sync, plan_id=plan.plan_id, frame=people(1, 2), **ends(scenario)).rows_created == 2


def test_a_complete_frame_plans_deletions_and_needs_the_frame_to_send_them(scenario: Scenario) -> None:
    sync = sync_with(complete=True, deletes="delete")
    run(scenario, people(1, 2, 3), sync)
    plan = plan_contact_sync(sync, frame=people(1, 2), **ends(scenario))
    assert plan.rows_to_delete == 1
    with pytest.raises(ConfigurationError, match="pass it as frame="):
        send_contact_sync(sync, plan_id=plan.plan_id, **ends(scenario))
    back = send_contact_sync(sync, plan_id=plan.plan_id, frame=people(1, 2, 3), **ends(scenario))
    assert back.rows_deleted == 0
    assert run(scenario, people(1, 2), sync).rows_deleted == 1


@pytest.mark.parametrize("complete", [True, False])
def test_an_empty_frame_is_an_empty_source_only_if_it_is_complete(scenario: Scenario, complete: bool) -> None:
    sync = sync_with(complete=complete)
    run(scenario, people(1), sync)
    plan = plan_contact_sync(sync, frame=people(), **ends(scenario))
    assert plan.status.value == ("blocked" if complete else "ready")


VALUES: dict[str, tuple[object, list[object]]] = {
    "floats that are whole": (pd.Series([1.0, None, 3.0]), ["1", None, "3"]),
    "floats": (pd.Series([1.5, np.nan, -0.0]), ["1.5", None, "0"]),
    "nullable integers": (pd.array([1, None, 3], dtype="Int64"), ["1", None, "3"]),
    "nullable flags": (pd.array([True, None, False], dtype="boolean"), ["true", None, "false"]),
    "times": (
        pd.to_datetime(pd.Series(["2024-01-01", None, "2024-01-02 03:04:05.5"]), format="ISO8601"),
        ["2024-01-01T00:00:00", None, "2024-01-02T03:04:05.5"],
    ),
    "times in a zone": (
        pd.to_datetime(pd.Series(["2024-07-01 12:00", None, None])).dt.tz_localize("Europe/Berlin"),
        ["2024-07-01T10:00:00Z", None, None],
    ),
    "categories": (pd.Categorical(["a", None, "b"]), ["a", None, "b"]),
    "objects": (
        pd.Series([Decimal("1.50"), dt.date(2024, 1, 1), {"a": [1, 2]}], dtype=object),
        ["1.5", "2024-01-01", '{"a":[1,2]}'],
    ),
    "missing objects": (pd.Series([None, pd.NaT, pd.NA], dtype=object), [None, None, None]),
    "NaN among objects": (pd.Series(["x", float("nan"), 7], dtype=object), ["x", None, "7"]),
    "texts": (pd.Series(["x", "", None]), ["x", None, None]),
    "large numbers": (pd.Series([2**70, 1, 2], dtype=object), [str(2**70), "1", "2"]),
}


def read(frame: pd.DataFrame, column: str) -> list[object]:
    """A column of the temporary database."""
    sync = sync_with(name="t", fields={"email": "email"}, extended_properties={"c": "c"})
    with with_frame(sync, Warehouse("sqlite://", StateLocation("sqlite://")), frame) as made:
        file = Path(made.url.removeprefix("sqlite:///"))
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        with sqlite3.connect(file) as connection:
            found = [row[0] for row in connection.execute(f"select {column} from frame order by rowid")]
    assert not file.parent.exists()
    return found


@pytest.mark.parametrize(("values", "texts"), VALUES.values(), ids=VALUES.keys())
def test_values_of_pandas_arrive_as_their_canonical_text(values: object, texts: list[object]) -> None:
    frame = pd.DataFrame({"id": [1, 2, 3], "email": ["a", "b", "c"]}).assign(c=values)
    assert read(frame, "c") == texts


@pytest.mark.parametrize(
    ("keys", "stored"),
    [
        (pd.Series([1.0, None, 3.0]), [1, None, 3]),
        (pd.Series([1, 2, 3]), [1, 2, 3]),
        (pd.Series(["01", "2", None]), ["01", "2", None]),
        (pd.Series([1.5, 2.0, 3.0]), ["1.5", "2", "3"]),
        (pd.Series([2**70, 1, 2], dtype=object), [str(2**70), "1", "2"]),
    ],
)
def test_whole_numbers_are_keys_as_numbers(keys: pd.Series, stored: list[object]) -> None:
    frame = pd.DataFrame({"id": keys, "email": ["a", "b", "c"], "c": "x"})
    assert read(frame, "id") == stored


class Stream:
    """A table that offers Arrow's interface and nothing else."""

    def __init__(self, query: str) -> None:
        self._query = query

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return duckdb.sql(self._query).__arrow_c_stream__(requested_schema)


def test_a_table_of_arrow_is_read_without_its_library(scenario: Scenario) -> None:
    query = (
        "select i as id, 'p' || i || '@example.com' as email, 'Name' as \"NAME\","
        " timestamptz '2024-07-01 12:00:00+02' as plan"
        " from range(1, 4) t(i)"
    )
    assert run(scenario, Stream(query)).rows_created == 3
    assert scenario.contact("p1@example.com")["extendedProperties"]["plan"] == "2024-07-01T10:00:00Z"


def test_a_state_reads_the_key_of_a_float_column_as_the_same_key(scenario: Scenario) -> None:
    run(scenario, people(1, 2))
    floats = people(1, 2)
    floats["id"] = floats["id"].astype(float)
    assert run(scenario, floats).outcome == "empty"


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (None, "pass it as frame="),
        ([{"id": 1}], "it must be a DataFrame"),
        (people(1).drop(columns="name"), "has no column 'name'"),
        (pd.DataFrame([[1, 2]], columns=["id", "ID"]), "two columns of one name"),
        (pd.DataFrame([]), "has no columns"),
        (pd.Series([1]), "cannot be read .* has no column"),
    ],
)
def test_what_is_not_such_a_frame_is_refused(scenario: Scenario, frame: object, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        run(scenario, frame)


@pytest.mark.parametrize(
    "settings", [{"partitions": HashBuckets(2)}, {"watermark": Watermark("at")}, {"deletes": "delete"}]
)
def test_settings_that_do_not_fit_a_frame_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="FrameSource"):
        sync_with(**settings)


def test_a_sync_of_a_table_refuses_a_frame(scenario: Scenario) -> None:
    with pytest.raises(ConfigurationError, match=r"FrameSource\(\) reads a frame"):
        run(scenario, people(1), sync_with(source="customers"))
