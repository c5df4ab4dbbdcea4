"""The sync of the demo in the Dagster UI, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from support.ui_deployment import Deployment, assets_of, launch_button, open_launchpad, photograph, write_config

from dagster_dailystory.demo import data
from dagster_dailystory.engine.planning.guards import GUARD_NAMES
from dagster_dailystory.engine.upkeep.checks import PLAN_CHECKS

pytestmark = [pytest.mark.ui, pytest.mark.timeout(300)]

CUSTOMERS = assets_of("customers")


def test_the_first_page_and_the_runs_page_show_both_runs_of_the_demo(deployment: Deployment, page: Page) -> None:
    demo = [run["runId"] for run in deployment.ui.runs()][-2:]
    page.goto(deployment.ui.base)
    expect(page.get_by_text("dailystory", exact=True).first).to_be_visible()
    page.locator("[aria-haspopup=menu]").get_by_text(re.compile(r"^\d+$")).first.hover(
        position={"x": 1, "y": 4},
        force=True,  # the thin line of an hour may be over its middle
    )
    for run_id in demo:
        expect(page.locator(f"a[href$='/runs/{run_id}']")).to_be_visible()

    page.goto(f"{deployment.ui.base}/runs")
    for run_id in demo:
        row = page.locator("[data-index]").filter(has_text=run_id[:8])
        expect(row).to_contain_text("dailystory / customers / ")
        expect(row).to_contain_text("2 more")


def test_materialize_all_sends_the_changes_and_shows_counts_and_plots(
    deployment: Deployment, page: Page, images: Path
) -> None:
    for days in (3, 1, 2):  # so that the plots show different days
        for _ in range(days):
            data.evolve(deployment.demo_url)
        assert deployment.ui.wait(deployment.ui.launch("dailystory", CUSTOMERS)) == "SUCCESS"
    day = data.evolve(deployment.demo_url)
    page.goto(deployment.group_page("dailystory", "dailystory"))
    run_id = deployment.run_launched_by(page.get_by_role("button", name="Materialize all"))
    assert deployment.ui.wait(run_id) == "SUCCESS"

    plan, sent = deployment.ui.events(CUSTOMERS[0])[0], deployment.ui.events(CUSTOMERS[1])[0]
    assert plan["run_id"] == sent["run_id"] == run_id
    planned = [plan[f"rows_to_{verb}"] for verb in ("create", "update", "delete")]
    assert [sent["rows_created"], sent["rows_updated"], sent["rows_deleted"]] == planned
    least = [changed - plan["rows_rejected"] for changed in (day.added, day.updated, day.deleted)]
    assert all(rows >= few for rows, few in zip(planned, least, strict=True))
    assert {field["field"] for field in plan["changes_by_field"]} >= {"city", "plan", "email"}
    # Five rows of the demo are rejected, which warns and does not fail the run.
    for key in CUSTOMERS[:2]:
        failed = {name for name, status in deployment.ui.checks(key).items() if status == "FAILED"}
        assert failed == {"no_rejected_rows"}

    page.goto(deployment.group_page("dailystory", "dailystory"))
    checks = len(PLAN_CHECKS) + len(GUARD_NAMES)
    expect(page.get_by_text(f"{checks - 1} / {checks} Passed")).to_be_visible()
    page.wait_for_timeout(1500)
    page.screenshot(path=images / "asset-graph.png", clip={"x": 300, "y": 270, "width": 920, "height": 460})

    page.goto(deployment.asset_page(CUSTOMERS[1]))
    page.get_by_text("Plots", exact=True).click()
    page.locator("canvas").first.wait_for()
    for name in ("rows_created", "rows_updated", "api_requests", "dagster/row_count"):
        expect(page.get_by_text(name, exact=True)).to_be_attached()
    plot = page.get_by_text("rows_to_create", exact=True)
    photograph(page, plot, images / "contacts-plots.png", above=30, height=470, left=250, width=700)


def test_a_dry_run_shows_its_plan_and_sends_nothing(deployment: Deployment, page: Page, images: Path) -> None:
    data.evolve(deployment.demo_url)
    posts, sent = deployment.demo.counts.posts, deployment.ui.events(CUSTOMERS[1])
    config = {"ops": {"dailystory__customers__changes": {"config": {"dry_run": True}}}}
    assert deployment.ui.wait(deployment.ui.launch("dailystory", CUSTOMERS, config)) == "SUCCESS"
    plan = deployment.ui.events(CUSTOMERS[0])[0]
    assert plan["plan_status"] == "dry"
    assert {row["operation"] for row in plan["preview"]} == {"update", "create", "deactivate"}
    assert deployment.demo.counts.posts == posts
    assert deployment.ui.events(CUSTOMERS[1]) == sent

    page.goto(deployment.asset_page(CUSTOMERS[0], "events"))
    page.get_by_text("Hide navigation").click()
    preview = page.get_by_text("preview", exact=True)
    expect(preview).to_be_attached()
    moves = [row["changes"] for row in plan["preview"] if row["operation"] == "update" and "city" in row["changes"]]
    expect(page.get_by_text(moves[0]).first).to_be_attached()
    assert "@" not in page.inner_text("body"), "a preview shows no email address"
    expect(page.get_by_text(plan["summary"])).to_be_attached()
    photograph(page, preview, images / "plan-preview.png", above=530, height=880, left=370, width=885)

    page.goto(deployment.asset_page(CUSTOMERS[0]))
    column = page.get_by_text("Column name", exact=True)
    column.wait_for()
    expect(page.get_by_text("numeric(12, 2)")).to_be_attached()
    photograph(page, column, images / "columns.png", above=70, height=660, left=70, width=880)


def test_the_launchpad_describes_the_options_and_refuses_wrong_ones(
    deployment: Deployment, page: Page, images: Path
) -> None:
    known = len(deployment.ui.runs())
    page.goto(deployment.group_page("dailystory", "dailystory"))
    open_launchpad(page, "Materialize all")
    write_config(page, config("scope: everything", "dry_run: true", "limit: ten"))
    expect(page.get_by_text("not in enum type RunScope")).to_be_visible()
    expect(page.get_by_text('expected type "limit_whole_number_from_1"')).to_be_visible()
    expect(page.get_by_text("the rest stays a difference").first).to_be_visible()
    page.screenshot(path=images / "launchpad.png", clip={"x": 160, "y": 40, "width": 960, "height": 810})

    write_config(page, config("scope: all", "limit: 0"))
    expect(page.get_by_text("No errors")).to_be_visible()
    launch_button(page).click()
    expect(page.get_by_text("limit must be at least 1, not 0").first).to_be_visible()
    assert len(deployment.ui.runs()) == known, "refused before a run exists"


def config(*options: str) -> str:
    """Run options of `changes`, as the launchpad has them."""
    lines = [f"      {option}" for option in options]
    return "\n".join(["ops:", "  dailystory__customers__changes:", "    config:", *lines, ""])


def test_an_empty_table_fails_one_check_and_sends_nothing(deployment: Deployment, page: Page, images: Path) -> None:
    posts = deployment.demo.counts.posts
    with emptied(deployment.demo_url):
        run_id = deployment.ui.launch("dailystory", CUSTOMERS)
        assert deployment.ui.wait(run_id) == "FAILURE"
    failed = [name for name, status in deployment.ui.checks(CUSTOMERS[0]).items() if status == "FAILED"]
    assert failed == ["source_not_empty"], "one failed check"
    assert run_id not in {event["run_id"] for event in deployment.ui.events(CUSTOMERS[1])}
    assert deployment.demo.counts.posts == posts

    page.goto(f"{deployment.asset_page(CUSTOMERS[0], 'checks')}&checkDetail=source_not_empty")
    expect(page.get_by_text("the source has no rows", exact=False).first).to_be_visible()
    page.wait_for_timeout(1000)
    page.screenshot(path=images / "checks.png", clip={"x": 240, "y": 104, "width": 1040, "height": 420})
    page.goto(f"{deployment.ui.base}/runs/{run_id}")
    expect(page.get_by_text("Failure", exact=True).first).to_be_visible()


@contextmanager
def emptied(url: str) -> Iterator[None]:
    """Empty the table, and restore its rows at the end."""
    statements = ("create table saved_rows as select * from customers", "delete from customers")
    execute(url, *statements)
    try:
        yield
    finally:
        execute(url, "insert into customers select * from saved_rows", "drop table saved_rows")


def execute(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()  # an open connection locks DuckDB's file against the processes of the runs
