"""The two resources of a sync: the warehouse and the DailyStory account. They hold settings, not connections."""

import os
from collections.abc import Collection, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_shared.libraries import DagsterLibraryRegistry
from pydantic import BaseModel, Field, ValidationError

from dagster_dailystory.api.environment import OPTIONAL, REQUIRED, settings_from_environment
from dagster_dailystory.api.settings import AccountSettings, check_account_options, normal_base_url
from dagster_dailystory.databases.urls import read_url
from dagster_dailystory.engine.state.store import open_state
from dagster_dailystory.engine.upkeep.records.frames import contact_map_frame, plan_frame, rejections_frame
from dagster_dailystory.engine.warehouse import Warehouse
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.settings import attribute_texts, check_names, check_value, is_scalar
from dagster_dailystory.model.sync import ContactSync

if TYPE_CHECKING:
    import pandas


class NamedSettings(dg.Config):
    """A Dagster config whose unknown and wrong settings are refused. Dagster's own ignores an unknown one in Python.

    Raises:
        ConfigurationError: A setting is unknown, missing or of a wrong type. The message repeats no value.
    """

    def __init__(self, **settings: object) -> None:
        kind = type(self)
        known = {field.alias or name: field for name, field in kind.model_fields.items()}
        check_names(kind.__name__, settings, list(known), [name for name in known if known[name].is_required()])
        for name, value in settings.items():
            if is_scalar(known[name].annotation):  # pydantic would take a text for a number, and a truth value too
                check_value(f"{kind.__name__}.{name}", value, known[name].annotation, known[name].examples)
        try:
            super().__init__(**settings)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise ConfigurationError(f"{kind.__name__} has a setting of a wrong form. {wrong}") from None


class WarehouseResource(NamedSettings, dg.ConfigurableResource["WarehouseResource"]):
    """The database of the source, and of the state.

    Example:
        ```python
        WarehouseResource(url=dg.EnvVar("WAREHOUSE_URL"))
        WarehouseResource(url=dg.EnvVar("WAREHOUSE_URL"), state_url="sqlite:///dailystory_state.sqlite")
        ```
    """

    url: str = Field(
        repr=False,
        description="SQLAlchemy URL of the warehouse that holds the source. It may carry a password: use EnvVar.",
        examples=["postgresql+psycopg://sync@warehouse/analytics", "duckdb:///warehouse.duckdb"],
    )
    state_url: str | None = Field(
        default=None,
        repr=False,
        description="SQLAlchemy URL of the database for the state tables (DuckDB, SQLite or PostgreSQL). Default: the "
        "warehouse itself.",
        examples=["postgresql+psycopg://sync@state/dailystory"],
    )
    state_schema: str | None = Field(
        default=None,
        description="Schema of the state tables; it must exist. Default: the connection's default schema.",
        examples=["reverse_etl"],
    )

    def warehouse(self, sync: ContactSync | None = None) -> Warehouse:
        """Convert to the engine's endpoint.

        Args:
            sync: The sync that uses it; for one that reads a frame, a file of the state is created.

        Raises:
            ConfigurationError: A URL cannot be used, or the file of the warehouse does not exist.
        """
        names = (f"{type(self).__name__}.url", f"{type(self).__name__}.state_url")
        return Warehouse.at(self.url, self.state_url, self.state_schema, sync=sync, settings=names)

    def contact_map(self, sync: ContactSync) -> "pandas.DataFrame":
        """Read the contact map (key → dsid) as a pandas frame, with the source's own key columns.

        Raises:
            DailyStoryError: The state cannot be read.
        """
        with open_state(self.warehouse(sync).state, sync) as state:
            return contact_map_frame(state)

    def plan(self, sync: ContactSync, plan_id: str) -> "pandas.DataFrame":
        """Read one of the latest plans as a pandas frame, one row for each field that differs. It holds personal data.

        Args:
            sync: The sync that was planned.
            plan_id: From the metadata of `changes`.

        Raises:
            SafetyError: The sync has no such plan.
            DailyStoryError: The state cannot be read.
        """
        with open_state(self.warehouse(sync).state, sync) as state:
            return plan_frame(state, plan_id)

    def rejections(self, sync: ContactSync) -> "pandas.DataFrame":
        """Read the rejections, with reason and message, as a pandas frame.

        Raises:
            DailyStoryError: The state cannot be read.
        """
        with open_state(self.warehouse(sync).state, sync) as state:
            return rejections_frame(state)


_TEXTS = attribute_texts(AccountSettings)


def _of_account(name: str, example: object) -> Any:
    """A setting with the default and the description of the account's."""
    default = getattr(AccountSettings, name)
    return Field(default=default, description=_TEXTS.get(name), examples=[example])


class AccountFields(BaseModel):
    """The settings of an account that have a default, for the resource, YAML and the environment."""

    requests_per_second: float | None = _of_account("requests_per_second", 5.0)
    max_concurrency: int | None = _of_account("max_concurrency", 8)
    timeout_seconds: float = _of_account("timeout_seconds", 30)
    accept_account: bool = _of_account("accept_account", example=False)
    max_attempts: int = _of_account("max_attempts", 9)
    max_seconds_per_row: float = _of_account("max_seconds_per_row", 180)

    def account_options(self) -> dict[str, Any]:
        """The settings by name."""
        return {name: getattr(self, name) for name in AccountFields.model_fields}


class DailyStoryResource(AccountFields, NamedSettings, dg.ConfigurableResource["DailyStoryResource"]):
    """The DailyStory account to write to, and how to use it. Runs with state in one PostgreSQL share its rate.

    Example:
        ```python
        DailyStoryResource(base_url="https://us-1.dailystory.com/api/v1", api_token=dg.EnvVar("DAILYSTORY_API_TOKEN"))
        ```
    """

    base_url: str = Field(description=_TEXTS.get("base_url"), examples=["https://us-1.dailystory.com/api/v1"])
    api_token: str = Field(repr=False, description=f"{_TEXTS.get('api_token')} Use EnvVar.")

    def account(self) -> AccountSettings:
        """Convert to the engine's settings.

        Raises:
            ConfigurationError: A setting cannot work.
        """
        return AccountSettings(self.base_url, self.api_token, **self.account_options())


DagsterLibraryRegistry.register("dagster-dailystory", version("dagster-dailystory"), is_dagster_package=False)


def resources_from_environment(
    environment: Mapping[str, str] = os.environ,
) -> dict[str, WarehouseResource | DailyStoryResource]:
    """Make the resources `warehouse` and `dailystory` from the environment.

    Args:
        environment: The variables; an empty value counts as not set.

    Returns:
        Both resources; an empty mapping when none of the variables is set.

    Raises:
        ConfigurationError: Some required variables are set and others are missing, a variable is nearly one of those,
            a number cannot be read, or a URL cannot be used.
    """
    settings = settings_from_environment(environment)
    given = {name for name, setting in {**REQUIRED, **OPTIONAL}.items() if setting in settings}
    if not given:
        return {}
    missing = [name for name in REQUIRED if name not in given]
    if missing:
        have = f"{', '.join(sorted(given))} {_verb(given)} set"
        lack = f"{', '.join(missing)} {_verb(missing)} missing or empty"
        raise ConfigurationError(f"{have}, but {lack}; set all or none")
    options = {name: settings[name] for name in AccountFields.model_fields if name in settings}
    check_account_options(options)
    for name in ("WAREHOUSE_URL", "DAILYSTORY_STATE_URL"):
        if name in given:
            read_url(environment[name], name)
    normal_base_url(environment["DAILYSTORY_BASE_URL"], "DAILYSTORY_BASE_URL")
    state_url = dg.EnvVar("DAILYSTORY_STATE_URL") if "DAILYSTORY_STATE_URL" in given else None
    return {
        "warehouse": WarehouseResource(url=dg.EnvVar("WAREHOUSE_URL"), state_url=state_url),
        "dailystory": DailyStoryResource(
            base_url=dg.EnvVar("DAILYSTORY_BASE_URL"),
            api_token=dg.EnvVar("DAILYSTORY_API_TOKEN"),
            **options,
        ),
    }


def _verb(names: Collection[str]) -> str:
    return "is" if len(names) == 1 else "are"
