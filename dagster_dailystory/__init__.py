"""Keep DailyStory's contacts equal to a warehouse query, from Dagster or from plain Python.

Each name is loaded on first use, so that a script that calls `run_contact_sync` does not pay for importing Dagster.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster_dailystory.assets import build_contact_sync_assets
    from dagster_dailystory.component import DailyStorySyncComponent
    from dagster_dailystory.errors import (
        AuthenticationError,
        ConfigurationError,
        DailyStoryError,
        OutageError,
        SafetyError,
        StateError,
        WarehouseError,
    )
    from dagster_dailystory.model import ContactSync
    from dagster_dailystory.report import SyncReport
    from dagster_dailystory.resources import DailyStoryResource, WarehouseResource
    from dagster_dailystory.sync import run_contact_sync

__all__ = [
    "AuthenticationError",
    "ConfigurationError",
    "ContactSync",
    "DailyStoryError",
    "DailyStoryResource",
    "DailyStorySyncComponent",
    "OutageError",
    "SafetyError",
    "StateError",
    "SyncReport",
    "WarehouseError",
    "WarehouseResource",
    "build_contact_sync_assets",
    "run_contact_sync",
]

_HOMES = {
    "ContactSync": "model",
    "DailyStoryResource": "resources",
    "DailyStorySyncComponent": "component",
    "SyncReport": "report",
    "WarehouseResource": "resources",
    "build_contact_sync_assets": "assets",
    "run_contact_sync": "sync",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
