"""The README is true: its links lead to files, and its tables are complete."""

from __future__ import annotations

import inspect
import os
import re
import textwrap
from enum import Enum
from pathlib import Path

import pytest

from dagster_dailystory import ContactSync, SyncReport, run_contact_sync
from dagster_dailystory.api.environment import OPTIONAL, REQUIRED
from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.engine.state.lease import open_session
from dagster_dailystory.engine.state.schema import SYNC_TABLES, SharedTables, StateLocation
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.sandbox import Sandbox
from dagster_dailystory.sandbox.settings import SandboxSettings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_under_200_lines() -> None:
    assert len(README.splitlines()) < 200


@pytest.mark.parametrize("page", ["README.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))])
def test_every_link_of_a_page_leads_to_a_file(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in targets if not ((ROOT / page).parent / link).exists()] == []


def test_every_table_of_the_readme_exists(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    sync = ContactSync(name="name", source="people", key="id", fields={"email": "email"})
    with open_engine(url).begin() as connection:
        connection.exec_driver_sql("create table people (id, email)")
        connection.exec_driver_sql("insert into people values (1, 'ann@example.com')")
    with Sandbox() as sandbox:
        run_contact_sync(sync, warehouse_url=url, base_url=sandbox.base_url, api_token=sandbox.token, dry_run=True)
    with open_session(sync, Warehouse.at(url).state) as (state, _), state.connection.begin():
        made = set(state.connection.exec_driver_sql("select name from sqlite_master").scalars())
    named = {name.lower() for name in re.findall(r"`(dailystory_[A-Za-z_]+)`", README)} - {"dailystory_sandbox"}
    assert named - {"dagster_dailystory"} <= made


def rows(section: str) -> list[list[str]]:
    """The cells of the tables of a section."""
    text = README.split(f"## {section}\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")]


def test_every_setting_of_a_sync_is_in_the_readme_with_its_default() -> None:
    defaults = {
        name: "required" if parameter.default is parameter.empty else plain(parameter.default)
        for name, parameter in inspect.signature(ContactSync).parameters.items()
    }
    assert {cells[0].strip("`"): cells[1].strip("`") for cells in rows("Settings of a sync")} == defaults


def plain(default: object) -> str:
    """A default as the README writes it."""
    if repr(default) == "<factory>":
        return "{}"
    return str(default.value if isinstance(default, Enum) else default)


def test_every_state_table_is_in_the_readme() -> None:
    named = {name for cells in rows("The tables") for name in re.findall(r"`(\w+)`", cells[0])}
    shared = {table.name for table in SharedTables(StateLocation("sqlite://")).metadata.sorted_tables}
    assert named == shared | {f"dailystory_NAME_{name}" for name in SYNC_TABLES}


def test_every_variable_of_the_environment_is_in_the_readme() -> None:
    named = {name for cells in rows("A real sync") for name in re.findall(r"`(\w+)`", cells[0])}
    assert named == {*REQUIRED, *OPTIONAL}


def test_the_counts_of_a_run_in_the_readme_are_those_of_the_report() -> None:
    """`UPDATE_DOCS=1 pytest tests/repository/test_readme.py` writes them."""
    names = ", ".join(f"`{name}`" for name in SyncReport("customers", "plan", "done").numbers())
    counts = textwrap.fill(f"Every count is a plot: {names}.", 120, break_long_words=False)
    page = re.sub(r"^Every count is a plot: .*?\.$", counts, README, count=1, flags=re.M | re.S)
    if os.environ.get("UPDATE_DOCS"):
        (ROOT / "README.md").write_text(page, encoding="utf-8")
    assert (ROOT / "README.md").read_text(encoding="utf-8") == page


def test_every_switch_of_the_service_page_exists() -> None:
    page = (ROOT / "docs/explanation/service.md").read_text(encoding="utf-8").partition("## Find out")[0]
    cells = [row.split("|")[-2] for row in page.splitlines() if row.startswith("| U")]
    named = {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)} - {"cut_before", "cut_after"}
    assert named <= set(inspect.signature(SandboxSettings).parameters)
