"""The rules of CONTRIBUTING.md for files and folders, each held by one test."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import dagster_dailystory
from dagster_dailystory.databases.kinds.registry import DATABASES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dagster_dailystory"
MODULES = sorted(PACKAGE.rglob("*.py"))
WITH_DAGSTER = ("definitions", "demo")
WITH_AIRFLOW = ("airflow_provider",)
PUBLIC = {"ContactSync", "DailyStoryResource", "WarehouseResource", "build_contact_sync_assets", "run_contact_sync"}
MOST_LINES = 400
MOST_FUNCTION_LINES = 40
MOST_ENTRIES = {
    "": 13,  # the root, and the sandbox, which is a separate program
    "sandbox": 12,
}
USUAL_ENTRIES = 9


def inner(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_imports_go_one_way():
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


def test_importing_the_engine_loads_no_dagster():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in MODULES
        if path.stem not in ("__init__", "__main__") and not inner(path).startswith((*WITH_DAGSTER, *WITH_AIRFLOW))
    ]
    load = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    check = "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'dagster')[:1])"
    ran = subprocess.run(
        [sys.executable, "-c", f"{load}; {check}", *modules], capture_output=True, text=True, check=False
    )
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


def test_only_the_databases_folder_names_a_database():
    """In code; a comment may say which database is the reason for a line, and an example may have a URL."""
    names = {*DATABASES, *(each.title for each in DATABASES.values())}
    named = {
        f"{inner(path)}: {node.value!r}"
        for path in MODULES
        if not inner(path).startswith(("databases", "demo"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
        if (inner(path), node.value) != ("definitions/component/component.py", "postgresql")  # an example
    }
    assert named == set()


def test_only_one_module_makes_senders():
    """It gives each the rate of the account. An examination makes one where no state can be opened."""
    made = {
        inner(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Sender"
    }
    assert made == {"engine/account/senders.py", "engine/upkeep/doctor/checks.py"}


def test_a_file_has_at_most_400_lines():
    assert [inner(path) for path in MODULES if len(path.read_text().splitlines()) > MOST_LINES] == []


def test_a_function_has_at_most_40_lines():
    """With its decorators, without its docstring."""
    too_long = {
        f"{inner(path)}:{function.lineno} {function.name}": lines
        for path in MODULES
        for function in functions(path)
        if (lines := lines_of(function)) > MOST_FUNCTION_LINES
    }
    assert too_long == {}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = min(function.lineno, *(decorator.lineno for decorator in function.decorator_list), function.lineno)
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    docstring_lines = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return (function.end_lineno or 0) - first + 1 - docstring_lines


def test_a_folder_has_at_most_nine_entries():
    entries: dict[str, int] = {}
    for path in (*MODULES, *(each for each in PACKAGE.rglob("*") if each.is_dir())):
        if path.name not in ("__init__.py", "__pycache__"):
            folder = inner(path.parent).replace(".", "")
            entries[folder] = entries.get(folder, 0) + 1
    assert {folder: count for folder, count in entries.items() if count > MOST_ENTRIES.get(folder, USUAL_ENTRIES)} == {}


def test_a_module_has_a_docstring():
    assert [inner(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_a_dagster_file_does_not_postpone_annotations():
    """Dagster reads them when a function is decorated; postponed annotations are only text then."""
    postponed = "from __future__ import annotations"
    assert [inner(p) for p in MODULES if inner(p).startswith("definitions/") and postponed in p.read_text()] == []


def test_the_public_names_exist():
    names = dagster_dailystory.__all__
    assert set(names) >= PUBLIC
    assert len(names) == len(set(names))
    assert all(hasattr(dagster_dailystory, name) for name in names)


def test_an_error_that_is_silenced_has_a_reason():
    """A comment at `suppress`, `except Exception` and the `pass` of a handler, or on the line before."""
    assert [f"{inner(path)}:{line}" for path in MODULES for line in silenced(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("with suppress(OSError):\n    f()", [1]),
        ("with suppress(OSError):  # why\n    f()\n# why\nwith contextlib.suppress(OSError), g() as h:\n    f()", []),
        ("try:\n    f()\nexcept OSError:\n    pass", [4]),
        ("try:\n    f()\nexcept OSError:\n    pass  # why\nexcept Exception as error:\n    g(error)", [5]),
        ("try:\n    f()\nexcept (KeyError, BaseException):  # why\n    pass\nelse:\n    pass", []),
    ],
)
def test_a_silenced_error_is_found(code: str, lines: list[int]):
    assert list(silenced(code)) == lines


def silenced(code: str) -> Iterator[int]:
    """The lines that silence an error, or catch every one, without a reason."""
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        places: tuple[int, ...] = ()
        if isinstance(node, ast.With) and any("suppress(" in ast.unparse(each.context_expr) for each in node.items):
            places = (node.lineno,)
        elif isinstance(node, ast.ExceptHandler):
            is_wide = re.search(r"\b(Base)?Exception\b", "" if node.type is None else ast.unparse(node.type))
            is_bare = [each.lineno for each in node.body if isinstance(each, ast.Pass)]
            places = (node.lineno, *is_bare) if is_wide or node.type is None else tuple(is_bare)
        before = [lines[place - 2].lstrip() for place in places if place > 1]
        is_explained = any(each.startswith("#") for each in before) or any("  # " in lines[each - 1] for each in places)
        if places and not is_explained:
            yield places[-1]


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
        pytest.skip("this is not a git checkout")
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]
