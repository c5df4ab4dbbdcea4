"""docs/dagster.md cannot lie: its code runs, its YAML is valid, its options are all there are."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster.components.testing.utils import create_defs_folder_sandbox

from dagster_dailystory import ContactSync, DailyStorySyncComponent, build_contact_sync_assets
from dagster_dailystory.definitions.ops import CONTACT_CHECKS
from dagster_dailystory.definitions.run_config import option_fields
from dagster_dailystory.engine.planning.guards import GUARD_NAMES

PAGE = (Path(__file__).parents[2] / "docs/dagster.md").read_text(encoding="utf-8")
CUSTOMERS = ContactSync(name="customers", source="customers", key="customer_id", fields={"email": "email"})


def blocks(language: str, word: str) -> list[str]:
    return [text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.S) if word in text]


def rows_of(section: str) -> set[str]:
    """The names in the first column of a section's table."""
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    first = (line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    return {name for cell in first for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("number", range(3))
@pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")
def test_the_code_of_the_page_makes_definitions_that_load(number: int) -> None:
    names: dict[str, object] = {}
    exec(blocks("python", "import")[number], names)
    made = names.get("defs") or dg.Definitions(assets=names["assets"])  # type: ignore[arg-type]  # the page's own
    resources = dict.fromkeys(("warehouse", "dailystory"), dg.ResourceDefinition.none_resource())
    assert isinstance(made, dg.Definitions)
    dg.Definitions.validate_loadable(dg.Definitions.merge(made, dg.Definitions(resources=resources)))


def test_the_run_config_of_the_page_is_valid() -> None:
    resources = dict.fromkeys(("warehouse", "dailystory"), dg.ResourceDefinition.none_resource())
    defs = dg.Definitions(assets=build_contact_sync_assets(CUSTOMERS), resources=resources)
    examples = blocks("yaml", "ops:")
    assert len(examples) == 2
    for example in examples:
        dg.validate_run_config(defs.resolve_implicit_global_asset_job_def(), yaml.safe_load(example))


@pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")  # in Dagster's own sandbox
@pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")
def test_the_component_of_the_page_loads() -> None:
    (example,) = blocks("yaml", "type: dagster_dailystory")
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(
            component_cls=DailyStorySyncComponent, defs_path="customers", defs_yaml_contents=yaml.safe_load(example)
        )
        with sandbox.load_component_and_build_defs(defs_path=path) as (_, defs):
            keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert {f"dailystory/customers/{noun}" for noun in ("changes", "contacts", "contact_map")} <= keys


def test_the_instance_settings_of_the_page_are_accepted(tmp_path: Path) -> None:
    (example,) = blocks("yaml", "concurrency:")
    (tmp_path / "dagster.yaml").write_text(example, encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_concurrency_config().pool_config.pool_granularity is not None


def test_every_option_and_every_check_is_on_the_page() -> None:
    assert rows_of("The assets") - {"dailystory"} >= set(inspect.signature(build_contact_sync_assets).parameters) - {
        "sync"
    }
    assert rows_of("Run options") == set(option_fields(CUSTOMERS))
    assert rows_of("Checks") == {*GUARD_NAMES, *CONTACT_CHECKS}


def test_every_chapter_shows_a_picture_or_code() -> None:
    for chapter in PAGE.split("\n## ")[1:]:
        assert "](images/" in chapter or "```" in chapter or chapter.startswith("Retries"), chapter.splitlines()[0]


def test_the_page_is_under_280_lines() -> None:
    assert len(PAGE.splitlines()) < 280
