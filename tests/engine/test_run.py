"""The errors of a run that cannot work, and that it changes nothing."""

from __future__ import annotations

import socket

import pytest
from support.placements import Placement, at
from support.scenario import Scenario, customer, customers, open_scenario, sync_of

from dagster_dailystory.engine.state.lease import Lease
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.errors import (
    AuthenticationError,
    BusyError,
    ConfigurationError,
    DailyStoryError,
    StateError,
    WarehouseError,
)
from dagster_dailystory.model.sync import ContactSync

PLACEMENTS = (Placement("sqlite"), Placement("duckdb"), Placement("postgresql"))


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    """Two rows were synced; the state is in the warehouse."""
    scenario.seed(*customers(2))
    scenario.run()
    scenario.sandbox.clear_journal()
    scenario.update(1, city="Rome")
    return scenario


def refused(
    scenario: Scenario, error: type[DailyStoryError], sync: ContactSync | None = None, **options: object
) -> str:
    """Run, and return what the error says; nothing was written anywhere."""
    before = scenario.state_tables()
    with pytest.raises(error) as caught:
        scenario.run(sync, **options)
    assert scenario.state_tables() == before
    assert scenario.sandbox.writes() == []
    assert (caught.value.__cause__, "Traceback" in str(caught.value), "\n" in str(caught.value)) == (None, False, False)
    return str(caught.value)


def test_a_query_that_fails(scenario: Scenario):
    message = refused(scenario, WarehouseError, sync_of(source="select nonsense from nowhere"))
    assert message.startswith("the source of sync 'customers' cannot be read: ")
    assert "nowhere" in message
    assert "nonexistent" in refused(scenario, WarehouseError, sync_of(source="nonexistent"))
    assert scenario.run().rows_updated == 1, "the lease was given back"


def test_a_query_that_fails_on_its_last_row(new_database):
    fails = {
        "duckdb": "select *, cast(case when customer_id = 2 then 'x' else '1' end as integer) as level2 from customers",
        "postgresql": "select *, 1 / (customer_id - 2) as level2 from customers",
    }
    for warehouse, query in fails.items():
        for state in (None, "sqlite"):
            with open_scenario(new_database, warehouse, state) as scenario:
                scenario.seed(*customers(2))
                scenario.run()
                scenario.sandbox.clear_journal()
                sync = sync_of(source=query, extended_properties={"plan": "plan", "level": "level2"})
                refused(scenario, WarehouseError, sync)


@at(Placement("sqlite"), Placement("postgresql"))
def test_a_column_that_is_not_there(scenario: Scenario):
    message = refused(scenario, ConfigurationError, sync_of(fields={"email": "emial", "firstName": "first_name"}))
    assert message == "the source of sync 'customers' has no column 'emial'; did you mean 'email'?"
    misspelled, strange = sync_of(name="fresh", key="custmer_id"), sync_of(name="fresh", key="zzz")
    assert "did you mean 'customer_id'?" in refused(scenario, ConfigurationError, misspelled)
    assert "it has customer_id, email" in refused(scenario, ConfigurationError, strange)


@at(Placement("sqlite"))
def test_a_source_file_that_is_not_there_and_an_empty_one(scenario: Scenario, tmp_path):
    (tmp_path / "empty.sql").write_text("\n ;\n")
    assert "cannot be read: No such file" in refused(scenario, ConfigurationError, sync_of(source="missing.sql"))
    assert "has an empty source" in refused(scenario, ConfigurationError, sync_of(source=str(tmp_path / "empty.sql")))


@at(Placement("sqlite"))
def test_a_wrong_token_costs_one_request(scenario: Scenario):
    before = [scenario.rows(table) for table in ("snapshot", "contact_map", "intents", "rejections")]
    with pytest.raises(AuthenticationError, match=r"does not accept the API token \(401\)"):
        scenario.run(api_token="another-token-us-1")
    assert (scenario.sandbox.counts.requests, scenario.sandbox.counts.unauthorized) == (1, 1)
    assert [scenario.rows(table) for table in ("snapshot", "contact_map", "intents", "rejections")] == before
    assert scenario.run().rows_updated == 1


def test_an_unreachable_warehouse_or_state_is_named_by_the_setting_that_was_written(new_database, tmp_path):
    with socket.socket() as unused, open_scenario(new_database) as scenario:
        unused.bind(("127.0.0.1", 0))
        scenario.seed(*customers(1))
        url = f"postgresql+psycopg://me:hush@127.0.0.1:{unused.getsockname()[1]}/db?connect_timeout=3"
        (tmp_path / "folder").mkdir()
        for unreachable in (url, f"duckdb:///{tmp_path}/folder", f"sqlite:///{tmp_path}/folder"):
            elsewhere = {"warehouse_url": unreachable, "state_url": scenario.warehouse_url}
            messages = (
                ({"state_url": unreachable}, r"the state database \(state_url\) cannot be reached: "),
                ({"warehouse_url": unreachable}, r"the warehouse database \(warehouse_url\) cannot be reached: "),
                (elsewhere, "the warehouse database cannot be reached: "),
            )
            for urls, message in messages:
                with pytest.raises(WarehouseError, match=message) as caught:
                    scenario.run(**urls)
                assert "hush" not in str(caught.value)
        assert scenario.sandbox.counts.requests == 0


@at(Placement("sqlite"))
def test_a_url_that_names_no_database(scenario: Scenario):
    assert "dialect+driver://" in refused(scenario, ConfigurationError, state_url="not a url")
    assert "state_url starts with 'nosuch'" in refused(scenario, ConfigurationError, state_url="nosuch://me@host/db")


@at(Placement("sqlite"))
@pytest.mark.parametrize(
    ("url", "kind"),
    [("mysql+pymysql://me:hush@127.0.0.1:1/db?nosuch=1", "TypeError"), ("sqlite:///{path}?timeout=soon", "ValueError")],
)
def test_an_option_that_the_driver_does_not_know_is_a_configuration_error(
    scenario: Scenario, tmp_path, url: str, kind: str
):
    (tmp_path / "other.db").touch()
    url = url.format(path=tmp_path / "other.db")
    message = refused(scenario, ConfigurationError, warehouse_url=url, state_url=scenario.warehouse_url)
    assert f"the driver cannot use the URL of the warehouse ({kind}); check its options" in message
    assert "hush" not in message


def test_state_of_another_version(scenario: Scenario):
    scenario.execute_state("UPDATE dailystory_meta SET value = '99' WHERE name = 'schema_version'")
    assert "layout version 99, written by" in refused(scenario, StateError)


@at(Placement("sqlite"), Placement("postgresql"))
def test_state_of_another_destination(scenario: Scenario):
    message = refused(scenario, StateError, base_url="https://us-1.dailystory.com/api/v1")
    assert f"this state belongs to {scenario.sandbox.base_url}" in message


def test_another_run_holds_the_sync(scenario: Scenario):
    with open_state(scenario.warehouse.state, sync_of()) as state:
        with state.connection.begin():
            lease = Lease.take(state)
        message = refused(scenario, BusyError)
        assert "another run holds sync 'customers'" in message
        assert "run again" in message
        with state.connection.begin():
            lease.give_back(state)
    assert scenario.run().rows_updated == 1


@at(Placement("sqlite"))
def test_a_key_that_cannot_be_one_of_this_sync(scenario: Scenario):
    two = sync_of(key=["customer_id", "city"], name="two")
    with pytest.raises(ConfigurationError, match=r"has 2 parts, written as a\|b"):
        scenario.run(two, keys=["1"])


def test_no_key_and_no_row_is_not_everything(scenario: Scenario):
    wrong = (
        ({"keys": ()}, "keys is empty"),
        ({"keys": "1"}, r"keys=\['...'\]"),
        ({"limit": 0}, "limit=0 must be at least 1"),
    )
    for options, message in wrong:
        with pytest.raises(ConfigurationError, match=message):
            scenario.run(**options)
    assert scenario.sandbox.counts.requests == 0


def test_a_chosen_key_that_the_source_does_not_have_is_named(scenario: Scenario, caplog: pytest.LogCaptureFixture):
    assert scenario.run(keys=(1, "98", "99")).rows_updated == 1
    assert "the source has no row with the chosen key 98, 99" in caplog.text


@at(Placement("postgresql"))
def test_a_key_of_another_type_is_refused(scenario: Scenario):
    assert "'customer_id' must be of type int" in refused(scenario, ConfigurationError, keys=["abc"])


def test_counts_add_up_and_are_kept(new_database):
    with open_scenario(new_database) as scenario:
        scenario.sandbox.configure(refuse_if=lambda body: "no" if body.get("city") == "Nowhere" else None)
        scenario.seed(*customers(4), customer(5, city="Nowhere"), customer(6, email="x"), customer(None))
        scenario.run()
        scenario.update(1, city="Rome")
        scenario.insert(customer(7), customer(8))
        report = scenario.run(limit=2)
        parts = (report.rows_unchanged, report.rows_to_create, report.rows_to_update, report.rows_rejected)
        assert (report.rows_read, *parts, report.rows_held) == (9, 3, 1, 1, 2, 2)
        last = scenario.rows("runs")[-1] | {}
        kept = {row["plan_id"]: row for row in scenario.rows("runs")}[report.plan_id]
        assert (kept["rows_created"], kept["rows_updated"], kept["outcome"]) == (1, 1, "done")
        assert kept["api_requests"] == report.api_requests
        assert last["sync_name"] == "customers"
        assert report.numbers().keys() >= {"rows_read", "diff_seconds", "requests_per_second"}


def test_rejections_of_rows_without_a_key_do_not_pile_up(new_database):
    with open_scenario(new_database) as scenario:
        scenario.seed(customer(1), customer(2), customer(None))
        for options in ({}, {"limit": 1}, {"limit": 1}, {"keys": ["1"]}, {"scope": "rejected"}, {}):
            scenario.run(**options)
            assert len(scenario.rows("rejections")) == 1
        scenario.execute("DELETE FROM customers WHERE customer_id IS NULL")
        scenario.run()
        assert scenario.rejections() == {}


def test_progress_is_reported_while_a_plan_is_sent(new_database):
    reported = []
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(12))
        scenario.sandbox.configure(latency_seconds=0.2)
        scenario.run(on_progress=reported.append, max_concurrency=1)
    assert reported
    assert all(each.rows_sent + each.rows_remaining == 12 for each in reported)
    assert all(each.rows_per_second > 0 for each in reported)


def test_the_log_of_a_run_says_why_rows_are_rejected(new_database, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO", "dagster_dailystory")
    with open_scenario(new_database) as scenario:
        scenario.seed(customer(1), customer(2, email="broken"), *[customer(3)] * 2)
        report = scenario.run()
    planned, sent = (each.getMessage() for each in caplog.records if "rejected" in each.getMessage())
    assert planned.endswith("1 to create; 3 rejected: 2 duplicate_key, 1 invalid_email")
    assert sent == str(report)
    assert "1 created; 3 rejected: 2 duplicate_key, 1 invalid_email; 2 requests in" in sent


def test_the_scope_rejected_reads_no_row_without_a_key(new_database):
    with open_scenario(new_database) as scenario:
        scenario.seed(customer(1), customer(2, email="broken"), customer(None))
        assert scenario.run().rejections_by_reason == {"invalid_email": 1, "null_key": 1}
        again = scenario.run(scope="rejected")
        assert (again.rows_read, again.rejections_by_reason) == (1, {"invalid_email": 1})
