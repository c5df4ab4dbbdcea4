"""What holds between the files, whatever is in them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import dagster_dailystory

ROOT = Path(__file__).parents[1]
MODULES = {path.stem: path for path in sorted((ROOT / "dagster_dailystory").glob("*.py"))}
DAGSTER_FILES = {
    "assets", "automation", "component", "component_settings", "demo", "environment", "metadata", "resources",
    "run_options", "steps",
}  # fmt: skip
ENGINE = sorted(MODULES.keys() - DAGSTER_FILES - {"__init__"})
PUBLIC = {"ContactSync", "DailyStoryResource", "WarehouseResource", "build_contact_sync_assets", "run_contact_sync"}


def test_imports_go_one_way():
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("module", ENGINE)
def test_an_engine_module_names_no_dagster(module):
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        imported = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert "dagster" not in {name.partition(".")[0] for name in imported}


def test_importing_the_engine_loads_no_dagster():
    load = "import importlib, sys; [importlib.import_module('dagster_dailystory.' + name) for name in sys.argv[1:]]"
    check = "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'dagster')[:1])"
    ran = subprocess.run(
        [sys.executable, "-c", f"{load}; {check}", *ENGINE], capture_output=True, text=True, check=False
    )
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_at_most_350_lines(module):
    assert len(MODULES[module].read_text().splitlines()) <= 350


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is_for(module):
    assert ast.get_docstring(ast.parse(MODULES[module].read_text()))


def test_a_dagster_file_keeps_its_annotations_as_values():
    """Dagster reads them when a function is decorated; postponed ones are plain text to it."""
    for module in DAGSTER_FILES & MODULES.keys():
        assert "from __future__ import annotations" not in MODULES[module].read_text()


def test_the_public_names_are_few_and_exist():
    names = dagster_dailystory.__all__
    assert set(names) >= PUBLIC
    assert len(names) == len(set(names)) <= 14
    assert all(hasattr(dagster_dailystory, name) for name in names)


def test_no_tracked_file_names_a_machine_or_a_package_host():
    folders = r"(^|[^\w.:/-])/(home|root|work|farm|tmp|Users|mnt)/[A-Za-z]"
    hosts = r"index[-_]url|/simple[/]|//registry[.]|python[h]osted"
    found = [
        f"{path}:{number}"
        for path in tracked_files()
        for number, line in enumerate((ROOT / path).read_text(errors="replace").splitlines(), start=1)
        if re.search(f"{folders}|{hosts}", line)
    ]
    assert found == []


def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout, so there are no tracked files to look at")
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]
