"""A sync as Dagster assets: the plan (`changes`), and `contacts` and `contact_map`, which one op sends and writes."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.metadata import TableMetadataSet  # not exported; sibling integrations import it so

from dagster_dailystory.api.settings import POOL
from dagster_dailystory.contacts.fingerprint import mapping_version
from dagster_dailystory.databases.kinds.registry import database_named
from dagster_dailystory.databases.source_text import source_text
from dagster_dailystory.definitions.events.failures import retry_requests
from dagster_dailystory.definitions.events.metadata import sync_metadata
from dagster_dailystory.definitions.events.selection import Events
from dagster_dailystory.definitions.lineage import contact_columns, contact_map_columns, find_upstream, source_columns
from dagster_dailystory.definitions.ops import (
    PROGRESS_SECONDS,
    SyncSteps,
)
from dagster_dailystory.definitions.partitions import partitions_definition
from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.definitions.run_config import PlanConfig, SendConfig, option_fields
from dagster_dailystory.engine.planning.guards import guard_texts
from dagster_dailystory.engine.state.lease import WAIT_SECONDS
from dagster_dailystory.engine.upkeep.checks import SEND_CHECKS, plan_check_texts
from dagster_dailystory.engine.warehouse.frames import Frame
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.settings import named_settings
from dagster_dailystory.model.sync import ContactSync, DeletePolicy, FrameSource

PlanBody = Callable[[dg.AssetExecutionContext, PlanConfig, WarehouseResource, DailyStoryResource, Frame | None], Events]
"""The body of the op of `changes`."""


SendBody = Callable[[dg.AssetExecutionContext, SendConfig, WarehouseResource, DailyStoryResource, Frame | None], Events]
"""The body of the op of `contacts` and `contact_map`."""


RETRIES = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL)
"""Default retries of an op after an error that may pass."""


@dataclass(frozen=True, kw_only=True)
class SyncSettings:
    """The Dagster settings of a sync's assets; see `build_contact_sync_assets`."""

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
    backfill_policy: dg.BackfillPolicy | None = None
    frame: dg.AssetKey | None = None

    @property
    def inputs(self) -> Mapping[str, dg.AssetIn]:
        """The inputs of both ops: the frame, if the sync reads one."""
        return {} if self.frame is None else {_FRAME: dg.AssetIn(self.frame)}


_FRAME = "frame"
"""The name of the input that is a frame."""


@named_settings
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
    wait_seconds: float = WAIT_SECONDS,
    backfill_policy: dg.BackfillPolicy | None = None,
    frame: dg.AssetKey | Sequence[str] | str | None = None,
) -> Sequence[dg.AssetsDefinition]:
    """Make the assets `dailystory/NAME/changes`, `dailystory/NAME/contacts` and `dailystory/NAME/contact_map`.

    `changes` is the plan: it runs the guards as blocking checks and takes the run config (`PlanConfig`). `contacts` and
    `contact_map` come from one op that sends the plan of its own run; materialized alone it plans first.

    Args:
        sync: The sync. With `partitions`, the assets have the same partitions.
        deps: The upstream assets. Default: the tables of the source, each as `[schema, table]` like dbt's assets.
        group_name: Group of the assets.
        pool: Concurrency pool of both ops, shared by the syncs of an account. None: no pool.
        retry_policy: Retries after an error that may pass: an outage, a busy state, an unreachable warehouse. A wrong
            token or a blocked plan is never retried.
        tags: Tags of the assets.
        owners: Owners of the assets, `team:growth` or an email address.
        automation_condition: When Dagster runs all three assets, for example `every("0 * * * *")`.
        freshness_policy: How old `changes` may be; every run materializes it, even if nothing changed.
        dialect: SQLAlchemy's name of the warehouse's dialect (`postgresql`), shown as a kind and used to parse the
            query.
        preview_fields: Fields whose values the plan preview shows. All other values are masked, except opt-out
            flags, the status and documented numbers.
        warehouse_key: Key of the `WarehouseResource`.
        dailystory_key: Key of the `DailyStoryResource`.
        progress_seconds: Shortest time between two progress observations.
        wait_seconds: How long a run waits for other runs of the sync, in the order in which they came.
        backfill_policy: How a backfill divides the partitions into runs. Default: one run each, so that they fail
            apart; with `require_approval` one run. `BackfillPolicy.single_run()`: one run with one plan for the range;
            all of it is done, or none.
        frame: The asset whose value a sync with `FrameSource` reads, through its I/O manager: a DataFrame of pandas or
            polars, or a table with Arrow's PyCapsule interface.

    Raises:
        ConfigurationError: The `.sql` file cannot be read, `preview_fields` names a field that is not mapped, or a sync
            with `FrameSource` has no `frame`.

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
    if not isinstance(sync, ContactSync):
        raise ConfigurationError("build_contact_sync_assets takes one ContactSync; call it once for each")
    settings = SyncSettings(
        deps=_asset_keys(deps),
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
        backfill_policy=backfill_policy,
        frame=None if frame is None else dg.AssetKey.from_coercible(frame),
    )
    steps = SyncSteps(sync, find_upstream(sync, dialect), preview_fields, progress_seconds, wait_seconds)
    return make_assets(asset_specs(steps, settings), settings, sync, *_bodies(steps))


def _asset_keys(deps: Sequence[dg.AssetKey | Sequence[str] | str] | None) -> Sequence[dg.AssetKey] | None:
    if isinstance(deps, str):
        raise ConfigurationError(f"deps must be a list of asset keys; write [{deps!r}]")
    return None if deps is None else [dg.AssetKey.from_coercible(dep) for dep in deps]


def _bodies(steps: SyncSteps) -> tuple[PlanBody, SendBody]:
    return (
        lambda run, config, warehouse, account, frame: steps.for_run(frame).plan(run, config, warehouse, account),
        lambda run, config, warehouse, account, frame: steps.for_run(frame, config).send(run, warehouse, account),
    )


def _check_frame(sync: ContactSync, settings: SyncSettings) -> None:
    """Check that a sync which reads a frame has an asset that makes it, and no other sync has one.

    Raises:
        ConfigurationError: One of the two is missing.
    """
    reads_frame = isinstance(sync.source, FrameSource)
    if reads_frame and settings.frame is None:
        raise ConfigurationError(
            f"sync {sync.name!r} reads a frame (FrameSource); name the asset that makes it: frame="
        )
    if settings.frame is not None and not reads_frame:
        raise ConfigurationError(
            f"frame= names an asset, but sync {sync.name!r} reads a warehouse; source=FrameSource()"
        )


def asset_specs(steps: SyncSteps, settings: SyncSettings) -> tuple[dg.AssetSpec, dg.AssetSpec, dg.AssetSpec]:
    """The specs of `changes`, `contacts` and `contact_map`.

    Raises:
        ConfigurationError: A sync with `FrameSource` has no `frame`, or another sync has one.
    """
    sync = steps.sync
    _check_frame(sync, settings)
    kinds = {database_named(settings.dialect).short_name} if settings.dialect else set()
    common = dg.AssetSpec(
        steps.changes_key,
        group_name=settings.group_name,
        code_version=code_version(sync),
        tags=settings.tags,
        owners=settings.owners,
        automation_condition=settings.automation_condition,
        partitions_def=partitions_definition(sync),
    )
    frames = [] if settings.frame is None else [settings.frame]
    sent_deps = [steps.changes_key, *frames]
    contacts = common.replace_attributes(
        key=steps.contacts_key,
        description=f"The DailyStory contacts of the sync `{sync.name}`. Materialized when a run wrote something.",
        deps=sent_deps,
        kinds={"dailystory", *kinds},
        metadata=dict(TableMetadataSet(column_schema=contact_columns(sync))),
        skippable=True,
    )
    contact_map = common.replace_attributes(
        key=steps.contact_map_key,
        description="Which contact (dsid) each source row became: the table "
        f"`dailystory_{sync.name}_contact_map`, with the source's own key columns, to join in SQL.",
        deps=sent_deps,
        kinds={"table", *kinds},
        metadata=dict(TableMetadataSet(column_schema=contact_map_columns(sync))),
        skippable=True,
    )
    return _changes_spec(common, steps, settings, kinds), contacts, contact_map


def _changes_spec(common: dg.AssetSpec, steps: SyncSteps, settings: SyncSettings, kinds: set[str]) -> dg.AssetSpec:
    sync = steps.sync
    tables = [dg.AssetKey(list(table)) for table in steps.upstream.tables]
    deps = tables if settings.deps is None else settings.deps
    deps = [*deps, settings.frame] if settings.frame is not None and settings.frame not in deps else deps
    columns = TableMetadataSet(column_schema=source_columns(sync))
    return common.replace_attributes(
        description=f"The plan of the sync `{sync.name}`: the changes that make DailyStory's contacts equal to the "
        "source, stored before anything is sent. Its checks block a plan that a guard rejects. "
        f"`rows_to_delete` {_rows_to_delete(sync.delete_policy)} (`deletes: {sync.delete_policy.value}`).",
        deps=deps,
        kinds=kinds,
        metadata=sync_metadata(sync, source_text(sync)) | dict(columns),
        freshness_policy=settings.freshness_policy,
    )


def _rows_to_delete(policy: DeletePolicy) -> str:
    if policy is DeletePolicy.KEEP:
        return "is 0: contacts whose key left the source are kept"
    return f"counts contacts to {policy.value}, because their key left the source"


def make_assets(
    specs: tuple[dg.AssetSpec, dg.AssetSpec, dg.AssetSpec],
    settings: SyncSettings,
    sync: ContactSync,
    plan: PlanBody,
    send: SendBody,
) -> Sequence[dg.AssetsDefinition]:
    """Make the two ops of the three assets."""
    changes, *sent = specs
    return [_changes_asset(changes, settings, sync, plan), _contacts_asset(sent, settings, sync, send)]


def _changes_asset(
    spec: dg.AssetSpec, settings: SyncSettings, sync: ContactSync, plan: PlanBody
) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"dailystory__{sync.name}__changes",
        specs=[spec],
        check_specs=[
            dg.AssetCheckSpec(name, asset=spec.key, blocking=True, description=text)
            for name, text in guard_texts(sync).items()
        ]
        + [dg.AssetCheckSpec(name, asset=spec.key, description=text) for name, text in plan_check_texts(sync).items()],
        required_resource_keys={settings.warehouse_key, settings.dailystory_key},
        config_schema=option_fields(sync),
        ins=settings.inputs,
        pool=settings.pool,
        backfill_policy=_backfill_policy(sync, settings),
        can_subset=True,
    )
    def changes(context: dg.AssetExecutionContext, **inputs: Any) -> Events:
        config = PlanConfig(**context.op_execution_context.op_config)
        with retry_requests(context, settings.retry_policy):
            yield from plan(context, config, *_resources(context, settings), inputs.get(_FRAME))

    return changes


def _contacts_asset(
    specs: Sequence[dg.AssetSpec], settings: SyncSettings, sync: ContactSync, send: SendBody
) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"dailystory__{sync.name}__contacts",
        specs=specs,
        check_specs=[
            dg.AssetCheckSpec(name, asset=specs[0].key, description=text) for name, text in SEND_CHECKS.items()
        ],
        required_resource_keys={settings.warehouse_key, settings.dailystory_key},
        config_schema=SendConfig.to_fields_dict(),
        ins=settings.inputs,
        pool=settings.pool,
        backfill_policy=_backfill_policy(sync, settings),
        can_subset=True,
    )
    def contacts(context: dg.AssetExecutionContext, **inputs: Any) -> Events:
        config = SendConfig(**context.op_execution_context.op_config)
        with retry_requests(context, settings.retry_policy):
            yield from send(context, config, *_resources(context, settings), inputs.get(_FRAME))

    return contacts


def _backfill_policy(sync: ContactSync, settings: SyncSettings) -> dg.BackfillPolicy | None:
    if not sync.partitions:
        return None
    one_plan = sync.require_approval  # else its id would be launched for each of its partitions
    usual = dg.BackfillPolicy.single_run() if one_plan else dg.BackfillPolicy.multi_run()
    return settings.backfill_policy or usual


def _resources(
    context: dg.AssetExecutionContext, settings: SyncSettings
) -> tuple[WarehouseResource, DailyStoryResource]:
    return getattr(context.resources, settings.warehouse_key), getattr(context.resources, settings.dailystory_key)


def code_version(sync: ContactSync) -> str:
    """Twelve hexadecimal digits that change with the query, the mapping and the policies."""
    policies = (sync.key_columns, str(sync.mode), str(sync.deletes))
    text = "\0".join([source_text(sync), mapping_version(sync), *map(repr, policies)])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
