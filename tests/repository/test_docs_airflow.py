"""The tables of docs/how-to/airflow.md are complete. Its code runs in `make test-airflow`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from dagster_dailystory.databases.kinds.registry import DATABASES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/airflow.md").read_text(encoding="utf-8")


def cells_of(section: str) -> list[list[str]]:
    """The cells of the tables of a section, without their heads."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows if not row.startswith("| ---")]


def test_every_type_of_a_connection_and_each_extra_is_on_the_page():
    named = {cells[0]: (cells[1], cells[2]) for cells in cells_of("Connections")[1:]}
    assert set(named) == {each.title for each in DATABASES.values()}
    for each in DATABASES.values():
        types, used = named[each.title]
        assert set(re.findall(r"`(\w+)`", types)) == set(each.connection_types)
        own = {"schema"} if each.title == "Databricks" else set()  # which is a field of the connection
        assert used == "the same" or set(each.connection_options) - own <= set(re.findall(r"`(\w+)`", used))


def test_every_argument_of_a_group_is_on_the_page():
    """Read from the source: Airflow is not installed here."""
    arguments = {*arguments_of("groups.py", "contact_sync_group"), *arguments_of("operators.py", "__init__")}
    named = {cells[0].strip("`") for cells in cells_of("The task group") if len(cells) == 3 and cells[1] != "does"}
    assert named - {"argument", "plan", "check", "send"} == arguments


def arguments_of(file: str, function: str) -> set[str]:
    tree = ast.parse((ROOT / "dagster_dailystory/airflow_provider" / file).read_text(encoding="utf-8"))
    found = next(each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name == function)
    return {each.arg for each in (*found.args.args, *found.args.kwonlyargs)} - {"self"}


def test_every_parameter_of_a_run_is_on_the_page():
    section = PAGE.split("\n## Parameters\n")[1].split("\n## ")[0]
    source = (ROOT / "dagster_dailystory/airflow_provider/groups.py").read_text(encoding="utf-8")
    names = re.findall(r'^        "(\w+)": Param\(', source, flags=re.M)
    assert names
    assert set(names) <= set(re.findall(r"`(\w+)`", section))
