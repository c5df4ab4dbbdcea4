"""The component that defines a sync in YAML."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import dagster as dg
from dagster.components.resolved.errors import ResolutionException  # not exported
from dagster.components.utils.translation import TranslationFn, TranslationFnResolver
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import Self

from dagster_dailystory.api.settings import POOL
from dagster_dailystory.definitions.assets import SyncSettings, asset_specs, make_assets
from dagster_dailystory.definitions.automation.jobs import sync_job
from dagster_dailystory.definitions.automation.schedules import every
from dagster_dailystory.definitions.component.automation_settings import AutomationFields
from dagster_dailystory.definitions.component.scaffolder import DailyStorySyncScaffolder
from dagster_dailystory.definitions.component.settings import (
    DailyStorySettings,
    FrameSettings,
    Slices,
    WarehouseSettings,
)
from dagster_dailystory.definitions.component.sync_settings import SyncFields
from dagster_dailystory.definitions.events.selection import Events
from dagster_dailystory.definitions.lineage import find_upstream
from dagster_dailystory.definitions.ops import SyncSteps
from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.definitions.run_config import PlanConfig
from dagster_dailystory.errors import ConfigurationError


@dg.scaffold_with(DailyStorySyncScaffolder)
class DailyStorySyncComponent(dg.Component, AutomationFields, SyncFields):  # type: ignore[valid-type, misc]  # made at run time
    """Keep DailyStory's contacts equal to one warehouse query.

    Makes the assets `dailystory/NAME/changes`, `dailystory/NAME/contacts` and `dailystory/NAME/contact_map`, and the
    job `sync_NAME`. To change how they look or run, subclass it and override `get_asset_spec`, `plan` or `execute`.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    warehouse: str | WarehouseSettings = Field(
        default="warehouse",
        description="Key of a WarehouseResource, or the settings of one for this component alone.",
        examples=["warehouse", {"url": "{{ env.WAREHOUSE_URL }}"}],
    )
    dailystory: str | DailyStorySettings = Field(
        default="dailystory",
        description="Key of a DailyStoryResource, or the settings of one for this component alone.",
        examples=["dailystory", {"base_url": "https://us-1.dailystory.com/api/v1"}],
    )
    dialect: str | None = Field(
        default=None, description="SQLAlchemy's name of the warehouse's dialect.", examples=["postgresql"]
    )
    deps: list[dg.ResolvedAssetKey] | None = Field(
        default=None,
        description="Upstream assets. Default: the tables of the source as [schema, table], like dbt's assets.",
        examples=[["analytics/customers"]],
    )
    preview_fields: list[str] = Field(
        default_factory=list, description="Fields whose values the plan preview shows.", examples=[["city", "plan"]]
    )
    group_name: str = Field(default="dailystory", description="Group of the assets.", examples=["marketing"])
    tags: dict[str, str] = Field(
        default_factory=dict, description="Tags of the assets.", examples=[{"domain": "growth"}]
    )
    owners: list[str] = Field(default_factory=list, description="Owners of the assets.", examples=[["team:growth"]])
    pool: str = Field(default=POOL, description="Concurrency pool; syncs of one account share it.", examples=[POOL])
    automation_condition: Annotated[
        dg.AutomationCondition[dg.AssetKey] | None, dg.Resolver.default(model_field_type=str | None)
    ] = Field(
        default=None,
        description="When Dagster runs all three assets.",
        examples=["{{ dg.AutomationCondition.eager() }}", "{{ every('0 6 * * *') }}"],
    )
    freshness_policy: Annotated[dg.FreshnessPolicy | None, dg.Resolver.default(model_field_type=str | None)] = Field(
        default=None,
        description="How old `changes` may be; every run materializes it.",
        examples=["{{ my_freshness_policy }}"],
    )

    @classmethod
    def get_additional_scope(cls) -> Mapping[str, object]:
        """What the templates of a file may use beside Dagster's own names: the condition `every`."""
        return {"every": every}

    translation: Annotated[
        TranslationFn[str] | None,
        TranslationFnResolver(template_vars_for_translation_fn=lambda noun: {"asset": noun}),
    ] = Field(
        default=None,
        description="Attributes of the assets: group, tags, owners, description. `asset` is changes, contacts or "
        "contact_map, and `spec` the spec as it is. The keys must stay.",
        examples=[{"group_name": "marketing", "tags": {"step": "{{ asset }}"}}],
    )

    def get_asset_spec(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        """Change the spec of one of the three assets; override it in a subclass. The keys must stay.

        Args:
            spec: The default spec of `changes`, `contacts` or `contact_map`.
        """
        return spec

    def plan(
        self,
        context: dg.AssetExecutionContext,
        config: PlanConfig,
        steps: SyncSteps,
        warehouse: WarehouseResource,
        dailystory: DailyStoryResource,
    ) -> Events:
        """Make `changes`; override it in a subclass and call this one."""
        yield from steps.plan(context, config, warehouse, dailystory)

    def execute(
        self,
        context: dg.AssetExecutionContext,
        steps: SyncSteps,
        warehouse: WarehouseResource,
        dailystory: DailyStoryResource,
    ) -> Events:
        """Make `contacts` and `contact_map`; override it in a subclass and call this one."""
        yield from steps.send(context, warehouse, dailystory)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Make the assets, the job, the automation, and the resources of this component alone.

        Raises:
            ConfigurationError: A setting is not valid; the message names the file, the setting and the nearest valid
                value.
        """
        file = _file(context)
        try:
            return self._defs(file.parent)
        except ConfigurationError as error:
            raise ConfigurationError(f"{file}: {error}") from None

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Load the component from a file.

        Raises:
            ConfigurationError: A value has the wrong type, or a template cannot be resolved; the message names the
                file and the setting.
        """
        try:
            return super().load(attributes, context)
        except ConfigurationError as error:
            raise ConfigurationError(f"{_file(context)}: {error}") from None
        except ResolutionException as error:
            raise ConfigurationError(f"{_file(context)}: {_unresolved(error)}") from None

    def _translated(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        noun = spec.key.path[-1]
        made = self.get_asset_spec(spec)
        made = made if self.translation is None else self.translation(made, noun)
        if made.key != spec.key:
            raise ConfigurationError(
                f"translation gives {noun} another key; it must stay {spec.key.to_user_string()}, by which the job, the"
                " schedule and the checks of the sync find it"
            )
        return made

    @property
    def _backfill_policy(self) -> dg.BackfillPolicy | None:
        slices = self.partitions
        return dg.BackfillPolicy.single_run() if isinstance(slices, Slices) and slices.in_one_run else None

    def _defs(self, folder: Path) -> dg.Definitions:
        sync = self.sync(folder)
        resources: dict[str, object] = {}
        keys = {}
        for noun, given in (("warehouse", self.warehouse), ("dailystory", self.dailystory)):
            keys[noun] = given if isinstance(given, str) else f"{sync.name}_{noun}"
            if not isinstance(given, str):
                resources[keys[noun]] = given.resource()
        settings = SyncSettings(
            deps=self.deps,
            group_name=self.group_name,
            pool=self.pool,
            tags=self.tags,
            owners=self.owners,
            automation_condition=self.automation_condition,
            freshness_policy=self.freshness_policy,
            dialect=self.dialect,
            warehouse_key=keys["warehouse"],
            dailystory_key=keys["dailystory"],
            backfill_policy=self._backfill_policy,
            frame=dg.AssetKey.from_user_string(self.source.frame) if isinstance(self.source, FrameSettings) else None,
        )
        steps = SyncSteps(sync, find_upstream(sync, self.dialect), self.preview_fields)
        changes, contacts, contact_map = map(self._translated, asset_specs(steps, settings))
        assets = make_assets(
            (changes, contacts, contact_map),
            settings,
            sync,
            lambda run, config, warehouse, account, frame: self.plan(
                run, config, steps.for_run(frame), warehouse, account
            ),
            lambda run, config, warehouse, account, frame: self.execute(
                run, steps.for_run(frame, config), warehouse, account
            ),
        )
        made = dg.Definitions(assets=assets, jobs=[sync_job(sync)], resources=resources)
        tables = [list(table) for table in steps.upstream.tables]
        return dg.Definitions.merge(made, self.automation(sync, tables, *keys.values()))


def _unresolved(error: ResolutionException) -> str:
    """What is wrong with a template. Dagster's own message has lines of the file, and one may hold a secret."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConfigurationError):
            return str(cause)
        cause = cause.__context__
    lines = str(error).strip().splitlines()
    setting = re.search(r" - attributes\.(\S+)$", lines[0])
    return f"the template of {setting[1] if setting else 'a setting'} cannot be resolved: {lines[-1]}"


def _file(context: dg.ComponentLoadContext) -> Path:
    folder = context.path if context.path.is_dir() else context.path.parent
    return folder / "defs.yaml"
