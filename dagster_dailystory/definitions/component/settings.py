"""The nested settings of the component: a warehouse or an account of its own, and how a sync is cut into slices."""

from collections.abc import Callable
from functools import cache
from typing import cast

import dagster as dg
from pydantic import BaseModel, Field, create_model, model_validator
from pydantic.fields import FieldInfo

from dagster_dailystory.definitions.resources import DailyStoryResource, WarehouseResource
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.contact_fields import nearest
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets, Partitioning
from dagster_dailystory.model.watermark import Watermark


class Settings(dg.Model, dg.Resolvable):
    """Settings in a YAML file, described for `dg` and for editors; one that does not exist is refused with advice."""

    @classmethod
    def model(cls) -> type[BaseModel]:
        """What Dagster reads the YAML with, and shows as its schema."""
        return _explained(super().model(), cls)


@cache
def _explained(derived: type[BaseModel], settings: type[BaseModel]) -> type[BaseModel]:
    """The model that Dagster derives, with what it drops: the descriptions of the settings that have a default."""

    def known_settings(given: object) -> object:
        for name in given if isinstance(given, dict) else ():
            if name not in derived.model_fields:
                raise ValueError(f"there is no setting {name!r}{nearest(str(name), derived.model_fields)}")
        return given

    check = cast(Callable[..., object], model_validator(mode="before")(known_settings))
    fields = {}
    for name, field in derived.model_fields.items():
        described_by = settings.model_fields[name]
        described: FieldInfo = Field(
            default=field.default, description=described_by.description, examples=described_by.examples
        )
        fields[name] = (field.annotation, described)
    made: type[BaseModel] = create_model(  # type: ignore[call-overload]  # the fields are not known to mypy
        derived.__name__, __base__=derived, __doc__=settings.__doc__, __validators__={"known": check}, **fields
    )
    return made


class WarehouseSettings(Settings):
    """A warehouse for this component alone. URLs with a password are named by the variable that holds them."""

    url: str | None = Field(
        default=None, description="SQLAlchemy URL, if it holds no password.", examples=["duckdb:///warehouse.duckdb"]
    )
    url_variable: str | None = Field(
        default=None, description="Environment variable that holds the URL.", examples=["WAREHOUSE_URL"]
    )
    state_url_variable: str | None = Field(
        default=None,
        description="Environment variable that holds the URL of the state database. Left out: the warehouse itself.",
        examples=["DAILYSTORY_STATE_URL"],
    )
    state_schema: str | None = Field(default=None, description="Schema of the state tables.", examples=["reverse_etl"])

    def resource(self) -> WarehouseResource:
        """The resource.

        Raises:
            ConfigurationError: Both or neither of the two ways to give the URL.
        """
        if (self.url is None) is (self.url_variable is None):
            raise ConfigurationError("warehouse: give either url or url_variable")
        return WarehouseResource(
            url=dg.EnvVar(self.url_variable) if self.url_variable else self.url or "",
            state_url=None if self.state_url_variable is None else dg.EnvVar(self.state_url_variable),
            state_schema=self.state_schema,
        )


class DailyStorySettings(Settings):
    """A DailyStory account for this component alone."""

    base_url: str = Field(
        description="Address of the data centre, with /api/v1.", examples=["https://us-1.dailystory.com/api/v1"]
    )
    api_token_variable: str = Field(
        default="DAILYSTORY_API_TOKEN",
        description="Environment variable that holds the API token. The token itself never stands in a file.",
        examples=["DAILYSTORY_API_TOKEN"],
    )
    requests_per_second: float | None = Field(
        default=None, description="Permitted rate. Left out: found by trying.", examples=[5]
    )
    max_concurrency: int = Field(default=4, description="Requests in flight at once.", examples=[4])
    timeout_seconds: float = Field(default=30.0, description="Longest time for one request.", examples=[30])

    def resource(self) -> DailyStoryResource:
        """The resource."""
        return DailyStoryResource(
            base_url=self.base_url,
            api_token=dg.EnvVar(self.api_token_variable),
            requests_per_second=self.requests_per_second,
            max_concurrency=self.max_concurrency,
            timeout_seconds=self.timeout_seconds,
        )


class WatermarkSettings(Settings):
    """A column that moves whenever a row changes: most runs look at recent rows only."""

    column: str = Field(description="A date or a timestamp of the source.", examples=["updated_at"])
    overlap_seconds: float = Field(
        default=3600, description="A run looks back so far, for rows that were committed late.", examples=[3600]
    )
    full_every_seconds: float = Field(
        default=86400,
        description="After so long a run compares everything: it finds rows that left and edits that did not move it.",
        examples=[86400],
    )

    def watermark(self) -> Watermark:
        """The same as the engine takes it."""
        return Watermark(self.column, self.overlap_seconds, self.full_every_seconds)


class Slices(Settings):
    """How a sync is cut into partitions: by `buckets`, or by a `column` and its `values`."""

    buckets: int | None = Field(
        default=None, description="So many equal slices by a hash of the key, for first loads.", examples=[8]
    )
    column: str | None = Field(
        default=None, description="A source column whose values name slices.", examples=["region"]
    )
    values: list[str] | None = Field(
        default=None, description="One slice each; all other rows are in the slice other_values.",
        examples=[["emea", "amer"]],
    )  # fmt: skip

    def partitioning(self) -> Partitioning:
        """The same as the engine takes it.

        Raises:
            ConfigurationError: Neither of the two ways is named in full, or both are.
        """
        if self.buckets is not None and self.column is None and self.values is None:
            return HashBuckets(self.buckets)
        if self.buckets is None and self.column and self.values:
            return ColumnValues(self.column, self.values)
        raise ConfigurationError("partitions: give either buckets, or column and values")
