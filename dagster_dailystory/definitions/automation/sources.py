"""Assets beside the three of a sync: the table of its source, observed, and its history."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager

import dagster as dg
from dagster._core.definitions.metadata import TableMetadataSet  # not exported; sibling integrations import it so
from sqlalchemy import Connection, text

from dagster_dailystory.databases.connect import connect, open_engine
from dagster_dailystory.definitions.events.failures import dagster_failures
from dagster_dailystory.definitions.lineage import history_columns
from dagster_dailystory.definitions.resources import WarehouseResource
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.settings import named_settings
from dagster_dailystory.model.sync import ContactSync


@named_settings
def observed_source(
    key: dg.AssetKey | Sequence[str] | str, version_query: str, warehouse_key: str = "warehouse"
) -> dg.AssetsDefinition:
    """Watch a table: the result of a query is its data version, so that a sync runs only when the table changed.

    Give the sync `AutomationCondition.eager()`, and the observation its own schedule or condition.
    `multi_observable_source_asset` is beta in Dagster 1.13.

    Args:
        key: The asset key of the table, as in the sync's `deps`.
        version_query: Returns one row with one value, for example `select max(updated_at) from analytics.customers`.
        warehouse_key: Key of the `WarehouseResource`.

    Raises:
        ConfigurationError: The key, or a part of it, is empty.
    """
    asset_key = dg.AssetKey.from_coercible(key)
    if not asset_key.path or not all(part.strip() for part in asset_key.path):
        raise ConfigurationError(
            "key of observed_source names no asset: give the key of a table, as in deps of the sync"
        )
    spec = dg.AssetSpec(asset_key, description=f"A table, watched with: {version_query}")

    watches = dg.multi_observable_source_asset(
        name=re.sub(r"\W", "_", "__".join((*spec.key.path, "observation")), flags=re.ASCII),
        specs=[spec],
        required_resource_keys={warehouse_key},
    )

    def observed(context: dg.AssetExecutionContext) -> dg.ObserveResult:
        with dagster_failures(), _connection(getattr(context.resources, warehouse_key)) as connection:
            row = connection.execute(text(version_query.replace(":", "\\:"))).first()
        if row is None or row[0] is None:
            raise dg.Failure("the version query returned no value", {"query": version_query}, allow_retries=False)
        return dg.ObserveResult(asset_key=spec.key, data_version=dg.DataVersion(str(row[0])))

    definition: dg.AssetsDefinition = watches(observed)
    return definition


def _connection(warehouse: WarehouseResource) -> AbstractContextManager[Connection]:
    url = warehouse.warehouse().url
    return connect(open_engine(url), "warehouse", setting=f"{type(warehouse).__name__}.url")


def history_asset(sync: ContactSync, table: str | None = None) -> dg.AssetSpec:
    """The history of a sync as an asset of its own, which each run of `contacts` extends: for lineage and search.

    Pass it to `Definitions(assets=)`. It is not materialized by itself.

    Args:
        sync: The sync.
        table: The name of the table with its schema; by default that of a state without a schema.
    """
    noun = dg.AssetKey(["dailystory", sync.name, "contacts"])
    columns = TableMetadataSet(
        table_name=table or f"dailystory_{sync.name}_history", column_schema=history_columns(sync)
    )
    return dg.AssetSpec(
        dg.AssetKey(["dailystory", sync.name, "history"]),
        deps=[noun],
        description=f"Each change that DailyStory acknowledged within {sync.history_days:g} days, with the values that"
        " it replaced.",
        kinds={"table"},
        metadata=dict(columns),
    )
