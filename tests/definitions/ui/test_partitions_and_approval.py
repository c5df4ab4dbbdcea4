"""Backfills and the approval of a plan in the Dagster UI, in a real browser."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from support.ui_deployment import Deployment, assets_of, launch_button, open_launchpad, photograph, write_config
from support.ui_driver import wait_for

from dagster_dailystory.demo import data

pytestmark = [pytest.mark.ui, pytest.mark.timeout(400)]

SUBSCRIBERS, MEMBERS, VIPS = assets_of("subscribers"), assets_of("members"), assets_of("vips")
SENT_BY_APPROVAL = """\
ops:
  dailystory__vips__contacts:
    config:
      plan_id: {plan_id}
      approved_by: Ann
"""


def launched_backfill(deployment: Deployment, page: Page, sync: str) -> str:
    """Launch a backfill of all partitions of a sync, and return its id."""
    known = {backfill["id"] for backfill in deployment.ui.backfills()}
    page.goto(deployment.group_page(sync))
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Launch backfill").click()
    wait_for(lambda: len(deployment.ui.backfills()) > len(known), "the backfill")
    [launched] = {backfill["id"] for backfill in deployment.ui.backfills()} - known
    return str(launched)


def runs_of(deployment: Deployment, backfill: str) -> list[dict[str, Any]]:
    """Wait for the end of a backfill, and return its runs in the order in which they started."""

    def status() -> str:
        return next(str(each["status"]) for each in deployment.ui.backfills() if each["id"] == backfill)

    wait_for(lambda: status().startswith("COMPLETED"), "the end of the backfill", 300)
    assert status() == "COMPLETED_SUCCESS"
    return sorted(deployment.ui.slices(backfill), key=lambda run: float(run["startTime"]))


def test_a_backfill_of_twelve_months_is_one_run_or_twelve_one_by_one(
    deployment: Deployment, page: Page, images: Path
) -> None:
    in_twelve = launched_backfill(deployment, page, "subscribers")
    in_one = launched_backfill(deployment, page, "members")
    runs, [whole] = runs_of(deployment, in_twelve), runs_of(deployment, in_one)
    assert [run["status"] for run in runs] == ["SUCCESS"] * 12
    assert all(one["endTime"] <= other["startTime"] for one, other in pairwise(runs)), "one slot"
    sent = deployment.ui.events(SUBSCRIBERS[1])
    assert len({event["partition"] for event in sent}) == 12
    assert sum(event["rows_created"] for event in sent) == data.CUSTOMERS
    assert len(deployment.subscribers.contacts()) == data.CUSTOMERS
    assert set(deployment.subscribers.creates_by_identity().values()) == {1}

    assert whole["status"] == "SUCCESS"
    partitions = {event["partition"] for event in deployment.ui.events(MEMBERS[1])}
    assert partitions == {f"2025-{month:02d}-01" for month in range(1, 13)}
    [numbers] = deployment.ui.events(MEMBERS[1], "assetObservations")
    assert (numbers["rows_created"], numbers["dagster/row_count"]) == (240, 240)

    page.goto(f"{deployment.ui.base}/runs/b/{in_twelve}?tab=runs")
    expect(page.get_by_text("Success", exact=True)).to_have_count(12)
    page.wait_for_timeout(1000)
    page.screenshot(path=images / "backfill.png", clip={"x": 240, "y": 0, "width": 1040, "height": 515})
    page.goto(deployment.asset_page(MEMBERS[1], "partitions"))
    expect(page.get_by_text("12 Partitions Selected")).to_be_visible()
    page.wait_for_timeout(1000)
    page.screenshot(path=images / "one-run.png", clip={"x": 240, "y": 0, "width": 1040, "height": 430})


def test_a_plan_is_sent_once_by_its_id(deployment: Deployment, page: Page, images: Path) -> None:
    page.goto(deployment.group_page("vips"))
    planned = deployment.run_launched_by(page.get_by_role("button", name="Materialize all"))
    assert deployment.ui.wait(planned) == "SUCCESS"
    plan = deployment.ui.events(VIPS[0])[0]
    assert (plan["plan_status"], plan["rows_to_create"]) == ("waiting", 25)
    assert deployment.ui.checks(VIPS[0])["approved"] == "FAILED"
    assert deployment.ui.events(VIPS[1]) == [], "nothing is sent"

    page.goto(f"{deployment.asset_page(VIPS[0], 'checks')}&checkDetail=approved")
    expect(page.get_by_text(f"plan {plan['plan_id']} waits for approval").first).to_be_visible()
    page.wait_for_timeout(1000)
    page.screenshot(path=images / "approval-check.png", clip={"x": 240, "y": 104, "width": 1040, "height": 470})
    page.goto(deployment.asset_page(VIPS[0], "events"))
    page.get_by_text("Hide navigation").click()
    expect(page.get_by_text("to_approve", exact=True)).to_be_attached()
    approval = page.get_by_text("approval", exact=True)
    assert "@" not in page.inner_text("body"), "a preview shows no email address"
    photograph(page, approval, images / "approval-plan.png", above=19, height=485, left=370, width=885)

    page.set_viewport_size({"width": 1280, "height": 900})
    assert approve(deployment, page, plan["plan_id"], images / "approval-launchpad.png") == "SUCCESS"
    assert deployment.ui.events(VIPS[1])[0]["rows_created"] == 25
    assert approve(deployment, page, plan["plan_id"]) == "FAILURE"
    assert len(deployment.ui.events(VIPS[1])) == 1, "it is sent once"


def approve(deployment: Deployment, page: Page, plan_id: str, picture: Path | None = None) -> str:
    """Materialize `contacts` with the id of a plan in the launchpad, and return how the run ended."""
    page.goto(deployment.asset_page(VIPS[1]))
    open_launchpad(page, "Materialize")
    write_config(page, SENT_BY_APPROVAL.format(plan_id=plan_id))
    expect(page.get_by_text("No errors")).to_be_visible()
    if picture is not None:
        page.wait_for_timeout(500)
        page.screenshot(path=picture, clip={"x": 160, "y": 40, "width": 960, "height": 810})
    run_id = deployment.run_launched_by(launch_button(page))
    return deployment.ui.wait(run_id)
