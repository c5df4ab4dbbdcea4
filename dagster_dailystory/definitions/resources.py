"""The two resources of a sync: the warehouse and the DailyStory account. They hold settings, not connections."""

import difflib
import os
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import dagster as dg
from dagster_shared.libraries import DagsterLibraryRegistry
from pydantic import Field, ValidationError

from dagster_dailystory.api.settings import normal_base_url
from dagster_dailystory.databases.urls import read_url
from dagster_dailystory.engine.endpoints import Destination, Warehouse
from dagster_dailystory.engine.upkeep.inspection import contact_map_frame, plan_frame, rejections_frame
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.settings import check_names, check_value, is_scalar
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

    def warehouse(self) -> Warehouse:
        """Convert to the engine's endpoint.

        Raises:
            ConfigurationError: A URL cannot be used, or the file of the warehouse does not exist.
        """
        names = (f"{type(self).__name__}.url", f"{type(self).__name__}.state_url")
        return Warehouse.at(self.url, self.state_url, self.state_schema, settings=names)

    def contact_map(self, sync: ContactSync) -> "pandas.DataFrame":
        """Read the contact map (key → dsid) as a pandas frame, with the source's own key columns.

        Raises:
            DailyStoryError: The state cannot be read.
        """
        return contact_map_frame(sync, self.warehouse())

    def plan(self, sync: ContactSync, plan_id: str) -> "pandas.DataFrame":
        """Read one of the latest plans as a pandas frame, one row for each field that differs. It holds personal data.

        Args:
            sync: The sync that was planned.
            plan_id: From the metadata of `changes`.

        Raises:
            DailyStoryError: The state cannot be read.
        """
        return plan_frame(sync, self.warehouse(), plan_id)

    def rejections(self, sync: ContactSync) -> "pandas.DataFrame":
        """Read the rejections, with reason and message, as a pandas frame.

        Raises:
            DailyStoryError: The state cannot be read.
        """
        return rejections_frame(sync, self.warehouse())


class DailyStoryResource(NamedSettings, dg.ConfigurableResource["DailyStoryResource"]):
    """The DailyStory account to write to, and the rate to use.

    Example:
        ```python
        DailyStoryResource(base_url="https://us-1.dailystory.com/api/v1", api_token=dg.EnvVar("DAILYSTORY_API_TOKEN"))
        ```
    """

    base_url: str = Field(
        description="URL of the account's data centre, with /api/v1. The page of the API token in DailyStory shows it.",
        examples=["https://us-1.dailystory.com/api/v1"],
    )
    api_token: str = Field(
        repr=False, description="API token from Account Settings > API Tokens. It is a secret: use EnvVar."
    )
    requests_per_second: float | None = Field(
        default=None,
        description="Permitted rate. DailyStory documents none. Default: start at 2 a second and find the rate. Each "
        "concurrent run uses this rate: see the pool.",
        examples=[5.0],
    )
    max_concurrency: int | None = Field(
        default=None,
        description="Requests in flight at once. Default: as many as rate and latency need, up to 32.",
        examples=[8],
    )
    timeout_seconds: float = Field(default=30.0, description="Time limit of one request.", examples=[30])
    accept_account: bool = Field(
        default=False,
        description="Send with a token that the state has not seen, although DailyStory does not say which account it "
        "belongs to. Needed for one run, and only if an error asks for it.",
    )

    def destination(self) -> Destination:
        """Convert to the engine's endpoint."""
        return Destination(
            self.base_url,
            self.api_token,
            self.requests_per_second,
            self.max_concurrency,
            self.timeout_seconds,
            self.accept_account,
        )


DagsterLibraryRegistry.register("dagster-dailystory", version("dagster-dailystory"), is_dagster_package=False)


REQUIRED = ("WAREHOUSE_URL", "DAILYSTORY_BASE_URL", "DAILYSTORY_API_TOKEN")
"""Environment variables that a real sync needs."""


OPTIONAL = ("DAILYSTORY_STATE_URL", "DAILYSTORY_REQUESTS_PER_SECOND", "DAILYSTORY_MAX_CONCURRENCY")
"""Environment variables that a real sync may have."""


_NEARLY = 0.9
"""From this similarity on, a variable is taken for a wrong spelling of one that is not set."""


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
    names = (*REQUIRED, *OPTIONAL)
    given = {name for name in names if environment.get(name)}
    for name in names:
        if name not in given:
            _refuse_misspelled(environment, name)
    if not given:
        return {}
    missing = [name for name in REQUIRED if name not in given]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise ConfigurationError(
            f"{', '.join(sorted(given))} is set, but {', '.join(missing)} {verb} not; set all or none"
        )
    rate = _number(environment, "DAILYSTORY_REQUESTS_PER_SECOND")
    concurrency = _number(environment, "DAILYSTORY_MAX_CONCURRENCY")
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
            requests_per_second=rate,
            max_concurrency=None if concurrency is None else int(concurrency),
        ),
    }


def _refuse_misspelled(environment: Mapping[str, str], name: str) -> None:
    """Refuse a variable that is nearly the one that is not set, such as a state URL that would be ignored."""
    others = [each for each in environment if each not in (*REQUIRED, *OPTIONAL) and not each.startswith(f"{name}_")]
    for found in difflib.get_close_matches(name, others, n=1, cutoff=_NEARLY):
        raise ConfigurationError(
            f"the environment has {found}, which is not a variable of this package; did you mean {name!r}? "
            f"Rename it, or set {name} too"
        )


def _number(environment: Mapping[str, str], name: str) -> float | None:
    text = environment.get(name)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        raise ConfigurationError(f"{name}={text!r} is not a number") from None
    if not number > 0 or (name in _WHOLE and not number.is_integer()):
        raise ConfigurationError(f"{name}={text!r} must be a positive {'whole ' if name in _WHOLE else ''}number")
    return number


_WHOLE = ("DAILYSTORY_MAX_CONCURRENCY",)
