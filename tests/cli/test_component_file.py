"""A sync that is named by the `defs.yaml` of its component."""

from __future__ import annotations

import pytest
import yaml
from support.console import Console

from dagster_dailystory.cli.exit_codes import ExitCode

pytestmark = [  # raised by Dagster's YAML loader
    pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated"),
    pytest.mark.filterwarnings("ignore:Class `[A-Za-z]*CodeReference"),
]

CUSTOMERS = {"source": "customers", "key": "customer_id", "fields": {"email": "email", "firstName": "first_name"}}


def write_component(console: Console, *components: dict[str, object]) -> str:
    """A Dagster project with one `defs.yaml`; returns the path of the file."""
    package = console.module
    folder = console.folder / package / "defs" / "customers"
    folder.mkdir(parents=True)
    (console.folder / f"{package}.py").unlink()
    for each in (folder.parent.parent, folder.parent):
        (each / "__init__.py").touch()
    (console.folder / "pyproject.toml").write_text(f'[tool.dg.project]\nroot_module = "{package}"\n')
    documents = [{"type": "dagster_dailystory.DailyStorySyncComponent", "attributes": each} for each in components]
    (folder / "defs.yaml").write_text(yaml.safe_dump_all(documents))
    return f"{package}/defs/customers/defs.yaml"


def test_sync_warehouse_and_account_come_from_the_file(console: Console):
    environment = console.environment
    file = write_component(
        console,
        {
            **CUSTOMERS,
            "name": "customers",
            "warehouse": {"url_variable": "CUSTOMERS_URL", "state_url_variable": "CUSTOMERS_STATE"},
            "dailystory": {"base_url": environment["DAILYSTORY_BASE_URL"], "api_token_variable": "CUSTOMERS_TOKEN"},
        },
    )
    others = dict.fromkeys(environment)
    given = {
        "CUSTOMERS_URL": environment["WAREHOUSE_URL"],
        "CUSTOMERS_STATE": f"sqlite:///{console.folder}/state.db",
        "CUSTOMERS_TOKEN": environment["DAILYSTORY_API_TOKEN"],
    }
    for missing in given:
        ran = console.invoke("run", file, **others, **{**given, missing: None})
        assert f"set the environment variable {missing}" in ran.stderr
    ran = console.invoke("run", file, **others, **given)
    assert (ran.exit_code, len(console.scenario.sandbox.contacts())) == (0, 3), ran.stderr
    assert (console.folder / "state.db").exists()


def test_a_file_with_several_syncs_needs_the_name_of_one(console: Console):
    file = write_component(console, *({**CUSTOMERS, "name": name} for name in ("customers", "others")))
    ran = console.invoke("plan", file)
    assert ran.exit_code == ExitCode.USAGE
    assert "FILE:NAME; it describes customers, others" in ran.stderr
    assert "of sync others is ready" in console.invoke("plan", f"{file}:others").stdout


def test_a_wrong_setting_is_named(console: Console):
    file = write_component(console, {**CUSTOMERS, "name": "customers", "deletes": "kep"})
    ran = console.invoke("plan", file)
    assert ran.exit_code == ExitCode.USAGE
    assert "deletes='kep' is not one of keep, deactivate, delete; did you mean 'keep'?" in ran.stderr
    assert ran.stderr.count("\n") == 1
