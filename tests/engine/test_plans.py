"""Only the newest ready plan of the run itself is sent; all others are refused without a request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.faults import flaky_account
from support.scenario import Scenario, customers, open_scenario, sync_of
from support.steps import plan_run, resume_or_run, send_run

from dagster_dailystory.api.settings import AccountSettings
from dagster_dailystory.engine.run import SendResult, new_run_id
from dagster_dailystory.engine.state.plans.retention import KEPT_PLANS
from dagster_dailystory.errors import AuthenticationError, SafetyError, StateError
from dagster_dailystory.model.partitions import HashBuckets
from dagster_dailystory.model.runs.options import PlanOptions
from dagster_dailystory.model.runs.plan import PlanStatus, PlanSummary
from dagster_dailystory.model.sync import ContactSync, Scope

GUARDED = sync_of(max_changed_fraction=0.1, min_guard_rows=1)


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    """Three rows were synced and one of them changed."""
    scenario.seed(*customers(3))
    scenario.run()
    scenario.update(1, city="Rome")
    scenario.sandbox.clear_journal()
    return scenario


def plan(scenario: Scenario, run_id: str, sync: ContactSync | None = None, **options: object) -> str:
    summary = plan_run(sync or sync_of(), scenario.warehouse, scenario.account, PlanOptions(**options), run_id)
    return summary.status.value


def send(scenario: Scenario, *run_ids: str, sync: ContactSync | None = None) -> int:
    return send_run(sync or sync_of(), scenario.warehouse, scenario.account, run_ids).report.rows_updated


def statuses(scenario: Scenario) -> dict[str, int]:
    return dict(Counter(row["status"] for row in scenario.rows("plans")))


def refused(scenario: Scenario, match: str, *run_ids: str, sync: ContactSync | None = None) -> None:
    before = scenario.state_tables()
    with pytest.raises(SafetyError, match=match):
        send(scenario, *run_ids, sync=sync)
    assert scenario.state_tables() == before
    assert {request.path for request in scenario.sandbox.requests()} <= {"/api/v1/about"}, "of dry runs"


def test_a_ready_plan_is_sent_once(scenario: Scenario):
    assert plan(scenario, "run") == "ready"
    assert send(scenario, "run") == 1
    scenario.sandbox.clear_journal()
    refused(scenario, "sent already; plan again", "run")


def test_a_blocked_plan_is_not_sent(scenario: Scenario):
    assert plan(scenario, "run", GUARDED) == "blocked"
    refused(scenario, "blocked by a guard", "run", sync=GUARDED)


def test_a_dry_run_is_not_sent_and_supersedes_nothing(scenario: Scenario):
    plan(scenario, "ready")
    assert plan(scenario, "dry", dry_run=True) == "dry"
    refused(scenario, "is a dry run, which is never sent", "dry")
    assert send(scenario, "ready") == 1


def test_a_superseded_plan_is_not_sent(scenario: Scenario):
    plan(scenario, "old")
    plan(scenario, "new")
    refused(scenario, "superseded by a newer plan", "old")
    assert send(scenario, "new") == 1


def test_a_blocked_plan_supersedes_too(scenario: Scenario):
    """The newest plan is blocked; an older one must not be sent in its place."""
    plan(scenario, "old")
    plan(scenario, "new", GUARDED)
    refused(scenario, "superseded by a newer plan", "old")


def test_the_newest_plan_of_a_run_counts(scenario: Scenario):
    for _ in range(3):
        plan(scenario, "run")
    plan(scenario, "run", dry_run=True)
    refused(scenario, "is a dry run", "run")


def test_another_runs_plan_is_not_sent(scenario: Scenario):
    plan(scenario, "theirs")
    refused(scenario, "this run has made no plan for sync 'customers'", "mine")
    assert send(scenario, "mine", "theirs") == 1, "a run sends what the run that it re-executes planned"


def test_another_destinations_plan_is_not_sent(scenario: Scenario):
    plan(scenario, "run")
    elsewhere = replace(scenario.account, base_url="https://uk-3.dailystory.com/api/v1")
    with pytest.raises(StateError, match="this state belongs to"):
        send_run(sync_of(), scenario.warehouse, elsewhere, ["run"])
    assert scenario.sandbox.counts.requests == 0


def test_a_plan_of_another_mapping_is_not_sent(scenario: Scenario):
    plan(scenario, "run")
    refused(scenario, "made with another fields; plan again", "run", sync=sync_of(fields={"email": "email"}))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("deletes", "keep"), ("mode", "update"), ("nulls", "clear"), ("consent_override", ["optOutEmail"]),
        ("default_region", "US"), ("max_value_length", 10), ("partitions", HashBuckets(2)), ("key", "email"),
        ("source", "select * from customers where city = 'Rome'"),
    ],
)  # fmt: skip
def test_a_plan_made_under_another_setting_is_not_sent(scenario: Scenario, setting: str, value: object):
    plan(scenario, "run", sync_of(deletes="delete"))
    refused(scenario, f"made with another {setting}", "run", sync=sync_of(**{"deletes": "delete", setting: value}))


def test_limits_may_change_between_plan_and_send(scenario: Scenario):
    plan(scenario, "run")
    assert send(scenario, "run", sync=sync_of(max_changed_fraction=0.5, plan_expires_hours=1)) == 1


@pytest.mark.parametrize("status", ["ready", "sending"])
def test_a_plan_expires(scenario: Scenario, status: str):
    plan(scenario, "run")
    expire = f"UPDATE dailystory_plans SET expires_at = '2020-01-01 00:00:00', status = '{status}'"
    scenario.execute_state(f"{expire} WHERE status = 'ready'")
    refused(scenario, "older than plan_expires_hours; plan again", "run")


def test_an_expired_plan_gives_its_changes_up(scenario: Scenario):
    plan(scenario, "old", scope=Scope.REJECTED)
    plan(scenario, "old", keys=("1",))
    scenario.execute_state("UPDATE dailystory_plans SET expires_at = '2020-01-01 00:00:00' WHERE status = 'ready'")
    for number in range(KEPT_PLANS + 1):
        plan(scenario, f"dry{number}", dry_run=True)
    plan(scenario, "new", limit=1)
    assert statuses(scenario)["expired"] == 2


def test_plans_are_ordered_by_their_numbers_whatever_the_clock_says(scenario: Scenario):
    """The clock of the first host is a day ahead: its plan ids are later than those of all plans that follow."""
    scenario.execute_state("UPDATE dailystory_plans SET plan_id = '2999' || plan_id")
    scenario.execute_state("UPDATE dailystory_customers_changes SET plan_id = '2999' || plan_id")
    for number in range(KEPT_PLANS + 1):
        plan(scenario, f"run{number}")
    assert send(scenario, f"run{KEPT_PLANS}") == 1


def test_a_plan_of_the_whole_source_supersedes_those_of_slices(new_database: Callable[[str], str]):
    sliced = sync_of(partitions=HashBuckets(2))
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(9))
        for partition in ("bucket_0", "bucket_1", None):
            plan(scenario, str(partition), sliced, partition=partition)
        assert statuses(scenario) == {"superseded": 2, "ready": 1}


def test_a_plan_of_chosen_keys_supersedes_only_its_equal(scenario: Scenario):
    for keys in ((), ("1",), ("2",), ("1",)):
        plan(scenario, "run", keys=keys)
    assert statuses(scenario) == {"done": 1, "ready": 3, "superseded": 1}


def test_an_older_plan_does_not_take_back_what_a_newer_one_wrote(scenario: Scenario):
    scenario.execute("UPDATE customers SET city = 'Rome'")
    plan(scenario, "whole")
    scenario.update(1, city="Oslo")
    plan(scenario, "one", keys=("1",))
    assert send(scenario, "one") == 1
    result = send_run(sync_of(), scenario.warehouse, scenario.account, ["whole"])
    assert (result.report.rows_updated, result.report.rows_skipped) == (2, 1)
    assert scenario.sandbox.find(email="p1@example.com")["city"] == "Oslo"
    assert scenario.run().outcome == "empty"


def test_an_older_plan_does_not_write_to_a_contact_that_another_key_has_now(scenario: Scenario):
    scenario.execute("UPDATE customers SET city = 'Rome'")
    plan(scenario, "whole")
    scenario.execute("UPDATE customers SET customer_id = 10, city = 'Oslo' WHERE customer_id = 1")
    plan(scenario, "one", keys=("10",))
    assert send(scenario, "one") == 1
    assert send(scenario, "whole") == 2
    assert scenario.sandbox.find(email="p1@example.com")["city"] == "Oslo"


def test_the_rest_of_a_stopped_send_of_all_rows_is_sent_by_the_next_run(scenario: Scenario):
    scenario.run()
    plan(scenario, "all", scope=Scope.ALL)
    wrong = replace(scenario.account, api_token="wrong")
    stopped = send_run(sync_of(), scenario.warehouse, wrong, ["all"])
    assert stopped.report.outcome == "stopped"
    assert scenario.run().rows_updated == 3
    assert scenario.run().outcome == "empty"


def test_a_send_that_stopped_is_resumed_by_the_run_that_re_executes_it(scenario: Scenario):
    scenario.execute("UPDATE customers SET city = 'Rome'")
    plan(scenario, "first")
    lost = send_run(sync_of(), scenario.warehouse, replace(scenario.account, api_token="wrong"), ["first"])
    assert isinstance(lost.error, AuthenticationError)
    assert (lost.report.outcome, lost.report.rows_failed) == ("stopped", 3)
    assert send(scenario, "second", "first") == 3
    assert {row["outcome"] for row in scenario.rows("runs")} == {"done", "stopped"}
    assert scenario.run().outcome == "empty"


def test_a_dry_run_does_not_bind_the_state_to_its_destination(new_database):
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(1))
        scenario.run(dry_run=True, base_url="http://127.0.0.1:9/api/v1")
        assert [row for row in scenario.rows("meta") if row["name"] in ("destination", "account")] == []
        scenario.run(dry_run=True)
        assert [row for row in scenario.rows("meta") if row["name"] in ("destination", "account")] == []
        assert scenario.run().rows_created == 1


def test_only_the_newest_plans_keep_their_changes(scenario: Scenario):
    for number in range(KEPT_PLANS + 3):
        plan(scenario, f"run{number}")
    plans = [row["plan_id"] for row in scenario.rows("plans")]
    kept = {row["plan_id"] for row in scenario.rows("changes")}
    assert len(plans) == KEPT_PLANS + 4
    assert kept == set(sorted(plans)[-KEPT_PLANS:])
    assert {row["status"] for row in scenario.rows("plans")} == {"done", "superseded", PlanStatus.READY.value}


def test_slices_planned_before_any_is_sent_are_all_sent(new_database: Callable[[str], str]):
    sliced = sync_of(partitions=HashBuckets(8))
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(60))
        for name in HashBuckets(8).names:
            plan(scenario, name, sliced, partition=name)
        reports = [
            send_run(sliced, scenario.warehouse, scenario.account, [name], partition=name).report
            for name in HashBuckets(8).names
        ]
        assert sum(report.rows_created for report in reports) == 60
        assert len(scenario.emails()) == 60


def test_a_ready_plan_keeps_its_changes_through_later_dry_runs(scenario: Scenario):
    plan(scenario, "run")
    for number in range(KEPT_PLANS + 1):
        assert plan(scenario, f"dry {number}", dry_run=True) == "dry"
    assert send(scenario, "run") == 1


def test_a_plan_whose_changes_are_missing_is_refused(scenario: Scenario):
    plan(scenario, "run")
    scenario.execute_state("DELETE FROM dailystory_customers_changes")
    with pytest.raises(StateError, match="has 1 changes, but only 0 are stored"):
        send(scenario, "run")
    assert scenario.sandbox.counts.requests == 0
    assert plan(scenario, "again") == "ready"
    assert send(scenario, "again") == 1


def run_on(scenario: Scenario, *run_ids: str, sync: ContactSync | None = None) -> SendResult:
    return resume_or_run(sync or sync_of(), scenario.warehouse, scenario.account, PlanOptions(), run_ids)


def test_runs_that_overlap_all_succeed_and_send_each_change_once(scenario: Scenario):
    runs = ("one", "two", "three")
    for run in runs:
        plan(scenario, run)
    results = [run_on(scenario, run) for run in runs]
    assert [result.report.outcome for result in results] == ["done", "empty", "empty"]
    assert all("superseded by a newer plan, so this run plans again" in result.note for result in results)
    assert len(scenario.sent()) == 1


def test_a_run_that_plans_again_is_guarded(scenario: Scenario):
    plan(scenario, "run")
    plan(scenario, "other")
    with pytest.raises(SafetyError, match="changed_share"):
        run_on(scenario, "run", sync=GUARDED)
    assert scenario.sandbox.counts.requests == 0


def test_a_run_that_re_executes_one_whose_plan_was_sent_succeeds(scenario: Scenario):
    plan(scenario, "run")
    send(scenario, "run")
    scenario.sandbox.clear_journal()
    result = run_on(scenario, "again", "run")
    assert (result.report.outcome, result.report.rows_updated, result.error) == ("done", 1, None)
    assert "was sent already" in result.note
    assert scenario.sandbox.counts.requests == 0


def test_a_retry_of_a_run_that_sent_everything_reports_what_it_sent(scenario: Scenario):
    plan(scenario, "run")
    send(scenario, "run")
    scenario.sandbox.clear_journal()
    usual = (sync_of(), scenario.warehouse, scenario.account, PlanOptions(), ["run"])
    assert resume_or_run(*usual, is_retry=True).report.rows_updated == 1
    assert scenario.sandbox.counts.requests == 0
    assert resume_or_run(*usual).report.outcome == "empty"


def test_a_run_that_re_executes_one_with_failed_rows_sends_them(scenario: Scenario):
    plan(scenario, "run")
    failing = flaky_account(scenario, lambda method, _url, _content: method != "POST")
    failed = send_run(sync_of(), scenario.warehouse, failing, ["run"])
    assert (failed.report.outcome, failed.report.rows_failed) == ("incomplete", 1)
    result = run_on(scenario, "again", "run")
    assert (result.report.outcome, result.report.rows_updated) == ("done", 1)
    assert "sent, but rows of it failed, so this run plans again" in result.note


def test_a_run_whose_plan_another_run_sent_plans_again(scenario: Scenario):
    plan(scenario, "run")
    run_on(scenario, "again", "run")
    scenario.update(2, city="Oslo")
    result = run_on(scenario, "run")
    assert (result.report.rows_updated, len(scenario.rows("runs"))) == (1, 3)


def test_a_state_without_contacts_may_change_its_destination(new_database: Callable[[str], str]):
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(3))
        mistyped = AccountSettings("https://us-9.dailystory.invalid/api/v1", scenario.sandbox.token)
        plan_run(sync_of(), scenario.warehouse, mistyped)
        assert scenario.run().outcome == "done"
        with pytest.raises(StateError, match="If that address is wrong, correct base_url"):
            plan_run(sync_of(), scenario.warehouse, mistyped)


@pytest.mark.parametrize(
    ("table", "column"), [("contact_map", "dsid"), ("intents", "plan_id"), ("rejections", "fingerprint")]
)
def test_a_state_with_an_answer_keeps_its_destination(new_database: Callable[[str], str], table: str, column: str):
    with open_scenario(new_database) as scenario:
        scenario.seed(*customers(1))
        plan_run(sync_of(), scenario.warehouse, scenario.account)
        scenario.execute_state(f"INSERT INTO dailystory_customers_{table} (customer_id, {column}) VALUES (1, 'x')")
        other = AccountSettings("https://us-9.dailystory.invalid/api/v1", scenario.sandbox.token)
        with pytest.raises(StateError, match="this state belongs to"):
            plan_run(sync_of(), scenario.warehouse, other)


def test_a_run_of_opt_outs_counts_other_differences_as_unchanged(scenario: Scenario):
    scenario.run()
    scenario.update(1, city="Rome")
    report = scenario.run(scope="opt_outs")
    assert (report.rows_unchanged, report.rows_held) == (report.rows_read, 0)


def test_a_plan_of_another_source_says_so(scenario: Scenario):
    def planned(sync: ContactSync) -> PlanSummary:
        return plan_run(sync, scenario.warehouse, scenario.account, PlanOptions(), new_run_id())

    assert not planned(sync_of()).is_other_source
    scenario.execute("CREATE TABLE others AS SELECT * FROM customers")
    assert not planned(sync_of()).is_other_source
    other = planned(sync_of(source="others"))
    assert other.warnings[0].startswith("the query or the table is another one than that of the last plan")
