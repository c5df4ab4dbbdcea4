"""The files beside the package agree with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import dagster_dailystory

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
    """But Airflow, which pins so much that it has an environment of its own."""
    extras = {name: extra for name, extra in PROJECT["project"]["optional-dependencies"].items() if name != "airflow"}
    wanted = [*PROJECT["project"]["dependencies"], *(name for extra in extras.values() for name in extra)]
    names = {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in wanted} - {PROJECT["project"]["name"]}
    constrained = {line.partition("==")[0].lower() for line in CONSTRAINTS.splitlines()}
    assert names <= constrained


def test_the_pythons_that_the_package_claims_are_tested():
    [tested] = re.findall(r"^PYTHONS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    claimed = [each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if "Python ::" in each]
    lowest, highest = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["project"]["requires-python"]).groups()
    assert tested.split() == claimed == [f"3.{minor}" for minor in range(int(lowest), int(highest))]


def test_the_version_is_that_of_the_newest_release_notes():
    newest = re.search(r"^## \[(\S+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest[1] == dagster_dailystory.__version__


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda form: form.stem
)
def test_an_issue_form_has_the_fields_that_a_form_needs(form):
    content = yaml.safe_load(form.read_text())
    assert {"name", "description", "labels", "body"} <= content.keys()
    for field in content["body"]:
        shown = field["attributes"]
        assert field["type"] in ("markdown", "textarea", "input", "dropdown")
        assert all(isinstance(option, str) for option in shown.get("options", []))
        assert "value" in shown if field["type"] == "markdown" else {"id", "type"} <= field.keys() and shown["label"]


@pytest.mark.parametrize("target", ["help", "demo", "test", "dev", "dist", "lint", "types", "defs", "ci"])
def test_a_make_target_has_a_help_text(target):
    assert re.search(rf"^{target}:.*## \S", (ROOT / "Makefile").read_text(), re.MULTILINE)
