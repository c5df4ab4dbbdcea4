"""docs/reference/python.md and component.md are made from the docstrings of the public names (`UPDATE_DOCS=1`)."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support.docstrings import documented

import dagster_dailystory
from dagster_dailystory import DailyStorySyncComponent, SyncRecords
from dagster_dailystory.definitions.component import automation_settings, settings

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
CHAPTERS: Mapping[str, tuple[str, ...]] = {
    "The sync": ("ContactSync", "FrameSource", "Watermark", "HashBuckets", "ColumnValues", "TimeWindows"),
    "Without an orchestrator": (
        *("run_contact_sync", "plan_contact_sync", "send_contact_sync", "adopt_contacts", "examine_contact_sync"),
        *("open_sync", "SyncRecords", "retire_sync", "AccountOptions"),
    ),
    "In Dagster": (
        *("build_contact_sync_assets", "WarehouseResource", "DailyStoryResource", "resources_from_environment"),
        "PlanConfig",
    ),
    "Automation": (
        *("every", "sync_schedule", "retry_sensor", "partition_sensor", "alert_sensors", "Alert", "observed_source"),
        *("drift_check", "flapping_check", "history_asset"),
    ),
    "Results": ("SyncReport", "PlanSummary", "AdoptionReport", "ExaminationReport", "Finding", "ForgottenHash"),
    "Errors": (
        *("DailyStoryError", "ConfigurationError", "AuthenticationError", "SafetyError", "OutageError", "StateError"),
        *("WarehouseError", "BusyError"),
    ),
}
NESTED = [
    each
    for module in (settings, automation_settings)
    for each in vars(module).values()
    if isinstance(each, type) and each.__module__ == module.__name__ and getattr(each, "model_fields", None)
    if not issubclass(DailyStorySyncComponent, each)  # whose settings have those of its bases
]
IN_YAML = {
    "`FrameSource()`": "`{frame: analytics/scored_customers}`, the key of an asset that returns a DataFrame",
    '`HashBuckets(8)`, `ColumnValues("region", ["emea", "amer"])` or `TimeWindows("signed_up_at", "monthly",'
    ' start="2024-01-01")`': "`{buckets: 8}`, `{column: region, values: [emea, amer]}` or"
    ' `{column: signed_up_at, every: monthly, start: "2024-01-01"}`',
    '`Watermark("updated_at")`': "`{column: updated_at}`",
}
"""What a setting takes in Python -> in YAML."""
PYTHON = """# In Python

The public names of `dagster_dailystory`, made from their docstrings. [In Dagster](dagster.md) shows them in use.
"""
COMPONENT = """# In YAML

The settings of a `DailyStorySyncComponent` in a `defs.yaml`, made from the code.
[A sync as YAML](dagster.md#a-sync-as-yaml) has an example.
"""


def python_page() -> Iterator[str]:
    yield PYTHON
    for chapter, names in CHAPTERS.items():
        yield f"## {chapter}\n"
        for name in names:
            value = getattr(dagster_dailystory, name)
            yield "\n\n".join([f"### {name}", *documented(value)]) + "\n"
            if value is SyncRecords:
                yield from methods(value)


def methods(owner: type) -> Iterator[str]:
    for name, value in vars(owner).items():
        if inspect.isfunction(value) and not name.startswith("_"):
            yield "\n\n".join([f"#### {owner.__name__}.{name}", *documented(value)]) + "\n"


def component_page() -> Iterator[str]:
    yield COMPONENT
    for each in (DailyStorySyncComponent, *NESTED):
        text = "\n\n".join([f"## {each.__name__}", *documented(each)]) + "\n"
        if each is DailyStorySyncComponent:
            assert all(python in text for python in IN_YAML)
        for python, yaml in IN_YAML.items():
            text = text.replace(python, yaml)
        yield text


@pytest.mark.parametrize(("page", "parts"), [("python.md", python_page), ("component.md", component_page)])
def test_the_page_is_that_of_the_docstrings(page: str, parts: object) -> None:
    assert callable(parts)
    text = "\n".join(parts())
    if os.environ.get("UPDATE_DOCS"):
        (FOLDER / page).write_text(text, encoding="utf-8")
    assert (FOLDER / page).read_text(encoding="utf-8") == text


def test_every_public_name_is_on_the_page() -> None:
    listed = [name for names in CHAPTERS.values() for name in names]
    assert sorted([*listed, "DailyStorySyncComponent"]) == sorted(dagster_dailystory.__all__)
