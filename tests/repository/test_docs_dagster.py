"""The pages about Dagster are complete: their tables have every option, and their components make what they should."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from dagster.components.testing.utils import create_defs_folder_sandbox
from support.defs_yaml import definitions

import dagster_dailystory
from dagster_dailystory import (
    ContactSync,
    DailyStoryResource,
    DailyStorySyncComponent,
    WarehouseResource,
    build_contact_sync_assets,
)
from dagster_dailystory.definitions import automation
from dagster_dailystory.definitions.component.automation_settings import (
    AlertSettings,
    DriftCheckSettings,
    FlappingCheckSettings,
    ObservedSourceSettings,
    RetrySettings,
    ScheduleSettings,
)
from dagster_dailystory.definitions.component.settings import (
    DailyStorySettings,
    FrameSettings,
    Slices,
    WarehouseSettings,
    WatermarkSettings,
)
from dagster_dailystory.definitions.run_config import SendConfig, option_fields
from dagster_dailystory.engine.planning.guards import GUARD_NAMES
from dagster_dailystory.engine.upkeep.alerts.conditions import ConditionKind
from dagster_dailystory.engine.upkeep.checks import SEND_CHECKS, plan_check_texts

DOCS = Path(__file__).parents[2] / "docs"
PAGE, *OTHERS = (
    (DOCS / name).read_text(encoding="utf-8")
    for name in ("reference/dagster.md", "how-to/automation.md", "how-to/backfills.md")
)
PAGES = "\n".join([PAGE, *OTHERS])
CUSTOMERS = ContactSync(name="customers", source="customers", key="customer_id", fields={"email": "email"})


def blocks(language: str, word: str) -> list[str]:
    return [text for text in re.findall(rf"```{language}\n(.*?)```", PAGES, flags=re.S) if word in text]


def table_of(section: str) -> list[list[str]]:
    """The cells of the tables of a section whose first cell is code."""
    text = PAGES.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def names_of(section: str) -> set[str]:
    """The names in the first column of a section's tables."""
    return {name for cells in table_of(section) for name in re.findall(r"`(\w+)`", cells[0])}


def calls_of(section: str) -> dict[str, str]:
    """Function -> its parameters, of a table whose first column shows calls."""
    calls = (re.fullmatch(r"`(\w+)\((.*)\)`", cells[0]) for cells in table_of(section))
    return {call[1]: call[2] for call in calls if call}


def parameters(function: Callable[..., object]) -> str:
    """The parameters of a function with their defaults, as the page writes them."""
    texts = []
    for name, parameter in inspect.signature(function).parameters.items():
        default = parameter.default
        texts.append(name if default is parameter.empty else f"{name}={default!r}".replace("'", '"'))
    return ", ".join(texts)


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


def test_the_component_of_the_page_shows_what_decides_about_values() -> None:
    (example,) = blocks("yaml", "type: dagster_dailystory")
    settings = {"default_region", "invalid", "known_custom_fields", "nulls", "on_deleted", "deletes"}
    assert settings <= yaml.safe_load(example)["attributes"].keys()


def test_every_argument_run_option_and_check_is_on_the_page() -> None:
    assert names_of("The assets") == set(inspect.signature(build_contact_sync_assets).parameters) - {"sync"}
    assert names_of("Run options") == set(option_fields(CUSTOMERS))
    approving = replace(CUSTOMERS, require_approval=True)
    assert names_of("Checks") == {*GUARD_NAMES, *plan_check_texts(approving), *SEND_CHECKS}
    assert names_of("Approval") == set(SendConfig.model_fields)


def test_every_setting_of_the_resources_is_on_the_page() -> None:
    settings = {*WarehouseResource.model_fields, *DailyStoryResource.model_fields}
    assert names_of("The resources") == settings


def test_every_setting_of_the_component_is_on_the_page() -> None:
    own = set(DailyStorySyncComponent.model_fields) - set(inspect.signature(ContactSync).parameters)
    nested = (WarehouseSettings, DailyStorySettings, FrameSettings, Slices, WatermarkSettings)
    assert names_of("A sync as YAML") == own | {name for each in nested for name in each.model_fields}
    checks = (DriftCheckSettings, FlappingCheckSettings)
    automation = (ScheduleSettings, RetrySettings, AlertSettings, *checks, ObservedSourceSettings)
    assert names_of("In YAML") == {name for each in automation for name in each.model_fields}


def test_every_condition_of_an_alert_is_on_the_page() -> None:
    assert names_of("Alerts") == {kind.value for kind in ConditionKind}


@pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")  # in Dagster's own sandbox
@pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")
def test_the_automation_of_the_page_loads() -> None:
    (example,) = blocks("yaml", "webhook:")
    sync = {"name": "customers", "source": "analytics.customers", "key": "id", "fields": {"email": "email"}}
    made = definitions({**sync, **yaml.safe_load(example)})
    assert {each.name for each in made.sensors or ()} == {"retry_customers", "alerts_customers"}


def test_every_automation_function_is_on_the_page_with_its_parameters() -> None:
    public = {name: getattr(dagster_dailystory, name) for name in dagster_dailystory.__all__}
    functions = {
        name: each
        for name, each in public.items()
        if inspect.isfunction(each) and each.__module__.startswith(automation.__name__)
    }
    assert functions
    assert calls_of("Functions") == {name: parameters(each) for name, each in functions.items()}


def test_every_chapter_has_a_picture_or_code() -> None:
    for chapter in PAGE.split("\n## ")[1:]:
        assert "](../images/" in chapter or "```" in chapter or chapter.startswith("Retries"), chapter.splitlines()[0]


def test_the_page_is_under_320_lines() -> None:
    assert len(PAGE.splitlines()) < 320
