"""The Dagster UI on the demo, in a real browser. The pictures of the documentation are taken here.

`make test-ui` runs it; with UPDATE_IMAGES=1 it replaces the pictures in docs/images.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect
from support.ui_driver import DagsterUi, browser_page, dagster_ui, free_port, wait_for

from dagster_dailystory.demo import data
from dagster_dailystory.demo.resources import demo_warehouse_url
from dagster_dailystory.engine.planning.guards import GUARD_NAMES
from dagster_dailystory.engine.upkeep.checks import PLAN_CHECKS
from dagster_dailystory.sandbox import Sandbox, SandboxSettings
from demo.__main__ import run_demo

pytestmark = [pytest.mark.ui, pytest.mark.timeout(300)]

expect.set_options(timeout=30_000)  # live data is polled, and the machine may be busy

ROOT = Path(__file__).parents[2]
POOL = "dailystory_api"
CUSTOMERS = [f"dailystory/customers/{noun}" for noun in ("changes", "contacts", "contact_map")]
LEADS = [f"dailystory/leads/{noun}" for noun in ("changes", "contacts", "contact_map")]
BUCKETS = {f"bucket_{number}" for number in range(4)}

WORKSPACE = """\
load_from:
  - python_module: {{module_name: definitions, working_directory: {root!r}, location_name: dailystory}}
  - python_file: {{relative_path: more_syncs.py, location_name: more_syncs}}
"""

MORE_SYNCS = '''\
"""A sync in four buckets for its first load, and one whose progress is watched."""
import dagster as dg
from dagster_dailystory import (
    ContactSync, DailyStoryResource, HashBuckets, WarehouseResource, alert_sensors, build_contact_sync_assets, every,
    retry_sensor, sync_schedule,
)

FIELDS = {{"email": "email", "mobilePhone": "mobile_phone", "firstName": "first_name", "city": "city"}}

subscribers = ContactSync(
    name="subscribers", source="customers", key="customer_id", fields=FIELDS, partitions=HashBuckets(4)
)
leads = ContactSync(name="leads", source="customers", key="customer_id", fields=FIELDS)

def resources(name, base_url):
    warehouse = WarehouseResource(url="duckdb:///{folder}/" + name + ".duckdb")
    return {{f"{{name}}_warehouse": warehouse, f"{{name}}_dailystory": DailyStoryResource(
        base_url=base_url, api_token={token!r}, requests_per_second=400, max_concurrency=8)}}

def assets(sync, **settings):
    keys = dict(warehouse_key=f"{{sync.name}}_warehouse", dailystory_key=f"{{sync.name}}_dailystory")
    return build_contact_sync_assets(sync, group_name=sync.name, deps=[], **keys, **settings)

defs = dg.Definitions(
    assets=[*assets(subscribers, automation_condition=every("0 6 * * *")), *assets(leads, progress_seconds=2)],
    schedules=[sync_schedule(leads, "0 * * * *")],
    sensors=[retry_sensor(subscribers), *alert_sensors(leads, print, max_rejected_rows=100)],
    resources=resources("subscribers", {subscribers_url!r}) | resources("leads", {leads_url!r}),
    executor=dg.in_process_executor,
)
'''


@dataclass(frozen=True)
class Deployment:
    """A Dagster UI with three syncs, their warehouses and sandboxes."""

    ui: DagsterUi
    demo_url: str
    demo: Sandbox
    subscribers: Sandbox
    leads: Sandbox


@contextmanager
def started(folder: Path) -> Iterator[Deployment]:
    """The demo after `make demo`, two more syncs that have sent nothing yet, and the UI with all of them."""
    port = free_port()
    run_demo(folder / "demo", port)
    with ExitStack() as running:
        demo = running.enter_context(Sandbox(port=port, store=folder / "demo/sandbox.json"))
        account = SandboxSettings(tokens=demo.settings.tokens)  # one token for all, as `resources` below has it
        subscribers, leads = running.enter_context(Sandbox(account)), running.enter_context(Sandbox(account))
        for name in ("subscribers", "leads"):
            data.seed(f"duckdb:///{folder}/{name}.duckdb")
        (folder / "workspace.yaml").write_text(WORKSPACE.format(root=str(ROOT)), encoding="utf-8")
        text = MORE_SYNCS.format(
            folder=folder, token=leads.token, subscribers_url=subscribers.base_url, leads_url=leads.base_url
        )
        (folder / "more_syncs.py").write_text(text, encoding="utf-8")
        environment = {
            "WAREHOUSE_URL": demo_warehouse_url(folder / "demo"),
            "DAILYSTORY_BASE_URL": demo.base_url,
            "DAILYSTORY_API_TOKEN": demo.token,
            "DAILYSTORY_REQUESTS_PER_SECOND": "400",
            "DAILYSTORY_MAX_CONCURRENCY": "8",
        }
        ui = running.enter_context(dagster_ui(folder, folder / "demo/dagster", environment))
        ui.limit_pool(POOL, 1)
        yield Deployment(ui, environment["WAREHOUSE_URL"], demo, subscribers, leads)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with started(tmp_path_factory.mktemp("ui")) as running:
        yield running


@pytest.fixture
def page(deployment: Deployment) -> Iterator[Page]:
    """A browser; at the end, no request has left the machine."""
    outside: list[str] = []
    with browser_page(deployment.ui.base, outside) as opened:
        yield opened
    assert outside == []


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The folder of the pictures: docs/images if UPDATE_IMAGES is set."""
    folder = ROOT / "docs/images" if os.environ.get("UPDATE_IMAGES") else tmp_path
    folder.mkdir(exist_ok=True)
    return folder


def group_page(deployment: Deployment, location: str, group: str) -> str:
    return f"{deployment.ui.base}/locations/__repository__@{location}/asset-groups/{group}/lineage"


def asset_page(deployment: Deployment, key: str, view: str = "overview") -> str:
    return f"{deployment.ui.base}/assets/{key}?view={view}"


def run_launched_by(deployment: Deployment, click: Locator) -> str:
    """Click, and return the id of the run that this launches."""
    known = {run["runId"] for run in deployment.ui.runs()}
    click.click()
    found = wait_for(lambda: [run for run in deployment.ui.runs() if run["runId"] not in known], "a run")
    return str(found[0]["runId"])


def photograph(page: Page, first: Locator, path: Path, *, above: int, height: int, left: int, width: int) -> None:
    """Take a picture of a part of a long page: `height` pixels, from `above` pixels above the locator on."""
    page.set_viewport_size({"width": 1280, "height": 5200})
    page.mouse.move(1200, 3500)
    page.wait_for_timeout(1500)  # for the new layout and its plots
    box = first.bounding_box()
    assert box is not None
    page.screenshot(path=path, clip={"x": left, "y": max(0, box["y"] - above), "width": width, "height": height})


def test_the_first_page_and_the_runs_page_show_both_runs_of_the_demo(deployment: Deployment, page: Page) -> None:
    demo = [run["runId"] for run in deployment.ui.runs()][-2:]
    page.goto(deployment.ui.base)
    expect(page.get_by_text("dailystory", exact=True).first).to_be_visible()
    page.locator("[aria-haspopup=menu]").get_by_text(re.compile(r"^\d+$")).first.hover()
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
    page.goto(group_page(deployment, "dailystory", "dailystory"))
    run_id = run_launched_by(deployment, page.get_by_role("button", name="Materialize all"))
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

    page.goto(group_page(deployment, "dailystory", "dailystory"))
    checks = len(PLAN_CHECKS) + len(GUARD_NAMES)
    expect(page.get_by_text(f"{checks - 1} / {checks} Passed")).to_be_visible()
    page.wait_for_timeout(1500)
    page.screenshot(path=images / "asset-graph.png", clip={"x": 300, "y": 270, "width": 920, "height": 460})

    page.goto(asset_page(deployment, CUSTOMERS[1]))
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

    page.goto(asset_page(deployment, CUSTOMERS[0], "events"))
    page.get_by_text("Hide navigation").click()
    preview = page.get_by_text("preview", exact=True)
    expect(preview).to_be_attached()
    moves = [row["changes"] for row in plan["preview"] if row["operation"] == "update" and "city" in row["changes"]]
    expect(page.get_by_text(moves[0]).first).to_be_attached()
    assert "@" not in page.inner_text("body"), "a preview shows no email address"
    expect(page.get_by_text(plan["summary"])).to_be_attached()
    photograph(page, preview, images / "plan-preview.png", above=530, height=880, left=370, width=885)

    page.goto(asset_page(deployment, CUSTOMERS[0]))
    column = page.get_by_text("Column name", exact=True)
    column.wait_for()
    expect(page.get_by_text("numeric(12, 2)")).to_be_attached()
    photograph(page, column, images / "columns.png", above=70, height=660, left=70, width=880)


def test_the_launchpad_describes_the_options_and_refuses_wrong_ones(
    deployment: Deployment, page: Page, images: Path
) -> None:
    known = len(deployment.ui.runs())
    page.goto(group_page(deployment, "dailystory", "dailystory"))
    page.get_by_role("button", name="Materialize all").click(modifiers=["Shift"])
    page.get_by_text("Launchpad (configure assets)").wait_for()
    page.wait_for_timeout(1500)
    write_config(page, {"scope": "everything", "dry_run": "true", "limit": "ten"})
    expect(page.get_by_text("not in enum type RunScope")).to_be_visible()
    expect(page.get_by_text('expected type "limit_whole_number_from_1"')).to_be_visible()
    expect(page.get_by_text("the rest stays a difference").first).to_be_visible()
    page.screenshot(path=images / "launchpad.png", clip={"x": 160, "y": 40, "width": 960, "height": 810})

    write_config(page, {"scope": "all", "limit": "0"})
    expect(page.get_by_text("No errors")).to_be_visible()
    page.get_by_text("Materialize", exact=True).last.click()
    expect(page.get_by_text("limit must be at least 1, not 0").first).to_be_visible()
    assert len(deployment.ui.runs()) == known, "refused before a run exists"


def write_config(page: Page, options: Mapping[str, str]) -> None:
    """Write run options into the editor of the launchpad."""
    lines = [f"      {name}: {value}" for name, value in options.items()]
    text = "\n".join(["ops:", "  dailystory__customers__changes:", "    config:", *lines, ""])
    page.evaluate(
        """text => {
            const editors = [...document.querySelectorAll('.CodeMirror')].map(node => node.CodeMirror);
            const editor = editors.find(each => each.getValue().includes('ops:'));
            editor.setValue(text); editor.focus(); editor.setCursor(4, 12);
        }""",
        text,
    )


def test_an_empty_table_fails_one_check_and_sends_nothing(deployment: Deployment, page: Page, images: Path) -> None:
    posts = deployment.demo.counts.posts
    with emptied(deployment.demo_url):
        run_id = deployment.ui.launch("dailystory", CUSTOMERS)
        assert deployment.ui.wait(run_id) == "FAILURE"
    failed = [name for name, status in deployment.ui.checks(CUSTOMERS[0]).items() if status == "FAILED"]
    assert failed == ["source_not_empty"], "one failed check"
    assert run_id not in {event["run_id"] for event in deployment.ui.events(CUSTOMERS[1])}
    assert deployment.demo.counts.posts == posts

    page.goto(f"{asset_page(deployment, CUSTOMERS[0], 'checks')}&checkDetail=source_not_empty")
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


def test_a_backfill_of_four_buckets_is_four_runs_one_by_one(deployment: Deployment, page: Page, images: Path) -> None:
    page.goto(group_page(deployment, "more_syncs", "subscribers"))
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Launch backfill").click()
    backfill = wait_for(deployment.ui.backfills, "the backfill")[0]["id"]
    wait_for(lambda: len(deployment.ui.slices(backfill)) == 4, "four runs", 120)
    wait_for(lambda: {run["status"] for run in deployment.ui.slices(backfill)} == {"SUCCESS"}, "four green runs", 120)

    runs = sorted(deployment.ui.slices(backfill), key=lambda run: run["startTime"])
    assert all(one["endTime"] <= other["startTime"] for one, other in pairwise(runs)), "one slot"
    events = deployment.ui.events("dailystory/subscribers/contacts")
    assert {event["partition"] for event in events} == BUCKETS
    assert all(400 < event["rows_created"] < 600 for event in events)
    assert len(deployment.subscribers.contacts()) == data.CUSTOMERS
    assert set(deployment.subscribers.creates_by_identity().values()) == {1}

    wait_for(lambda: deployment.ui.backfills()[0]["status"] == "COMPLETED_SUCCESS", "the completed backfill", 120)
    page.goto(f"{deployment.ui.base}/runs/b/{backfill}")
    expect(page.get_by_text("100% completed")).to_have_count(3)
    page.wait_for_timeout(1000)
    page.screenshot(path=images / "backfill.png", clip={"x": 240, "y": 0, "width": 1040, "height": 430})


def test_progress_is_shown_and_a_terminated_run_loses_nothing(deployment: Deployment, page: Page, images: Path) -> None:
    deployment.leads.configure(latency_seconds=0.3)
    run_id = deployment.ui.launch("more_syncs", LEADS)
    wait_for(lambda: len(deployment.ui.events(LEADS[1], "assetObservations")) >= 4, "progress", 90)
    latest = deployment.ui.events(LEADS[1], "assetObservations")[0]
    assert 0 < latest["progress/percent"] < 100
    assert latest["progress/rows_sent"] + latest["progress/rows_remaining"] == data.CUSTOMERS

    page.goto(asset_page(deployment, LEADS[1]))
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

    page.goto(asset_page(deployment, LEADS[1], "events"))
    page.get_by_text("Hide navigation").click()
    drawn = page.get_by_role("img", name="Rows sent since the start of the send")
    expect(drawn.first).to_be_attached()
    chart = page.get_by_text("outcomes_chart", exact=True)
    photograph(page, chart, images / "sends.png", above=160, height=440, left=370, width=760)


def test_schedules_sensors_and_the_pool_are_shown(deployment: Deployment, page: Page, images: Path) -> None:
    page.goto(f"{deployment.ui.base}/automation")
    for name in ("customers_hourly", "sync_leads_schedule", "retry_subscribers", "alerts_leads"):
        expect(page.get_by_text(name, exact=True)).to_be_visible()
    page.wait_for_timeout(1000)
    page.screenshot(path=images / "automation.png", clip={"x": 240, "y": 0, "width": 1040, "height": 560})
    page.goto(f"{deployment.ui.base}/deployment/concurrency")
    expect(page.get_by_text(POOL, exact=True)).to_be_visible()
    page.wait_for_timeout(1000)
    page.screenshot(path=images / "pool.png", clip={"x": 240, "y": 0, "width": 1040, "height": 270})
