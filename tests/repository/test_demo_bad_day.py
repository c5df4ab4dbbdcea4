"""The third act of the demo: each line that it prints is a fact of the sync, and the sync goes on afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
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
    """The third act, with what it printed and the writes that the sandbox got from it."""

    url: str
    sandbox: Sandbox
    day: BadDay
    shown: str
    writes: Sequence[RecentRequest]


def run(url: str, sandbox: Sandbox) -> SyncReport:
    return run_contact_sync(
        customers, warehouse_url=url, base_url=sandbox.base_url, api_token=sandbox.token, requests_per_second=2_000
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    url = f"duckdb:///{tmp_path_factory.mktemp('demo')}/warehouse.duckdb"
    seed(url)
    spoil(url)
    with Sandbox() as sandbox, redirect_stdout(StringIO()) as shown:
        run(url, sandbox)
        sandbox.clear_journal()
        day = run_bad_day(customers, url, sandbox)
        writes = [each for each in sandbox.requests() if each.method != "GET"]
        yield Played(url, sandbox, day, shown.getvalue(), writes)


def test_it_fits_on_a_screen(played: Played) -> None:
    lines = played.shown.rstrip("\n").splitlines()
    assert 15 <= len(lines) <= 20
    assert max(map(len, lines)) <= 100


def test_the_opt_out_is_all_that_the_bad_day_sends(played: Played) -> None:
    report = played.day.opt_out
    assert (report.opt_outs_sent, report.opt_outs_pending, report.rows_rejected) == (1, 0, 6)
    assert [each.keys for each in played.writes] == [("dsId", "optOutEmail")]
    assert "POST /api/v1/contact with dsId and optOutEmail\n" in played.shown
    assert "invalid_mobile" in played.shown


def test_the_plan_without_a_third_of_the_rows_is_blocked_with_its_figures(played: Played) -> None:
    assert re.search(r"deleted_share: \d+ of \d+ contacts .* 33\.\d%; the limit is 10\.0%", played.day.refusal)
    assert played.day.refusal in " ".join(played.shown.split())
    assert "writes that DailyStory got: 0" in played.shown


def test_the_dry_run_shows_what_changes_without_personal_values(played: Played) -> None:
    assert re.search(r"update \d+: .*city: \w[\w. ]+ → \w", played.shown)
    assert "••• (5) → ••• (5)" in played.shown
    assert re.search(r"25 to create, \d+ to update, 15 to deactivate, 6 rejected\n", played.shown)
    assert "rejected: 2 duplicate_identity, 2 invalid_email, 1 invalid_mobile, 1 no_identity" in played.shown
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
