"""Keep DailyStory contacts equal to a warehouse query, from Dagster or from plain Python.

Each name is loaded on first use, so that a script that calls `run_contact_sync` does not import Dagster.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from dagster_dailystory.api.settings import AccountOptions
    from dagster_dailystory.definitions.assets import build_contact_sync_assets
    from dagster_dailystory.definitions.automation.alerts import Alert, alert_sensors
    from dagster_dailystory.definitions.automation.checks import drift_check, flapping_check
    from dagster_dailystory.definitions.automation.new_slices import partition_sensor
    from dagster_dailystory.definitions.automation.retries import retry_sensor
    from dagster_dailystory.definitions.automation.schedules import every, sync_schedule
    from dagster_dailystory.definitions.automation.sources import history_asset, observed_source
    from dagster_dailystory.definitions.component.component import DailyStorySyncComponent
    from dagster_dailystory.definitions.resources import (
        DailyStoryResource,
        WarehouseResource,
        resources_from_environment,
    )
    from dagster_dailystory.definitions.run_config import PlanConfig
    from dagster_dailystory.engine.presence.forgotten import ForgottenHash
    from dagster_dailystory.engine.upkeep.doctor.report import ExaminationReport, Finding
    from dagster_dailystory.engine.upkeep.forgetting.receipt import ForgetReceipt
    from dagster_dailystory.engine.upkeep.moving.copying import CopyReport
    from dagster_dailystory.engine.upkeep.moving.retirement import retire_sync
    from dagster_dailystory.engine.upkeep.records.explain.explanation import Explanation
    from dagster_dailystory.engine.upkeep.records.inspection import ChangePreview
    from dagster_dailystory.engine.upkeep.undo.report import UndoReport
    from dagster_dailystory.errors import (
        AuthenticationError,
        BusyError,
        ConfigurationError,
        DailyStoryError,
        OutageError,
        SafetyError,
        StateError,
        WarehouseError,
    )
    from dagster_dailystory.functions import (
        adopt_contacts,
        examine_contact_sync,
        plan_contact_sync,
        run_contact_sync,
        send_contact_sync,
    )
    from dagster_dailystory.model.partitions import ColumnValues, HashBuckets, TimeWindows
    from dagster_dailystory.model.runs.adoption import AdoptionReport
    from dagster_dailystory.model.runs.plan import PlanSummary
    from dagster_dailystory.model.runs.report import SyncReport
    from dagster_dailystory.model.sync import ContactSync
    from dagster_dailystory.model.watermark import Watermark
    from dagster_dailystory.records import SyncRecords, open_sync

__all__ = [
    "AccountOptions",
    "AdoptionReport",
    "Alert",
    "AuthenticationError",
    "BusyError",
    "ChangePreview",
    "ColumnValues",
    "ConfigurationError",
    "ContactSync",
    "CopyReport",
    "DailyStoryError",
    "DailyStoryResource",
    "DailyStorySyncComponent",
    "ExaminationReport",
    "Explanation",
    "Finding",
    "ForgetReceipt",
    "ForgottenHash",
    "FrameSource",
    "HashBuckets",
    "OutageError",
    "PlanConfig",
    "PlanSummary",
    "SafetyError",
    "StateError",
    "SyncRecords",
    "SyncReport",
    "TimeWindows",
    "UndoReport",
    "WarehouseError",
    "WarehouseResource",
    "Watermark",
    "adopt_contacts",
    "alert_sensors",
    "build_contact_sync_assets",
    "drift_check",
    "every",
    "examine_contact_sync",
    "flapping_check",
    "history_asset",
    "observed_source",
    "open_sync",
    "partition_sensor",
    "plan_contact_sync",
    "resources_from_environment",
    "retire_sync",
    "retry_sensor",
    "run_contact_sync",
    "send_contact_sync",
    "sync_schedule",
]

_HOMES = {
    "UndoReport": "engine.upkeep.undo.report",
    "ForgetReceipt": "engine.upkeep.forgetting.receipt",
    "Explanation": "engine.upkeep.records.explain.explanation",
    "CopyReport": "engine.upkeep.moving.copying",
    "ChangePreview": "engine.upkeep.records.inspection",
    "AccountOptions": "api.settings",
    "AdoptionReport": "model.runs.adoption",
    "Alert": "definitions.automation.alerts",
    "ColumnValues": "model.partitions",
    "ContactSync": "model.sync",
    "DailyStoryResource": "definitions.resources",
    "DailyStorySyncComponent": "definitions.component.component",
    "ExaminationReport": "engine.upkeep.doctor.report",
    "ForgottenHash": "engine.presence.forgotten",
    "Finding": "engine.upkeep.doctor.report",
    "FrameSource": "model.sync",
    "HashBuckets": "model.partitions",
    "PlanConfig": "definitions.run_config",
    "PlanSummary": "model.runs.plan",
    "SyncRecords": "records",
    "SyncReport": "model.runs.report",
    "TimeWindows": "model.partitions",
    "WarehouseResource": "definitions.resources",
    "Watermark": "model.watermark",
    "build_contact_sync_assets": "definitions.assets",
    "drift_check": "definitions.automation.checks",
    "every": "definitions.automation.schedules",
    "flapping_check": "definitions.automation.checks",
    "history_asset": "definitions.automation.sources",
    "examine_contact_sync": "functions",
    "partition_sensor": "definitions.automation.new_slices",
    "observed_source": "definitions.automation.sources",
    "open_sync": "records",
    "resources_from_environment": "definitions.resources",
    "retire_sync": "engine.upkeep.moving.retirement",
    "retry_sensor": "definitions.automation.retries",
    "adopt_contacts": "functions",
    "run_contact_sync": "functions",
    "plan_contact_sync": "functions",
    "send_contact_sync": "functions",
    "sync_schedule": "definitions.automation.schedules",
    "alert_sensors": "definitions.automation.alerts",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
