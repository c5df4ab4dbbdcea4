"""The nested settings of the component: its own warehouse or account, the watermark and the partitions."""

import ast
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Annotated, Any, ClassVar, cast

import dagster as dg
from pydantic import (
    BaseModel,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import Self

from dagster_dailystory.api.settings import check_account_options, normal_base_url
from dagster_dailystory.databases.urls import read_url
from dagster_dailystory.definitions.component.credentials import KEPT, Address, Credential, credential, secret
from dagster_dailystory.definitions.resources import AccountFields, DailyStoryResource, WarehouseResource
from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.partitions import ColumnValues, HashBuckets, Partitioning, TimeWindows
from dagster_dailystory.model.settings import check_names, fits, form_of, wrong_value
from dagster_dailystory.model.sync import FrameSource
from dagster_dailystory.model.watermark import Watermark


class Settings(dg.Model, dg.Resolvable):
    """Settings in a YAML file, described for `dg` and editors.

    A wrong one is refused by name, and its value is not repeated. Pydantic's errors are of many lines and repeat it.

    Attributes:
        place: The setting whose value these settings are; empty at the top of the file.
    """

    place: ClassVar[str] = ""

    @classmethod
    def model(cls) -> type[BaseModel]:
        """The pydantic model with which Dagster reads the YAML and shows its schema."""
        return _described_model(super().model(), cls)

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_by_name(cls, given: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Check what Python gives, and what the templates of a file became."""
        return cast(Self, _validated(cls, given, validate))


class _Description(BaseModel):
    """Lets the schema of a model describe settings and require nothing.

    `dg check` prints the lines of the file around each violation of the schema, and one of them may hold a secret. So
    violations are found when the file is loaded, and named by errors of this package.
    """

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        made = handler(schema)
        described = handler.resolve_ref_schema(made)
        for requirement in ("type", "required", "additionalProperties"):
            described.pop(requirement, None)
        for name, setting in described["properties"].items():
            nested = [each for each in setting.get("anyOf", ()) if "properties" in handler.resolve_ref_schema(each)]
            texts = {key: setting[key] for key in ("title", "description", "default", "examples") if key in setting}
            described["properties"][name] = {**texts, "anyOf": nested} if nested else texts
        return made


@cache
def _described_model(derived: type[BaseModel], settings: type[Settings]) -> type[BaseModel]:
    """The model that Dagster derives, with our errors, and with the descriptions that it drops from some settings."""

    def check(given: object, validate: ValidatorFunctionWrapHandler) -> object:
        return _validated(settings, given, validate)

    validator = cast(Callable[..., object], model_validator(mode="wrap")(cast(Any, check)))
    fields = {}
    for name, field in derived.model_fields.items():
        original = settings.model_fields[name]
        described: FieldInfo = Field(
            default=field.default, description=original.description, examples=original.examples
        )
        fields[name] = (field.annotation, described)
    made: type[BaseModel] = create_model(  # type: ignore[call-overload]  # mypy does not know the fields
        derived.__name__,
        __base__=(_Description, derived),
        __doc__=settings.__doc__,
        __validators__={"check": validator},
        **fields,
    )
    return made


def _validated(settings: type[Settings], given: object, validate: Callable[[object], object]) -> object:
    """Check names and values by our own rules, and then by pydantic's. A template is checked when it is resolved."""
    values = given if isinstance(given, dict) else {}
    if isinstance(given, dict):
        required = [name for name, field in settings.model_fields.items() if field.is_required()]
        check_names(settings.place or settings.__name__, map(str, given), list(settings.model_fields), required)
    for name, value in values.items():
        is_template = isinstance(value, str) and "{{" in value
        if not is_template and not any(fits(each, settings.model_fields[name].annotation) for each in _readings(value)):
            raise _wrong(settings, name, value)
    try:
        return validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        if name in values and first["type"].endswith(("_type", "_parsing", "is_instance_of")):
            raise _wrong(settings, name, values[name]) from None
        raise ConfigurationError(f"{name or settings.__name__}: {first['msg']}") from None


def _readings(value: object) -> tuple[object, ...]:
    """A value as it is, and a text as Dagster renders it: "8" in quotes becomes the number."""
    try:
        return (value, ast.literal_eval(value)) if isinstance(value, str) else (value,)
    except (ValueError, SyntaxError):
        return (value,)


def _wrong(settings: type[Settings], name: str, value: object) -> ConfigurationError:
    field, setting = settings.model_fields[name], f"{settings.place}.{name}".lstrip(".")
    if isinstance(value, BaseModel) and not isinstance(value, Settings):  # Dagster keeps the error to itself
        return ConfigurationError(f"a template in {setting} names something unknown, or gives a wrong type")
    is_object = any(isinstance(each, dg.Resolver) and each not in KEPT for each in field.metadata)
    form = "a template" if is_object else form_of(field.annotation)
    return wrong_value(setting, value, form, () if field.annotation is bool else field.examples or ())


class WarehouseSettings(Settings):
    """A warehouse for this component alone. Give a URL with a password through an environment variable."""

    place: ClassVar[str] = "warehouse"

    url: Credential = Field(
        default=None,
        description="SQLAlchemy URL without a password, or {{ env.NAME }}, which is read in the run.",
        examples=["{{ env.WAREHOUSE_URL }}", "duckdb:///warehouse.duckdb"],
    )
    url_variable: Credential = Field(
        default=None, description="Environment variable that holds the URL.", examples=["WAREHOUSE_URL"]
    )
    state_url: Credential = Field(
        default=None,
        description="URL of the state database, as `url`. Default: the warehouse itself.",
        examples=["{{ env.DAILYSTORY_STATE_URL }}"],
    )
    state_url_variable: Credential = Field(
        default=None,
        description="Environment variable that holds the URL of the state database. Default: the warehouse itself.",
        examples=["DAILYSTORY_STATE_URL"],
    )
    state_schema: str | None = Field(default=None, description="Schema of the state tables.", examples=["reverse_etl"])

    def resource(self) -> WarehouseResource:
        """The resource.

        Raises:
            ConfigurationError: A URL is given twice, that of the warehouse not at all, or one cannot be used.
        """
        url = credential("warehouse.url", self.url, self.url_variable, read_url)
        if url is None:
            raise ConfigurationError("warehouse: give either url or url_variable")
        return WarehouseResource(
            url=url,
            state_url=credential("warehouse.state_url", self.state_url, self.state_url_variable, read_url),
            state_schema=self.state_schema,
        )


class DailyStorySettings(AccountFields, Settings):
    """A DailyStory account for this component alone."""

    place: ClassVar[str] = "dailystory"

    base_url: Address = Field(
        description="URL of the data centre, with /api/v1, or {{ env.NAME }}, which is read in the run.",
        examples=["https://us-1.dailystory.com/api/v1", "{{ env.DAILYSTORY_BASE_URL }}"],
    )
    api_token: Credential = Field(
        default=None,
        description="The API token as {{ env.NAME }}, which is read in the run; a file never holds the token. "
        "Default: {{ env.DAILYSTORY_API_TOKEN }}.",
        examples=["{{ env.DAILYSTORY_API_TOKEN }}"],
    )
    api_token_variable: Credential = Field(
        default=None,
        description="Environment variable that holds the API token. Default: DAILYSTORY_API_TOKEN.",
        examples=["DAILYSTORY_API_TOKEN"],
    )

    def resource(self) -> DailyStoryResource:
        """The resource.

        Raises:
            ConfigurationError: `base_url` is not the address of an API, or the API token is not named by a variable.
        """
        check_account_options(self.account_options())
        token = secret("dailystory.api_token", self.api_token, self.api_token_variable, _accept)
        return DailyStoryResource(
            base_url=credential("dailystory.base_url", self.base_url, None, normal_base_url) or "",
            api_token=token or dg.EnvVar("DAILYSTORY_API_TOKEN"),
            **self.account_options(),
        )


def _accept(content: str, variable: str) -> None:
    """A token has no form that could be checked."""


class WatermarkSettings(Settings):
    """A column that moves whenever a row changes, so that most runs read recent rows only."""

    place: ClassVar[str] = "watermark"

    column: str = Field(description="A date or timestamp column of the source.", examples=["updated_at"])
    overlap_seconds: float = Field(
        default=3600, description="How far a run looks back, for rows that were committed late.", examples=[3600]
    )
    full_every_seconds: float = Field(
        default=86400,
        description="Time between full comparisons, which find missing keys and edits that did not move the column.",
        examples=[86400],
    )

    def setting(self) -> Watermark:
        """Convert to the engine's setting."""
        return Watermark(self.column, self.overlap_seconds, self.full_every_seconds)


class FrameSettings(Settings):
    """A source that is the value of an upstream asset."""

    place: ClassVar[str] = "source"

    frame: str = Field(
        description="The asset that makes the frame: a DataFrame of pandas or polars, or another table of Arrow's.",
        examples=["analytics/scored_customers"],
    )
    complete: bool = Field(
        default=False, description="Each frame has all rows, so that a missing key has left.", examples=[True]
    )

    def setting(self) -> FrameSource:
        """Convert to the engine's setting."""
        return FrameSource(complete=self.complete)


_Day = Annotated[str | date | None, dg.Resolver.default(model_field_type=str | date | None)]


class Slices(Settings):
    """The partitions of a sync: by `buckets`, by a `column` and its `values`, or by a `column` and windows of time."""

    place: ClassVar[str] = "partitions"

    buckets: int | None = Field(
        default=None, description="Number of equal slices by a hash of the key, for first loads.", examples=[8]
    )
    column: str | None = Field(
        default=None, description="A source column whose values name the slices.", examples=["region"]
    )
    values: list[str] | None = Field(
        default=None, description="One slice for each value; all other rows are in the slice other_values. "
        "Default: each value of the source is a slice, and a sensor adds it.",
        examples=[["emea", "amer"]],
    )  # fmt: skip
    every: str | None = Field(
        default=None, description="Windows of time: hourly, daily, weekly or monthly.", examples=["monthly"]
    )
    start: _Day = Field(
        default=None, description="Where the first window begins; it has all earlier rows too.", examples=["2024-01-01"]
    )
    end: _Day = Field(
        default=None, description="No window begins then or later; the last one has all later rows too.",
        examples=["2025-01-01"],
    )  # fmt: skip
    timezone: str = Field(default="UTC", description="Where days begin.", examples=["Europe/Berlin"])
    in_one_run: bool = Field(
        default=False, description="A backfill of several partitions is one run, done as a whole or not at all. "
        "Default: one run for each partition, so that they fail apart; with `require_approval` one run.",
        examples=[True],
    )  # fmt: skip

    def setting(self) -> Partitioning:
        """Convert to the engine's setting.

        Raises:
            ConfigurationError: None of the three ways is complete, or settings of two ways are given.
        """
        given = {name for name in ("buckets", "column", "values", "every", "start") if getattr(self, name) is not None}
        if given == {"buckets"}:
            return HashBuckets(self.buckets or 0)
        if given in ({"column"}, {"column", "values"}):
            return ColumnValues(self.column or "", self.values or [])
        if given == {"column", "every", "start"}:
            return TimeWindows(self.column or "", self.every or "", self.start or "", self.end, self.timezone)
        raise ConfigurationError("partitions: give either buckets, or column and values, or column, every and start")
