"""The third act of the demo: each line that it prints is a fact of the sync, and the sync goes on afterwards."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO

import pytest

from dagster_dailystory import SyncReport, run_contact_sync
from dagster_dailystory.demo.bad_day import BadDay, run_bad_day
from dagster_dailystory.demo.data import CUSTOMERS, seed, spoil
from dagster_dailystory.demo.definitions import customers
from dagster_dailystory.sandbox import RecentRequest, Sandbox


@dataclass(frozen=True)
class Played:
    """The third act, with what it printed, also to stderr, and the writes that the sandbox got from it."""

    url: str
    sandbox: Sandbox
    day: BadDay
    shown: str
    errors: str
    writes: Sequence[RecentRequest]


def run(url: str, sandbox: Sandbox) -> SyncReport:
    return run_contact_sync(
        customers, warehouse_url=url, base_url=sandbox.base_url, api_token=sandbox.token, requests_per_second=2_000
    )


@contextmanager
def logged() -> Iterator[StringIO]:
    """What the package logs where nothing is configured: warnings, on stderr."""
    errors, logger = StringIO(), logging.getLogger("dagster_dailystory")
    handler = logging.StreamHandler(errors)
    handler.setLevel(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield errors
    finally:
        logger.removeHandler(handler)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    url = f"duckdb:///{tmp_path_factory.mktemp('demo')}/warehouse.duckdb"
    seed(url)
    spoil(url)
    with Sandbox() as sandbox, redirect_stdout(StringIO()) as shown, logged() as errors:
        run(url, sandbox)
        sandbox.clear_journal()
        day = run_bad_day(customers, url, sandbox)
        writes = [each for each in sandbox.requests() if each.method != "GET"]
        yield Played(url, sandbox, day, shown.getvalue(), errors.getvalue(), writes)


def test_it_fits_on_a_screen(played: Played) -> None:
    lines = played.shown.rstrip("\n").splitlines()
    assert 15 <= len(lines) <= 24
    assert max(map(len, lines)) <= 100


def test_the_opt_out_and_the_repaired_row_are_all_that_the_bad_day_sends(played: Played) -> None:
    report, repaired = played.day.opt_out, played.day.repaired
    assert (report.opt_outs_sent, report.opt_outs_pending, report.rows_rejected) == (1, 0, 6)
    assert (repaired.rows_read, repaired.rows_updated, repaired.rows_rejected) == (1, 1, 0)
    first, second = (each.keys for each in played.writes)
    assert first == ("dsId", "optOutEmail")
    assert second[:2] == ("dsId", "mobilePhone")
    assert "POST /api/v1/contact with dsId and optOutEmail\n" in played.shown
    assert "POST /api/v1/contact with dsId" in played.shown.split("d. The mobile number")[1]
    assert "1 updated, none rejected" in played.shown
    assert "invalid_mobile" in played.shown


def test_it_counts_in_words_and_has_no_advice_about_the_demos_own_settings(played: Played) -> None:
    names = [name for name in SyncReport("", "", "").numbers() if name in played.shown]
    assert names == []
    assert "default_region is not set" not in played.shown
    assert "never sent before" not in played.errors
    assert played.errors == ""


def test_the_plan_without_a_third_of_the_rows_is_blocked_with_its_figures(played: Played) -> None:
    assert re.search(r"deleted_share: \d+ of \d+ contacts .* 33\.\d%; the limit is 10\.0%", played.day.refusal)
    assert played.day.refusal in " ".join(played.shown.split())
    assert "writes that DailyStory got: 0" in played.shown
    back = "the rows are back, and a run reads all 2,000: 0 created, 0 updated, 0 deactivated"
    assert back in " ".join(played.shown.split())


def test_the_dry_run_shows_what_changes_without_personal_values(played: Played) -> None:
    assert re.search(r"update \d+: .*city: \w[\w. ]+ → \w", played.shown)
    assert "••• (5) → ••• (5)" in played.shown
    assert re.search(r"25 to create, \d+ to update, 15 to deactivate; 6 rejected: ", played.shown)
    reasons = "6 rejected: 2 duplicate_identity, 2 invalid_email, 1 invalid_mobile, 1 no_identity"
    assert reasons in " ".join(played.shown.split())
    assert 'invalid="drop_field", 5 rejected; values left out: mobilePhone (1 invalid_mobile)' in played.shown
    assert "@" not in played.shown
    assert not re.search(r"\d{7}", played.shown), "no phone number"


def test_a_run_afterwards_sends_what_the_dry_run_showed(played: Played) -> None:
    """And no row is missing, although every third had been taken out."""
    plan, report = played.day.dry_run, run(played.url, played.sandbox)
    assert report.outcome == "done"
    assert (report.rows_created, report.rows_updated, report.rows_deleted) == (
        plan.rows_to_create, plan.rows_to_update, plan.rows_to_delete
    )  # fmt: skip
    assert report.rows_read == CUSTOMERS + 25 - 15
