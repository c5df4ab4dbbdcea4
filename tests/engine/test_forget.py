"""Forgetting: no value of the rows is left in the state, they stay out, and plans still add up."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from support.forgetting import JANE, VALUES, forget, found_in_state, records_of, sync
from support.placements import INSIDE, Placement, at
from support.scenario import CUSTOMERS, Scenario, customer, customers
from support.steps import plan_run, send_run

from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.state.schema import SYNC_TABLES, SharedTables, StateLocation
from dagster_dailystory.errors import BusyError, ConfigurationError, OutageError, StateError
from dagster_dailystory.records import open_sync

PLACEMENTS = INSIDE


def test_no_table_and_no_log_has_a_value_and_the_row_is_rejected_as_present(
    synced: Scenario, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    assert {table for table, _ in found_in_state(synced)} == {
        "dailystory_customers_snapshot", "dailystory_customers_changes", "dailystory_customers_history"
    }  # fmt: skip
    receipt = forget(synced, 1)
    synced.update(1, opted_out=True)
    assert found_in_state(synced) == []
    report = synced.run(sync(deletes="delete"))
    assert (report.rows_rejected, report.rejections_by_reason) == (1, {"forgotten": 1})
    assert (report.rows_unchanged, report.rows_to_delete, report.opt_outs_pending, report.api_requests) == (2, 0, 0, 0)
    assert synced.rejections() == {"1": "forgotten"}
    assert [row["customer_id"] for row in synced.rows("history")] == [2, 3]
    assert found_in_state(synced) == []
    logged = caplog.text + str(receipt) + repr(receipt)
    assert not any(value.lower() in logged.lower() for value in VALUES)
    assert receipt.rows_removed["snapshot"] == 1
    assert receipt.contacts_deleted == ()
    assert len(receipt.contacts) == 1
    assert f"delete these contacts in DailyStory: {receipt.contacts[0]}" in str(receipt)


@pytest.mark.parametrize("scope", ["changed", "all", "opt_outs"])
def test_nothing_is_sent_for_the_email_or_the_number_of_a_forgotten_row_under_any_key(synced: Scenario, scope: str):
    forget(synced, 1)
    synced.delete(1)
    synced.run(sync())
    synced.insert(
        customer(21, **{**JANE, "mobile": None, "opted_out": True}),
        customer(22, **{**JANE, "email": "other@example.com", "opted_out": True}),
    )
    synced.update(2, email=JANE["email"].upper(), opted_out=True)
    report = synced.run(sync(), scope=scope)
    assert [name for name, *_ in synced.sent()] == (["p3@example.com"] if scope == "all" else [])
    assert (report.opt_outs_pending, report.rows_created) == (0, 0)
    assert report.rejections_by_reason == {"forgotten": 3}
    assert synced.run(sync(), scope="rejected").api_requests == 0
    assert synced.run(sync(mode="update")).api_requests == 0


def test_a_row_is_kept_out_of_another_sync_of_the_state(synced: Scenario):
    forget(synced, 1)
    other = sync(name="newsletter", key="email")
    report = synced.run(other)
    assert (report.rows_created, report.rejections_by_reason) == (2, {"forgotten": 1})
    assert found_in_state(synced) == [], "a key with an email is not recorded"


def test_a_plan_that_another_sync_made_before_does_not_send_the_row(synced: Scenario):
    other = sync(name="newsletter", key="email", mode="upsert")
    plan_run(other, synced.warehouse, synced.account, run_id="newsletter")
    assert forget(synced, 1).identities_blocked == 2
    report = send_run(other, synced.warehouse, synced.account, ["newsletter"]).report
    assert (report.outcome, report.rows_created) == ("done", 2)
    assert found_in_state(synced) == []


def test_a_change_of_an_unfinished_plan_is_forgotten_and_the_plan_completes(synced: Scenario):
    synced.update(1, city="Zwolle-Zuid")
    synced.update(2, city="Rome")
    plan_run(sync(), synced.warehouse, synced.account, run_id="planned")
    receipt = forget(synced, 1)
    assert receipt.changes_forgotten == 1
    assert found_in_state(synced) == []
    report = send_run(sync(), synced.warehouse, synced.account, ["planned"]).report
    assert (report.outcome, report.rows_to_update, report.rows_updated, report.rows_failed) == ("done", 2, 1, 0)
    assert [row["status"] for row in synced.rows("plans") if row["run_id"] == "planned"] == ["done"]
    lost = [row for row in synced.rows("changes") if row["outcome"] == "forgotten"]
    assert [(row["customer_id"], row["dsid"], row["operation"]) for row in lost] == [(None, None, "update")]


def test_an_email_that_another_live_row_has_is_not_blocked(scenario: Scenario):
    scenario.seed(*customers(2))
    scenario.run(sync())
    scenario.run(sync(name="family", source="select * from customers where customer_id = 2"))
    receipt = forget(scenario, 2)
    assert (receipt.identities_blocked, receipt.identities_shared) == (0, 1)
    assert receipt.other_syncs == {"family": 1}
    assert "sync family has 1 row with the same email" in str(receipt)
    family = forget(scenario, 2, delete=True, name="family")
    assert (family.identities_blocked, family.identities_shared, len(family.contacts_deleted)) == (1, 0, 1)


def test_the_contact_is_deleted_only_if_asked_and_only_ours(synced: Scenario):
    assert forget(synced, 2).contacts_deleted == ()
    assert synced.sent() == []
    receipt = forget(synced, 1, delete=True)
    assert [(name, operation) for name, operation, _ in synced.sent()] == [(JANE["email"], "delete")]
    assert receipt.contacts_deleted == receipt.contacts
    assert "ask DailyStory to erase" in str(receipt)
    assert synced.emails() == ["p2@example.com", "p3@example.com"]
    with pytest.raises(ConfigurationError, match="needs base_url and api_token"):
        records_of(synced).forget([3], delete_in_dailystory=True)


def test_during_an_outage_nothing_is_removed_and_a_further_call_completes(synced: Scenario):
    before = synced.state_tables()
    synced.sandbox.script([None, *[500] * 9], method="DELETE")
    with pytest.raises(OutageError, match="nothing was removed from the state"):
        records_of(synced).forget(
            [1, 2], delete_in_dailystory=True, base_url=synced.sandbox.base_url, api_token=synced.sandbox.token,
            max_attempts=1,
        )  # fmt: skip
    assert synced.state_tables() == before
    synced.sandbox.script([], method="DELETE")
    assert len(forget(synced, 1, 2, delete=True).contacts_deleted) == 2
    assert synced.emails() == ["p3@example.com"]
    again = forget(synced, 1, 2, delete=True)
    assert (again.keys_unknown, again.contacts, again.rows_removed) == (0, (), {})


def test_a_create_without_a_response_is_looked_up_and_its_contact_deleted(scenario: Scenario):
    scenario.seed(customer(1, **JANE))
    scenario.sandbox.script(["cut_after"])
    scenario.sandbox.script([500] * 2, method="GET")
    scenario.run(sync(), max_attempts=1)
    assert len(scenario.rows("intents")) == 1
    assert forget(scenario, 1, delete=True).creates_in_doubt == 0
    assert scenario.emails() == []
    assert found_in_state(scenario) == []


def test_a_run_that_holds_the_sync_is_not_disturbed(synced: Scenario):
    with open_session(sync(), synced.warehouse.state), pytest.raises(BusyError):
        forget(synced, 1)


def test_each_table_of_the_state_is_known_to_forgetting():
    """A new table is added here once forgetting removes what it has of a row; one with the key columns is handled."""
    shared = {table.name for table in SharedTables(StateLocation("sqlite://")).metadata.sorted_tables}
    assert set(SYNC_TABLES) == {
        "snapshot", "contact_map", "changes", "intents", "rejections", "row_hashes", "hash_sums", "history",
        "adoption",
    }  # fmt: skip
    known = {"dailystory_meta", "dailystory_plans", "dailystory_runs", "dailystory_forgotten"}
    assert shared == {*known, "dailystory_rate"}


@at(Placement("sqlite"), Placement("duckdb"))
def test_the_files_hold_no_value_after_they_were_rewritten(synced: Scenario, tmp_path: Path):
    file = Path(str(sa.make_url(synced.warehouse_url).database))
    assert all(value.encode() in file.read_bytes() for value in VALUES[1:])
    forget(synced, 1)
    synced.execute("DELETE FROM customers WHERE customer_id = 1")
    if synced.dialect == "sqlite":
        with sqlite3.connect(file) as connection:
            connection.execute("VACUUM")
        connection.close()
    else:
        copy = tmp_path / "copy.duckdb"
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"ATTACH '{copy}' AS copy; COPY FROM DATABASE {file.stem} TO copy")
        file = copy
    left = file.read_bytes().lower()
    assert [value for value in VALUES if value.lower().encode() in left] == []


def test_plans_name_a_forgotten_row_no_more(synced: Scenario):
    waiting = {
        "to_repair": 2,
        "few": [{"key_label": key, "reason": "", "message": "", "rows": 1} for key in ("1", "2")],
    }
    canary = {"contacts_read": 2, "contacts_missing": 2, "keys": ["1", "2"]}
    texts = {"waiting": json.dumps(waiting), "canary": json.dumps(canary)}
    synced.execute_state("UPDATE dailystory_plans SET opt_outs_waiting = :waiting, canary_found = :canary", **texts)
    forget(synced, 1)
    plan = synced.rows("plans")[0]
    assert [each["key_label"] for each in json.loads(plan["opt_outs_waiting"])["few"]] == ["2"]
    assert json.loads(plan["canary_found"])["keys"] == ["2"]


@at(Placement("sqlite"), Placement("postgresql"))
def test_a_forgotten_key_stays_out_of_a_renamed_and_of_a_copied_sync(
    synced: Scenario, new_database: Callable[[str], str]
):
    forget(synced, 1)
    records_of(synced).rename("people")
    renamed, url = sync(name="people"), new_database("duckdb")
    assert records_of(synced, name="people").copy_to(state_url=url).rows["forgotten"] > 0
    synced.update(1, email="other@example.com", mobile=None)
    synced.sent()
    for state_url in (synced.state_url, url):
        assert synced.run(renamed, state_url=state_url).rows_created == 0
    assert synced.sent() == []


@at(Placement("sqlite"), Placement("duckdb"))
def test_an_email_that_another_row_once_had_leaves_its_history(scenario: Scenario):
    scenario.seed(customer(1, **JANE), customer(2, mobile=None))
    scenario.run(sync())
    for key, email in ((2, "Janeth@example.com"), (2, "p2@example.com"), (1, "janeth@example.com")):
        scenario.update(key, email=email)
        scenario.run(sync())
    assert forget(scenario, 1).rows_removed["history"] == 4
    assert found_in_state(scenario) == []
    history = [json.loads(row["after"]) for row in scenario.rows("history")]
    assert sorted(map(sorted, history)) == [
        [], ["custom_plan", "field_city", "field_email", "field_firstName"], ["field_email"],
    ]  # fmt: skip


@at(Placement("sqlite"), Placement("postgresql"))
def test_an_email_of_long_ago_is_kept_out_too(synced: Scenario):
    synced.update(1, email="other@example.com")
    synced.run(sync())
    synced.execute_state("DELETE FROM dailystory_customers_changes")
    forget(synced, 1)
    synced.delete(1)
    synced.insert(customer(21, email="jane.doe@EXAMPLE.com", mobile=None))
    assert synced.run(sync()).rejections_by_reason == {"forgotten": 1}


@at(Placement("sqlite"), Placement("postgresql"))
def test_another_sync_that_may_be_sending_the_row_must_end_first(synced: Scenario):
    other = sync(name="newsletter", source="select * from customers where customer_id = 1")
    plan_run(other, synced.warehouse, synced.account, run_id="newsletter")
    with open_session(other, synced.warehouse.state), pytest.raises(BusyError, match="holds sync 'newsletter'"):
        forget(synced, 1)
    assert found_in_state(synced) != []
    receipt = forget(synced, 1)
    assert receipt.other_syncs == {"newsletter": 1}
    assert "sync newsletter has 1 row with the same email" in str(receipt)
    with open_session(other, synced.warehouse.state):
        assert forget(synced, 2).identities_blocked == 1


@at(Placement("sqlite"), Placement("duckdb"))
def test_an_undo_of_another_sync_writes_nothing_to_the_contact(scenario: Scenario):
    scenario.seed(customer(1, **JANE), customer(2, mobile=None))
    other = sync(name="newsletter", source="select * from customers where city <> 'gone'")
    scenario.run(sync())
    scenario.run(other)
    scenario.update(1, city="Paris")
    scenario.run(other)
    run_id = records_of(scenario, name="newsletter").runs()["run_id"].tolist()[0]
    scenario.update(1, city="gone")
    scenario.run(other)
    assert forget(scenario, 1).identities_blocked == 2
    scenario.sent()
    account = {"base_url": scenario.sandbox.base_url, "api_token": scenario.sandbox.token}
    with open_sync(other, warehouse_url=scenario.warehouse_url, state_url=scenario.state_url) as records:
        report = records.undo(run_id, dry_run=False, **account)
    assert report.fields_undone == {"city": 1}
    assert scenario.sent() == []


@at(Placement("sqlite"))
def test_a_key_is_forgotten_as_it_is_written_with_a_blank_or_a_separator(scenario: Scenario):
    columns = {**CUSTOMERS.columns, "customer_id": "varchar(40)", "part": "varchar(9)"}
    scenario.create(**columns)
    keys = [(" a ", "1"), ("a|b", "c"), ("x", "y|z"), ("x|y", "z"), ("a b", "1"), ("b,c", "1")]
    emails = ["blank@example.com", "p1@example.com", "p2@example.com", "p3@example.com", *["same@example.com"] * 2]
    scenario.insert(
        *(
            {**customer(0), "customer_id": key, "part": part, "email": email}
            for (key, part), email in zip(keys, emails, strict=True)
        )
    )
    of_two = {"key": ["customer_id", "part"]}
    scenario.run(sync(**of_two))
    assert [row["message"] for row in scenario.rows("rejections")] == [
        "rows a b|1, b,c|1 have the same email; keep one of them in the source"
    ] * 2
    for key in (" a |1", "a|b|c", ("x|y", "z"), ("a b", "1")):
        assert forget(scenario, key, **of_two).keys_unknown == 0
    assert [row["customer_id"] for row in scenario.rows("snapshot")] == ["x"]
    assert ["a b" in row["message"] for row in scenario.rows("rejections") if row["reason"] != "forgotten"] == [False]
    with pytest.raises(ConfigurationError, match="the state has none of these keys; give the parts as a tuple"):
        forget(scenario, "n|o|p", **of_two)


@at(Placement("sqlite"))
def test_keys_are_forgotten_only_once_their_types_are_known(scenario: Scenario):
    scenario.seed(customer(7, **JANE))
    with pytest.raises(StateError, match="plan it once, a dry run will do"):
        forget(scenario, "007")
    scenario.run(sync(), dry_run=True)
    forget(scenario, "7")
    assert scenario.run(sync()).rejections_by_reason == {"forgotten": 1}


@at(Placement("postgresql"))
def test_the_statistics_of_the_database_hold_no_value(synced: Scenario):
    columns = "CAST(most_common_vals AS text), CAST(histogram_bounds AS text)"
    shown = f"SELECT {columns} FROM pg_stats WHERE tablename LIKE 'dailystory%'"
    synced.execute_own("ANALYZE")
    assert "Janeth" in str(synced.select(shown))
    forget(synced, 1)
    assert not any(value in str(synced.select(shown)) for value in VALUES)


@at(Placement("duckdb", "sqlite"), Placement("postgresql"))
@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("timestamp", "2026-01-03 10:00:00.25"),
        ("uuid", "6F9619FF-8B86-D011-B42D-00CF4FC964FF"),
        ("decimal(9,2)", "7.50"),
        ("date", "2026-01-03"),
    ],
)
def test_a_key_is_found_as_the_warehouse_writes_it(scenario: Scenario, kind: str, key: str):
    scenario.create(**{**CUSTOMERS.columns, "customer_id": kind})
    scenario.execute(f"INSERT INTO customers (customer_id, email) VALUES (CAST('{key}' AS {kind}), 'p1@example.com')")
    scenario.run(sync())
    assert forget(scenario, key).keys_unknown == 0
    assert scenario.rows("snapshot") == []
    assert scenario.run(sync()).rejections_by_reason == {"forgotten": 1}
