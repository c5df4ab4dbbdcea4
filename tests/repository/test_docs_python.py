"""docs/reference/python.md, airflow.md and component.md are made from the docstrings (`UPDATE_DOCS=1`)."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import get_args, get_type_hints

import pandas
import pytest
from support.docstrings import documented
from support.from_source import method, names_of, stand_in

import dagster_dailystory
from dagster_dailystory import DailyStorySyncComponent, SyncRecords, sandbox
from dagster_dailystory.definitions.component import automation_settings, settings
from dagster_dailystory.engine.upkeep.records.explain.explanation import Event, KeyExplanation
from dagster_dailystory.engine.upkeep.records.inspection import FieldChange
from dagster_dailystory.model.change import WaitingOptOut, WaitingOptOuts
from dagster_dailystory.model.runs.adoption import AdoptionProgress
from dagster_dailystory.model.runs.canary import CanaryReport
from dagster_dailystory.model.runs.plan import GuardResult, RejectedRow
from dagster_dailystory.model.runs.report import Progress

NEEDS_AIRFLOW = "needs Airflow; the tested DAGs are in docs/how-to/airflow.md"
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
    "Results": (
        *("SyncReport", "PlanSummary", "AdoptionReport", "ExaminationReport", "Finding", "ForgottenHash"),
        *("ChangePreview", "Explanation", "UndoReport", "ForgetReceipt", "CopyReport"),
    ),
    "Errors": (
        *("DailyStoryError", "ConfigurationError", "AuthenticationError", "SafetyError", "OutageError", "StateError"),
        *("WarehouseError", "BusyError"),
    ),
}
PARTS: tuple[type, ...] = (
    *(Progress, AdoptionProgress, GuardResult, RejectedRow, WaitingOptOuts, WaitingOptOut, CanaryReport, FieldChange),
    *(KeyExplanation, Event),
)
"""What the results have, and what `on_progress` is called with: it is not imported by its name."""
SANDBOX = ("Sandbox", "SandboxSettings", "Counts", "FaultShares", "RecentRequest", "Write")
PROVIDER = Path(dagster_dailystory.__file__).parent / "airflow_provider"
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
AIRFLOW = """# In Airflow

The public names of `dagster_dailystory.airflow_provider`, made from their docstrings.
[Run from Airflow](../how-to/airflow.md) shows them in use.
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
            yield chapter_of(name, value)
            if value is SyncRecords:
                yield from methods(value)
    yield "## Parts of results\n"
    yield from (chapter_of(part.__name__, part) for part in PARTS)
    yield "## In tests\n\nThe names of `dagster_dailystory.sandbox`.\n"
    for name in SANDBOX:
        yield chapter_of(name, getattr(sandbox, name))
        if name == "Sandbox":
            yield from methods(sandbox.Sandbox)


def chapter_of(name: str, value: object) -> str:
    return "\n\n".join([f"### {name}", *documented(value)]) + "\n"


def airflow_page() -> Iterator[str]:
    yield AIRFLOW
    homes = {**names_of(PROVIDER), "SyncOperator": PROVIDER / "operators.py"}
    order = ["contact_sync_group", "contact_assets", "sync_params", "MakePlan", "CheckPlan", "SendPlan", "SyncOperator"]
    for name in sorted(homes, key=lambda each: (each not in order, order.index(each) if each in order else 0, each)):
        parts = [f"## {name}", *documented(stand_in(homes[name], name))]
        if name == "DailyStoryHook":
            parts += ["### DailyStoryHook.account", *documented(method(homes[name], name, "account"))]
        yield "\n\n".join(parts).replace("```python", f"<!-- not run: {NEEDS_AIRFLOW} -->\n```python") + "\n"


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


@pytest.mark.parametrize(
    ("page", "parts"), [("python.md", python_page), ("airflow.md", airflow_page), ("component.md", component_page)]
)
def test_the_page_is_that_of_the_docstrings(page: str, parts: object) -> None:
    assert callable(parts)
    text = "\n".join(parts())
    if os.environ.get("UPDATE_DOCS"):
        (FOLDER / page).write_text(text, encoding="utf-8")
    assert (FOLDER / page).read_text(encoding="utf-8") == text


def test_every_public_name_is_on_the_page() -> None:
    listed = [name for names in CHAPTERS.values() for name in names]
    assert sorted([*listed, "DailyStorySyncComponent"]) == sorted(dagster_dailystory.__all__)
    values = {name: getattr(sandbox, name) for name in sandbox.__all__}
    classes = {name for name, value in values.items() if isinstance(value, type) and not is_enum(value)}
    assert set(SANDBOX) == classes - {"Contact"}  # which is a dict


def test_every_class_that_a_public_name_returns_is_on_the_page() -> None:
    """Also what such a class has, and what `on_progress` is called with. An enum is described where it is used."""
    public = [getattr(dagster_dailystory, name) for name in dagster_dailystory.__all__]
    functions = [each for each in (*public, *vars(SyncRecords).values()) if inspect.isfunction(each)]
    found: set[type] = set()
    for each in map(inspect.unwrap, functions):
        hints = get_type_hints(each, {**each.__globals__, "pandas": pandas})
        for name in ("return", "on_progress"):
            add_classes(hints.get(name), found)
    assert len(found) > 20
    missing = found - {*public, *PARTS}
    assert [each.__name__ for each in missing if not is_enum(each)] == []


def add_classes(hint: object, found: set[type]) -> None:
    """Add the classes of this package that a type names, and those of their attributes."""
    for part in [hint, *get_args(hint)] if not isinstance(hint, list) else hint:
        if part is not hint or isinstance(hint, list):
            add_classes(part, found)
        elif isinstance(part, type) and part.__module__.startswith("dagster_dailystory") and part not in found:
            found.add(part)
            for each in get_type_hints(part).values() if is_dataclass(part) else ():
                add_classes(each, found)


def is_enum(value: type) -> bool:
    return issubclass(value, Enum)
