"""The nested settings of the component: its own warehouse or account, the watermark and the partitions."""

from collections.abc import Callable
from functools import cache
from typing import cast, get_args

import dagster as dg
from pydantic import BaseModel, Field, create_model, model_validator
from pydantic.fields import FieldInfo

from dagster_dailystory.databases.facts import read_url
from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets, Partitioning
from dagster_dailystory.model.watermark import Watermark


class Settings(dg.Model, dg.Resolvable):
    """Settings in a YAML file, described for `dg` and editors. An unknown setting is refused, with the nearest name."""

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The pydantic model with which Dagster reads the YAML and shows its schema."""
        return _described_model(super().model(), cls)


@cache
def _described_model(derived: type[BaseModel], settings: type[BaseModel]) -> type[BaseModel]:
    """The model that Dagster derives, plus the descriptions that it drops from settings with a default."""

    def known_settings(given: object) -> object:
        for name, value in given.items() if isinstance(given, dict) else ():
            if name not in derived.model_fields:
                hint = nearest(str(name), derived.model_fields)
                raise ConfigurationError(f"{_place(settings)}: there is no setting {name!r}{hint}")
            _check_nested(name, value, settings.model_fields[name])
        return given

    check = cast(Callable[..., object], model_validator(mode="before")(known_settings))
    fields = {}
    for name, field in derived.model_fields.items():
        original = settings.model_fields[name]
        described: FieldInfo = Field(
            default=field.default, description=original.description, examples=original.examples
        )
        fields[name] = (field.annotation, described)
    made: type[BaseModel] = create_model(  # type: ignore[call-overload]  # mypy does not know the fields
        derived.__name__, __base__=derived, __doc__=settings.__doc__, __validators__={"known": check}, **fields
    )
    return made


def _check_nested(name: str, value: object, field: FieldInfo) -> None:
    """Refuse a plain value for settings of their own: Dagster would fail while it resolves it."""
    kinds = get_args(field.annotation)
    if not any(isinstance(kind, type) and issubclass(kind, Settings) for kind in kinds):
        return
    is_template = isinstance(value, str) and (str in kinds or "{{" in value)
    if value is not None and not isinstance(value, dict) and not is_template:
        example = next(each for each in field.examples or () if isinstance(each, dict))
        raise ConfigurationError(f"{name} must be a mapping, such as {example}")


def _place(settings: type[BaseModel]) -> str:
    """Where these settings stand in the file. An error of pydantic's own would repeat them, with any secret."""
    places = {WarehouseSettings: "warehouse", DailyStorySettings: "dailystory", WatermarkSettings: "watermark"}
    return {**places, Slices: "partitions"}.get(settings, "attributes")


class WarehouseSettings(Settings):
    """A warehouse for this component alone. Give a URL with a password through an environment variable."""

    url: str | None = Field(
        default=None, description="SQLAlchemy URL without a password.", examples=["duckdb:///warehouse.duckdb"]
    )
    url_variable: str | None = Field(
        default=None, description="Environment variable that holds the URL.", examples=["WAREHOUSE_URL"]
    )
    state_url_variable: str | None = Field(
        default=None,
        description="Environment variable that holds the URL of the state database. Default: the warehouse itself.",
        examples=["DAILYSTORY_STATE_URL"],
    )
    state_schema: str | None = Field(default=None, description="Schema of the state tables.", examples=["reverse_etl"])

    def resource(self) -> WarehouseResource:
        """The resource.

        Raises:
            ConfigurationError: Both or neither of `url` and `url_variable` are given, or the URL cannot be used.
        """
        if (self.url is None) is (self.url_variable is None):
            raise ConfigurationError("warehouse: give either url or url_variable")
        if self.url is not None:
            read_url(self.url, "warehouse.url")
        return WarehouseResource(
            url=dg.EnvVar(self.url_variable) if self.url_variable else self.url or "",
            state_url=None if self.state_url_variable is None else dg.EnvVar(self.state_url_variable),
            state_schema=self.state_schema,
        )


class DailyStorySettings(Settings):
    """A DailyStory account for this component alone."""

    base_url: str = Field(
        description="URL of the data centre, with /api/v1.", examples=["https://us-1.dailystory.com/api/v1"]
    )
    api_token_variable: str = Field(
        default="DAILYSTORY_API_TOKEN",
        description="Environment variable that holds the API token, which is never written to a file.",
        examples=["DAILYSTORY_API_TOKEN"],
    )
    requests_per_second: float | None = Field(
        default=None, description="Permitted rate. Default: found while sending.", examples=[5]
    )
    max_concurrency: int | None = Field(
        default=None,
        description="Requests in flight at once. Default: as many as rate and latency need, up to 32.",
        examples=[8],
    )
    timeout_seconds: float = Field(default=30.0, description="Time limit of one request.", examples=[30])
    accept_account: bool = Field(
        default=False,
        description="Send with a new token, although DailyStory does not say which account it belongs to.",
        examples=[False],
    )

    def resource(self) -> DailyStoryResource:
        """The resource."""
        return DailyStoryResource(
            base_url=self.base_url,
            api_token=dg.EnvVar(self.api_token_variable),
            requests_per_second=self.requests_per_second,
            max_concurrency=self.max_concurrency,
            timeout_seconds=self.timeout_seconds,
            accept_account=self.accept_account,
        )


class WatermarkSettings(Settings):
    """A column that moves whenever a row changes, so that most runs read recent rows only."""

    column: str = Field(description="A date or timestamp column of the source.", examples=["updated_at"])
    overlap_seconds: float = Field(
        default=3600, description="How far a run looks back, for rows that were committed late.", examples=[3600]
    )
    full_every_seconds: float = Field(
        default=86400,
        description="Time between full comparisons, which find missing keys and edits that did not move the column.",
        examples=[86400],
    )

    def watermark(self) -> Watermark:
        """Convert to the engine's setting."""
        return Watermark(self.column, self.overlap_seconds, self.full_every_seconds)


class Slices(Settings):
    """The partitions of a sync: by `buckets`, or by a `column` and its `values`."""

    buckets: int | None = Field(
        default=None, description="Number of equal slices by a hash of the key, for first loads.", examples=[8]
    )
    column: str | None = Field(
        default=None, description="A source column whose values name the slices.", examples=["region"]
    )
    values: list[str] | None = Field(
        default=None, description="One slice for each value; all other rows are in the slice other_values.",
        examples=[["emea", "amer"]],
    )  # fmt: skip

    def partitioning(self) -> Partitioning:
        """Convert to the engine's setting.

        Raises:
            ConfigurationError: Neither of the two ways is complete, or both are given.
        """
        if self.buckets is not None and self.column is None and self.values is None:
            return HashBuckets(self.buckets)
        if self.buckets is None and self.column and self.values:
            return ColumnValues(self.column, self.values)
        raise ConfigurationError("partitions: give either buckets, or column and values")
