"""Retires a sync that runs no more, so that other syncs of its state may delete the contacts that it had."""

from __future__ import annotations

from sqlalchemy import select

from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.settings import named_settings
from dagster_dailystory.model.sync import ContactSync


@named_settings
def retire_sync(
    sync: ContactSync, name: str, *, warehouse_url: str, state_url: str | None = None, state_schema: str | None = None
) -> None:
    """Retire another sync of the same state. Its tables stay, and its next plan or send takes the retirement back.

    Args:
        sync: A sync that goes on.
        name: The sync that was renamed or removed.
        warehouse_url: SQLAlchemy URL of the warehouse.
        state_url: SQLAlchemy URL of the state database; None if the state is in the warehouse.
        state_schema: Schema of the state tables.

    Raises:
        ConfigurationError: The state has no such sync.
        DailyStoryError: The state cannot be opened.

    Example:
        ```python
        retire_sync(customers, "customers_old", warehouse_url="postgresql+psycopg://sync@warehouse/analytics")
        ```
    """
    location = Warehouse.at(warehouse_url, state_url, state_schema, sync=sync).state
    with open_state(location, sync) as state, state.connection.begin():
        plans = state.shared.plans
        names = state.connection.execute(select(plans.c.sync_name).distinct()).scalars().all()
        if name not in names or name == sync.name:
            others = [each for each in names if each != sync.name]
            raise ConfigurationError(f"the state has no other sync {name!r}{nearest(name, others)}")
        state.retire(name)
