"""What the browser tests look at: the demo, the other syncs of `make dev`, and two more, in one Dagster UI."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page
from support.ui_driver import DagsterUi, dagster_ui, free_port, wait_for

from dagster_dailystory.demo import data
from dagster_dailystory.demo.resources import demo_token_file, demo_warehouse_url
from dagster_dailystory.sandbox import Sandbox, SandboxSettings
from dagster_dailystory.sandbox.serving.tokens import token_in
from demo.__main__ import run_demo

ROOT = Path(__file__).parents[2]

WORKSPACE = """\
load_from:
  - python_module: {{module_name: definitions, working_directory: {root!r}, location_name: dailystory}}
  - python_file: {{relative_path: more_syncs.py, location_name: more_syncs}}
"""

MORE_SYNCS = '''\
"""The syncs of `make dev` beside customers; one with a run for each month; one whose progress is watched."""
from pathlib import Path
import dagster as dg
from dagster_dailystory import (
    ContactSync, DailyStoryResource, TimeWindows, WarehouseResource, build_contact_sync_assets, every,
)
from dagster_dailystory.demo.resources import demo_resources
from dagster_dailystory.demo.showcase import showcase

FIELDS = {{"email": "email", "mobilePhone": "mobile_phone", "firstName": "first_name", "city": "city"}}

subscribers = ContactSync(
    name="subscribers", source="customers", key="customer_id", fields=FIELDS,
    partitions=TimeWindows("signed_up_at", "monthly", start="2025-06-01", end="2026-06-01"),
)
leads = ContactSync(name="leads", source="customers", key="customer_id", fields=FIELDS)

def resources(name, base_url):
    warehouse = WarehouseResource(url="duckdb:///{folder}/" + name + ".duckdb")
    return {{f"{{name}}_warehouse": warehouse, f"{{name}}_dailystory": DailyStoryResource(
        base_url=base_url, api_token={token!r}, requests_per_second=400, max_concurrency=8)}}

def assets(sync, **settings):
    keys = dict(warehouse_key=f"{{sync.name}}_warehouse", dailystory_key=f"{{sync.name}}_dailystory")
    return build_contact_sync_assets(sync, group_name=sync.name, deps=[], **keys, **settings)

defs = dg.Definitions.merge(
    dg.Definitions(
        assets=[*assets(subscribers, automation_condition=every("0 6 * * *")), *assets(leads, progress_seconds=2)],
        resources=resources("subscribers", {subscribers_url!r}) | resources("leads", {leads_url!r})
            | demo_resources(Path("{folder}/demo"), {port}),
        executor=dg.in_process_executor,
    ),
    showcase({port}),
)
'''


@dataclass(frozen=True)
class Deployment:
    """A Dagster UI with the syncs, their warehouses and sandboxes.

    Attributes:
        ui: The UI.
        demo_url: The warehouse of the demo.
        demo: The sandbox of the demo.
        subscribers: The sandbox of the sync with this name.
        leads: The sandbox of the sync with this name.
    """

    ui: DagsterUi
    demo_url: str
    demo: Sandbox
    subscribers: Sandbox
    leads: Sandbox

    def group_page(self, group: str, location: str = "more_syncs") -> str:
        return f"{self.ui.base}/locations/__repository__@{location}/asset-groups/{group}/lineage"

    def asset_page(self, key: str, view: str = "overview") -> str:
        return f"{self.ui.base}/assets/{key}?view={view}"

    def run_launched_by(self, click: Locator) -> str:
        """Click, and return the id of the run that this launches."""
        known = {run["runId"] for run in self.ui.runs()}
        click.click()
        found = wait_for(lambda: [run for run in self.ui.runs() if run["runId"] not in known], "a run")
        return str(found[0]["runId"])


def assets_of(sync: str) -> list[str]:
    return [f"dailystory/{sync}/{noun}" for noun in ("changes", "contacts", "contact_map")]


@contextmanager
def started(folder: Path, pool: str) -> Iterator[Deployment]:
    """The demo after `make demo`, the other syncs, which have sent nothing yet, and the UI with all of them."""
    port = free_port()
    run_demo(folder / "demo", port)
    with ExitStack() as running:
        account = SandboxSettings(tokens=(token_in(demo_token_file(folder / "demo")),))  # one token for all
        demo = running.enter_context(Sandbox(account, port=port, store=folder / "demo/sandbox.json"))
        subscribers, leads = running.enter_context(Sandbox(account)), running.enter_context(Sandbox(account))
        for name in ("subscribers", "leads"):
            data.seed(f"duckdb:///{folder}/{name}.duckdb")
        (folder / "workspace.yaml").write_text(WORKSPACE.format(root=str(ROOT)), encoding="utf-8")
        text = MORE_SYNCS.format(
            folder=folder, token=leads.token, port=port, subscribers_url=subscribers.base_url, leads_url=leads.base_url
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
        ui.limit_pool(pool, 1)
        yield Deployment(ui, environment["WAREHOUSE_URL"], demo, subscribers, leads)


def photograph(page: Page, first: Locator, path: Path, *, above: int, height: int, left: int, width: int) -> None:
    """Take a picture of a part of a long page: `height` pixels, from `above` pixels above the locator on."""
    page.set_viewport_size({"width": 1280, "height": 5200})
    page.mouse.move(1200, 3500)
    page.wait_for_timeout(1500)  # for the new layout and its plots
    box = first.bounding_box()
    assert box is not None
    page.screenshot(path=path, clip={"x": left, "y": max(0, box["y"] - above), "width": width, "height": height})


def open_launchpad(page: Page, button: str) -> None:
    """Open the launchpad of the button that materializes."""
    page.get_by_role("button", name=button).first.click(modifiers=["Shift"])
    page.get_by_text("Launchpad (configure assets)").wait_for()
    page.wait_for_timeout(1500)


def write_config(page: Page, text: str) -> None:
    """Write the config of a run into the editor of the launchpad."""
    page.evaluate(
        """text => {
            const editors = [...document.querySelectorAll('.CodeMirror')].map(node => node.CodeMirror);
            const editor = editors.find(each => each.getValue().includes('ops:'));
            editor.setValue(text); editor.focus(); editor.setCursor(4, 12);
        }""",
        text,
    )


def launch_button(page: Page) -> Locator:
    """The button of the launchpad."""
    return page.get_by_text("Materialize", exact=True).last
