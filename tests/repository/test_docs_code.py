"""Every code block of README.md and docs/ runs, in the order of its page, and prints what the page shows.

A block is a file if it has a title (`title="syncs.py"`), else it is run by its language. A `text` block after commands
is what they print. A comment before a block says why it cannot run here: `<!-- not run: reason -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.page_blocks import PAGES, ROOT, Block, blocks_of
from support.page_stage import PageStage

from dagster_dailystory import ContactSync, open_sync, run_contact_sync
from dagster_dailystory.databases.connect import open_engine
from dagster_dailystory.sandbox import Sandbox

RUN_BY_ANOTHER_TEST = {
    ("docs/reference/dagster.md", "postgres_url"): "tests/definitions/test_storage_in_postgresql.py",
    ("docs/how-to/airflow.md", "airflow"): "tests/airflow_provider/test_docs.py",
}
"""Page, and a word of one of its blocks -> the test that runs the block, because it needs more than a page has."""

NEEDED = {"docs/tutorials/dbt.md": "dagster_dbt", "docs/tutorials/airflow.md": "airflow"}
"""Page -> the package that it needs, which an environment of its own has."""

BEFORE = {
    "docs/reference/python.md": """\
import os
from dataclasses import replace
import dagster as dg
from dagster_dailystory import *
run_contact_sync(replace(customers, name="customers_old"), **ends)
"""
}
"""Page -> what its examples take for granted."""

SHOWN_ONLY = {"", "text"}
"""Languages of blocks that are not code."""
NOT_RUN = {
    "a command of the checkout, which CI runs": 1,
    "installs from a package registry": 6,
    "test_state_sql.py parses it": 1,
    "needs an account of DailyStory": 1,
    "the page goes on with the state where it was": 1,
    "needs Airflow; the tested DAGs are in docs/how-to/airflow.md": 2,
}
"""Reason -> the number of blocks that it keeps from running."""

CHANGES = (
    r"\d{8}T\d{12}-[0-9a-f]{4}",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    r"[0-9a-f]{32}",
    r"[0-9]+ requests in \d+\.\d s",
)
CHANGING = re.compile("|".join(CHANGES))
TUTORIALS = [page for page in PAGES if page.startswith("docs/tutorials/")]
OTHERS = [
    page for page in PAGES if page not in TUTORIALS and any(each.language not in SHOWN_ONLY for each in blocks_of(page))
]
SYNCS = """\
from dagster_dailystory import ContactSync

customers = ContactSync(
    name="customers",
    source="analytics.customers",
    key="customer_id",
    fields={"email": "email", "firstName": "first_name", "city": "city"},
)
"""
TABLES = (
    "create schema analytics",
    "create table analytics.customers as select i::integer as customer_id, 'p' || i || '@example.com' as email,"
    " 'Name' as first_name, 'Paris' as city, 'free' as plan from range(1, 7) numbers(i)",
    "insert into analytics.customers values (1001, 'ann@example.com', 'Ann', 'Oslo', 'gold')",
)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[PageStage]:
    """A table that was sent to the sandbox, one row that was changed after it, and the sync in syncs.py."""
    url = f"duckdb:///{tmp_path / 'warehouse.duckdb'}"
    execute(url, *TABLES)
    (tmp_path / "syncs.py").write_text(SYNCS, encoding="utf-8")
    with Sandbox() as sandbox:
        account = {"base_url": sandbox.base_url, "api_token": sandbox.token}
        variables = {
            "WAREHOUSE_URL": url,
            "DAILYSTORY_BASE_URL": sandbox.base_url,
            "DAILYSTORY_API_TOKEN": sandbox.token,
            "DAILYSTORY_REQUESTS_PER_SECOND": "1000",
            "DAGSTER_HOME": str(tmp_path),
        }
        stage = PageStage(tmp_path, variables)
        exec(SYNCS, stage.names)
        customers = stage.names["customers"]
        assert isinstance(customers, ContactSync)
        ends = {"warehouse_url": url, **account, "requests_per_second": 1000.0}
        stage.names |= {**ends, "ends": ends}
        for change in ("select 1", "update analytics.customers set city = 'Rome' where customer_id = 2"):
            execute(url, change)
            run_contact_sync(customers, **ends)
        with open_sync(customers, warehouse_url=url) as records:
            stage.names["records"] = records
            run_id = str(records.runs()["run_id"].iloc[0])
        stage.words |= {
            "RUN_ID": run_id,
            "postgresql+psycopg://sync@warehouse/analytics": url,
            "https://us-1.dailystory.com/api/v1": sandbox.base_url,
            'requests_per_second": 10': 'requests_per_second": 1000',
        }
        yield stage
        stage.close()


def execute(url: str, *statements: str) -> None:
    with open_engine(url).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")  # in Dagster's own sandbox
@pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")
@pytest.mark.parametrize("page", OTHERS)
def test_the_code_of_a_page_runs(page: str, stage: PageStage) -> None:
    exec(BEFORE.get(page, ""), stage.names)
    run_page(page, stage)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", TUTORIALS)
def test_a_tutorial_runs_to_its_end(page: str, tmp_path: Path) -> None:
    pytest.importorskip(NEEDED.get(page, "dagster"))
    stage = PageStage(tmp_path, {})
    try:
        run_page(page, stage)
    finally:
        stage.close()


def run_page(page: str, stage: PageStage) -> None:
    printed: str | None = None
    for block in blocks_of(page):
        if block.language == "text" and printed is not None:
            assert re.search(pattern(block.text), printed), f"{page}:{block.line}\n{printed}"
        elif block.language not in SHOWN_ONLY and not block.reason and not run_elsewhere(block):
            try:
                printed = stage.run(block)
            except Exception as error:
                raise AssertionError(f"{page}:{block.line}: {error}") from error


def pattern(shown: str) -> str:
    """Text of a page -> the pattern of what is printed: ids, times and durations differ, and so does trailing space."""
    texts, found = CHANGING.split(shown.strip()), CHANGING.findall(shown.strip())
    kinds = [next(each for each in CHANGES if re.fullmatch(each, text)) for text in found]
    escaped = [
        re.escape(text).replace(
            r"\
",
            r"[ ]*\n",
        )
        for text in texts
    ]
    return "".join(part for pair in zip(escaped, [*kinds, ""], strict=True) for part in pair)


def run_elsewhere(block: Block) -> bool:
    return any(page == block.page and word in block.text for page, word in RUN_BY_ANOTHER_TEST)


def test_each_block_that_another_test_runs_exists() -> None:
    for (page, word), test in RUN_BY_ANOTHER_TEST.items():
        assert [block for block in blocks_of(page) if word in block.text], page
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")


def test_the_blocks_that_do_not_run_are_counted() -> None:
    found: dict[str, int] = {}
    for page in PAGES:
        for block in blocks_of(page):
            if block.reason:
                found[block.reason] = found.get(block.reason, 0) + 1
    assert found == NOT_RUN


def test_every_fence_is_a_block() -> None:
    for page in PAGES:
        fences = len(re.findall(r"^ *```", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE))
        assert len(blocks_of(page)) * 2 == fences, page


def test_the_tutorial_with_dbt_installs_the_release_that_runs_it() -> None:
    page = (ROOT / "docs/tutorials/dbt.md").read_text(encoding="utf-8")
    tried = (ROOT / "tests/environments/dbt.txt").read_text(encoding="utf-8")
    [below] = re.findall(r"^dbt-core>=.*(<[\d.]+)$", tried, flags=re.MULTILINE)
    assert f"'dbt-core{below}'" in page


def test_no_command_ends_with_a_comment() -> None:
    """The interactive zsh, the shell of macOS, takes it for more arguments."""
    for page in PAGES:
        lines = [line for block in blocks_of(page) if block.language == "console" for line in block.text.splitlines()]
        assert [line for line in lines if re.search(r"\S\s+# ", line)] == []
