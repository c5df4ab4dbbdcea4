"""A sync as Dagster assets: the plan (`changes`), and what one op makes of it (`contacts` and `contact_map`)."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.metadata import TableMetadataSet  # not exported; sibling integrations import it so

from dagster_dailystory.contacts.fingerprint import mapping_version
from dagster_dailystory.databases.source import source_text
from dagster_dailystory.definitions.lineage import contact_columns, contact_map_columns, find_upstream, source_columns
from dagster_dailystory.definitions.metadata import sync_metadata
from dagster_dailystory.definitions.ops import CONTACT_CHECKS, POOL, PROGRESS_SECONDS, Events, SyncSteps, tried_again
from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.definitions.run_config import PlanConfig, option_fields
from dagster_dailystory.engine.planning.guards import guard_texts
from dagster_dailystory.model.sync import ContactSync, Deletes

PlanBody = Callable[[dg.AssetExecutionContext, PlanConfig, WarehouseResource, DailyStoryResource], Events]
"""What the op of `changes` does."""


SendBody = Callable[[dg.AssetExecutionContext, WarehouseResource, DailyStoryResource], Events]
"""What the op of `contacts` and `contact_map` does."""


RETRIES = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL)
"""How an op is tried again where time can mend what stopped it."""


_KIND_OF_DIALECT = {"postgresql": "postgres", "mssql": "sqlserver", "clickhousedb": "clickhouse"}


_LEAVING = {
    Deletes.KEEP: "which stay as they are: none (`deletes: keep`)",
    Deletes.DEACTIVATE: "to be made inactive (`deletes: deactivate`)",
    Deletes.DELETE: "to be deleted (`deletes: delete`)",
}


@dataclass(frozen=True, kw_only=True)
class SyncSettings:
    """What the assets of a sync are made with; see `build_contact_sync_assets`."""

    deps: Sequence[dg.AssetKey] | None = None
    group_name: str = "dailystory"
    pool: str | None = POOL
    retry_policy: dg.RetryPolicy | None = RETRIES
    tags: Mapping[str, str] | None = None
    owners: Sequence[str] | None = None
    automation_condition: dg.AutomationCondition[dg.AssetKey] | None = None
    freshness_policy: dg.FreshnessPolicy | None = None
    dialect: str | None = None
    warehouse_key: str = "warehouse"
    dailystory_key: str = "dailystory"


def build_contact_sync_assets(
    sync: ContactSync,
    *,
    deps: Sequence[dg.AssetKey | Sequence[str] | str] | None = None,
    group_name: str = "dailystory",
    pool: str | None = POOL,
    retry_policy: dg.RetryPolicy | None = RETRIES,
    tags: Mapping[str, str] | None = None,
    owners: Sequence[str] | None = None,
    automation_condition: dg.AutomationCondition[dg.AssetKey] | None = None,
    freshness_policy: dg.FreshnessPolicy | None = None,
    dialect: str | None = None,
    preview_fields: Sequence[str] = (),
    warehouse_key: str = "warehouse",
    dailystory_key: str = "dailystory",
    progress_seconds: float = PROGRESS_SECONDS,
) -> Sequence[dg.AssetsDefinition]:
    """Make a sync the assets `dailystory/NAME/changes`, `dailystory/NAME/contacts` and `dailystory/NAME/contact_map`.

    `changes` is the plan: it runs the guards as blocking checks and takes the run config (`PlanConfig`). `contacts` and
    `contact_map` come from one op that sends the plan of its own run; materialized alone it plans first.

    Args:
        sync: What must equal what. With `partitions`, the assets have the same partitions.
        deps: The upstream assets; None: the tables of the source, each as `[schema, table]` like dbt's assets.
        group_name: The assets' group.
        pool: Concurrency pool of both ops; syncs that share an account's rate share it. None: no pool.
        retry_policy: For what time mends: an outage, a busy state, an unreachable warehouse. A wrong token or a blocked
            plan is never tried again.
        tags: Tags of the assets.
        owners: Owners of the assets, `team:growth` or an email address.
        automation_condition: When all three are run; `automation.every("0 * * * *")` makes one.
        freshness_policy: How old `changes` may be; it is materialized by every run, also if nothing changed.
        dialect: SQLAlchemy's name of the warehouse's dialect (`postgresql`): shown as a kind, and used to parse the
            query.
        preview_fields: Fields whose values the plan preview shows. Those of all others are masked, except opt-out
            flags, the status and documented numbers.
        warehouse_key: Key of the `WarehouseResource`.
        dailystory_key: Key of the `DailyStoryResource`.
        progress_seconds: Shortest time between two progress observations.

    Raises:
        ConfigurationError: The `.sql` file cannot be read, or `preview_fields` names a field that is not mapped.

    Example:
        ```python
        defs = dg.Definitions(
            assets=build_contact_sync_assets(customers),
            resources={
                "warehouse": WarehouseResource(url=dg.EnvVar("WAREHOUSE_URL")),
                "dailystory": DailyStoryResource(
                    base_url="https://us-1.dailystory.com/api/v1", api_token=dg.EnvVar("DAILYSTORY_API_TOKEN")
                ),
            },
        )
        ```
    """
    settings = SyncSettings(
        deps=None if deps is None else [dg.AssetKey.from_coercible(dep) for dep in deps],
        group_name=group_name,
        pool=pool,
        retry_policy=retry_policy,
        tags=tags,
        owners=owners,
        automation_condition=automation_condition,
        freshness_policy=freshness_policy,
        dialect=dialect,
        warehouse_key=warehouse_key,
        dailystory_key=dailystory_key,
    )
    steps = SyncSteps(sync, find_upstream(sync, dialect), tuple(preview_fields), progress_seconds)
    return make_assets(asset_specs(steps, settings), settings, sync, steps.plan, steps.send)


def asset_specs(steps: SyncSteps, settings: SyncSettings) -> tuple[dg.AssetSpec, dg.AssetSpec, dg.AssetSpec]:
    """The specs of `changes`, `contacts` and `contact_map`."""
    sync, source = steps.sync, source_text(steps.sync)
    kind = _KIND_OF_DIALECT.get(settings.dialect or "", settings.dialect)
    kinds = {kind} if kind else set()
    tables = [dg.AssetKey(list(table)) for table in steps.upstream.tables]
    common = dg.AssetSpec(
        steps.changes_key,
        group_name=settings.group_name,
        code_version=code_version(sync),
        tags=settings.tags,
        owners=settings.owners,
        automation_condition=settings.automation_condition,
        partitions_def=dg.StaticPartitionsDefinition(sync.partitions.names) if sync.partitions else None,
    )
    changes = common.replace_attributes(
        description=f"What has to be sent so that DailyStory's contacts equal the source of the sync `{sync.name}`: "
        "the plan, stored before anything is sent. Its checks block a plan that looks wrong. "
        f"`rows_to_delete` counts the contacts whose row left the source, {_LEAVING[Deletes(sync.deletes)]}.",
        deps=tables if settings.deps is None else settings.deps,
        kinds=kinds,
        metadata=sync_metadata(sync, source) | dict(TableMetadataSet(column_schema=source_columns(sync))),
        freshness_policy=settings.freshness_policy,
    )
    contacts = common.replace_attributes(
        key=steps.contacts_key,
        description=f"The DailyStory contacts of the sync `{sync.name}`. Materialized when a run wrote something.",
        deps=[steps.changes_key],
        kinds={"dailystory", *kinds},
        metadata=dict(TableMetadataSet(column_schema=contact_columns(sync))),
        skippable=True,
    )
    contact_map = common.replace_attributes(
        key=steps.contact_map_key,
        description=f"Which contact (dsid) each row of the source became: the table "
        f"`dailystory_{sync.name}_contact_map`, with the source's own key columns, to be joined in SQL.",
        deps=[steps.changes_key],
        kinds={"table", *kinds},
        metadata=dict(TableMetadataSet(column_schema=contact_map_columns(sync))),
        skippable=True,
    )
    return changes, contacts, contact_map


def make_assets(
    specs: tuple[dg.AssetSpec, dg.AssetSpec, dg.AssetSpec],
    settings: SyncSettings,
    sync: ContactSync,
    plan: PlanBody,
    send: SendBody,
) -> Sequence[dg.AssetsDefinition]:
    """Make two ops for three assets."""
    keys = (settings.warehouse_key, settings.dailystory_key)
    one_run_each = dg.BackfillPolicy.multi_run() if sync.partitions else None

    @dg.multi_asset(
        name=f"dailystory__{sync.name}__changes",
        specs=specs[:1],
        check_specs=[
            dg.AssetCheckSpec(name, asset=specs[0].key, blocking=True, description=text)
            for name, text in guard_texts(sync).items()
        ],
        required_resource_keys=set(keys),
        config_schema=option_fields(sync),
        pool=settings.pool,
        backfill_policy=one_run_each,
    )
    def changes(context: dg.AssetExecutionContext) -> Events:
        config = PlanConfig(**context.op_execution_context.op_config)
        with tried_again(context, settings.retry_policy):
            yield from plan(context, config, *_resources(context, *keys))

    @dg.multi_asset(
        name=f"dailystory__{sync.name}__contacts",
        specs=specs[1:],
        check_specs=[
            dg.AssetCheckSpec(name, asset=specs[1].key, description=text) for name, text in CONTACT_CHECKS.items()
        ],
        required_resource_keys=set(keys),
        pool=settings.pool,
        backfill_policy=one_run_each,
    )
    def contacts(context: dg.AssetExecutionContext) -> Events:
        with tried_again(context, settings.retry_policy):
            yield from send(context, *_resources(context, *keys))

    return [changes, contacts]


def _resources(
    context: dg.AssetExecutionContext, warehouse_key: str, dailystory_key: str
) -> tuple[WarehouseResource, DailyStoryResource]:
    return getattr(context.resources, warehouse_key), getattr(context.resources, dailystory_key)


def code_version(sync: ContactSync) -> str:
    """Twelve hexadecimal digits that change with the query, the mapping and the policies."""
    policies = (sync.key_columns, str(sync.mode), str(sync.deletes))
    text = "\0".join([source_text(sync), mapping_version(sync), *map(repr, policies)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
