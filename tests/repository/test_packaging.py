"""The files beside the package agree with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONSTRAINTS = (ROOT / "constraints.txt").read_text()


def test_production_and_development_load_the_same_location():
    """Dagster stores which schedules and sensors are on by location name, and would forget it under another name."""
    [entry] = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    developers = PROJECT["tool"]["dg"]["project"]
    assert entry["python_module"]["module_name"] == developers["code_location_target_module"]
    assert entry["python_module"]["location_name"] == developers["code_location_name"]


def test_the_location_is_definitions_py():
    assert (ROOT / f"{PROJECT['tool']['dg']['project']['code_location_target_module']}.py").is_file()


def test_the_constraints_are_versions_without_addresses():
    assert all(re.match(r"[\w.-]+==\S+( ; .+)?$", line) for line in CONSTRAINTS.splitlines())


def test_every_dependency_is_constrained():
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(name for extra in extras for name in extra)]
    names = {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in wanted} - {PROJECT["project"]["name"]}
    constrained = {line.partition("==")[0].lower() for line in CONSTRAINTS.splitlines()}
    assert names <= constrained


@pytest.mark.parametrize("target", ["help", "demo", "test", "dev", "lint", "types", "defs", "ci"])
def test_a_make_target_has_a_help_text(target):
    assert re.search(rf"^{target}:.*## \S", (ROOT / "Makefile").read_text(), re.MULTILINE)
