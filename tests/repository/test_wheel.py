"""The wheel that pip installs: its demo runs in any folder, and leaves that folder alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from dagster_dailystory.api.environment import OPTIONAL, REQUIRED

ROOT = Path(__file__).parents[2]
DEMO = ("-m", "dagster_dailystory.demo")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    pip("install", "--target", str(target), str(wheel))
    return target


def pip(command: str, *arguments: str) -> None:
    offline = ("--no-index", "--no-deps", "--quiet", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", command, *offline, *arguments], check=True, timeout=120)


def run(installed: Path, folder: Path, *arguments: str) -> str:
    """Run Python where the package is the installed one and the repository cannot be imported."""
    libraries = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    environment = {name: value for name, value in os.environ.items() if name not in (*REQUIRED, *OPTIONAL)}
    environment |= {"PYTHONPATH": os.pathsep.join([str(installed), *libraries]), "TMPDIR": str(folder.parent)}
    environment.pop("DAGSTER_HOME", None)
    done = subprocess.run(
        [sys.executable, "-S", *arguments],  # -S reads no .pth file, so not that of the editable install either
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to run in; its parent is the folder for temporary files."""
    made = tmp_path / "current"
    made.mkdir()
    return made


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    needed = ("demo/customers.sql", "sandbox/page/page.css", "sandbox/page/page.js")
    assert {f"dagster_dailystory/{name}" for name in needed} <= set(names)
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"dagster_dailystory"}


def test_the_links_and_pictures_of_the_description_are_whole_addresses(wheel: Path) -> None:
    built = zipfile.ZipFile(wheel)
    [name] = [name for name in built.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = built.read(name).decode()
    source = re.search(r"^Project-URL: Source, (.*)$", metadata, re.MULTILINE)
    assert source is not None
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    shown = re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", metadata.partition("\n\n")[2])
    assert len(shown) == len(links) > 20
    for (picture, path), (_, address) in zip(links, shown, strict=True):
        is_whole = path.startswith(("https://", "#"))
        assert address == (path if is_whole else f"{source[1]}/{'raw' if picture else 'blob'}/main/{path}")
    assert "Description-Content-Type: text/markdown" in metadata


def test_pip_installs_the_command(installed: Path, folder: Path) -> None:
    script = str(installed / "bin" / "dagster-dailystory")
    assert "contact-map" in run(installed, folder, script, "--help")
    assert run(installed, folder, script, "--version").startswith("dagster-dailystory, version ")


def test_these_tests_import_the_installed_package_only(installed: Path, folder: Path) -> None:
    find = "import sys, dagster_dailystory as d, importlib.util as u; print(d.__file__, u.find_spec('definitions'))"
    assert run(installed, folder, "-c", find).split() == [str(installed / "dagster_dailystory/__init__.py"), "None"]


def test_the_installed_demo_leaves_its_folder_as_it_was(installed: Path, folder: Path) -> None:
    files = {
        folder / "definitions.py": "raise AssertionError('imported by the demo')\n",
        folder / ".demo" / "notes.txt": "to be kept\n",
    }
    for file, text in files.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    shown = run(installed, folder, *DEMO)
    assert "First run" in shown
    assert "Second run" in shown
    assert "1,995  created in DailyStory" in shown
    assert str(installed / "dagster_dailystory/demo/definitions.py") in shown
    assert "make " not in shown
    assert sorted(folder.rglob("*")) == sorted([*files, folder / ".demo"])
    assert {file: file.read_text(encoding="utf-8") for file in files} == files
    assert list(folder.parent.iterdir()) == [folder], "the temporary folder is removed"
