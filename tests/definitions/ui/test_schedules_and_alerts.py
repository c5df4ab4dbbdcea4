"""Progress, schedules, sensors, the pool, a frame and its alerts in the Dagster UI, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.ui_deployment import Deployment, assets_of, launch_button, open_launchpad, photograph, write_config
from support.ui_driver import wait_for

from dagster_dailystory.api.settings import POOL
from dagster_dailystory.demo import data

pytestmark = [pytest.mark.ui, pytest.mark.timeout(300)]

LEADS, GUESTS = assets_of("leads"), assets_of("guests")
MISTAKES = "ops:\n  webinar_guests:\n    config: {mistakes: 3}\n"


def test_progress_is_shown_and_a_terminated_run_loses_nothing(deployment: Deployment, page: Page, images: Path) -> None:
    deployment.leads.configure(latency_seconds=0.3)
    run_id = deployment.ui.launch("more_syncs", LEADS)
    wait_for(lambda: len(deployment.ui.events(LEADS[1], "assetObservations")) >= 4, "progress", 90)
    latest = deployment.ui.events(LEADS[1], "assetObservations")[0]
    assert 0 < latest["progress/percent"] < 100
    assert latest["progress/rows_sent"] + latest["progress/rows_remaining"] == data.CUSTOMERS

    page.goto(deployment.asset_page(LEADS[1]))
    page.get_by_text("Plots", exact=True).click()
    page.locator("canvas").first.wait_for()
    plot = page.get_by_text("progress/percent", exact=True)
    photograph(page, plot, images / "progress.png", above=30, height=470, left=250, width=700)

    page.goto(f"{deployment.ui.base}/runs/{run_id}")
    page.get_by_role("button", name="Terminate").click()
    page.get_by_role("dialog").get_by_role("button", name="Terminate 1 run").click()
    assert deployment.ui.wait(run_id, 15) == "CANCELED"
    arrived = len(deployment.leads.contacts())
    assert 0 < arrived < data.CUSTOMERS

    deployment.leads.configure(latency_seconds=0)
    assert deployment.ui.wait(deployment.ui.launch("more_syncs", LEADS)) == "SUCCESS"
    assert deployment.ui.events(LEADS[1])[0]["dagster/row_count"] == data.CUSTOMERS
    assert len(deployment.leads.contacts()) == data.CUSTOMERS
    assert set(deployment.leads.creates_by_identity().values()) == {1}

    page.goto(deployment.asset_page(LEADS[1], "events"))
    page.get_by_text("Hide navigation").click()
    drawn = page.get_by_role("img", name="Rows sent since the start of the send")
    expect(drawn.first).to_be_attached()
    chart = page.get_by_text("outcomes_chart", exact=True)
    photograph(page, chart, images / "sends.png", above=160, height=440, left=370, width=760)


def test_schedules_sensors_and_the_pool_are_shown(deployment: Deployment, page: Page, images: Path) -> None:
    page.goto(f"{deployment.ui.base}/automation")
    for name in ("customers_hourly", "sync_members_schedule", "retry_members", "alerts_guests"):
        expect(page.get_by_text(name, exact=True)).to_be_visible()
    page.wait_for_timeout(1000)
    page.screenshot(path=images / "automation.png", clip={"x": 240, "y": 0, "width": 1040, "height": 560})
    page.goto(f"{deployment.ui.base}/deployment/concurrency")
    expect(page.get_by_text(POOL, exact=True)).to_be_visible()
    page.wait_for_timeout(1000)
    page.screenshot(path=images / "pool.png", clip={"x": 240, "y": 0, "width": 1040, "height": 270})


def test_a_frame_with_mistakes_begins_an_alert_and_the_next_frame_ends_it(
    deployment: Deployment, page: Page, images: Path
) -> None:
    page.goto(deployment.group_page("guests"))
    open_launchpad(page, "Materialize all")
    write_config(page, MISTAKES)
    expect(page.get_by_text("No errors")).to_be_visible()
    assert deployment.ui.wait(deployment.run_launched_by(launch_button(page))) == "SUCCESS"
    assert deployment.ui.checks(GUESTS[1])["no_rejected_rows"] == "FAILED"
    assert deployment.ui.events(GUESTS[1])[0]["rows_created"] == 27

    page.goto(f"{deployment.ui.base}/locations/more_syncs/sensors/alerts_guests")
    switch = page.locator("label:has(input[type=checkbox])").first
    switch.click()
    assert page.context.browser is not None
    sandbox = page.context.browser.new_page(viewport={"width": 1280, "height": 900})
    sandbox.goto(deployment.demo.url)
    sandbox.get_by_role("link", name="Alerts").click()
    expect(sandbox.get_by_text("began", exact=True)).to_be_visible()
    page.goto(deployment.group_page("guests"))
    again = page.get_by_role("button", name="Materialize all")
    assert deployment.ui.wait(deployment.run_launched_by(again)) == "SUCCESS"
    expect(sandbox.get_by_text("ended", exact=True)).to_be_visible()
    expect(sandbox.get_by_text("DailyStory sync guests: ")).to_have_count(2)
    sandbox.wait_for_timeout(500)
    sandbox.screenshot(path=images / "alerts.png", clip={"x": 0, "y": 0, "width": 1280, "height": 330})

    assert deployment.ui.events(GUESTS[1])[0]["dagster/row_count"] == 30
    assert set(deployment.ui.checks(GUESTS[1]).values()) == {"SUCCEEDED"}, "no drift, no rejected rows"
    page.goto(deployment.group_page("guests"))
    expect(page.get_by_text("4 / 4 Passed")).to_be_visible()
    page.wait_for_timeout(1500)
    page.screenshot(path=images / "frame.png", clip={"x": 300, "y": 310, "width": 920, "height": 400})
    page.goto(f"{deployment.ui.base}/locations/more_syncs/sensors/alerts_guests")
    switch.click()  # no other test shares its warehouse with a sensor
    page.wait_for_timeout(1000)
