"""The line that a report makes of itself."""

from __future__ import annotations

from dagster_dailystory.model.change import WaitingOptOut, WaitingOptOuts
from dagster_dailystory.model.runs.report import SyncReport


def test_a_report_says_what_was_sent_and_why_rows_were_rejected() -> None:
    report = SyncReport(
        "customers", "plan", "done", rows_read=2_010, rows_unchanged=1_940, rows_created=25, rows_updated=33,
        rows_rejected=12, rejections_by_reason={"duplicate_key": 3, "invalid_mobile": 9}, opt_outs_sent=2,
        api_requests=81, send_seconds=4.51,
    )  # fmt: skip
    assert str(report) == (
        "sync customers: done, 2,010 rows read; 1,940 unchanged, 25 created, 33 updated, 2 opted out; "
        "12 rejected: 9 invalid_mobile, 3 duplicate_key; 81 requests in 4.5 s"
    )


def test_a_report_names_opt_outs_that_wait_and_the_last_failure() -> None:
    waiting = WaitingOptOuts(1, (WaitingOptOut("7", "invalid_value", "x"), WaitingOptOut("8", "", "x")))
    report = SyncReport(
        "customers", "plan", "incomplete", rows_read=3, rows_failed=1, opt_outs_pending=2, opt_outs_waiting=waiting,
        outage="DailyStory responded with 500",
    )  # fmt: skip
    assert str(report) == (
        "sync customers: incomplete, 3 rows read; 1 failed; 2 opt-outs wait: 1 cannot be sent until the source is "
        "repaired (key 7: invalid_value); 1 will be sent by the next run (key 8); the last requests failed: "
        "DailyStory responded with 500"
    )


def test_a_report_of_a_dry_run_says_what_would_be_sent() -> None:
    report = SyncReport("customers", "plan", "dry", rows_read=3, rows_to_create=2, rows_rejected=1)
    assert str(report) == "sync customers: dry, 3 rows read; 2 to create or look up; 1 rejected"


def test_the_numbers_of_a_report_are_flat() -> None:
    report = SyncReport("customers", "plan", "done", rejections_by_reason={"null_key": 1})
    assert set(map(type, report.numbers().values())) <= {int, float}
