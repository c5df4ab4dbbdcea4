"""A sync as Airflow tasks: a connection type, three operators and a task group. No logic: the engine's functions run.

Each name is loaded on first use: Airflow reads `provider_info` while it starts, and a connection needs no operators.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster_dailystory.airflow_provider.failures import airflow_failures
    from dagster_dailystory.airflow_provider.groups import contact_assets, contact_sync_group, sync_params
    from dagster_dailystory.airflow_provider.hook import DailyStoryHook
    from dagster_dailystory.airflow_provider.operators import CheckPlan, MakePlan, SendPlan
    from dagster_dailystory.airflow_provider.warehouse import database_url

__all__ = [
    "CheckPlan",
    "DailyStoryHook",
    "MakePlan",
    "SendPlan",
    "airflow_failures",
    "contact_assets",
    "contact_sync_group",
    "database_url",
    "sync_params",
]

_HOMES = {
    "CheckPlan": "operators",
    "DailyStoryHook": "hook",
    "MakePlan": "operators",
    "SendPlan": "operators",
    "airflow_failures": "failures",
    "contact_assets": "groups",
    "contact_sync_group": "groups",
    "database_url": "warehouse",
    "sync_params": "groups",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
